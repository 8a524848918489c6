"""A TCP connection that a test can cut or silence, between one of our processes and a server that others use too."""

import selectors
import socket
import threading

HOST = "127.0.0.1"


class Link:
    """Forwards connections at `port` to the server's port. Threads: its own; cut, silence and restore from any."""

    def __init__(self, server_port: int):
        self._server_port = server_port
        self._listener = socket.create_server((HOST, 0))
        self.port = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._pairs = []  # guarded by _lock
        self._forwards = threading.Event()
        self._forwards.set()
        self._accepts = True
        self._closed = False
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Ends all connections; new ones are closed at once."""
        self._accepts = False
        self._end_all()

    def refuse(self) -> None:
        """New connections are closed at once; those that are there stay."""
        self._accepts = False

    def end(self, port: int) -> None:
        """Ends the connection that reaches the server from this port."""
        with self._lock:
            pairs = [pair for pair in self._pairs if pair[1].fileno() >= 0 and pair[1].getsockname()[1] == port]
            self._pairs = [pair for pair in self._pairs if pair not in pairs]
        assert pairs, f"no connection from port {port}"
        self._shut(pairs)

    def silence(self) -> None:
        """Connections stay, and nothing arrives any more, in neither direction."""
        self._forwards.clear()

    def restore(self) -> None:
        self._accepts = True
        self._forwards.set()

    def close(self) -> None:
        self._closed = True
        self._forwards.set()
        self._listener.close()
        self._end_all()

    def _end_all(self) -> None:
        with self._lock:
            pairs, self._pairs = self._pairs, []
        self._shut(pairs)

    @staticmethod
    def _shut(pairs: list) -> None:
        for each in (end for pair in pairs for end in pair):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _accept(self) -> None:
        while not self._closed:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if not self._accepts:
                client.close()
                continue
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection((HOST, self._server_port), timeout=5)
        except OSError:
            client.close()
            return
        server.settimeout(None)
        with self._lock:
            self._pairs.append((client, server))
        with client, server, selectors.DefaultSelector() as selector:
            selector.register(client, selectors.EVENT_READ, server)
            selector.register(server, selectors.EVENT_READ, client)
            while self._pass_on(selector):
                pass

    def _pass_on(self, selector) -> bool:
        for key, _ in selector.select():
            try:
                data = key.fileobj.recv(65536)
                self._forwards.wait()
                if not data:
                    return False
                key.data.sendall(data)
            except OSError:
                return False
        return True
