"""Waiting for what must become true, instead of sleeping and hoping."""

import select
import time


def readable(sources: list, seconds: float) -> list:
    """Those of `sources` that have something to read, after at most `seconds`. Unlike select.select with any number of open files."""
    poll = select.poll()
    for source in sources:
        poll.register(source, select.POLLIN)
    ready = {number for number, _ in poll.poll(seconds * 1000)}
    return [source for source in sources if source.fileno() in ready]


def until(condition, what: str, seconds: float = 15.0):
    """Returns the first true value of `condition()`; an AssertionError that names `what` when there is none in time."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.02)
