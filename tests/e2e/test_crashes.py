"""What is killed comes back, and nothing is lost, repeated or wrong for it."""

import random
import time

import state
from harness import messages, wait
from numbered import count_records, judge, numbered_device


def assert_all_arrive(stack, topic: str, devices: dict, seconds: float = 60) -> list:
    """All that the devices have sent, in order and unaltered; the records of the topic."""
    deadline = time.monotonic() + seconds
    while True:
        records = stack.records(topic)
        problems = {name: judge(records, name).problems(device.sent) for name, device in devices.items()}
        if not any(problems.values()):
            return records
        assert time.monotonic() < deadline, problems
        time.sleep(0.2)


def kill_ingest_while_it_works(stack, devices: list) -> None:
    """Loads it, kills it when some of the load is in Kafka and some is not, and starts it again."""
    before = count_records(stack, "device.data")
    for device in devices:
        device.publish_more(500)
    wait.until(lambda: count_records(stack, "device.data") > before + 100, "some of the load is in Kafka")
    stack.ingest.kill()
    stack.ingest.start()
    for device in devices:
        device.wait_for_acknowledgements()
    stack.ingest.wait()


def test_ingest_is_killed_under_load_and_no_message_is_missing(stack, client_id):
    """Of both channels; the control channel's are no messages that anybody knows, and are carried all the same."""
    names = {channel: [f"{client_id}-{channel}-{n}" for n in range(2)] for channel in ("data", "control")}
    devices = {name: numbered_device(stack, name, channel) for channel in names for name in names[channel]}
    for _ in range(6):
        kill_ingest_while_it_works(stack, list(devices.values()))
    for device in devices.values():
        device.close()
    for channel, those in names.items():
        records = assert_all_arrive(stack, f"device.{channel}", {name: devices[name] for name in those})
        connections = {record.header("ingest.connection") for record in records if record.key.decode() in those}
        assert len(connections) >= 5, "it was killed while it worked"


def test_kafka_is_killed_under_load_and_no_message_is_missing(stack, client_id):
    device = numbered_device(stack, client_id)
    device.publish_more(1000)
    stack.kafka.kill()
    device.publish_more(1000)
    device.wait_for_acknowledgements()  # by the broker, which keeps them
    stack.kafka.start()
    stack.kafka.wait(180)
    stack.ingest.wait()
    device.publish_more(10)
    device.wait_for_acknowledgements()
    assert_all_arrive(stack, "device.data", {client_id: device})
    device.close()


def test_kafka_and_ingest_are_killed_together_and_no_message_is_missing(stack, client_id):
    """What Kafka had not confirmed is then in nobody's memory but the broker's: it must not have been acknowledged."""
    devices = {f"{client_id}-{n}": numbered_device(stack, f"{client_id}-{n}") for n in range(4)}
    for _ in range(3):
        before = count_records(stack, "device.data")
        for device in devices.values():
            device.publish_more(1000)
        wait.until(lambda n=before: count_records(stack, "device.data") > n + 100, "some of the load is in Kafka")
        stack.kafka.kill()
        stack.ingest.kill()
        stack.kafka.start()
        stack.kafka.wait(180)
        stack.ingest.start()
        for device in devices.values():
            device.wait_for_acknowledgements()
        stack.ingest.wait()
    for device in devices.values():
        device.close()
    assert_all_arrive(stack, "device.data", devices)


def comes_and_goes(stack, name: str, number: int, chance: random.Random) -> None:
    """Some stays of one device, with and without session ids, some ended twice, some by a late will."""
    topic = stack.topic(name, "control", "out")
    with stack.device(name).connect() as device:
        for stay in range(4):
            session = f"s-{number}-{stay}" if chance.random() < 0.8 else ""
            online = messages.online(session, client_version=str(stay), tags={"stay": str(stay)})
            device.publish(topic, online)
            if chance.random() < 0.3:
                device.publish(topic, online)
            if chance.random() < 0.3:
                device.publish(topic, messages.last_will(f"s-{number}-{stay - 1}"))
            if chance.random() < 0.8:
                device.publish(topic, messages.offline(session))


def test_recorder_is_killed_between_batches_and_the_state_is_right(stack, client_id):
    chance = random.Random(20)
    for number in range(12):
        comes_and_goes(stack, f"{client_id}-{number}", number, chance)
        if number % 3 == 1:
            stack.recorder.kill()
        if number % 3 == 2:
            stack.recorder.start()
    stack.recorder.start()
    stack.recorder.wait()
    state.wait_until_applied(stack)
    assert state.differences(stack, f"{client_id}%") == []


