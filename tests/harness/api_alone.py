"""heliograph-api alone, on a database of its own and the broker that tests share; both behind links that can be cut.

There is no recorder: tests write connections into the database as it would.
"""

import hashlib
import json
import os
import subprocess
import urllib.error
import urllib.request
import uuid
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg2
import psycopg2.extras
from harness import certificates, metrics
from harness.link import HOST, Link
from harness.mqtt import Client
from harness.wait import until
from heliograph_local import network
from heliograph_local.settings import ROOT

SCOPES = ("connections:read", "actions:write", "groups:read", "groups:write", "webhooks:read", "webhooks:write")
# Token -> (tenant or None for an operator, scopes).
TOKENS = {
    "operator-token": (None, (*SCOPES, "audit:read", "results:write")),
    "acme-equipment-token": ("acme", ("results:write",)),
    "acme-auditor-token": ("acme", ("audit:read",)),
    "acme-token": ("acme", SCOPES),
    "rival-token": ("rival", (*SCOPES, "results:write")),
    "reader-token": ("acme", SCOPES[:1]),
}


def programs() -> Path:
    return Path(os.environ.get("HELIOGRAPH_PROGRAMS", ROOT / "build/dev/bin"))


def write_tokens(file: Path, tokens: dict) -> None:
    """As an operator does it: a new file in place of the old one."""
    lines = ["tokens:"]
    for token, (tenant, scopes) in tokens.items():
        owner = f'tenant: "{tenant}"' if tenant else "operator: true"
        digest = hashlib.sha256(token.encode()).hexdigest()
        name = token.removesuffix("-token")
        lines.append(f'  - {{name: "{name}", sha256: "{digest}", {owner}, scopes: {json.dumps(list(scopes))}}}')
    fresh = file.with_suffix(".new")
    fresh.touch(mode=0o600)
    fresh.write_text("\n".join(lines) + "\n")
    fresh.rename(file)


@contextmanager
def running(servers, folder: Path, auth: dict | None = None, webhooks: dict | None = None, **actions):
    """An ApiAlone that has started; gone at the end. `auth`, `webhooks`: settings of those sections, of the first beside the
    tokens file."""
    api = ApiAlone(servers, folder, **actions)
    api.auth = auth or {}
    api.webhooks = webhooks or {}
    try:
        api.start()
        yield api
    finally:
        api.close()


