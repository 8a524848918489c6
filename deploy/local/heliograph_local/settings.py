"""What may be chosen from the environment, and where everything is: one immutable value."""

import json
import os
import re
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from .problem import Problem

ROOT = Path(__file__).resolve().parents[3]

# name in `Ports`, variable that overrides it, default, what it is for
PORTS = (
    ("devices", "HELIOGRAPH_MQTT_PORT", 18883, "MQTT for devices"),
    ("services", "HELIOGRAPH_MQTT_SERVICE_PORT", 18884, "MQTT for services"),
    ("kafka", "HELIOGRAPH_KAFKA_PORT", 19092, "Kafka"),
    ("kafka_controller", "HELIOGRAPH_KAFKA_CONTROLLER_PORT", 19093, "Kafka's controller"),
    ("postgres", "HELIOGRAPH_POSTGRES_PORT", 15432, "PostgreSQL"),
    ("api", "HELIOGRAPH_API_PORT", 18080, "the REST API"),
    ("ingest_admin", "HELIOGRAPH_INGEST_ADMIN_PORT", 19101, "ingest's admin endpoint"),
    ("recorder_admin", "HELIOGRAPH_RECORDER_ADMIN_PORT", 19102, "recorder's admin endpoint"),
    ("api_admin", "HELIOGRAPH_API_ADMIN_PORT", 19103, "the API's admin endpoint"),
)
HOST = "127.0.0.1"
# Kafka must take what the broker lets in, with key, headers and the batch's own bytes.
KAFKA_MARGIN_BYTES = 64 * 1024


@dataclass(frozen=True)
class Settings:
    """Threads: immutable."""

    data: Path
    cache: Path
    programs: Path
    topic_prefix: str = "heliograph"
    max_packet_bytes: int = 1024 * 1024
    partitions: int = 3
    ports: dict = field(default_factory=lambda: {name: default for name, _, default, _ in PORTS})

    @property
    def certs(self) -> Path:
        return self.data / "certs"

    @property
    def config(self) -> Path:
        return self.data / "config"

    @property
    def run(self) -> Path:
        return self.data / "run"

    @property
    def log(self) -> Path:
        return self.data / "log"

    @property
    def max_message_bytes(self) -> int:
        return self.max_packet_bytes + KAFKA_MARGIN_BYTES

    @property
    def kafka_address(self) -> str:
        return f"{HOST}:{self.ports['kafka']}"

    def with_(self, **changes) -> "Settings":
        return replace(self, **changes)

    def make_folders(self) -> None:
        # Traversable, so that the servers' accounts reach their own folders below; what is secret is 0600 by itself.
        self.data.mkdir(mode=0o755, parents=True, exist_ok=True)
        for folder in (self.certs, self.config, self.run, self.log):
            folder.mkdir(mode=0o700, exist_ok=True)

    def save(self) -> None:
        """Remembers what `up` was given, so that `restart` in another shell means the same stack."""
        values = asdict(self)
        (self.data / "settings.json").write_text(
            json.dumps({k: str(v) if isinstance(v, Path) else v for k, v in values.items()}, indent=1)
        )


def from_environment(environment=os.environ) -> Settings:
    """The defaults with the overrides; a value that cannot be is a Problem that names its variable."""
    data = data_folder(environment)
    cache = environment.get("HELIOGRAPH_CACHE")
    programs = environment.get("HELIOGRAPH_PROGRAMS")
    return Settings(
        data=data,
        cache=Path(cache).absolute() if cache else ROOT / ".local",
        programs=Path(programs).absolute() if programs else Path(environment.get("HELIOGRAPH_BUILD") or ROOT / "build").absolute() / "dev/bin",
        topic_prefix=_topic_prefix(environment.get("HELIOGRAPH_TOPIC_PREFIX", "heliograph")),
        max_packet_bytes=_number(environment, "HELIOGRAPH_MAX_PACKET_BYTES", 1024 * 1024, 1024, 256 * 1024 * 1024),
        ports=_ports(environment),
    )


def saved_or_from_environment(environment=os.environ) -> Settings:
    """What the last `up` in this data folder was given; for commands that must not change it."""
    file = data_folder(environment) / "settings.json"
    if not file.exists():
        return from_environment(environment)
    values = json.loads(file.read_text())
    for name in ("data", "cache", "programs"):
        values[name] = Path(values[name])
    return Settings(**values)


def data_folder(environment=os.environ) -> Path:
    data = Path(environment.get("HELIOGRAPH_DATA") or ROOT / ".local").absolute()
    # Five file formats carry this path; these characters mean something in one of them.
    if re.search(r"[\x00-\x1f\"'\\,@%$:;#]", str(data)):
        raise Problem(f"The data folder's path may not contain quotes, commas or control characters: {data}")
    return data


def _topic_prefix(prefix: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*", prefix) or len(prefix) > 200:
        raise Problem(
            f"HELIOGRAPH_TOPIC_PREFIX is '{prefix}': it takes one or more levels of A-Z a-z 0-9 . _ - separated by /"
        )
    return prefix


def _number(environment, variable: str, default: int, lowest: int, highest: int) -> int:
    text = environment.get(variable, "")
    if not text:
        return default
    if not re.fullmatch(r"[0-9]{1,12}", text) or not lowest <= int(text) <= highest:
        raise Problem(f"{variable} is '{text}': it takes a number from {lowest} to {highest}")
    return int(text)


def _ports(environment) -> dict:
    ports = {name: _number(environment, variable, default, 1, 65535) for name, variable, default, _ in PORTS}
    users = {}
    for name, variable, _, _ in PORTS:
        if ports[name] in users:
            raise Problem(f"{variable} and {users[ports[name]]} are both {ports[name]}; each needs a port of its own")
        users[ports[name]] = variable
    return ports
