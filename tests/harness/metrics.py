"""Prometheus text as numbers."""

import re

_SAMPLE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)", re.MULTILINE)
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')


class Metrics:
    """Threads: immutable."""

    def __init__(self, samples: list):
        self._samples = samples

    def value(self, name: str, **labels: str) -> float:
        """The sum of the samples of this name that have these labels; 0 where there is none."""
        return sum(
            number
            for each, has, number in self._samples
            if each == name and all(has.get(label) == wanted for label, wanted in labels.items())
        )

    def has(self, name: str, **labels: str) -> bool:
        """Whether there is a sample of this name that has these labels."""
        return any(
            each == name and all(has.get(label) == wanted for label, wanted in labels.items())
            for each, has, _ in self._samples
        )


def parse(text: str) -> Metrics:
    return Metrics(
        [(name, dict(_LABEL.findall(labels or "")), float(number)) for name, labels, number in _SAMPLE.findall(text)]
    )
