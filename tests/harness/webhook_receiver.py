"""A receiver of webhooks: a real HTTP server that verifies what comes, and behaves as a test wants it to."""

import base64
import hashlib
import hmac
import json
import socket
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from harness.wait import until
from heliograph_local.settings import HOST


def signature(secret: str, headers: dict, body: bytes) -> str:
    """As docs/WEBHOOKS.md tells receivers to verify it."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()


@dataclass(frozen=True)
class Delivery:
    """One request. Threads: immutable."""

    headers: dict  # names in lower case
    body: bytes

    @property
    def events(self) -> list:
        return json.loads(self.body)


class WebhookReceiver:
    """`way` may be set at any time: a status to answer, "hang" (until `release`), "close" (in the middle of an answer), "garbage",
    "endless" (a 200 whose body has no end), or ("redirect", URL). Threads: one thread; answers on others."""

    def __init__(self, way=204):
        self.way = way
        self.requests = []  # Delivery of each, whatever was answered
        self.taken = []  # those that were answered with a 2xx
        self.most_at_a_time = 0
        self._at_a_time = 0
        self._lock = threading.Lock()
        self._released = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_POST(self):
                receiver._serve(self)

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass  # whoever asked has gone

        self._server = Server((HOST, 0), Handler)
        self.port = self._server.server_address[1]
        self.url = f"http://{HOST}:{self.port}/hook"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def __enter__(self) -> "WebhookReceiver":
        return self

    def __exit__(self, *_) -> None:
        self._released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def release(self, way=204) -> None:
        """Those that hang get no answer."""
        self.way = way
        self._released.set()

    @property
    def events(self) -> list:
        """That were taken, in the order of arrival, repeats included."""
        return [event for each in list(self.taken) for event in each.events]

    def wait_for(self, count: int, seconds: float = 15.0) -> list:
        """The first `count` events that were taken."""
        until(lambda: len(self.events) >= count, f"{count} events; {len(self.events)} came", seconds)
        return self.events[:count]

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        headers = {name.lower(): value for name, value in handler.headers.items()}
        delivery = Delivery(headers, handler.rfile.read(int(headers.get("content-length", 0))))
        with self._lock:
            self._at_a_time += 1
            self.most_at_a_time = max(self.most_at_a_time, self._at_a_time)
            self.requests.append(delivery)
            way = self.way
        try:
            self._answer(handler, way, delivery)
        finally:
            with self._lock:
                self._at_a_time -= 1

    def _answer(self, handler, way, delivery: Delivery) -> None:
        if way == "hang":
            self._released.wait()
        if way in ("hang", "garbage", "close"):
            handler.close_connection = True
            if way == "garbage":
                handler.wfile.write(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
            if way == "close":
                handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")
                handler.connection.shutdown(socket.SHUT_RDWR)
            return
        if isinstance(way, int) and 200 <= way < 300 or way == "endless":
            self.taken.append(delivery)
        if way == "endless":
            handler.close_connection = True
            handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
            while not self._released.is_set():
                handler.wfile.write(b"x" * 65536)  # until the other side hangs up
            return
        status, location = (307, way[1]) if isinstance(way, tuple) else (way, "")
        handler.send_response(status)
        if location:
            handler.send_header("Location", location)
        if status != 204:
            handler.send_header("Content-Length", "5")
        handler.end_headers()
        if status != 204:
            handler.wfile.write(b"words")
