"""The table of a run, and the same for machines."""

import json
import platform
from datetime import datetime, timezone
from pathlib import Path

COLUMNS = (
    "case", "published", "lost", "duplicated", "longest run", "out of order", "altered", "state", "ready again after",
)  # fmt: skip


def cells(outcome) -> tuple:
    if outcome.skipped:
        return (outcome.case, *("–",) * 7, "skipped")
    return (
        outcome.case, f"{outcome.published:,}", _lost(outcome), f"{outcome.duplicated:,}", f"{outcome.longest_run:,}",
        f"{outcome.out_of_order:,}", f"{outcome.altered:,}", outcome.state or "not judged", f"{outcome.recovered_s:.1f} s",
    )  # fmt: skip


def word(outcome) -> str:
    if outcome.skipped:
        return "skipped"
    if outcome.problems:
        return "FAILED"
    return f"{outcome.lost:,} lost" if outcome.lost else "nothing lost"


def _lost(outcome) -> str:
    return f"{outcome.lost:,}" + (" (told, not judged)" if outcome.may_lose else "")


def table(outcomes: list) -> str:
    """Aligned for a terminal, and Markdown."""
    rows = [COLUMNS, *map(cells, outcomes)]
    widths = [max(len(row[n]) for row in rows) for n in range(len(COLUMNS))]
    lines = ["| " + " | ".join(_pad(cell, width, n) for n, (cell, width) in enumerate(zip(row, widths))) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 1) + ("-" if n == 0 else ":") for n, width in enumerate(widths)) + "|")
    return "\n".join(lines)


def _pad(cell: str, width: int, column: int) -> str:
    return cell.ljust(width) if column == 0 else cell.rjust(width)


def remarks(outcomes: list) -> str:
    """What the table has no room for: why a case was skipped or has failed."""
    lines = []
    for outcome in outcomes:
        if outcome.skipped:
            lines.append(f"{outcome.case}: skipped: {outcome.skipped}")
        if outcome.problems:
            known = f" (known: {outcome.defect})" if outcome.defect else ""
            lines.append(f"{outcome.case}: FAILED{known}; ./dev chaos {outcome.case} --seed {outcome.seed} repeats it")
            lines += [f"    {problem}" for problem in outcome.problems[:10]]
    return "\n".join(lines)


def write(file: Path, options, outcomes: list) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "when": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "machine": platform.machine(),
        "seed": options.seed,
        "short": options.short,
        "devices": options.devices,
        "rate": options.rate,
        "cases": [outcome.as_dict() for outcome in outcomes],
    }
    file.write_text(json.dumps(content, indent=1) + "\n")
