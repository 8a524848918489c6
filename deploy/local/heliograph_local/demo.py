"""./dev demo: everything runs, and the main job is shown on it."""

import shutil
import time

from . import demo_view, fleet, stack_env
from .problem import Problem
from .progress import Progress
from .rest import Api
from .stack import Stack, exclusively

# How long another ./dev in another terminal may take to be done, before we end the stack or leave it.
OTHERS_SECONDS = 120


def run(stack: Stack, progress: Progress, devices: int, seconds: float, prepare, is_kept) -> int:
    """Returns when the user presses Ctrl-C, after `seconds` if not 0, or when another ./dev has ended the stack.

    `prepare()` is called before it starts; `is_kept()`, at the end: does a ./dev up want it to stay? Others may end,
    start and restart it while it is shown."""
    if not 2 <= devices <= 1000:
        raise Problem("A demo takes 2 to 1000 devices; heliograph-fleet itself takes many more.")
    fleets = fleet.of_demo(stack.settings, devices)
    started = False
    try:
        with exclusively(stack.settings):
            prepare()
            started = True
            stack.up()
        _Demo(stack, fleets, progress).show(seconds)
    except KeyboardInterrupt:
        if not started:
            raise
        print()
    finally:
        if started:
            _end(stack, fleets, is_kept)
    return 0


def _end(stack: Stack, fleets: tuple, is_kept) -> None:
    for each in fleets:
        each.stop()
    with exclusively(stack.settings, OTHERS_SECONDS):
        if is_kept():
            print("The stack keeps running, since ./dev up started it; ./dev down ends it.")
        else:
            if not stack.is_gone():
                print("Ending everything:")
            stack.down()


