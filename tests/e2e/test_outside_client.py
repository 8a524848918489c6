"""What an outside program sees that knows only docs/PROTOCOL.md and stack.env, with tools that everybody has."""

import json
import os
import subprocess
import uuid
from pathlib import Path

import outside
import pytest
from harness import stack as stacks
from harness import wait
from heliograph_local.settings import ROOT


def run(*command, env=None, **options) -> str:
    ended = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, errors="replace", timeout=60,
        env={**os.environ, **(env or {})}, check=False, **options
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


class Outsider:
    """curl, kcat, psql and ./dev cert, with the addresses of stack.env. Threads: one thread."""

    def __init__(self, data_folder):
        self._data = data_folder
        self.env = outside.read_stack_env(data_folder / "stack.env")

    def make_certificate(self, name: str, *options: str) -> None:
        run(ROOT / "dev", "cert", name, *options, env={"HELIOGRAPH_DATA": str(self._data)}, cwd="/")

    def curl(self, path: str, *options: str):
        """The answer's JSON."""
        url = self.env["HELIOGRAPH_API_URL"] + path
        authorization = f"Authorization: Bearer {self.env['HELIOGRAPH_TOKEN']}"
        return json.loads(run("curl", "-sS", "--max-time", "10", "-H", authorization, *options, url))

    def connection(self, name: str) -> dict:
        return self.curl(f"/v1/connections/{name}")

    def send_action(self, name: str, directive: str, payload) -> dict:
        body = json.dumps({"targets": {"client_ids": [name]}, "directive": directive, "payload": payload})
        key = f"Idempotency-Key: {uuid.uuid4()}"
        return self.curl("/v1/actions", "-H", key, "-H", "Content-Type: application/json", "-d", body)

    def kafka(self, topic: str, key: str) -> list:
        """The values of the records with this key, as kcat prints them."""
        lines = run("kcat", "-b", self.env["HELIOGRAPH_KAFKA"], "-C", "-t", topic, "-e", "-q", "-f", "%k\t%s\n")
        return [line.split("\t", 1)[1] for line in lines.splitlines() if line.split("\t", 1)[0] == key]

    def psql(self, sql: str) -> str:
        return run("psql", "-X", "-A", "-t", "-d", self.env["HELIOGRAPH_POSTGRES"], "-c", sql).strip()


@pytest.fixture(name="outsider")
def _outsider(stack):
    return Outsider(stack.settings.data)


def goes_online_gets_an_action_and_answers(outsider, name, online: bytes, will: bytes) -> None:
    device = outside.Device(outsider.env, name)
    device.connect(will)
    device.say("control", online)
    wait.until(lambda: outsider.connection(name).get("state") == "online", "the device is online in the API")
    listed = outsider.curl(f"/v1/connections?client_id_prefix={name}")
    assert [item["client_id"] for item in listed["items"]] == [name]

    accepted = outsider.send_action(name, "inverter", {"power_limit_w": 2000, "note": "Süd & <Nord>"})
    assert [target["status"] for target in accepted["targets"]] == ["published"], accepted
    action = device.actions.get(timeout=10)
    assert action["message_id"] == accepted["action_id"]
    assert action["directive"] == "inverter"
    assert action["content"] == {"power_limit_w": 2000, "note": "Süd & <Nord>"}
    assert action["response_to"] == "" and action["version"] == 1 and action["type"] == "data"
    assert action["metadata"] is None or isinstance(action["metadata"], dict)

    answer = outside.envelope(
        "data", {"power_limit_w": 2000}, response_to=action["message_id"], directive="inverter", metadata={"took_ms": "3"}
    )
    device.say("data", answer)

    def target():
        return outsider.curl(f"/v1/actions/{accepted['action_id']}")["targets"][0]

    wait.until(lambda: target()["status"] == "succeeded", "the result is in the action")
    assert target()["result"]["content"] == {"power_limit_w": 2000}
    assert target()["result"]["metadata"] == {"took_ms": "3"}

    assert answer.decode() in outsider.kafka("device.data", name)
    assert outsider.psql(f"SELECT state FROM connections WHERE client_id = '{name}'") == "online"

    device.lose_power()
    wait.until(lambda: outsider.connection(name).get("state") == "offline", "the device is off line by its last will")
    assert outsider.connection(name)["reason"] == "connection_lost"


def test_it_goes_online_is_listed_gets_an_action_and_answers(outsider, client_id):
    outsider.make_certificate(client_id)
    session = str(uuid.uuid4())
    online = {"state": "online", "session_id": session, "client_name": "outside", "client_version": "1.0"}
    will = {"state": "offline", "session_id": session, "reason": "connection_lost"}
    goes_online_gets_an_action_and_answers(
        outsider, client_id, outside.envelope("connection-status", online), outside.envelope("connection-status", will)
    )


