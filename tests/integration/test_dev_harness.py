"""The harness's own readers: what they tell must be what is there."""

import uuid

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from harness import kafka_log, metrics


@pytest.fixture(name="topic")
def _topic(servers):
    name = f"harness-{uuid.uuid4().hex[:8]}"
    admin = AdminClient({"bootstrap.servers": servers.settings.kafka_address})
    admin.create_topics([NewTopic(name, 3, 1)])[name].result(10)
    return name


def test_reads_a_topic_from_its_beginning_to_its_end(servers, topic):
    assert kafka_log.read(servers.settings.kafka_address, topic) == []
    producer = Producer({"bootstrap.servers": servers.settings.kafka_address})
    for number in range(500):
        producer.produce(topic, value=str(number), key=b"k", partition=number % 2, headers={"n": str(number)})
    assert producer.flush(10) == 0
    records = kafka_log.read(servers.settings.kafka_address, topic)
    assert [int(record.value) for record in records] == [*range(0, 500, 2), *range(1, 500, 2)]
    assert records[7].header("n") == records[7].value.decode()
    assert records[7].key == b"k"


def test_kafka_makes_no_topic_by_itself_and_stamps_records_with_its_own_clock(servers, topic):
    producer = Producer({"bootstrap.servers": servers.settings.kafka_address})
    producer.produce(topic, value=b"x", timestamp=1)
    assert producer.flush(10) == 0
    assert kafka_log.read(servers.settings.kafka_address, topic)[0].timestamp_ms > 1_700_000_000_000
    metadata = AdminClient({"bootstrap.servers": servers.settings.kafka_address}).list_topics("never-made", timeout=10)
    assert metadata.topics["never-made"].error is not None


def test_kafka_takes_what_the_broker_lets_in(servers, topic):
    largest = servers.settings.max_packet_bytes
    limits = {"bootstrap.servers": servers.settings.kafka_address, "message.max.bytes": 10_000_000}
    refused = []
    producer = Producer({**limits, "on_delivery": lambda error, _: refused.append(error)})
    producer.produce(topic, value=b"x" * largest, key=b"k" * 128, headers={"mqtt.topic": b"t" * 60_000})
    producer.flush(10)
    producer.produce(topic, value=b"x" * (largest + 64 * 1024))
    producer.flush(10)
    assert refused[0] is None
    assert refused[1] is not None


def test_the_role_of_the_daemons_is_no_superuser(servers):
    connection = servers.postgres.connect_as_admin()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolpassword LIKE 'SCRAM-SHA-256%%' "
            "FROM pg_authid WHERE rolname = 'heliograph'"
        )
        assert cursor.fetchone() == (False, False, False, False, True)
    connection.close()


def test_metrics_are_read_with_their_labels():
    read = metrics.parse('# HELP a b\na_total{kind="x",why="say \\"no\\""} 3\na_total{kind="y"} 4\nb 1.5e3\n')
    assert read.value("a_total") == 7
    assert read.value("a_total", kind="x") == 3
    assert read.value("b") == 1500
    assert read.value("c") == 0
    assert not read.has("c")
