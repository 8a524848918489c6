"""GET /v1/events of connections: each change once, in order, to those who may see it; also over kills, and for many at once."""

import itertools
import json
import random
import subprocess
import threading
import time

import psycopg2
import pytest
from harness import wait
from harness.api_alone import programs, running
from harness.connection_log import STORE, rows_of, tell
from harness.event_stream import EventStream


@pytest.fixture(scope="module", name="api")
def _api(servers, tmp_path_factory):
    with running(servers, tmp_path_factory.mktemp("api")) as api:
        yield api


@pytest.fixture(autouse=True)
def _rows(api):
    api.restore()


def listen(api, token="operator-token", last_event_id="", **query) -> EventStream:
    return EventStream(api.url, token, query, last_event_id)


def told(events) -> list:
    return [(event.data["subject"], event.type.removeprefix("connection.")) for event in events]


def test_each_change_is_an_event_as_kafka_has_it(api):
    with listen(api) as stream:
        tell(api, ("pv-1", "acme", "online"), ("pv-2", "acme", "offline"), ("pv-1", "acme", "changed"))
        events = stream.wait_for(3)
    assert told(events) == [("pv-1", "online"), ("pv-2", "offline"), ("pv-1", "changed")]
    first = events[0]
    assert (first.type, first.data["type"]) == ("connection.online", "heliograph.connection.online")
    assert first.data["id"].startswith("device.control/0/") and first.data["data"]["client_id"] == "pv-1"
    assert len({event.id for event in events}) == 3


def test_filters_and_who_may(api):
    api.query("INSERT INTO actions (action_id, tenant, requested_by, directive, payload, deadline) VALUES"
              " ('01a1fc32-f748-7478-9604-a08dd30ef117', 'acme', 'x', 'x', '1', now() + interval '1 hour')")  # fmt: skip
    with (
        listen(api) as all_, listen(api, "acme-token") as acme, listen(api, "rival-token") as rival,
        listen(api, "reader-token") as reader, listen(api, client_id_prefix="pv-2") as of_two,
        listen(api, type="connection.offline") as offline, listen(api, type=["action.target", "action.ended"]) as of_actions,
        listen(api, action_id="01a1fc32-f748-7478-9604-a08dd30ef117") as of_one,
    ):  # fmt: skip
        tell(api, ("pv-1", "acme", "online"), ("pv-2", "acme", "offline"), ("pv-2", "rival", "online"), ("nobodys", "", "offline"))
        api.query("INSERT INTO target_log (changed_at, action_id, client_id, status)"
                  " VALUES (now(), '01a1fc32-f748-7478-9604-a08dd30ef117', 'pv-1', 'running')")  # fmt: skip
        tell(api, ("pv-1", "acme", "offline"), ("pv-1", "rival", "offline"))
        assert len(all_.wait_for(7)) == 7
        assert [event.type for event in acme.wait_for(4)] == [
            "connection.online", "connection.offline", "action.target", "connection.offline"]  # fmt: skip
        assert told(rival.wait_for(2)) == [("pv-2", "online"), ("pv-1", "offline")]
        assert told(reader.wait_for(3)) == [("pv-1", "online"), ("pv-2", "offline"), ("pv-1", "offline")]
        assert told(of_two.wait_for(2)) == [("pv-2", "offline"), ("pv-2", "online")]
        assert told(offline.wait_for(4)) == [("pv-2", "offline"), ("nobodys", "offline"), ("pv-1", "offline"), ("pv-1", "offline")]
        assert [event.type for event in of_actions.wait_for(1)] == [event.type for event in of_one.wait_for(1)] == ["action.target"]
        tell(api, ("last", "acme", "online"))
        all_.wait_for(8)
        assert [len(one.events) for one in (acme, rival, reader)] == [5, 2, 4], "and nothing else"
    for token, query in (("reader-token", {"type": "action.ended"}), ("acme-auditor-token", {})):
        refused = EventStream(api.url, token, query)
        assert refused.response.status_code == 403, token
        refused.close()


