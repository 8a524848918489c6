"""docs/benchmarks.json: what was measured last, by measurement; docs/benchmarks.md and its plots are made from it alone.

What a measurement gives replaces its own part; the others keep theirs, with date and commit."""

import argparse
import json
import os
import signal
import sys
import time
from pathlib import Path

import machine
import page
import plan
from heliograph_local.settings import ROOT

DOCS = ROOT / "docs"


def read(folder: Path) -> dict:
    file = folder / "benchmarks.json"
    return json.loads(file.read_text()) if file.exists() else {}


def write(folder: Path, kept: dict) -> None:
    """The file, then the page and its plots."""
    ordered = {name: kept[name] for name in sorted(kept, key=plan.place)}
    folder.mkdir(parents=True, exist_ok=True)
    aside = folder / ".benchmarks.json"
    aside.write_text(json.dumps(ordered, indent=1, ensure_ascii=False) + "\n")
    os.replace(aside, folder / "benchmarks.json")
    for name, text in page.files(ordered).items():
        (folder / name).write_text(text)


class Measurement:
    """One run of one program of tests/bench: its arguments, and where what it finds goes. Threads: one thread."""

    def __init__(self, name: str, parser: argparse.ArgumentParser, arguments=None):
        """Without arguments it is the measurement of the table, and is kept; with arguments only when --keep is said."""
        arguments = sys.argv[1:] if arguments is None else arguments
        parser.add_argument("--keep", action="store_true", help="into the table, also with arguments")
        parser.add_argument("--out", type=Path, default=DOCS, metavar="DIR", help="where the table is (docs)")
        self.given = parser.parse_args(arguments)
        self.name = name
        self._words = [word for word in _without_out(arguments) if word != "--keep"]
        self._keeps = self.given.keep or not arguments
        self._began, self._load = time.monotonic(), machine.load()
        self._at = machine.now()
        # A CI job's end and a closed terminal end what was started, as Ctrl-C does.
        for end in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(end, signal.default_int_handler)

    def found(self, rows: list, usages=(), plots=()) -> None:
        """Prints the rows, and keeps all of it if that is wanted."""
        print("\n" + page.table(rows), flush=True)
        if not self._keeps:
            print("\nNot kept: this was a measurement with arguments of its own; --keep puts it into the table.", flush=True)
            return
        part = {
            "at": self._at,
            "commit": machine.commit(),
            "command": " ".join(["./dev bench", self.name, *self._words]),
            "seconds": round(time.monotonic() - self._began),
            "load_before": round(self._load, 2),
            "machine": machine.described(),
            "versions": machine.versions(),
            "figures": rows,
            "usage": list(usages),
            "plots": list(plots),
        }
        write(self.given.out, {**read(self.given.out), self.name: part})
        print(f"\nKept in {self.given.out}/benchmarks.json and .md", flush=True)


def _without_out(arguments: list) -> list:
    words = []
    for place, word in enumerate(arguments):
        if word == "--out" or word.startswith("--out=") or (place and arguments[place - 1] == "--out"):
            continue
        words.append(word)
    return words
