"""What is in a Kafka topic, from its beginning."""

import time
import uuid
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaException, TopicPartition


@dataclass(frozen=True)
class Record:
    """Threads: immutable."""

    partition: int
    offset: int
    key: bytes
    value: bytes
    headers: dict  # name -> bytes; the last where a name repeats
    timestamp_ms: int

    def header(self, name: str) -> str:
        value = self.headers.get(name)
        return value.decode(errors="replace") if value is not None else ""


def read(bootstrap: str, topic: str, seconds: float = 20.0, begin: dict = None) -> list:
    """All records up to the ends that the partitions have now, by partition and offset; `begin`: from these offsets on."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": f"test-{uuid.uuid4()}",
            "enable.auto.commit": False,
            "enable.partition.eof": False,
            "auto.offset.reset": "error",
            "log_level": 0,
        }
    )
    try:
        return _read_until(consumer, topic, _bounds(consumer, topic, seconds, begin or {}), seconds)
    finally:
        consumer.close()


def _bounds(consumer, topic: str, seconds: float, begin: dict) -> dict:
    """partition -> (first, end), without empty ones. A topic that was just made has no leader for a moment."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            bounds = {}
            for partition in consumer.list_topics(topic, timeout=seconds).topics[topic].partitions:
                low, high = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=seconds)
                low = max(low, begin.get(partition, low))
                if high > low:
                    bounds[partition] = (low, high)
            return bounds
        except KafkaException:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def _read_until(consumer, topic: str, ends: dict, seconds: float) -> list:
    consumer.assign([TopicPartition(topic, partition, low) for partition, (low, _) in ends.items()])
    missing = {partition: high for partition, (_, high) in ends.items()}
    wanted = sum(high - low for low, high in ends.values())
    records, patience = [], time.monotonic() + seconds
    while missing:
        # consume() waits its whole time for the whole number, so it is asked for no more than there is, the time is short and
        # the patience our own.
        batch = consumer.consume(max(1, min(1000, wanted - len(records))), timeout=0.1)
        patience = time.monotonic() + seconds if batch else patience
        assert time.monotonic() < patience, f"{topic}: nothing came for {seconds:.0f} s, missing up to {missing}"
        for message in batch:
            assert not message.error(), message.error()
            partition, offset = message.partition(), message.offset()
            if offset < ends[partition][1]:
                records.append(_record(message))
            if offset + 1 >= ends[partition][1]:
                missing.pop(partition, None)
    return sorted(records, key=lambda record: (record.partition, record.offset))


def _record(message) -> Record:
    return Record(
        partition=message.partition(),
        offset=message.offset(),
        key=message.key() or b"",
        value=message.value() or b"",
        headers=dict(message.headers() or []),
        timestamp_ms=message.timestamp()[1],
    )
