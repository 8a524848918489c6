"""What the size of ingest's acknowledgement window does to its speed.

  ./dev bench window [--runs 3] [--count 150000] [--size 1000] [--windows 30 100 300 1000 3000 10000 20000]

Draining messages that wait in the broker, with window.max_messages set to each; the windows in another order each time. Messages
a second, and CPU seconds a million."""

import argparse
import statistics
import tempfile
from pathlib import Path

from readers import Bench, Ingest  # noqa: I001; it also finds what tests share

import figures
import results
from harness import folders


def run(bench: Bench, window: int, size: int) -> dict:
    # What the session asks the broker for must not be what limits.
    settings = {"WINDOW__MAX_MESSAGES": window, "RECEIPTS__MAX_WAITING": max(window, 20_000)}
    with tempfile.TemporaryDirectory() as folder:
        return bench.run(Ingest(bench, Path(folder), settings), size, "drain")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--count", type=int, default=150_000, help="messages that wait")
    parser.add_argument("--size", type=int, default=1000, help="bytes of a payload")
    parser.add_argument("--windows", type=int, nargs="+", default=[30, 100, 300, 1000, 3000, 10_000, 20_000])
    measurement = results.Measurement("window", parser)
    given = measurement.given
    found = {window: [] for window in given.windows}
    bench = Bench(folders.temporary(), given.count)
    try:
        for number in range(given.runs):
            for window in given.windows[:: 1 if number % 2 == 0 else -1]:
                found[window].append(run(bench, window, given.size))
                one = found[window][-1]
                print(f"window {window:6,}: {one['rate']:8,.0f}/s, {one['cpu_per_million']:.1f} CPU s/M", flush=True)
    finally:
        bench.close()
    largest = [each["rate"] for each in found[max(given.windows)]]
    rows = [figures.figure(f"ingest draining with a window of {window:,}", "messages a second", [each["rate"] for each in runs], (),
                           (f"window of {max(given.windows):,}", largest))
            for window, runs in found.items() if window != max(given.windows)]  # fmt: skip
    line = [[window, round(statistics.median(each["rate"] for each in runs))] for window, runs in found.items()]
    plot = {"file": "benchmarks-window.svg", "title": f"Ingest draining {given.count:,} messages of {given.size:,} bytes",
            "x": "window.max_messages", "y": "messages a second", "lines": [{"name": "ingest", "points": line}]}  # fmt: skip
    used = [figures.usage(f"drain, window of {window:,}", "ingest", [x["cpu_per_million"] for x in runs], [x["peak_mb"] for x in runs])
            for window, runs in found.items()]  # fmt: skip
    measurement.found(rows, used, [plot])


if __name__ == "__main__":
    main()
