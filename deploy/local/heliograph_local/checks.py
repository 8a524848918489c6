"""./dev check: what reads the sources without running them."""

import os
import subprocess
import sys

from . import build, files
from .progress import Progress
from .service import program
from .settings import ROOT


def run(progress: Progress, everything: bool) -> int:
    """0 when nothing is to be changed. `everything`: clang-tidy reads all files, not only those changed since main."""
    failed = []
    for title, command in _checks(everything):
        if not command:
            continue
        if not _passes(progress, title, command):
            failed.append(title.strip())
    print(f"\n{'Not good: ' + ', '.join(failed) if failed else 'All good.'}")
    return 1 if failed else 0


def _checks(everything: bool):
    """(title, command), one after the other, since clang-tidy wants a configured build."""
    cpp = _files("*.cc", "*.h")
    yield "format", [program("clang-format-19"), "--dry-run", "--Werror", *cpp] if cpp else []
    scripts = [name for name in _files() if _is_shell(name)]
    yield "shellcheck", [program("shellcheck"), *scripts]
    yield "python", [sys.executable, "-m", "py_compile", *_files("*.py")]
    if (ROOT / "tests/architecture").is_dir():
        yield "architecture", [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/architecture"]
    sources = [name for name in (_files("src/*.cc", "cmd/*.cc") if everything else _changed()) if name.endswith(".cc")]
    if sources:
        build.configure("dev")
        # The compiler's own warnings are errors in the build; here only .clang-tidy's short list counts.
        yield "clang-tidy", [program("clang-tidy-19"), "-p", str(build.folder("dev")), "--quiet", *sources]


def _passes(progress: Progress, title: str, command: list) -> bool:
    log = build.folder("dev") / f"check-{title}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with progress.step(title) as told:
        with open(log, "wb") as output:
            # Compiled Python has no place in the tree.
            environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(log.parent / "pycache")}
            ended = subprocess.run(
                command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT, check=False
            )
        told("good" if ended.returncode == 0 else "not good")
    if ended.returncode != 0:
        progress.line(f"{files.tail(log, 30)}\n    all of it: {log}")
    return ended.returncode == 0


def _files(*patterns: str) -> list:
    return _git("ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns)


def _changed() -> list:
    """C++ sources that differ from the last commit, or, when none does, those of the last commit."""
    changed = _git("diff", "--name-only", "--diff-filter=d", "HEAD", "--", "src", "cmd")
    return changed or _git("diff", "--name-only", "--diff-filter=d", "HEAD~1", "HEAD", "--", "src", "cmd")


def _git(*arguments: str) -> list:
    ended = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return [name for name in ended.stdout.splitlines() if (ROOT / name).is_file()]


def _is_shell(name: str) -> bool:
    with open(ROOT / name, "rb") as file:
        return file.readline(64).rstrip() == b"#!/usr/bin/env bash"
