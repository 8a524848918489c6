"""Waiting for what must become true, instead of sleeping and hoping."""

import time


def until(condition, what: str, seconds: float = 15.0):
    """Returns the first true value of `condition()`; an AssertionError that names `what` when there is none in time."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.02)
