"""./dev as somebody at a terminal uses it, on a data folder and ports of its own: demo, up, status, restart, logs, down."""

import os
import shutil
import signal
import subprocess
import sys

import pytest
from harness import folders
from harness.wait import until
from heliograph_local import homes, network, processes, settings
from heliograph_local.settings import PORTS, ROOT

NAMES = ("mosquitto", "kafka", "postgres", "ingest", "recorder", "api")
SECONDS = 300  # of one command; a quiet machine takes 20


class Dev:
    """Runs ./dev with the programs that are there. Threads: one thread."""

    def __init__(self):
        chosen = settings.from_environment()
        self.data = folders.temporary()
        self.ports = network.free_ports()
        variables = {variable: str(self.ports[name]) for name, variable, _, _ in PORTS}
        self._environment = {
            **os.environ, **variables, "HELIOGRAPH_DATA": str(self.data), "HELIOGRAPH_CACHE": str(chosen.cache),
            "HELIOGRAPH_PROGRAMS": str(chosen.programs),
        }  # fmt: skip
        self._demo = None

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [str(ROOT / "dev"), *arguments], env=self._environment, cwd="/", capture_output=True, text=True,
            timeout=SECONDS, check=False,
        )  # fmt: skip

    def good(self, *arguments: str) -> str:
        ended = self(*arguments)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def start_demo(self, *arguments: str) -> None:
        self.data.mkdir(parents=True, exist_ok=True)
        with open(self.data / "demo.log", "wb") as log:
            self._demo = subprocess.Popen(
                [str(ROOT / "dev"), "demo", *arguments], env=self._environment, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, start_new_session=True,
            )  # fmt: skip

    def demo_says(self) -> str:
        return (self.data / "demo.log").read_text()

    def wait_for_demo_to_say(self, what: str) -> None:
        until(lambda: what in self.demo_says() or self._demo.poll() is not None, f"the demo says '{what}'", SECONDS)
        assert what in self.demo_says(), self.demo_says()

    def end_of_demo(self, with_signal: int = 0) -> int:
        """Its exit code."""
        if with_signal:
            self._demo.send_signal(with_signal)
        return self._demo.wait(SECONDS)

    def pid(self, name: str) -> int:
        return int((self.data / f"run/{name}.pid").read_text())

    def left(self) -> list:
        """What still runs of the stack: each of its processes names its folder, and holds one of its ports or none."""
        running = [processes.arguments_of(int(pid)) for pid in os.listdir("/proc") if pid.isdigit()]
        of_it = [" ".join(arguments) for arguments in running if any(str(self.data) in one for one in arguments)]
        return of_it + [f"port {port}" for port in self.ports.values() if not network.is_free(port)]

    def remove(self) -> None:
        if self._demo and self._demo.poll() is None:
            self._demo.kill()
            self._demo.wait()
        self("down")
        homes.remove(self.data)
        shutil.rmtree(self.data.parent, ignore_errors=True)


@pytest.fixture(name="folder", scope="module")
def _folder():
    dev = Dev()
    try:
        yield dev
    finally:
        if dev.data.exists():
            dev.remove()


@pytest.fixture(name="dev")
def _dev(folder):
    """Nothing runs; what an earlier test has left is ended."""
    if folder.data.exists():
        folder.good("down")
    assert folder.left() == []
    return folder


@pytest.fixture(name="neighbour")
def _neighbour():
    """Looks like the fleet of another stack's demo."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)", "--client-id-prefix=solar-"])
    yield process
    process.kill()
    process.wait()


def test_a_demo_shows_the_main_job_and_ends_all_of_it_by_ctrl_c(dev, neighbour):
    dev.start_demo("--devices", "3")
    dev.wait_for_demo_to_say("3 simulated devices are online")
    dev.wait_for_demo_to_say("succeeded: the device answered {'say': 'hello from the platform'}")
    dev.wait_for_demo_to_say("solar-pulled-1 is offline: connection_lost")
    dev.wait_for_demo_to_say("[####################..........] 2 of 3: 1 queued, 2 succeeded")
    dev.wait_for_demo_to_say("[##############################] 3 of 3: 3 succeeded")
    dev.wait_for_demo_to_say("3 online, 0 offline, 3 known")
    assert dev.good("status").count(" ready") == len(NAMES)
    assert len(dev.left()) > len(NAMES), "or nothing left would mean nothing"
    assert dev.end_of_demo(signal.SIGINT) == 0, dev.demo_says()
    assert dev.left() == []
    assert neighbour.poll() is None, "what another stack runs is not ours to end"


def test_while_a_demo_is_shown_other_terminals_work(dev):
    dev.start_demo("--devices", "2")
    dev.wait_for_demo_to_say("Live, every second")
    before = dev.pid("api")
    dev.good("restart", "api")
    assert dev.pid("api") != before
    dev.good("up")
    dev.good("down")
    assert dev.end_of_demo() == 0, dev.demo_says()
    assert "The stack was ended from elsewhere." in dev.demo_says()
    assert dev.left() == []


def test_up_status_restart_logs_and_down(dev):
    dev.good("up")
    told = dev.good("status")
    for name in NAMES:
        assert f"pid {dev.pid(name)} " in told, told
    before = {name: dev.pid(name) for name in NAMES}
    dev.good("restart", "ingest")
    changed = [name for name in NAMES if dev.pid(name) != before[name]]
    assert changed == ["ingest"]
    assert processes.has_ended(before["ingest"]) and not processes.has_ended(dev.pid("ingest"))
    dev.good("status")

    unknown = dev("restart", "nobody")
    assert unknown.returncode == 1 and "not part of the stack" in unknown.stderr
    lines = dev.good("logs", "ingest").splitlines()
    whole = (dev.data / "log/ingest.log").read_text().splitlines()
    assert len(lines) == min(20, len(whole)) and set(lines) <= set(whole)
    assert dev("logs", "nobody").returncode == 1

    shown = dev.good("demo", "--devices", "2", "--seconds", "1")
    assert "The stack keeps running" in shown, "up wants it to stay"
    dev.good("status")
    assert "fleet" not in " ".join(dev.left()), "the demo's own devices are gone"

    dev.good("down")
    assert dev.left() == []
    gone = dev("status")
    assert gone.returncode == 1 and gone.stdout.count("does not run") == len(NAMES)
