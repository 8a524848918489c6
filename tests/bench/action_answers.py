"""What devices answer to actions, as an application reads it from Kafka; and what it says about time and order."""

import json
import statistics
import time

from confluent_kafka import Consumer, TopicPartition
from readers import PARTITIONS

TOPIC = "device.data"
QUIET = 5.0  # seconds after which nothing comes any more


class Answers:
    """Reads from where the topic ends now. Threads: one thread."""

    def __init__(self, kafka_address: str):
        self._consumer = Consumer({"bootstrap.servers": kafka_address, "group.id": "bench-answers", "fetch.wait.max.ms": 100,
                                   "enable.auto.commit": False, "log_level": 0})  # fmt: skip
        self._consumer.assign([TopicPartition(TOPIC, n, self._consumer.get_watermark_offsets(TopicPartition(TOPIC, n), timeout=10)[1])
                               for n in range(PARTITIONS)])  # fmt: skip
        for _ in range(5):
            self._consumer.poll(0.2)

    def read(self, goes_on, wanted=None) -> list:
        """(when it came, client id, action id) until `wanted` are there, or when nothing `goes_on` and QUIET is over."""
        records, last = [], time.monotonic()
        while (wanted is None or len(records) < wanted()) and (goes_on() or time.monotonic() - last < QUIET):
            message = self._consumer.poll(0.05)  # one by one: several at a time would wait for each other
            if message is not None and not message.error():
                last = time.monotonic()
                records.append((last, message.key(), message.value()))
        return [(at, key.decode(), json.loads(value)["response_to"]) for at, key, value in records]

    def close(self) -> None:
        self._consumer.close()


def delays(begun, ended: dict, since: float) -> list:
    """Milliseconds from when each (due, id) was due until it ended; of those due from `since` on that did end."""
    return [(ended[name] - due) * 1000 for due, name in begun if due >= since and name in ended]


def first_of(answers) -> dict:
    """Action id -> when its first answer came."""
    found = {}
    for at, _, action_id in answers:
        found.setdefault(action_id, at)
    return found


def percentiles(values) -> dict:
    values = list(values)
    cuts = statistics.quantiles(values, n=100)
    return {"mean": statistics.fmean(values), "p50": cuts[49], "p99": cuts[98]}


def delivery(answers, client_ids: list, wanted: list) -> dict:
    """How devices were reached that each were to get the actions `wanted`, in this order: how many are `missing`, came `again`,
    `out_of_order` after a later one, or are `foreign`."""
    places = {action_id: place for place, action_id in enumerate(wanted)}
    had = {client_id: set() for client_id in client_ids}
    found = {"missing": 0, "again": 0, "out_of_order": 0, "foreign": 0}
    for _, client_id, action_id in answers:
        if action_id not in places or client_id not in had:
            found["foreign"] += 1
        elif places[action_id] in had[client_id]:
            found["again"] += 1
        else:
            found["out_of_order"] += places[action_id] < max(had[client_id], default=0)
            had[client_id].add(places[action_id])
    found["missing"] = len(client_ids) * len(wanted) - sum(map(len, had.values()))
    return found
