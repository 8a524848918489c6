"""Partitions of topics that are there."""

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions


def count(bootstrap: str, topic: str) -> int:
    return len(AdminClient({"bootstrap.servers": bootstrap, "log_level": 0}).list_topics(topic, timeout=10).topics[topic].partitions)


def grow(bootstrap: str, topics: dict) -> None:
    """name -> how many partitions it has from now on; returns when all are made."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    for made in admin.create_partitions([NewPartitions(name, partitions) for name, partitions in topics.items()]).values():
        made.result(20)


def ends(bootstrap: str, topic: str, partitions) -> dict:
    """partition -> the offset that its next record gets."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "test-ends", "log_level": 0})
    try:
        return {one: consumer.get_watermark_offsets(TopicPartition(topic, one), timeout=10)[1] for one in partitions}
    finally:
        consumer.close()
