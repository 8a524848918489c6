"""The README's table of threads is what `top -H` shows of the running daemons."""

import re
from pathlib import Path

import pytest
from heliograph_local.settings import ROOT

DAEMONS = ("ingest", "recorder", "api")
WHO = {
    **{name: (name,) for name in DAEMONS},
    "all daemons": DAEMONS,
    "all with MQTT": ("ingest", "api"),
    "all with Kafka": ("ingest", "recorder"),
}
PASSING = {"mqtt-resolve", "mqtt-takeover", "owners-1"}  # there only while they do something, or if wanted


def table() -> list:
    """(name, pattern, daemons) for each name of the README's table."""
    section = (ROOT / "README.md").read_text().split("\n## Threads\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`.+?) \| (.+?) \| .+? \|$", section, re.MULTILINE)
    named = []
    for names, who in rows:
        for name, more in re.findall(r"`([^`…]+)(…?)`", names):
            pattern = re.sub(r"\d+", r"\\d+", re.escape(name)) + (".*" if more else "")
            named.append((name, pattern, WHO[who]))
    return named


def threads_of(daemon) -> set:
    """The names of its threads but the first, which has the program's."""
    pid = daemon.pid()
    tasks = Path(f"/proc/{pid}/task")
    assert (tasks / f"{pid}/comm").read_text().strip() == f"heliograph-{daemon.name}"[:15]
    return {(task / "comm").read_text().strip() for task in tasks.iterdir() if task.name != str(pid)}


@pytest.mark.parametrize("name", DAEMONS)
def test_the_readme_names_every_thread_and_no_other(stack, name):
    running = threads_of(getattr(stack, name))
    of_daemon = [(thread, pattern) for thread, pattern, daemons in table() if name in daemons]
    assert len(of_daemon) >= 5, "the table was read"
    known = [pattern for _, pattern in of_daemon]
    assert {one for one in running if not any(re.fullmatch(pattern, one) for pattern in known)} == set(), "not in the table"
    assert {
        thread
        for thread, pattern in of_daemon
        if thread not in {*PASSING, f"heliograph-{name}"[:15]} and not any(re.fullmatch(pattern, one) for one in running)
    } == set(), "in the table, and nowhere else"
