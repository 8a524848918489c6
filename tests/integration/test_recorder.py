"""heliograph-recorder between a real Kafka and a real PostgreSQL: what the log says becomes rows and events, each once."""

import pytest
from e2e import state
from harness import messages, wait
from harness.recorder_process import RecorderBench


@pytest.fixture(name="bench")
def _bench(servers, tmp_path):
    bench = RecorderBench(servers, tmp_path)
    yield bench
    bench.end()


def say(bench, client_id: str, *payloads: bytes) -> None:
    for payload in payloads:
        bench.say(client_id, payload)


def test_online_then_offline_is_a_stay_and_two_events(bench):
    bench.recorder().start().ready()
    facts = {"fqdn": "a & <b>", "größe": 1.5, "ip_addresses": ["10.0.0.1"]}
    say(bench, "pv-1", messages.online("s-1", canonical_facts=facts, tags={"site": "x"}, client_version="1.2"))
    bench.wait_until_applied()
    row = bench.connection("pv-1")
    assert (row["state"], row["reason"], row["session_id"], row["tenant"]) == ("online", "said_online", "s-1", "demo")
    assert (row["canonical_facts"], row["tags"], row["client_version"]) == (facts, {"site": "x"}, "1.2")
    assert row["since"] == row["last_seen"] == bench.stays("pv-1")[0]["online_from"]
    say(bench, "pv-1", messages.last_will("s-1"))
    bench.wait_until_applied()
    row = bench.connection("pv-1")
    assert (row["state"], row["reason"], row["canonical_facts"]) == ("offline", "connection_lost", facts)
    (stay,) = bench.stays("pv-1")
    assert (stay["online_until"], stay["reason"]) == (row["since"], "connection_lost")
    bench.wait_until_published()
    online, offline = bench.events()
    assert [one["type"] for one in (online, offline)] == [
        "heliograph.connection.online", "heliograph.connection.offline"]  # fmt: skip
    assert online["id"].startswith(f"{bench.topics['control']}/") and online["id"].endswith("/0")
    assert online["data"]["canonical_facts"] == offline["data"]["canonical_facts"] == facts
    assert (offline["data"]["state"], offline["data"]["log_position"].split(":")[1]) == ("offline", "1")


def test_which_offline_ends_which_stay(bench):
    bench.recorder().start().ready()
    say(bench, "late", messages.online("s-1"), messages.online("s-2"), messages.last_will("s-1"))
    say(bench, "lost", messages.online("s-1"), messages.last_will("s-9"))
    say(bench, "plain", messages.online(), messages.online(), messages.offline())
    once = messages.online("s-1")
    say(bench, "again", once, messages.offline(), once)
    bench.wait_until_applied()
    assert bench.connection("late")["state"] == "online", "a late will of a session that has ended"
    assert [one["reason"] for one in bench.stays("late")] == ["superseded", None]
    assert bench.connection("lost")["state"] == "offline", "an unknown session: its online was lost"
    assert bench.connection("plain")["state"] == "offline", "without ids the log's order decides"
    assert [one["online_until"] for one in bench.stays("again")] == [None], "the repeat reopens its stay"
    assert state.differences(bench) == []


def test_messages_that_say_nothing_new(bench):
    recorder = bench.recorder().start().ready()
    say(bench, "pv-1", b"", messages.control("event", "pong"), b"")
    bench.wait_until_applied()
    row = bench.connection("pv-1")
    assert (row["state"], row["reason"], bench.stays("pv-1")) == ("unknown", None, [])
    assert recorder.value("empty_payloads_total") == 2
    assert bench.records("events") == [] and bench.records("dead_letter") == []


def test_a_change_of_facts_in_the_same_session_is_an_event(bench):
    bench.recorder().start().ready()
    say(bench, "pv-1", messages.online("s-1", tags={"a": "1"}), messages.online("s-1", tags={"a": "2"}))
    say(bench, "pv-1", messages.online("s-1", tags={"a": "2"}))
    bench.wait_until_applied()
    bench.wait_until_published()
    assert [one["type"].rsplit(".")[-1] for one in bench.events()] == ["online", "changed"]
    assert bench.connection("pv-1")["tags"] == {"a": "2"}
    assert bench.query("SELECT 1 FROM connection_labels WHERE label = tag_label('a', '2')")
    assert not bench.query("SELECT 1 FROM connection_labels WHERE label = tag_label('a', '1')")


