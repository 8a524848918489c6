"""Devices that say much: heliograph-fleet, driven by its standard input."""

import json
import subprocess
import threading
from pathlib import Path

from harness import wait
from judge import numbers

DRAIN_SECONDS = 300  # a machine that has much else to do needs them
# Long enough for what waits behind a backlog, so that it is not sent twice.
RECEIPTS = ("--receipts", "--receipt-timeout-ms=3000")


class Fleet:
    """One heliograph-fleet. Threads: any thread; an order at a time."""

    def __init__(self, plant, prefix: str, count: int, *flags: str):
        self.names = [f"{prefix}{number}" for number in range(1, count + 1)]
        settings = plant.settings
        self._count = count
        self._log = settings.log / f"{prefix}fleet.log"
        self._lock = threading.Lock()
        command = [
            str(settings.programs / "heliograph-fleet"), f"--client-id-prefix={prefix}", f"--devices={count}",
            f"--port={settings.ports['devices']}", f"--certs={settings.certs}", f"--topic-prefix={settings.topic_prefix}",
            f"--drain-s={DRAIN_SECONDS}", "--json", *flags,
        ]  # fmt: skip
        with open(self._log, "ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)

    def order(self, line: str) -> None:
        with self._lock:
            self._tell(line)

    def status(self) -> dict:
        with self._lock:
            self._tell("status")
            assert wait.readable([self._process.stdout], 30), f"the fleet says nothing; its log: {self._log}"
            return json.loads(self._process.stdout.readline())

    def pid(self) -> int:
        return self._process.pid

    def wait_until_online(self) -> None:
        wait.until(lambda: self.status()["online"] == self._count, f"{self._count} devices are online", 60)

    def finish(self) -> dict:
        """Says goodbye once the broker has acknowledged everything; the summary. An error where it does not."""
        self.order("quit")
        output, _ = self._process.communicate(timeout=DRAIN_SECONDS + 30)
        summary = json.loads(output.splitlines()[-1])
        assert summary["outstanding"] == 0, f"the broker has not acknowledged {summary['outstanding']}"
        return summary

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()

    def _tell(self, line: str) -> None:
        self._process.stdin.write(line.encode() + b"\n")
        self._process.stdin.flush()


class Load:
    """Devices that number their messages on both channels, and others that come and go. Threads: as Fleet, and one that
    makes them come and go."""

    def __init__(self, plant, devices: int, rate: int, run: str, chance, with_receipts: bool = False):
        """`chance`: decides who comes and goes, and when."""
        self.run = run
        self._with_receipts = with_receipts
        self._acks = Path(plant.settings.data) / f"acks-{run}.json"
        self._chance = chance
        self._ends = threading.Event()
        self.numbered = Fleet(
            plant, "chaos-", devices, "--numbered", "--channels=both", f"--rate={rate}", "--payload-bytes=250",
            f"--run={run}", f"--acks={self._acks}", "--in-flight=100", *(RECEIPTS if with_receipts else ()),
        )  # fmt: skip
        self.restless = Fleet(plant, "restless-", max(2, devices // 10), "--interval-s=0")
        self._coming_and_going = threading.Thread(target=self._come_and_go, daemon=True)

    def start(self) -> None:
        """Returns when all are online and messages flow."""
        self.numbered.wait_until_online()
        self.restless.wait_until_online()
        wait.until(lambda: self.numbered.status()["acknowledged"] > 0, "messages flow", 30)
        self._coming_and_going.start()

    def acknowledged(self) -> int:
        return self.numbered.status()["acknowledged"]

    def finish(self) -> dict:
        """Ends it; (device, channel) -> sequences that the broker has acknowledged, or that have a receipt."""
        self._ends.set()
        self._coming_and_going.join()
        self.restless.finish()
        summary = self.numbered.finish()
        if self._with_receipts:
            assert summary["receipts"] == summary["sent"] > 0, f"not every message has a receipt: {summary}"
        return numbers.acknowledged(json.loads(line) for line in self._acks.read_text().splitlines())

    def kill(self) -> None:
        self._ends.set()
        self.numbered.kill()
        self.restless.kill()

    def _come_and_go(self) -> None:
        """By a word, without one, and back again."""
        while not self._ends.wait(self._chance.uniform(0.05, 0.3)):
            name, way = self._chance.choice(self.restless.names), self._chance.choice(("flap", "offline", "kill"))
            try:
                if way == "flap":
                    self.restless.order(f"flap {name} {self._chance.randint(1, 3)}")
                else:
                    self.restless.order(f"{way} {name}")
                    self._ends.wait(self._chance.uniform(0, 0.2))
                    self.restless.order(f"online {name}")
            except (BrokenPipeError, ValueError):  # the fleet has ended; whoever waits for it says why
                return
