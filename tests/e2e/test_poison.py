"""Bad input stops nobody: it becomes a dead letter with its reason, and the next message is processed."""

import json

import pytest
from confluent_kafka import Producer
from harness import messages, wait


def envelope(**changes) -> bytes:
    message = {"type": "connection-status", "message_id": "m", "version": 1, "content": {"state": "online"}, **changes}
    return json.dumps({name: value for name, value in message.items() if value is not ...}).encode()


CONTROL = {
    "wrong json": (b"{", "not_json"),
    "not an object": (b"[1]", "not_an_envelope"),
    "no type": (envelope(type=...), "not_an_envelope"),
    "wrong types": (envelope(type=7, message_id={}), "bad_field"),
    "no content": (envelope(content=...), "bad_field"),
    "content is null": (envelope(content=None), "bad_field"),
    "content is a string": (envelope(content="online"), "bad_field"),
    "state is a number": (envelope(content={"state": 1}), "bad_field"),
    "no such state": (envelope(content={"state": "asleep"}), "bad_field"),
    "unknown type": (envelope(type="shout"), "unknown_type"),
    "depth 10,000": (envelope(content=...)[:-1] + b', "content": ' + b"[" * 10_000 + b"]" * 10_000 + b"}", "too_deep"),
    "1 MB of [": (b"[" * 1_000_000, "too_deep"),
    "NUL": (b"\0", "not_json"),
    "NUL inside": (envelope()[:-1] + b"\0}", "not_json"),
    "invalid utf-8": (envelope().replace(b'"m"', b'"\xff"'), "not_json"),
    "half a surrogate pair": (envelope().replace(b'"m"', b'"\\ud800"'), "not_json"),
    "a huge number": (envelope(content={"state": "online", "canonical_facts": 0}).replace(b": 0", b": 1e999"), "bad_field"),
    "sent in the year 1": (envelope(sent="0001-01-01T00:00:00Z"), "bad_field"),
    "sent in the year 9999": (envelope(sent="9999-12-31T23:59:59Z"), "bad_field"),
    "sent is no time": (envelope(sent="yesterday"), "bad_field"),
    "duplicate keys": (b'{"type": "event", "type": "event", "content": "pong"}', "bad_field"),
    "tags are a list": (envelope(content={"state": "online", "tags": ["a"]}), "bad_field"),
    "a message id of 1 MB": (envelope(message_id="m" * 1_000_000), "bad_field"),
}

DATA = {
    "answers no action": (messages.data("x", 1, response_to="11111111-2222-4333-8444-555555555555"), "unknown_action"),
    "answers what is no id": (messages.data("x", 1, response_to="'; DROP TABLE actions; --"), "unknown_action"),
    "wrong json with an answer": (b'{"response_to": "a", ', "not_json"),
    "metadata is a list": (messages.data("x", 1, response_to="a", metadata=["b"]), "bad_field"),
    "unknown type": (messages.data("x", 1, response_to="a").replace(b'"data"', b'"date"'), "unknown_type"),
}

HARMLESS = {
    "empty": b"",
    "nul in a string": envelope(content={"state": "online", "canonical_facts": {"a": "b\0c"}, "tags": {"x\0": "y"}}),
    "unknown fields": envelope(shoe_size=43),
    "a large number": envelope(content={"state": "online", "canonical_facts": {"n": 12345678901234567890123}}),
    "emptiness is null": envelope(response_to=None, sent=None, message_id=None),
}


def dead_letters(stack, client_id: str) -> list:
    return [record for record in stack.records("device.dead-letter") if record.key == client_id.encode()]


def is_online(stack, client_id: str, version: str) -> bool:
    connection = stack.connection(client_id)
    return (connection.get("state"), connection.get("client_version")) == ("online", version)