@pytest.fixture(scope="module", name="agents")
def _agents():
    """A stack under the prefix of the open-source agents in the field."""
    with stacks.running(topic_prefix="redhat/insights") as stack:
        yield Outsider(stack.settings.data)


# As yggdrasil builds them: everything is there, empty is null, and the will is made once, with one message id.
FACTS = {"machine_id": "5a1f", "fqdn": "host.example.org", "ip_addresses": ["192.0.2.7"], "mac_addresses": []}


def agent_status(state: str, **more) -> bytes:
    dispatchers = {"package-manager": {}, "echo": {"version": "1"}} if state == "online" else None
    content = {"canonical_facts": FACTS, "dispatchers": dispatchers, "state": state, "tags": None, **more}
    return outside.envelope("connection-status", content, response_to="")


def test_agents_in_the_field_are_served_under_their_prefix(agents, client_id):
    agents.make_certificate(client_id)
    assert agents.env["HELIOGRAPH_TOPIC_PREFIX"] == "redhat/insights"
    goes_online_gets_an_action_and_answers(
        agents, client_id, agent_status("online"), agent_status("offline", reason="connection_lost")
    )
    connection = agents.connection(client_id)
    assert connection["canonical_facts"] == FACTS
    assert set(connection["dispatchers"]) == {"package-manager", "echo"}
    assert not connection["tags"]


def test_an_agent_with_one_will_for_all_its_connections(agents, client_id):
    """Without session ids, and with a throw-away message first: every connection ends online, every loss off line."""
    agents.make_certificate(client_id)
    will = agent_status("offline")
    for _ in range(3):
        device = outside.Device(agents.env, client_id)
        device.connect(will)
        device.say("data", b"", qos=0)
        device.say("control", agent_status("online"))
        wait.until(lambda: agents.connection(client_id).get("state") == "online", "online again")
        device.lose_power()
        wait.until(lambda: agents.connection(client_id).get("state") == "offline", "off line by the same will")
    intervals = agents.curl(f"/v1/connections/{client_id}/intervals")["items"]
    assert len(intervals) == 3
    assert all(interval["online_until"] and interval["reason"] == "said_offline" for interval in intervals)
    dead = agents.kafka("device.dead-letter", client_id)
    assert dead == [], "nothing that such an agent says is a mistake"


NAMES = (
    "API_URL", "ADMIN_URL", "TOKEN", "MQTT_HOST", "MQTT_PORT", "MQTT_SERVICE_PORT", "CERTS", "KAFKA", "POSTGRES", "TOPIC_PREFIX"
)  # fmt: skip


def test_the_names_that_outsiders_rely_on(stack, outsider):
    assert {f"HELIOGRAPH_{name}" for name in NAMES} <= set(outsider.env)
    assert all(outsider.env.values())
    assert (Path(outsider.env["HELIOGRAPH_CERTS"]) / "ca.crt").exists()
    for name in ("mosquitto", "kafka", "postgres", "ingest", "recorder", "api"):
        pid = int((stack.settings.data / f"run/{name}.pid").read_text())
        assert Path(f"/proc/{pid}").exists(), name
    assert outsider.curl("/v1/connections?limit=1")["items"] is not None
    ready = run("curl", "-sS", "--fail", outsider.env["HELIOGRAPH_ADMIN_URL"] + "/readyz")
    assert json.loads(ready)


def test_secrets_are_for_their_owner_only(stack, outsider, client_id):
    outsider.make_certificate(client_id)
    data = stack.settings.data
    secrets = [data / "stack.env", data / "token", data / "tokens.yaml", *stack.settings.certs.glob("*.key")]
    assert data / f"certs/{client_id}.key" in secrets and len(secrets) >= 8
    assert {str(file): oct(file.stat().st_mode & 0o777) for file in secrets} == {str(file): "0o600" for file in secrets}


def test_cert_says_whose_device_it_is(outsider, client_id):
    other = f"{client_id}-other"
    outsider.make_certificate(client_id)
    outsider.make_certificate(other, "--tenant", "acme")
    for name, tenant in ((client_id, "demo"), (other, "acme")):
        device = outside.Device(outsider.env, name)
        device.connect(outside.envelope("connection-status", {"state": "offline"}))
        device.say("control", outside.envelope("connection-status", {"state": "online"}))
        wait.until(
            lambda name=name, tenant=tenant: outsider.connection(name).get("tenant") == tenant,
            f"{name} belongs to {tenant}",
        )
        device.disconnect()


@pytest.mark.parametrize("name", ["ingest", "@ingest", "a/b", "a b", "", "x" * 129])
def test_cert_refuses_what_is_no_device(outsider, name):
    certs = Path(outsider.env["HELIOGRAPH_CERTS"])
    before = {file.name: file.read_bytes() for file in certs.iterdir()}
    with pytest.raises(AssertionError):
        outsider.make_certificate(name)
    assert {file.name: file.read_bytes() for file in certs.iterdir()} == before
