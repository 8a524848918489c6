"""The whole table: each measurement in turn, then docs/benchmarks.md, docs/benchmarks.json and the plots.

  ./dev bench [--quick] [--from NAME] [--out DIR]

--quick: with small counts, only to see that everything works; nothing goes into docs. What fails is told at the end and the
others are measured all the same; what a measurement had before stays. Ends with 1 where something could not be measured or the
soak says that memory grows. A missed goal is no error: it stands in the table."""

import argparse
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
for folder in (ROOT / "tests", ROOT / "deploy/local"):
    sys.path.insert(0, str(folder))

import page  # noqa: E402
import plan  # noqa: E402
import results  # noqa: E402

# A busy machine takes longer than a quiet one; one that takes this much longer hangs.
PATIENCE = 5
LEAST_SECONDS = 600
CLEANING_SECONDS = 90


def measure(step: plan.Step, out: Path, quick: bool) -> int:
    """The exit code of the program; it is ended, and cleans up, when it takes far too long or we are interrupted."""
    command = [sys.executable, str(Path(__file__).with_name(f"{step.name}.py")), "--keep", "--out", str(out)]
    child = subprocess.Popen([*command, *(step.quick if quick else ())], start_new_session=True)
    try:
        return child.wait(max(LEAST_SECONDS, step.minutes * 60 * PATIENCE))
    except subprocess.TimeoutExpired:
        print(f"{step.name} takes far too long", flush=True)
        return 1
    finally:
        if child.poll() is None:
            child.send_signal(signal.SIGINT)
            try:
                child.wait(CLEANING_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = [step.name for step in plan.STEPS]
    parser.add_argument("--quick", action="store_true", help="small counts, into a temporary folder unless --out is said")
    parser.add_argument("--from", dest="first", choices=names, default=names[0], metavar="NAME", help="begin there")
    parser.add_argument("--out", type=Path, metavar="DIR", help="where the table is (docs)")
    given = parser.parse_args()
    for end in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(end, signal.default_int_handler)
    out = given.out or (Path(tempfile.mkdtemp(prefix="heliograph-bench-")) if given.quick else results.DOCS)
    steps = plan.STEPS[names.index(given.first) :]
    if not given.quick:
        print(f"About {sum(step.minutes for step in steps):.0f} minutes on two quiet cores.", flush=True)
    failed = []
    for step in steps:
        print(f"\n=== {step.name} ===", flush=True)
        began = time.monotonic()
        if measure(step, out, given.quick) != 0:
            failed.append(step.name)
        print(f"--- {step.name}: {time.monotonic() - began:.0f} s", flush=True)
    kept = results.read(out)
    results.write(out, kept)
    print("\n" + page.table([row for part in kept.values() for row in part["figures"]]))
    print(f"\n{page.summary(kept)}\nWritten: {out}/benchmarks.md, {out}/benchmarks.json")
    if failed:
        print(f"Not good, see above: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
