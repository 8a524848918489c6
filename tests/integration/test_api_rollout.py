"""Actions that begin later, go slowly, stop when too many fail, and wait while they are paused: with two replicas."""

import json
import subprocess
import time
import uuid
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone

import pytest
from harness.api_alone import ApiAlone, programs, running
from harness.wait import until

NAMES = [f"device-{n}" for n in range(1, 9)]
ENDED = {"succeeded", "failed", "expired", "cancelled", "undeliverable"}


@pytest.fixture(scope="module", name="api")
def _api(servers, tmp_path_factory):
    with running(servers, tmp_path_factory.mktemp("api")) as api:
        yield api


@pytest.fixture(scope="module", name="other")
def _other(api, servers, tmp_path_factory):
    """A second replica."""
    other = ApiAlone(servers, tmp_path_factory.mktemp("other"))
    other.database = api.database
    try:
        other.start()
        yield other
    finally:
        other.close()


@pytest.fixture(scope="module", name="devices")
def _devices(api):
    with ExitStack() as stack:
        yield {name: stack.enter_context(api.device(name)) for name in NAMES}


@pytest.fixture(autouse=True)
def _rows(api, other, devices):
    api.restore()
    if not other.is_running():
        other.start()
    for name in NAMES:
        api.add_connection(name, "online", "acme")
        while not devices[name].messages.empty():
            devices[name].messages.get()


def act(api, key="", names=NAMES, token="acme-token", **body):
    content = {"targets": {"client_ids": names}, "directive": "test.echo", "payload": None, "ttl_s": 60, **body}
    with api.rest(token) as rest:
        return rest.post("/v1/actions", json=content, headers={"Idempotency-Key": key or uuid.uuid4().hex})


def tell(api, action, deed: str, token="acme-token"):
    with api.rest(token) as rest:
        return rest.post(f"/v1/actions/{action.json()['action_id']}/{deed}")


def now(api, action) -> dict:
    return api.get(action.headers["location"], "acme-token").json()


def standing(api, action) -> dict:
    """Status -> client ids."""
    found = {}
    for each in now(api, action)["targets"]:
        found.setdefault(each["status"], []).append(each["client_id"])
    return found


def answer(api, action, name: str, status="succeeded") -> None:
    path = f"/v1/actions/{action.json()['action_id']}/targets/{name}/result"
    with api.rest("acme-equipment-token") as rest:
        assert rest.post(path, json={"metadata": {"status": status, "reason": "no"}}).status_code == 200


def answer_all(api, action, seconds: float = 30) -> dict:
    """Until every target has ended; what became of them."""
    def ended():
        for name in (found := standing(api, action)).get("published", []):
            answer(api, action, name)
        return set(found) <= ENDED and found

    return until(ended, "every target has ended", seconds)


def published_at(api, action) -> list:
    rows = api.query(
        "SELECT changed_at FROM target_log WHERE action_id = %s AND status = 'published' ORDER BY 1", action.json()["action_id"]
    )
    return [row["changed_at"] for row in rows]


def heard(devices) -> dict:
    """Client id -> how many messages."""
    return {name: device.messages.qsize() for name, device in devices.items()}


def problem(answer_) -> tuple:
    return answer_.status_code, answer_.json()["type"].removeprefix("/problems/")


def later(seconds: float) -> str:
    return (datetime.now(timezone.utc) + timedelta(seconds=seconds)).isoformat()


# --- Slowly ---------------------------------------------------------------------------------------------------------


def test_the_rate_holds_over_all_replicas(api, devices):
    rate = 3
    action = act(api, rate_per_s=rate)
    assert {each["reason"] for each in action.json()["targets"]} == {"held_back"}
    until(lambda: len(published_at(api, action)) == len(NAMES), "all are published")
    times = published_at(api, action)
    # Never faster: what may go in any stretch of time, and a second's worth that may have been under way.
    for first in range(len(times)):
        for last in range(first, len(times)):
            stretch = (times[last] - times[first]).total_seconds()
            assert last - first + 1 <= rate * (stretch + 2), (first, last, times)
    assert set(heard(devices).values()) == {1}


