"""How fast ingest brings messages into Kafka, next to public tools in turns on the same servers.

  ./dev bench ingest_vs_sub [--runs 9] [--live 150000] [--drain 300000] [--sizes 1000 200] [--mode live drain] [--set NAME=VALUE]

Beside it: mosquitto_sub, which throws away what it reads and is the cheapest reader there is; mosquitto_sub | kcat, which one would
glue together, and which loses what it holds when it dies; and librdkafka's own producer (kcat -P) from a file. The readers have a
persistent session over mutual TLS at QoS 1. Ingest is done when Kafka has everything and the broker every acknowledgement. In turns,
since other work on the machine moves absolute figures: only the ratio of neighbours counts.

live: publishing and reading at once, until all is read. drain: reading what was published before; without starting up. The load
alone, with nobody subscribed, tells whether publishing is what limits."""

import argparse
import tempfile
from pathlib import Path

from readers import Bench, Glued, Ingest, Subscriber, produce_alone  # noqa: I001; it also finds what tests share

import figures
import results
from harness import folders

SUB, GLUED, PRODUCER = "mosquitto_sub", "mosquitto_sub | kcat", "librdkafka (kcat -P)"
NAMES = {"sub": SUB, "glued": GLUED, "producer": PRODUCER, "ingest": "ingest"}


def one(bench: Bench, name: str, mode: str, size: int, overrides: dict) -> dict:
    if name == "load":
        return {"rate": bench.publish_alone(size)}
    if name == "producer":
        return produce_alone(bench, size)
    with tempfile.TemporaryDirectory() as folder:
        kinds = {"sub": lambda: Subscriber(bench), "glued": lambda: Glued(bench), "ingest": lambda: Ingest(bench, Path(folder), overrides)}
        return bench.run(kinds[name](), size, mode)


def rounds(bench: Bench, mode: str, size: int, runs: int, overrides: dict) -> list:
    names = ["sub", "ingest", "glued"] + (["producer", "load"] if mode == "live" else [])
    found = []
    for number in range(runs):
        found.append({name: one(bench, name, mode, size, overrides) for name in names[:: 1 if number % 2 == 0 else -1]})
        told = ", ".join(f"{name} {found[-1][name]['rate']:,.0f}/s" for name in names)
        ratio = found[-1]["ingest"]["rate"] / found[-1]["sub"]["rate"]
        print(f"{mode} {size} B: {told}; ingest against sub {ratio:.2f}", flush=True)
    return found


def rows(found: list, mode: str, size: int, count: int) -> list:
    def all_of(name: str, what: str = "rate") -> list:
        return [each[name][what] for each in found]

    load = f"{size:,} B live" if mode == "live" else f"{size:,} B, draining {count:,}"
    as_fast = [figures.at_least(0.97, "ratio"), figures.at_least(1.0, "best ratio")]
    made = [figures.figure(f"ingest, {load}", "messages a second", all_of("ingest"), as_fast, (SUB, all_of("sub"))),
            figures.figure(f"ingest, {load}", "messages a second", all_of("ingest"), (), (GLUED, all_of("glued")))]  # fmt: skip
    if mode == "live":
        made.append(figures.figure(f"ingest, {load}", "messages a second", all_of("ingest"), (), (PRODUCER, all_of("producer"))))
        made.append(figures.figure(f"the load alone, {size:,} B: nobody subscribed", "messages a second", all_of("load"),
                                   [figures.at_least(1.2, "ratio")], (SUB, all_of("sub")), "is not what limits"))  # fmt: skip
    cpu = [figures.at_most(1.0, "ratio")] if (mode, size) == ("live", 1000) else []
    made.append(figures.figure(f"CPU of ingest, {load}", "seconds per million", all_of("ingest", "cpu_per_million"), cpu,
                               (SUB, all_of("sub", "cpu_per_million"))))  # fmt: skip
    made.append(figures.figure(f"peak memory of ingest, {load}", "MB", all_of("ingest", "peak_mb"), [figures.at_most(40, "worst")],
                               (SUB, all_of("sub", "peak_mb"))))  # fmt: skip
    return made


def usages(found: list, mode: str, size: int) -> list:
    used = []
    for name in [each for each in found[0] if each != "load"]:
        load, of = f"{mode}, {size:,} B, by {NAMES[name]}", [each[name] for each in found]
        used.append(figures.usage(load, NAMES[name], [x["cpu_per_million"] for x in of], [x["peak_mb"] for x in of]))
        for server in ("broker", "kafka") if name != "producer" else ():
            used.append(figures.usage(load, server, [x[f"{server}_cpu_per_million"] for x in of]))
    return used


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--live", type=int, default=150_000, help="messages of a live run")
    parser.add_argument("--drain", type=int, default=300_000, help="messages that wait")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 200], help="bytes of a payload")
    parser.add_argument("--mode", nargs="+", choices=("live", "drain"), default=["live", "drain"])
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of ingest")
    measurement = results.Measurement("ingest_vs_sub", parser)
    given = measurement.given
    overrides = dict(each.split("=", 1) for each in given.set)
    made, used = [], []
    bench = Bench(folders.temporary(), given.live)
    try:
        for size in given.sizes:
            one(bench, "producer", "live", size, {})  # Kafka's Java is slow at first
        for mode in given.mode:
            bench.count = getattr(given, mode)
            for size in given.sizes:
                found = rounds(bench, mode, size, given.runs, overrides)
                made += rows(found, mode, size, bench.count)
                used += usages(found, mode, size)
    finally:
        bench.close()
    measurement.found(made, used)


if __name__ == "__main__":
    main()
