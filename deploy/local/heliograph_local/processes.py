"""Finding, starting and ending processes. A process is known by an argument that no other has, never by its id alone."""

import os
import resource
import signal
import subprocess
import time
from pathlib import Path


def arguments_of(pid: int) -> list:
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
        # A zombie has ended; its parent only has not asked yet.
        if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return []
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return []
    return raw.decode(errors="replace").rstrip("\0").split("\0")


def parent_of(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def find(marker: str, hint: int = 0) -> int:
    """The process with `marker` among its arguments, or 0. `hint`: where it was last time.

    A stale process id file, a reused id and a removed file all end in the right answer, because only the process's own
    arguments count."""
    if hint and marker in arguments_of(hint)[1:]:
        return hint
    found = [
        int(entry) for entry in os.listdir("/proc") if entry.isdigit() and marker in arguments_of(int(entry))[1:]
    ]
    # A child that has just been forked still shows its parent's arguments.
    first = [pid for pid in found if parent_of(pid) not in found]
    return min(first, default=0)


def start(command: list, log: Path, cwd: Path, environment=None, account=None) -> subprocess.Popen:
    """Starts `command` in a session of its own, so that a Ctrl-C in the terminal reaches us and not it."""
    if log.exists() and log.stat().st_size > 20 * 1024 * 1024:
        os.replace(log, log.with_suffix(".log.1"))
    with open(log, "ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
            **(account or {}),
        )


def raise_file_limit() -> None:
    """Thousands of connections need thousands of descriptors; children inherit the limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Mosquitto reserves by the limit; a million is more than one machine's devices.
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 1 << 20) if hard > 0 else 1 << 20, hard))


def has_ended(pid: int) -> bool:
    return not arguments_of(pid)


def end(pid: int, first: signal.Signals, seconds: float) -> bool:
    """Asks with `first`, waits, then kills. False: it had to be killed."""
    send(pid, first)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if has_ended(pid):
            return True
        time.sleep(0.02)
    send(pid, signal.SIGKILL)
    while not has_ended(pid):
        time.sleep(0.02)
    return False


def send(pid: int, which: signal.Signals) -> None:
    try:
        os.kill(pid, which)
    except ProcessLookupError:
        pass
