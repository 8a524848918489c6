"""What became of a suite: read from the JUnit XML that both GoogleTest and pytest write."""

import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Results:
    passed: int = 0
    failed: list = field(default_factory=list)  # "test: what"
    skipped: list = field(default_factory=list)  # "test: why"

    def add(self, other: "Results") -> None:
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def totals(self) -> str:
        skipped = f", {len(self.skipped)} skipped" if self.skipped else ""
        return f"{self.passed} passed, {len(self.failed)} failed{skipped}"


def of_process(suite: str, xml: Path, exit_code: int, ended_how: str) -> Results:
    """A suite that crashed, ran out of time, wrote nothing or failed without naming a test is one failure itself."""
    results = Results()
    try:
        results = _parse(suite, xml)
    except (FileNotFoundError, ElementTree.ParseError):
        if exit_code == 0:
            ended_how = "ended without telling what it tested"
            exit_code = 1
    if exit_code != 0 and not results.failed:
        results.failed.append(f"{suite}: {ended_how}")
    if exit_code == 0 and not (results.passed or results.skipped or results.failed):
        results.failed.append(f"{suite}: has no tests")
    return results


def _parse(suite: str, xml: Path) -> Results:
    results = Results()
    for case in ElementTree.parse(xml).getroot().iter("testcase"):
        name = f"{suite}: {case.get('classname', '')}.{case.get('name')}"
        broken = [*case.findall("failure"), *case.findall("error")]
        skipped = case.find("skipped")
        if broken:
            results.failed.append(f"{name}{_first_lines(broken[0])}")
        elif skipped is not None:
            reason = (skipped.get("message") or skipped.text or "no reason given").strip().splitlines()[-1]
            results.skipped.append(f"{name}: {reason}")
        elif case.get("status") == "notrun":
            results.skipped.append(f"{name}: disabled")
        else:
            results.passed += 1
    return results


def _first_lines(broken) -> str:
    """What went wrong, short enough for the end of the output: where only that is kept, it must do."""
    lines = (broken.get("message") or broken.text or "").strip().splitlines()
    return "".join(f"\n      {line[:300]}" for line in lines[:8])
