"""A TCP connection between one of our processes and a server that can be cut, delayed, silenced, torn in mid-packet or made to
crawl, byte by byte."""

import queue
import socket
import struct
import threading
import time

from heliograph_local.settings import HOST

from harness.wait import readable

_WAITING = 64  # pieces that may be on the way, in each direction
_PIECE = 65536


class Link:
    """Forwards connections at `port` to the server's port. Threads: its own, four a connection; the rest from any."""

    def __init__(self, server_port: int):
        self._server_port = server_port
        self._listener = socket.create_server((HOST, 0))
        self.port = self._listener.getsockname()[1]
        self.delay = 0.0  # seconds, in each direction
        self.crawls = False  # one byte in a packet
        self.accepts = True  # False: new connections are reset at once
        self.flows = threading.Event()
        self.flows.set()
        self._lock = threading.Lock()
        self._pairs = set()  # guarded by _lock
        self._closed = False
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Resets all connections; new ones are reset at once."""
        self.refuse()
        self.reset()

    def refuse(self) -> None:
        """New connections are reset at once; those that are there stay."""
        self.accepts = False

    def reset(self) -> None:
        for pair in self._all():
            pair.end()

    def end(self, port: int) -> None:
        """Resets the connection that reaches the server from this port."""
        pairs = [pair for pair in self._all() if pair.port == port]
        assert pairs, f"no connection from port {port}"
        for pair in pairs:
            pair.end()

    def silence(self) -> None:
        """Connections stay, and nothing arrives any more, in neither direction."""
        self.flows.clear()

    def tear(self, chance) -> None:
        """Each connection ends in the midst of the next thing that is sent: a part of it arrives, then a reset."""
        for pair in self._all():
            pair.tear_at = chance.random()

    def strand(self) -> None:
        """Half-open: the servers see the connections end, the clients do not, and nobody answers them any more."""
        for pair in self._all():
            pair.strand()

    def restore(self) -> None:
        self.delay, self.crawls, self.accepts = 0.0, False, True
        self.flows.set()

    def close(self) -> None:
        self._closed = True
        self.restore()
        self._listener.close()
        self.reset()

    def _all(self) -> list:
        with self._lock:
            return list(self._pairs)

    def _accept(self) -> None:
        while not self._closed:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if not self.accepts:
                _reset(client)
                continue
            threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection((HOST, self._server_port), timeout=5)
        except OSError:
            _reset(client)
            return
        server.settimeout(None)
        pair = _Pair(self, client, server)
        with self._lock:
            self._pairs.add(pair)
        pair.run()
        with self._lock:
            self._pairs.discard(pair)


class _Pair:
    """One connection. Threads: two a direction; end, strand and tear_at from any."""

    def __init__(self, link: Link, client: socket.socket, server: socket.socket):
        self._link = link
        self._ends = threading.Event()
        self._is_stranded = self._is_reset = False
        self.tear_at = None  # the part of the next piece that still arrives, 0 to 1
        self._client, self._server = client, server
        self.port = server.getsockname()[1]  # from which it reaches the server
        for each in (client, server):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def run(self) -> None:
        """Returns when it has ended."""
        threads = []
        for source, target in ((self._client, self._server), (self._server, self._client)):
            way = queue.Queue(_WAITING)
            threads += [threading.Thread(target=self._read, args=(source, way), daemon=True),
                        threading.Thread(target=self._write, args=(way, target), daemon=True)]  # fmt: skip
        for thread in threads:
            thread.start()
        self._ends.wait()
        for thread in threads:
            thread.join(0.5)
        for each in (self._client, self._server):
            if any(thread.is_alive() for thread in threads):  # it waits for one that does not read
                _shut_down(each)
            (_reset if self._is_reset else socket.socket.close)(each)

    def end(self) -> None:
        self._is_reset = True
        self._ends.set()

    def strand(self) -> None:
        self._is_stranded = True
        _shut_down(self._server)

    def _read(self, source: socket.socket, way: queue.Queue) -> None:
        while not self._ends.is_set():
            try:
                if not readable([source], 0.05):
                    continue
                data = source.recv(_PIECE)
            except OSError:
                data = b""
            if self._is_stranded and source is self._server:
                return
            if not self._put(way, (time.monotonic(), data)) or not data:
                return

    def _put(self, way: queue.Queue, piece) -> bool:
        while not self._ends.is_set():
            try:
                way.put(piece, timeout=0.05)
                return True
            except queue.Full:
                continue
        return False

    def _write(self, way: queue.Queue, target: socket.socket) -> None:
        while not self._ends.is_set():
            try:
                arrived, data = way.get(timeout=0.05)
            except queue.Empty:
                continue
            self._wait_for_its_turn(arrived)
            if self._is_stranded and data:
                continue
            if not data or not self._send(target, data):
                self._ends.set()

    def _wait_for_its_turn(self, arrived: float) -> None:
        while not self._ends.is_set() and not self._link.flows.wait(0.05):
            pass
        self._ends.wait(max(0.0, arrived + self._link.delay - time.monotonic()))

    def _send(self, target: socket.socket, data: bytes) -> bool:
        """False: the connection has ended, or is to end here."""
        if self._ends.is_set():
            return False
        try:
            if self.tear_at is not None:
                target.sendall(data[: int(len(data) * self.tear_at)])
                self._is_reset = True
                return False
            if not self._link.crawls:
                target.sendall(data)
                return True
            for at in range(len(data)):
                if self._ends.is_set():
                    return False
                target.sendall(data[at : at + 1])
        except OSError:
            return False
        return True


def _shut_down(end: socket.socket) -> None:
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


def _reset(end: socket.socket) -> None:
    """Closes with a reset instead of a goodbye."""
    try:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    except OSError:
        pass
    end.close()
