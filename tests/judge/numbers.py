"""What became of numbered messages (src/fleet/numbered.h tells their form), by the log alone."""

import re
import zlib
from collections import defaultdict
from dataclasses import dataclass, field

NUMBER = re.compile(
    rb'"number":\{"run":"([^"\\]*)","device":"([^"\\]*)","channel":"(control|data)","sequence":([0-9]+)\}'
)
EXAMPLES = 20  # of each kind
CHECKSUM = re.compile(rb',"crc32":"([0-9a-f]{8})"\}\Z')


@dataclass
class Verdict:
    published: int = 0  # and acknowledged by the broker
    lost: int = 0  # of those
    losses: list = field(default_factory=list)  # some of them, in words
    duplicated: int = 0  # records that repeat an earlier one
    longest_run: int = 0  # of repeats, one after the other in a partition
    out_of_order: int = 0  # records that appear for the first time after a later one
    altered: int = 0
    examples: list = field(default_factory=list)  # of what else is wrong, in words


class Numbers:
    """The records of one run. Threads: one thread."""

    def __init__(self, run: str):
        self._run = run.encode()
        self._seen = defaultdict(set)  # (device, channel) -> sequences
        self._highest = defaultdict(int)
        self._newest = {}  # (device, channel) -> the record with the highest
        self._repeats = defaultdict(int)  # (channel, partition) -> how many, just now, one after the other
        self._verdict = Verdict()

    def take(self, channel: str, records: list) -> None:
        """Those of the channel's topic, in the order of mapping.py; in as many parts as one likes."""
        for record in records:
            number = NUMBER.search(record.value)
            if number and number[1] == self._run:
                self._take(channel, record, number)

    def _take(self, channel: str, record, number) -> None:
        verdict, value = self._verdict, record.value
        checksum = CHECKSUM.search(value)
        intact = checksum and zlib.crc32(value[: checksum.start()]) == int(checksum[1], 16)
        if not intact or number[2] != record.key or number[3].decode() != channel:
            verdict.altered += 1
            self._example(f"altered: {channel} {record.partition}/{record.offset}")
            return
        place, sequence = (number[2].decode(), channel), int(number[4])
        partition = (channel, record.partition)
        if sequence in self._seen[place]:
            verdict.duplicated += 1
            self._repeats[partition] += 1
            verdict.longest_run = max(verdict.longest_run, self._repeats[partition])
            return
        self._repeats[partition] = 0
        self._seen[place].add(sequence)
        if sequence < self._highest[place]:
            verdict.out_of_order += 1
            self._example(f"out of order: {place} {sequence} after {self._highest[place]} at {record.partition}/{record.offset}")
            return
        before = self._newest.get(place)
        if before and before.partition != record.partition and record.timestamp_ms < before.timestamp_ms:
            verdict.out_of_order += 1
            self._example(f"out of order: {place} {sequence} at {record.partition}/{record.offset} was stored before "
                          f"{self._highest[place]} at {before.partition}/{before.offset}")  # fmt: skip
        self._highest[place], self._newest[place] = sequence, record

    def missing(self, acknowledged: dict) -> int:
        """How many of `acknowledged`, (device, channel) -> sequences, are not there."""
        return sum(len(sequences - self._seen[place]) for place, sequences in acknowledged.items())

    def verdict(self, acknowledged: dict) -> Verdict:
        verdict = self._verdict
        verdict.published = sum(map(len, acknowledged.values()))
        verdict.lost = self.missing(acknowledged)
        for place, sequences in acknowledged.items():
            if gone := sorted(sequences - self._seen[place]):
                verdict.losses.append(f"lost: {place} {gone[:5]}, {len(gone)} in all")
        del verdict.losses[EXAMPLES:]
        return verdict

    def _example(self, text: str) -> None:
        if len(self._verdict.examples) < EXAMPLES:
            self._verdict.examples.append(text)


def acknowledged(lines) -> dict:
    """What `heliograph-fleet --acks` wrote, as objects: (device, channel) -> sequences.

    A PUBACK that says that nobody has subscribed is one, too: ingest's session must always be there. A receipt is more."""
    found = {}
    for line in lines:
        ranges = line["acknowledged"] + line["no_subscriber"] + line["receipted"]
        found[line["device"], line["channel"]] = {n for first, last in ranges for n in range(first, last + 1)}
    return found
