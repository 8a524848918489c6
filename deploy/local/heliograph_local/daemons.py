"""Our own three daemons, with the configuration that this machine's stack gives them."""

import json
import urllib.error
import urllib.request
from pathlib import Path

from . import files
from .problem import Problem
from .service import Service
from .settings import HOST, ROOT

FOLDER = ROOT / "deploy/local/config"


class Daemon(Service):
    """heliograph-ingest, -recorder or -api; `missing` asks its own /readyz.

    `overrides`: settings by their environment names without the program, as KAFKA__BROKERS; they count from its next start."""

    # A consumer group that has lost its coordinator needs up to its session timeouts to come together again.
    ready_seconds = 90.0

    def __init__(self, settings, name: str, port_names: tuple):
        super().__init__(settings)
        self.name = name
        self.port_names = port_names
        self.overrides = {}

    def environment(self) -> dict:
        return {f"HELIOGRAPH_{self.name.upper()}__{key}": str(value) for key, value in self.overrides.items()}

    @property
    def admin_url(self) -> str:
        return f"http://{HOST}:{self.settings.ports[self.name + '_admin']}"

    def prepare(self) -> bool:
        settings = self.settings
        if not (settings.programs / f"heliograph-{self.name}").exists():
            raise Problem(f"heliograph-{self.name} is not built: {settings.programs} does not have it. Try ./dev build")
        text = files.fill(
            FOLDER / f"{self.name}.yaml",
            DATA=settings.data,
            CERTS=settings.certs,
            PREFIX=settings.topic_prefix,
            MAX_PACKET_BYTES=settings.max_packet_bytes,
            SERVICES=f"{HOST}:{settings.ports['services']}",
            KAFKA=settings.kafka_address,
            PARTITIONS=settings.partitions,
            HOST=HOST,
            POSTGRES_PORT=settings.ports["postgres"],
            API_PORT=settings.ports["api"],
            ADMIN_PORT=settings.ports[f"{self.name}_admin"],
        )
        return files.write(Path(self.marker()), text)

    def command(self) -> list:
        return [str(self.settings.programs / f"heliograph-{self.name}"), "--config", self.marker()]

    def marker(self) -> str:
        return str(self.settings.config / f"{self.name}.yaml")

    def missing(self) -> str:
        status, body = self.admin("/readyz")
        return "" if status == 200 else f"/readyz says {status} {body}"[:300]

    def admin(self, path: str) -> tuple:
        """GET at the admin endpoint: (status, text); status 0 when nobody answers."""
        try:
            with urllib.request.urlopen(self.admin_url + path, timeout=2) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(errors="replace")
        except OSError as error:
            return 0, str(error)

    def health(self) -> dict:
        """/readyz as the object that it is; empty when it does not answer JSON."""
        try:
            return json.loads(self.admin("/readyz")[1])
        except ValueError:
            return {}


def ingest(settings) -> Daemon:
    return Daemon(settings, "ingest", ("ingest_admin",))


def recorder(settings) -> Daemon:
    return Daemon(settings, "recorder", ("recorder_admin",))


def api(settings) -> Daemon:
    return Daemon(settings, "api", ("api", "api_admin"))
