"""heliograph-recorder while something dies, stops or is taken away: no record is lost, none counts twice."""

import random

import psycopg2
import pytest
from confluent_kafka.admin import AdminClient
from e2e import state
from harness import messages, wait
from harness.recorder_process import RecorderBench

# As short as Kafka lets it be: how long a replica may be silent before others get its partitions.
SESSION = {"KAFKA__PROPERTIES": "session.timeout.ms=6000"}
CLIENTS = [f"pv-{number}" for number in range(200)]


@pytest.fixture(name="bench")
def _bench(servers, tmp_path):
    bench = RecorderBench(servers, tmp_path)
    yield bench
    bench.end()


class Fleet:
    """Devices that come and go: each message is a change, so each must be an event. Threads: one thread."""

    def __init__(self, bench):
        self._bench = bench
        self._sessions = {client: 0 for client in CLIENTS}
        self._online = {client: False for client in CLIENTS}
        self.said = 0

    def say(self, count: int) -> None:
        for _ in range(count):
            client = CLIENTS[self.said % len(CLIENTS)]
            if self._online[client]:
                payload = messages.last_will(f"s-{self._sessions[client]}")
            else:
                self._sessions[client] += 1
                payload = messages.online(f"s-{self._sessions[client]}", canonical_facts={"fqdn": client * 20})
            self._online[client] = not self._online[client]
            self._bench.say(client, payload)
            self.said += 1
        self._bench.flush()

    def assert_all_is_right(self) -> None:
        bench = self._bench
        bench.wait_until_applied()
        assert state.differences(bench) == []
        bench.wait_until_published()
        log = {(one.partition, one.offset) for one in bench.records("control")}
        assert len(log) == self.said
        positions = [tuple(map(int, event["id"].split("/")[1:])) for event in bench.events()]
        assert set(positions) == log, "an event for each change"
        last = {}
        for event, position in zip(bench.events(), positions):
            assert last.get(event["subject"], (-1, -1)) < position, "in the order of the log, each for the first time"
            last[event["subject"]] = position


def test_killed_between_batches_under_load(bench):
    dice = random.Random(7)
    fleet = Fleet(bench)
    recorder = bench.recorder(BATCH__MAX_RECORDS=300).start().ready()
    for _ in range(8):
        fleet.say(3000)
        wait.until(lambda: recorder.value("batches_total", topic=bench.topics["control"]) > dice.randint(0, 6), "it works")
        recorder.kill()
        recorder.start()
    recorder.ready()
    fleet.assert_all_is_right()


def test_two_replicas_share_and_take_over(bench):
    fleet = Fleet(bench)
    one = bench.recorder("one", **SESSION).start().ready()
    fleet.say(2000)
    other = bench.recorder("other", **SESSION).start().ready()
    wait.until(lambda: other.lines("following a partition"), "the second has got partitions", 30)
    fleet.say(2000)
    one.kill()
    fleet.say(2000)
    fleet.assert_all_is_right()
    assert other.alive


def test_workers_share_the_partitions_like_replicas(bench):
    fleet = Fleet(bench)
    several = {"BATCH__WORKERS": 3, "BATCH__MAX_RECORDS": 100}
    recorder = bench.recorder(**several).start().ready()
    wait.until(lambda: len(members(bench)) == 3, "each worker is a member of the group")
    fleet.say(3000)
    wait.until(lambda: recorder.value("batches_total", topic=bench.topics["control"]) > 5, "it works")
    recorder.kill()
    fleet.say(3000)
    recorder.start().ready()
    fleet.say(1000)
    fleet.assert_all_is_right()
    recorder.stop()
    fleet.say(1000)
    bench.recorder(**SESSION).start()  # a single one, which has the name of the first worker
    fleet.assert_all_is_right()


def members(bench) -> list:
    admin = AdminClient({"bootstrap.servers": bench.servers.settings.kafka_address, "log_level": 0})
    groups = admin.list_groups(f"recorder-{bench.name}.control", timeout=10)
    return [member for group in groups for member in group.members if member.assignment]


def test_one_that_was_stopped_is_fenced(bench):
    fleet = Fleet(bench)
    one = bench.recorder("one", BATCH__MAX_RECORDS=200, **SESSION).start().ready()
    fleet.say(5000)
    one.pause()  # in the midst of it
    other = bench.recorder("other").start()
    wait.until(lambda: other.lines("following a partition"), "the group has given up the one that is stopped", 40)
    other.ready()
    fleet.say(2000)
    bench.wait_until_applied()
    one.resume()
    fleet.say(2000)
    fleet.assert_all_is_right()
    one.ready()


def test_an_offset_that_somebody_else_moved_is_not_moved_again(bench):
    fleet = Fleet(bench)
    recorder = bench.recorder().start().ready()
    fleet.say(1000)
    bench.wait_until_applied()
    bench.query("UPDATE kafka_offsets SET next_offset = 0, last_record_time = NULL")
    fleet.say(1000)
    fleet.assert_all_is_right()  # also after the same records once more
    assert recorder.value("fenced_total") > 0


