"""Kafka and PostgreSQL as a site has them that is not one machine: TLS with certificates that are verified, and passwords."""

import shutil
from contextlib import contextmanager
from pathlib import Path

from harness import folders
from heliograph_local import certificates, files, homes, kafka_jars, network, settings
from heliograph_local.kafka import Kafka
from heliograph_local.postgres import Postgres
from heliograph_local.settings import HOST

USER = "heliograph"


class SecuredKafka(Kafka):
    """With one more listener: SASL_SSL, mechanism PLAIN. The plain one is for tests to look behind it."""

    password = "a password, with=signs"

    def __init__(self, chosen):
        super().__init__(chosen)
        self.secured_port = network.free_port()

    @property
    def address(self) -> str:
        return f"{HOST}:{self.secured_port}"

    def prepare(self) -> bool:
        super().prepare()
        file, certs = self.home / "server.properties", self.settings.certs
        # Kafka takes key and certificates from one PEM file.
        keystore = self.home / "keystore.pem"
        files.write(keystore, (certs / "broker.key").read_text() + (certs / "broker.crt").read_text())
        plain, listener = f"CLIENTS://{self.settings.kafka_address}", "listener.name.secured"
        # Of a name that stands twice, the last counts.
        lines = [
            f"listeners={plain},SECURED://{self.address},CONTROLLER://{HOST}:{self.settings.ports['kafka_controller']}",
            f"advertised.listeners={plain},SECURED://{self.address}",
            "listener.security.protocol.map=CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURED:SASL_SSL",
            f"{listener}.ssl.keystore.type=PEM",
            f"{listener}.ssl.keystore.location={keystore}",
            f"{listener}.sasl.enabled.mechanisms=PLAIN",
            f"{listener}.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required"
            f' user_{USER}="{self.password}";',
        ]
        return files.write(file, file.read_text() + "\n".join(lines) + "\n")


class SecuredPostgres(Postgres):
    """Takes connections over TLS only."""

    def prepare(self) -> bool:
        super().prepare()
        home, certs = self.home, self.settings.certs
        for name in ("broker.crt", "broker.key"):
            files.write(home / name, (certs / name).read_text(), 0o600, self.account.ids)
        own = (home / "postgresql.conf").read_text()
        tls = f"ssl = on\nssl_cert_file = '{home}/broker.crt'\nssl_key_file = '{home}/broker.key'\n"
        rules = (home / "pg_hba.conf").read_text().replace("\nhost ", "\nhostssl ")
        changed = files.write(home / "pg_hba.conf", rules, 0o600, self.account.ids)
        return files.write(home / "postgresql.conf", own + tls, 0o600, self.account.ids) or changed


@contextmanager
def running(kind):
    """One of the two, in a temporary folder, with certificates of its own."""
    data = folders.temporary()
    chosen = settings.from_environment().with_(data=data, ports=network.free_ports())
    chosen.make_folders()
    certificates.ensure(chosen)
    kafka_jars.fetch(chosen)
    server = kind(chosen)
    try:
        server.start()
        server.wait()
        yield server
    finally:
        server.stop()
        homes.remove(data)
        shutil.rmtree(Path(data).parent, ignore_errors=True)