def test_never_more_are_in_flight_than_may(api, other):
    action = act(other, max_in_flight=3)
    until(lambda: len(published_at(api, action)) == 3, "three are published")
    assert set(answer_all(api, action)) == {"succeeded"}
    # In the order of the transactions: whatever let a target go had seen the end of another.
    in_flight, most = 0, 0
    for row in api.query("SELECT status FROM target_log WHERE client_id <> '' ORDER BY xid, place"):
        in_flight += {"published": 1, "succeeded": -1}.get(row["status"], 0)
        most = max(most, in_flight)
    assert most == 3


def test_too_many_failures_cancel_the_rest(api):
    action = act(api, max_in_flight=3, abort_if={"failed_percent": 50, "min_finished": 2})
    first = until(lambda: len(found := standing(api, action).get("published", [])) == 3 and found, "three are published")
    answer(api, action, first[0], "failed")
    answer(api, action, first[1], "failed")
    until(lambda: now(api, action)["status"] == "aborted", "it is aborted")
    found = now(api, action)
    assert found["aborted_at"] and found["abort_if"] == {"failed_percent": 50, "min_finished": 2}
    cancelled = {each["reason"] for each in found["targets"] if each["status"] == "cancelled"}
    assert cancelled == {"aborted"}
    assert problem(tell(api, action, "resume")) == (409, "action-is-over")
    ended = answer_all(api, action)
    assert first[2] in ended["succeeded"], "what was published goes on"
    assert len(ended["cancelled"]) + len(ended["succeeded"]) == 6 and len(ended["cancelled"]) >= 4
    assert now(api, action)["status"] == "aborted"
    assert api.query("SELECT * FROM held_targets") == []


def test_fewer_failures_cancel_nothing(api):
    action = act(api, max_in_flight=4, abort_if={"failed_percent": 51, "min_finished": 2})
    first = until(lambda: len(found := standing(api, action).get("published", [])) == 4 and found, "four are published")
    for name, status in zip(first, ("succeeded", "failed", "succeeded", "failed")):
        answer(api, action, name, status)
    assert len(answer_all(api, action)["failed"]) == 2
    until(lambda: api.query("SELECT finished - failed AS good FROM rollouts")[0]["good"] >= 2, "both are counted")
    assert now(api, action)["status"] == "ended"


# --- Paused ---------------------------------------------------------------------------------------------------------


def test_a_pause_holds_the_rest_back_and_a_resume_lets_it_go(api, other, devices):
    action = act(api, max_in_flight=4)
    until(lambda: len(published_at(api, action)) == 4, "four are published")
    paused = tell(other, action, "pause")
    assert (paused.json()["status"], paused.json()["totals"]) == ("paused", {"published": 4, "queued": 4})
    assert tell(api, action, "pause").json()["paused_at"] == paused.json()["paused_at"]
    for name in standing(api, action)["published"]:
        answer(api, action, name)
    time.sleep(1.2)
    assert now(api, action)["totals"] == {"queued": 4, "succeeded": 4}
    assert (found := tell(api, action, "resume").json())["status"] == "running" and found["paused_at"] is None
    assert set(answer_all(api, action)) == {"succeeded"}
    assert set(heard(devices).values()) == {1}
    deeds = api.query("SELECT deed FROM audit WHERE action_id = %s ORDER BY place", action.json()["action_id"])
    assert [each["deed"] for each in deeds] == ["create", "pause", "pause", "resume"]


