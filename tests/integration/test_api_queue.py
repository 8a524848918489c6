"""Actions that wait in the database: for their device, for the broker, and for somebody to take a dead process's place."""

import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from harness.api_alone import ApiAlone, running
from harness.metrics import parse
from harness.wait import until

SECONDS = 1.5  # publish_timeout


@pytest.fixture(scope="module", name="api")
def _api(servers, tmp_path_factory):
    with running(servers, tmp_path_factory.mktemp("api"), publish_timeout_ms=int(SECONDS * 1000)) as api:
        yield api


@pytest.fixture(name="other")
def _other(api, servers, tmp_path):
    """A second replica."""
    other = ApiAlone(servers, tmp_path, publish_timeout_ms=int(SECONDS * 1000))
    other.database = api.database
    try:
        other.start()
        until(lambda: len(names(api)) == 2, "only these two", 20)
        yield other
        if other.is_running():
            other.terminate()
    finally:
        other.close()


def names(api) -> set:
    """Client ids of those that may publish."""
    return {row["client_id"] for row in api.query("SELECT client_id FROM dispatchers")}


@pytest.fixture(autouse=True)
def _rows(api):
    api.restore()
    api.add_connection("device-1", "offline")
    api.add_connection("device-2", "offline")


def come_online(api, name: str) -> None:
    """As the recorder does it."""
    api.query("UPDATE connections SET state = 'online' WHERE client_id = %s", name)
    api.query("UPDATE mailboxes SET wake_at = now() WHERE client_id = %s", name)
    api.query("SELECT pg_notify('heliograph_dispatch', '')")


def target(api, answer) -> tuple:
    """(status, reason) of the one that there is."""
    found = api.get(answer.headers["location"]).json()["targets"]
    assert len(found) == 1
    return found[0]["status"], found[0]["reason"]


def heard(device, count: int, seconds: float = 15) -> list:
    return [json.loads(device.next_message(seconds).payload)["message_id"] for _ in range(count)]


def counted(api, name: str) -> float:
    return parse(api.admin("/metrics")[1]).value(name)


def test_what_waits_is_sent_in_order_when_the_device_comes_online(api):
    answers = [api.post(["device-1"], if_offline="queue", payload=n) for n in range(30)]
    assert api.post(["device-1"]).json()["targets"][0]["status"] == "offline", "who does not ask to wait does not"
    assert {target(api, answer) for answer in answers} == {("queued", "not_online")}
    assert answers[0].json()["if_offline"] == "queue"
    with api.device("device-1") as device:
        time.sleep(1.5)  # it is connected, but nobody has said so: sweeps go by
        assert device.messages.empty()
        begin = time.monotonic()
        come_online(api, "device-1")
        first = heard(device, 1)
        assert time.monotonic() - begin < 5
        assert first + heard(device, 29) == [answer.json()["action_id"] for answer in answers]
        until(lambda: {target(api, answer) for answer in answers} == {("published", None)}, "told")
        time.sleep(0.5)
        assert device.messages.empty(), "each once"
    assert api.query("SELECT * FROM queued_targets") == api.query("SELECT * FROM mailboxes") == []


def test_who_comes_while_others_wait_stands_behind_them(api):
    waiting = api.post(["device-1"], if_offline="queue")
    api.query("UPDATE connections SET state = 'online'")
    with api.device("device-1") as device:
        behind = api.post(["device-1"], if_offline="queue")
        assert behind.json()["targets"][0]["status"] in ("queued", "published")
        assert heard(device, 2) == [waiting.json()["action_id"], behind.json()["action_id"]]


def test_a_device_that_the_broker_does_not_know_is_tried_again(api):
    """Its will is still to come, or its subscription."""
    api.query("UPDATE connections SET state = 'online'")
    answer = api.post(["device-1"], if_offline="queue")
    assert answer.json()["targets"][0]["reason"] == "no_matching_subscribers"
    with api.device("device-1") as device:
        assert heard(device, 1, 30) == [answer.json()["action_id"]]
    until(lambda: target(api, answer) == ("published", None), "told")


