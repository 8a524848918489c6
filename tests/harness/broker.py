"""A broker alone, configured as the stack configures it; much quicker to start than the three servers."""

import re
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

from harness import certificates, folders
from harness.certificates import Pair
from harness.mqtt import HOST, Client
from heliograph_local import certificates as stack_certificates
from heliograph_local import homes, network, settings
from heliograph_local.mosquitto import Mosquitto


class Broker:
    """Its two listeners, and clients for them. Threads: one thread."""

    def __init__(self, chosen: settings.Settings):
        self.settings = chosen
        self.service = Mosquitto(chosen)
        self.devices = chosen.ports["devices"]
        self.services = chosen.ports["services"]
        self.prefix = chosen.topic_prefix

    def pair(self, name: str) -> Pair:
        return certificates.pair(self.settings.certs, name)

    def client(self, port: int, certificate, client_id: str = "", **options) -> Client:
        """`certificate`: a name in the stack's folder, a Pair, or None."""
        pair = self.pair(certificate) if isinstance(certificate, str) else certificate
        return Client(port, self.settings.certs / "ca.crt", pair, client_id, **options)

    def device(self, name: str, **options) -> Client:
        return self.client(self.devices, name, **options).connect()

    def service_client(self, role: str, client_id: str, **options) -> Client:
        return self.client(self.services, role, client_id, **options).connect()

    def topic(self, client_id: str, channel_and_direction: str) -> str:
        return f"{self.prefix}/{client_id}/{channel_and_direction}"

    def publish_reason(self, port: int, certificate, client_id: str, topic: str) -> int:
        """The reason code with which the broker acknowledges one message, as mosquitto_pub tells it."""
        pair = self.pair(certificate) if isinstance(certificate, str) else certificate
        command = ["mosquitto_pub", "-V", "5", "-d", "-q", "1", "-h", HOST, "-p", str(port), "-t", topic, "-m", "x"]
        command += ["--cafile", str(self.settings.certs / "ca.crt"), "-i", client_id]
        command += ["--cert", str(pair.certificate), "--key", str(pair.key)]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
        acknowledged = re.search(r"received PUBACK \(Mid: \d+, RC:(\d+)\)", ended.stdout)
        assert acknowledged, f"no PUBACK: {ended.stdout}{ended.stderr}"
        return int(acknowledged.group(1))


@contextmanager
def running(prefix: str = "heliograph", devices=("device-1", "device-2"), **changes):
    """A broker in a temporary folder with certificates for `devices`."""
    data = folders.temporary()
    chosen = settings.from_environment({}).with_(
        data=data, topic_prefix=prefix, ports=network.free_ports(), **changes
    )
    chosen.make_folders()
    stack_certificates.ensure(chosen)
    stack_certificates.ensure_devices(chosen, devices)
    broker = Broker(chosen)
    try:
        broker.service.start()
        broker.service.wait()
        yield broker
    finally:
        broker.service.stop()
        homes.remove(data)
        shutil.rmtree(Path(data).parent, ignore_errors=True)
