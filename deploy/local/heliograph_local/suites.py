"""What there is to test: GoogleTest programs of a build, and folders of pytest files."""

import sys
from dataclasses import dataclass, field
from pathlib import Path

from . import build
from .settings import ROOT

# Which kinds each preset runs. The sanitizers slow the servers' clients down, and the servers have none of our code.
KINDS = {
    "dev": ("unit", "contract", "integration"),
    "asan": ("unit", "contract"),
    "tsan": ("unit", "contract"),
}
# Unit tests that a sanitizer leaves out, because all of it must end within 40 minutes.
LEFT_OUT = {
    # What reads nothing that a stranger wrote, but as values that were parsed elsewhere.
    "asan": ("app", "config", "ctl", "events", "fleet", "log", "metrics", "owner", "recorder", "tls"),
    # What starts no thread, nor does what is tested (seen with a pthread_create that counts).
    "tsan": (
        "action", "api", "app", "auth", "config", "ctl", "device", "events", "fleet", "fuzz", "http_client", "ingest", "json", "kafka",
        "log", "mqtt", "owner", "postgres", "recorder", "tls", "webhooks",
    ),
}  # fmt: skip
PYTHON_FOLDERS = ("architecture", "bench", "integration", "e2e", "chaos")
# A folder whose tests mostly wait: as many suites that run at the same time, each with servers of its own. By the beginning
# of the files' names; the last one takes the others.
LANES = {"integration": ("test_api", "test_recorder", "")}
SECONDS = {"unit": 120, "contract": 120, "integration": 1200, "architecture": 120, "bench": 60, "e2e": 2400, "chaos": 1800}
SANITIZER_FACTOR = 5


@dataclass(frozen=True)
class Suite:
    """One process that runs tests and writes what became of them as JUnit XML. Threads: immutable."""

    name: str
    command: tuple
    seconds: float
    environment: dict = field(default_factory=dict)
    servers: str = ""  # which set of servers it needs: suites with the same name share one
    is_pytest: bool = False
    beside: str = ""  # suites in a row with the same name here run at the same time


def google_programs(preset: str) -> list:
    """Those that this preset runs, as paths in its build folder; of a configured build, so that none is left over from an older one."""
    left_out = {f"test_unit_{folder}" for folder in LEFT_OUT.get(preset, ())}
    programs = build.executables(preset, *(f"tests/{kind}" for kind in KINDS[preset]))
    return [path for path in programs if Path(path).name not in left_out]


def google_suites(preset: str) -> list:
    suites = []
    for path in google_programs(preset):
        kind = Path(path).parent.name
        folder = Path(path).name.removeprefix(f"test_{kind}_")
        suites.append(
            Suite(
                name=f"{kind} {folder}" + ("" if preset == "dev" else f" ({preset})"),
                command=(*_wrapper(preset), str(build.folder(preset) / path)),
                seconds=SECONDS[kind] * (1 if preset == "dev" else SANITIZER_FACTOR),
                environment=_sanitizer_options(preset),
                servers="servers" if kind == "integration" else "",
            )
        )
    order = KINDS[preset]
    return sorted(suites, key=lambda suite: order.index(suite.name.split()[0]))


def python_suites(names: list) -> list:
    """One process per folder, so that a folder's tests share its stack, or one per lane; with `names`, only the files that match."""
    suites = []
    for folder in PYTHON_FOLDERS:
        files = sorted((ROOT / "tests" / folder).glob("**/test_*.py"))
        for lane in LANES.get(folder, ("",)):
            mine = [file for file in files if file.name.startswith(lane)]
            files = [file for file in files if file not in mine]
            chosen = [file for file in mine if matches(f"{folder} {file.stem}", names)]
            if chosen:
                suites.append(_python_suite(folder, lane.removeprefix("test_"), chosen))
    return suites


def _python_suite(folder: str, lane: str, files: list) -> Suite:
    return Suite(
        name=f"{folder} {lane} (pytest)" if lane else f"{folder} (pytest)",
        command=(sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", *map(str, files)),
        seconds=SECONDS[folder],
        servers=f"servers {lane}".strip() if folder == "integration" else "",
        is_pytest=True,
        beside=folder if folder in LANES else "",
    )


def matches(name: str, names: list) -> bool:
    return not names or any(each.lower() in name.lower() for each in names)


def _wrapper(preset: str) -> tuple:
    """GCC 12's ThreadSanitizer cannot start where the kernel spreads addresses over more than 28 bits."""
    bits = Path("/proc/sys/vm/mmap_rnd_bits")
    if preset == "tsan" and bits.exists() and int(bits.read_text()) > 28:
        return ("setarch", "--addr-no-randomize")
    return ()


def _sanitizer_options(preset: str) -> dict:
    return {
        "dev": {},
        "asan": {
            "ASAN_OPTIONS": "detect_stack_use_after_return=1:check_initialization_order=1",
            "UBSAN_OPTIONS": "print_stacktrace=1",
        },
        "tsan": {"TSAN_OPTIONS": "second_deadlock_stack=1"},
    }[preset]
