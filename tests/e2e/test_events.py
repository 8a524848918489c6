"""What a caller sees of an action while it happens, through the whole stack: events, results, dead letters."""

import json
import uuid

from harness import messages, wait
from harness.event_stream import EventStream


def test_an_action_as_it_happens(stack, client_id):
    device = stack.device(client_id).connect()
    device.subscribe(stack.topic(client_id, "data", "in"))
    device.publish(stack.topic(client_id, "control", "out"), messages.online("s-1"))
    wait.until(lambda: stack.connection(client_id).get("state") == "online", "online")
    with stack.rest() as rest, EventStream(str(rest.base_url), stack.variables["HELIOGRAPH_TOKEN"]) as stream:
        body = {"targets": {"client_ids": [client_id, f"{client_id}-never"]}, "directive": "x", "payload": 1}
        action = rest.post("/v1/actions", json=body, headers={"Idempotency-Key": str(uuid.uuid4())}).json()["action_id"]
        order = json.loads(device.next_message().payload)

        def answer(**metadata) -> None:
            device.publish(stack.topic(client_id, "data", "out"), messages.data("x", 7, order["message_id"], metadata))

        def heard(status: str) -> bool:
            return any(event.data["data"].get("target", {}).get("status") == status for event in stream.events)

        answer(status="running", progress="50")
        wait.until(lambda: heard("running"), "it runs")  # what comes together may be one change
        answer(status="succeeded")
        wait.until(lambda: stream.events and stream.events[-1].type == "action.ended", "the action has ended")
        ours = [event for event in stream.events if event.data["data"]["action_id"] == action]
        said = [event.data["data"]["target"]["status"] for event in ours if event.data["subject"] == client_id]
        # The broker's acknowledgement may be stored after the device's answer, and is no news then.
        assert [status for status in said if status != "published"] == ["running", "succeeded"]
        assert [event.type for event in ours].count("action.ended") == 1
        letters = rest.get("/v1/dead-letters", params={"action_id": action}).json()["items"]
        assert [(one["client_id"], one["status"]) for one in letters] == [(f"{client_id}-never", "unknown")]
    device.close()

    def told(topic: str) -> set:
        events = [json.loads(record.value) for record in stack.records(topic) if record.key.decode() == action]
        return {(event["subject"], event["data"]["target"]["status"]) for event in events}

    ended = {(client_id, "succeeded"), (f"{client_id}-never", "unknown")}
    wait.until(lambda: told("action.results") == ended, "Kafka is told of both")
    wait.until(lambda: told("action.dead-letter") == {(f"{client_id}-never", "unknown")}, "and of the dead letter")


def test_who_comes_and_goes_while_everything_is_killed(stack, client_id):
    """Each change once by its id, in order, whatever is killed; what Kafka is told is the same."""
    device = stack.device(client_id)
    device.will(stack.topic(client_id, "control", "out"), messages.last_will("s-5"))
    device.connect()

    def listen(last: str = "") -> EventStream:
        url, token = stack.variables["HELIOGRAPH_API_URL"], stack.variables["HELIOGRAPH_TOKEN"]
        return EventStream(url, token, {"client_id_prefix": client_id}, last)

    def come_and_go(sessions) -> None:
        for n in sessions:
            device.publish(stack.topic(client_id, "control", "out"), messages.online(f"s-{n}"))
            device.publish(stack.topic(client_id, "control", "out"), messages.offline(f"s-{n}"))

    with listen() as stream:
        come_and_go(range(3))
        stream.wait_for(6)
        come_and_go([3])
        stack.recorder.kill()
        come_and_go([4])
        stack.recorder.start()
        events = list(stream.wait_for(10, 60))
    stack.api.kill()
    device.publish(stack.topic(client_id, "control", "out"), messages.online("s-5"))
    device.publish(stack.topic(client_id, "control", "out"), messages.online("s-5", tags={"site": "north"}))
    device.drop()
    stack.recorder.wait()
    stack.api.start()
    stack.api.wait()
    with listen(events[-1].id) as stream:
        events += stream.wait_for(3, 60)
    kinds = [event.type.removeprefix("connection.") for event in events]
    assert kinds == ["online", "offline"] * 5 + ["online", "changed", "offline"]
    ids = [(event.data["source"], event.data["id"]) for event in events]
    assert len(set(ids)) == 13 and events[-1].data["data"]["reason"] == "connection_lost"

    def in_kafka() -> set:
        told = (json.loads(one.value) for one in stack.records("connection.events") if one.key.decode() == client_id)
        return {(event["source"], event["id"]) for event in told}

    wait.until(lambda: in_kafka() == set(ids), "Kafka is told the same")
