"""The judges of the other tests on small cases: one that finds nothing wrong in wrong things is none."""

import json
from dataclasses import dataclass

import numbered
import state


@dataclass
class Record:
    key: bytes
    value: bytes


def log(*numbers: int, key: str = "a", padding: str = "x" * 100) -> list:
    return [Record(key.encode(), json.dumps({"n": n, "padding": padding}).encode()) for n in numbers]


def test_numbered_messages():
    assert numbered.judge(log(0, 1, 2), "a").problems(3) == []
    assert numbered.judge(log(0, 1, 0, 1, 2), "a").problems(3) == [], "repeats may follow"
    assert numbered.judge(log(0, 1, 0, 1, 2), "a").repeats == 2
    assert numbered.judge(log(0, 2), "a").problems(3) == ["1 missing, as [1]"]
    assert numbered.judge(log(0, 2, 1), "a").problems(3) == ["out of order"]
    assert numbered.judge(log(0, padding="y"), "a").problems(1) == ["1 altered"]
    assert numbered.judge(log(0, key="b"), "a").problems(1) == ["1 missing, as [0]"]


def test_rows():
    compare = state._compare
    assert compare([(1, "a")], [(1, "a")]) == []
    assert compare([(1, "a")], []) == ["should be (1, 'a')"]
    assert compare([], [(1, "a")]) == ["should not be (1, 'a')"]
    assert len(compare([(1, "a")], [(1, "b")])) == 2
    assert len(compare([(1, "a"), (1, "a")], [(1, "a")])) == 1, "one is missing"
