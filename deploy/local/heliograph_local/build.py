"""Builds the C++ programs and tests with CMake and Ninja, showing how far it is."""

import os
import re
import subprocess
from pathlib import Path

from . import files
from .problem import Problem
from .service import program
from .settings import ROOT

PRESETS = ("dev", "release", "asan", "tsan")


def folder(preset: str) -> Path:
    return Path(os.environ.get("HELIOGRAPH_BUILD") or ROOT / "build").absolute() / preset


def configure(preset: str) -> None:
    if preset not in PRESETS:
        raise Problem(f"'{preset}' is not a preset: {', '.join(PRESETS)}")
    log = _log(preset)
    with open(log, "wb") as output:
        command = [program("cmake"), "--preset", preset, "-B", str(folder(preset))]
        ended = subprocess.run(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, check=False)
    if ended.returncode != 0:
        raise Problem(f"CMake could not configure the preset {preset}. Its log, {log}, ends with:\n{files.tail(log, 20)}")


def executables(preset: str, *kinds: str) -> list:
    """What the configured build would put into the given folders of the build directory, as in bin or tests/unit."""
    command = [program("ninja"), "-C", str(folder(preset)), "-t", "targets", "all"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    names = re.findall(r"^(\S+): CXX_EXECUTABLE_LINKER", listed, re.MULTILINE)
    return sorted(name for name in names if str(Path(name).parent) in kinds)


def compile_targets(preset: str, targets: list, told) -> None:
    """Builds; `told` hears how far it is. A Problem shows the first errors."""
    log = _log(preset)
    command = [program("ninja"), "-C", str(folder(preset)), "-k", "20", *targets]
    with open(log, "w", encoding="utf-8") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        )
        for line in process.stdout:
            output.write(line)
            if step := re.match(r"\[(\d+/\d+)\] (?:Building CXX object|Linking CXX \S+) (\S+)", line):
                told(f"{step.group(1)} {Path(step.group(2)).stem}")
        process.wait()
    if process.returncode != 0:
        raise Problem(f"The build ({preset}) failed; all of it is in {log}:\n{_first_errors(log)}")


def _first_errors(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()
    errors = [line for line in lines if re.search(r"(error:|undefined reference|FAILED:|ninja: error)", line)]
    return "\n".join("    " + line for line in errors[:12]) or files.tail(log)


def _log(preset: str) -> Path:
    folder(preset).mkdir(parents=True, exist_ok=True)
    return folder(preset) / "build.log"


def build(preset: str, progress, *kinds: str, choose=None) -> None:
    """Configures and builds; all of it, or only the executables of the given folders, or those that `choose(preset)` names then."""
    with progress.step(f"build {preset}") as told:
        told("configuring")
        configure(preset)
        targets = choose(preset) if choose else executables(preset, *kinds) if kinds else []
        if (choose or kinds) and not targets:
            raise Problem(f"The preset {preset} has nothing to build in {', '.join(kinds)}.")
        told("")
        compile_targets(preset, targets, told)
        told("built")
