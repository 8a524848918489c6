"""Thousands of simulated devices over mutual TLS, in as many processes as their file descriptors need."""

import resource
import time

import device_certificates
from chaos.load import Fleet
from harness.stack import Stack
from heliograph_local import certificates
from usage import cpu_seconds

DESCRIPTORS = 3  # that the fleet needs for a device
SECONDS = 300.0


def shared_out(prefix: str, count: int) -> list:
    """(prefix, how many) of each process: no more than its file descriptors allow."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    most = (hard - 64) // DESCRIPTORS if hard > 0 else count
    parts = -(-count // most)
    return [(f"{prefix}{number}-", count // parts + (number < count % parts)) for number in range(parts)]


def certify(stack: Stack, prefix: str, count: int) -> None:
    """Before the stack is up: it is told the owner by a rule for the prefix."""
    certs = stack.settings.certs
    if not (certs / "ca.crt").exists():
        stack.settings.make_folders()
        certificates.generate(stack.settings, "ca")
    names = [f"{part}{n}" for part, share in shared_out(prefix, count) for n in range(1, share + 1)]
    device_certificates.make(certs, [name for name in names if not (certs / f"{name}.crt").exists()])


class Fleets:
    """So many devices whose names begin so. Threads: one thread."""

    def __init__(self, stack: Stack, prefix: str, count: int, *flags: str):
        self._count = count
        self._fleets = [Fleet(stack, part, share, "--keepalive-s=60", *flags) for part, share in shared_out(prefix, count)]
        self.names = [name for fleet in self._fleets for name in fleet.names]

    def total(self, what: str) -> int:
        return sum(fleet.status()[what] for fleet in self._fleets)

    def order(self, line: str) -> None:
        for fleet in self._fleets:
            fleet.order(line)

    def rate(self, messages: int) -> None:
        for fleet in self._fleets:
            fleet.order(f"rate {round(messages * len(fleet.names) / self._count)}")

    def until(self, what: str, wanted: int) -> float:
        """When the total reached it, to some milliseconds."""
        deadline = time.monotonic() + SECONDS
        while (found := self.total(what)) < wanted:
            assert time.monotonic() < deadline, f"{found} of {wanted}: {what}"
            time.sleep(0.01)
        return time.monotonic()

    def cpu(self) -> float:
        return sum(cpu_seconds(fleet.pid()) for fleet in self._fleets)

    def finish(self) -> None:
        for fleet in self._fleets:
            fleet.finish()

    def kill(self) -> None:
        for fleet in self._fleets:
            fleet.kill()
