"""GET /v1/events: every change of a target once, in order, to those who may see it; also over kills and for slow readers."""

import uuid

import psycopg2
import pytest
from harness.api_alone import running
from harness.event_stream import EventStream
from harness.wait import until


@pytest.fixture(scope="module", name="api")
def _api(servers, tmp_path_factory):
    with running(servers, tmp_path_factory.mktemp("api")) as api:
        yield api


@pytest.fixture(autouse=True)
def _rows(api):
    api.restore()


def listen(api, token="operator-token", last_event_id="", **query) -> EventStream:
    return EventStream(api.url, token, query, last_event_id)


def add_action(api, *client_ids: str, tenant="acme") -> str:
    action_id = str(uuid.uuid4())
    api.query(
        "INSERT INTO actions (action_id, tenant, requested_by, directive, payload, deadline)"
        " VALUES (%s, %s, 'tester', 'solar.configure', '1', now() + interval '1 hour')", action_id, tenant,
    )  # fmt: skip
    api.query("INSERT INTO action_targets (action_id, client_id, status) SELECT %s, unnest(%s), 'accepted'", action_id, list(client_ids))
    return action_id


def move(api, action_id: str, status: str, client_id="%") -> None:
    api.query("UPDATE action_targets SET status = %s, updated_at = now() WHERE action_id = %s AND client_id LIKE %s",
              status, action_id, client_id)  # fmt: skip


def told(events) -> list:
    return [(event.data["subject"], event.data["data"]["target"]["status"]) for event in events]


def test_each_change_is_an_event(api):
    with listen(api) as stream:
        assert stream.response.headers["content-type"].startswith("text/event-stream")
        action = api.post(["never"], token="acme-token").json()["action_id"]
        other = add_action(api, "pv-1")
        move(api, other, "published")
        api.query("UPDATE action_targets SET status = 'running', progress = 40, note = 'half' WHERE action_id = %s", other)
        move(api, other, "succeeded")
        events = stream.wait_for(4)
    assert told(events) == [("never", "unknown"), ("pv-1", "published"), ("pv-1", "running"), ("pv-1", "succeeded")]
    first, running_ = events[0], events[2].data["data"]
    assert (first.type, first.data["type"], first.data["id"]) == ("action.target", "heliograph.action.target", first.id)
    assert (first.data["data"]["action_id"], first.data["data"]["tenant"], first.data["data"]["directive"]) == (
        action, "acme", "test.echo")  # fmt: skip
    assert (running_["target"]["progress"], running_["target"]["note"]) == (40, "half")


def test_filters(api):
    one, two = add_action(api, "pv-1", "pv-2"), add_action(api, "pv-1", tenant="rival")
    with (
        listen(api, "acme-token") as acme, listen(api, action_id=one) as of_one, listen(api, client_id_prefix="pv-2") as of_device,
        listen(api, type="action.ended") as ends, listen(api, type=["action.ended", "action.target"]) as all_,
    ):  # fmt: skip
        move(api, two, "published")
        move(api, one, "published")
        api.query("INSERT INTO target_log (changed_at, action_id, client_id, status) VALUES (now(), %s, '', 'ended')", two)
        assert len(all_.wait_for(4)) == 4
        assert [event.data["data"]["action_id"] for event in ends.wait_for(1)] == [two]
        assert (ends.events[0].type, ends.events[0].data["subject"]) == ("action.ended", two)
        assert sorted(told(of_one.wait_for(2))) == sorted(told(acme.wait_for(2))) == [("pv-1", "published"), ("pv-2", "published")]
        assert told(of_device.wait_for(1)) == [("pv-2", "published")]
        move(api, one, "succeeded")
        all_.wait_for(6)
        assert len(acme.wait_for(4)) == len(of_one.wait_for(4)) == 4 and len(of_device.wait_for(2)) == 2 and len(ends.events) == 1


def test_who_may(api):
    for token, status in (("", 401), ("reader-token", 403), ("acme-auditor-token", 403)):
        stream = EventStream(api.url, token or "nobody", {"type": "action.target"})
        assert stream.response.status_code == status
        stream.close()
    for query in ({"type": "nonsense"}, {"client_id_prefix": "a b"}, {"action_id": "x"}, {"unheard": "1"}):
        stream = listen(api, **query)
        assert stream.response.status_code == 400, query
        stream.close()
    for last in ("x", "t1", "t-1.0", "t1.1x", "t99999999999999999999.1"):
        stream = listen(api, last_event_id=last)
        assert (stream.response.status_code, stream.response.json()["type"]) == (400, "/problems/invalid-last-event-id"), last
        stream.close()


