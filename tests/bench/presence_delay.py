"""How long a change of presence takes from Kafka to its event in Kafka, at a steady pace."""

import json
import statistics
import threading
import time

from confluent_kafka import Consumer, Producer, TopicPartition
from recorder_load import Fleet

PARTITIONS = 3
DEVICES = 1000
LONGEST = 30.0  # seconds that an event may take


class PresenceDelay:
    """Devices come and go at `rate` a second; an event tells by its id which message it is of. Threads: one thread; has two."""

    def __init__(self, bootstrap: str, control: str, events: str, rate: float = 100.0):
        self._bootstrap, self._control, self._events, self._rate = bootstrap, control, events, rate
        self._quiet, self._stop = threading.Event(), threading.Event()
        self._sent = {}  # id of the event -> when the message was given to Kafka's client
        self._seen = {}  # id -> when its event was read
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._speak, self._listen)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Says nothing more, and waits for the events of what was said."""
        speaking, listening = self._threads
        self._quiet.set()
        speaking.join()
        deadline = time.monotonic() + LONGEST
        while listening.is_alive() and time.monotonic() < deadline and not self._sent.keys() <= set(self._seen):
            time.sleep(0.05)
        self._stop.set()
        listening.join()

    def _speak(self) -> None:
        producer = Producer({"bootstrap.servers": self._bootstrap, "partitioner": "murmur2_random", "linger.ms": 0,
                             "enable.idempotence": True, "log_level": 0})  # fmt: skip
        fleet = Fleet(DEVICES)
        due, count = time.monotonic(), 0
        while not self._quiet.is_set():
            a_round, at = divmod(count, DEVICES)
            number = fleet.order[at]
            sent = time.monotonic()
            producer.produce(self._control, key=fleet.client_id(number), value=fleet.payload(number, a_round),
                             on_delivery=lambda error, message, sent=sent: self._delivered(error, message, sent))  # fmt: skip
            count += 1
            due += 1 / self._rate
            while (left := due - time.monotonic()) > 0:
                producer.poll(left)
        producer.flush(30)

    def _delivered(self, error, message, sent: float) -> None:
        assert error is None, error
        self._sent[f"{self._control}/{message.partition()}/{message.offset()}"] = sent

    def _listen(self) -> None:
        consumer = Consumer({"bootstrap.servers": self._bootstrap, "group.id": "bench-delay", "enable.auto.commit": False,
                             "log_level": 0})  # fmt: skip
        consumer.assign([TopicPartition(self._events, partition, 0) for partition in range(PARTITIONS)])
        while not self._stop.is_set():
            message = consumer.poll(0.1)
            if message is not None and not message.error():
                self._seen.setdefault(json.loads(message.value())["id"], time.monotonic())
        consumer.close()

    def percentiles(self, begin: float, end: float) -> dict:
        """Milliseconds, of the messages given out from `begin` to half a second before `end`; after `stop`."""
        sent = {name: at for name, at in self._sent.items() if begin <= at <= end - 0.5}
        assert all(name in self._seen for name in sent), "an event is missing"
        delays = [(self._seen[name] - at) * 1000 for name, at in sent.items()]
        assert len(delays) >= 100, f"only {len(delays)} changes in that time: take more telemetry"
        cuts = statistics.quantiles(delays, n=100)
        return {"p50": cuts[49], "p99": cuts[98], "max": max(delays), "count": len(delays)}
