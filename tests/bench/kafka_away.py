"""How much memory ingest takes while Kafka is away and the broker gets more and more.

  ./dev bench kafka_away [--seconds 60] [--count 300000] [--size 1000]

Kafka is stopped (SIGSTOP: it keeps its connections and says nothing) while devices publish for that long; then it goes on, and it
ends when everything is there. How long that takes is told, too."""

import argparse
import tempfile
import time
from pathlib import Path

from readers import SECONDS, Bench, Ingest, finish  # noqa: I001; it also finds what tests share

import figures
import results
from harness import folders
from usage import cpu_seconds, peak_megabytes


def measure(bench: Bench, ingest: Ingest, seconds: float, size: int) -> dict:
    kafka = bench.servers.kafka
    ingest.subscribe()
    try:
        kafka.pause()
        began = time.monotonic()
        finish(bench.load(size))
        time.sleep(max(0.0, began + seconds - time.monotonic()))
        away = peak_megabytes(ingest.process.pid)
    finally:
        kafka.resume()
    before, back = cpu_seconds(ingest.process.pid), time.monotonic()
    while ingest.in_kafka() < bench.count:  # with repeats where ingest has connected anew meanwhile
        assert ingest.process.alive and time.monotonic() < back + SECONDS, ingest.process.log()[-2000:]
        time.sleep(0.05)
    cpu = (cpu_seconds(ingest.process.pid) - before) / bench.count * 1e6
    return {"away": away, "after": peak_megabytes(ingest.process.pid), "seconds": time.monotonic() - back, "cpu_per_million": cpu}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60, help="how long Kafka is away, at least")
    parser.add_argument("--count", type=int, default=300_000, help="messages that come meanwhile")
    parser.add_argument("--size", type=int, default=1000, help="bytes of a payload")
    measurement = results.Measurement("kafka_away", parser)
    given = measurement.given
    bench = Bench(folders.temporary(), given.count)
    try:
        with tempfile.TemporaryDirectory() as folder:
            ingest = Ingest(bench, Path(folder), {})
            try:
                found = measure(bench, ingest, given.seconds, given.size)
            finally:
                ingest.end()
                bench.forget(ingest.client_id)
    finally:
        bench.close()
    load = f"Kafka away for {given.seconds:.0f} s, {given.count:,} messages of {given.size:,} B meanwhile"
    rows = [figures.figure(f"peak memory of ingest, {load}", "MB", [max(found["away"], found["after"])], [figures.at_most(40)]),
            figures.figure("until all of them are in Kafka, from its return", "s", [found["seconds"]])]  # fmt: skip
    measurement.found(rows, [figures.usage(load, "ingest", [found["cpu_per_million"]], [found["after"]])])


if __name__ == "__main__":
    main()
