"""The stack that is broken: that of the end-to-end tests, with links in between that can be, and second replicas."""

import os
import signal
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.link import Link
from harness.recorder_process import RecorderProcess
from harness.stack import Stack
from heliograph_local import certificates, files, network, owners
from heliograph_local.daemons import Daemon
from heliograph_local.kafka import Kafka
from heliograph_local.settings import HOST

# How long a recorder may be silent before others get its partitions, where a case waits for that.
SESSION_SECONDS = 3
SESSION = {"KAFKA__PROPERTIES": f"session.timeout.ms={SESSION_SECONDS * 1000},heartbeat.interval.ms=500"}
TOPICS = {
    "control": "device.control", "data": "device.data", "dead_letter": "device.dead-letter", "events": "connection.events",
    "results": "action.results", "action_dead_letter": "action.dead-letter",
}  # fmt: skip


class LinkedKafka(Kafka):
    """With a second listener, which tells its clients to come through a link. Threads: as Service."""

    def __init__(self, settings):
        super().__init__(settings)
        self._port = network.free_port()
        self.link = Link(self._port)

    def _configuration(self) -> str:
        """The last line of a name counts."""
        lines = {}
        for line in super()._configuration().splitlines():
            name, _, value = line.partition("=")
            lines[name] = value
        more = {
            "listeners": f"LINKED://{HOST}:{self._port}",
            "advertised.listeners": f"LINKED://{HOST}:{self.link.port}",
            "listener.security.protocol.map": "LINKED:PLAINTEXT",
        }
        text = "".join(f"{name}={lines[name]},{value}\n" for name, value in more.items())
        return f"{super()._configuration()}\n{text}group.min.session.timeout.ms={SESSION_SECONDS * 1000}\n"


class SecondApi(Daemon):
    """A replica of the API, on ports of its own. Threads: as Service."""

    def __init__(self, settings):
        ports = {**settings.ports, "api": network.free_port(), "api_admin": network.free_port()}
        super().__init__(settings.with_(ports=ports), "api", ("api", "api_admin"))

    def marker(self) -> str:
        return str(self.settings.config / "second-api.yaml")

    @property
    def pid_file(self) -> Path:
        return self.settings.run / "second-api.pid"

    @property
    def log_file(self) -> Path:
        return self.settings.log / "second-api.log"

    def end(self) -> None:
        self.kill()


@dataclass(frozen=True)
class _Surroundings:
    """What a RecorderProcess asks of its bench. Threads: immutable."""

    servers: object
    programs: Path
    folder: Path
    topics: dict
    name: str
    database: str
    owners: Path


class Plant(Stack):
    """Threads: one thread."""

    def __init__(self):
        super().__init__()
        self.kafka = self._local.servers.kafka = LinkedKafka(self.settings)
        self.links = {
            "broker": Link(self.settings.ports["services"]),
            "kafka": self.kafka.link,
            "postgres": Link(self.settings.ports["postgres"]),
        }
        self.replicas = []  # further processes that must be ready, too: something with health()

    def prepare(self, prefixes: dict) -> None:
        """Certificates and owners of devices: prefix -> how many."""
        names = [f"{prefix}{number}" for prefix, count in prefixes.items() for number in range(1, count + 1)]
        certificates.ensure_devices(self.settings, names)
        owners.ensure(self.settings.data / "owners.yaml", [(f"{prefix}*", "demo") for prefix in prefixes])

    def remove(self) -> None:
        for replica in self.replicas:
            replica.end()
        for link in self.links.values():
            link.close()
        super().remove()

    @property
    def daemons(self) -> tuple:
        return self.ingest, self.recorder, self.api

    def not_ready(self) -> list:
        """Which processes are not, and why."""
        found = [f"{one.name}: {why}" for one in self.daemons if (why := one.missing())]
        return found + [f"a replica: {one.health()}" for one in self.replicas if not one.health().get("ready")]

    def start_anew(self, daemon, **overrides) -> None:
        """With these settings only; waits until it is ready."""
        daemon.overrides = overrides
        self.restart_all(daemon)

    def restart_all(self, *daemons) -> None:
        """At once; waits until they are ready."""
        for daemon in daemons:
            daemon.stop()
        for daemon in daemons:
            daemon.start()
        for daemon in daemons:
            daemon.wait()

    def through_link(self, daemon, name: str) -> dict:
        """The overrides by which this daemon reaches that server through its link."""
        port = self.links[name].port
        if name == "broker":
            return {"MQTT__HOSTS": f"{HOST}:{port}"}
        if name == "kafka":
            return {"KAFKA__BROKERS": f"{HOST}:{port}"}
        return {"POSTGRES__CONNECTION": f"host={HOST} port={port} dbname=heliograph user=heliograph"}

    @contextmanager
    def second_recorder(self, **overrides):
        """A replica, ready; gone at the end."""
        surroundings = _Surroundings(
            self, self.settings.programs, self.settings.log, TOPICS, "second", self.postgres.connection_string(),
            self.settings.data / "owners.yaml",
        )  # fmt: skip
        more = {"KAFKA__GROUP_ID": "heliograph-recorder", "MAX_PACKET_BYTES": self.settings.max_packet_bytes}
        with self._replica(RecorderProcess(surroundings, "second-recorder", **more, **overrides)) as replica:
            yield replica

    @contextmanager
    def second_api(self):
        """As second_recorder."""
        replica = SecondApi(self.settings)
        self.replicas.append(replica)
        try:
            replica.start()
            replica.wait()
            yield replica
        finally:
            self.replicas.remove(replica)
            replica.end()

    @contextmanager
    def _replica(self, process):
        self.replicas.append(process)
        try:
            yield process.start().ready()
        finally:
            self.replicas.remove(process)
            process.end()

    def applied(self) -> dict:
        """(topic, partition) -> the offset that the recorder goes on from."""
        rows = self.query("SELECT topic, partition, next_offset FROM kafka_offsets")
        return {(row["topic"], row["partition"]): row["next_offset"] for row in rows}

    @contextmanager
    def postgres_stopped(self):
        """All of its processes: the first one first, so that it makes no more of them."""
        first = self.postgres.pid()
        os.kill(first, signal.SIGSTOP)
        children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        processes = [first, *map(int, children)]
        for pid in processes[1:]:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in processes:
                os.kill(pid, signal.SIGCONT)

    def as_admin(self, *statements: str) -> None:
        connection = self.postgres.connect_as_admin(options="-c default_transaction_read_only=off")
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
        connection.close()

    def keep_logs(self, folder: Path) -> None:
        """For whoever wants to know why."""
        folder.mkdir(parents=True, exist_ok=True)
        for log in self.settings.log.glob("*.log"):
            files.write(folder / log.name, log.read_text(errors="replace"))
