"""Requests to the REST API over connections that are kept, as many at a time as there are to be made."""

import asyncio
import json
import re
import time
from dataclasses import dataclass

LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")


@dataclass(frozen=True)
class Answer:
    """Threads: immutable."""

    status: int  # 0: there was none
    body: bytes
    at: float  # time.monotonic() when it had been read


class Connection(asyncio.Protocol):
    """One request at a time. Threads: that of the event loop."""

    def __init__(self):
        self._transport = self._answer = None
        self._data = b""
        self.open = False

    def connection_made(self, transport) -> None:
        self._transport = transport
        self.open = True

    def ask(self, request: bytes) -> asyncio.Future:
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._answer

    def data_received(self, data: bytes) -> None:
        self._data += data
        head, found, body = self._data.partition(b"\r\n\r\n")
        if not found or len(body) < int(LENGTH.search(head).group(1)):
            return
        self._data, answer, self._answer = b"", self._answer, None
        answer.set_result(Answer(int(head[9:12]), body, time.monotonic()))

    def connection_lost(self, error) -> None:
        self.open = False
        if self._answer and not self._answer.done():
            self._answer.set_exception(ConnectionError(f"the API closed the connection: {error}"))

    def close(self) -> None:
        self._transport.close()


class Connections:
    """Threads: that of the event loop."""

    def __init__(self, host: str, port: int, token: str):
        self._host, self._port = host, port
        self._headers = f"Host: {host}:{port}\r\nAuthorization: Bearer {token}\r\n"
        self._idle = []

    async def open(self, count: int) -> None:
        """So that the first requests need not wait for it."""
        self._idle += [await self._connect() for _ in range(count)]

    async def _connect(self) -> Connection:
        return (await asyncio.get_running_loop().create_connection(Connection, self._host, self._port))[1]

    async def get(self, path: str) -> Answer:
        return await self._ask(f"GET {path} HTTP/1.1\r\n{self._headers}\r\n".encode())

    async def post(self, path: str, body, key: str) -> Answer:
        text = json.dumps(body, separators=(",", ":")).encode()
        head = (f"POST {path} HTTP/1.1\r\n{self._headers}Idempotency-Key: {key}\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(text)}\r\n\r\n")  # fmt: skip
        return await self._ask(head.encode() + text)

    async def _ask(self, request: bytes) -> Answer:
        try:
            connection = self._kept() or await self._connect()
            answer = await connection.ask(request)
        except OSError:  # also who is too many is told so by a closed connection
            return Answer(0, b"", time.monotonic())
        self._idle.append(connection)
        return answer

    def _kept(self):
        """One that the API has not closed meanwhile, if there is one."""
        while self._idle:
            connection = self._idle.pop()
            if connection.open:
                return connection
        return None

    def close(self) -> None:
        for each in self._idle:
            each.close()
