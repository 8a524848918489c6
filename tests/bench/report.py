"""docs/benchmarks.md and its plots once more, from docs/benchmarks.json: nothing is measured.

  ./dev bench report [--out DIR]"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
for folder in (ROOT / "tests", ROOT / "deploy/local"):
    sys.path.insert(0, str(folder))

import page  # noqa: E402
import results  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=results.DOCS, metavar="DIR", help="where benchmarks.json is (docs)")
    given = parser.parse_args()
    kept = results.read(given.out)
    if not kept:
        raise SystemExit(f"There is no benchmarks.json in {given.out}: ./dev bench makes it.")
    results.write(given.out, kept)
    print(page.table([row for part in kept.values() for row in part["figures"]]))
    print(f"\n{page.summary(kept)}\nWritten: {given.out}/benchmarks.md")


if __name__ == "__main__":
    main()
