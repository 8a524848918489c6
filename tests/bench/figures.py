"""What a measurement found, as plain data: figures, their goals, whether they are met, and what processes used.

A figure is a JSON object, so that docs/benchmarks.json is all that the page is made of:

  {"figure", "unit", "ours": spread, "reference": {"name", ...spread} or null, "ratio": spread or null, "goals": [goal], "note"}

A spread is {"median", "lowest", "highest", "runs", "values"}; a goal is {"of": which value, "at_least" or "at_most": bound}."""

import statistics

# What a goal may be of -> how it is told in front of its bound.
VALUES = {
    "ours": "",
    "worst": "worst ",
    "ratio": "ratio ",
    "best ratio": "ratios reaching ",
    "worst ratio": "worst ratio ",
}


def spread(values) -> dict:
    values = list(values)
    return {"median": statistics.median(values), "lowest": min(values), "highest": max(values), "runs": len(values),
            "values": values}  # fmt: skip


def at_least(bound: float, of: str = "ours") -> dict:
    return _goal(of, "at_least", bound)


def at_most(bound: float, of: str = "ours") -> dict:
    return _goal(of, "at_most", bound)


def _goal(of: str, side: str, bound: float) -> dict:
    assert of in VALUES, of
    return {"of": of, side: bound}


def figure(name: str, unit: str, ours, goals=(), reference=None, note: str = "") -> dict:
    """`ours`: one value for each run. `reference`: (name, values); as many as `ours`, then they are pairs of neighbours."""
    ours, ratio, other = list(ours), None, None
    if reference:
        other_name, other_values = reference[0], list(reference[1])
        other = {"name": other_name, **spread(other_values)}
        if len(other_values) == len(ours):
            ratio = spread(mine / theirs for mine, theirs in zip(ours, other_values))
        else:
            ratio = spread([statistics.median(ours) / statistics.median(other_values)])
    return {"figure": name, "unit": unit, "ours": spread(ours), "reference": other, "ratio": ratio, "goals": list(goals),
            "note": note}  # fmt: skip


def usage(load: str, process: str, cpu_per_million=(), peak_mb=()) -> dict:
    """What a process used under a load: CPU seconds per million messages (or requests), megabytes at its peak."""
    cpu, peak = list(cpu_per_million), list(peak_mb)
    return {"load": load, "process": process, "cpu_per_million": statistics.median(cpu) if cpu else None,
            "peak_mb": max(peak) if peak else None}  # fmt: skip


# --- Goals --------------------------------------------------------------------------------------------------------------


def value_of(row: dict, goal: dict) -> float:
    """What the goal judges. Best and worst depend on which way is good."""
    better, worse = ("highest", "lowest") if "at_least" in goal else ("lowest", "highest")
    of = goal["of"]
    if of.endswith("ratio"):
        kind = {"ratio": "median", "best ratio": better, "worst ratio": worse}[of]
        return row["ratio"][kind]
    return row["ours"][{"ours": "median", "worst": worse}[of]]


def shortfall(row: dict, goal: dict) -> float:
    """By what part of its bound the goal is missed; 0 or less where it is met."""
    value = value_of(row, goal)
    if "at_least" in goal:
        return (goal["at_least"] - value) / goal["at_least"]
    bound = goal["at_most"]
    return (value - bound) / bound if bound else float(value > bound)


def is_met(row: dict):
    """None where nothing was aimed at."""
    return all(shortfall(row, goal) <= 0 for goal in row["goals"]) if row["goals"] else None


def verdict(row: dict) -> str:
    met = is_met(row)
    if met is None:
        return "–"
    if met:
        return "met"
    missed = max(shortfall(row, goal) for goal in row["goals"])
    return f"missed by {missed * 100:.0f} %" if missed >= 0.005 else "missed by a hair"


# --- Words --------------------------------------------------------------------------------------------------------------


def number(value: float) -> str:
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}"


def told(values: dict, with_unit: str = "") -> str:
    """The median, and the range where there is one."""
    unit = f" {with_unit}" if with_unit else ""
    if values["runs"] == 1 or values["lowest"] == values["highest"]:
        return number(values["median"]) + unit
    return f"{number(values['median'])}{unit} ({number(values['lowest'])} to {number(values['highest'])})"


def goal_told(row: dict) -> str:
    words = []
    for goal in row["goals"]:
        sign, bound = ("≥", goal["at_least"]) if "at_least" in goal else ("≤", goal["at_most"])
        words.append(f"{VALUES[goal['of']]}{sign} {number(bound)}")
    return ", ".join(words) or "–"


def cells(row: dict) -> list:
    """figure | reference | ours | ratio | goal | met"""
    reference = f"{row['reference']['name']}: {told(row['reference'])}" if row["reference"] else "–"
    ratio = f"{told(row['ratio'])}" if row["ratio"] else "–"
    runs = f", {row['ours']['runs']} runs" if row["ours"]["runs"] > 1 else ""
    name = f"{row['figure']}, {row['unit']}{runs}" + (f" ({row['note']})" if row["note"] else "")
    return [name, reference, told(row["ours"]), ratio, goal_told(row), verdict(row)]
