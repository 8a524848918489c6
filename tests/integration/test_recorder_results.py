"""What becomes of actions is told Kafka: each target that ended once in action.results, what nobody has done in
action.dead-letter, too; and what nobody could process is put in the list of dead letters."""

import json
import uuid

import pytest
from harness import messages, wait
from harness.recorder_process import RecorderBench


@pytest.fixture(name="bench")
def _bench(servers, tmp_path):
    bench = RecorderBench(servers, tmp_path)
    yield bench
    bench.end()


def add_action(bench, *client_ids: str) -> str:
    """As the API stores it: published to all of them."""
    action_id = str(uuid.uuid4())
    bench.query(
        "INSERT INTO actions (action_id, tenant, requested_by, directive, payload, metadata, deadline)"
        " VALUES (%s, 'demo', 'tester', 'solar.configure', %s, %s, now() + interval '1 hour')",
        action_id, '{"nul": "\\u0000", "quote": "\\"&<ü"}', '{"ticket": "7"}',
    )  # fmt: skip
    bench.query(
        "INSERT INTO action_targets (action_id, client_id, status) SELECT %s, unnest(%s), 'published'", action_id, list(client_ids)
    )
    return action_id


def expire(bench, action_id: str) -> None:
    bench.query("UPDATE action_targets SET status = 'expired', reason = 'no_answer', updated_at = now()"
                " WHERE action_id = %s AND status = 'published'", action_id)  # fmt: skip


def told(bench, role: str = "results") -> list:
    """Each event once, by partition and the order in which it first appears there."""
    events = {}
    for record in bench.records(role):
        event = json.loads(record.value)
        assert record.key.decode() == event["data"]["action"]["action_id"]
        events.setdefault((event["source"], event["id"]), event)
    return list(events.values())


def wait_until_told(bench, count: int, role: str = "results", seconds: float = 60) -> list:
    wait.until(lambda: len(told(bench, role)) >= count, f"Kafka is told of {count} targets", seconds)
    return told(bench, role)


def test_a_result_is_told_with_its_action(bench):
    recorder = bench.recorder().start().ready()
    action_id = add_action(bench, "pv-1")
    bench.say("pv-1", messages.data("x", {"limit_w": 4000}, action_id), role="data")
    bench.flush()
    (event,) = wait_until_told(bench, 1)
    assert (event["specversion"], event["type"], event["subject"]) == ("1.0", "heliograph.action.target.ended", "pv-1")
    action, target = event["data"]["action"], event["data"]["target"]
    assert (action["action_id"], action["directive"], action["tenant"], action["requested_by"]) == (
        action_id, "solar.configure", "demo", "tester")  # fmt: skip
    assert (target["client_id"], target["status"], target["result"]["content"]) == ("pv-1", "succeeded", {"limit_w": 4000})
    assert event["time"] == target["updated_at"]
    assert bench.records("action_dead_letter") == []
    wait.until(lambda: recorder.value("action_results_behind_seconds") == 0, "nothing is left")


def test_what_nobody_has_done_is_a_dead_letter_with_all_that_was_asked(bench):
    bench.recorder().start().ready()
    action_id = add_action(bench, "pv-1", "pv-2")
    bench.say("pv-2", messages.data("x", "broken", action_id, {"status": "failed", "reason": "no_such_directive"}), role="data")
    bench.flush()
    wait_until_told(bench, 1)
    expire(bench, action_id)
    failed, expired = wait_until_told(bench, 2)
    assert (failed["data"]["target"]["status"], failed["data"]["target"]["reason"]) == ("failed", "no_such_directive")
    assert expired["data"]["target"]["status"] == "expired"
    (letter,) = wait_until_told(bench, 1, "action_dead_letter")
    assert (letter["type"], letter["data"]["reason"]) == ("heliograph.action.dead-letter", "no_answer")
    assert letter["data"]["action"]["payload"] == {"nul": "\0", "quote": '"&<ü'}
    assert letter["data"]["action"]["metadata"] == {"ticket": "7"}


def ends(bench) -> list:
    """Which actions the log says have ended."""
    return [row["action_id"] for row in bench.query("SELECT action_id FROM target_log WHERE status = 'ended' ORDER BY xid, place")]


