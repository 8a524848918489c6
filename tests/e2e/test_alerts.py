"""deploy/alerts: every rule is whole, and asks for what the daemons really tell, from their start."""

import re

import pytest
import yaml
from harness import wait
from heliograph_local.settings import ROOT

FILE = ROOT / "deploy/alerts/heliograph.rules.yaml"
RULES = [rule for group in yaml.safe_load(FILE.read_text())["groups"] for rule in group["rules"]]

_SERIES = re.compile(r"(heliograph_\w+)(?:\{([^}]*)\})?")
_LABEL = re.compile(r'(\w+)="([^"]*)"')


def series_of(rule: dict) -> list:
    """(name, labels that must be equal) of every series in the expression."""
    return [(name, dict(_LABEL.findall(labels))) for name, labels in _SERIES.findall(rule["expr"])]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_a_rule_is_whole(rule):
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    assert re.fullmatch(r"Heliograph[A-Z]\w+", rule["alert"])
    assert re.fullmatch(r"[0-9]+[smh]", rule.get("for", "1m"))
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert rule["annotations"]["summary"]
    for opening, closing in ("()", "[]", "{}"):
        assert rule["expr"].count(opening) == rule["expr"].count(closing)


def test_names_are_unique():
    names = [rule["alert"] for rule in RULES]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_what_a_rule_asks_for_is_told(stack, rule):
    assert series_of(rule), "or it could never fire"
    for name, labels in series_of(rule):
        wait.until(
            lambda name=name, labels=labels: any(
                stack.metrics(daemon).has(name, **labels) for daemon in (stack.ingest, stack.recorder, stack.api)
            ),
            f"a daemon tells {name} {labels}",
        )
