"""Actions for sets of devices: by group and by selector, what is left out, dry runs, and that the set is frozen."""

import json
import subprocess
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from harness.api_alone import ApiAlone, programs, running
from harness.http_service import HttpService
from harness.wait import until


@pytest.fixture(scope="module", name="api")
def _api(servers, tmp_path_factory):
    with running(servers, tmp_path_factory.mktemp("api")) as api:
        yield api


@pytest.fixture(autouse=True)
def _rows(api):
    api.restore()
    for name, state, tenant in [
        ("device-1", "online", "acme"),
        ("device-2", "offline", "acme"),
        ("device-3", "unknown", "acme"),
        ("other-1", "online", "acme"),
        ("theirs", "online", "rival"),
    ]:
        api.add_connection(name, state, tenant)


def act(api, targets, token="acme-token", key="", **body):
    content = {"targets": targets, "directive": "test.echo", "payload": None, **body}
    headers = {} if key is None else {"Idempotency-Key": key or uuid.uuid4().hex}
    with api.rest(token) as rest:
        return rest.post("/v1/actions", json=content, headers=headers)


def put(api, name, body, token="acme-token"):
    with api.rest(token) as rest:
        return rest.put(f"/v1/groups/{name}", json=body)


def delete(api, name, token="acme-token"):
    with api.rest(token) as rest:
        return rest.delete(f"/v1/groups/{name}")


def targets(answer) -> dict:
    """Client id -> (status, reason)."""
    assert answer.status_code in (200, 202), answer.text
    return {each["client_id"]: (each["status"], each["reason"]) for each in answer.json()["targets"]}


def now(api, answer) -> dict:
    return targets(api.get(answer.headers["location"]))


def problem(answer) -> tuple:
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")


# --- Selectors ------------------------------------------------------------------------------------------------------


def test_a_selector_reaches_who_is_there_and_tells_of_the_others(api):
    with api.device("device-1") as one, api.device("device-3") as three:
        answer = act(api, {"selector": {"client_id_prefix": "device-"}})
        assert targets(answer) == {
            "device-1": ("queued", None), "device-2": ("offline", "not_online"), "device-3": ("queued", None),
        }  # fmt: skip
        assert answer.json()["totals"] == {"queued": 2, "offline": 1}
        for device in (one, three):
            assert json.loads(device.next_message().payload)["message_id"] == answer.json()["action_id"]
        until(lambda: now(api, answer)["device-1"][0] == now(api, answer)["device-3"][0] == "published", "both are published")
    audited = api.get("/v1/audit", params={"action_id": answer.json()["action_id"]}).json()["items"]
    assert [(each["decision"], each["targets"]) for each in audited] == [("accepted", 3)]


def test_every_condition_of_a_selector_must_hold(api):
    api.describe("device-1", {"site": "north", "floor": "2"}, {"solar": {"v": "1"}})
    api.describe("device-2", {"site": "north"}, {})
    api.query("UPDATE connections SET client_version = '2.1' WHERE client_id IN ('device-1', 'device-3')")

    def found(selector, token="acme-token"):
        answer = act(api, {"selector": selector}, token, if_offline="queue")
        return set(targets(answer)) if answer.status_code == 202 else problem(answer)

    everybody = {"device-1", "device-2", "device-3", "other-1"}
    assert found({}) == everybody
    assert found({}, "operator-token") == everybody | {"theirs"}
    assert found({"tenant": "rival"}, "operator-token") == {"theirs"}
    assert found({"state": "offline"}) == {"device-2"}
    assert found({"state": "unknown"}) == {"device-3"}
    assert found({"tags": {"site": "north"}}) == {"device-1", "device-2"}
    assert found({"tags": {"site": "north", "floor": "2"}}) == {"device-1"}
    assert found({"tags": {"site": "north"}, "state": "offline"}) == {"device-2"}
    assert found({"dispatcher": "solar"}) == {"device-1"}
    assert found({"client_version": "2.1"}) == {"device-1", "device-3"}
    assert found({"client_version": "2.1", "client_id_prefix": "device-3"}) == {"device-3"}
    assert found({"tags": {"site": "south"}}) == (422, "no-targets")
    assert api.query("SELECT count(*) FROM actions WHERE tenant = 'rival'")[0]["count"] == 0


