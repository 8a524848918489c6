"""With receipts not even a broker that is killed loses a message: who has none sends again."""

import json
import subprocess
from dataclasses import dataclass, field

from harness import wait
from heliograph_local.settings import HOST
from numbered import count_records

DEVICES = 6
MESSAGES = 3000  # of each device, half of them on each channel
KILLS = 3


class Fleet:
    """heliograph-fleet with receipts. Threads: one thread."""

    def __init__(self, stack, prefix: str, folder):
        for number in range(1, DEVICES + 1):
            stack.add_device(f"{prefix}-{number}")
        self._acks = folder / "acks.jsonl"
        self._log = folder / "fleet.log"
        command = [stack.settings.programs / "heliograph-fleet", "--host", HOST]
        command += ["--port", str(stack.settings.ports["devices"]), "--certs", stack.settings.certs]
        command += ["--topic-prefix", stack.prefix, "--client-id-prefix", f"{prefix}-", "--devices", str(DEVICES)]
        command += ["--numbered", "--receipts", "--receipt-timeout-ms", "2000", "--channels", "both", "--run", prefix]
        command += ["--rate", "1500", "--payload-bytes", "500", "--messages", str(MESSAGES), "--drain-s", "120"]
        command += ["--acks", self._acks, "--json"]
        with open(self._log, "wb") as log:
            self._process = subprocess.Popen(
                [str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
            )

    @property
    def works(self) -> bool:
        return self._process.poll() is None

    def finish(self, seconds: float = 300) -> dict:
        """Its summary; it must have a receipt for everything."""
        out, _ = self._process.communicate(timeout=seconds)
        assert self._process.returncode == 0, self._log.read_text()[-2000:]
        return json.loads(out.splitlines()[-1])

    def end(self) -> None:
        if self.works:
            self._process.kill()
            self._process.wait()

    def receipts(self) -> dict:
        """(device, channel) -> the ranges of numbers that have one."""
        lines = [json.loads(line) for line in self._acks.read_text().splitlines()]
        return {(line["device"], line["channel"]): line["receipted"] for line in lines}


@dataclass
class Seen:
    """Of one device on one channel: its numbers in the order of their first appearance, and how many came again."""

    first: list = field(default_factory=list)
    numbers: set = field(default_factory=set)
    repeats: int = 0

    def add(self, number: int) -> None:
        self.repeats += number in self.numbers
        if number not in self.numbers:
            self.first.append(number)
        self.numbers.add(number)


def numbers_in_kafka(stack, run: str) -> dict:
    """(device, channel) -> Seen."""
    seen = {}
    for channel in ("data", "control"):
        for record in stack.records(f"device.{channel}"):
            # Others have left keys and values that are no text.
            number = json.loads(record.value).get("number") if (record.key or b"").startswith(run.encode()) else None
            if number:
                assert number["device"] == record.key.decode()
                seen.setdefault((number["device"], channel), Seen()).add(number["sequence"])
    return seen


def kill_the_broker(stack) -> None:
    before = count_records(stack, "device.data")
    wait.until(lambda: count_records(stack, "device.data") > before + 500, "the load runs", 120)
    stack.mosquitto.kill()
    stack.mosquitto.start()
    stack.mosquitto.wait()
    stack.ingest.wait(120)


def test_the_broker_is_killed_under_load_and_no_message_is_missing(stack, client_id, tmp_path):
    fleet = Fleet(stack, client_id, tmp_path)
    try:
        for _ in range(KILLS):
            kill_the_broker(stack)
            assert fleet.works, "it had more to send when the broker was killed"
        summary = fleet.finish()
    finally:
        fleet.end()
    assert (summary["sent"], summary["receipts"]) == (DEVICES * MESSAGES, DEVICES * MESSAGES)
    assert (summary["unreceipted"], summary["outstanding"]) == (0, 0)
    assert summary["lost_connections"] >= KILLS, "the broker was killed"
    seen = numbers_in_kafka(stack, client_id)
    expected = set(range(1, MESSAGES // 2 + 1))
    assert len(seen) == 2 * DEVICES
    for (device, channel), found in seen.items():
        missing = sorted(expected - found.numbers)
        assert not missing, f"{device} {channel}: {len(missing)} are missing, as {missing[:5]}"
        assert found.first == sorted(found.first), f"{device} {channel}: out of order"
        assert fleet.receipts()[(device, channel)] == [[1, MESSAGES // 2]]
