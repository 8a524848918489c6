"""A reader of Server-Sent Events, as a browser's EventSource: what came, and where to go on."""

import json
import threading
from dataclasses import dataclass

import httpx
from harness import wait


@dataclass(frozen=True)
class Event:
    """Threads: immutable."""

    id: str
    type: str
    data: dict


class EventStream:
    """Threads: one of its own, which reads; the rest from one thread."""

    def __init__(self, url: str, token: str, query=(), last_event_id: str = "", path: str = "/v1/events"):
        headers = {"Authorization": f"Bearer {token}"}
        if last_event_id:
            headers["Last-Event-ID"] = last_event_id
        # verify: nothing here is TLS, and reading all authorities takes longer than most requests.
        self._client = httpx.Client(base_url=url, timeout=httpx.Timeout(10, read=60), verify=False)
        self._request = self._client.build_request("GET", path, params=query, headers=headers)
        self.response = self._client.send(self._request, stream=True)
        self.events = []
        self.last_id = last_event_id
        self.comments = 0
        self.ended = False
        self._may_read = threading.Event()
        self._may_read.set()
        self._thread = threading.Thread(target=self._read, daemon=True)
        if self.response.status_code == 200:
            self._thread.start()
        else:
            self.response.read()

    def __enter__(self) -> "EventStream":
        assert self.response.status_code == 200, self.response.text
        wait.until(lambda: self.last_id or self.ended, "the stream says where it begins")
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        self._may_read.set()
        self.ended = True
        self.response.close()
        self._client.close()

    def pause(self) -> None:
        """Takes nothing more from the socket."""
        self._may_read.clear()

    def resume(self) -> None:
        self._may_read.set()

    def wait_for(self, count: int, seconds: float = 15.0) -> list:
        wait.until(lambda: len(self.events) >= count, f"{count} events; {len(self.events)} came", seconds)
        return self.events

    def _read(self) -> None:
        fields = {}
        try:
            for line in self.response.iter_lines():
                self._may_read.wait()
                line = line.rstrip("\n")
                if line.startswith(":"):
                    self.comments += 1
                elif line:
                    name, _, value = line.partition(":")
                    fields[name] = value.removeprefix(" ")
                else:
                    self._end_of_event(fields)
                    fields = {}
        except (httpx.HTTPError, httpx.StreamError):
            pass
        self.ended = True

    def _end_of_event(self, fields: dict) -> None:
        # An id counts also where there is no event for the reader.
        if "data" in fields:
            event_id = fields.get("id", self.last_id)
            self.events.append(Event(event_id, fields.get("event", "message"), json.loads(fields["data"])))
        self.last_id = fields.get("id", self.last_id)
