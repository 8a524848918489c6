"""With a server away the answers stay true: 503 where nobody can know, the right state where somebody does."""

import os
import signal
import uuid
from pathlib import Path

import httpx
from harness import messages, wait


def online_device(stack, client_id: str):
    device = stack.device(client_id).connect()
    device.subscribe(stack.topic(client_id, "data", "in"))
    device.publish(stack.topic(client_id, "control", "out"), messages.online("s-1"))
    wait.until(lambda: stack.connection(client_id).get("state") == "online", "online")
    return device


def post_action(rest, client_id: str) -> httpx.Response:
    body = {"targets": {"client_ids": [client_id]}, "directive": "x", "payload": {"a": 1}}
    return rest.post("/v1/actions", json=body, headers={"Idempotency-Key": str(uuid.uuid4())})


def assert_is_503(answer: httpx.Response) -> None:
    assert answer.status_code == 503, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.json()["status"] == 503


def test_postgres_is_away(stack, client_id):
    with online_device(stack, client_id) as device, stack.rest() as rest:
        stack.postgres.kill()
        for path in (f"/v1/connections/{client_id}", f"/v1/connections/{client_id}/intervals", "/v1/connections",
                     "/v1/connections/never-seen", f"/v1/actions/{uuid.uuid4()}"):  # fmt: skip
            assert_is_503(rest.get(path))
        assert_is_503(post_action(rest, client_id))
        assert rest.get("/openapi.yaml").status_code == 200, "what needs no database is answered"
        for daemon in (stack.api, stack.recorder):
            wait.until(lambda daemon=daemon: daemon.admin("/readyz")[0] == 503, f"{daemon.name} is not ready", 20)
            assert "postgres" in daemon.admin("/readyz")[1].lower(), "it names the cause"
            assert daemon.admin("/livez")[0] == 200
        device.publish(stack.topic(client_id, "control", "out"), messages.offline("s-1"))
        wait.until(
            lambda: any(record.key == client_id.encode() and b"offline" in record.value
                        for record in stack.records("device.control")),
            "ingest goes on",
        )  # fmt: skip
        stack.postgres.start()
        stack.postgres.wait()
        for daemon in (stack.api, stack.recorder):
            daemon.wait(30)
        wait.until(lambda: stack.connection(client_id).get("state") == "offline", "what was said meanwhile counts")
        assert rest.get("/v1/connections/never-seen").status_code == 404


def with_children(pid: int) -> list:
    """A process and its children: PostgreSQL answers from one process per session."""
    children = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [pid, *children]


def test_postgres_is_silent(stack, client_id):
    """Stopped, not dead: connections stay open and nobody answers."""
    with online_device(stack, client_id), stack.rest() as rest:
        rest.timeout = 30
        processes = with_children(stack.postgres.pid())
        for pid in processes:
            os.kill(pid, signal.SIGSTOP)
        try:
            assert_is_503(rest.get(f"/v1/connections/{client_id}"))
            assert_is_503(post_action(rest, client_id))
            assert stack.api.admin("/livez")[0] == 200
        finally:
            for pid in processes:
                os.kill(pid, signal.SIGCONT)
        stack.api.wait(30)
        assert rest.get(f"/v1/connections/{client_id}").json()["state"] == "online"


def test_the_broker_is_away(stack, client_id):
    device = online_device(stack, client_id)
    with stack.rest() as rest:
        stack.mosquitto.kill()
        for daemon in (stack.api, stack.ingest):
            wait.until(lambda daemon=daemon: daemon.admin("/readyz")[0] == 503, f"{daemon.name} is not ready", 20)
            assert not daemon.health()["dependencies"]["mqtt"]["ready"], "it names the cause"
            assert daemon.admin("/livez")[0] == 200
        answer = rest.get(f"/v1/connections/{client_id}")
        assert (answer.status_code, answer.json()["state"]) == (200, "online"), "nobody has said that it is gone"
        assert_is_503(post_action(rest, client_id))
        stack.mosquitto.start()
        stack.mosquitto.wait()
        for daemon in (stack.ingest, stack.api):
            daemon.wait(30)
        device.close()
        with online_device(stack, client_id) as again:
            answer = post_action(rest, client_id)
            assert answer.status_code == 202
            assert answer.json()["targets"][0]["status"] == "published"
            assert again.next_message().topic == stack.topic(client_id, "data", "in")


def test_an_action_is_never_called_sent_when_the_broker_is_silent(stack, client_id):
    with online_device(stack, client_id), stack.rest() as rest:
        rest.timeout = 60
        stack.mosquitto.pause()
        try:
            answer = post_action(rest, client_id)
            if answer.status_code == 202:
                assert answer.json()["targets"][0]["status"] == "queued"
            else:
                assert_is_503(answer)
        finally:
            stack.mosquitto.resume()


def test_nobody_listens(stack, client_id):
    """The table says online, the broker knows of no session: the device was cut off with its will still to come."""
    device = stack.device(client_id).connect()
    device.publish(stack.topic(client_id, "control", "out"), messages.online("s-1"))
    wait.until(lambda: stack.connection(client_id).get("state") == "online", "online")
    device.close()  # no will, no subscription
    with stack.rest() as rest:
        target = post_action(rest, client_id).json()["targets"][0]
    assert target["status"] == "undeliverable"
    assert target["reason"]
