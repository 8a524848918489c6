"""stack.env: where everything is, in names that outside programs and tests rely on."""

import os
import shlex

from . import files, tokens
from .settings import HOST, Settings


def variables(settings: Settings, connection_string: str) -> dict:
    ports = settings.ports
    return {
        "HELIOGRAPH_API_URL": f"http://{HOST}:{ports['api']}",
        "HELIOGRAPH_ADMIN_URL": f"http://{HOST}:{ports['api_admin']}",
        "HELIOGRAPH_INGEST_ADMIN_URL": f"http://{HOST}:{ports['ingest_admin']}",
        "HELIOGRAPH_RECORDER_ADMIN_URL": f"http://{HOST}:{ports['recorder_admin']}",
        "HELIOGRAPH_TOKEN": files.read_secret(tokens.token_file(settings)),
        "HELIOGRAPH_MQTT_HOST": HOST,
        "HELIOGRAPH_MQTT_PORT": str(ports["devices"]),
        "HELIOGRAPH_MQTT_SERVICE_PORT": str(ports["services"]),
        "HELIOGRAPH_CERTS": str(settings.certs),
        "HELIOGRAPH_KAFKA": settings.kafka_address,
        "HELIOGRAPH_POSTGRES": connection_string,
        "HELIOGRAPH_TOPIC_PREFIX": settings.topic_prefix,
    }


def merged(values: dict) -> dict:
    """For a child process."""
    return {**os.environ, **values}


def path(settings: Settings):
    return settings.data / "stack.env"


def write(settings: Settings, connection_string: str) -> None:
    """0600, since it holds the token and a password. Quoted for a shell only where that is needed."""
    lines = [f"{name}={shlex.quote(value)}" for name, value in variables(settings, connection_string).items()]
    files.write(path(settings), "\n".join(lines) + "\n")
