"""What the demo shows of an action to many devices."""

import io

import pytest
from heliograph_local import demo_view


@pytest.mark.parametrize("totals, shown, is_over", [
    ({"published": 20}, "[..............................] 0 of 20: 20 published", False),
    ({"succeeded": 9, "running": 10, "queued": 1}, "[#############.................] 9 of 20: 1 queued, 10 running, 9 succeeded", False),
    ({"succeeded": 19, "queued": 1}, "[############################..] 19 of 20: 1 queued, 19 succeeded", False),
    ({"succeeded": 999, "running": 1}, "[#############################.] 999 of 1000: 1 running, 999 succeeded", False),
    ({"succeeded": 1, "failed": 1, "offline": 1, "queued": 0}, "[##############################] 3 of 3: 1 succeeded, 1 failed, 1 offline", True),
])  # fmt: skip
def test_a_bar_is_full_when_every_target_has_ended_and_not_before(totals, shown, is_over):
    assert demo_view.progress(totals) == shown
    assert demo_view.ended(totals) is is_over


def test_without_a_terminal_lines_follow_each_other():
    output = io.StringIO()
    live = demo_view.Live(output)
    live.show(["1"])
    live.show(["2"])
    assert output.getvalue() == "1\n2\n"
