"""How the demo shows connections and an action to many devices: lines, redrawn in place on a terminal."""

import sys
from datetime import datetime, timezone

COLUMNS = (("device", 20), ("tenant", 8), ("state", 8), ("for", 8), ("reason", 16), ("last seen", 11), ("software", 28))
COLOURS = {"online": "\033[32m", "offline": "\033[31m", "unknown": "\033[33m"}

# The statuses of a target in the order of its life, and those that are its end.
STATUSES = ("accepted", "queued", "published", "delivered", "running", "succeeded", "failed", "expired", "offline", "unknown",
            "unauthorised", "cancelled", "undeliverable")  # fmt: skip
ENDED = STATUSES[STATUSES.index("succeeded") :]
BAR = 30


def ended(totals: dict) -> bool:
    """Has every target?"""
    return {status for status, count in totals.items() if count} <= set(ENDED)


def progress(totals: dict) -> str:
    """How far an action is: a bar of the targets that have ended, and how many are in which status."""
    count = sum(totals.values())
    done = sum(totals.get(status, 0) for status in ENDED)
    full = BAR * done // count
    told = ", ".join(f"{totals[status]} {status}" for status in STATUSES if totals.get(status))
    return f"[{'#' * full}{'.' * (BAR - full)}] {done} of {count}: {told}"


def ago(moment, now: datetime) -> str:
    """As in 4 s, 12 min, 3 h."""
    if not moment:
        return "-"
    seconds = max(0, int((now - datetime.fromisoformat(moment.replace("Z", "+00:00"))).total_seconds()))
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def row(connection: dict, now: datetime) -> tuple:
    software = " ".join(filter(None, (connection.get("client_name"), connection.get("client_version"))))
    return (
        connection["client_id"],
        connection.get("tenant") or "-",
        connection["state"],
        ago(connection.get("since"), now),
        connection.get("reason") or "-",
        ago(connection.get("last_seen"), now),
        software or "-",
    )


def table(connections: list, colours: bool) -> list:
    """Lines, with the counts last."""
    now = datetime.now(timezone.utc)
    lines = ["  " + "".join(f"{title:{width}}" for title, width in COLUMNS)]
    for connection in sorted(connections, key=_natural):
        cells = [f"{text[: width - 1]:{width}}" for text, (_, width) in zip(row(connection, now), COLUMNS)]
        if colours:
            cells[2] = COLOURS.get(connection["state"], "") + cells[2] + "\033[0m"
        lines.append("  " + "".join(cells))
    states = [connection["state"] for connection in connections]
    lines.append(f"  {states.count('online')} online, {states.count('offline')} offline, {len(states)} known")
    return lines


def _natural(connection: dict) -> tuple:
    """solar-2 before solar-10."""
    stem = connection["client_id"].rstrip("0123456789")
    digits = connection["client_id"][len(stem) :]
    return stem, int(digits or 0)


class Live:
    """A block of lines at the bottom of the terminal, replaced by each show(); elsewhere they follow each other. Threads: one thread."""

    def __init__(self, output=sys.stdout):
        self._output = output
        self._height = 0
        self.on_terminal = output.isatty()

    def show(self, lines: list) -> None:
        if self._height and self.on_terminal:
            self._output.write(f"\033[{self._height}F\033[J")
        self._output.write("\n".join(lines) + "\n")
        self._output.flush()
        self._height = len(lines)
