"""Somebody who sends actions all the time and keeps asking until an answer has come, whatever happens to the API."""

import threading
import uuid
from collections import Counter

import httpx
from harness import wait

FINAL = {"succeeded", "failed", "expired", "offline", "unknown", "unauthorised", "cancelled", "undeliverable"}
SECONDS = 60.0
TTL_SECONDS = 10  # from the request to the deadline, where nobody answers


class Actions:
    """Threads: one of its own until stop(); the rest from one thread."""

    def __init__(self, plant, client_ids: list, chance):
        self._plant = plant
        self._client_ids = client_ids
        self._chance = chance
        self._wanted = {}  # idempotency key -> body
        self._answers = {}  # idempotency key -> action id
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._send, daemon=True)

    def __enter__(self) -> "Actions":
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._ends.set()

    def stop(self) -> None:
        """No more of them; what was asked for is repeated, with its key, until it was answered."""
        self._ends.set()
        self._thread.join()
        with self._plant.rest() as rest:
            for key in self._wanted.keys() - self._answers.keys():
                wait.until(lambda key=key: self._post(rest, key), f"an answer to {key}", SECONDS)

    def problems(self) -> list:
        """Targets without a final status, answers that were forgotten."""
        with self._plant.rest() as rest:
            try:
                wait.until(lambda: not self._open_targets(rest), "every target has a final status", SECONDS)
            except AssertionError:
                pass
            problems = [f"an action's target ended as {one}" for one in self._open_targets(rest)[:5]]
        rows = self._plant.query("SELECT count(*) AS actions FROM actions")[0]["actions"]
        if len(set(self._answers.values())) != len(self._answers):
            problems.append("two requests got the same action")
        if rows < len(self._answers) or not self._answers:
            problems.append(f"{len(self._answers)} actions were answered, {rows} are stored")
        return problems

    def _send(self) -> None:
        with self._plant.rest() as rest:
            while not self._ends.wait(0.02):
                key = uuid.uuid4().hex
                self._wanted[key] = self._chance.sample(self._client_ids, min(5, len(self._client_ids)))
                self._post(rest, key)

    def _post(self, rest: httpx.Client, key: str) -> bool:
        body = {"targets": {"client_ids": self._wanted[key]}, "directive": "chaos", "payload": {"key": key}, "ttl_s": TTL_SECONDS}
        try:
            answer = rest.post("/v1/actions", json=body, headers={"Idempotency-Key": key})
        except httpx.HTTPError:
            return False
        if answer.status_code in (200, 202):
            self._answers[key] = answer.json()["action_id"]
        return answer.status_code in (200, 202)

    def _open_targets(self, rest: httpx.Client) -> list:
        found = []
        for action in self._answers.values():
            answer = rest.get(f"/v1/actions/{action}")
            totals = Counter(answer.json().get("totals", {})) if answer.status_code == 200 else Counter(lost=1)
            found += [f"{action} {dict(totals)}"] if set(totals) - FINAL else []
        return found
