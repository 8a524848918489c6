"""One action to one online device and what it answers, as the caller sees it: of `./dev bench actions`."""

import json
import statistics
import subprocess
import sys
import time
import urllib.parse
from dataclasses import asdict
from pathlib import Path

import figures
from action_answers import Answers, delays, first_of, percentiles
from action_load import Done, Orders
from harness.stack import Stack
from usage import cpu_seconds, family_cpu_seconds

WARM_UP = 1.0
WATCHED = 20.0  # actions a second whose end the API is asked for
SMALL = {"limit_w": 4000, "reason": "grid"}
PAYLOAD_BYTES = 1000
LARGE = "x" * (PAYLOAD_BYTES - 2)  # with its quotes
# Rate -> the longest p99 from POST to the answer, ms.
GOALS = {300: 30, 600: 30, 1000: 80}
GROWTH = 1.5
# https://eclipse.dev/hono/community/blog-load-tests-coap: 2,500 devices over CoAP, as many messages of telemetry and as many events a
# second beside the commands; three machines of 2 cores, Kafka and MongoDB elsewhere. From a device's question to the backend's command.
HONO = "Eclipse Hono, published, CoAP, other machines"
PUBLISHED = {(300, "mean"): 68, (300, "p99"): 279, (600, "p99"): 1649}


def forget_actions(stack: Stack) -> None:
    """So that no run pays for the rows of the one before."""
    stack.query("TRUNCATE actions, action_targets, idempotency_keys, queued_targets, mailboxes")


class Latency:
    """Threads: one thread."""

    def __init__(self, stack: Stack, fleets):
        """`fleets`: those that are online, for what they use."""
        self._stack = stack
        self._fleets = fleets
        self._answers = Answers(stack.settings.kafka_address)
        self._seed = 0

    def close(self) -> None:
        self._answers.close()

    def measure(self, rate: float, seconds: float, client_ids: list, payload) -> dict:
        forget_actions(self._stack)
        self._seed += 1
        out = self._stack.settings.data / "action-load.json"
        url = urllib.parse.urlparse(self._stack.variables["HELIOGRAPH_API_URL"])
        orders = Orders(url.hostname, url.port, self._stack.variables["HELIOGRAPH_TOKEN"], rate, seconds + WARM_UP, client_ids, payload,
                        min(WATCHED, rate), self._seed, str(out))  # fmt: skip
        before, own, began = self._cpu(), time.process_time(), time.monotonic()
        load = subprocess.Popen([sys.executable, Path(__file__).with_name("action_load.py")], stdin=subprocess.PIPE)
        try:
            load.stdin.write(json.dumps(asdict(orders)).encode())
            load.stdin.close()
            answers = self._answers.read(lambda: load.poll() is None)
            assert load.returncode == 0, "the load has failed"
        finally:
            load.kill()
            load.wait()
        used = {name: each - before[name] for name, each in self._cpu().items()}
        done = Done(**json.loads(out.read_text()))
        used["load"] = done.cpu + time.process_time() - own
        return judged(done, first_of(answers)) | {"rate": rate, "cpu": used, "wall": time.monotonic() - began}

    def _cpu(self) -> dict:
        stack = self._stack
        single = {"api": stack.api, "ingest": stack.ingest, "recorder": stack.recorder, "broker": stack.mosquitto, "kafka": stack.kafka}
        used = {name: cpu_seconds(each.pid()) for name, each in single.items()}
        return {**used, "postgres": family_cpu_seconds(stack.postgres.pid()), "devices": sum(each.cpu() for each in self._fleets)}


def judged(done: Done, answered: dict) -> dict:
    """Milliseconds by what is waited for, all from when an action was due."""
    since = done.posts[0][0] + WARM_UP
    accepted = {name: at for _, _, at, name in done.posts if name}
    begun = [(due, name) for due, _, _, name in done.posts if name]
    ends = [(at - due) * 1000 for due, at in done.ends if at and due >= since]
    return {
        "accepted": percentiles(delays(begun, accepted, since)),
        "answered": percentiles(delays(begun, answered, since)),
        "told": percentiles(ends),
        "late": percentiles((began - due) * 1000 for due, began, _, _ in done.posts if due >= since),
        "count": len(done.posts),
        "refused": sum(name is None for *_, name in done.posts),
        "missing": sum(name not in answered for _, name in begun) + sum(at is None for _, at in done.ends),
        "asked": done.asked,
    }


