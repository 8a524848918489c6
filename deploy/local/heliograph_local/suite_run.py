"""./dev test: builds, starts the servers that tests share, runs every suite, tells the totals in the last line."""

import os
import re
import signal
import subprocess
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path

from . import build, files, homes, servers, settings, suites
from .problem import Problem
from .progress import Progress
from .suite_results import Results, of_process
from .suites import Suite


def run(names: list, only_list: bool) -> int:
    """0 when nothing failed."""
    with tempfile.TemporaryDirectory(prefix="heliograph-test-") as folder:
        os.chmod(folder, 0o711)  # the servers' accounts pass through
        return _Run(Path(folder), names).all(only_list)


class _Run:
    """One run of the tests. Threads: one thread, and one for each of the suites that run at the same time."""

    def __init__(self, folder: Path, names: list):
        self._folder = folder
        self._names = names
        self._progress = Progress()
        self._results = Results()
        self._servers = {}  # name -> servers
        self._lock = threading.Lock()  # of _servers
        self._ending = threading.Event()  # interrupted: the suites that run are ended
        self._logs = settings.data_folder() / "log/test"

    def all(self, only_list: bool) -> int:
        self._logs.mkdir(parents=True, exist_ok=True)
        try:
            for preset in suites.KINDS:
                self._preset(preset, only_list)
        finally:
            for each in self._servers.values():
                each.stop()
                homes.remove(each.settings.data)
        if only_list:
            return 0
        return self._tell()

    def _preset(self, preset: str, only_list: bool) -> None:
        try:
            build.configure(preset)
            # The Python tests need the programs of the preset dev, so they come with it.
            chosen = [each for each in suites.google_suites(preset) if suites.matches(each.name, self._names)]
            chosen += suites.python_suites(self._names) if preset == "dev" else []
            if only_list:
                print("\n".join(each.name for each in chosen))
                return
            if chosen:
                self._build(preset, chosen)
        except Problem as problem:
            self._progress.line(str(problem))
            self._results.failed.append(f"build {preset}")
            return
        for _, suites_at_once in groupby(enumerate(chosen), lambda each: each[1].beside or each[0]):
            self._at_once([suite for _, suite in suites_at_once])

    def _at_once(self, chosen: list) -> None:
        with ThreadPoolExecutor(len(chosen)) as pool:
            try:
                for results in pool.map(self._suite, chosen):
                    self._results.add(results)
            except BaseException:
                self._ending.set()
                raise

    def _build(self, preset: str, chosen: list) -> None:
        if self._names:
            root = str(build.folder(preset)) + "/"
            targets = [each.command[-1].removeprefix(root) for each in chosen if not each.is_pytest]
            if any(each.is_pytest for each in chosen):
                targets += build.executables(preset, "bin")
            with self._progress.step(f"build {preset}") as told:
                if targets:
                    build.compile_targets(preset, targets, told)
                told("built")
        elif preset == "dev":
            build.build(preset, self._progress)
        else:
            build.build(preset, self._progress, choose=suites.google_programs)

    def _suite(self, suite: Suite) -> Results:
        title = f"{suite.name:28}"
        file_name = re.sub(r"[^a-z0-9]+", "-", suite.name.lower()).strip("-")
        log, xml = self._logs / f"{file_name}.log", self._folder / f"{file_name}.xml"
        environment = {**os.environ, **suite.environment, "HELIOGRAPH_PROGRAMS": str(build.folder("dev") / "bin")}
        if suite.servers:
            environment.update(self._server_variables(suite.servers, file_name))
        option = f"--junitxml={xml}" if suite.is_pytest else f"--gtest_output=xml:{xml}"
        with self._progress.step(title) as told:
            code, how = run_process([*suite.command, option], environment, log, suite.seconds, told, self._ending)
            results = of_process(suite.name, xml, code, how)
            told(results.totals())
        if results.failed:
            self._progress.line(f"{files.tail(log, 30)}\n    all of it: {log}")
        return results

    def _server_variables(self, name: str, suite: str) -> dict:
        """The servers of this name, started when the first suite needs them, and an empty database for this one."""
        with self._lock:
            if name not in self._servers:
                with self._progress.step(f"{name:28}") as told:
                    self._servers[name] = servers.start_for_tests(self._folder / name.replace(" ", "-"))
                    told("Mosquitto, Kafka and PostgreSQL on free ports")
        shared = self._servers[name]
        variables = servers.test_variables(shared)
        variables["HELIOGRAPH_TEST_POSTGRES"] = shared.postgres.create_database(suite.replace("-", "_"))
        variables["HELIOGRAPH_TEST_SERVERS"] = str(shared.settings.data)
        return variables

    def _tell(self) -> int:
        results = self._results
        for title, entries in (("Skipped", results.skipped), ("Failed", results.failed)):
            if entries:
                print(f"\n{title}:\n  " + "\n  ".join(entries))
        if not (results.passed or results.failed):
            results.failed.append("nothing")
            print(f"\nNo suite's name contains {' or '.join(self._names)}; ./dev test --list shows them.")
        print(f"\n{results.totals()}", flush=True)
        return 1 if results.failed else 0


def run_process(command: list, environment: dict, log: Path, seconds: float, told, ending: threading.Event) -> tuple:
    """(exit code, how it ended in words). What it started goes with it, whatever happens; `ending` ends it early."""
    with open(log, "wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=settings.ROOT,
            env=environment,
            start_new_session=True,
        )
    try:
        for _ in range(int(seconds)):
            try:
                code = process.wait(timeout=1)
                break
            except subprocess.TimeoutExpired:
                told(_last_test(log))
            if ending.is_set():
                return 1, "was interrupted"
        else:
            return 1, f"was ended after {seconds:.0f} s"
    finally:
        _end_group(process)
    if code < 0:
        return code, f"was ended by {signal.Signals(-code).name}"
    return code, f"ended with exit code {code}"


def _last_test(log: Path) -> str:
    """The test that runs now, as both kinds name it in their output."""
    names = re.findall(r"\[ RUN +\] (\S+)|::(test_\S+)", files.tail(log, 40))
    return next((name for name in names[-1] if name), "") if names else ""


def _end_group(process: subprocess.Popen) -> None:
    """pytest first, politely, so that it ends the servers that it started, in sessions of their own."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            pass
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
