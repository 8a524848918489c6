"""Kafka: one node, KRaft, loopback."""

import base64
import glob
import os
import subprocess
from pathlib import Path

from . import files, kafka_jars
from .problem import Problem
from .service import Service, program
from .settings import ROOT

FOLDER = ROOT / "deploy/local/kafka"
# Bounded: a heap of 512 MB makes about 400 MB resident. Out of memory is an end, not a limp.
JAVA_OPTIONS = ("-Xms128m", "-Xmx512m", "-XX:+ExitOnOutOfMemoryError", "-Djava.awt.headless=true")


class Kafka(Service):
    name = "kafka"
    port_names = ("kafka", "kafka_controller")
    stop_seconds = 30.0
    # 3 s on an idle machine; more than a minute was seen where every core was busy with something else.
    ready_seconds = 180.0

    @property
    def home(self) -> Path:
        folder = self.settings.data / self.name
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    def prepare(self) -> bool:
        home = self.home
        changed = files.write(home / "server.properties", self._configuration())
        if not (home / "data/meta.properties").exists():
            self._format()
        return changed

    def _configuration(self) -> str:
        return files.fill(
            FOLDER / "server.properties",
            HOME=self.home,
            PORT=self.settings.ports["kafka"],
            CONTROLLER_PORT=self.settings.ports["kafka_controller"],
            MAX_PACKET_BYTES=self.settings.max_packet_bytes,
            MAX_MESSAGE_BYTES=self.settings.max_message_bytes,
        )

    def _format(self) -> None:
        # A cluster id is 16 bytes in URL-safe base64; one that begins with - would be taken for an option.
        cluster = "H" + base64.urlsafe_b64encode(os.urandom(16)).decode()[1:22]
        command = [*self._java(), "kafka.tools.StorageTool", "format", "-t", cluster, "-c", self.marker()]
        ended = subprocess.run(command, cwd=self.home, capture_output=True, text=True, check=False)
        if ended.returncode != 0:
            raise Problem(f"Kafka's data folder could not be made:\n{ended.stdout}{ended.stderr}")

    def _java(self) -> list:
        installed = sorted(glob.glob("/usr/lib/jvm/java-17-openjdk-*/bin/java"))
        java = installed[0] if installed else program("java")
        logging = f"-Dlog4j2.configurationFile={FOLDER / 'log4j2.yaml'}"
        jars = f"{kafka_jars.folder(self.settings)}/*"
        return [java, *JAVA_OPTIONS, logging, "-cp", jars]

    def command(self) -> list:
        return [*self._java(), "kafka.Kafka", self.marker()]

    def marker(self) -> str:
        return str(self.settings.data / self.name / "server.properties")

    def working_folder(self) -> Path:
        return self.home

    def missing(self) -> str:
        # Debian's package; imported here so that the rest works without it.
        from confluent_kafka import KafkaException
        from confluent_kafka.admin import AdminClient

        client = AdminClient({"bootstrap.servers": self.settings.kafka_address, "log_level": 0})
        try:
            return "" if client.list_topics(timeout=3).brokers else "no broker is registered yet"
        except KafkaException as error:
            return error.args[0].str()

