"""./dev chaos [CASE...]: breaks the stack in every way, judges what is left, prints one table. See docs/CHAOS.md."""

import argparse
import random
import signal
import sys
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
for folder in (ROOT / "tests", ROOT / "deploy/local"):
    sys.path.insert(0, str(folder))

from chaos import cases, report  # noqa: E402
from chaos.case import Options, Outcome, run  # noqa: E402
from chaos.evidence import Judge  # noqa: E402
from chaos.plant import Plant  # noqa: E402
from heliograph_local import settings  # noqa: E402
from heliograph_local.progress import Progress  # noqa: E402


class Runner:
    """One plant for many cases; a new one after a case that has failed. Threads: one thread."""

    def __init__(self, options: Options, logs: Path):
        self._options = options
        self._logs = logs
        self._plant = None
        self._judge = None

    def run(self, case):
        """An outcome, whatever happens: a case whose stack does not come up has failed, and the next gets another one."""
        try:
            if self._plant is None:
                self._start()
            outcome = run(case, self._plant, self._judge, self._options)
        except Exception as error:  # whatever it is, the other cases go on
            outcome = Outcome(case.name, self._options.seed, problems=[f"the stack did not come up: {error}"])
        if outcome.problems and self._plant:
            self._plant.keep_logs(self._logs / case.name)
            self.close()
        return outcome

    def _start(self) -> None:
        self._plant = Plant()
        self._plant.up()
        self._judge = Judge(self._plant)

    def close(self) -> None:
        if self._plant:
            self._plant.remove()
        self._plant = None


@contextmanager
def runner(options: Options, logs: Path):
    one = Runner(options, logs)
    try:
        yield one
    finally:
        one.close()


def _arguments(given: list):
    parser = argparse.ArgumentParser(prog="./dev chaos", description="Breaks the stack in every way and judges what is left.")
    parser.add_argument("cases", nargs="*", metavar="CASE", help="only these (all)")
    parser.add_argument("--seed", type=int, help="repeats a run (random)")
    parser.add_argument("--short", action="store_true", help="fewer seconds of each, as ./dev test runs it")
    parser.add_argument("--list", action="store_true", help="only list the cases")
    parser.add_argument("--devices", type=int, default=Options.devices, help=f"how many number their messages ({Options.devices})")
    parser.add_argument("--rate", type=int, default=Options.rate, help=f"messages a second of all together ({Options.rate})")
    return parser, parser.parse_args(given)


def main(given: list) -> int:
    """1 when a requirement was not met."""
    parser, arguments = _arguments(given)
    try:
        chosen = cases.chosen(arguments.cases)
    except ValueError as error:
        parser.error(str(error))
    if arguments.list:
        print("\n".join(f"  {case.name:22} {case.what}" + (f" (fails: {case.defect})" if case.defect else "") for case in chosen))
        return 0
    seed = random.SystemRandom().randrange(1 << 31) if arguments.seed is None else arguments.seed
    options = Options(seed, arguments.short, arguments.devices, arguments.rate)
    folder, outcomes, progress = settings.data_folder() / "chaos", [], Progress()
    print(f"  seed {seed}")
    with runner(options, folder / "logs") as one:
        for case in chosen:
            with progress.step(f"{case.name:22}") as told:
                told(case.what)
                outcomes.append(one.run(case))
                told(report.word(outcomes[-1]))
            report.write(folder / "results.json", options, outcomes)
    print(f"\n{report.table(outcomes)}\n\n{report.remarks(outcomes)}\n  as JSON: {folder / 'results.json'}")
    return 1 if any(outcome.problems for outcome in outcomes) else 0


if __name__ == "__main__":
    for end in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(end, signal.default_int_handler)
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        print("\nStopped; what was started has ended.", file=sys.stderr)
        sys.exit(130)
