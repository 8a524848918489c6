"""Whether every fault is told while it lasts: readiness names the cause, a metric moves, a line or two say it; and whether all is
ready soon after its end."""

import time
from contextlib import ExitStack, contextmanager

from chaos.case import READY_WITHIN, Scene
from harness import metrics, wait

REFUSED, SILENT, OVER = 5.0, 15.0, 5.0  # seconds: the peer refuses or closes; it is silent; the fault is over
MOST_LINES = 20  # of a process about one fault

# Who needs which server, under which names.
NEEDS = {
    "mosquitto": {"ingest": ("mqtt", "canary"), "api": ("mqtt",)},
    "kafka": {"ingest": ("kafka",), "recorder": ("kafka",)},
    "postgres": {"recorder": ("postgres",), "api": ("postgres",)},
}


def servers_away(scene: Scene) -> None:
    """Each server in turn, in the short form all at once: ended, then stopped, so that it answers nothing. The broker is not
    killed: it forgets what it has acknowledged."""
    for servers in scene.pick([(server,) for server in NEEDS], [tuple(NEEDS)]):
        _away(scene, servers, "ended", REFUSED)
        _away(scene, servers, "silent", SILENT)


def _away(scene: Scene, servers: tuple, how: str, seconds: float) -> None:
    plant = scene.plant
    where = f"{', '.join(servers)} {how}"
    lines = {name: len(_lines(plant, name)) for server in servers for name in NEEDS[server]}
    with ExitStack() as away:
        for server in servers:
            away.enter_context((_ended if how == "ended" else _silent)(plant, server))
        began = time.monotonic()
        for server in servers:
            for name, dependencies in NEEDS[server].items():
                what = f"{where}: {name} tells of {server}"
                _within(scene, lambda n=name, d=dependencies: _tells(plant, n, d), began, seconds, what)
        # Time enough for a line that is repeated to be seen to be repeated.
        time.sleep(scene.pick(10, 1))
    for server in servers:
        getattr(plant, server).wait()
    over = OVER if len(servers) == 1 else 2 * OVER
    _within(scene, lambda: not plant.not_ready(), time.monotonic(), over, f"{where}, and back: all are ready")
    for name, before in lines.items():
        more = len(_lines(plant, name)) - before
        scene.must(0 < more <= MOST_LINES * len(servers), f"{where}: {name} wrote {more} warnings and errors")


@contextmanager
def _ended(plant, server: str):
    service = getattr(plant, server)
    (service.stop if server == "mosquitto" else service.kill)()
    try:
        yield
    finally:
        service.start()


@contextmanager
def _silent(plant, server: str):
    if server == "postgres":
        with plant.postgres_stopped():
            yield
        return
    service = getattr(plant, server)
    service.pause()
    try:
        yield
    finally:
        service.resume()


def _tells(plant, name: str, dependencies: tuple) -> bool:
    daemon = getattr(plant, name)
    health = daemon.health().get("dependencies", {})
    gauges = metrics.parse(daemon.admin("/metrics")[1])
    return any(
        health.get(each, {}).get("reason") and gauges.value("heliograph_app_ready", dependency=each) == 0
        for each in dependencies
    )


def _lines(plant, name: str) -> list:
    log = (plant.settings.log / f"{name}.log").read_text(errors="replace")
    return [line for line in log.splitlines() if '"level":"warn"' in line or '"level":"error"' in line]


def _within(scene: Scene, condition, began: float, seconds: float, what: str) -> None:
    """A requirement; waits longer than it allows, so that one failure does not spoil what follows."""
    wait.until(condition, what, READY_WITHIN)
    took = time.monotonic() - began
    scene.must(took <= seconds, f"{what}: after {took:.1f} s, not within {seconds:.0f} s")