def test_every_poison_goes_to_the_dead_letters_and_the_next_record_counts(bench):
    recorder = bench.recorder().start().ready()
    poison = {
        b"{": "not_json",
        b"\xff\xfe": "not_json",
        b"\0": "not_json",
        b"[]": "not_an_envelope",
        b'{"type": "shout"}': "unknown_type",
        messages.control("connection-status", None): "bad_field",
        messages.control("connection-status", "online"): "bad_field",
        b"[" * 1_000_000: "too_deep",
        b'{"a": 1e999}': "bad_field",
        messages.online(tags={"a": 1}): "bad_field",
    }
    for number, payload in enumerate(poison):
        say(bench, "pv-1", payload, messages.online("s-1", client_version=str(number)))
    say(bench, "", messages.online())
    say(bench, "@ingest", messages.online())
    bench.wait_until_applied()
    assert bench.connection("pv-1")["client_version"] == str(len(poison) - 1)
    letters = bench.records("dead_letter")
    assert {one.value: one.header("reason") for one in letters if one.key == b"pv-1"} == poison
    assert all(one.header("detail") and one.header("source").startswith(bench.topics["control"]) for one in letters)
    assert [one.header("reason") for one in letters if one.key in (b"", b"@ingest")] == ["bad_client_id"] * 2
    assert recorder.value("dead_letters_total") == len(poison) + 2
    assert state.differences(bench, "pv-%") == []


def test_what_the_database_refuses_is_found_and_left_out(bench):
    # No message is known that passes our parser and not PostgreSQL's; so it is made to refuse one.
    bench.query("ALTER TABLE connections ADD CHECK (client_name <> 'poison')")
    for number in range(300):
        say(bench, f"pv-{number}", messages.online("s", client_name="poison" if number in (7, 8, 200) else "fine"))
    bench.flush()
    bench.recorder().start().ready()
    bench.wait_until_applied()
    assert len(bench.query("SELECT 1 FROM connections")) == 297
    letters = bench.records("dead_letter")
    assert sorted((one.key, one.header("reason")) for one in letters) == [
        (b"pv-200", "bad_field"), (b"pv-7", "bad_field"), (b"pv-8", "bad_field")]  # fmt: skip


def test_answers_to_no_action_are_dead_letters_and_telemetry_is_passed_over(bench):
    recorder = bench.recorder().start().ready()
    answer = messages.data("restart", {"ok": True}, response_to="01890a5d-ac96-774b-bcce-b302099a8057")
    for payload in (messages.data("power", 1), b"\x00\xff", b"", answer, answer[:-1]):
        bench.say("pv-1", payload, "data")
    bench.wait_until_applied("data")
    letters = {one.value: one.header("reason") for one in bench.records("dead_letter")}
    assert letters == {answer: "unknown_action", answer[:-1]: "not_json"}
    assert recorder.value("telemetry_total") == 3


def test_a_changed_rule_gives_stored_connections_their_new_owner(bench):
    bench.set_owners('{client_id: "pv-1", tenant: "north"}')
    recorder = bench.recorder().start().ready()
    say(bench, "pv-1", messages.online())
    say(bench, "pv-2", messages.online())
    bench.wait_until_applied()

    def owners() -> list:
        return [bench.connection(name)["tenant"] for name in ("pv-1", "pv-2")]

    assert owners() == ["north", None], "who is not named is kept, and belongs to nobody known"
    bench.set_owners('{client_id: "pv-1", tenant: "south"}', '{pattern: "pv-*", tenant: "rest"}')
    wait.until(lambda: owners() == ["south", "rest"], "the stored rows follow the rules", 10)
    bench.owners.write_text("rules: [")
    wait.until(lambda: "owner rules are bad" in recorder.reason("owners"), "readiness says that the rules are bad")
    say(bench, "pv-3", messages.online())
    bench.wait_until_applied()
    assert bench.connection("pv-3")["tenant"] == "rest", "the rules before count on"
    recorder.stop()
    bench.set_owners('{pattern: "pv-*", tenant: "away"}')
    recorder.start().ready()
    wait.until(lambda: owners() == ["away", "away"], "rules that changed meanwhile count, too", 10)


def test_a_rebuild_gives_the_same_rows_and_no_event(bench):
    bench.recorder().start().ready()
    for number in range(200):
        say(bench, f"pv-{number % 40}", messages.online(f"s-{number}", tags={"n": str(number)}))
        if number % 3:
            say(bench, f"pv-{number % 40}", messages.last_will(f"s-{number}"))
        if number % 50 == 0:
            say(bench, "pv-1", b"poison")
    bench.wait_until_applied()
    bench.wait_until_published()
    before, events = state.tables(bench), len(bench.records("events"))
    assert bench.rebuild()["changed_rows"] == 0
    assert state.tables(bench) == before
    damage = ("UPDATE connections SET state = 'unknown' WHERE client_id < 'pv-2'",
              "DELETE FROM intervals WHERE client_id = 'pv-3'", "DELETE FROM connections WHERE client_id = 'pv-4'",
              "DELETE FROM connection_labels WHERE client_id > 'pv-35'",
              "UPDATE connection_descriptions SET tags = '{}' WHERE client_id = 'pv-7'",
              "INSERT INTO intervals SELECT 'ghost', now(), 1, 0, 999")  # fmt: skip
    for statement in damage:
        bench.query(statement)
    report = bench.rebuild()
    assert report["changed_rows"] > 0 and report["older_than_log"] == 0
    assert state.tables(bench) == before
    assert len(bench.records("events")) == events
    say(bench, "pv-1", messages.online("after"))
    bench.wait_until_applied()
    assert bench.connection("pv-1")["session_id"] == "after", "the recorder goes on"