def told(what: str, run: dict) -> str:
    def times(name: str) -> str:
        return f"{run[name]['p50']:.1f} / {run[name]['p99']:.1f}"

    cores = {name: each / run["wall"] for name, each in run["cpu"].items()}
    return (f"{what}: p50 / p99 ms: 202 {times('accepted')}, answer in Kafka {times('answered')}, GET tells it {times('told')}; "
            f"{run['refused']} refused, {run['missing']} missing; the load: late {times('late')}; cores: "
            + ", ".join(f"{name} {each:.2f}" for name, each in cores.items()) + f", all {sum(cores.values()):.2f}")  # fmt: skip


# --- Figures --------------------------------------------------------------------------------------------------------------


def of(runs: list, what: str, which: str) -> list:
    return [run[what][which] for run in runs]


def rows(by_rate: dict) -> list:
    """`by_rate`: rate -> runs."""
    made = []
    for rate, runs in by_rate.items():
        goals = [figures.at_most(GOALS[rate])] if rate in GOALS else []
        at = f"at {rate:,}/s"
        for which in ("p50", "p99") if (rate, "mean") not in PUBLISHED else ("mean", "p50", "p99"):
            published = (HONO, [PUBLISHED[rate, which]]) if (rate, which) in PUBLISHED else None
            made.append(figures.figure(f"action to one device: POST → its answer can be read from Kafka, {at}, {which}", "ms",
                                       of(runs, "answered", which), goals if which == "p99" else (), published))  # fmt: skip
        asked = f"{statistics.median(run['asked'] for run in runs):,.0f} GETs for {WATCHED:.0f} actions a second"
        for which in ("p50", "p99"):
            made.append(figures.figure(f"the same: POST → GET tells it, {at}, {which}", "ms", of(runs, "told", which),
                                       goals if which == "p99" else (), note=asked if which == "p50" else ""))  # fmt: skip
        made.append(figures.figure(f"the same: POST → 202, {at}, p99", "ms", of(runs, "accepted", "p99")))
        lost = [run["refused"] + run["missing"] for run in runs]
        made.append(figures.figure(f"actions refused or not answered, {at}", "of each run", lost, [figures.at_most(0, "worst")]))
    busiest = max(by_rate)
    share = [run["cpu"]["load"] / run["wall"] for run in by_rate[busiest]]
    late = statistics.median(of(by_rate[busiest], "late", "p99"))
    made.append(figures.figure(f"the load itself at {busiest:,}/s, Kafka's reader included", "of one core", share,
                               note=f"begins an action {figures.number(round(late, 1))} ms late, p99, which counts as latency"))  # fmt: skip
    return made


def growth_rows(growth: dict) -> list:
    """`growth`: connections -> runs, as many of each, neighbours in time."""
    few, many = min(growth), max(growth)
    rate = growth[few][0]["rate"]
    made = []
    for which in ("p50", "p99"):
        name = f"{PAYLOAD_BYTES:,} B there and back at {rate:,}/s, {many:,} connections: POST → its answer can be read from Kafka, {which}"
        made.append(figures.figure(name, "ms", of(growth[many], "answered", which), [figures.at_most(GROWTH, "ratio")],
                                   (f"{few:,} connections", of(growth[few], "answered", which))))  # fmt: skip
    return made


def usages(by_rate: dict) -> list:
    busiest = max(by_rate)
    runs = by_rate[busiest]
    return [figures.usage(f"{busiest:,} actions a second, one device each", name, [run["cpu"][name] / run["count"] * 1e6 for run in runs])
            for name in runs[0]["cpu"]]  # fmt: skip
