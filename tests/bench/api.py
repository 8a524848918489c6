"""How many requests a second heliograph-api answers, on the real stack with simulated devices online.

  ./dev bench api [--runs 3] [--seconds 10] [--connections 64] [--devices 100] [--kinds get post] [--against DIR...]

get: GET /v1/connections/{id}. post: POST /v1/actions to one online device, answered when the broker has acknowledged it, and
afterwards counted in the database. Load from wrk (Debian package wrk) on the same machine. --against DIR...: folders with the
heliograph-api of other builds, measured in turns with ours."""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
for folder in (ROOT / "tests", ROOT / "deploy/local"):
    sys.path.insert(0, str(folder))

import figures  # noqa: E402
import results  # noqa: E402
from harness.stack import Stack  # noqa: E402
from harness.wait import until  # noqa: E402
from heliograph_local import daemons  # noqa: E402
from heliograph_local.fleet import Fleet  # noqa: E402
from usage import family_cpu_seconds, peak_megabytes  # noqa: E402

WARM_UP_SECONDS = 2


class Bench:
    """Threads: one thread."""

    def __init__(self, stack: Stack, given):
        self.stack = stack
        self.given = given
        self.apis = {"ours": stack.api}
        for folder in given.against:
            self.apis[folder.name] = daemons.api(stack.settings.with_(programs=folder.absolute()))
        self._running = None

    def start_devices(self) -> Fleet:
        fleet = Fleet(self.stack.settings, count=self.given.devices)
        fleet.prepare()
        fleet.start()
        fleet.wait()
        count = "SELECT count(*) FROM connections WHERE state = 'online'"
        until(lambda: self.stack.query(count)[0]["count"] == self.given.devices, "all devices are online", 60)
        return fleet

    def use(self, name: str):
        """The API of that build runs, and no other."""
        if self._running != name:
            for each in self.apis.values():
                each.stop()
            self.apis[name].start()
            self.apis[name].wait()
            self._running = name
        return self.apis[name]

    def wrk(self, kind: str, seconds: int) -> dict:
        command = ["wrk", "-t1", f"-c{self.given.connections}", f"-d{seconds}s", "--timeout", "10s"]
        command += ["-s", str(Path(__file__).with_name("api.lua")), self.stack.variables["HELIOGRAPH_API_URL"]]
        command += ["--", kind, str(self.given.devices), uuid.uuid4().hex]
        environment = {**os.environ, "HELIOGRAPH_TOKEN": self.stack.variables["HELIOGRAPH_TOKEN"]}
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        return json.loads(ended.stdout.splitlines()[-1])

    def database(self) -> dict:
        row = self.stack.query("SELECT wal_sync, wal_bytes FROM pg_stat_wal")[0]
        published = self.stack.query("SELECT count(*) FROM action_targets WHERE status = 'published'")[0]["count"]
        return {"wal_sync": int(row["wal_sync"]), "published": published}

    def run(self, name: str, kind: str) -> dict:
        api = self.use(name)
        self.wrk(kind, WARM_UP_SECONDS)
        # So that no run pays for the rows of the one before.
        self.stack.query("TRUNCATE actions, action_targets, idempotency_keys")
        before, load = self.database(), os.getloadavg()[0]
        cpu = {"api": family_cpu_seconds(api.pid()), "postgres": family_cpu_seconds(self.stack.postgres.pid())}
        result = self.wrk(kind, self.given.seconds)
        after = self.database()
        millions = result["requests"] / 1e6
        result.update(
            build=name,
            kind=kind,
            load_before=load,
            rate=result["requests"] / result["seconds"],
            api_cpu_per_million=(family_cpu_seconds(api.pid()) - cpu["api"]) / millions,
            postgres_cpu_per_million=(family_cpu_seconds(self.stack.postgres.pid()) - cpu["postgres"]) / millions,
            disk_waits_per_request=(after["wal_sync"] - before["wal_sync"]) / result["requests"],
        )
        # wrk leaves when its time is over: what is under way then is carried out all the same.
        if kind == "post" and after["published"] < result["requests"] - result["refused"]:
            raise SystemExit(f"{result['requests']} actions were answered, and {after['published']} are published")
        print(told(result), flush=True)
        return result


