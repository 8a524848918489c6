"""The whole stack for end-to-end tests: real servers and our daemons, on free ports in a temporary folder.

It is the stack of ./dev up (deploy/local/heliograph_local); here is only what tests need besides: certificates on demand,
what is in Kafka and PostgreSQL, what the admin endpoints say. Each service has start, stop, kill, pause, resume, wait:

    stack.ingest.kill(); stack.ingest.start(); stack.ingest.wait()
"""

import io
import json
import shutil
from contextlib import contextmanager

import httpx
import psycopg2
import psycopg2.extras
from harness import certificates, folders, kafka_log, metrics
from harness.certificates import Pair
from harness.mqtt import Client
from heliograph_local import certificates as stack_certificates
from heliograph_local import homes, network, owners, settings, stack_env
from heliograph_local.progress import Progress
from heliograph_local.stack import Stack as LocalStack


class Stack:
    """Threads: one thread."""

    def __init__(self, broker=None, **changes):
        """`broker`: a Mosquitto with more than the stack's own has. `changes`: of settings.Settings, as topic_prefix or
        max_packet_bytes."""
        chosen = settings.from_environment()
        self.settings = chosen.with_(data=folders.temporary(), ports=network.free_ports(), **changes)
        self._local = LocalStack(self.settings, Progress(io.StringIO()))
        if broker:
            self._local.servers.mosquitto = broker(self.settings)
        self.mosquitto = self._local.mosquitto
        self.kafka = self._local.kafka
        self.postgres = self._local.postgres
        self.ingest = self._local.ingest
        self.recorder = self._local.recorder
        self.api = self._local.api

    # --- Its life ---------------------------------------------------------------------------------------------------

    def up(self) -> None:
        """Starts what does not run; returns when all is ready."""
        self._local.up()

    def recover(self) -> None:
        """As up(), after a test that has killed or paused something."""
        for service in self._local.all():
            service.resume()
        self.up()

    def down(self) -> None:
        self._local.down()

    def remove(self) -> None:
        """Ends everything and removes the folder."""
        for service in self._local.all():
            service.kill()  # nothing of it is needed, and one that a test left paused would not answer SIGTERM
        homes.remove(self.settings.data)
        shutil.rmtree(self.settings.data.parent, ignore_errors=True)

    def restart(self, service) -> None:
        service.stop()
        service.start()
        service.wait()

    # --- Devices and services ---------------------------------------------------------------------------------------

    @property
    def prefix(self) -> str:
        return self.settings.topic_prefix

    def topic(self, client_id: str, channel: str, direction: str) -> str:
        return f"{self.prefix}/{client_id}/{channel}/{direction}"

    def certificate(self, name: str) -> Pair:
        """Of a service, or of a device that has one already."""
        return certificates.pair(self.settings.certs, name)

    def add_device(self, client_id: str, tenant: str = "demo") -> Pair:
        """Its certificate, and the rule that says whose device it is; without a tenant nobody's."""
        if not (self.settings.certs / f"{client_id}.crt").exists():
            stack_certificates.generate(self.settings, "device", client_id)
        if tenant:
            owners.set_owner(self.settings.data / "owners.yaml", client_id, tenant)
        return self.certificate(client_id)

    def device(self, client_id: str, tenant: str = "demo", **options) -> Client:
        """A client that is not yet connected."""
        pair = self.add_device(client_id, tenant)
        return Client(self.settings.ports["devices"], self.settings.certs / "ca.crt", pair, client_id, **options)

    # --- What became of it ------------------------------------------------------------------------------------------

    @property
    def variables(self) -> dict:
        """What stack.env holds."""
        return stack_env.variables(self.settings, self.postgres.connection_string())

    def ctl(self, *arguments: str) -> str:
        """Runs `heliograph ...` against this stack; its standard output. A Problem when it fails."""
        return self._local.ctl(*arguments)

    def rest(self, token: str = "") -> httpx.Client:
        """A client of the API with the operator's token, or another; "-" for none."""
        token = token or self.variables["HELIOGRAPH_TOKEN"]
        headers = {} if token == "-" else {"Authorization": f"Bearer {token}"}
        return httpx.Client(base_url=self.variables["HELIOGRAPH_API_URL"], headers=headers, timeout=10)

    def connection(self, client_id: str) -> dict:
        """As the API tells it; empty when it knows none."""
        with self.rest() as rest:
            answer = rest.get(f"/v1/connections/{client_id}")
        return answer.json() if answer.status_code == 200 else {}

    def query(self, sql: str, *parameters) -> list:
        """Rows as dictionaries, with the daemons' own role."""
        connection = psycopg2.connect(
            self.postgres.connection_string(), cursor_factory=psycopg2.extras.RealDictCursor, connect_timeout=5
        )
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(sql, parameters)
                return [dict(row) for row in cursor.fetchall()] if cursor.description else []
        finally:
            connection.close()

    def records(self, topic: str) -> list:
        """All of the topic, from its beginning to its present end: kafka_log.Record, by partition and offset."""
        return kafka_log.read(self.settings.kafka_address, topic)

    def metrics(self, daemon) -> metrics.Metrics:
        status, text = daemon.admin("/metrics")
        assert status == 200, text
        return metrics.parse(text)

    def log_events(self, daemon) -> list:
        """The daemon's log as objects; lines that are no JSON, as a crash writes them, as {"text": line}."""
        lines = daemon.log_file.read_text(errors="replace").splitlines()
        return [json.loads(line) if line.startswith("{") else {"text": line} for line in lines]


@contextmanager
def running(**changes):
    """A stack of a test's own, up and ready; removed at the end."""
    stack = Stack(**changes)
    try:
        stack.up()
        yield stack
    finally:
        stack.remove()