def test_a_silent_broker_gets_it_again_when_it_is_back(api):
    api.query("UPDATE connections SET state = 'online'")
    with api.device("device-1") as device:
        api.broker_link.silence()
        answer = api.post(["device-1"])
        assert target(api, answer) == ("queued", "not_acknowledged")
        api.broker_link.cut()  # what was on the way is gone, as with a broker that is restarted
        api.broker_link.restore()
        assert heard(device, 1, 30) == [answer.json()["action_id"]]
        until(lambda: target(api, answer) == ("published", None), "told")
    assert counted(api, "heliograph_dispatch_published_again_total") >= 1


def test_what_waits_expires_and_can_be_cancelled(api):
    short = api.post(["device-1"], if_offline="queue", ttl_s=1)
    long = api.post(["device-2"], if_offline="queue")
    cancelled = api.rest().post(f"{long.headers['location']}/cancel").json()["targets"][0]
    assert (cancelled["status"], cancelled["reason"]) == ("cancelled", "before_sending")
    until(lambda: target(api, short) == ("expired", "not_online"), "expired", 1 + 5)
    with api.device("device-1") as one, api.device("device-2") as two:
        come_online(api, "device-1")
        come_online(api, "device-2")
        until(lambda: api.query("SELECT * FROM mailboxes") == [], "nothing is left")
        assert one.messages.empty() and two.messages.empty()


def test_a_killed_replica_is_replaced_within_10_s(api, other):
    api.query("UPDATE connections SET state = 'online'")
    with api.device("device-1") as device, ThreadPoolExecutor(1) as pool:
        api.broker_link.silence()
        running = pool.submit(api.post, ["device-1"], "k")
        until(lambda: api.query("SELECT 1 FROM actions"), "stored")
        api.kill()
        killed_at = time.monotonic()
        with pytest.raises(Exception):
            running.result()
        try:
            ids = heard(device, 1, 20)
            assert time.monotonic() - killed_at < 10
            answer = other.post(["device-1"], key="k")
            assert ids == [answer.json()["action_id"]]
            assert answer.json()["targets"][0]["status"] == "queued", "what was said when it was taken over"
            until(lambda: target(other, answer) == ("published", None), "told")
            assert counted(other, "heliograph_dispatch_takeovers_total") >= 1
        finally:
            api.broker_link.restore()
            api.start()


def test_a_paused_replica_is_thrown_out_and_comes_back_under_another_name(api, other):
    before = names(api)
    pid = api.pid()
    os.kill(pid, signal.SIGSTOP)
    try:
        until(lambda: len(names(api)) == 1, "taken over", 15)
        kept = names(api)
    finally:
        os.kill(pid, signal.SIGCONT)
    until(lambda: "another process has taken the work over" in api.log(), "it is told", 10)
    after = until(lambda: (now := names(api)) and len(now) == 2 and now, "another name", 15)
    assert kept < before and kept < after and before & after == kept
    until(lambda: api.ready()[0] == 200, "ready again", 15)
    api.query("UPDATE connections SET state = 'online'")
    with api.device("device-1") as device:
        until(lambda: api.post(["device-1"]).status_code == 202, "it works")
        heard(device, 1)


def test_a_lease_that_is_deleted_by_hand_is_claimed_anew(api):
    """As when the database is restored from a backup."""
    before = names(api)
    api.query("DELETE FROM dispatchers")
    after = until(lambda: names(api), "claimed", 10)
    assert not before & after
    until(lambda: api.ready()[0] == 200, "ready", 10)
    assert api.post(["device-1"]).status_code == 202


def test_it_gives_its_lease_back_when_it_is_ended(api, other):
    other.terminate()
    assert len(names(api)) == 1