def test_what_is_older_than_the_log_stays_and_is_marked(bench):
    bench.recorder().start().ready()
    say(bench, "old", messages.online("s-1", tags={"a": "b"}))
    say(bench, "half", messages.online("s-1", tags={"a": "b"}, client_version="1"))
    bench.wait_until_applied()
    ends = {record.partition: record.offset + 1 for record in bench.records("control")}
    say(bench, "half", messages.control("event", "pong"))
    say(bench, "new", messages.online("s-1"))
    bench.wait_until_applied()
    names = ("old", "half", "new")
    before = {name: bench.connection(name) for name in names}
    for partition, end in ends.items():
        bench.shorten_log("control", partition, end)
    report = bench.rebuild()
    assert report["older_than_log"] == 2
    for name in names:
        assert bench.connection(name) == {**before[name], "older_than_log": name != "new"}
    assert [one["older_than_log"] for one in bench.stays("old")] == [True]
    assert bench.query("SELECT count(*) AS n FROM connection_labels WHERE label = tag_label('a', 'b')")[0]["n"] == 2


def test_a_recreated_topic_is_another_log(bench):
    recorder = bench.recorder().start().ready()
    for number in range(30):
        say(bench, f"pv-{number % 3}", messages.online(f"s-{number}"))
    bench.wait_until_applied()
    recorder.stop()
    bench.delete_topic("control")
    recorder.start().ready()  # creates it
    for number in range(60):
        say(bench, f"pv-{number % 3}", messages.online(f"t-{number}"))
    bench.wait_until_applied()
    assert {row["session_id"] for row in bench.query("SELECT session_id FROM connections")} == {"t-57", "t-58", "t-59"}
    assert len(bench.query("SELECT 1 FROM intervals")) == 90
    rows = bench.query("SELECT generation FROM kafka_offsets WHERE topic = %s AND next_offset > 0", bench.topics["control"])
    assert {row["generation"] for row in rows} == {2}
    lines = recorder.lines("the topic was recreated")
    assert len(lines) == len(rows) and all(line["level"] == "error" for line in lines)
    bench.wait_until_published()
    assert len(bench.events()) == 90, "the same positions of two logs are different events"


def test_a_recreated_topic_that_has_grown_past_the_offset_is_recognised(bench):
    recorder = bench.recorder().start().ready()
    for number in range(10):
        say(bench, "pv-1", messages.online(f"s-{number}"))
    bench.wait_until_applied()
    recorder.stop()
    bench.delete_topic("control")
    helper = bench.recorder("helper", KAFKA__GROUP_ID=f"other-{bench.name}", POSTGRES__CONNECTION="host=127.0.0.1 port=1")
    helper.start()  # creates the topic, applies nothing
    wait.until(lambda: helper.lines("topic created"), "the topic is there again")
    helper.kill()
    for number in range(20):
        say(bench, "pv-1", messages.online(f"t-{number}"))
    bench.flush()
    recorder.start().ready()
    bench.wait_until_applied()
    assert bench.connection("pv-1")["session_id"] == "t-19"
    assert len(bench.stays("pv-1")) == 30, "none of the new log was passed over"


def test_records_that_kafka_deleted_before_they_were_applied_are_an_error(bench):
    recorder = bench.recorder().start().ready()
    say(bench, "pv-1", messages.online("s-1"))
    bench.wait_until_applied()
    (row,) = bench.query("SELECT partition, next_offset FROM kafka_offsets WHERE topic = %s AND next_offset > 0",
                         bench.topics["control"])  # fmt: skip
    recorder.stop()
    for number in range(10):
        say(bench, "pv-1", messages.online(f"t-{number}"))
    bench.flush()
    bench.shorten_log("control", row["partition"], 8)
    recorder.start()
    wait.until(lambda: "7 records are missing" in recorder.reason("control"), f"it says so: {recorder.health()}")
    assert bench.connection("pv-1")["session_id"] == "s-1", "it does not jump"
    assert recorder.value("missing_records_total", topic=bench.topics["control"]) == 7
    bench.rebuild()
    recorder.ready()
    bench.wait_until_applied()
    assert bench.connection("pv-1")["session_id"] == "t-9", "the operator's word takes it past the gap"
    assert len(recorder.lines("deleted records that were not applied")) == 1
