"""One function per command of ./dev."""

import argparse
import os
import sys

from . import build, certificates, fleet, owners, servers, settings, stack, stack_env
from .problem import Problem
from .progress import Progress
from .settings import HOST


def run(name: str, arguments: list) -> int:
    return COMMANDS[name](arguments) or 0


def _parser(name: str, description: str) -> argparse.ArgumentParser:
    return argparse.ArgumentParser(prog=f"./dev {name}", description=description)


def up(arguments) -> None:
    _parser("up", "Start everything in the background.").parse_args(arguments)
    chosen, progress = settings.from_environment(), Progress()
    with stack.exclusively(chosen):
        _build_programs(progress)
        stack.Stack(chosen, progress).up()
        _mark_kept(chosen).touch()
    print(f"\nEverything runs. Addresses and the token: {stack_env.path(chosen)}")
    print("  ./dev status    what runs and where\n  ./dev down      end it")


def down(arguments) -> None:
    _parser("down", "End everything.").parse_args(arguments)
    chosen = settings.saved_or_from_environment()
    if not chosen.run.exists():
        print(f"Nothing was started in {chosen.data}.")
        return
    with stack.exclusively(chosen):
        _mark_kept(chosen).unlink(missing_ok=True)
        fleet.stop_all(chosen)
        stack.Stack(chosen, Progress()).down()
    print("Everything has ended. What was stored is kept; remove the folder to begin anew: " + str(chosen.data))


def _build_programs(progress: Progress) -> None:
    if "HELIOGRAPH_PROGRAMS" not in os.environ:
        build.build("dev", progress, "bin")


def _mark_kept(chosen):
    """There while `up` wants the stack to stay; a demo then leaves it running."""
    return chosen.run / "kept"


def demo(arguments) -> int:
    from . import demo as show

    parser = _parser("demo", "Everything, with simulated devices, to look at.")
    parser.add_argument("--devices", type=int, default=20, help="how many (20)")
    parser.add_argument("--seconds", type=float, default=0, help="end by itself after so long (never)")
    given = parser.parse_args(arguments)
    chosen, progress = settings.from_environment(), Progress()
    return show.run(
        stack.Stack(chosen, progress),
        progress,
        given.devices,
        given.seconds,
        prepare=lambda: _build_programs(progress),
        is_kept=_mark_kept(chosen).exists,
    )


def status(arguments) -> int:
    _parser("status", "What runs, where, and whether it is ready.").parse_args(arguments)
    chosen = settings.saved_or_from_environment()
    if not chosen.run.exists():
        print(f"Nothing was started in {chosen.data}. ./dev up starts it.")
        return 1
    all_ready = True
    for service in stack.Stack(chosen, Progress()).all():
        pid = service.pid()
        missing = service.missing() if pid else "does not run"
        all_ready &= not missing
        where = ", ".join(f"{HOST}:{chosen.ports[name]}" for name in service.port_names)
        print(f"  {service.name:10} {f'pid {pid}' if pid else '':12} {where:34} {missing or 'ready'}")
    print(f"\n  addresses and token: {stack_env.path(chosen)}   logs: {chosen.log}")
    return 0 if all_ready else 1


def restart(arguments) -> None:
    parser = _parser("restart", "Restart one of the stack.")
    parser.add_argument("name")
    given = parser.parse_args(arguments)
    chosen = settings.saved_or_from_environment()
    with stack.exclusively(chosen):
        stack.Stack(chosen, Progress()).restart(given.name)


def logs(arguments) -> None:
    parser = _parser("logs", "The last lines of the logs.")
    parser.add_argument("name", nargs="?", help="of one only")
    parser.add_argument("-f", "--follow", action="store_true", help="go on as more comes")
    parser.add_argument("-n", "--lines", type=int, default=20, help="how many of each (20)")
    given = parser.parse_args(arguments)
    chosen = settings.saved_or_from_environment()
    files_ = sorted(chosen.log.glob("*.log"))
    if given.name:
        files_ = [file for file in files_ if file.stem == given.name]
    if not files_:
        raise Problem(f"There is no log of {given.name or 'anything'} in {chosen.log}.")
    command = ["tail", "-n", str(given.lines), *(["-F"] if given.follow else []), *map(str, files_)]
    os.execvp("tail", command)


def cert(arguments) -> None:
    parser = _parser("cert", "Make a device's certificate and say whose device it is.")
    parser.add_argument("name", help="the client id: 1 to 128 of A-Z a-z 0-9 . _ : -")
    parser.add_argument("--tenant", default="demo", help="whose device (demo)")
    given = parser.parse_args(arguments)
    chosen = settings.saved_or_from_environment()
    chosen.make_folders()
    certificates.ensure(chosen)
    certificates.generate(chosen, "device", given.name, "--tenant", given.tenant)
    owners.set_owner(chosen.data / "owners.yaml", given.name, given.tenant)
    print(f"{chosen.certs}/{given.name}.crt and .key, of tenant {given.tenant}; ca.crt there verifies the broker")


def build_(arguments) -> None:
    parser = _parser("build", "Build all programs and tests of one preset.")
    parser.add_argument("preset", nargs="?", default="dev", help=", ".join(build.PRESETS) + " (dev)")
    given = parser.parse_args(arguments)
    build.build(given.preset, Progress())
    print(f"Programs: {build.folder(given.preset)}/bin   tests: {build.folder(given.preset)}/tests")


def test(arguments) -> int:
    from . import suite_run

    parser = _parser("test", "Build and run the tests on real servers.")
    parser.add_argument("names", nargs="*", help="only suites whose name contains one of these")
    parser.add_argument("--list", action="store_true", help="only list the suites")
    given = parser.parse_args(arguments)
    return suite_run.run(given.names, given.list)


def check(arguments) -> int:
    from . import checks

    parser = _parser("check", "Format, shell scripts, Python, the include table, clang-tidy.")
    parser.add_argument("--all", action="store_true", help="clang-tidy for all files, not only the changed ones")
    return checks.run(Progress(), parser.parse_args(arguments).all)


def chaos(arguments) -> None:
    """Says in tests/chaos/run.py what it takes."""
    if "HELIOGRAPH_PROGRAMS" not in os.environ and not {"--list", "-h", "--help"} & set(arguments):
        build.build("dev", Progress(), "bin")
    os.execv(sys.executable, [sys.executable, str(settings.ROOT / "tests/chaos/run.py"), *arguments])


def bench(arguments) -> None:
    """`./dev bench [NAME] [ARG...]`: a measurement is a Python program in tests/bench that has a main; `all` is one of them."""
    folder = settings.ROOT / "tests/bench"
    known = sorted(file.stem for file in folder.glob("*.py") if "\ndef main() ->" in file.read_text())
    name = arguments.pop(0) if arguments and not arguments[0].startswith("-") else "all"
    if name not in known:
        raise Problem(f"'{name}' is not one of the measurements: {', '.join(known)}")
    measures = name != "report" and not {"-h", "--help"} & set(arguments)
    if measures and "HELIOGRAPH_PROGRAMS" not in os.environ:
        build.build("dev", Progress(), "bin", "tests/bench")
    os.execv(sys.executable, [sys.executable, str(folder / f"{name}.py"), *arguments])


def servers_(arguments) -> int:
    return servers.main(arguments)


COMMANDS = {
    "up": up,
    "down": down,
    "demo": demo,
    "status": status,
    "restart": restart,
    "logs": logs,
    "cert": cert,
    "build": build_,
    "test": test,
    "check": check,
    "bench": bench,
    "chaos": chaos,
    "servers": servers_,
}
