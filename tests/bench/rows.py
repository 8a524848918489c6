"""What more rows in the tables cost: the recorder's changes, single look-ups, and every list of the API.

  ./dev bench rows [--rows 10000 1000000] [--changes 200000] [--seconds 10] [--requests 400] [--runs 3]

The whole stack; the rows are made by SQL. With each number of rows: changes of presence of devices chosen at random, written into
Kafka while the recorder is away and timed and weighed when it is back; GET /v1/connections/{id} of random devices, 64 connections
(wrk); and lists with each filter, one caller over one kept connection, with other values each time, a page of 100 unless said. A
device has 0.5 kB of facts, which it tells again unchanged, one tag of which there are 100, and one dispatcher."""

import argparse
import hashlib
import http.client
import json
import os
import random
import statistics
import subprocess
import time
import urllib.parse
import uuid
from pathlib import Path

from readers import SECONDS  # noqa: I001; it also finds what tests share

import figures
import results
from filled import FILLER, SITES, fill
from harness.stack import Stack
from recorder_load import send
from usage import cpu_seconds, family_cpu_seconds, peak_megabytes

NAME = "solar-"
TENANTS = 50


def payload(number: int, a_round: int) -> str:
    session, name = f"5e55-{a_round // 2}-{number}", f"{NAME}{number}"
    if a_round % 2 == 0:
        facts = {"fqdn": f"{name}.example.com", "machine_id": hashlib.md5(name.encode()).hexdigest(), "note": FILLER}
        content = {"state": "online", "session_id": session, "client_name": "fleet", "client_version": "1.0.0",
                   "dispatchers": {"rhc-worker": {"version": "1"}}, "tags": {"site": f"s{number % SITES}"}, "canonical_facts": facts}  # fmt: skip
    else:
        content = {"state": "offline", "session_id": session, "reason": "connection_lost"}
    said = {"type": "connection-status", "message_id": f"{session}-{a_round}", "response_to": "", "version": 1,
            "sent": "2026-01-01T00:00:00Z", "content": content}  # fmt: skip
    return json.dumps(said, separators=(",", ":"))


# What is asked -> its query. `n` is another number each time.
LISTS = {
    "all, first page": lambda n: {},
    "by prefix": lambda n: {"client_id_prefix": f"{NAME}{n}"},
    "by state": lambda n: {"state": ("online", "offline")[n % 2]},
    "by a state that nobody is in": lambda n: {"state": "unknown"},
    "by tenant": lambda n: {"tenant": f"tenant-{n % TENANTS}"},
    "by tenant and state": lambda n: {"tenant": f"tenant-{n % TENANTS}", "state": "online"},
    "by tag": lambda n: {"tag": f"site:s{n % SITES}"},
    "by tag and state": lambda n: {"tag": f"site:s{n % SITES}", "state": "offline"},
    "by tag and a state that few are in": lambda n: {"tag": f"site:s{n % SITES}", "state": "online"},
    "by tag and tenant": lambda n: {"tag": f"site:s{n % SITES}", "tenant": f"tenant-{n % TENANTS}"},
    "by dispatcher": lambda n: {"dispatcher": "rhc-worker"},
    "by a dispatcher that nobody has": lambda n: {"dispatcher": f"none-{n}"},
    "not seen for long": lambda n: {"seen_before": "2020-01-01T00:00:00Z"},
    "not seen since now": lambda n: {"seen_before": "2100-01-01T00:00:00Z"},
    "every filter at once": lambda n: {"tag": f"site:s{n % SITES}", "tenant": f"tenant-{n % TENANTS}", "state": "offline",
                                       "dispatcher": "rhc-worker", "client_id_prefix": f"{NAME}{n % 9 + 1}",
                                       "seen_before": "2100-01-01T00:00:00Z"},
    "all, a page of 1,000": lambda n: {"limit": 1000},
}  # fmt: skip
LATER = " (a later page)"
LONGEST = 20.0  # ms, p99
UNLIMITED = "all, a page of 1,000"  # half a megabyte of JSON; no goal