def test_what_is_excluded_gets_nothing(api):
    answer = act(api, {"selector": {"client_id_prefix": "device-"}, "exclude": ["device-2", "device-3", "nobody"]})
    assert set(targets(answer)) == {"device-1"}
    everybody = ["device-1", "device-2", "device-3", "other-1"]
    assert problem(act(api, {"selector": {}, "exclude": everybody})) == (422, "no-targets")


def test_who_joins_after_acceptance_gets_nothing(api):
    answer = act(api, {"selector": {"client_id_prefix": "device-"}}, if_offline="queue", ttl_s=600)
    api.add_connection("device-4")
    with api.device("device-4") as joined, api.device("device-2") as late:
        api.query("UPDATE connections SET state = 'online' WHERE client_id = 'device-2'")
        api.query("UPDATE mailboxes SET wake_at = now() WHERE client_id = 'device-2'")
        api.query("SELECT pg_notify('heliograph_dispatch', '')")
        assert json.loads(late.next_message().payload)["message_id"] == answer.json()["action_id"]
        assert joined.messages.empty()
    assert set(now(api, answer)) == {"device-1", "device-2", "device-3"}


@pytest.mark.parametrize(
    ("chosen", "field"),
    [
        ({}, "/targets/client_ids"),
        ({"client_ids": ["a"], "selector": {}}, "/targets/selector"),
        ({"group": "g", "selector": {}}, "/targets/selector"),
        ({"client_ids": ["a"], "group": "g"}, "/targets/group"),
        ({"group": ""}, "/targets/group"),
        ({"group": "a/b"}, "/targets/group"),
        ({"selector": []}, "/targets/selector"),
        ({"selector": {"stat": "online"}}, "/targets/selector/stat"),
        ({"selector": {"state": None}}, "/targets/selector/state"),
        ({"selector": {"tags": {"a": 1}}}, "/targets/selector/tags"),
        ({"selector": {"tenant": "acme"}}, "/targets/selector/tenant"),
        ({"selector": {}, "exclude": ["a", "a"]}, "/targets/exclude"),
    ],
)
def test_a_wrong_choice_is_named(api, chosen, field):
    answer = act(api, chosen)
    assert problem(answer) == (400, "invalid-body")
    assert f"At {field}: " in answer.json()["detail"]


def test_equal_requests_at_once_are_one_action(api):
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: act(api, {"selector": {}}, key="same"), range(20)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.text for answer in answers}) == 1
    assert api.query("SELECT count(*) FROM actions WHERE tenant = 'acme'")[0]["count"] == 1
    assert problem(act(api, {"selector": {"state": "online"}}, key="same")) == (422, "idempotency-key-reused")


# --- Groups ---------------------------------------------------------------------------------------------------------


def test_a_group_of_names_is_who_it_names(api):
    created = put(api, "roof", {"client_ids": ["never", "device-2", "device-1", "theirs"]})
    assert (created.status_code, created.headers["location"]) == (201, "/v1/groups/roof")
    assert created.json()["client_ids"] == ["device-1", "device-2", "never", "theirs"]
    assert targets(act(api, {"group": "roof", "exclude": ["device-2"]})) == {
        "device-1": ("queued", None), "never": ("unknown", "no_such_device"), "theirs": ("unknown", "no_such_device"),
    }  # fmt: skip
    replaced = put(api, "roof", {"client_ids": ["device-3"]})
    assert (replaced.status_code, replaced.json()["client_ids"], replaced.json()["members"]) == (200, ["device-3"], 1)
    assert replaced.json()["created_at"] == created.json()["created_at"]
    assert set(targets(act(api, {"group": "roof"}))) == {"device-3"}