def test_of_a_group(api):
    def put(name: str, token: str, **definition) -> None:
        with api.rest(token) as rest:
            assert rest.put(f"/v1/groups/{name}", json=definition).status_code in (200, 201)

    api.add_connection("tagged")
    api.describe("tagged", {"site": "north"}, {})
    api.add_connection("other", tenant="rival")
    api.describe("other", {"site": "north"}, {})
    put("named", "acme-token", client_ids=["pv-1", "pv-2"])
    put("north", "acme-token", selector={"tags": {"site": "north"}})
    for group in ("named", "north", "none", "a b"):
        stream = listen(api, "rival-token", group=group)
        assert (stream.response.status_code, stream.response.json()["type"]) == (400, "/problems/invalid-parameter"), group
        assert "group" in stream.response.json()["detail"]
        stream.close()
    with (
        listen(api, "acme-token", group="named") as named, listen(api, "acme-token", group="north") as north,
        listen(api, "acme-token", group="named", type="connection.online", client_id_prefix="pv-2") as less,
    ):  # fmt: skip
        tell(api, *((one, "acme", "online") for one in ("pv-1", "pv-2", "pv-3", "tagged")), ("pv-1", "rival", "online"))
        tell(api, ("tagged", "acme", "offline"), ("pv-2", "acme", "offline"))
        assert told(named.wait_for(3)) == [("pv-1", "online"), ("pv-2", "online"), ("pv-2", "offline")]
        assert told(north.wait_for(2)) == [("tagged", "online"), ("tagged", "offline")]
        assert told(less.wait_for(1)) == [("pv-2", "online")]
        assert (len(named.events), len(north.events), len(less.events)) == (3, 2, 1)


def test_goes_on_after_a_kill_without_a_gap_or_a_repeat(api):
    """Killed while it pushes; with both logs, of which one id tells the place."""
    count, stop = itertools.count(), threading.Event()

    def keep_telling() -> None:
        dice = random.Random(4)
        while not stop.is_set():
            tell(api, *((f"pv-{next(count):05}", "acme", "online") for _ in range(dice.randint(1, 40))))
            api.query("INSERT INTO target_log (changed_at, action_id, client_id, status) VALUES (now(), gen_random_uuid(), %s, 'running')",
                      f"pv-{next(count):05}")  # fmt: skip

    with listen(api) as stream:
        last = stream.last_id
    teller = threading.Thread(target=keep_telling)
    teller.start()
    events = []
    try:
        for least in (50, 200, 400):
            with listen(api, last_event_id=last) as stream:
                stream.wait_for(least)
                api.kill()
                wait.until(lambda stream=stream: stream.ended, "the stream has ended")
                events += stream.events
                last = stream.last_id
            api.start()
    finally:
        stop.set()
        teller.join()
    with listen(api, last_event_id=last) as stream:
        events += stream.wait_for(next(count) - len(events))
    assert [event.data["subject"] for event in events] == [f"pv-{n:05}" for n in range(len(events))], "each once, in order"
    with listen(api, last_event_id=events[30].id) as again:
        assert again.wait_for(len(events) - 31) == events[31:], "from any event on, the same ones"


def test_who_is_still_at_it_is_not_passed(api):
    with listen(api) as stream:
        connection = psycopg2.connect(api.database)
        with connection.cursor() as cursor:
            cursor.execute(STORE, rows_of([("slow", "acme", "online")]))
            tell(api, ("fast", "acme", "online"))
            with listen(api, last_event_id=stream.last_id) as other:
                assert other.events == [] and stream.events == []
                connection.commit()
                assert told(stream.wait_for(2)) == told(other.wait_for(2)) == [("slow", "online"), ("fast", "online")]
        connection.close()


