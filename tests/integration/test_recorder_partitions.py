"""heliograph-recorder where device.control has got more partitions: each device's records are applied in the order of their sending.

How ingest sends them is tried in test_ingest_partitions.py; here the tests choose the partitions."""

import pytest
from e2e import state
from harness import messages, wait
from harness.recorder_process import RecorderBench

# So many that a partition without them is far ahead.
MANY = 500
SLOWLY = {"BATCH__MAX_RECORDS": 50, "BATCH__WORKERS": 2}


@pytest.fixture(name="bench")
def _bench(servers, tmp_path):
    bench = RecorderBench(servers, tmp_path)
    yield bench
    bench.end()


def say(bench, partition: int, mapping: int, client_id: str, *payloads: bytes) -> None:
    for payload in payloads:
        bench.say(client_id, payload, partition=partition, headers={"ingest.partitions": str(mapping)})


def by_three(bench) -> None:
    """`moves` leaves partition 0 for a new one, `returns` partition 2 for another old one; both are off line at its end."""
    for partition, name in ((0, "moves"), (2, "returns")):
        for number in range(MANY):
            say(bench, partition, 3, f"other-{partition}-{number % 50}", messages.online(), messages.offline())
        say(bench, partition, 3, name, messages.online(), messages.offline())


def by_five(bench) -> None:
    say(bench, 4, 5, "moves", messages.online(tags={"by": "5"}))
    say(bench, 0, 5, "returns", messages.online(tags={"by": "5"}))


def assert_as_sent(bench) -> None:
    for name in ("moves", "returns"):
        row = bench.connection(name)
        assert (row["state"], row["tags"]) == ("online", {"by": "5"}), name
        assert [stay["online_until"] is None for stay in bench.stays(name)] == [False, True], name
    assert state.differences(bench) == []


def test_a_first_start_and_a_rebuild_where_there_are_more_since_long(bench):
    bench.grow("control", 5)
    by_three(bench)
    bench.flush()
    by_five(bench)
    bench.flush()
    bench.recorder(**SLOWLY).start().ready()
    bench.wait_until_applied()
    assert_as_sent(bench)
    bench.query("UPDATE connections SET state = 'unknown'")
    assert bench.rebuild()["changed_rows"] > 0
    assert_as_sent(bench)


def test_a_rebuild_keeps_what_a_partition_that_lost_its_log_knew_of_who_has_moved(bench):
    bench.grow("control", 5)
    bench.recorder().start().ready()
    say(bench, 0, 3, "moves", messages.online("s-1", tags={"a": "b"}))
    bench.wait_until_applied()
    say(bench, 4, 5, "moves", messages.control("event", "pong"))
    bench.wait_until_applied()
    before = bench.connection("moves")
    bench.shorten_log("control", 0, 1)
    bench.rebuild()
    assert bench.connection("moves") == {**before, "older_than_log": True}
    assert [stay["online_until"] for stay in bench.stays("moves")] == [None]


def test_who_starts_again_does_not_wait_for_events(bench):
    """It has told the others before that it is as far."""
    first = bench.recorder("one").start().ready()
    say(bench, 0, 3, "first", messages.online())
    bench.wait_until_applied()
    bench.wait_until_published()
    first.stop()
    bench.query(
        "INSERT INTO connection_log (log_generation, log_partition, first_offset, last_offset, events)"
        " VALUES (1, 0, 0, 0, E'first\t{}') RETURNING 1"
    )
    say(bench, 0, 3, "second", messages.online())
    second = bench.recorder("one").start().ready()
    bench.wait_until_applied()
    assert bench.connection("second")["state"] == "online"
    assert second.lines("records of more partitions wait for those before them") == []


def test_more_while_two_of_them_run(bench):
    one, two = (bench.recorder(name, **SLOWLY).start().ready() for name in ("one", "two"))
    say(bench, 1, 3, "before", messages.online())
    bench.wait_until_applied()
    bench.grow("control", 5)

    def followed() -> set:
        lines = one.lines("following a partition") + two.lines("following a partition")
        return {line["partition"] for line in lines if line["topic"] == bench.topics["control"]}

    wait.until(lambda: followed() == set(range(5)), "all five partitions are followed", 30)
    by_three(bench)
    bench.flush()
    by_five(bench)
    bench.wait_until_applied()
    assert_as_sent(bench)
    bench.wait_until_published()
    kinds = [event["type"].rsplit(".")[-1] for event in bench.events() if event["subject"] == "moves"]
    assert kinds == ["online", "offline", "online"]


def test_who_was_stopped_before_the_change_holds_the_others_up(bench):
    """What it has not applied is not overtaken; once it is given to others, they go on."""
    short = {**SLOWLY, "KAFKA__PROPERTIES": "session.timeout.ms=6000"}
    one, two = (bench.recorder(name, **short).start().ready() for name in ("one", "two"))
    for partition in range(3):
        say(bench, partition, 3, f"before-{partition}", messages.online())
    bench.wait_until_applied()
    two.pause()
    try:
        by_three(bench)
        for partition in range(3):  # by more than there are: that must not stop anybody
            say(bench, partition, 6, f"after-{partition}", messages.online())
        bench.flush()
        told = "records of more partitions wait for those before them"
        wait.until(lambda: one.lines(told), "it waits for the other's partitions", 20)
        assert not all(bench.connection(f"after-{partition}") for partition in range(3))
        bench.wait_until_applied()
    finally:
        two.resume()
    assert state.differences(bench) == []