class ApiAlone:
    """Threads: one thread."""

    def __init__(self, servers, folder: Path, **actions):
        """`actions`: settings of the section of that name."""
        self.servers = servers
        self.folder = folder
        self.database = servers.postgres.create_database("api_" + uuid.uuid4().hex[:8])
        ports = servers.settings.ports
        self.postgres_link = Link(ports["postgres"])
        self.broker_link = Link(ports["services"])
        self.ports = {"api": network.free_port(), "admin": network.free_port()}
        self.tokens_file = folder / "tokens.yaml"
        self.auth = {}  # settings of that section, beside the tokens file; set before `start`
        self.webhooks = {}  # the same
        self._actions = actions
        self._process = None
        write_tokens(self.tokens_file, TOKENS)
        self._migrate()

    def _migrate(self) -> None:
        for file in sorted((ROOT / "migrations").glob("*.up.sql")):
            self.query(file.read_text())

    # --- Its life ---------------------------------------------------------------------------------------------------

    def start(self, waits: bool = True) -> None:
        settings = {
            "listen": {"host": HOST, "port": self.ports["api"]},
            "admin": {"host": HOST, "port": self.ports["admin"]},
            "topic_prefix": self.servers.settings.topic_prefix,
            "mqtt": {
                "hosts": [f"{HOST}:{self.broker_link.port}"],
                "ca_file": str(self.servers.settings.certs / "ca.crt"),
                "cert_file": str(self.servers.settings.certs / "api.crt"),
                "key_file": str(self.servers.settings.certs / "api.key"),
                "backoff_longest_ms": 500,
            },
            "postgres": {
                "connection": self._database_through(self.postgres_link),
                "statement_timeout_ms": 2000,
                "lock_timeout_ms": 1000,
            },
            "auth": {"tokens_file": str(self.tokens_file), **self.auth},
            "actions": self._actions,
            "webhooks": self.webhooks,
        }
        file = self.folder / "api.yaml"
        file.write_text(json.dumps(settings))  # JSON is YAML
        with open(self.folder / "api.log", "ab") as log:
            self._process = subprocess.Popen(
                [str(programs() / "heliograph-api"), "--config", str(file)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        if waits:
            until(lambda: self.ready()[0] == 200, f"heliograph-api ready; {self.log()}")

    def _database_through(self, link: Link) -> str:
        return self.database.replace(f":{self.servers.settings.ports['postgres']}/", f":{link.port}/")

    def pid(self) -> int:
        return self._process.pid

    def is_running(self) -> bool:
        return self._process is not None

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def terminate(self) -> int:
        self._process.terminate()
        code = self._process.wait(timeout=15)
        self._process = None
        return code

    def close(self) -> None:
        self.kill()
        self.postgres_link.close()
        self.broker_link.close()

    def restore(self) -> None:
        """Everything as at the beginning: links, tokens, an empty database, and ready."""
        self.postgres_link.restore()
        self.broker_link.restore()
        write_tokens(self.tokens_file, TOKENS)
        # Ready may still be what it was before a test that was quicker than its health checks.
        until(lambda: self.get("/v1/connections").status_code == 200, "the database answers the API")
        until(lambda: self.post(["nobody"]).status_code == 202, "the database takes actions from the API")
        until(self._empty, "the tables are empty")
        until(lambda: self.ready()[0] == 200, "heliograph-api ready again")

    def _empty(self) -> bool:
        """False: the API was reading some of it in another order."""
        try:
            self.query(
                "TRUNCATE connections, connection_descriptions, connection_labels, intervals, actions, action_targets,"
                " idempotency_keys, queued_targets, mailboxes, target_log, dead_letters, groups, group_members, dry_runs,"
                " rollouts, held_targets, rollout_changes, webhooks, connection_log, connection_log_told"
            )
            return True
        except psycopg2.errors.DeadlockDetected:
            return False

    # --- Asking it --------------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.ports['api']}"

    def rest(self, token: str = "operator-token") -> httpx.Client:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        # verify: nothing here is TLS, and reading all authorities takes longer than most requests.
        return httpx.Client(base_url=self.url, headers=headers, timeout=30, verify=False)

    def post(self, client_ids, key: str = "", token: str = "operator-token", **body) -> httpx.Response:
        content = {"targets": {"client_ids": list(client_ids)}, "directive": "test.echo", "payload": None, **body}
        with self.rest(token) as rest:
            return rest.post("/v1/actions", json=content, headers={"Idempotency-Key": key or uuid.uuid4().hex})

    def get(self, path: str, token: str = "operator-token", **options) -> httpx.Response:
        with self.rest(token) as rest:
            return rest.get(path, **options)

    def ready(self) -> tuple:
        """(status, dependencies); status 0 when nobody answers."""
        status, text = self.admin("/readyz")
        return status, json.loads(text)["dependencies"] if status else {}

    def admin(self, path: str) -> tuple:
        try:
            with urllib.request.urlopen(f"http://{HOST}:{self.ports['admin']}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def value(self, name: str) -> float:
        """Of the metric heliograph_{name}."""
        return metrics.parse(self.admin("/metrics")[1]).value(f"heliograph_{name}")

    def log(self) -> str:
        file = self.folder / "api.log"
        return file.read_text(errors="replace") if file.exists() else ""

    # --- What it works on -------------------------------------------------------------------------------------------

    def query(self, sql: str, *parameters) -> list:
        connection = psycopg2.connect(self.database, cursor_factory=psycopg2.extras.RealDictCursor, connect_timeout=5)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(sql, parameters or None)
                return [dict(row) for row in cursor.fetchall()] if cursor.description else []
        finally:
            connection.close()

    @contextmanager
    def holding(self, sql: str):
        """A transaction of somebody else that has done this and neither ends nor goes on."""
        connection = psycopg2.connect(self.database, connect_timeout=5)
        try:
            connection.cursor().execute(sql)
            yield
        finally:
            connection.rollback()
            connection.close()

    def add_connection(self, client_id: str, state: str = "online", tenant: str = "acme") -> None:
        self.query(
            "INSERT INTO connections (client_id, tenant, state, since, reason, last_seen, log_generation, log_partition,"
            " log_offset) VALUES (%s, %s, %s, now(), 'said_online', now(), 1, 0, 7)",
            client_id, tenant or None, state,
        )  # fmt: skip

    def describe(self, client_id: str, tags: dict, dispatchers: dict) -> None:
        self.query(
            "INSERT INTO connection_descriptions VALUES (%s, '{}', %s, %s)",
            client_id, json.dumps(dispatchers), json.dumps(tags),
        )  # fmt: skip
        self.query(
            "INSERT INTO connection_labels SELECT labels_of(tags, dispatchers), client_id FROM connection_descriptions"
            " WHERE client_id = %s",
            client_id,
        )

    def device(self, name: str) -> Client:
        """Connected, and hearing what it is sent."""
        chosen = self.servers.settings
        pair = certificates.pair(chosen.certs, name)
        client = Client(chosen.ports["devices"], chosen.certs / "ca.crt", pair, name).connect()
        client.subscribe(f"{chosen.topic_prefix}/{name}/data/in")
        return client
