"""What a device publishes is in Kafka: every byte, under its client id, in its order."""

import pytest
from harness import messages, wait
from numbered import judge, numbered_device

PAYLOADS = {
    "empty": b"",
    "json": b'{"a": 1}',
    "spaces and line ends stay": b' {"a"\r\n: 1}\n',
    "not json": b"42 is not all",
    "every byte": bytes(range(256)),
    "nul": b"\0\0",
    "invalid utf-8": b"\xff\xfe\xc3",
    "100 kB": bytes(n % 251 for n in range(100_000)),
}


def records_of(stack, topic: str, client_id: str) -> list:
    return [record for record in stack.records(topic) if record.key == client_id.encode()]


@pytest.mark.parametrize("channel", ["data", "control"])
def test_byte_for_byte(stack, client_id, channel):
    with stack.device(client_id).connect() as device:
        for payload in PAYLOADS.values():
            device.publish(stack.topic(client_id, channel, "out"), payload)
    wait.until(lambda: len(records_of(stack, f"device.{channel}", client_id)) == len(PAYLOADS), "all are in Kafka")
    records = records_of(stack, f"device.{channel}", client_id)
    assert [record.value for record in records] == list(PAYLOADS.values())
    assert len({record.partition for record in records}) == 1, "one device, one partition"


def test_headers_say_where_it_came_from(stack, client_id):
    topic = stack.topic(client_id, "data", "out")
    with stack.device(client_id).connect() as device:
        for qos in (0, 1, 2):
            device.publish(topic, b"x", qos=qos)
    wait.until(lambda: len(records_of(stack, "device.data", client_id)) == 3, "all are in Kafka")
    records = records_of(stack, "device.data", client_id)
    assert sorted(record.header("mqtt.qos") for record in records)[-2:] == ["1", "1"], "ingest subscribes at QoS 1"
    for record in records:
        assert record.header("mqtt.topic") == topic
        assert record.header("mqtt.retain") == "0"
        assert record.header("ingest.received").endswith("Z")
        assert record.header("ingest.connection")


def test_a_retained_message_is_carried_once(stack, client_id):
    topic = stack.topic(client_id, "data", "out")
    with stack.device(client_id).connect() as device:
        device.publish(topic, b"kept", retain=True)
        wait.until(lambda: len(records_of(stack, "device.data", client_id)) == 1, "it is in Kafka")
        stack.restart(stack.ingest)
        device.publish(topic, b"marker")
        wait.until(lambda: len(records_of(stack, "device.data", client_id)) >= 2, "the marker is in Kafka")
        device.publish(topic, b"", retain=True)  # or it would stay with the broker
    values = [record.value for record in records_of(stack, "device.data", client_id)]
    assert values.count(b"kept") == 1, "not again because ingest has subscribed again"


def test_order(stack, client_id):
    devices = {f"{client_id}-{n}": numbered_device(stack, f"{client_id}-{n}") for n in range(3)}
    for _ in range(10):
        for device in devices.values():
            device.publish_more(100)
    for device in devices.values():
        device.wait_for_acknowledgements()
        device.close()

    def all_there() -> bool:
        records = stack.records("device.data")
        return all(len(judge(records, name).first_seen) == 1000 for name in devices)

    wait.until(all_there, "all are in Kafka")
    records = stack.records("device.data")
    assert {name: judge(records, name).problems(1000) for name in devices} == {name: [] for name in devices}


def test_a_message_that_is_too_large_stops_nobody(stack, client_id):
    """The broker refuses it by ending the connection; nothing is cut, nothing is lost silently."""
    limit = stack.settings.max_packet_bytes
    large = stack.device(client_id).connect()
    with stack.device(f"{client_id}-other").connect() as other:
        with pytest.raises((AssertionError, ValueError, RuntimeError)):
            large.publish(stack.topic(client_id, "data", "out"), b"x" * (limit + 1))
        assert large.lost.wait(10), "the broker ends the connection"
        other.publish(stack.topic(f"{client_id}-other", "data", "out"), b"still here")
    wait.until(lambda: records_of(stack, "device.data", f"{client_id}-other"), "the others go on")
    assert records_of(stack, "device.data", client_id) == []


def arrives_whole(stack, client_id: str) -> None:
    """The largest message that the broker lets in."""
    topic = stack.topic(client_id, "data", "out")
    # Fixed header and its length, the topic with its length, packet id, and one byte of properties in MQTT 5.
    size = stack.settings.max_packet_bytes - (1 + 4 + 2 + len(topic) + 2 + 1)
    payload = (bytes(range(249)) * (size // 249 + 1))[:size]
    with stack.device(client_id).connect() as device:
        device.publish(topic, payload)
    wait.until(lambda: records_of(stack, "device.data", client_id), "it is in Kafka")
    assert records_of(stack, "device.data", client_id)[0].value == payload


def test_the_largest_message_that_the_broker_lets_in_arrives_whole(stack, client_id):
    arrives_whole(stack, client_id)


def test_a_larger_packet_size_holds_from_the_broker_to_the_dead_letters(own_stack, client_id):
    """HELIOGRAPH_MAX_PACKET_BYTES: broker, ingest, Kafka's topics and the recorder all take what it says."""
    stack = own_stack(max_packet_bytes=4 << 20)
    arrives_whole(stack, client_id)
    poison = b"[" * (3 << 20)
    with stack.device(client_id).connect() as device:
        device.publish(stack.topic(client_id, "control", "out"), poison)
        device.publish(stack.topic(client_id, "control", "out"), messages.online("s-1"))
        wait.until(lambda: stack.connection(client_id).get("state") == "online", "the next message counts")
    wait.until(lambda: records_of(stack, "device.dead-letter", client_id), "it is a dead letter")
    letters = records_of(stack, "device.dead-letter", client_id)
    assert [letter.header("reason") for letter in letters] == ["too_deep"]
    assert letters[0].value == poison
