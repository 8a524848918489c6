"""The broker.

Ingest must have subscribed before the first device can connect, or what that device says reaches nobody and is
acknowledged all the same. So a broker that starts together with the stack first opens the services' listener only; when
ingest is ready (its subscription has been seen to work), the broker is restarted with both listeners. Ingest's session is
kept across that restart, and across all later ones. Mosquitto cannot open a listener while it runs."""

import os
import shutil
import ssl
import socket
from pathlib import Path

from . import files, homes
from .service import Service, program
from .settings import HOST, ROOT

FOLDER = ROOT / "deploy/local/mosquitto"
CERTIFICATES = ("devices-ca.crt", "services-ca.crt", "broker.crt", "broker.key")


class Mosquitto(Service):
    name = "mosquitto"
    port_names = ("devices", "services")

    def __init__(self, settings):
        super().__init__(settings)
        self.account = homes.Account("mosquitto")
        self.for_devices = True  # False: the services' listener only

    @property
    def home(self) -> Path:
        return homes.home(self.settings.data, self.name, self.account)

    def prepare(self) -> bool:
        home, changed = self.home, False
        for name in CERTIFICATES:
            text = (self.settings.certs / name).read_text()
            changed |= files.write(home / name, text, 0o600, self.account.ids)
        for name in ("devices.acl", "services.acl"):
            text = files.fill(FOLDER / name, PREFIX=self.settings.topic_prefix)
            changed |= files.write(home / name, text, 0o600, self.account.ids)
        return files.write(home / "mosquitto.conf", self._configuration(home), 0o600, self.account.ids) or changed

    def _configuration(self, home: Path) -> str:
        values = {
            "HOME": home,
            "USER": self.account.name,
            "MAX_PACKET_BYTES": self.settings.max_packet_bytes,
            "DEVICE_PORT": self.settings.ports["devices"],
            "SERVICE_PORT": self.settings.ports["services"],
        }
        devices = files.fill(FOLDER / "devices-listener.conf", **values) if self.for_devices else ""
        return files.fill(FOLDER / "mosquitto.conf", DEVICES_LISTENER=devices, **values)

    def command(self) -> list:
        return [program("mosquitto"), "-c", self.marker()]

    def marker(self) -> str:
        return str(self.home / "mosquitto.conf")

    def working_folder(self) -> Path:
        return self.home

    def missing(self) -> str:
        ports = self.port_names if self.for_devices else ("services",)
        for name in ports:
            try:
                self.handshake(self.settings.ports[name])
            except (OSError, ssl.SSLError) as error:
                return f"port {self.settings.ports[name]}: {error}"
        return ""

    def handshake(self, port: int) -> None:
        """The broker shows its own certificate. That it wants ours is only known after the handshake in TLS 1.3."""
        context = ssl.create_default_context(cafile=self.settings.certs / "ca.crt")
        context.maximum_version = ssl.TLSVersion.TLSv1_3
        with socket.create_connection((HOST, port), timeout=1) as plain:
            with context.wrap_socket(plain, server_hostname=HOST):
                pass

    def open_to_devices(self) -> None:
        """The second phase; does nothing when devices can connect already."""
        self.for_devices = True
        self.start()
        self.wait()

    def admits_devices(self) -> bool:
        """Does it run with both listeners? What it was started with stands in its configuration."""
        file = self.home / "mosquitto.conf"
        return bool(self.pid()) and file.exists() and f"listener {self.settings.ports['devices']} " in file.read_text()


def forget_everything(settings) -> None:
    """Sessions and queues of a broker that does not run; for tests that begin anew."""
    shutil.rmtree(os.path.realpath(settings.data / "mosquitto"), ignore_errors=True)