def test_any_action_may_be_paused_and_holds_up_no_other(api, devices):
    api.query("UPDATE connections SET state = 'offline' WHERE client_id = 'device-1'")
    action = act(api, names=["device-1"], if_offline="queue")
    assert tell(api, action, "pause").json()["status"] == "paused"
    passing = act(api, names=["device-1"], if_offline="queue")
    api.query("UPDATE connections SET state = 'online'")
    api.query("UPDATE mailboxes SET wake_at = now()")
    until(lambda: "published" in standing(api, passing), "the other is published")
    until(lambda: now(api, action)["targets"][0]["reason"] == "held_back", "it is out of the way")
    assert standing(api, action) == {"queued": ["device-1"]}
    assert heard(devices)["device-1"] == 1
    tell(api, action, "resume")
    until(lambda: "published" in standing(api, action), "it goes on")
    answer(api, action, "device-1")
    assert problem(tell(api, action, "pause")) == (409, "action-is-over")


def test_who_may_pause(api):
    action = act(api, max_in_flight=1)
    for deed in ("pause", "resume"):
        assert tell(api, action, deed, "rival-token").status_code == 404
        assert tell(api, action, deed, "reader-token").status_code == 403
        assert tell(api, action, deed, "operator-token").status_code == 200
    with api.rest() as rest:
        assert rest.post(f"/v1/actions/{uuid.uuid4()}/pause").status_code == 404
    assert tell(api, action, "cancel").json()["status"] == "cancelled"
    assert api.query("SELECT * FROM held_targets") == []
    refused = tell(api, action, "pause")
    assert problem(refused) == (409, "action-is-over") and "it is cancelled" in refused.json()["detail"]


# --- Later ----------------------------------------------------------------------------------------------------------


def test_nothing_goes_before_the_start(api, devices):
    api.query("UPDATE connections SET state = 'offline' WHERE client_id IN ('device-1', 'device-2')")
    start = later(1.5)
    action = act(api, not_before=start, max_in_flight=100)
    assert action.json()["status"] == "scheduled"
    assert action.json()["totals"] == {"queued": 8}, "who is online then is looked at then"
    api.query("UPDATE connections SET state = 'online' WHERE client_id = 'device-2'")
    until(lambda: now(api, action)["totals"] == {"published": 7, "undeliverable": 1}, "it has begun")
    assert min(published_at(api, action)) >= datetime.fromisoformat(start)
    assert [each["reason"] for each in now(api, action)["targets"]][0] == "not_online"
    assert heard(devices) == {name: int(name != "device-1") for name in NAMES}
    assert now(api, action)["status"] == "running"


def test_what_has_not_begun_or_is_paused_ends_at_its_deadline(api, devices):
    scheduled = act(api, not_before=later(1), ttl_s=2)
    slow = act(api, max_in_flight=1, ttl_s=2, if_offline="queue")
    assert tell(api, scheduled, "pause").status_code == 200
    until(lambda: "published" in standing(api, slow), "one is published")
    assert tell(api, slow, "pause").status_code == 200
    until(lambda: set(standing(api, scheduled)) == set(standing(api, slow)) == {"expired"}, "all have expired", 2 + 5)
    assert {each["reason"] for each in now(api, scheduled)["targets"]} == {"held_back"}
    assert sorted(each["reason"] for each in now(api, slow)["targets"]) == ["held_back"] * 7 + ["no_answer"]
    assert sum(heard(devices).values()) == 1
    assert api.query("SELECT * FROM held_targets") == []
    assert problem(tell(api, scheduled, "resume")) == (409, "action-is-over")


# --- What is offline, and who dies ----------------------------------------------------------------------------------


