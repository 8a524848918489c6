"""Receipts of heliograph-ingest: who asks is told when Kafka has the message, nobody else is told anything."""

import json
import re

import pytest
from harness import wait
from harness.ingest_bench import IngestBench, all_arrived, assert_complete_and_in_order
from harness.link import Link
from harness.mqtt import asking
from heliograph_local.settings import HOST


@pytest.fixture(name="bench")
def _bench(servers, tmp_path):
    bench = IngestBench(servers, tmp_path)
    yield bench
    bench.end()


class Asker:
    """A device that asks for receipts. Threads: one thread."""

    def __init__(self, bench, name: str):
        self._bench = bench
        self.name = name
        self.own = bench.topic(name, "control", "in")
        self.client = bench.device(name)
        self.client.subscribe(self.own)

    def publish(self, payload: bytes, correlation: bytes = b"", channel: str = "data", to: str = "", qos: int = 1) -> None:
        properties = asking(to or self.own, correlation)
        self.client.publish(self._bench.topic(self.name, channel), payload, qos=qos, properties=properties)

    def receipt(self, correlation: bytes) -> dict:
        """The content of the next message, which must be the receipt with this Correlation Data."""
        message = self.client.next_message()
        envelope = json.loads(message.payload)
        assert (message.topic, message.retain, envelope["type"]) == (self.own, False, "receipt")
        assert (envelope["version"], envelope["response_to"]) == (1, "")
        assert getattr(message.properties, "CorrelationData", b"") == correlation
        return envelope["content"]

    def gets_receipts(self, correlation: bytes) -> None:
        self.publish(b"another", correlation)
        self.receipt(correlation)


def at(records: list, receipt: dict):
    """The record that a receipt names; None when it is not there."""
    place = (receipt["partition"], receipt["offset"])
    return next((record for record in records if (record.partition, record.offset) == place), None)


def named(ingest, channel: str, receipt: dict):
    """The record that a receipt names, as soon as a reader gets it."""
    return wait.until(lambda: at(ingest.records(channel), receipt), f"{receipt} can be read", 10)


@pytest.mark.parametrize("channel", ["data", "control"])
def test_names_a_record_that_can_be_read(bench, channel):
    ingest = bench.ingest().start().ready()
    device = Asker(bench, "device-1")
    for number, correlation in enumerate((b"1", b"\x00\xff{", b"x" * 60_000, b"1")):
        payload = b"payload %d" % number
        device.publish(payload, correlation, channel)
        receipt = device.receipt(correlation)
        record = named(ingest, channel, receipt)
        assert (record.key, record.value) == (b"device-1", payload)
        assert receipt["state"] == "stored" and "dead_letter" not in receipt
    device.publish(b"without correlation data", channel=channel)
    assert named(ingest, channel, device.receipt(b"")).value == b"without correlation data"
    device.publish(b"at QoS 0", b"q", channel, qos=0)
    assert named(ingest, channel, device.receipt(b"q")).value == b"at QoS 0"
    wait.until(lambda: ingest.value("receipts_sent_total") == 6, "six are counted")


def test_a_thousand_and_more_are_each_told_their_own_place(bench):
    count = 500
    ingest = bench.ingest().start().ready()
    askers = [Asker(bench, name) for name in ("device-1", "device-2", "device-3")]
    for number in range(count):
        for asker in askers:
            asker.publish(b"%d" % number, b"%d" % number)
    told = {asker.name: [asker.receipt(b"%d" % number) for number in range(count)] for asker in askers}
    records = {(record.partition, record.offset): record for record in ingest.records("data")}
    for name, receipts in told.items():
        named = [records[(receipt["partition"], receipt["offset"])] for receipt in receipts]
        assert [(record.key.decode(), int(record.value)) for record in named] == [(name, n) for n in range(count)]
    assert ingest.value("receipts_dropped_total") == 0


def test_none_without_asking(bench):
    ingest = bench.ingest().start().ready()
    device = Asker(bench, "device-1")
    for number in range(10):
        device.client.publish(bench.topic("device-1"), b"silent %d" % number)
    ingest.wait_for_records("data", 10)
    device.gets_receipts(b"asked")  # the first message that comes, though ten went before
    assert ingest.value("receipts_sent_total") == 1


