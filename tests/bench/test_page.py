"""The table of figures, on figures that were made up: a page that says "met" to everything is none."""

import argparse
import json
import re
import sys
import xml.etree.ElementTree as xml

import figures
import page
import plan
import plots
import pytest
import results
import slope


def ratio_row(ours, theirs, *goals) -> dict:
    return figures.figure("live", "a second", ours, goals, ("sub", theirs))


def test_the_ratio_is_the_median_of_the_pairs_and_not_the_ratio_of_the_medians():
    row = ratio_row([10, 30, 100], [20, 10, 200])
    assert row["ratio"] == {"median": 0.5, "lowest": 0.5, "highest": 3.0, "runs": 3, "values": [0.5, 3.0, 0.5]}
    assert row["ours"]["median"] == 30 and row["reference"]["median"] == 20


def test_without_pairs_the_medians_are_compared():
    row = ratio_row([10, 30, 100], [15])
    assert row["ratio"]["median"] == 2.0 and row["ratio"]["runs"] == 1


@pytest.mark.parametrize("goals, word", [
    ([], "–"),
    ([figures.at_least(30)], "met"),
    ([figures.at_least(40)], "missed by 25 %"),
    ([figures.at_most(30)], "met"),
    ([figures.at_most(24)], "missed by 25 %"),
    ([figures.at_least(30.1)], "missed by a hair"),
    ([figures.at_least(10, "worst")], "met"),
    ([figures.at_least(20, "worst")], "missed by 50 %"),
    ([figures.at_most(80, "worst")], "missed by 25 %"),
    ([figures.at_least(0.97, "ratio")], "missed by 48 %"),
    ([figures.at_least(3.0, "best ratio")], "met"),
    ([figures.at_most(0.5, "best ratio")], "met"),
    ([figures.at_most(2.0, "worst ratio")], "missed by 50 %"),
    ([figures.at_least(30), figures.at_least(4.0, "best ratio")], "missed by 25 %"),
])  # fmt: skip
def test_goals(goals, word):
    row = ratio_row([10, 30, 100], [20, 10, 200], *goals)
    assert figures.verdict(row) == word
    assert figures.is_met(row) == {"–": None, "met": True}.get(word, False)


def test_a_line_of_the_table():
    row = ratio_row([35_366.4], [35_970], figures.at_least(0.97, "ratio"), figures.at_least(1.0, "best ratio"))
    assert page.table([row]).splitlines()[-1] == (
        "| live, a second | sub: 35,970 | 35,366 | 0.98 | ratio ≥ 0.97, ratios reaching ≥ 1 | missed by 2 % |"
    )
    alone = figures.figure("peak | memory", "MB", [17.21, 24.0, 18.5], [figures.at_most(40)])
    assert page.table([alone]).splitlines()[-1] == (
        "| peak \\| memory, MB, 3 runs | – | 18.5 (17.2 to 24) | – | ≤ 40 | met |"
    )


def measurement(name: str, *arguments: str) -> results.Measurement:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=9)
    return results.Measurement(name, parser, list(arguments))


def found(name: str, folder, value: float, *arguments: str) -> None:
    plot = {"file": "benchmarks-a.svg", "title": "<a>", "x": "x", "y": "y", "lines": [{"name": "l", "points": [[1, 2], [10, value]]}]}
    measurement(name, *arguments, "--out", str(folder)).found(
        [figures.figure(f"of {name}", "ms", [value], [figures.at_most(5)])], [figures.usage("live", "sub | kcat", [6.7, 9.1, 7.2], [20, 30])], [plot]
    )


def test_a_measurement_replaces_its_own_figures_only(tmp_path):
    found("latency", tmp_path, 3, "--keep")
    found("api", tmp_path, 9, "--keep")
    before = results.read(tmp_path)
    found("latency", tmp_path, 4, "--keep", "--runs", "2")
    after = results.read(tmp_path)
    assert after["api"] == before["api"]
    assert after["latency"]["figures"][0]["ours"]["median"] == 4
    assert after["latency"]["command"] == "./dev bench latency --runs 2"
    text = (tmp_path / "benchmarks.md").read_text()
    assert "| of latency, ms | – | 4 | – | ≤ 5 | met |" in text
    assert "| of api, ms | – | 9 | – | ≤ 5 | missed by 80 % |" in text
    assert "| live | sub \\| kcat | 7.20 | 30 |" in text
    assert "1 goals met, 1 missed, 0 figures without a goal" in text
    assert text.index("of latency") < text.index("of api"), "in the order of the plan"


def test_what_was_measured_with_other_arguments_is_not_kept_unless_said(tmp_path):
    found("latency", tmp_path, 3, "--keep")
    found("latency", tmp_path, 30, "--runs", "2")
    assert results.read(tmp_path)["latency"]["figures"][0]["ours"]["median"] == 3


def test_the_page_is_made_of_the_file_alone(tmp_path):
    found("latency", tmp_path, 3, "--keep")
    wanted = {name: (tmp_path / name).read_text() for name in ("benchmarks.md", "benchmarks-a.svg", "benchmarks.json")}
    for name in ("benchmarks.md", "benchmarks-a.svg"):
        (tmp_path / name).unlink()
    results.write(tmp_path, json.loads(wanted["benchmarks.json"]))
    assert {name: (tmp_path / name).read_text() for name in wanted} == wanted


def test_a_plot_is_a_picture_of_its_points():
    plot = {"title": "a < b", "x": "rate", "y": "ms", "lines": [{"name": "p50 & more", "points": [[100, 50], [10_000, 0]]}]}
    tree = xml.fromstring(plots.svg(plot))
    line = tree.find("{*}polyline").get("points").split()
    (left, high), (right, low) = ([float(each) for each in point.split(",")] for point in line)
    assert left == plots.LEFT and right == plots.WIDTH - plots.RIGHT, "the ends of the axis"
    assert high == plots.TOP and low == plots.HEIGHT - plots.BOTTOM
    assert "p50 & more" in [text.text for text in tree.findall(".//{*}text")]


def test_every_step_of_the_plan_is_a_program_and_says_so():
    folder = results.ROOT / "tests/bench"
    for step in plan.STEPS:
        text = (folder / f"{step.name}.py").read_text()
        assert "__main__" in text and f'Measurement("{step.name}"' in text, step.name
        assert re.search(rf"\./dev bench {step.name}\b", text), f"{step.name} does not say how it is called"


# --- Does memory grow? ----------------------------------------------------------------------------------------------------


def samples(*, a_minute: float, noise: float = 0.0, step: float = 0.0) -> list:
    """(seconds, megabytes) of ten minutes; noise comes and goes in the rhythm of a minute, the step once."""
    def memory(second: int) -> float:
        return 20 + a_minute * second / 60 + (noise if second // 30 % 2 else -noise) + (step if second > 450 else 0)

    return [(second, memory(second)) for second in range(600)]


def test_a_steady_growth_is_seen():
    grown = slope.of(samples(a_minute=0.5, noise=0.2))
    assert grown.a_minute == pytest.approx(0.5, abs=0.05) and grown.lowest > 0.4


def test_what_only_comes_and_goes_is_no_growth():
    steady = slope.of(samples(a_minute=0.0, noise=1.0))
    assert steady.lowest < 0 < steady.highest
    assert slope.of(samples(a_minute=0.0)).lowest == 0


def test_one_step_is_no_sure_growth():
    assert slope.of(samples(a_minute=0.0, step=0.2)).lowest < 0.05


