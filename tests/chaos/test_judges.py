"""The judges on small logs: one that finds nothing wrong in wrong things is none."""

import json
import zlib
from dataclasses import dataclass

from judge import events, fold, mapping, numbers


@dataclass
class Record:
    partition: int
    offset: int
    key: bytes
    value: bytes
    timestamp_ms: int = 0
    mapping: str = ""

    def header(self, name: str) -> str:
        return self.mapping if name == "ingest.partitions" else ""


def message(sequence: int, device: str = "a", channel: str = "data", run: str = "r") -> bytes:
    """As src/fleet/numbered.cc writes it."""
    head = (f'{{"type":"data","version":1,"number":{{"run":"{run}","device":"{device}","channel":"{channel}",'
            f'"sequence":{sequence}}},"pad":"xx"').encode()  # fmt: skip
    return head + b',"crc32":"%08x"}' % zlib.crc32(head)


def verdict(*values: bytes, acknowledged=range(1, 4), key: bytes = b"a", channel: str = "data") -> numbers.Verdict:
    found = numbers.Numbers("r")
    for offset, value in enumerate(values):  # in parts, as a log is read
        found.take(channel, [Record(0, offset, key, value)])
    return found.verdict({("a", "data"): set(acknowledged)})


def test_all_is_well():
    found = verdict(message(1), message(2), message(3))
    assert (found.published, found.lost, found.duplicated, found.out_of_order, found.altered) == (3, 0, 0, 0, 0)
    assert found.examples == [] and found.losses == []


def test_a_message_is_missing():
    found = verdict(message(1), message(3))
    assert found.lost == 1 and "[2]" in found.losses[0] and found.examples == []
    assert verdict(message(1), message(2), message(3, run="another")).lost == 1


def test_what_was_not_acknowledged_may_be_missing_or_there():
    assert verdict(message(1), acknowledged=[1]).lost == 0
    assert verdict(message(1), message(2), acknowledged=[1]).lost == 0


def test_repeats():
    found = verdict(message(1), message(2), message(1), message(2), message(3), message(3))
    assert (found.duplicated, found.longest_run, found.lost, found.out_of_order) == (3, 2, 0, 0)


def test_order_counts_at_the_first_appearance():
    assert verdict(message(2), message(1), message(3)).out_of_order == 1
    assert verdict(message(1), message(2), message(1), message(3)).out_of_order == 0


def test_an_altered_message():
    good = message(2)
    bad = good.replace(b'"pad":"xx"', b'"pad":"xy"')
    found = verdict(message(1), bad, message(3))
    assert (found.altered, found.lost) == (1, 1)
    assert verdict(good[:-1]).altered == 1, "cut off"
    assert verdict(good, key=b"b").altered == 1, "under another device's name"
    assert verdict(good, channel="control").altered == 1, "in another channel's topic"


def test_what_the_fleet_writes_of_acknowledgements():
    line = {"run": "r", "device": "a", "channel": "data", "last": 9, "acknowledged": [[1, 3], [5, 5]],
            "no_subscriber": [[7, 7]], "refused": [[8, 9]], "receipted": [[3, 4]]}  # fmt: skip
    assert numbers.acknowledged([line]) == {("a", "data"): {1, 2, 3, 4, 5, 7}}


def said(offset: int, state: str, session: str, **content) -> fold.Record:
    value = {"type": "connection-status", "message_id": f"m{offset}", "content": {"state": state, "session_id": session, **content}}
    return fold.Record(0, offset, 1000 + offset, b"a", json.dumps(value).encode())


def test_which_records_are_events():
    whole = fold.Fold()
    whole.take([said(0, "online", "s1"), said(1, "online", "s1"), said(2, "online", "s1", tags={"a": "b"})])
    whole.take([said(3, "offline", "s1"), said(4, "offline", "s1"), said(5, "online", "s2"), said(6, "offline", "s1")])
    whole.take([fold.Record(0, 7, 1007, b"a", b"no JSON"), fold.Record(0, 8, 1008, b"a", b"")])
    assert [(one.kind, one.offset) for one in whole.events] == [("online", 0), ("changed", 2), ("offline", 3), ("online", 5)]
    assert whole.refused == [(0, 7)]


def told(*which: tuple, subject: str = "a") -> list:
    return [
        Record(0, n, subject.encode(), json.dumps(
            {"id": f"device.control/0/{offset}", "type": f"heliograph.connection.{kind}", "subject": subject}).encode())
        for n, (kind, offset) in enumerate(which)
    ]  # fmt: skip


def problems(*which: tuple) -> list:
    wanted = [fold.Event("online", "a", 0, 0), fold.Event("offline", "a", 0, 3)]
    found = events.Events()
    found.take(told(*which))
    return found.problems(wanted)


def test_events():
    assert problems(("online", 0), ("offline", 3)) == []
    assert problems(("online", 0), ("offline", 3), ("online", 0)) == [], "repeats are allowed"
    assert "no event" in problems(("online", 0))[0]
    assert len(problems(("online", 0), ("online", 3))) == 1, "of another kind"
    assert len(problems(("online", 0), ("offline", 3), ("offline", 4))) == 1, "of nothing"
    assert "out of order" in problems(("offline", 3), ("online", 0))[0]


def test_events_in_other_partitions():
    before, after = told(("online", 0), ("offline", 3))
    wanted = [fold.Event("online", "a", 0, 0), fold.Event("offline", "a", 0, 3)]

    def order(partition: int, time_ms: int) -> list:
        found = events.Events()
        found.take([Record(0, 5, b"a", before.value, 20), Record(partition, 0, b"a", after.value, time_ms)])
        return found.problems(wanted)

    assert order(4, 20) == [] and order(4, 21) == []
    assert "out of order" in order(4, 19)[0] and "out of order" in order(0, 30)[0]
    repeated = events.Events()
    repeated.take([Record(0, 9, b"a", after.value, 40), Record(2, 1, b"a", before.value, 10), Record(2, 2, b"a", after.value, 11)])
    assert repeated.problems(wanted) == [] and repeated.repeats == 1, "a repeat that is read before the first"


def test_more_partitions():
    """The parts: what one look at the topic finds. Between the two the last record of partition 0 was stored."""
    looks = [
        [Record(0, 0, b"a", b"1", 10, "3"), Record(1, 0, b"b", b"2", 12, "3"), Record(1, 1, b"a", b"4", 13, "5")],
        [Record(0, 1, b"a", b"3", 11, "3"), Record(0, 2, b"c", b"5", 14, "5")],
        [Record(1, 2, b"b", b"7", 15, "3"), Record(0, 3, b"c", b"6", 14, "5")],
    ]
    mappings = mapping.Mappings()
    found = mapping.in_order(lambda: looks.pop(0), mappings)
    assert [one.value for one in found] == [b"1", b"3", b"2", b"4", b"5"]
    # By an earlier number, but after a later one in the same partition: it stays behind that.
    assert [one.value for one in mapping.in_order(lambda: looks.pop(0), mappings)] == [b"6", b"7"]


def test_order_across_partitions():
    def out_of_order(time_ms: int) -> int:
        found = numbers.Numbers("r")
        found.take("data", [Record(0, 7, b"a", message(1), 20, "3"), Record(4, 0, b"a", message(2), time_ms, "5")])
        return found.verdict({}).out_of_order

    assert out_of_order(20) == 0
    assert out_of_order(19) == 1, "stored before the one that was sent before it"