class Rows:
    """Threads: one thread."""

    def __init__(self, stack: Stack, given):
        self.stack = stack
        self.given = given
        self._chance = random.Random(1)
        self._made = self._sent = 0
        url = urllib.parse.urlparse(stack.variables["HELIOGRAPH_API_URL"])
        self._rest = http.client.HTTPConnection(url.hostname, url.port, timeout=60)
        self._headers = {"Authorization": f"Bearer {stack.variables['HELIOGRAPH_TOKEN']}"}

    def fill(self, count: int) -> None:
        fill(self.stack, NAME, self._made + 1, count, f"'tenant-' || n % {TENANTS}", "n % 10 = 0")
        self._made = count

    # --- Changes --------------------------------------------------------------------------------------------------------

    def change(self, rows: int) -> dict:
        """As many changes with any number of rows: few devices often, or many seldom."""
        self.stack.recorder.stop()
        devices = self._chance.sample(range(1, rows + 1), min(rows, self.given.changes // 2))
        rounds = self.given.changes // len(devices)
        first = self._sent
        self._sent += len(devices) * rounds
        send(self.stack.settings.kafka_address, "device.control",
             ((f"{NAME}{n}", payload(n, a_round)) for a_round in range(rounds) for n in devices))  # fmt: skip
        rewritten = self._rewritten()
        self.stack.recorder.start()
        self._until(lambda: self._applied() > first)
        pid, postgres = self.stack.recorder.pid(), self.stack.postgres.pid()
        began, at, before = time.monotonic(), self._applied(), (cpu_seconds(pid), family_cpu_seconds(postgres))
        self._until(lambda: self._applied() >= self._sent)
        seconds, count = time.monotonic() - began, self._sent - at
        assert count > 0, "all were applied at once: too few --changes to be timed"
        found = {"rate": count / seconds, "recorder": (cpu_seconds(pid) - before[0]) / count * 1e6,
                 "postgres": (family_cpu_seconds(postgres) - before[1]) / count * 1e6, "peak": peak_megabytes(pid)}  # fmt: skip
        self.stack.recorder.wait()
        assert self._rewritten() - rewritten <= len(devices) // 100, "descriptions should not change"
        print(f"{rows:,} rows: {found['rate']:,.0f} changes/s, CPU s/M: recorder {found['recorder']:.1f}, "
              f"PostgreSQL {found['postgres']:.1f}", flush=True)  # fmt: skip
        return found

    def _applied(self) -> int:
        query = "SELECT coalesce(sum(next_offset), 0) AS n FROM kafka_offsets WHERE topic = 'device.control'"
        return int(self.stack.query(query)[0]["n"])

    def _rewritten(self) -> int:
        query = "SELECT coalesce(sum(n_tup_upd), 0) AS n FROM pg_stat_user_tables WHERE relname = 'connection_descriptions'"
        return int(self.stack.query(query)[0]["n"])

    def _until(self, condition) -> None:
        deadline = time.monotonic() + SECONDS
        while not condition():
            assert time.monotonic() < deadline, f"the recorder does not come to an end: {self.stack.recorder.log_tail()}"
            time.sleep(0.02)

    # --- Look-ups and lists -----------------------------------------------------------------------------------------------

    def look_up(self, rows: int) -> dict:
        command = ["wrk", "-t1", "-c64", f"-d{self.given.seconds}s", "--timeout", "10s", "-s", str(Path(__file__).with_name("api.lua"))]
        command += [self.stack.variables["HELIOGRAPH_API_URL"], "--", "get", str(rows), uuid.uuid4().hex]
        environment = {**os.environ, "HELIOGRAPH_TOKEN": self.stack.variables["HELIOGRAPH_TOKEN"]}
        pid, postgres = self.stack.api.pid(), self.stack.postgres.pid()
        before = family_cpu_seconds(pid), family_cpu_seconds(postgres)
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=self.given.seconds + 60)
        found = json.loads(ended.stdout.splitlines()[-1])
        assert found["refused"] == found["broken"] == 0, found
        count = found["requests"] / 1e6
        found |= {"rate": found["requests"] / found["seconds"], "api": (family_cpu_seconds(pid) - before[0]) / count,
                  "postgres": (family_cpu_seconds(postgres) - before[1]) / count}  # fmt: skip
        print(f"{rows:,} rows: {found['rate']:,.0f} GET/s, p99 {found['p99_ms']:.1f} ms, CPU s/M: API {found['api']:.0f}, "
              f"PostgreSQL {found['postgres']:.0f}", flush=True)  # fmt: skip
        return found

    def lists(self, rows: int) -> dict:
        """Milliseconds of each request, by what was asked for."""
        found = {}
        for what, query in LISTS.items():
            first, later = [], []
            self._rest.close()  # the API may have ended it, unused for long; the next request opens it
            self._page(query(1))
            for _ in range(self.given.requests):
                asked = query(self._chance.randrange(1, rows))
                took, following = self._page(asked)
                first.append(took)
                if following:
                    later.append(self._page({**asked, "cursor": following})[0])
            found[what] = first
            if len(later) >= self.given.requests // 2:
                found[what + LATER] = later
        worst = max(found, key=lambda what: percentile(found[what], 99))
        print(f"{rows:,} rows: the slowest list is {worst}, p99 {percentile(found[worst], 99):.1f} ms", flush=True)
        return found

    def _page(self, asked: dict) -> tuple:
        began = time.monotonic()
        self._rest.request("GET", "/v1/connections?" + urllib.parse.urlencode(asked), headers=self._headers)
        answer = self._rest.getresponse()
        body = answer.read()
        took = (time.monotonic() - began) * 1000
        assert answer.status == 200, (asked, body)
        return took, json.loads(body)["next"]


def percentile(values: list, percent: int) -> float:
    return statistics.quantiles(values, n=100)[percent - 1]


def figures_of(found: dict) -> list:
    """`found`: rows -> {"changes": [...], "gets": [...], "lists": {...}}."""
    few, made = min(found), []
    for rows, each in found.items():
        for name, unit, part, what, goal in (
            ("recorder, CPU a change", "seconds per million", "changes", "recorder", figures.at_most),
            ("PostgreSQL, CPU a change", "seconds per million", "changes", "postgres", figures.at_most),
            ("recorder, changes", "a second", "changes", "rate", figures.at_least),
            ("API, CPU of a GET of one connection", "seconds per million", "gets", "api", figures.at_most),
            ("GET of one connection", "a second", "gets", "rate", figures.at_least),
        ):
            goals, reference = (), None
            if rows != few:
                goals = [goal(1.5 if goal is figures.at_most else 1 / 1.5, "ratio")]
                reference = (f"{few:,} rows", [one[what] for one in found[few][part]])
            made.append(figures.figure(f"{name}, {rows:,} connections in the table", unit, [one[what] for one in each[part]], goals, reference))
    most = max(found)
    for what, times in found[most]["lists"].items():
        goals = () if what.startswith(UNLIMITED) else [figures.at_most(LONGEST)]
        note = f"p50 {figures.number(percentile(times, 50))}"
        made.append(figures.figure(f"list of connections, {what}, {most:,} in the table, p99", "ms", [percentile(times, 99)], goals, note=note))
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 1_000_000], help="connections in the table, rising")
    parser.add_argument("--changes", type=int, default=200_000, help="of presence, of a run")
    parser.add_argument("--runs", type=int, default=3, help="of changes and of look-ups")
    parser.add_argument("--seconds", type=int, default=10, help="of look-ups")
    parser.add_argument("--requests", type=int, default=400, help="of each kind of list")
    measurement = results.Measurement("rows", parser)
    given = measurement.given
    stack, found = Stack(), {}
    try:
        stack.up()
        rows = Rows(stack, given)
        for count in given.rows:
            rows.fill(count)
            found[count] = {"changes": [rows.change(count) for _ in range(given.runs)],
                            "gets": [rows.look_up(count) for _ in range(given.runs)], "lists": rows.lists(count)}  # fmt: skip
        peak = {"recorder": max(one["peak"] for each in found.values() for one in each["changes"]), "api": peak_megabytes(stack.api.pid())}
    finally:
        stack.remove()
    used = [figures.usage(f"{max(given.rows):,} connections in the table", name, (), [each]) for name, each in peak.items()]
    measurement.found(figures_of(found), used)


if __name__ == "__main__":
    main()