def test_a_group_with_a_selector_is_looked_up_when_it_is_used(api):
    assert put(api, "offline", {"selector": {"state": "offline"}}).json()["selector"] == {"state": "offline"}
    assert set(targets(act(api, {"group": "offline"}))) == {"device-2"}
    api.query("UPDATE connections SET state = 'offline' WHERE client_id = 'other-1'")
    assert set(targets(act(api, {"group": "offline"}))) == {"device-2", "other-1"}
    assert put(api, "offline", {"client_ids": []}).json()["selector"] is None
    assert problem(act(api, {"group": "offline"})) == (422, "no-targets")


def test_a_group_is_its_tenants(api):
    put(api, "roof", {"client_ids": ["device-1"]})
    for token in ("rival-token", "operator-token"):
        assert api.get("/v1/groups/roof", token).status_code == 404
        assert api.get("/v1/groups/roof/members", token).status_code == 404
        assert api.get("/v1/groups", token).json()["items"] == []
        assert delete(api, "roof", token).status_code == 404
        assert problem(act(api, {"group": "roof"}, token)) == (404, "not-found")
    assert put(api, "roof", {"client_ids": ["theirs"]}, "rival-token").status_code == 201
    assert put(api, "roof", {"selector": {"tenant": "rival"}}, "operator-token").json()["tenant"] is None
    assert api.get("/v1/groups/roof", "acme-token").json()["client_ids"] == ["device-1"]
    assert api.get("/v1/groups/roof", "reader-token").status_code == 403
    assert delete(api, "roof").status_code == 204
    assert delete(api, "roof").status_code == 404
    assert api.query("SELECT count(*) FROM group_members")[0]["count"] == 1
    assert set(targets(act(api, {"group": "roof"}, "operator-token"))) == {"theirs"}


def test_large_groups_are_read_by_pages(api):
    ids = [f"d-{n:06}" for n in range(2500)]
    group = put(api, "large", {"client_ids": ids}).json()
    assert (group["members"], group["client_ids"]) == (2500, None)
    read, cursor = [], {}
    while cursor is not None:
        page = api.get("/v1/groups/large/members", "acme-token", params={"limit": 1000, **cursor}).json()
        read += [each["client_id"] for each in page["items"]]
        cursor = {"cursor": page["next"]} if page["next"] else None
    assert read == ids
    for n in range(5):
        put(api, f"g{n}", {"selector": {}})
    first = api.get("/v1/groups", "acme-token", params={"limit": 4}).json()
    rest = api.get("/v1/groups", "acme-token", params={"limit": 4, "cursor": first["next"]}).json()
    assert [each["name"] for each in first["items"] + rest["items"]] == ["g0", "g1", "g2", "g3", "g4", "large"]
    assert rest["next"] is None
    too_many = put(api, "large", {"client_ids": [f"d{n}" for n in range(100_001)]})
    assert problem(too_many) == (400, "invalid-body")
    assert "/client_ids" in too_many.json()["detail"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "/client_ids"),
        ({"client_ids": ["a"], "selector": {}}, "/selector"),
        ({"client_ids": ["a", "a"]}, "/client_ids"),
        ({"client_ids": ["a", "/"]}, "/client_ids/1"),
        ({"selector": {"site": "north"}}, "/selector/site"),
        ({"selector": {"tenant": "acme"}}, "/selector/tenant"),
    ],
)
def test_what_is_wrong_with_a_group_is_named(api, body, field):
    answer = put(api, "g", body)
    assert problem(answer) == (400, "invalid-body")
    assert f"At {field}: " in answer.json()["detail"]


# --- Dry runs -------------------------------------------------------------------------------------------------------


