"""The stack of ./dev up as an outside program sees it, and that it comes back whatever was killed."""

import json
import os
import shlex
import stat
import uuid

import pytest
from harness import messages, stack as stacks
from harness.wait import until
from heliograph_local import network

NAMES = {
    "HELIOGRAPH_API_URL", "HELIOGRAPH_ADMIN_URL", "HELIOGRAPH_INGEST_ADMIN_URL", "HELIOGRAPH_RECORDER_ADMIN_URL",
    "HELIOGRAPH_TOKEN", "HELIOGRAPH_MQTT_HOST", "HELIOGRAPH_MQTT_PORT", "HELIOGRAPH_MQTT_SERVICE_PORT",
    "HELIOGRAPH_CERTS", "HELIOGRAPH_KAFKA", "HELIOGRAPH_POSTGRES", "HELIOGRAPH_TOPIC_PREFIX",
}  # fmt: skip


def main_job(stack, client_id: str) -> None:
    """A device goes on line, is listed, gets an action, answers it, and its result is in the action."""
    with stack.device(client_id).connect() as device:
        device.subscribe(*(stack.topic(client_id, channel, "in") for channel in ("control", "data")))
        device.publish(stack.topic(client_id, "control", "out"), messages.online("s-1", client_name="paho"))
        online = until(lambda: stack.connection(client_id).get("state") == "online", f"{client_id} is online")
        assert online
        with stack.rest() as rest:
            body = {"targets": {"client_ids": [client_id]}, "directive": "echo", "payload": {"n": 1}}
            answer = rest.post("/v1/actions", json=body, headers={"Idempotency-Key": str(uuid.uuid4())})
            assert answer.status_code == 202, answer.text
            assert answer.json()["targets"][0]["status"] == "published"
            asked = json.loads(device.next_message().payload)
            result = messages.data("echo", asked["content"], response_to=asked["message_id"])
            device.publish(stack.topic(client_id, "data", "out"), result)

            def target():
                return rest.get(answer.headers["Location"]).json()["targets"][0]

            until(lambda: target()["status"] == "succeeded", "the result has arrived")
            assert target()["result"]["content"] == {"n": 1}


def test_stack_env_has_every_name_and_is_for_its_owner_only(stack):
    file = stack.settings.data / "stack.env"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    lines = [line.partition("=") for line in file.read_text().splitlines()]
    assert {name for name, _, _ in lines} == NAMES
    values = {name: shlex.split(value)[0] for name, _, value in lines}
    assert values == stack.variables


def test_secrets_of_the_whole_stack_are_for_their_owner_only(stack):
    found = [
        os.path.join(folder, name)
        for folder, _, names in os.walk(stack.settings.data, followlinks=True)
        for name in names
        if name.endswith((".key", ".password", ".yaml")) or name in ("token", "stack.env", "tokens.yaml")
    ]
    assert len(found) >= 12
    assert {file for file in found if stat.S_IMODE(os.stat(file).st_mode) != 0o600} == set()


def test_process_ids_are_where_outside_tests_look_for_them(stack):
    for name in ("mosquitto", "kafka", "postgres", "ingest", "recorder", "api"):
        pid = int((stack.settings.run / f"{name}.pid").read_text())
        os.kill(pid, 0)


def test_the_main_job(stack, client_id):
    main_job(stack, client_id)


@pytest.mark.parametrize("name", ["ingest", "recorder", "api", "mosquitto", "kafka", "postgres"])
def test_after_a_kill_of_any_process_up_brings_all_back(stack, client_id, name):
    getattr(stack, name).kill()
    stack.up()
    main_job(stack, client_id)


def test_after_a_kill_of_everything_up_brings_all_back(stack, client_id):
    for name in ("ingest", "recorder", "api", "mosquitto", "kafka", "postgres"):
        getattr(stack, name).kill()
    stack.up()
    main_job(stack, client_id)


def test_up_does_not_disturb_what_runs(stack):
    services = (stack.mosquitto, stack.kafka, stack.postgres, stack.ingest, stack.recorder, stack.api)
    before = [service.pid() for service in services]
    stack.up()
    assert [service.pid() for service in services] == before


def test_ingest_has_subscribed_before_the_first_device_can_connect():
    stack, seen = stacks.Stack(), []
    open_to_devices = stack.mosquitto.open_to_devices

    def observed():
        closed = network.is_free(stack.settings.ports["devices"])
        seen.append((closed, stack.mosquitto.admits_devices(), stack.ingest.missing()))
        open_to_devices()

    stack.mosquitto.open_to_devices = observed
    try:
        stack.up()
        assert seen == [(True, False, "")], "nobody listens there, and ingest is ready: its canary came back"
        assert stack.mosquitto.admits_devices()
    finally:
        stack.remove()


def test_a_topic_prefix_of_several_levels(own_stack, client_id):
    main_job(own_stack(topic_prefix="redhat/insights"), client_id)