def test_who_is_offline_takes_nobodys_turn_and_has_his_own(api, devices):
    api.query("UPDATE connections SET state = 'offline' WHERE client_id IN ('device-1', 'device-3', 'device-8')")
    action = act(api, max_in_flight=2, if_offline="queue")
    until(lambda: standing(api, action).get("published") == ["device-2", "device-4"], "those that are online go")
    for name in ("device-1", "device-3"):
        api.query("UPDATE connections SET state = 'online' WHERE client_id = %s", name)
        api.query("UPDATE mailboxes SET wake_at = now() WHERE client_id = %s", name)
    api.query("SELECT pg_notify('heliograph_dispatch', '')")
    waits = until(
        lambda: (found := {each["client_id"]: each["reason"] for each in now(api, action)["targets"]})["device-1"] == "held_back"
        and found["device-3"] == "held_back" and found,
        "they wait for their turn",
    )  # fmt: skip
    assert waits["device-5"] == "held_back"
    for _ in range(2):
        for name in standing(api, action)["published"]:
            answer(api, action, name)
        until(lambda: len(standing(api, action).get("published", [])) == 2, "the next two")
    assert standing(api, action)["succeeded"] == ["device-1", "device-2", "device-3", "device-4"], "in their old order"
    api.query("UPDATE connections SET state = 'online'")
    assert set(answer_all(api, action)) == {"succeeded"}
    assert set(heard(devices).values()) == {1}


def test_a_killed_replica_stops_no_rollout(api, other, devices):
    action = act(other, rate_per_s=5)
    until(lambda: published_at(api, action), "it has begun")
    other.kill()
    assert set(answer_all(api, action)) == {"succeeded"}
    assert set(heard(devices)) == set(NAMES) and min(heard(devices).values()) >= 1


# --- What is asked for ----------------------------------------------------------------------------------------------


def test_what_is_wrong_is_named(api):
    good = {"failed_percent": 5, "min_finished": 10}
    for body, field in [
        ({"not_before": "tomorrow"}, "/not_before"),
        ({"not_before": 7}, "/not_before"),
        ({"not_before": later(61)}, "/not_before"),
        ({"not_before": later(3700), "ttl_s": None}, "/not_before"),
        ({"not_before": later(31 * 86400), "ttl_s": 30 * 86400}, "/not_before"),
        ({"not_before": later(60), "deadline": later(30), "ttl_s": None}, "/not_before"),
        ({"not_before": later(61), "dry_run": True}, "/not_before"),
        *[({"rate_per_s": each}, "/rate_per_s") for each in (0, -1, 1.5, "5", 10_001, [], True)],
        *[({"max_in_flight": each}, "/max_in_flight") for each in (0, -1, 1.5, "5", 1_000_001, {})],
        ({"abort_if": 5}, "/abort_if"),
        ({"abort_if": {}}, "/abort_if/failed_percent"),
        ({"abort_if": {"failed_percent": 5}}, "/abort_if/min_finished"),
        ({"abort_if": {**good, "failed_percent": 101}}, "/abort_if/failed_percent"),
        ({"abort_if": {**good, "min_finished": 0}}, "/abort_if/min_finished"),
        ({"abort_if": {**good, "failed": 1}}, "/abort_if/failed"),
    ]:
        answer_ = act(api, **body)
        assert problem(answer_) == (400, "invalid-body"), (body, answer_.text)
        assert f"At {field}: " in answer_.json()["detail"], (body, answer_.text)
    assert api.query("SELECT * FROM rollouts") == []


def test_the_same_request_is_one_rollout(api, other):
    rollout = {"not_before": later(30), "rate_per_s": 2, "max_in_flight": 3}
    first = act(api, "k", **rollout)
    assert act(other, "k", **rollout).text == first.text
    for changed in ({"not_before": later(31)}, {"rate_per_s": 3}, {"max_in_flight": 4}, {"abort_if": {"failed_percent": 1, "min_finished": 1}}):
        assert problem(act(api, "k", **{**rollout, **changed})) == (422, "idempotency-key-reused")
    assert api.query("SELECT count(*) FROM rollouts")[0]["count"] == 1
    found = now(api, first)
    assert datetime.fromisoformat(found["not_before"]) == datetime.fromisoformat(rollout["not_before"])
    assert (found["rate_per_s"], found["max_in_flight"], found["abort_if"]) == (2, 3, None)


