"""heliograph-ingest alone, between a broker and a Kafka that are there already: its own session, its own topics."""

import signal
import subprocess
import time
import uuid
from pathlib import Path

import httpx
from harness import kafka_log, metrics, wait
from heliograph_local import network
from heliograph_local.settings import HOST, from_environment


class IngestProcess:
    """`overrides`: settings by their environment names without the program, as WINDOW__MAX_AGE_MS.

    Topics and the MQTT client id are new, so tests do not see each other's messages. Threads: one thread."""

    def __init__(self, settings, folder: Path, **overrides):
        self._settings = settings
        self._program = from_environment().programs / "heliograph-ingest"
        self._log = folder / "ingest.log"
        name = uuid.uuid4().hex[:8]
        self.client_id = overrides.get("MQTT__CLIENT_ID", f"@ingest-{name}")
        self.topics = {channel: f"{channel}-{name}" for channel in ("control", "data", "dead_letter")}
        self.admin_port = network.free_port()
        certs = settings.certs
        values = {
            "TOPIC_PREFIX": settings.topic_prefix,
            "LOG__FORMAT": "json",
            "ADMIN__PORT": self.admin_port,
            "MQTT__HOSTS": f"{HOST}:{settings.ports['services']}",
            "MQTT__CLIENT_ID": self.client_id,
            "MQTT__SESSION_EXPIRY_S": 600,
            "MQTT__CA_FILE": certs / "ca.crt",
            "MQTT__CERT_FILE": certs / "ingest.crt",
            "MQTT__KEY_FILE": certs / "ingest.key",
            "KAFKA__BROKERS": settings.kafka_address,
            "TOPICS__CONTROL": f"{self.topics['control']}:3:1",
            "TOPICS__DATA": f"{self.topics['data']}:3:1",
            "TOPICS__DEAD_LETTER": f"{self.topics['dead_letter']}:3:1",
            **overrides,
        }
        self._environment = {f"HELIOGRAPH_INGEST__{name}": str(value) for name, value in values.items()}
        self._child = None

    def start(self, **overrides) -> "IngestProcess":
        """Does not wait. `overrides` stay for later starts."""
        self._environment.update({f"HELIOGRAPH_INGEST__{name}": str(value) for name, value in overrides.items()})
        with open(self._log, "ab") as log:
            self._child = subprocess.Popen([self._program], env=self._environment, stderr=log, stdin=subprocess.DEVNULL)
        return self

    def ready(self, seconds: float = 20) -> "IngestProcess":
        wait.until(lambda: self.health().get("ready"), f"ingest is ready; it says {self.health()}", seconds)
        return self

    def kill(self) -> None:
        self._child.kill()
        self._child.wait()

    def stop(self) -> float:
        """SIGTERM; the seconds it took. It must end with 0."""
        began = time.monotonic()
        self._child.terminate()
        code = self._child.wait(timeout=20)
        assert code == 0, f"ended with {code}: {self.log()[-2000:]}"
        return time.monotonic() - began

    def end(self) -> None:
        """However it is."""
        if self._child and self._child.poll() is None:
            self._child.send_signal(signal.SIGCONT)
            self.kill()

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def alive(self) -> bool:
        return self._child.poll() is None

    def health(self) -> dict:
        """/readyz; empty while nobody answers."""
        try:
            return httpx.get(f"http://{HOST}:{self.admin_port}/readyz", timeout=5).json()
        except httpx.HTTPError:
            return {}

    def reason(self, dependency: str) -> str:
        """Why it is not ready; "" when it is, or when nobody answers."""
        return self.health().get("dependencies", {}).get(dependency, {}).get("reason", "")

    def value(self, name: str, **labels: str) -> float:
        """Of the metric heliograph_ingest_{name}; 0 while nobody answers."""
        return self.process_value(f"heliograph_ingest_{name}", **labels)

    def process_value(self, name: str, **labels: str) -> float:
        try:
            text = httpx.get(f"http://{HOST}:{self.admin_port}/metrics", timeout=5).text
        except httpx.HTTPError:
            return 0
        return metrics.parse(text).value(name, **labels)

    def log(self) -> str:
        return self._log.read_text()

    def records(self, channel: str) -> list:
        """Of the topic for "control", "data" or "dead_letter"."""
        return kafka_log.read(self._settings.kafka_address, self.topics[channel])

    def wait_for_records(self, channel: str, count: int, seconds: float = 30) -> list:
        return wait.until(
            lambda: (found := self.records(channel)) and len(found) >= count and found,
            f"{count} records in {self.topics[channel]}",
            seconds,
        )
