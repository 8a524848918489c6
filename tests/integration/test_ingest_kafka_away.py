"""heliograph-ingest while Kafka is killed or silent: the broker keeps the messages, ingest keeps its head."""

import time

import pytest
from harness import folders, wait
from harness.ingest_bench import IngestBench, all_arrived, assert_complete_and_in_order
from harness.mqtt import asking
from heliograph_local import servers as local

COUNT = 40_000


@pytest.fixture(name="own_servers", scope="module")
def _own_servers():
    """Not the shared ones: other tests would not like what happens to this Kafka."""
    data = folders.temporary()
    try:
        yield local.start_for_tests(data)
    finally:
        local.stop_and_remove(data)


@pytest.fixture(name="bench")
def _bench(own_servers, tmp_path):
    bench = IngestBench(own_servers, tmp_path)
    yield bench
    own_servers.kafka.resume()
    own_servers.kafka.start()
    own_servers.kafka.wait()
    bench.end()


def resident_megabytes(ingest) -> float:
    bytes_ = ingest.process_value("process_resident_memory_bytes")
    assert bytes_ > 0
    return bytes_ / 1e6


def test_killed_for_20_s_and_back(bench):
    kafka = bench.servers.kafka
    ingest = bench.ingest().start().ready()
    publisher = bench.publisher("device-1", 0, COUNT, size=500)
    wait.until(lambda: ingest.value("messages_total") > 1000, "the load runs")
    kafka.kill()
    wait.until(lambda: ingest.reason("kafka"), "not ready, because of Kafka", 5)
    assert publisher.wait(timeout=60) == 0, "devices do not notice"
    until = time.monotonic() + 20
    while time.monotonic() < until:
        assert ingest.alive
        assert not ingest.health()["ready"]
        assert resident_megabytes(ingest) < 64
        time.sleep(1)
    kafka.start()
    kafka.wait()
    ingest.ready(10)
    wait.until(all_arrived(ingest, "device-1", COUNT), "all numbers", 60)
    assert_complete_and_in_order(ingest.records("data"), "device-1", COUNT)
    assert ingest.log().count("is asked to send a window again") <= 3


def test_silent_for_20_s_and_back(bench):
    kafka = bench.servers.kafka
    ingest = bench.ingest().start().ready()
    publisher = bench.publisher("device-1", 0, COUNT, size=500)
    wait.until(lambda: ingest.value("messages_total") > 1000, "the load runs")
    kafka.pause()
    wait.until(lambda: ingest.reason("kafka"), "not ready, because of Kafka", 15)
    assert publisher.wait(timeout=60) == 0
    time.sleep(20)
    assert ingest.alive and not ingest.health()["ready"]
    kafka.resume()
    wait.until(all_arrived(ingest, "device-1", COUNT), "all numbers", 90)
    assert_complete_and_in_order(ingest.records("data"), "device-1", COUNT)
    ingest.ready(10)


def test_a_receipt_waits_for_kafka_and_only_so_many_do(bench):
    """A window that may stay open for long, so that all messages are in it while Kafka says nothing."""
    ingest = bench.ingest(RECEIPTS__MAX_WAITING=10, WINDOW__MAX_AGE_MS=10_000).start().ready()
    device = bench.device("device-1")
    own = bench.topic("device-1", "control", "in")
    device.subscribe(own)
    bench.servers.kafka.pause()
    for number in range(50):
        device.publish(bench.topic("device-1"), b"%d" % number, properties=asking(own, b"%d" % number))
    wait.until(lambda: ingest.value("receipts_dropped_total", reason="full") >= 40, "the others are dropped, and counted")
    wait.until(lambda: ingest.value("receipts_waiting") == 10, "ten wait")
    assert device.messages.empty(), "Kafka has said nothing"
    bench.servers.kafka.resume()
    first = [device.next_message(60) for _ in range(10)]
    assert {message.properties.CorrelationData for message in first} == {b"%d" % number for number in range(10)}
    wait.until(all_arrived(ingest, "device-1", 50), "all numbers, also those without a receipt", 60)
    wait.until(lambda: ingest.value("receipts_waiting") == 0, "none waits")
    assert ingest.log().count("too many receipts wait") == 1, "not a line for each"


def test_ends_within_5_s_without_kafka_and_acknowledges_nothing(bench):
    kafka = bench.servers.kafka
    ingest = bench.ingest().start().ready()
    for end_kafka, bring_back in ((kafka.pause, kafka.resume), (kafka.kill, kafka.start)):
        end_kafka()
        bench.publish_numbers("device-1", 0, 100)
        time.sleep(0.5)
        assert ingest.stop() < 5
        bring_back()
        kafka.wait()
        ingest.start().ready()
    wait.until(all_arrived(ingest, "device-1", 100), "all numbers")


def test_a_fatal_error_of_the_producer_makes_a_new_one(bench):
    """Kafka says that records are too large: nothing may pass the refused one, and nothing is lost when it is put right."""
    ingest = bench.ingest().start().ready()
    bench.set_topic(ingest.topics["data"], "max.message.bytes", "2000")
    publisher = bench.publisher("device-1", 0, 2000, size=3000)
    wait.until(lambda: ingest.value("producers_replaced_total") > 0, "a new producer")
    wait.until(lambda: "max.message.bytes" in ingest.reason("kafka"), "the reason is told")
    assert publisher.wait(timeout=60) == 0
    bench.set_topic(ingest.topics["data"], "max.message.bytes", "1114112")
    ingest.ready()
    wait.until(all_arrived(ingest, "device-1", 2000), "all numbers")
    assert_complete_and_in_order(ingest.records("data"), "device-1", 2000)
    assert ingest.value("producers_replaced_total") <= 3, "it does not spin"