class _Demo:
    """Threads: one thread."""

    def __init__(self, stack: Stack, fleets: tuple, progress: Progress):
        self._stack = stack
        self._fleet, self._pulled = fleets
        self._progress = progress
        self._api = Api(stack.settings, stack.postgres.connection_string())

    def show(self, seconds: float) -> None:
        try:
            self._show(seconds)
        except Problem:
            if not self._stack.is_gone():
                raise
            print("\nThe stack was ended from elsewhere.")

    def _show(self, seconds: float) -> None:
        self._connect_fleet()
        print("\nWho is online, as the API tells it (GET /v1/connections):\n")
        print("\n".join(demo_view.table(self._connections(), colours=self._live)))
        self._send_action()
        self._pull_device()
        action_id, totals = self._send_to_all()
        self._bring_back(action_id, totals)
        self._tell_addresses()
        self._watch(seconds)

    @property
    def _live(self) -> bool:
        return demo_view.Live().on_terminal

    def _connections(self) -> list:
        return self._api.connections(client_id_prefix=self._fleet.prefix)

    def _connect_fleet(self) -> None:
        wanted = {*self._fleet.client_ids, *self._pulled.client_ids}
        with self._progress.step("devices") as told:
            for each in (self._fleet, self._pulled):
                each.start()
            self._until(lambda: self._count_online(wanted, told) == len(wanted), 60, "the devices are not all online")
            told(f"{len(wanted)} simulated devices are online")

    def _count_online(self, wanted: set, told) -> int:
        for each in (self._fleet, self._pulled):
            if not each.pid():
                raise Problem(f"heliograph-fleet has ended. Its log, {each.log_file}, ends with:\n{each.log_tail()}")
        online = [one for one in self._connections() if one["state"] == "online" and one["client_id"] in wanted]
        told(f"{len(online)} of {len(wanted)} online")
        return len(online)

    def _send_action(self) -> None:
        device = self._fleet.client_ids[0]
        print(f"\nAn action for {device} (POST /v1/actions):\n")
        began = time.monotonic()
        action = self._api.send([device], "echo", {"say": "hello from the platform"})
        print(f"  {_ms(began)}  accepted: action {action['action_id']}, target {action['targets'][0]['status']}")

        def result():
            return self._api.action(action["action_id"])["targets"][0].get("result")

        self._until(result, 15, f"{device} has not answered")
        target = self._api.action(action["action_id"])["targets"][0]
        print(f"  {_ms(began)}  {target['status']}: the device answered {target['result']['content']!r:.100}")

    def _pull_device(self) -> None:
        device = self._pulled.client_ids[0]
        print(f"\nThe power of {device} is cut (kill -9 of its process):\n")
        began = time.monotonic()
        self._pulled.kill()
        self._until(lambda: self._api.connection(device)["state"] == "offline", 15, f"{device} is still online")
        print(f"  {_ms(began)}  {device} is offline: {self._api.connection(device)['reason']}")

    def _send_to_all(self) -> tuple:
        """The action's id, and its totals when all but the one without power have ended."""
        wanted = [*self._fleet.client_ids, *self._pulled.client_ids]
        print(f'\nAn action for all {len(wanted)} of them (POST /v1/actions with "if_offline": "queue"):\n')
        action_id = self._api.send(wanted, "echo", {"limit_w": 4000}, if_offline="queue")["action_id"]
        return action_id, self._follow(action_id, lambda totals: set(totals) <= {"queued", *demo_view.ENDED}, {})

    def _bring_back(self, action_id: str, before: dict) -> None:
        device = self._pulled.client_ids[0]
        print(f"\nThe power of {device} is back:\n")
        self._pulled.start()
        self._follow(action_id, demo_view.ended, before)

    def _follow(self, action_id: str, is_done, last: dict) -> dict:
        """Shows how far the action is until `is_done(totals)`; the totals then. `last`: those that are known."""
        began, live = time.monotonic(), demo_view.Live()
        totals = last

        def look() -> bool:
            nonlocal totals
            now = {status: count for status, count in self._api.action(action_id)["totals"].items() if count}
            if now != totals:
                live.show([f"  {_ms(began)}  {demo_view.progress(now)}"])
            totals = now
            return is_done(now)

        self._until(look, 30, f"action {action_id} has not ended")
        return totals

    def _tell_addresses(self) -> None:
        settings = self._stack.settings
        ports = settings.ports
        env = stack_env.path(settings)
        device = self._fleet.client_ids[0]
        print(
            f"""
Try next, in another terminal:

  . {env}
  curl -H "Authorization: Bearer $HELIOGRAPH_TOKEN" $HELIOGRAPH_API_URL/v1/connections/{device}
  curl $HELIOGRAPH_INGEST_ADMIN_URL/metrics
  psql "$HELIOGRAPH_POSTGRES" -c 'TABLE connections'
  kcat -b $HELIOGRAPH_KAFKA -t device.control -C -e -f '%k %s\\n'
  ./dev cert my-device        then connect it to port {ports['devices']} with {settings.certs}/my-device.crt

  REST API    http://127.0.0.1:{ports['api']}/v1/connections      described at http://127.0.0.1:{ports['api']}/openapi.yaml
  health      http://127.0.0.1:{ports['ingest_admin']}/readyz (ingest), {ports['recorder_admin']} (recorder), {ports['api_admin']} (API)
"""
        )

    def _watch(self, seconds: float) -> None:
        """The table, until Ctrl-C: redrawn on a terminal; elsewhere only told when something changes."""
        live = demo_view.Live()
        print("Live, every second. Ctrl-C ends everything.\n", flush=True)
        end = time.monotonic() + seconds if seconds else float("inf")
        last = None
        while time.monotonic() < end:
            try:
                connections = self._connections()
                lines = demo_view.table(connections, live.on_terminal)
            except Problem as problem:
                if self._stack.is_gone():
                    raise
                connections, lines = None, [f"  {problem}"]
            states = connections and [(one["client_id"], one["state"]) for one in connections]
            if live.on_terminal:
                height = shutil.get_terminal_size().lines - 2
                live.show(lines if len(lines) <= height else [*lines[: height - 2], "  …", lines[-1]])
            elif states != last:
                print(lines[-1], flush=True)
            last = states
            time.sleep(min(1.0, max(0.0, end - time.monotonic())))

    @staticmethod
    def _until(condition, seconds: float, otherwise: str) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise Problem(f"After {seconds:.0f} s {otherwise}. ./dev logs shows why.")
            time.sleep(0.05)


def _ms(began: float) -> str:
    return f"{(time.monotonic() - began) * 1000:5.0f} ms"