def test_goes_on_after_a_kill_without_a_gap_or_a_repeat(api):
    action = add_action(api, *(f"pv-{n:03}" for n in range(300)))
    with listen(api) as stream:
        move(api, action, "published", "pv-0%")
        before = list(stream.wait_for(100))
        last = stream.last_id
        api.kill()
        move(api, action, "published", "pv-1%")
        until(lambda: stream.ended, "the stream has ended")
    move(api, action, "succeeded", "pv-0%")
    api.start()
    with listen(api, last_event_id=last) as stream:
        move(api, action, "published", "pv-2%")
        after = list(stream.wait_for(300))
        assert not stream.ended
        move(api, action, "failed", "pv-299")
        assert told(stream.wait_for(301)[300:]) == [("pv-299", "failed")]
    assert len({event.id for event in before + after}) == 400
    assert sorted(told(after[:100])) == [(f"pv-1{n:02}", "published") for n in range(100)]
    assert {status for _, status in told(after[100:200])} == {"succeeded"}
    with listen(api, last_event_id=before[49].id) as again:
        assert again.wait_for(351)[:50] == before[50:], "from any event on, the same ones"


def test_who_is_still_at_it_is_not_passed(api):
    slow, fast = add_action(api, "slow"), add_action(api, "fast")
    with listen(api) as stream:
        connection = psycopg2.connect(api.database)
        with connection.cursor() as cursor:
            cursor.execute("UPDATE action_targets SET status = 'published' WHERE action_id = %s", (slow,))
            move(api, fast, "published")
            with listen(api, last_event_id=stream.last_id) as other:
                assert other.events == [] and stream.events == []
                connection.commit()
                assert told(stream.wait_for(2)) == told(other.wait_for(2)) == [("slow", "published"), ("fast", "published")]
        connection.close()


def test_a_reader_that_stops_for_a_while_gets_everything_in_order(api):
    count = 200
    action = add_action(api, *(f"pv-{n:05}" for n in range(count)))
    with listen(api) as slow, listen(api) as quick:
        slow.pause()
        before = api.value("api_event_catch_ups_total")
        for status in ("published", "delivered", "running", "succeeded"):
            api.query("UPDATE action_targets SET status = %s, reason = repeat('x', 20000)", status)
        quick.wait_for(4 * count, 60)
        assert api.value("api_event_catch_ups_total") > before
        slow.resume()
        assert slow.wait_for(4 * count, 60) == quick.events
        assert len({event.id for event in slow.events}) == 4 * count
        move(api, action, "failed", "pv-00000")
        assert slow.wait_for(4 * count + 1)[-1] == quick.wait_for(4 * count + 1)[-1]


def test_what_is_forgotten_is_said(api):
    action = add_action(api, "pv-1")
    with listen(api) as stream:
        move(api, action, "published")
        stream.wait_for(1)
        last = stream.last_id
    api.query("UPDATE target_log_readers SET xid = pg_current_xact_id() WHERE name = 'forgotten'")
    with listen(api, last_event_id=last) as stream:
        assert [event.type for event in stream.wait_for(1)] == ["reset"]
        move(api, action, "succeeded")
        assert told(stream.wait_for(2)[1:]) == [("pv-1", "succeeded")]
    with listen(api, last_event_id="t9999999999999999.0") as stream:
        assert [event.type for event in stream.wait_for(1)] == ["reset"], "another database's"


def test_a_database_that_is_away_is_waited_for(api):
    action = add_action(api, "pv-1")
    with listen(api) as stream:
        api.postgres_link.cut()
        move(api, action, "published")
        refused = listen(api)
        assert refused.response.status_code == 503
        refused.close()
        assert stream.events == [] and not stream.ended
        api.postgres_link.restore()
        assert told(stream.wait_for(1, 30)) == [("pv-1", "published")]


def test_streams_are_counted_and_end_with_the_process(api):
    streams = [listen(api).__enter__() for _ in range(50)]
    action = add_action(api, "pv-1")
    move(api, action, "published")
    for stream in streams:
        assert told(stream.wait_for(1)) == [("pv-1", "published")]
    assert api.terminate() == 0
    until(lambda: all(stream.ended for stream in streams), "all have ended")
    api.start()
