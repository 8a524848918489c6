"""The measurements of the table, in order. Each program's own defaults are what the table is made with."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """Threads: immutable."""

    name: str
    minutes: float  # on two quiet cores
    quick: tuple  # arguments with which it only shows that it works


STEPS = (
    Step("ingest_vs_sub", 24, ("--runs", "1", "--live", "20000", "--drain", "20000")),
    Step("latency", 10, ("--runs", "1", "--seconds", "4", "--rates", "300", "1000")),
    Step("window", 4, ("--runs", "1", "--count", "20000", "--windows", "100", "20000")),
    Step("kafka_away", 2, ("--seconds", "10", "--count", "20000")),
    Step("recorder", 10, ("--runs", "1", "--devices", "10000", "--rounds", "4", "--workers", "3", "--telemetry", "300000")),
    Step("presence", 2, ("--seconds", "5", "--rate", "200")),
    Step("api", 2, ("--runs", "1", "--seconds", "3")),
    Step("devices", 10, ("--devices", "200", "--runs", "1", "--counts", "20", "200", "--rate", "1000", "--seconds", "4")),
    Step("actions", 8, ("--runs", "1", "--seconds", "3", "--rates", "100", "--connections", "20", "60", "--online", "100", "--targets", "1000")),
    Step("sizes", 3, ("--runs", "1", "--megabytes", "20")),
    Step("rows", 10, ("--runs", "1", "--rows", "1000", "20000", "--changes", "40000", "--seconds", "3", "--requests", "60")),
    Step("soak", 12, ("--seconds", "40", "--warm-up", "10", "--rate", "500", "--devices", "20")),
)


def place(name: str) -> int:
    """Where it stands in the table; what is not part of it comes last."""
    names = [step.name for step in STEPS]
    return names.index(name) if name in names else len(names)