def dry_run(api, chosen, **body) -> dict:
    answer = act(api, chosen, key=None, dry_run=True, **body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_dry_run_tells_who_is_where_and_does_nothing(api):
    put(api, "roof", {"client_ids": ["device-1", "device-2", "device-3", "never", "other-1"]})
    with api.device("device-1") as device:
        tried = dry_run(api, {"group": "roof", "exclude": ["other-1", "stranger"]})
        assert {name: value for name, value in tried.items() if isinstance(value, int)} == {
            "total": 4, "online": 1, "offline": 1, "state_unknown": 1, "unknown": 1, "unauthorised": 0, "excluded": 1,
        }  # fmt: skip
        assert tried["sample"] == {
            "online": ["device-1"], "offline": ["device-2"], "state_unknown": ["device-3"], "unknown": ["never"],
            "unauthorised": [], "excluded": ["other-1"],
        }  # fmt: skip
        assert device.messages.empty()
    assert api.query("SELECT count(*) FROM actions WHERE tenant = 'acme'")[0]["count"] == 0
    named = dry_run(api, {"client_ids": ["device-1", "device-2"], "exclude": ["device-2", "device-3"]})
    assert (named["total"], named["online"], named["excluded"]) == (1, 1, 1)
    assert dry_run(api, {"selector": {"tags": {"no": "body"}}})["total"] == 0


def test_a_real_run_is_on_the_set_of_the_dry_run_or_refused(api):
    chosen = {"selector": {"client_id_prefix": "device-"}}
    tried = dry_run(api, chosen)["dry_run_id"]
    api.query("UPDATE connections SET state = 'offline' WHERE client_id = 'device-1'")  # is no change of the set
    done = act(api, chosen, key="k", dry_run_id=tried)
    assert set(targets(done)) == {"device-1", "device-2", "device-3"}
    api.add_connection("device-4")
    api.add_connection("device-5")
    api.query("DELETE FROM connections WHERE client_id = 'device-2'")
    assert act(api, chosen, key="k", dry_run_id=tried).text == done.text, "the key has its answer already"
    before = api.query("SELECT count(*) FROM action_targets")
    refused = act(api, chosen, dry_run_id=tried)
    assert problem(refused) == (409, "targets-changed")
    assert (refused.json()["added"], refused.json()["removed"]) == (2, 1)
    assert api.query("SELECT count(*) FROM action_targets") == before
    assert api.query("SELECT count(*) FROM queued_targets WHERE client_id = 'device-4'")[0]["count"] == 0


def test_a_dry_run_is_bound_to_what_was_asked_and_who_asked(api):
    chosen = {"client_ids": ["device-1"]}
    tried = dry_run(api, chosen)["dry_run_id"]
    assert problem(act(api, chosen, dry_run_id=tried, payload={"another": 1})) == (422, "dry-run-of-another-request")
    assert problem(act(api, {"client_ids": ["device-2"]}, dry_run_id=tried)) == (422, "dry-run-of-another-request")
    for token in ("rival-token", "operator-token"):
        assert problem(act(api, chosen, token, dry_run_id=tried)) == (404, "not-found")
    assert problem(act(api, chosen, dry_run_id=str(uuid.uuid4()))) == (404, "not-found")
    assert set(targets(act(api, chosen, dry_run_id=tried.upper()))) == {"device-1"}
    api.query("UPDATE dry_runs SET created_at = now() - interval '61 minutes'")
    assert problem(act(api, chosen, dry_run_id=tried)) == (404, "not-found")


# --- The command line -----------------------------------------------------------------------------------------------


def test_the_command_line_tries_and_acts(api):
    def run(*arguments, code=0, **options):
        done = subprocess.run(
            [str(programs() / "heliograph"), *arguments], text=True, capture_output=True, timeout=30, check=False,
            env={"HELIOGRAPH_API_URL": api.url, "HELIOGRAPH_TOKEN": "acme-token"}, **options,
        )  # fmt: skip
        assert done.returncode == code, (arguments, done.stdout, done.stderr)
        return json.loads(done.stdout) if "--json" in arguments else done.stdout + done.stderr

    assert "device-1" in run("groups", "set", "roof", "device-1", "--file", "-", input="never\n\ndevice-2\n")
    assert run("groups", "set", "on", "--selector", "state=online", "--json")["selector"] == {"state": "online"}
    assert [each["name"] for each in run("groups", "list", "--json")["items"]] == ["on", "roof"]
    what = ["action", "send", "--group", "roof", "--exclude", "never", "-d", "test.echo"]
    tried = run(*what, "--dry-run", "--json")
    assert (tried["online"], tried["offline"], tried["excluded"]) == (1, 1, 1)
    assert "another request" in run(*what, "--dry-run-id", tried["dry_run_id"], "--ttl", "60", code=2)
    sent = run(*what, "--dry-run-id", tried["dry_run_id"], "--json", code=1)
    assert sent["totals"] == {"queued": 1, "offline": 1}, "1: a target did not succeed"
    chosen = ["--selector", "client_id_prefix=device-", "--selector", "state=offline", "--if-offline", "queue"]
    assert run("send", *chosen, "-d", "test.echo", "--json")["totals"] == {"queued": 1}
    run("groups", "delete", "roof")
    assert "There is no such group" in run("groups", "show", "roof", code=1)


# --- Others who have a say ------------------------------------------------------------------------------------------


def test_the_user_authorisation_service_is_asked_of_the_whole_set(servers, tmp_path):
    count = 12_000
    service = HttpService(lambda _: (200, {"allowed": "all"}))
    users = {"url": service.url + "/may", "remember_s": 0, "timeout_ms": 5000}
    try:
        with running(servers, tmp_path, {"users": users}) as api:
            api.query(
                "INSERT INTO connections (client_id, tenant, state, since, last_seen, log_generation, log_partition,"
                " log_offset) SELECT 'd-' || lpad(n::text, 6, '0'), 'acme', 'offline', now(), now(), 1, 0, n"
                " FROM generate_series(1, %s) AS n",
                count,
            )
            service.answer = lambda call: (200, {"allowed": [i for i in call.json()["client_ids"] if not i.endswith("7")]})
            tried = act(api, {"selector": {}}, key=None, dry_run=True).json()
            assert (tried["offline"], tried["unauthorised"]) == (count - count // 10, count // 10)
            service.calls.clear()
            done = act(api, {"selector": {}}, dry_run_id=tried["dry_run_id"])
            assert done.status_code == 202, done.text
            assert done.json()["totals"] == {"offline": count - count // 10, "unauthorised": count // 10}
            assert done.json()["targets"] is None
            assert [len(call.json()["client_ids"]) for call in service.calls] == [10_000, 2_000]
            service.answer = lambda _: (500, {})
            actions = api.query("SELECT count(*) FROM actions")
            assert act(api, {"selector": {}}).status_code == 503
            assert act(api, {"selector": {}}, key=None, dry_run=True).status_code == 503
            assert api.query("SELECT count(*) FROM actions") == actions
    finally:
        service.close()


def test_a_process_that_is_killed_while_it_publishes_leaves_no_target_open(api, servers, tmp_path):
    count = 6000
    api.query(
        "INSERT INTO connections (client_id, tenant, state, since, last_seen, log_generation, log_partition, log_offset)"
        " SELECT 'bulk-' || n, 'acme', 'online', now(), now(), 1, 0, n FROM generate_series(1, %s) AS n",
        count,
    )
    other = ApiAlone(servers, tmp_path)
    other.database = api.database
    try:
        other.start()
        answer = act(other, {"selector": {"client_id_prefix": "bulk-"}}, ttl_s=600)
        assert answer.json()["totals"] == {"queued": count}
        left = "SELECT count(*) FROM action_targets WHERE status = 'queued'"
        until(lambda: api.query(left)[0]["count"] < count - 500, "some are published")
        other.kill()
        # The broker knows no session of any of them.
        until(lambda: api.query(left)[0]["count"] == 0, "nothing waits any more", 60)
        ended = api.query("SELECT status, count(*) FROM action_targets GROUP BY status")
        assert {row["status"]: row["count"] for row in ended} == {"undeliverable": count}
        assert api.query("SELECT count(*) FROM mailboxes")[0]["count"] == 0
    finally:
        other.close()
