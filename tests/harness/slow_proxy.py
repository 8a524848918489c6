"""A TCP proxy whose way to the server can be narrowed or closed, with buffers so small that the sender feels it."""

import socket
import threading
import time

from heliograph_local.settings import HOST

from harness.wait import readable

_BUFFER = 4096


class SlowProxy:
    """Threads: one thread; `bytes_per_second` may be set at any time, None = no limit, 0 = nothing gets through."""

    def __init__(self, server_port: int):
        self._server_port = server_port
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)  # inherited by what it accepts
        # Small segments, or the sender's kernel sets aside megabytes for the loopback interface.
        self._listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
        self._listener.bind((HOST, 0))
        self._listener.listen()
        self.port = self._listener.getsockname()[1]
        self.bytes_per_second = None
        self._ends = threading.Event()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        self._ends.set()
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while not self._ends.is_set():
            if not readable([self._listener], 0.05):
                continue
            client, _ = self._listener.accept()
            server = socket.create_connection((HOST, self._server_port))
            pair = threading.Thread(target=self._serve, args=(client, server), daemon=True)
            self._threads.append(pair)
            pair.start()

    def _serve(self, client: socket.socket, server: socket.socket) -> None:
        try:
            while not self._ends.is_set():
                limit = self.bytes_per_second
                sources = [server] if limit == 0 else [client, server]
                for source in readable(sources, 0.05):
                    narrow = source is client and limit is not None
                    data = source.recv(max(64, limit // 1000) if narrow else 65536)
                    if not data:
                        return
                    (server if source is client else client).sendall(data)
                    if narrow:
                        time.sleep(len(data) / limit)
        except OSError:
            pass
        finally:
            client.close()
            server.close()
