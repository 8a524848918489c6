"""What Kafka and PostgreSQL hold after a fault, judged by tests/judge alone."""

import time
from dataclasses import dataclass, field

from e2e import state
from harness import kafka_log
from judge import events, fold, mapping, numbers

CHANNELS = {"device.control": "control", "device.data": "data"}
PATIENCE = 60.0  # seconds without anything new
# Where something may be lost, so that waiting for it is of no use: all is ready, and what the broker has comes at once.
SHORT_PATIENCE = 3.0


@dataclass
class Verdict:
    messages: numbers.Verdict
    state: list = field(default_factory=list)  # what is not as the log says: tables, offsets, events
    repeated_events: int = 0


class _Log:
    """A topic, read on from where it was read to. Threads: one thread."""

    def __init__(self, address: str, topic: str):
        self._address, self._topic = address, topic
        self.ends = {}  # partition -> the next offset
        self._mappings = mapping.Mappings()

    def read(self) -> list:
        """What is new, in the order of mapping.py."""
        return mapping.in_order(self._read, self._mappings)

    def _read(self) -> list:
        records = kafka_log.read(self._address, self._topic, 60, self.ends)
        for record in records:
            self.ends[record.partition] = record.offset + 1
        return records


class Judge:
    """Reads the log once and remembers what it folded. Threads: one thread."""

    def __init__(self, stack):
        self._stack = stack
        self.begin_anew()

    def begin_anew(self) -> None:
        """From the beginning of the log, as after a Kafka that may have forgotten something."""
        self._logs = {topic: _Log(self._stack.settings.kafka_address, topic) for topic in (*CHANNELS, "connection.events")}
        self._fold, self._events = fold.Fold(), events.Events()

    def judge(self, run: str, acknowledged: dict, may_lose: bool = False) -> Verdict:
        """Once nothing moves any more."""
        found, patience = numbers.Numbers(run), SHORT_PATIENCE if may_lose else PATIENCE
        self._until(lambda: self._read(found) == 0 and found.missing(acknowledged) == 0, lambda: self._ends(CHANNELS), patience)
        self._until(lambda: self._unapplied() == [] and self._waiting_events() == 0, self._progress)
        self._read(found)
        self._events.take(self._logs["connection.events"].read())
        wrong = self._unapplied() + state.compare(self._stack, self._fold.connections)
        wrong += self._events.problems(self._fold.events)
        if waiting := self._waiting_events():
            wrong.append(f"{waiting} rows of the outbox were never published")
        return Verdict(found.verdict(acknowledged), wrong, self._events.repeats)

    @staticmethod
    def _until(condition, progress, patience: float = PATIENCE) -> None:
        """Until it is so, or nothing has moved for long: then the verdict tells what is missing."""
        last, since = progress(), time.monotonic()
        while not condition() and time.monotonic() - since < patience:
            time.sleep(0.1)
            if (now := progress()) != last:
                last, since = now, time.monotonic()

    def _read(self, found: numbers.Numbers) -> int:
        """How many records were new."""
        count = 0
        for topic, channel in CHANNELS.items():
            records = self._logs[topic].read()
            count += len(records)
            found.take(channel, records)
            if channel == "control":
                self._fold.take(
                    fold.Record(one.partition, one.offset, one.timestamp_ms, one.key, one.value) for one in records
                )
        return count

    def _ends(self, topics) -> list:
        return [dict(self._logs[topic].ends) for topic in topics]

    def _progress(self) -> list:
        return self._stack.applied(), self._waiting_events()

    def _waiting_events(self) -> int:
        return self._stack.query("SELECT count(*) AS rows FROM connection_events_outbox")[0]["rows"]

    def _unapplied(self) -> list:
        """Each applied offset must be the log's end, no less and no more."""
        applied = self._stack.applied()
        return [
            f"{topic}/{partition} is applied up to {applied.get((topic, partition))}, its end is {end}"
            for topic in CHANNELS
            for partition, end in sorted(self._logs[topic].ends.items())
            if applied.get((topic, partition)) != end
        ]
