"""A service that the daemons call over HTTP: a real server whose answers a test decides, and which it can make slow or break."""

import json
import ssl
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from harness.certificates import Pair
from heliograph_local.settings import HOST


@dataclass(frozen=True)
class Call:
    """What the service was asked. Threads: immutable."""

    method: str
    path: str  # with its query
    headers: dict = field(default_factory=dict)  # names in lower case
    body: bytes = b""

    def json(self):
        return json.loads(self.body)


class HttpService:
    """`answer`: Call -> (status, value that is sent as JSON, or bytes). It may be set at any time, as may `way`:
    "open", "held" (calls wait for `release`) or "broken" (they are torn). Threads: one thread; `answer` runs on others."""

    def __init__(self, answer, tls: Pair | None = None):
        self.answer = answer
        self.way = "open"
        self.calls = []
        self._released = threading.Event()
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                service._serve(self)

            do_POST = do_GET

        self._server = ThreadingHTTPServer((HOST, 0), Handler)
        self._server.daemon_threads = True
        self._scheme = "http"
        if tls:
            self._scheme = "https"
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls.certificate, tls.key)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"{self._scheme}://{HOST}:{self._server.server_address[1]}"

    def hold(self) -> None:
        self._released.clear()
        self.way = "held"

    def release(self) -> None:
        self.way = "open"
        self._released.set()

    def close(self) -> None:
        self.release()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        headers = {name.lower(): value for name, value in handler.headers.items()}
        body = handler.rfile.read(int(headers.get("content-length", 0)))
        call = Call(handler.command, handler.path, headers, body)
        self.calls.append(call)
        if self.way == "held":
            self._released.wait()
        if self.way == "broken":
            handler.close_connection = True
            return
        status, value = self.answer(call)
        content = value if isinstance(value, bytes) else json.dumps(value).encode()
        try:
            handler.send_response(status)
            handler.send_header("Content-Type", "application/json")
            handler.send_header("Content-Length", str(len(content)))
            handler.end_headers()
            handler.wfile.write(content)
        except OSError:
            handler.close_connection = True  # whoever asked has gone
