"""An action for a device that is off line reaches it when it says that it is online: recorder, database, API and broker."""

import json
import time
import uuid

from harness import messages, wait


def queue_action(rest, client_id: str, payload) -> str:
    body = {"targets": {"client_ids": [client_id]}, "directive": "x", "payload": payload, "if_offline": "queue"}
    answer = rest.post("/v1/actions", json=body, headers={"Idempotency-Key": str(uuid.uuid4())})
    assert answer.status_code == 202, answer.text
    assert answer.json()["targets"][0]["status"] == "queued"
    return answer.json()["action_id"]


def test_a_device_gets_what_waited_for_it_in_order_as_soon_as_it_is_online(stack, client_id):
    device = stack.device(client_id).connect()
    device.publish(stack.topic(client_id, "control", "out"), messages.online("s-1"))
    wait.until(lambda: stack.connection(client_id).get("state") == "online", "online")
    device.publish(stack.topic(client_id, "control", "out"), messages.offline("s-1"))
    wait.until(lambda: stack.connection(client_id).get("state") == "offline", "offline")
    with stack.rest() as rest:
        ids = [queue_action(rest, client_id, n) for n in range(10)]
    device.subscribe(stack.topic(client_id, "data", "in"))
    begin = time.monotonic()
    device.publish(stack.topic(client_id, "control", "out"), messages.online("s-2"))
    assert [json.loads(device.next_message().payload)["message_id"] for _ in ids] == ids
    assert time.monotonic() - begin < 10
    device.close()
