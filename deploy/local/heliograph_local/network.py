"""Ports on loopback."""

import random
import socket

from .problem import Problem
from .settings import HOST, PORTS


_reserved = []  # sockets that hold a name as long as they are open


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        # What a server would do too: connections that are still closing do not hold the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            # Listening, because with SO_REUSEADDR two sockets may bind, but only one may listen.
            probe.listen(1)
        except OSError:
            return False
    return True


def require_free(port: int, name: str) -> None:
    """A Problem that names the port, what it is for and the variable that chooses another."""
    if is_free(port):
        return
    variable, what = next((variable, what) for each, variable, _, what in PORTS if each == name)
    raise Problem(
        f"Port {port}, wanted for {what}, is taken by another program. "
        f"Stop that program, or choose another port: {variable}={port + 1000} ./dev up"
    )


def free_port() -> int:
    """One below those that the kernel gives to outgoing connections. As long as this process lives no other one of ours gets
    it from here, also while nobody listens: a server that a test has ended comes back there."""
    while True:
        port = random.SystemRandom().randrange(20000, 32000)
        if is_free(port) and _reserve(port):
            return port


def free_ports() -> dict:
    """A free port for each use."""
    return {name: free_port() for name, *_ in PORTS}


def _reserve(port: int) -> bool:
    """By a name that the kernel gives to one process and frees with it. False: another one has it."""
    holder = socket.socket(socket.AF_UNIX)
    try:
        holder.bind(f"\0heliograph-port-{port}")
    except OSError:
        holder.close()
        return False
    _reserved.append(holder)
    return True