def test_ingest_cannot_be_talked_into_publishing_elsewhere(bench):
    ingest = bench.ingest().start().ready()
    device, victim = Asker(bench, "device-1"), Asker(bench, "device-2")
    victim.client.subscribe(bench.topic("device-2", "data", "in"))
    device.client.subscribe(bench.topic("device-1", "data", "in"))
    elsewhere = [
        victim.own,
        bench.topic("device-2", "data", "in"),
        bench.topic("device-1", "data", "in"),
        bench.topic("device-1", "control", "out"),
        bench.topic("device-2", "control", "out"),
        bench.topic("@ingest", "control", "out"),
        bench.topic("device-11", "control", "in"),
        device.own + "/",
        device.own.replace("heliograph", "other"),
        "$SYS/broker/uptime",
        "x" * 60_000,
    ]
    for number, topic in enumerate(elsewhere):
        device.publish(b"abuse %d" % number, b"abuse", to=topic)
    assert [record.value for record in ingest.wait_for_records("data", len(elsewhere))] == [
        b"abuse %d" % number for number in range(len(elsewhere))
    ], "the messages themselves are carried"
    assert ingest.value("receipts_refused_total") == len(elsewhere)
    # What comes first to either is the receipt that it asked for itself.
    device.gets_receipts(b"mine")
    victim.gets_receipts(b"its own")
    assert ingest.value("receipts_sent_total") == 2
    assert ingest.records("control") == [] and ingest.records("dead_letter") == [], "nothing came back as a message"
    assert ingest.log().count("is refused") == 1, "not a line for each"


def test_of_a_dead_letter_says_that_it_is_one(bench):
    """Or the device would send for ever what Kafka will never take."""
    ingest = bench.ingest(MAX_PACKET_BYTES=1024).start().ready()
    device = Asker(bench, "device-1")
    device.publish(b"y" * 100_000, b"large")
    receipt = device.receipt(b"large")
    assert (receipt["state"], receipt["dead_letter"]) == ("stored", "too_large")
    assert at(ingest.records("dead_letter"), receipt).header("reason") == "too_large"
    assert ingest.records("data") == []


def test_one_that_nobody_listens_to_is_counted_and_kept_for_nobody(bench):
    ingest = bench.ingest().start().ready()
    device = bench.device("device-1")
    device.publish(bench.topic("device-1"), b"x", properties=asking(bench.topic("device-1", "control", "in"), b"1"))
    wait.until(lambda: ingest.value("receipts_dropped_total", reason="nobody_listens") == 1, "it is counted")
    assert ingest.value("receipts_sent_total") == 0


def second_connection(bench, ingest) -> int:
    """The port from which it reaches the broker."""
    connected = rf"New client connected from {HOST}:(\d+) as {re.escape(ingest.client_id)}-aux-"
    return int(re.findall(connected, bench.servers.mosquitto.log_file.read_text())[-1])


def test_without_the_second_connection_the_window_goes_on(bench):
    link = Link(bench.settings.ports["services"])
    try:
        ingest = bench.ingest(MQTT__HOSTS=f"{HOST}:{link.port}").start().ready()
        device = Asker(bench, "device-1")
        device.gets_receipts(b"before")
        wait.until(lambda: ingest.value("receipts_sent_total") == 1, "ingest knows that, too")
        link.refuse()
        link.end(second_connection(bench, ingest))
        wait.until(lambda: "connection to the broker lost" in ingest.log(), "the second connection is lost")
        bench.publish_numbers("device-2", 0, 5000)
        wait.until(all_arrived(ingest, "device-2", 5000), "all numbers")
        assert len(assert_complete_and_in_order(ingest.records("data"), "device-2", 5000)) == 5000, "none came twice"
        device.publish(b"meanwhile", b"dropped")
        wait.until(lambda: ingest.value("receipts_dropped_total", reason="no_connection") == 1, "it is counted")
        assert ingest.value("connections_lost_total") == 0, "the first connection stayed"
        connects = ingest.log().count("connected to the broker")
        link.restore()
        wait.until(lambda: ingest.log().count("connected to the broker") > connects, "it is back", 30)
        device.gets_receipts(b"after")  # the dropped one does not come late
    finally:
        link.close()


def test_after_both_connections_were_cut_receipts_go_on(bench):
    link = Link(bench.settings.ports["services"])
    try:
        ingest = bench.ingest(MQTT__HOSTS=f"{HOST}:{link.port}").start().ready()
        device = Asker(bench, "device-1")
        connects = ingest.log().count("connected to the broker")
        link.cut()
        wait.until(lambda: ingest.value("connections_lost_total") > 0, "the first connection is lost")
        device.publish(b"meanwhile", b"meanwhile")
        link.restore()
        wait.until(lambda: ingest.log().count("connected to the broker") > connects, "the second is back", 30)
        ingest.ready(30)
        ingest.wait_for_records("data", 1)
        device.publish(b"after", b"after")
        # The first may have been confirmed before the second connection was there.
        told = device.client.next_message(30)
        if told.properties.CorrelationData == b"meanwhile":
            told = device.client.next_message()
        assert told.properties.CorrelationData == b"after"
    finally:
        link.close()