def test_what_is_forgotten_is_said(api):
    with listen(api) as stream:
        tell(api, ("pv-1", "acme", "online"))
        last = stream.wait_for(1)[0].id
    api.query("UPDATE connection_log_segments SET forgotten = pg_current_xact_id() WHERE segment = 2")
    with listen(api, last_event_id=last) as stream:
        assert [event.type for event in stream.wait_for(1)] == ["reset"]
        tell(api, ("pv-1", "acme", "offline"))
        assert told(stream.wait_for(2)[1:]) == [("pv-1", "offline")]
    api.query("UPDATE connection_log_segments SET forgotten = '0'")
    with listen(api, last_event_id="c9999999999999999.0.0") as stream:
        assert [event.type for event in stream.wait_for(1)] == ["reset"], "another database's"
    for id_ in ("c1.1", "c1.1.x", "c1.99999999999.1", "t1.1.1", "1.1"):
        refused = listen(api, last_event_id=id_)
        assert (refused.response.status_code, refused.response.json()["type"]) == (400, "/problems/invalid-last-event-id"), id_
        refused.close()


def test_many_streams_share_what_is_read(api):
    """Those who follow, and those who are behind together. The hub looks at most 20 times a second, but for full pages."""
    count = 100
    streams = [listen(api, "acme-token", type="connection.online") for _ in range(count)]
    for stream in streams:
        assert stream.response.status_code == 200

    def costs(do) -> float:
        """How many reads there were besides those of the time that it took."""
        before, began = api.value("api_event_reads_total"), time.monotonic()
        do()
        return api.value("api_event_reads_total") - before - 25 * (time.monotonic() - began)

    def follow() -> None:
        for batch in range(10):
            tell(api, *((f"pv-{batch}-{n}", "acme", "online") for n in range(20)))
        for stream in streams:
            stream.wait_for(200)

    def fall_behind() -> None:
        api.postgres_link.cut()
        tell(api, *((f"behind-{n}", "acme", "online") for n in range(20)))
        wait.until(lambda: api.ready()[0] != 200, "the API has noticed")
        api.postgres_link.restore()
        for stream in streams:
            stream.wait_for(220)

    assert costs(follow) < count / 2
    assert costs(fall_behind) < count / 2
    tell(api, ("news", "acme", "online"))
    for stream in streams:
        assert told(stream.wait_for(221)[-1:]) == [("news", "online")] and len(stream.events) == 221
        stream.close()
    assert api.value("api_events_total") >= 221 * count


def test_the_command_line_watches_and_comes_again(api, tmp_path):
    token = tmp_path / "token"
    token.touch(mode=0o600)
    token.write_text("acme-token")

    def watch(*arguments: str):
        command = [programs() / "heliograph", "events", "watch", "--api-url", api.url, "--token-file", token, *arguments]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    with listen(api, "acme-token") as stream:
        tell(api, ("pv-0", "acme", "online"), ("pv-1", "acme", "online"))
        since = stream.wait_for(2)[0].id
    first = watch("--since-id", since, "--type", "connection.online", "--client-id-prefix", "pv-")
    try:
        line = first.stdout.readline().split()
        assert line[1:3] == ["connection.online", "pv-1"]
        api.kill()
        tell(api, ("pv-2", "acme", "online"), ("pv-2", "acme", "offline"), ("other", "acme", "online"), ("pv-3", "acme", "online"))
        api.start()
        assert [first.stdout.readline().split()[2] for _ in range(2)] == ["pv-2", "pv-3"]
        second = watch("--json", "--since-id", "t1.0")
        try:
            assert [json.loads(second.stdout.readline())["type"] for _ in range(5)][0] == "connection.online"
        finally:
            second.kill()
            second.communicate()
    finally:
        first.kill()
        first.communicate()
    refused = watch("--type", "nonsense")
    assert refused.wait(15) != 0 and "type" in refused.communicate()[1]
    api.query("UPDATE connection_log_segments SET forgotten = pg_current_xact_id() WHERE segment = 1")
    lost = watch("--since-id", since)
    try:
        assert "are missing" in lost.stderr.readline()
    finally:
        lost.kill()
        lost.communicate()
    api.query("UPDATE connection_log_segments SET forgotten = '0'")