def told(run: dict) -> str:
    return (
        f"{run['kind']:4} {run['build']:10} {run['rate']:7,.0f}/s, p50 {run['p50_ms']:5.1f} ms, p99 {run['p99_ms']:5.1f} ms, "
        f"refused {run['refused']}, broken {run['broken']}, CPU s per million: API {run['api_cpu_per_million']:4.0f}, "
        f"PostgreSQL {run['postgres_cpu_per_million']:4.0f}; disk waits per request {run['disk_waits_per_request']:.2f}; "
        f"load before {run['load_before']:.1f}"
    )


def summary(found: list) -> list:
    lines = []
    for kind, build in dict.fromkeys((each["kind"], each["build"]) for each in found):
        runs = [each for each in found if (each["kind"], each["build"]) == (kind, build)]
        rates = [each["rate"] for each in runs]
        p99 = statistics.median(each["p99_ms"] for each in runs)
        lines.append(
            f"{kind} {build}: median {statistics.median(rates):,.0f}/s ({min(rates):,.0f} to {max(rates):,.0f}), "
            f"p99 {p99:.1f} ms, {len(runs)} runs"
        )
    return lines


def rows(found: list, given) -> list:
    goals = {"get": (15_000, 15), "post": (4000, 50)}
    told = {"get": "GET /v1/connections/{id}", "post": "POST /v1/actions to one online device, the broker's acknowledgement included"}
    made = []
    for kind in given.kinds:
        runs = [each for each in found if (each["kind"], each["build"]) == (kind, "ours")]
        name, (rate, longest) = f"{told[kind]}, {given.connections} connections", goals[kind]
        made.append(figures.figure(name, "a second", [each["rate"] for each in runs], [figures.at_least(rate)]))
        made.append(figures.figure(f"{name}, p50", "ms", [each["p50_ms"] for each in runs]))
        made.append(figures.figure(f"{name}, p99", "ms", [each["p99_ms"] for each in runs], [figures.at_most(longest)]))
        broken = [each["refused"] + each["broken"] for each in runs]
        made.append(figures.figure(f"{name}, refused or broken", "of each run", broken, [figures.at_most(0, "worst")]))
    return made


def usages(found: list, peak: float) -> list:
    told_load = {"get": "GET of one connection", "post": "POST of an action"}
    used = [figures.usage("both", "api", (), [peak])]
    for kind in dict.fromkeys(each["kind"] for each in found):
        runs = [each for each in found if (each["kind"], each["build"]) == (kind, "ours")]
        used += [figures.usage(told_load[kind], name, [each[f"{name}_cpu_per_million"] for each in runs]) for name in ("api", "postgres")]
    return used


def arguments() -> results.Measurement:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--devices", type=int, default=100)
    parser.add_argument("--kinds", nargs="+", choices=("get", "post"), default=["get", "post"])
    parser.add_argument("--against", type=Path, nargs="+", default=[], metavar="DIR")
    return results.Measurement("api", parser)


def main() -> None:
    measurement = arguments()
    given = measurement.given
    if not shutil.which("wrk"):
        raise SystemExit("wrk is missing: apt-get install wrk")
    stack, fleet, found = Stack(), None, []
    try:
        stack.up()
        bench = Bench(stack, given)
        fleet = bench.start_devices()
        for number in range(given.runs):
            for kind in given.kinds:
                for name in list(bench.apis)[:: 1 if number % 2 == 0 else -1]:
                    found.append(bench.run(name, kind))
        peak = peak_megabytes(bench.use("ours").pid())
    finally:
        if fleet:
            fleet.stop()
        stack.remove()
    for line in summary(found):
        print(line)
    measurement.found(rows(found, given), usages(found, peak))


if __name__ == "__main__":
    main()