def test_recorder_is_killed_while_it_works_through_a_backlog(stack, client_id):
    stack.recorder.stop()
    chance = random.Random(21)
    for number in range(8):
        comes_and_goes(stack, f"{client_id}-{number}", number, chance)
    for _ in range(4):
        stack.recorder.start()
        stack.recorder.kill()
    stack.recorder.start()
    stack.recorder.wait()
    state.wait_until_applied(stack)
    assert state.differences(stack, f"{client_id}%") == []
    events = [record for record in stack.records("connection.events") if record.key.startswith(client_id.encode())]
    assert events, "the changes were told"


def test_a_result_counts_once_when_the_recorder_is_killed(stack, client_id):
    with stack.device(client_id).connect() as device, stack.rest() as rest:
        device.subscribe(stack.topic(client_id, "data", "in"))
        device.publish(stack.topic(client_id, "control", "out"), messages.online())
        wait.until(lambda: stack.connection(client_id).get("state") == "online", "online")
        body = {"targets": {"client_ids": [client_id]}, "directive": "x", "payload": None}
        action = rest.post("/v1/actions", json=body, headers={"Idempotency-Key": client_id}).json()
        device.next_message()
        stack.recorder.kill()
        device.publish(
            stack.topic(client_id, "data", "out"),
            messages.data("x", {"done": True}, response_to=action["action_id"]),
        )
        stack.recorder.start()

        def target() -> dict:
            return rest.get(f"/v1/actions/{action['action_id']}").json()["targets"][0]

        wait.until(lambda: target()["status"] == "succeeded", "the result is there")
        assert target()["result"]["content"] == {"done": True}

        # All of device.data once more, as if the recorder had died before its first commit: the row stays as it is.
        before = stack.query("SELECT * FROM action_targets WHERE action_id = %s", action["action_id"])
        assert len(before) == 1
        stack.recorder.kill()
        stack.query("UPDATE kafka_offsets SET next_offset = 0, last_record_time = NULL WHERE topic = 'device.data'")
        stack.recorder.start()
        stack.recorder.wait()
        state.wait_until_applied(stack, "device.data")
        assert stack.query("SELECT * FROM action_targets WHERE action_id = %s", action["action_id"]) == before


def damage(stack, client_id: str) -> None:
    """Rows that are wrong, that are missing and that no record ever made, in each table."""
    stack.query("UPDATE connections SET state = 'unknown', since = now() WHERE client_id = %s", f"{client_id}-0")
    stack.query("DELETE FROM connections WHERE client_id = %s", f"{client_id}-1")
    stack.query("UPDATE connection_descriptions SET tags = '{}' WHERE client_id = %s", f"{client_id}-2")
    stack.query("DELETE FROM connection_labels WHERE client_id = %s", f"{client_id}-3")
    stack.query("DELETE FROM intervals WHERE client_id = %s", f"{client_id}-4")
    stack.query(
        "INSERT INTO intervals (client_id, online_from, opened_generation, opened_partition, opened_offset)"
        " VALUES (%s, now(), 1, 0, 999)", f"{client_id}-ghost",
    )  # fmt: skip


def tenants_of(stack, client_id: str) -> set:
    return {row["tenant"] for row in stack.query("SELECT tenant FROM connections WHERE client_id LIKE %s", f"{client_id}%")}


def test_a_rebuild_gives_the_same_rows_and_tells_nobody_again(stack, client_id):
    chance = random.Random(22)
    for number in range(6):
        comes_and_goes(stack, f"{client_id}-{number}", number, chance)
    state.wait_until_applied(stack)
    wait.until(lambda: tenants_of(stack, client_id) == {"demo"}, "the owner rules are applied")
    stack.recorder.stop()  # which empties the outbox
    before, events = state.tables(stack), len(stack.records("connection.events"))
    assert len(before["connections"]) >= 6
    damage(stack, client_id)
    damaged = state.tables(stack)
    assert [name for name, rows in before.items() if damaged[name] == rows] == [], "each table has something to put right"
    stack.ctl("state", "rebuild", "--owners", str(stack.settings.data / "owners.yaml"))
    after = state.tables(stack)
    for name, rows in before.items():
        assert after[name] == rows, name
    stack.recorder.start()
    stack.recorder.wait()
    state.wait_until_applied(stack)
    assert len(stack.records("connection.events")) == events
    assert state.tables(stack) == before
