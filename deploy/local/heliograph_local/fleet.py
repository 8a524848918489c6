"""Simulated devices: heliograph-fleet as one more process of the stack."""

from . import certificates, owners
from .problem import Problem
from .service import Service
from .settings import HOST, Settings

TENANT = "demo"


class Fleet(Service):
    """`count` devices named PREFIX1, PREFIX2, … in one process. Threads: as Service."""

    stop_seconds = 10.0

    def __init__(self, settings: Settings, name: str = "fleet", prefix: str = "solar-", count: int = 1, flags: tuple = ()):
        super().__init__(settings)
        self.name = name
        self.prefix = prefix
        self.count = count
        self._flags = flags

    @property
    def client_ids(self) -> list:
        return [f"{self.prefix}{number}" for number in range(1, self.count + 1)]

    def prepare(self) -> bool:
        if not (self.settings.programs / "heliograph-fleet").exists():
            raise Problem(f"heliograph-fleet is not built: {self.settings.programs} does not have it. Try ./dev build")
        certificates.ensure_devices(self.settings, self.client_ids, TENANT)
        owners.ensure(self.settings.data / "owners.yaml", [(f"{self.prefix}*", TENANT)])
        return True  # what it simulates is given anew each time

    def command(self) -> list:
        return [
            str(self.settings.programs / "heliograph-fleet"),
            self.marker(),
            f"--client-id-prefix={self.prefix}",
            f"--devices={self.count}",
            f"--host={HOST}",
            f"--port={self.settings.ports['devices']}",
            f"--certs={self.settings.certs}",
            f"--topic-prefix={self.settings.topic_prefix}",
            *self._flags,
        ]

    def marker(self) -> str:
        # Its prefix alone is no name: other stacks have solar devices, too.
        return f"--run={self.settings.data}/{self.name}"

    def missing(self) -> str:
        return "" if self.pid() else "does not run"


def stop_all(settings: Settings) -> None:
    """Those of a demo, also of one that was killed."""
    for file in settings.run.glob("fleet*.pid"):
        Fleet(settings, file.stem).stop()


def of_demo(settings: Settings, count: int) -> tuple:
    """The fleet, and one device in a process of its own, which can be killed as if its power was cut. An action takes them a
    second, so that its stages can be seen."""
    flags = ("--stages", "--answer-delay-ms=1000")
    return (
        Fleet(settings, "fleet", "solar-", count - 1, flags),
        Fleet(settings, "fleet-pulled", "solar-pulled-", 1, flags),
    )