def test_an_action_ends_once_with_its_last_target(bench):
    recorder = bench.recorder().start().ready()
    names = [f"pv-{n}" for n in range(200)]
    large, small = add_action(bench, *names), add_action(bench, "pv-1")
    for name in names[150:] + names[:100]:  # the first one that is open changes, forwards and not
        bench.query("UPDATE action_targets SET status = 'failed' WHERE action_id = %s AND client_id = %s", large, name)
    wait_until_told(bench, 150)
    assert ends(bench) == []
    expire(bench, small)
    wait.until(lambda: ends(bench) == [small], "the small one has ended")
    recorder.kill()
    expire(bench, large)
    recorder.start()
    wait.until(lambda: ends(bench) == [small, large], "the large one has ended", 60)
    bench.query("UPDATE action_targets SET note = 'late' WHERE action_id = %s", small)  # says nothing new of its end
    wait_until_told(bench, 201)
    assert ends(bench) == [small, large]
    rows = bench.query("SELECT closed, ended_at FROM actions")
    assert all(row["closed"] and row["ended_at"] for row in rows)


def test_of_two_recorders_one_tells_and_the_other_takes_over(bench):
    one, two = (bench.recorder(name).start().ready(60) for name in ("one", "two"))
    actions = [add_action(bench, "pv-1") for _ in range(3)]
    expire(bench, actions[0])
    wait_until_told(bench, 1)
    assert sorted([one.value("action_results_total"), two.value("action_results_total")]) == [0, 1]
    first, second = (one, two) if one.value("action_results_total") else (two, one)
    first.kill()
    expire(bench, actions[1])
    wait_until_told(bench, 2)
    assert second.value("action_results_total") == 1
    first.start().ready(60)
    second.stop()  # it gives back what it had: nobody waits for its lease
    expire(bench, actions[2])
    assert {event["data"]["action"]["action_id"] for event in wait_until_told(bench, 3, seconds=8)} == set(actions)


def test_killed_at_any_moment_it_tells_everything(bench):
    recorder = bench.recorder(KAFKA__PROPERTIES="session.timeout.ms=6000").start().ready()
    action_id = add_action(bench, *(f"pv-{n}" for n in range(500)))
    for begin in range(0, 500, 50):
        bench.query(
            "UPDATE action_targets SET status = 'cancelled', updated_at = now() WHERE client_id = ANY(%s)",
            [f"pv-{n}" for n in range(begin, begin + 50)],
        )
        if begin % 100 == 0:
            recorder.kill()
            recorder.start()
    events = wait_until_told(bench, 500, seconds=90)
    assert {event["subject"] for event in events} == {f"pv-{n}" for n in range(500)}
    assert {event["data"]["action"]["action_id"] for event in events} == {action_id}
    assert bench.records("action_dead_letter") == [], "what a caller called off is none"


def test_without_postgres_it_says_so_and_goes_on(bench, servers):
    recorder = bench.recorder().start().ready()
    bench.query("ALTER TABLE target_log RENAME TO hidden")
    wait.until(lambda: "target_log" in recorder.reason("results"), "it says what is wrong")
    bench.query("ALTER TABLE hidden RENAME TO target_log")
    wait.until(lambda: recorder.health().get("ready"), "it is ready again")
    expire(bench, add_action(bench, "pv-1"))
    wait_until_told(bench, 1)


def test_dead_letters_of_devices_are_listed(bench):
    recorder = bench.recorder().start().ready()
    bench.say("pv-1", messages.online("s-1"))
    bench.wait_until_applied()
    bench.say("pv-1", b"{", role="data")
    bench.say("pv-1", messages.data("x", 1, str(uuid.uuid4())), role="data")
    hostile = {"reason": b"not\0json", "detail": b"\xff\x1b[31m", "source": b"x" * 5000}
    bench.say("no client id\0", b"\0\xff" * 20_000, role="dead_letter", headers=hostile)
    bench.say("", b"", role="dead_letter")
    bench.flush()
    wait.until(lambda: recorder.value("listed_dead_letters_total") >= 3, "all are listed")
    rows = {row["reason"]: row for row in bench.query("SELECT * FROM dead_letters")}
    assert set(rows) == {"unknown_action", "not?json", "unknown"}, "telemetry that is no JSON is none"
    answer = rows["unknown_action"]
    assert (answer["client_id"], answer["tenant"], answer["topic"]) == ("pv-1", "demo", bench.topics["dead_letter"])
    assert answer["source"].startswith(bench.topics["data"])
    assert (rows["not?json"]["client_id"], rows["not?json"]["detail"]) == (None, "??[31m")
    assert len(rows["not?json"]["payload"]) == 16 * 1024
    recorder.kill()
    recorder.start().ready(60)
    bench.say("pv-1", b"", role="dead_letter")
    bench.flush()
    wait.until(lambda: len(bench.query("SELECT 1 FROM dead_letters")) == 4, "once each")
