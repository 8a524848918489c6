"""Actions that wait for thousands of devices, which then come online at once: of `./dev bench actions`."""

import time
import uuid

import figures
from action_answers import Answers, delivery
from action_latency import forget_actions
from harness.stack import Stack

SECONDS = 300.0
WITHIN = 30  # the goal: seconds from when all are online


class Queue:
    """Threads: one thread."""

    def __init__(self, stack: Stack, fleets: list, actions: int, until_online):
        """`fleets`: all their devices, which are online; `actions`: that wait for each of them; `until_online(count)`: returns when so
        many devices are in the API."""
        self._stack, self._fleets, self._actions, self._until_online = stack, fleets, actions, until_online
        self._names = [name for each in fleets for name in each.names]

    def measure(self, prefix: str) -> dict:
        """They all leave, and in the end they are all back. `prefix`: of all their names."""
        self._order(f"offline {prefix}*")
        self._until_online(0)
        forget_actions(self._stack)
        with self._stack.rest() as rest:
            rest.timeout = 60
            wanted = [self._send(rest) for _ in range(self._actions)]
        answers = Answers(self._stack.settings.kafka_address)
        try:
            count = len(self._names) * self._actions
            ran, connects = self._total("actions"), self._total("connects")
            began = time.monotonic()
            self._order(f"online {prefix}*")
            self._until(lambda: self._total("connects") - connects >= len(self._names), "all connect")
            online = time.monotonic()
            self._until(lambda: self._total("actions") - ran >= count, "all actions arrive")
            delivered = time.monotonic()
            read = answers.read(lambda: False)  # as long as something comes
            self._until_online(len(self._names))
        finally:
            answers.close()
        return delivery(read, self._names, wanted) | {"connecting": online - began, "delivered": delivered - online,
                                                      "rate": count / (delivered - began)}  # fmt: skip

    def _send(self, rest) -> str:
        body = {"targets": {"client_ids": self._names}, "directive": "echo", "payload": {"limit_w": 4000}, "if_offline": "queue"}
        answer = rest.post("/v1/actions", json=body, headers={"Idempotency-Key": uuid.uuid4().hex})
        assert answer.status_code == 202 and answer.json()["totals"] == {"queued": len(self._names)}, answer.text[:500]
        return answer.json()["action_id"]

    def _order(self, line: str) -> None:
        for each in self._fleets:
            each.order(line)

    def _total(self, what: str) -> int:
        return sum(each.total(what) for each in self._fleets)

    @staticmethod
    def _until(condition, what: str) -> None:
        deadline = time.monotonic() + SECONDS
        while not condition():
            assert time.monotonic() < deadline, f"not within {SECONDS:.0f} s: {what}"
            time.sleep(0.05)


def told(run: dict) -> str:
    return (f"all connected within {run['connecting']:.1f} s, all delivered {run['delivered']:.2f} s later ({run['rate']:,.0f}/s since the "
            f"first came), {run['missing']} missing, {run['again']} again, {run['out_of_order']} out of order, {run['foreign']} foreign")  # fmt: skip


def rows(runs: list, devices: int, actions: int) -> list:
    def of(what: str) -> list:
        return [run[what] for run in runs]

    connecting = figures.told(figures.spread(round(each, 1) for each in of("connecting")))
    none = [figures.at_most(0, "worst")]
    return [
        figures.figure(f"{actions} actions wait for each of {devices:,} devices, which all come online: last CONNACK → all delivered", "s",
                       of("delivered"), [figures.at_most(WITHIN, "worst")], note=f"all connected within {connecting} s"),
        figures.figure("that, missing, out of order or with another message_id", "of each run",
                       [run["missing"] + run["out_of_order"] + run["foreign"] for run in runs], none),
        figures.figure("that, delivered again with the same message_id", "of each run", of("again")),
    ]  # fmt: skip
