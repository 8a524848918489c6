"""Devices that number their messages, and what of them is in Kafka."""

import json
import threading
from dataclasses import dataclass, field

from confluent_kafka import Consumer, TopicPartition
from harness.mqtt import Client


class NumberedDevice(Client):
    """Publishes 0, 1, 2 and so on, many at a time. Threads: one thread; paho's own counts acknowledgements."""

    def start(self, topic: str, padding: int = 100) -> "NumberedDevice":
        self._topic = topic
        self._padding = "x" * padding
        self.sent = 0
        self.acknowledged = 0
        self._all_acknowledged = threading.Event()
        self._client.max_inflight_messages_set(100)
        self._client.on_publish = self._on_publish
        self.connect()
        return self

    def publish_more(self, count: int) -> None:
        """Queues them; does not wait."""
        for number in range(self.sent, self.sent + count):
            self.sent = number + 1
            self._all_acknowledged.clear()
            self._client.publish(self._topic, json.dumps({"n": number, "padding": self._padding}), qos=1)

    def wait_for_acknowledgements(self, seconds: float = 60) -> None:
        assert self._all_acknowledged.wait(seconds), f"{self.acknowledged} of {self.sent} acknowledged by the broker"

    def _on_publish(self, *_) -> None:
        self.acknowledged += 1
        if self.acknowledged == self.sent:
            self._all_acknowledged.set()


def numbered_device(stack, client_id: str, channel: str = "data") -> NumberedDevice:
    pair = stack.add_device(client_id)
    device = NumberedDevice(stack.settings.ports["devices"], stack.settings.certs / "ca.crt", pair, client_id)
    return device.start(stack.topic(client_id, channel, "out"))


def count_records(stack, topic: str) -> int:
    """How many the topic has taken so far, as quickly as Kafka tells its ends."""
    consumer = Consumer({"bootstrap.servers": stack.settings.kafka_address, "group.id": "count", "log_level": 0})
    try:
        partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
        return sum(consumer.get_watermark_offsets(TopicPartition(topic, each), timeout=10)[1] for each in partitions)
    finally:
        consumer.close()


@dataclass
class Verdict:
    """What became of one device's messages."""

    first_seen: list = field(default_factory=list)  # numbers in the order of their first appearance
    repeats: int = 0
    altered: int = 0

    def problems(self, sent: int) -> list:
        missing = sorted(set(range(sent)) - set(self.first_seen))
        found = []
        if missing:
            found.append(f"{len(missing)} missing, as {missing[:5]}")
        if self.first_seen != sorted(self.first_seen):
            found.append("out of order")
        if self.altered:
            found.append(f"{self.altered} altered")
        return found


def judge(records: list, client_id: str, padding: int = 100) -> Verdict:
    """Of the records of a topic, those of one device."""
    verdict, seen = Verdict(), set()
    for record in records:
        if record.key != client_id.encode():
            continue
        message = json.loads(record.value)
        verdict.altered += message["padding"] != "x" * padding
        verdict.repeats += message["n"] in seen
        if message["n"] not in seen:
            verdict.first_seen.append(message["n"])
        seen.add(message["n"])
    return verdict
