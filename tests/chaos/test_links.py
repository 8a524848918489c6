"""The link on a server that sends back what it gets: it must do no harm by itself, and the harm that it is told to."""

import random
import socket
import threading
import time

import pytest
from harness import wait
from harness.link import Link
from heliograph_local.settings import HOST


@pytest.fixture(name="server")
def _server():
    listener = socket.create_server((HOST, 0))

    def serve() -> None:
        while True:
            try:
                end, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=echo, args=(end,), daemon=True).start()

    def echo(end: socket.socket) -> None:
        with end:
            try:
                while data := end.recv(65536):
                    end.sendall(data)
            except OSError:
                pass

    threading.Thread(target=serve, daemon=True).start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


@pytest.fixture(name="link")
def _link(server):
    link = Link(server)
    yield link
    link.close()


def connect(link: Link) -> socket.socket:
    return socket.create_connection((HOST, link.port), timeout=10)


def receive(end: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size and (piece := end.recv(65536)):
        data += piece
    return data


def test_passes_on_what_it_gets(link):
    data = random.Random(1).randbytes(300_000)
    with connect(link) as end:
        threading.Thread(target=end.sendall, args=(data,), daemon=True).start()
        assert receive(end, len(data)) == data
        link.crawls = True
        end.sendall(data[:2000])
        assert receive(end, 2000) == data[:2000]


def test_delays(link):
    link.delay = 0.2
    with connect(link) as end:
        began = time.monotonic()
        end.sendall(b"x")
        assert receive(end, 1) == b"x"
        assert time.monotonic() - began >= 0.4, "there and back"


def test_cuts_and_restores(link):
    with connect(link) as end:
        end.sendall(b"x")
        assert receive(end, 1) == b"x"
        link.cut()
        with pytest.raises(ConnectionResetError):
            end.recv(1)
        with pytest.raises(ConnectionResetError), connect(link) as other:  # while it connects, or after
            other.recv(1)
        link.restore()
        with connect(link) as other:
            other.sendall(b"y")
            assert receive(other, 1) == b"y"


def test_silences(link):
    with connect(link) as end:
        end.settimeout(0.3)
        link.silence()
        end.sendall(b"x")
        with pytest.raises(TimeoutError):
            end.recv(1)
        link.restore()
        end.settimeout(10)
        assert receive(end, 1) == b"x", "nothing was lost in it"


def test_tears_in_the_midst(link):
    with connect(link) as end:
        end.sendall(b"x")
        assert receive(end, 1) == b"x"
        link.tear(random.Random(3))
        end.sendall(b"y" * 1000)
        with pytest.raises(ConnectionResetError):
            while end.recv(65536):
                pass


def test_strands(link):
    with connect(link) as end:
        end.sendall(b"x")
        assert receive(end, 1) == b"x"
        link.strand()
        end.settimeout(0.3)
        end.sendall(b"y")
        with pytest.raises(TimeoutError):
            end.recv(1)
    wait.until(lambda: not link._all(), "it has noticed that the client has left")
