"""Actions to many devices at once, asked of replicas of the API that come and go."""

import threading
import uuid
from collections import Counter

import httpx
from harness import wait
from heliograph_local.settings import HOST

SECONDS = 120.0
TTL_SECONDS = 300  # nothing is to expire here


class Bulk:
    """Threads: one of its own until finish(); the rest from one thread."""

    def __init__(self, apis: list, token: str, client_ids: list, count: int):
        headers = {"Authorization": f"Bearer {token}"}
        self._rests = [
            httpx.Client(base_url=f"http://{HOST}:{api.settings.ports['api']}", headers=headers, timeout=10) for api in apis
        ]
        self._client_ids = client_ids
        self._count = count
        self._ids = {}  # key -> action id
        self._failure = None
        self._thread = threading.Thread(target=self._send, daemon=True)

    def __enter__(self) -> "Bulk":
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        for rest in self._rests:
            rest.close()

    def finish(self) -> list:
        """Waits until all were accepted and every device has done all of them. What is wrong then."""
        self._thread.join(SECONDS)
        if len(self._ids) != self._count:
            return [f"{len(self._ids)} of {self._count} actions to many were accepted: {self._failure}"]
        try:
            wait.until(lambda: not self._unfinished(), "every target has succeeded", SECONDS)
        except AssertionError:
            return self._unfinished()[:5]
        return []

    def _send(self) -> None:
        """One after the other, each asked of the next replica until one has taken it."""
        for number in range(self._count):
            key = uuid.uuid4().hex
            try:
                wait.until(lambda key=key, number=number: self._post(key, number), "an action is taken", SECONDS)
            except AssertionError as failure:
                self._failure = failure
                return

    def _post(self, key: str, number: int) -> bool:
        body = {
            "targets": {"client_ids": self._client_ids}, "directive": "chaos", "payload": {"number": number},
            "if_offline": "queue", "ttl_s": TTL_SECONDS,
        }  # fmt: skip
        self._rests.append(self._rests.pop(0))
        try:
            answer = self._rests[0].post("/v1/actions", json=body, headers={"Idempotency-Key": key})
        except httpx.HTTPError as failure:
            self._failure = failure
            return False
        if answer.status_code != 202:
            self._failure = answer.text
            return False
        self._ids[key] = answer.json()["action_id"]
        return True

    def _unfinished(self) -> list:
        """Actions with targets that have not succeeded, and how many stand where."""
        found = []
        for action in self._ids.values():
            answer = self._rests[0].get(f"/v1/actions/{action}")
            totals = Counter(answer.json().get("totals", {})) if answer.status_code == 200 else Counter(lost=1)
            if set(totals) != {"succeeded"} or totals["succeeded"] != len(self._client_ids):
                found.append(f"action {action} has {dict(totals)}")
        return found
