"""Faults of our own processes: killed, stopped, doubled, away."""

import contextlib
import time

from chaos.actions import Actions
from chaos.bulk import Bulk
from chaos.case import Scene
from chaos.plant import SESSION, SESSION_SECONDS
from harness import wait
from harness.ingest_process import IngestProcess


def kill_ingest(scene: Scene) -> None:
    """Also while it starts."""
    for _ in range(scene.pick(20, 3)):
        scene.go_on(0.02, scene.pick(2.0, 1.5))
        scene.plant.ingest.kill()
        scene.plant.ingest.start()


def kill_recorder(scene: Scene) -> None:
    """Of two replicas, sometimes one, sometimes the other, sometimes both; partitions move in between."""
    plant = scene.plant
    plant.start_anew(plant.recorder, **SESSION)
    with plant.second_recorder(**SESSION) as second:
        for _ in range(scene.pick(20, 3)):
            scene.go_on(0.1, scene.pick(1.5, 1.0))
            victims = scene.chance.choice(([plant.recorder], [second], [plant.recorder, second]))
            for victim in victims:
                victim.kill()
            # Longer than the session at times: then the other one gets its partitions.
            scene.go_on(0.0, scene.chance.choice((0.1, scene.pick(3.0, 1.4) * SESSION_SECONDS)))
            for victim in victims:
                victim.start()
        scene.recover()
    plant.start_anew(plant.recorder)


def kill_api(scene: Scene) -> None:
    with Actions(scene.plant, scene.load.numbered.names, scene.chance) as actions:
        for _ in range(scene.pick(20, 3)):
            scene.go_on(0.2, scene.pick(1.5, 1.0))
            scene.plant.api.kill()
            scene.plant.api.start()
        scene.recover()
        actions.stop()
        scene.problems += actions.problems()


def kill_apis(scene: Scene) -> None:
    """One of two replicas at a time, while actions go to all devices; some stay away for longer than their lease."""
    plant = scene.plant
    token = plant.variables["HELIOGRAPH_TOKEN"]
    with plant.second_api() as second:
        apis = [plant.api, second]
        with Bulk(apis, token, scene.load.numbered.names, scene.pick(50, 10)) as bulk:
            for _ in range(scene.pick(20, 2)):
                scene.go_on(0.1, 1.0)
                victim = scene.chance.choice(apis)
                victim.kill()
                scene.go_on(0.0, scene.chance.choice((0.1, 7.0)))
                victim.start()
            scene.recover()
            scene.problems += bulk.finish()


def stop(name: str):
    """SIGSTOP, and SIGCONT after a while in which others may have taken over."""

    def fault(scene: Scene) -> None:
        service = getattr(scene.plant, name)
        service.pause()
        try:
            time.sleep(scene.pick(30, 2))
        finally:
            service.resume()

    return fault


def stop_recorder(scene: Scene) -> None:
    """Long enough for the other one to get all partitions: the one that wakes up must be fenced."""
    plant = scene.plant
    plant.start_anew(plant.recorder, **SESSION)
    with plant.second_recorder(**SESSION):
        scene.go_on()
        plant.recorder.pause()
        try:
            time.sleep(0.5)  # what PostgreSQL was doing for it has ended
            before = plant.applied()
            wait.until(lambda: _moved(before, plant.applied()), "the other has all partitions", 60)
            scene.go_on(0.5, scene.pick(20, 1))
        finally:
            plant.recorder.resume()
        scene.recover()
    plant.start_anew(plant.recorder)


def _moved(before: dict, now: dict) -> bool:
    """In every partition, on both channels, something was applied."""
    wanted = {place: offset for place, offset in before.items() if place[0] in ("device.control", "device.data")}
    return bool(wanted) and all(now[place] > offset for place, offset in wanted.items())


def two_ingests(scene: Scene) -> None:
    """With the same client id: one keeps the session, the other is not ready and says why."""
    plant = scene.plant
    topics = {f"TOPICS__{role.upper()}": f"device.{role.replace('_', '-')}:{plant.settings.partitions}:1"
              for role in ("control", "data", "dead_letter")}  # fmt: skip
    # The wait of the one that loses, ten times as long by default.
    patience = {"MQTT__TAKEOVER_BACKOFF_S": 3}
    plant.start_anew(plant.ingest, **patience)
    second = IngestProcess(
        plant.settings, plant.settings.log, MQTT__CLIENT_ID="@ingest", MQTT__SESSION_EXPIRY_S=30 * 24 * 3600,
        MAX_PACKET_BYTES=plant.settings.max_packet_bytes, **patience, **topics,
    ).start()  # fmt: skip
    try:

        def suspects() -> list:
            """Those that say that another one holds their session."""
            said = [plant.ingest.health(), second.health()]
            return [one for one in said if not one.get("ready") and "session" in str(one)]

        wait.until(lambda: len(suspects()) == 1, "one of the two is not ready and says why", 60)
        time.sleep(scene.pick(30, 2))
        wait.until(lambda: plant.ingest.health().get("ready") or second.health().get("ready"), "one of the two works", 60)
    finally:
        with contextlib.suppress(AssertionError):
            second.stop()
        second.end()
    scene.recover()
    plant.start_anew(plant.ingest)


def backlog(scene: Scene) -> None:
    """What the broker kept while ingest was away."""
    scene.plant.ingest.stop()
    before, wanted = scene.load.acknowledged(), scene.pick(300_000, 15_000)
    scene.load.numbered.order("rate 20000")
    wait.until(lambda: scene.load.acknowledged() - before >= wanted, f"the broker keeps {wanted} messages", 600)
    scene.load.numbered.order(f"rate {scene.options.rate}")
    scene.plant.ingest.start()


def ten_times(scene: Scene) -> None:
    """Much more than usual, for a while."""
    scene.load.numbered.order(f"rate {10 * scene.options.rate}")
    time.sleep(scene.pick(60, 2))
    scene.load.numbered.order(f"rate {scene.options.rate}")
