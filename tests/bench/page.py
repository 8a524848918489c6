"""docs/benchmarks.md from docs/benchmarks.json: texts in, texts out."""

import figures
import plots

HEADER = "| figure | reference | ours | ratio | goal | met |"


def table(rows: list) -> str:
    return "\n".join([HEADER, "|---|--:|--:|--:|--:|--:|", *(_line(figures.cells(row)) for row in rows)])


def _line(cells: list) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


def files(kept: dict) -> dict:
    """Name -> text of the page and of each plot."""
    drawn = {plot["file"]: plots.svg(plot) for part in kept.values() for plot in part["plots"]}
    return {"benchmarks.md": _page(kept), **drawn}


def summary(kept: dict) -> str:
    verdicts = [figures.is_met(row) for part in kept.values() for row in part["figures"]]
    return f"{verdicts.count(True)} goals met, {verdicts.count(False)} missed, {verdicts.count(None)} figures without a goal"


def _page(kept: dict) -> str:
    rows = [row for part in kept.values() for row in part["figures"]]
    parts = [
        "# Benchmarks",
        "<!-- Written by ./dev bench report from benchmarks.json; changes here are lost. -->",
        "Everything runs on one machine: broker, Kafka, PostgreSQL, our processes and the load. Absolute figures move with the machine"
        " and with what else it does; the ratio of neighbours in one run hardly does. Medians, and in parentheses the lowest and the"
        " highest. [performance.md](performance.md) tells how each is measured, where the time goes and what was tried.",
        "```sh\n./dev bench              # all of it, in turn\n./dev bench latency      # one measurement again; the others keep"
        " their figures\n./dev bench report       # this page again, from benchmarks.json\n```",
        _machine(kept),
        f"{summary(kept)[0].upper() + summary(kept)[1:]}." if rows else "Nothing was measured yet.",
        table(rows),
        _usage(kept),
        *(f"![{plot['title']}]({plot['file']})" for part in kept.values() for plot in part["plots"]),
        _measurements(kept),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _machine(kept: dict) -> str:
    """Of the newest; where another measurement differs, its line says so."""
    newest = _newest(kept)
    return _described(newest) if newest else ""


def _newest(kept: dict) -> dict:
    return max(kept.values(), key=lambda part: part["at"], default={})


def _described(part: dict) -> str:
    found = part["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in part["versions"].items())
    return (
        f"**Machine**: {found['cores']} cores ({found['processor']}), {found['memory_gib']} GiB, {found['system']}, "
        f"Linux {found['kernel']}. **Versions**: {versions}."
    )


def _usage(kept: dict) -> str:
    lines = ["| load | process | CPU s per million | peak memory, MB |", "|---|---|--:|--:|"]
    for part in kept.values():
        for each in part["usage"]:
            cpu = "–" if each["cpu_per_million"] is None else figures.number(round(each["cpu_per_million"], 2))
            peak = "–" if each["peak_mb"] is None else f"{each['peak_mb']:,.0f}"
            lines.append(_line([each["load"], each["process"], cpu, peak]))
    return "What processes used:\n\n" + "\n".join(lines) if len(lines) > 2 else ""


def _measurements(kept: dict) -> str:
    lines = ["| command | when (UTC) | commit | took | load of the machine just before |", "|---|---|---|--:|--:|"]
    newest = _newest(kept)
    for part in kept.values():
        elsewhere = "" if part["machine"] == newest["machine"] else f" (on {part['machine']['cores']} cores, {part['machine']['processor']})"
        command = f"`{part['command']}`{elsewhere}"
        lines.append(_line([command, part["at"], part["commit"], f"{part['seconds']:,} s", part["load_before"]]))
    return "When each was measured:\n\n" + "\n".join(lines) if kept else ""
