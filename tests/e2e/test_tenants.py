"""A caller sees its own tenant only, and a device hears what is meant for it only."""

import hashlib
import json
import queue
import uuid

import pytest
from harness import messages, wait


def add_token(stack, tenant: str, scopes=("connections:read", "actions:write")) -> str:
    """A token of this tenant, once the API knows it: the file is read again when it changes."""
    token = f"hg_{uuid.uuid4().hex}"
    digest = hashlib.sha256(token.encode()).hexdigest()
    listed = ", ".join(f'"{scope}"' for scope in scopes)
    file = stack.settings.data / "tokens.yaml"
    entry = f'  - {{name: "{token[:8]}", sha256: "{digest}", tenant: "{tenant}", scopes: [{listed}]}}\n'
    file.write_text(file.read_text() + entry)
    with stack.rest(token) as rest:
        wait.until(lambda: rest.get("/v1/connections").status_code != 401, "the API has read the token", 30)
    return token


def online(stack, client_id: str, tenant: str):
    device = stack.device(client_id, tenant).connect()
    device.subscribe(stack.topic(client_id, "data", "in"), stack.topic(client_id, "control", "in"))
    device.publish(stack.topic(client_id, "control", "out"), messages.online())
    wait.until(lambda: stack.connection(client_id).get("state") == "online", f"{client_id} is online")
    return device


def act(rest, *client_ids: str) -> dict:
    body = {"targets": {"client_ids": list(client_ids)}, "directive": "x", "payload": 1}
    answer = rest.post("/v1/actions", json=body, headers={"Idempotency-Key": str(uuid.uuid4())})
    assert answer.status_code == 202, answer.text
    return answer.json()


@pytest.fixture(name="tenants")
def _tenants():
    """Two tenants that no other test has."""
    return f"a-{uuid.uuid4().hex[:8]}", f"b-{uuid.uuid4().hex[:8]}"


def test_a_caller_sees_its_own_tenant_only(stack, client_id, tenants):
    mine, theirs, nobodys = f"{client_id}-mine", f"{client_id}-theirs", f"{client_id}-nobodys"
    with online(stack, mine, tenants[0]), online(stack, theirs, tenants[1]), online(stack, nobodys, ""):
        wait.until(lambda: stack.connection(mine).get("tenant") == tenants[0], "the owner is known")
        with stack.rest(add_token(stack, tenants[0])) as rest:
            assert [item["client_id"] for item in rest.get("/v1/connections").json()["items"]] == [mine]
            assert rest.get(f"/v1/connections/{mine}").status_code == 200
            for other in (theirs, nobodys, "never-seen"):
                assert rest.get(f"/v1/connections/{other}").status_code == 404, other
                assert rest.get(f"/v1/connections/{other}/intervals").status_code == 404, other
            assert rest.get(f"/v1/connections?tenant={tenants[1]}").status_code in (400, 403)
        with stack.rest() as operator:
            listed = operator.get(f"/v1/connections?client_id_prefix={client_id}").json()["items"]
            assert {item["client_id"] for item in listed} == {mine, theirs, nobodys}


def test_an_action_reaches_the_callers_own_devices_only(stack, client_id, tenants):
    mine, theirs = f"{client_id}-mine", f"{client_id}-theirs"
    with online(stack, mine, tenants[0]) as device, online(stack, theirs, tenants[1]) as other:
        wait.until(lambda: stack.connection(mine).get("tenant") == tenants[0], "the owner is known")
        with stack.rest(add_token(stack, tenants[0])) as rest:
            action = act(rest, mine, theirs)
            statuses = {target["client_id"]: target["status"] for target in action["targets"]}
            assert statuses == {mine: "published", theirs: "unknown"}
            assert device.next_message().topic == stack.topic(mine, "data", "in")
        with stack.rest(add_token(stack, tenants[1])) as rest:
            assert rest.get(f"/v1/actions/{action['action_id']}").status_code == 404
            second = act(rest, theirs)
            heard = other.next_message()
            assert heard.topic == stack.topic(theirs, "data", "in")
            assert json.loads(heard.payload)["message_id"] == second["action_id"], "not the first, which was not for it"
        with pytest.raises(queue.Empty):
            other.next_message(0.01)


def test_another_devices_answer_does_not_count(stack, client_id):
    target, other = f"{client_id}-target", f"{client_id}-other"
    with online(stack, target, "demo") as device, online(stack, other, "demo") as liar, stack.rest() as rest:
        action = act(rest, target)
        device.next_message()
        answer = messages.data("x", "a lie", response_to=action["action_id"])
        liar.publish(stack.topic(other, "data", "out"), answer)
        wait.until(
            lambda: any(record.value == answer and record.header("reason") == "not_a_target"
                        for record in stack.records("device.dead-letter")),
            "it is a dead letter",
        )  # fmt: skip
        assert rest.get(f"/v1/actions/{action['action_id']}").json()["targets"][0]["status"] == "published"


def test_nobody_hears_what_is_meant_for_another(stack, client_id):
    target, listener = f"{client_id}-target", f"{client_id}-listener"
    with online(stack, target, "demo") as device, online(stack, listener, "demo") as other, stack.rest() as rest:
        other.subscribe("#", f"{stack.prefix}/#", stack.topic(target, "data", "in"), stack.topic(target, "data", "out"))
        act(rest, target)
        device.next_message()
        act(rest, listener)  # what comes after it proves that nothing came before
        assert other.next_message().topic == stack.topic(listener, "data", "in")


@pytest.mark.parametrize("token", ["-", "hg_wrong"])
def test_without_a_token_there_is_nothing(stack, token):
    with stack.rest(token) as rest:
        for path in ("/v1/connections", "/v1/connections/x", f"/v1/actions/{uuid.uuid4()}"):
            answer = rest.get(path)
            assert answer.status_code == 401
            assert answer.headers["content-type"].startswith("application/problem+json")


def test_a_scope_is_needed(stack, tenants):
    with stack.rest(add_token(stack, tenants[0], scopes=("connections:read",))) as rest:
        body = {"targets": {"client_ids": ["x"]}, "directive": "x", "payload": 1}
        assert rest.post("/v1/actions", json=body, headers={"Idempotency-Key": "k"}).status_code == 403