def test_postgres_away_for_ten_seconds(bench):
    fleet = Fleet(bench)
    recorder = bench.recorder().start().ready()
    fleet.say(1000)
    bench.wait_until_applied()
    postgres = bench.servers.postgres
    postgres.stop()
    try:
        wait.until(lambda: recorder.reason("postgres"), "readiness names the database", 5)
        fleet.say(3000)
        wait.until(lambda: recorder.value("failed_batches_total") > 3, "it tries again", 15)
        assert recorder.alive
    finally:
        postgres.start()
        postgres.wait()
    recorder.ready(5)
    fleet.assert_all_is_right()
    assert len(recorder.lines("is not committed")) < 10, "one line says it, not thousands"


def test_postgres_killed_under_load(bench):
    fleet = Fleet(bench)
    recorder = bench.recorder(BATCH__MAX_RECORDS=200).start().ready()
    postgres = bench.servers.postgres
    fleet.say(3000)
    postgres.kill()
    postgres.start()
    postgres.wait()
    fleet.say(3000)
    recorder.ready()
    fleet.assert_all_is_right()


def test_a_lock_that_is_held(bench):
    fleet = Fleet(bench)
    recorder = bench.recorder().start().ready()
    fleet.say(500)
    bench.wait_until_applied()
    holder = psycopg2.connect(bench.database)
    with holder.cursor() as cursor:
        cursor.execute("LOCK TABLE connections IN ACCESS EXCLUSIVE MODE")
        fleet.say(500)
        wait.until(lambda: recorder.reason("control"), "readiness names the batch that does not go through", 15)
    holder.rollback()
    holder.close()
    recorder.ready(10)
    fleet.assert_all_is_right()


def test_kafka_restarted(bench):
    fleet = Fleet(bench)
    recorder = bench.recorder().start().ready()
    fleet.say(1000)
    kafka = bench.servers.kafka
    kafka.stop()
    wait.until(lambda: recorder.reason("kafka"), "readiness names Kafka", 5)
    kafka.start()
    kafka.wait()
    recorder.ready(30)
    fleet.say(1000)
    fleet.assert_all_is_right()


def test_kafka_is_silent(bench):
    fleet = Fleet(bench)
    recorder = bench.recorder().start().ready()
    fleet.say(1000)
    bench.servers.kafka.pause()
    try:
        wait.until(lambda: recorder.reason("kafka"), "readiness names Kafka", 15)
    finally:
        bench.servers.kafka.resume()
    recorder.ready(30)
    fleet.say(1000)
    fleet.assert_all_is_right()


def test_ends_at_once_when_it_is_asked_to(bench):
    fleet = Fleet(bench)
    recorder = bench.recorder().start().ready()
    fleet.say(2000)
    recorder.stop()
    recorder.start().ready()
    fleet.assert_all_is_right()


def test_rebuild_under_load(bench):
    fleet = Fleet(bench)
    bench.recorder().start().ready()
    fleet.say(4000)
    for _ in range(3):
        bench.rebuild()
        fleet.say(2000)
    fleet.assert_all_is_right()


def test_a_refused_answer_is_told_once_however_often_its_batch_is_tried(bench):
    recorder = bench.recorder().start().ready()
    answer = messages.data("restart", {"ok": True}, response_to="01890a5d-ac96-774b-bcce-b302099a8057")
    bench.say("pv-1", messages.data("power", 1), "data")
    bench.wait_until_applied("data")
    holder = psycopg2.connect(bench.database)
    with holder.cursor() as cursor:
        # The batch is read, judged and told; then its offset cannot be moved.
        cursor.execute("LOCK TABLE kafka_offsets IN SHARE MODE")
        bench.say("pv-1", answer, "data")
        bench.flush()
        topic = bench.topics["data"]
        wait.until(lambda: recorder.value("failed_batches_total", topic=topic) >= 3, "it was tried again and again", 60)
    holder.rollback()
    holder.close()
    bench.wait_until_applied("data")
    assert [one.value for one in bench.records("dead_letter")] == [answer]


def test_dead_letters_whose_topic_was_deleted_reach_the_new_one(bench):
    """Kafka's client gives such records up for good; the recorder must not."""
    properties = SESSION["KAFKA__PROPERTIES"] + ",topic.metadata.propagation.max.ms=500"
    recorder = bench.recorder(KAFKA__PROPERTIES=properties).start().ready()
    bench.say("pv-1", b"poison 1")
    bench.wait_until_applied()
    bench.delete_topic("dead_letter")
    bench.say("pv-2", b"poison 2")
    bench.say("pv-3", messages.online("s-1"))
    bench.flush()
    wait.until(lambda: "Unknown topic" in recorder.reason("control"), "readiness names the cause", 60)
    bench.create_topic("dead_letter")
    bench.wait_until_applied()
    assert bench.connection("pv-3")["state"] == "online"
    assert b"poison 2" in {one.value for one in bench.records("dead_letter")}
    recorder.ready(60)


def test_two_of_one_name_are_told_and_the_one_that_is_left_goes_on(bench):
    """As when a deployment starts a replica twice: the group knows them as one, and throws the older one out."""
    fleet = Fleet(bench)
    one = bench.recorder("one").start().ready()
    fleet.say(1000)
    twin = bench.recorder("one").start()
    wait.until(lambda: one.lines("has this one's place in the consumer group"), "the older one says why it stands still", 60)
    fleet.say(1000)
    twin.kill()
    one.ready(120)
    fleet.say(1000)
    fleet.assert_all_is_right()
