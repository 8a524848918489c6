"""Devices, publishers of numbers and ingest processes around a broker and a Kafka, and what must be true of the log."""

import subprocess

from confluent_kafka.admin import AdminClient, ConfigResource
from harness import certificates
from harness.ingest_process import IngestProcess
from harness.mqtt import Client
from heliograph_local.settings import HOST

# mosquitto_pub -l takes the 65,536th message for the last one.
MOST_NUMBERS = 60_000


class IngestBench:
    """Its ingest processes end with the test. Threads: one thread."""

    def __init__(self, servers, folder):
        self.servers = servers
        self.settings = servers.settings
        self._folder = folder
        self._started = []

    def ingest(self, **overrides) -> IngestProcess:
        process = IngestProcess(self.settings, self._folder, **overrides)
        self._started.append(process)
        return process

    def end(self) -> None:
        for process in self._started:
            process.end()
            # Or the broker would keep messages for it.
            self.service("ingest", process.client_id).connect().close()

    def client(self, listener: str, pair, client_id: str) -> Client:
        return Client(self.settings.ports[listener], self.settings.certs / "ca.crt", pair, client_id)

    def device(self, name: str) -> Client:
        return self.client("devices", certificates.pair(self.settings.certs, name), name).connect()

    def service(self, role: str, client_id: str) -> Client:
        return self.client("services", certificates.pair(self.settings.certs, role), client_id)

    def topic(self, name: str, channel: str = "data", direction: str = "out") -> str:
        return f"{self.settings.topic_prefix}/{name}/{channel}/{direction}"

    def set_topic(self, topic: str, name: str, value: str) -> None:
        """Changes one setting of a Kafka topic; the others go back to the cluster's."""
        admin = AdminClient({"bootstrap.servers": self.settings.kafka_address})
        resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
        resource.set_config("message.timestamp.type", "LogAppendTime")
        resource.set_config(name, value)
        admin.alter_configs([resource])[resource].result(10)

    def publisher(self, name: str, first: int, count: int, qos: int = 1, size: int = 0) -> subprocess.Popen:
        """Numbers on the device's data topic, as fast as they go; the process ends when all are acknowledged."""
        assert count <= MOST_NUMBERS
        certs = self.settings.certs
        command = ["mosquitto_pub", "-V", "5", "-q", str(qos), "-l", "-h", HOST, "-p", str(self.settings.ports["devices"])]
        command += ["--cafile", certs / "ca.crt", "--cert", certs / f"{name}.crt", "--key", certs / f"{name}.key"]
        command += ["-t", self.topic(name)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        filler = "x" * size
        process.stdin.write("".join(f"{number} {filler}\n" for number in range(first, first + count)).encode())
        process.stdin.close()
        return process

    def publish_numbers(self, name: str, first: int, count: int, **options) -> None:
        process = self.publisher(name, first, count, **options)
        assert process.wait(timeout=120) == 0, process.stderr.read()


def numbers(records, name: str) -> list:
    """In the order of the log; one device is in one partition."""
    return [int(record.value.split()[0]) for record in records if record.key == name.encode()]


def assert_complete_and_in_order(records, name: str, count: int) -> list:
    """Every number is there, each for the first time in its order. Returns all, repeats too."""
    found = numbers(records, name)
    first_appearances = list(dict.fromkeys(found))
    missing = sorted(set(range(count)) - set(found))
    assert not missing, f"{len(missing)} of {count} are missing, from {missing[:5]}"
    assert first_appearances == sorted(first_appearances)
    return found


def all_arrived(ingest, name: str, count: int):
    return lambda: len(set(numbers(ingest.records("data"), name))) >= count
