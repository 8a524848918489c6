"""The three servers alone, for developers and for tests: broker, Kafka, PostgreSQL on free ports in a folder of their own.

  ./dev servers DIR          starts them and prints what the integration tests read, as lines for a shell's eval
  ./dev servers DIR --stop   ends them and removes the folder
"""

import argparse
import json
import shlex
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import certificates, homes, kafka_jars, network, processes
from .kafka import Kafka
from .mosquitto import Mosquitto
from .postgres import Postgres
from .settings import HOST, Settings, from_environment, saved_or_from_environment

TEST_DEVICES = tuple(f"device-{number}" for number in range(1, 9))


class Servers:
    """Broker, Kafka and PostgreSQL. Threads: one thread; starts the three at once on threads of its own."""

    def __init__(self, settings: Settings):
        self.settings = settings
        self.mosquitto = Mosquitto(settings)
        self.kafka = Kafka(settings)
        self.postgres = Postgres(settings)

    def all(self) -> tuple:
        return (self.mosquitto, self.kafka, self.postgres)

    def start(self, told=lambda name, started: None) -> None:
        """Returns when all three answer. `told` hears of each, from another thread."""
        processes.raise_file_limit()
        with ThreadPoolExecutor(3) as pool:
            for done in [pool.submit(self._start, each, told) for each in self.all()]:
                done.result()

    @staticmethod
    def _start(service, told) -> None:
        started = service.start()
        service.wait()
        told(service.name, started)

    def stop(self) -> None:
        with ThreadPoolExecutor(3) as pool:
            for done in [pool.submit(each.stop) for each in self.all()]:
                done.result()


def test_variables(servers: Servers) -> dict:
    """What the integration tests read; see CONTRIBUTING.md."""
    ports = servers.settings.ports
    return {
        "HELIOGRAPH_TEST_KAFKA": servers.settings.kafka_address,
        "HELIOGRAPH_TEST_POSTGRES": servers.postgres.connection_string(),
        "HELIOGRAPH_TEST_MQTT_HOST": HOST,
        "HELIOGRAPH_TEST_MQTT_PORT": str(ports["devices"]),
        "HELIOGRAPH_TEST_MQTT_SERVICE_PORT": str(ports["services"]),
        "HELIOGRAPH_TEST_CERTS": str(servers.settings.certs),
        "HELIOGRAPH_TEST_TOPIC_PREFIX": servers.settings.topic_prefix,
    }


def start_for_tests(data: Path) -> Servers:
    """Starts (or finds running) the servers of `data` on free ports, with the certificates that tests use."""
    if (data / "settings.json").exists():
        settings = saved_or_from_environment({"HELIOGRAPH_DATA": str(data)})
    else:
        settings = from_environment().with_(data=data, ports=network.free_ports())
    settings.make_folders()
    settings.save()
    kafka_jars.fetch(settings)
    certificates.ensure(settings)
    certificates.ensure_devices(settings, TEST_DEVICES)
    servers = Servers(settings)
    servers.start()
    return servers


def stop_and_remove(data: Path) -> None:
    if (data / "settings.json").exists():
        Servers(saved_or_from_environment({"HELIOGRAPH_DATA": str(data)})).stop()
        homes.remove(data)


def main(given: list) -> int:
    parser = argparse.ArgumentParser(prog="./dev servers", description="Servers for trying and for tests.")
    parser.add_argument("dir", type=Path, help="a folder of their own")
    parser.add_argument("--stop", action="store_true", help="end them and remove the folder")
    parser.add_argument("--json", action="store_true", help="print the variables as JSON instead of shell lines")
    arguments = parser.parse_args(given)
    data = arguments.dir.absolute()
    if arguments.stop:
        stop_and_remove(data)
        return 0
    variables = test_variables(start_for_tests(data))
    if arguments.json:
        print(json.dumps(variables, indent=1))
    else:
        print("\n".join(f"export {name}={shlex.quote(value)}" for name, value in variables.items()))
    return 0