def test_sets_of_devices_roll_out_too(api):
    with api.rest("acme-token") as rest:
        rest.put("/v1/groups/north", json={"client_ids": NAMES[:4]})
    group = act(api, targets={"group": "north"}, max_in_flight=1)
    chosen = act(api, targets={"selector": {"client_id_prefix": "device-", "state": "online"}}, rate_per_s=1)
    assert group.json()["totals"] == {"queued": 4} and chosen.json()["totals"] == {"queued": 8}
    until(lambda: now(api, group)["totals"] == {"queued": 3, "published": 1}, "one of the group")
    until(lambda: now(api, chosen)["totals"].get("published", 0) >= 1, "one of the selector")


# --- What is told ---------------------------------------------------------------------------------------------------


def test_actions_are_listed_by_status(api):
    kinds = {
        "scheduled": act(api, not_before=later(30)),
        "paused": act(api, max_in_flight=1),
        "running": act(api, max_in_flight=1),
        "cancelled": act(api, max_in_flight=1),
        "ended": act(api, names=["nobody"]),
    }
    tell(api, kinds["paused"], "pause")
    tell(api, kinds["cancelled"], "cancel")
    api.query("UPDATE actions SET closed = true WHERE action_id = %s", kinds["ended"].json()["action_id"])  # as the recorder does
    for token in ("acme-token", "operator-token"):
        for status, action in kinds.items():
            found = api.get("/v1/actions", token, params={"status": status}).json()["items"]
            assert [(each["action_id"], each["status"]) for each in found] == [(action.json()["action_id"], status)]
        assert api.get("/v1/actions", token, params={"status": "aborted"}).json()["items"] == []
    assert api.get("/v1/actions", "rival-token", params={"status": "running"}).json()["items"] == []
    assert problem(api.get("/v1/actions", params={"status": "done"})) == (400, "invalid-parameter")


def test_the_pace_is_told(api):
    action = act(api, names=[*NAMES[:4], "nobody"], max_in_flight=100)
    assert action.json()["pace"] == {"ended_per_s": 0, "over_s": 1, "remaining": 4}
    until(lambda: len(standing(api, action).get("published", [])) == 4, "all are published")
    for name in NAMES[:3]:
        answer(api, action, name)
    pace = now(api, action)["pace"]
    assert pace["remaining"] == 1 and 1 <= pace["over_s"] < 60
    assert abs(pace["ended_per_s"] - 3 / pace["over_s"]) < 0.1
    api.query("UPDATE action_targets SET updated_at = updated_at - interval '61 seconds'")
    assert now(api, action)["pace"]["ended_per_s"] == 0


def test_the_command_line(api):
    def run(*arguments, code=0):
        done = subprocess.run(
            [str(programs() / "heliograph"), *arguments], text=True, capture_output=True, timeout=30, check=False,
            env={"HELIOGRAPH_API_URL": api.url, "HELIOGRAPH_TOKEN": "acme-token"},
        )  # fmt: skip
        assert done.returncode == code, (arguments, done.stdout, done.stderr)
        return json.loads(done.stdout) if "--json" in arguments else done.stdout + done.stderr

    sent = run(
        "action", "send", "device-1", "-d", "d", "--not-before", later(30), "--rate", "5", "--max-in-flight", "6",
        "--abort-if-failed-percent", "7", "--abort-min-finished", "8", "--json",
    )  # fmt: skip
    assert (sent["status"], sent["rate_per_s"], sent["max_in_flight"]) == ("scheduled", 5, 6)
    assert sent["abort_if"] == {"failed_percent": 7, "min_finished": 8}
    assert sent["action_id"] in run("action", "list", "--status", "scheduled")
    assert run("action", "pause", sent["action_id"], "--json")["status"] == "paused"
    assert ", paused" in run("action", "show", sent["action_id"])
    assert run("action", "resume", sent["action_id"], "--json")["status"] == "scheduled"
    run("action", "cancel", sent["action_id"])
    assert "Nothing more would be published" in run("action", "pause", sent["action_id"], code=1)
    assert "cancelled  1 of 1 ended" in run("action", "watch", sent["action_id"], code=1)
