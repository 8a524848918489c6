"""What a byte costs ingest, by the size of the messages that it comes in.

  ./dev bench sizes [--runs 3] [--megabytes 150] [--sizes 100 300 1000 3000 10000]

Live, at full speed, as much payload of each size; sizes in another order each time. The goal: a byte in larger messages never costs
more than 1.15 of one in smaller messages. It costs less, since a message has its own price."""

import argparse
import tempfile
from pathlib import Path

from readers import PUBLISHERS, Bench, Ingest  # noqa: I001; it also finds what tests share

import figures
import results
from harness import folders


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--megabytes", type=float, default=150, help="payload of a run")
    parser.add_argument("--most", type=int, default=200_000, help="messages of a run at most, so that small ones end in time")
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 300, 1000, 3000, 10_000], help="bytes of a payload, rising")
    measurement = results.Measurement("sizes", parser)
    given = measurement.given
    found = {size: [] for size in given.sizes}
    bench = Bench(folders.temporary(), 0)
    try:
        for number in range(given.runs):
            for size in given.sizes[:: 1 if number % 2 == 0 else -1]:
                bench.count = min(given.most, int(given.megabytes * 1e6 / size)) // PUBLISHERS * PUBLISHERS
                with tempfile.TemporaryDirectory() as folder:
                    found[size].append(bench.run(Ingest(bench, Path(folder), {}), size, "live"))
                one = found[size][-1]
                print(f"{size:6,} B: {one['rate']:8,.0f}/s, {one['cpu_per_million']:.1f} CPU s/M", flush=True)
    finally:
        bench.close()
    rows, before = [], None
    for size, runs in found.items():
        a_gigabyte = [each["cpu_per_million"] / size * 1000 for each in runs]
        goals, reference = ([figures.at_most(1.15, "ratio")], before) if before else ((), None)
        rows.append(figures.figure(f"CPU of ingest for a gigabyte in messages of {size:,} B", "seconds", a_gigabyte, goals, reference))
        before = (f"{size:,} B", a_gigabyte)
    used = [figures.usage(f"live, {size:,} B", "ingest", [x["cpu_per_million"] for x in runs], [x["peak_mb"] for x in runs])
            for size, runs in found.items()]  # fmt: skip
    measurement.found(rows, used)


if __name__ == "__main__":
    main()