def test_every_poison_on_control_is_a_dead_letter_and_the_next_message_counts(stack, client_id):
    topic = stack.topic(client_id, "control", "out")
    with stack.device(client_id).connect() as device:
        for number, (name, (payload, _)) in enumerate(CONTROL.items()):
            device.publish(topic, payload)
            device.publish(topic, messages.online("s-1", client_version=str(number)))
            wait.until(lambda n=number: is_online(stack, client_id, str(n)), f"the message after '{name}' counts")
    wait.until(lambda: len(dead_letters(stack, client_id)) >= len(CONTROL), "all dead letters are there")
    letters = dead_letters(stack, client_id)
    told = {name: letter.header("reason") for name, letter in zip(CONTROL, letters)}
    assert told == {name: reason for name, (_, reason) in CONTROL.items()}
    assert len(letters) == len(CONTROL)
    for letter, (payload, _) in zip(letters, CONTROL.values()):
        assert letter.value == payload
        assert letter.header("source").startswith("device.control")
        assert letter.header("detail")


def test_what_devices_in_the_field_send_is_no_mistake(stack, client_id):
    with stack.device(client_id).connect() as device:
        for number, (name, payload) in enumerate(HARMLESS.items()):
            device.publish(stack.topic(client_id, "control", "out"), payload)
            device.publish(stack.topic(client_id, "control", "out"), messages.online("", client_version=str(number)))
            wait.until(lambda n=number: is_online(stack, client_id, str(n)), f"the message after '{name}' counts")
        device.publish(stack.topic(client_id, "control", "out"), b"!")
        wait.until(lambda: dead_letters(stack, client_id), "a real mistake is told")
    assert [letter.value for letter in dead_letters(stack, client_id)] == [b"!"]


def test_every_poison_on_data_is_a_dead_letter(stack, client_id):
    with stack.device(client_id).connect() as device:
        for payload, _ in DATA.values():
            device.publish(stack.topic(client_id, "data", "out"), payload)
    wait.until(lambda: len(dead_letters(stack, client_id)) >= len(DATA), "all dead letters are there")
    told = {letter.value: letter.header("reason") for letter in dead_letters(stack, client_id)}
    assert {name: told.get(payload) for name, (payload, _) in DATA.items()} == {
        name: reason for name, (_, reason) in DATA.items()
    }


def test_telemetry_of_any_shape_is_nobodys_mistake(stack, client_id):
    shapes = [b"not json", b"[]", b"\xff\0", messages.data("telemetry", {"w": 1})]
    with stack.device(client_id).connect() as device:
        for payload in shapes:
            device.publish(stack.topic(client_id, "data", "out"), payload)
        device.publish(stack.topic(client_id, "data", "out"), messages.data("x", 1, response_to="a"))
    wait.until(lambda: dead_letters(stack, client_id), "only the last one is a dead letter")
    assert [letter.header("reason") for letter in dead_letters(stack, client_id)] == ["unknown_action"]


@pytest.mark.parametrize("key", [b"", None, b"a/b", b"x" * 129, b"\xff"], ids=["empty", "none", "slash", "long", "bytes"])
def test_a_record_without_a_client_id_stops_nobody(stack, client_id, key):
    """The broker lets none in; somebody else may write to the topic."""
    producer = Producer({"bootstrap.servers": stack.settings.kafka_address})
    poison = messages.online(f"poison of {client_id}")
    for partition in range(stack.settings.partitions):
        producer.produce("device.control", value=poison, key=key, partition=partition)
    assert producer.flush(10) == 0
    with stack.device(client_id).connect() as device:
        device.publish(stack.topic(client_id, "control", "out"), messages.online(client_version="after"))
        wait.until(lambda: is_online(stack, client_id, "after"), "the next message counts")

    def letters() -> list:
        return [record for record in stack.records("device.dead-letter") if record.value == poison]

    wait.until(lambda: len(letters()) == stack.settings.partitions, "one dead letter for each")
    assert {letter.header("reason") for letter in letters()} == {"bad_client_id"}
