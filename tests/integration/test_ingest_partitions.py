"""heliograph-ingest while its topics get more partitions: each device's messages stay in order, and each record says how many there were."""

import time

import pytest
from harness import kafka_topics
from harness.ingest_bench import IngestBench, assert_complete_and_in_order
from judge import mapping

FAST = ("device-1", "device-2", "device-3")
SLOW = ("device-4", "device-5", "device-6")
PUBLISHED = 20_000  # by each of the fast ones


@pytest.fixture(name="bench")
def _bench(servers, tmp_path):
    bench = IngestBench(servers, tmp_path)
    yield bench
    bench.end()


class Slow:
    """Devices that say a number now and then. Threads: one thread."""

    def __init__(self, bench):
        self._devices = {name: (bench.device(name), bench.topic(name)) for name in SLOW}
        self.said = 0

    def say(self) -> None:
        for device, topic in self._devices.values():
            device.publish(topic, str(self.said).encode())
        self.said += 1

    def until(self, condition) -> None:
        deadline = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < deadline
            self.say()
            time.sleep(0.005)


def in_order(records: list) -> list:
    looks = [records]
    return mapping.in_order(lambda: looks.pop() if looks else [], mapping.Mappings())


def test_messages_flow_while_a_topic_grows(bench):
    ingest = bench.ingest().start().ready()
    slow = Slow(bench)
    slow.say()
    publishers = [bench.publisher(name, 0, PUBLISHED) for name in FAST]
    for step, partitions in enumerate((5, 9)):
        kafka_topics.grow(bench.settings.kafka_address, {ingest.topics["data"]: partitions})
        slow.until(lambda step=step: ingest.log().count("topic has another number of partitions") > step)
        for _ in range(20):
            slow.say()
    ingest.kill()
    ingest.start().ready()
    slow.say()
    assert all(publisher.wait(timeout=120) == 0 for publisher in publishers)
    records = in_order(ingest.wait_for_records("data", len(FAST) * PUBLISHED + len(SLOW) * slow.said, 60))
    for name, count in [(name, PUBLISHED) for name in FAST] + [(name, slow.said) for name in SLOW]:
        assert_complete_and_in_order(records, name, count)
    places = {}
    for record in records:
        places.setdefault((record.key, record.header("ingest.partitions")), set()).add(record.partition)
    assert {number for _, number in places} == {"3", "5", "9"}
    assert all(len(partitions) == 1 and max(partitions) < int(number) for (_, number), partitions in places.items())
    assert ingest.records("dead_letter") == []
