"""One action to very many devices, few of them online: of `./dev bench actions`."""

import asyncio
import json
import time
import urllib.parse
import uuid

import figures
from action_answers import percentiles
from action_latency import forget_actions
from harness.stack import Stack
from kept_connections import Connections
from usage import cpu_seconds, family_cpu_seconds, forget_peak, peak_megabytes

ASKED = 20  # times a second that the API is asked how far it is
LONGEST = 120.0
BUSY = 0.1
SENT = ("published", "delivered", "running", "succeeded", "failed")
ACCEPTED, DISPATCHED, MEMORY, STATUS = 3, 3000, 256, 50  # the goals: s, targets a second, MiB, ms


class Bulk:
    """Threads: one thread, with an event loop of its own in measure()."""

    def __init__(self, stack: Stack, prefix: str, online: list, offline: int):
        """`prefix`: of the names of all, those `offline` included, and of nobody else's."""
        self._stack, self._prefix, self._online, self._targets = stack, prefix, online, len(online) + offline

    def measure(self) -> dict:
        forget_actions(self._stack)
        api, postgres = self._stack.api.pid(), self._stack.postgres.pid()
        forget_peak(api)
        before = cpu_seconds(api), family_cpu_seconds(postgres)
        found = asyncio.run(self._measure())
        found["cpu"] = {"api": (cpu_seconds(api) - before[0]) / self._targets * 1e6,
                        "postgres": (family_cpu_seconds(postgres) - before[1]) / self._targets * 1e6}  # fmt: skip
        return found | {"peak": peak_megabytes(api)}

    async def _measure(self) -> dict:
        url = urllib.parse.urlparse(self._stack.variables["HELIOGRAPH_API_URL"])
        rest = Connections(url.hostname, url.port, self._stack.variables["HELIOGRAPH_TOKEN"])
        await rest.open(16)
        watch = Watch(rest, (await self._send(rest, {"client_ids": self._online[:1]}))[0])
        watching = asyncio.create_task(watch.run())
        began = time.monotonic()
        action_id, accepted = await self._send(rest, {"selector": {"client_id_prefix": self._prefix}})
        watch.begin(action_id)
        while watch.sent() < len(self._online) or watch.succeeded() < len(self._online):
            assert time.monotonic() < began + LONGEST and not watching.done(), f"not within {LONGEST:.0f} s: {watch.totals()}"
            await asyncio.sleep(0.05)
        watch.stop()
        await watching
        rest.close()
        totals = watch.totals()
        assert totals["queued"] == self._targets - len(self._online) and sum(totals.values()) == self._targets, totals
        return {"accepted": accepted - began, "asked": len(watch.delays), "status": percentiles(watch.delays),
                "dispatched": pace(watch.series_of(SENT), len(self._online), began),
                "succeeded": pace(watch.series_of(("succeeded",)), len(self._online), began)}  # fmt: skip

    @staticmethod
    async def _send(rest: Connections, targets: dict) -> tuple:
        """Its id, and when it was accepted."""
        body = {"targets": targets, "directive": "echo", "payload": {"limit_w": 4000}, "if_offline": "queue"}
        key, deadline = uuid.uuid4().hex, time.monotonic() + LONGEST
        while (answer := await rest.post("/v1/actions", body, key)).status == 503 and time.monotonic() < deadline:
            await asyncio.sleep(BUSY)  # as it says: the same request may be made again
        assert answer.status == 202, answer.body[:500]
        return json.loads(answer.body)["action_id"], answer.at


class Watch:
    """Asks how far an action is, at its own pace whatever the answers take. Threads: that of the event loop."""

    def __init__(self, rest: Connections, action_id: str):
        self._rest, self._action_id = rest, action_id
        self._runs = True
        self.delays = []  # ms from when a question was due
        self._series = []  # (when answered, totals)

    def begin(self, action_id: str) -> None:
        """Of this one from now on."""
        self._action_id, self._series = action_id, []

    def stop(self) -> None:
        self._runs = False

    async def run(self) -> None:
        due = time.monotonic()
        async with asyncio.TaskGroup() as group:
            while self._runs:
                group.create_task(self._ask(self._action_id, due))
                due += 1 / ASKED
                await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def _ask(self, action_id: str, due: float) -> None:
        answer = await self._rest.get(f"/v1/actions/{action_id}")
        assert answer.status == 200, answer.body[:500]
        self.delays.append((answer.at - due) * 1000)
        if action_id == self._action_id:
            self._series.append((answer.at, json.loads(answer.body)["totals"]))

    def totals(self) -> dict:
        """The latest."""
        return max(self._series, key=lambda one: one[0])[1] if self._series else {}

    def sent(self) -> int:
        return sum(self.totals().get(status, 0) for status in SENT)

    def succeeded(self) -> int:
        return self.totals().get("succeeded", 0)

    def series_of(self, statuses) -> list:
        return [(at, sum(totals.get(status, 0) for status in statuses)) for at, totals in self._series]


def pace(series, count: int, began: float) -> float:
    """Targets a second from the last look that saw none, or from the beginning, to the first that saw them all."""
    first = max((at for at, seen in series if seen == 0), default=began)
    last = min(at for at, seen in series if seen >= count)
    return count / (last - first)


def told(run: dict) -> str:
    return (f"accepted in {run['accepted']:.2f} s, dispatched {run['dispatched']:,.0f}/s, results "
            f"{run['succeeded']:,.0f}/s, {run['asked']} status queries p50 / p99 {run['status']['p50']:.1f} / {run['status']['p99']:.1f} ms, "
            f"API {run['peak']:.0f} MB, CPU s per million targets: "
            + ", ".join(f"{name} {each:.0f}" for name, each in run["cpu"].items()))  # fmt: skip


def rows(runs: list, targets: int, online: int) -> list:
    def of(what: str) -> list:
        return [run[what] for run in runs]

    name = f"action to {targets:,} devices, {online:,} of them online"
    return [
        figures.figure(f"{name}: POST → 202", "s", of("accepted"), [figures.at_most(ACCEPTED)]),
        figures.figure("that, dispatched", "targets a second", of("dispatched"), [figures.at_least(DISPATCHED)]),
        figures.figure("that, results in the database", "a second", of("succeeded"), note="while it is dispatched"),
        figures.figure("that, GET of the action meanwhile, p99", "ms", [run["status"]["p99"] for run in runs], [figures.at_most(STATUS)],
                       note=f"{ASKED} a second"),
        figures.figure("that, memory of the API", "MiB", of("peak"), [figures.at_most(MEMORY, "worst")]),
    ]  # fmt: skip


def usages(runs: list, targets: int) -> list:
    load = f"one action to {targets:,} devices, a target"
    return [figures.usage(load, name, [run["cpu"][name] for run in runs], [run["peak"] for run in runs] if name == "api" else ())
            for name in runs[0]["cpu"]]  # fmt: skip
