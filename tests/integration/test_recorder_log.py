"""What the recorder leaves for those who listen: each change once in the log, whatever kills it; on Kafka again after a kill only."""

import json
import random

import psycopg2
import pytest
from harness import messages, wait
from harness.recorder_process import RecorderBench
from heliograph_local.settings import ROOT


@pytest.fixture(name="bench")
def _bench(servers, tmp_path):
    bench = RecorderBench(servers, tmp_path)
    yield bench
    bench.end()


def log_of(bench) -> list:
    """The CloudEvents in the order in which streams get them."""
    rows = bench.query("SELECT events FROM connection_log ORDER BY xid, log_partition, last_offset")
    return [json.loads(line.split("\t")[4]) for row in rows for line in row["events"].splitlines()]


def say(bench, count: int, turn: int) -> None:
    for n in range(count):
        client = f"pv-{n % 97}"
        bench.say(client, messages.online(f"s-{turn}-{n}", canonical_facts={"fqdn": client * 5}))
    bench.flush()


def test_killed_at_any_moment_each_change_is_in_the_log_once(bench):
    dice = random.Random(11)
    recorder = bench.recorder(BATCH__MAX_RECORDS=50).start().ready()
    for turn in range(3):
        say(bench, 500, turn)
        wait.until(lambda: recorder.value("batches_total", topic=bench.topics["control"]) > dice.randint(0, 3), "it works")
        recorder.kill()
        recorder.start()
    recorder.ready()
    bench.wait_until_applied()
    bench.wait_until_published()
    told = [(event["source"], event["id"]) for event in log_of(bench)]
    assert len(told) == len(set(told)) == 1500
    assert {(event["source"], event["id"]) for event in bench.events()} == set(told), "and Kafka has the same"
    last = {}
    for _, id_ in told:
        _, partition, offset = id_.split("/")
        assert int(offset) > last.get(partition, -1), "in the order of the log"
        last[partition] = int(offset)


def test_what_kafka_has_is_a_place_and_no_row_is_touched(bench):
    recorder = bench.recorder().start().ready()
    say(bench, 300, 0)
    bench.wait_until_applied()
    bench.wait_until_published()
    written = bench.query("SELECT xid, xmin::text, events FROM connection_log ORDER BY xid, log_partition")
    recorder.stop()
    records = len(bench.records("events"))
    recorder.start().ready()
    say(bench, 1, 1)
    bench.wait_until_applied()
    bench.wait_until_published()
    assert bench.query("SELECT xid, xmin::text, events FROM connection_log ORDER BY xid, log_partition")[: len(written)] == written
    assert len(bench.records("events")) == records + 1, "an orderly stop repeats nothing"


def migrate(bench, direction: str) -> None:
    with psycopg2.connect(bench.database) as connection, connection.cursor() as cursor:
        cursor.execute((ROOT / f"migrations/0011_connection_log.{direction}.sql").read_text())
    connection.close()


def test_the_migration_goes_back_and_forth(bench):
    recorder = bench.recorder().start().ready()
    say(bench, 30, 0)
    bench.wait_until_applied()
    bench.wait_until_published()
    recorder.stop()
    bench.query("DELETE FROM connection_log_told WHERE log_partition = 1 RETURNING 1")
    left = bench.query("SELECT count(*) AS n FROM connection_events_outbox")[0]["n"]
    assert left >= 1
    for direction in ("down", "up"):
        migrate(bench, direction)
        assert bench.query("SELECT count(*) AS n FROM connection_events_outbox")[0]["n"] == left
        lines = bench.query("SELECT events FROM connection_events_outbox")[0]["events"].splitlines()
        assert all(len(line.split("\t")) == 2 and json.loads(line.split("\t")[1]) for line in lines), direction
    records = len(bench.records("events"))
    recorder.start().ready()
    bench.wait_until_published()
    assert len(bench.records("events")) > records, "what was left is published, whatever its form"
