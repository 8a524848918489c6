"""Webhooks: every event that is wanted comes, signed, in order, whatever the receiver and our processes do meanwhile."""

import json
import re
import subprocess
import time
import uuid

import pytest
from harness.api_alone import ApiAlone, programs, running
from harness.connection_log import tell
from harness.wait import until
from harness.webhook_receiver import WebhookReceiver, signature

SETTINGS = {
    "allow_http": True, "allowed_networks": ["127.0.0.0/8"], "timeout_ms": 1500, "max_batch_events": 20, "retry_first_ms": 20,
    "retry_longest_ms": 300, "disable_after_s": 60, "disable_after_failures": 3, "max_per_tenant": 8, "max_connections": 32,
}  # fmt: skip
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture(scope="module", name="api")
def _api(servers, tmp_path_factory):
    with running(servers, tmp_path_factory.mktemp("api"), webhooks=SETTINGS) as api:
        yield api


@pytest.fixture(autouse=True)
def _rows(api):
    api.restore()


@pytest.fixture(name="receiver")
def _receiver():
    with WebhookReceiver() as receiver:
        yield receiver


def create(api, receiver, name="hook", token="operator-token", **more) -> dict:
    with api.rest(token) as rest:
        answer = rest.post("/v1/webhooks", json={"name": name, "url": receiver.url, **more})
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"/v1/webhooks/{name}"
    return answer.json()


def do(api, deed: str, name="hook", token="operator-token"):
    with api.rest(token) as rest:
        return rest.post(f"/v1/webhooks/{name}/{deed}")


def show(api, name="hook", token="operator-token") -> dict:
    return api.get(f"/v1/webhooks/{name}", token).json()


def add_action(api, targets: int, tenant="acme", prefix="pv-") -> str:
    action_id = str(uuid.uuid4())
    api.query(
        "INSERT INTO actions (action_id, tenant, requested_by, directive, payload, deadline)"
        " VALUES (%s, %s, 'tester', 'solar.configure', '1', now() + interval '1 hour')", action_id, tenant,
    )  # fmt: skip
    api.query(
        "INSERT INTO action_targets (action_id, client_id, status)"
        " SELECT %s, %s || to_char(n, 'FM00000'), 'accepted' FROM generate_series(1, %s) AS n", action_id, prefix, targets,
    )  # fmt: skip
    return action_id


def move(api, action_id: str, status: str) -> None:
    api.query("UPDATE action_targets SET status = %s, updated_at = now() WHERE action_id = %s", status, action_id)


def logged(api) -> list:
    """The ids of all changes that there are, in the log's order."""
    return [f"t{row['xid']}.{row['place']}" for row in api.query("SELECT xid::text, place FROM target_log ORDER BY target_log.xid, place")]


def ids(events) -> list:
    return [event["id"] for event in events]


def once(events) -> list:
    """The ids in the order in which each came for the first time."""
    return list(dict.fromkeys(ids(events)))


def test_events_come_signed_and_in_order(api, receiver):
    made = create(api, receiver)
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", made["secret"])
    action = add_action(api, 50)
    for status in ("published", "delivered", "succeeded"):
        move(api, action, status)
    events = receiver.wait_for(150)
    assert ids(events) == logged(api)
    assert receiver.most_at_a_time == 1
    for each in receiver.taken:
        assert 1 <= len(each.events) <= 20
        assert each.headers["content-type"] == "application/cloudevents-batch+json; charset=utf-8"
        assert each.headers["webhook-signature"] == signature(made["secret"], each.headers, each.body)
        assert abs(int(each.headers["webhook-timestamp"]) - time.time()) < 60
    assert len({each.headers["webhook-id"] for each in receiver.taken}) == len(receiver.taken)
    first = events[0]
    assert (first["specversion"], first["type"], first["subject"], first["data"]["target"]["status"]) == (
        "1.0", "heliograph.action.target", "pv-00001", "published")  # fmt: skip
    shown = until(lambda: (one := show(api))["delivered"] == 150 and one, "it is written down")
    assert (shown["state"], shown["failures"], shown["behind_s"]) == ("active", 0, None) and shown["last_success_at"]
    assert api.value("webhooks_events_total") >= 150


def test_who_comes_and_goes_is_told_in_its_place_among_all(api):
    with WebhookReceiver() as all_, WebhookReceiver() as acme:
        create(api, all_, "all")
        create(api, acme, "acme", "acme-token", types=["connection.online", "connection.offline"])
        tell(api, ("pv-1", "acme", "online"), ("pv-1", "acme", "changed"))
        move(api, add_action(api, 1), "published")
        tell(api, ("pv-2", "rival", "online"), ("pv-1", "acme", "offline"))
        types = [event["type"].removeprefix("heliograph.") for event in all_.wait_for(5)]
        assert types == ["connection.online", "connection.changed", "action.target", "connection.online", "connection.offline"]
        assert [(event["type"], event["subject"]) for event in acme.wait_for(2)] == [
            ("heliograph.connection.online", "pv-1"), ("heliograph.connection.offline", "pv-1")]  # fmt: skip
        until(lambda: show(api, "all")["behind_s"] is None, "nothing waits")


def test_only_what_is_wanted_and_may_be_seen(api):
    one, two, rivals = add_action(api, 2), add_action(api, 2, prefix="roof-"), add_action(api, 2, "rival")
    with (
        WebhookReceiver() as all_, WebhookReceiver() as acme, WebhookReceiver() as ends, WebhookReceiver() as roofs,
        WebhookReceiver() as of_one,
    ):  # fmt: skip
        create(api, all_, "all")
        create(api, acme, "acme", "acme-token")
        create(api, ends, "ends", types=["action.ended"])
        create(api, roofs, "roofs", client_id_prefix="roof-")
        create(api, of_one, "one", action_id=one)
        for action in (one, two, rivals):
            move(api, action, "published")
            api.query("INSERT INTO target_log (changed_at, action_id, client_id, status) VALUES (now(), %s, '', 'ended')", action)
        all_.wait_for(9)

        def actions(receiver, count) -> list:
            return [event["data"]["action_id"] for event in receiver.wait_for(count)]

        assert actions(acme, 6) == [one] * 3 + [two] * 3
        assert actions(ends, 3) == [one, two, rivals]
        assert actions(roofs, 2) == [two] * 2
        assert actions(of_one, 3) == [one] * 3
        move(api, one, "failed")
        assert len(all_.wait_for(11)) == 11 and len(acme.wait_for(8)) == 8 and len(of_one.wait_for(5)) == 5
        assert (len(ends.events), len(roofs.events)) == (3, 2)
        # Another filter counts from now on.
        with api.rest() as rest:
            assert rest.patch("/v1/webhooks/ends", json={"types": None, "client_id_prefix": "roof-"}).json()["types"] is None

        def note() -> None:
            api.query("UPDATE action_targets SET note = %s WHERE action_id = %s", uuid.uuid4().hex, two)

        until(lambda: note() or len(ends.events) > 3, "the other filter")
        assert ends.events[3]["subject"].startswith("roof-")


def test_receivers_that_are_wrong_get_everything_later(api, receiver):
    ways = {
        500: ("refused", 500), ("redirect", receiver.url): ("redirected", 307), "close": ("unreachable", None),
        "garbage": ("unreachable", None), "hang": ("timed-out", None),
    }  # fmt: skip
    wrong = {way: WebhookReceiver(way) for way in ways}
    names = {way: f"wrong-{number}" for number, way in enumerate(ways)}
    with WebhookReceiver("endless") as endless:
        for way, each in wrong.items():
            create(api, each, names[way])
        create(api, endless, "endless")
        create(api, receiver, "good")
        action = add_action(api, 30)
        for status in ("published", "delivered"):
            move(api, action, status)
        receiver.wait_for(60)
        assert not wrong["hang"].taken and len(wrong["hang"].requests) == 1, "nobody waited for it"
        assert ids(endless.wait_for(60)) == logged(api), "a long answer is cut: its status counts"
        for way, (reason, status) in ways.items():
            shown = until(lambda name=names[way]: (one := show(api, name))["failures"] and one, f"{way} has failed")
            assert (shown["last_failure"], shown["last_status"], shown["delivered"]) == (reason, status, 0)
            assert shown["behind_s"] is not None and shown["failing_since"] <= shown["last_failure_at"]
        assert api.value("webhooks_failing") >= 1
        assert len(receiver.events) == 60, "no redirect was followed"
        for way, each in wrong.items():
            each.release()
            assert once(each.wait_for(60)) == logged(api), way
            # What had failed is sent again as it was.
            failed, again = each.requests[0], each.taken[0]
            assert (again.headers["webhook-id"], again.body) == (failed.headers["webhook-id"], failed.body)
            assert each.most_at_a_time == 1 or way == "hang"  # it does not see who has given up
    for each in wrong.values():
        each.__exit__()


def test_disabled_after_it_has_failed_for_long_and_enabled_without_a_gap(api, receiver):
    receiver.way = 503
    create(api, receiver)
    action = add_action(api, 10)
    move(api, action, "published")
    until(lambda: show(api)["failures"] > 4, "it fails")
    assert show(api)["state"] == "active", "often, but not for long"
    disabled = api.value("webhooks_disabled_total")
    api.query("UPDATE webhooks SET failing_since = now() - interval '1 minute'")
    shown = until(lambda: (one := show(api))["state"] == "disabled" and one, "it is disabled")
    assert (shown["disabled_reason"], shown["last_status"], shown["next_try_at"]) == ("refused", 503, None)
    assert shown["disabled_at"] and shown["behind_s"] is not None
    assert api.value("webhooks_disabled_total") == disabled + 1 and "a webhook was disabled" in api.log()
    requests = len(receiver.requests)
    move(api, action, "delivered")
    receiver.way = 204
    assert do(api, "enable").json()["state"] == "active"
    move(api, action, "succeeded")
    assert ids(receiver.wait_for(30)) == logged(api)
    assert len(receiver.requests) - requests <= 4
    receiver.way = 410
    move(api, action, "failed")
    shown = until(lambda: (one := show(api))["state"] == "disabled" and one, "410 disables at once")
    assert (shown["disabled_reason"], shown["failures"]) == ("gone", 1)


def test_one_replica_delivers_and_the_other_goes_on_after_a_kill(api, receiver, servers, tmp_path):
    create(api, receiver)
    other = ApiAlone(servers, tmp_path)
    other.database, other.webhooks = api.database, SETTINGS
    try:
        other.start()
        action = add_action(api, 200)
        move(api, action, "published")
        assert ids(receiver.wait_for(200)) == logged(api), "each once: one of the two delivers"
        owner = api.query("SELECT owner FROM webhooks")[0]["owner"]
        move(api, action, "delivered")
        receiver.wait_for(220)
        api.kill()  # in the middle
        move(api, action, "succeeded")
        until(lambda: once(receiver.events) == logged(api), "all of it, each first in its place", 20)
        assert receiver.most_at_a_time == 1
        assert api.query("SELECT owner FROM webhooks")[0]["owner"] != owner
        # Who leaves in order hands over at once.
        api.start()
        before = len(receiver.events)
        assert other.terminate() == 0
        move(api, action, "failed")
        assert ids(receiver.wait_for(before + 200)[before:]) == logged(api)[-200:]
    finally:
        other.close()
        if not api.is_running():
            api.start()


def test_who_has_lost_a_webhook_changes_nothing_of_it(api, receiver):
    create(api, receiver)
    action = add_action(api, 10)
    move(api, action, "published")
    until(lambda: show(api)["delivered"] == 10, "it is written down")
    api.query("UPDATE webhooks SET owner = 'another', epoch = epoch + 1, lease_until = now() + interval '1500 ms'")
    before = api.query("SELECT place, delivered FROM webhooks")[0]
    move(api, action, "succeeded")

    def is_taken_over() -> bool:
        row = api.query("SELECT owner = 'another' AS anothers, place, delivered FROM webhooks")[0]
        if row.pop("anothers"):
            assert row == before
            return False
        return True

    until(is_taken_over, "its lease has ended")
    until(lambda: once(receiver.events) == logged(api), "it goes on from there")
    until(lambda: show(api)["delivered"] == 20, "it is written down")


def test_what_is_forgotten_is_said(api, receiver):
    receiver.way = 410
    create(api, receiver)
    action = add_action(api, 2)
    move(api, action, "published")
    until(lambda: show(api)["state"] == "disabled", "it is disabled")
    api.query("UPDATE target_log_readers SET xid = pg_current_xact_id() WHERE name = 'forgotten'")
    move(api, action, "succeeded")
    receiver.way = 204
    do(api, "enable")
    events = receiver.wait_for(3)
    assert [event["type"] for event in events] == ["heliograph.reset"] + ["heliograph.action.target"] * 2
    assert {event["data"]["target"]["status"] for event in events[1:]} == {"succeeded"}
    assert events[0]["data"]["after"].startswith("t") and events[0]["data"]["up_to"].startswith("t")
    move(api, action, "failed")
    assert "heliograph.reset" not in [event["type"] for event in receiver.wait_for(5)[1:]], "once"
    api.query("UPDATE target_log_readers SET xid = '0', place = 0 WHERE name = 'forgotten'")


def test_a_test_event(api, receiver):
    create(api, receiver)
    answer = do(api, "test")
    assert (answer.status_code, answer.json()["test_ended_at"]) == (202, None)
    event = receiver.wait_for(1)[0]
    assert (event["type"], event["subject"]) == ("heliograph.ping", "hook")
    shown = until(lambda: (one := show(api))["test_outcome"] and one, "what came of it")
    assert (shown["test_outcome"], shown["failures"]) == ("delivered", 0)
    api.query("UPDATE webhooks SET state = 'disabled'")
    receiver.way = 500
    do(api, "test")
    shown = until(lambda: (one := show(api))["test_outcome"] == "refused" and one, "also of one that is disabled")
    assert (shown["state"], shown["failures"]) == ("disabled", 0)
    assert len(receiver.requests) == 2, "once"


def test_secrets_are_shown_once_and_nowhere_else(api, receiver):
    given = create(api, receiver, secret=SECRET)
    assert "secret" not in given
    made = create(api, receiver, "other", "acme-token")["secret"]
    with api.rest() as rest:
        new = rest.patch("/v1/webhooks/hook", json={"secret": None}).json()["secret"]
        assert new.startswith("whsec_") and new != SECRET
        assert "secret" not in rest.patch("/v1/webhooks/hook", json={"client_id_prefix": "pv-"}).json()
    action = add_action(api, 1)
    move(api, action, "published")
    receiver.wait_for(2)
    both = next(each for each in receiver.taken if " " in each.headers["webhook-signature"])
    expected = [signature(secret, both.headers, both.body) for secret in (new, SECRET)]
    assert both.headers["webhook-signature"].split(" ") == expected, "the one before signs for a day"
    shown = [api.get(path, token).text for path in ("/v1/webhooks", "/v1/webhooks/hook", "/v1/audit") for token in ("operator-token",)]
    shown += [api.get("/v1/webhooks/other", "acme-token").text, api.log(), str(api.query("SELECT * FROM audit"))]
    for secret in (SECRET, made, new):
        assert not any(secret in text or secret.removeprefix("whsec_") in text for text in shown)


def test_another_tenants_webhooks_do_not_exist(api, receiver):
    create(api, receiver, token="acme-token")
    create(api, receiver, token="rival-token", client_id_prefix="x")
    assert show(api, token="acme-token")["client_id_prefix"] is None
    for token in ("rival-token", "operator-token"):
        for item in api.get("/v1/webhooks", token).json()["items"]:
            assert item["tenant"] != "acme"
    create(api, receiver, "acmes", "acme-token")
    with api.rest("rival-token") as rest:
        for answer in (
            rest.get("/v1/webhooks/acmes"), rest.patch("/v1/webhooks/acmes", json={"url": receiver.url}),
            rest.delete("/v1/webhooks/acmes"), rest.post("/v1/webhooks/acmes/test"), rest.post("/v1/webhooks/acmes/enable"),
        ):  # fmt: skip
            assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")
    assert show(api, "acmes", "acme-token")["test_asked_at"] is None


def test_what_may_not_be_asked_for(api, receiver):
    def refused(token="acme-token", **body) -> tuple:
        with api.rest(token) as rest:
            answer = rest.post("/v1/webhooks", json={"name": "bad", "url": receiver.url, **body})
        return answer.status_code, answer.json()["type"].removeprefix("/problems/"), answer.json()["detail"]

    for field, body in {
        "/url": {"url": "http://" + "10.0.0.1/"}, "/name": {"name": "a/b"}, "/types/0": {"types": ["nonsense"]},
        "/secret": {"secret": "short"}, "/client_id_prefix": {"client_id_prefix": "a b"}, "/action_id": {"action_id": "7"},
        "/unheard": {"unheard": 1},
    }.items():  # fmt: skip
        status, problem, detail = refused(**body)
        assert (status, problem) == (400, "invalid-body") and f"At {field}:" in detail
    assert refused("reader-token")[:2] == (403, "permission-denied")
    for number in range(8):
        create(api, receiver, f"hook-{number}", "acme-token")
    assert refused(name="hook-0")[:2] == (409, "name-is-taken")
    assert refused()[:2] == (409, "too-many")
    create(api, receiver, token="rival-token")
    page = api.get("/v1/webhooks", "acme-token", params={"limit": 5}).json()
    rest = api.get("/v1/webhooks", "acme-token", params={"limit": 5, "cursor": page["next"]}).json()
    assert [each["name"] for each in page["items"] + rest["items"]] == [f"hook-{number}" for number in range(8)]
    assert rest["next"] is None


def test_every_change_is_in_the_audit(api, receiver):
    last = api.query("SELECT coalesce(max(place), 0) AS place FROM audit")[0]["place"]
    create(api, receiver, token="acme-token")
    with api.rest("acme-token") as rest:
        rest.patch("/v1/webhooks/hook", json={"client_id_prefix": "pv-"})
        rest.patch("/v1/webhooks/hook", json={"url": "nonsense"})
        do(api, "test", token="acme-token")
        do(api, "enable", token="acme-token")
        rest.delete("/v1/webhooks/hook")
        rest.delete("/v1/webhooks/hook")
    rows = api.query("SELECT deed, decision, reason, webhook, caller FROM audit WHERE place > %s ORDER BY place", last)
    assert [(row["deed"], row["decision"], row["reason"]) for row in rows] == [
        ("create-webhook", "accepted", None), ("update-webhook", "accepted", None), ("update-webhook", "refused", "invalid-body"),
        ("test-webhook", "accepted", None), ("enable-webhook", "accepted", None), ("delete-webhook", "accepted", None),
        ("delete-webhook", "refused", "not-found"),
    ]  # fmt: skip
    assert {(row["webhook"], row["caller"]) for row in rows} == {("hook", "acme")}
    assert api.get("/v1/audit", params={"limit": 1}).json()["items"][0]["webhook"] == "hook"


def test_addresses_of_this_network_are_not_called(servers, receiver, tmp_path):
    with running(servers, tmp_path, webhooks={**SETTINGS, "allowed_networks": []}) as api:
        for host in ("127.0.0.1", "2130706433", "0x7f000001", "[::1]", "0", "169.254.169.254"):
            with api.rest() as rest:
                answer = rest.post("/v1/webhooks", json={"name": "bad", "url": f"http://{host}:{receiver.port}/"})
            assert answer.status_code == 400 and "At /url:" in answer.json()["detail"], host
        receiver.url = f"http://localhost:{receiver.port}/hook"
        create(api, receiver)
        move(api, add_action(api, 1), "published")
        shown = until(lambda: (one := show(api))["failures"] and one, "the address that the name leads to is looked at")
        assert (shown["last_failure"], shown["last_status"]) == ("forbidden-address", None)
        assert receiver.requests == []


def test_the_command_line(api, receiver, tmp_path):
    def run(*arguments, code=0):
        done = subprocess.run(
            [str(programs() / "heliograph"), "webhooks", *arguments], text=True, capture_output=True, timeout=30, check=False,
            env={"HELIOGRAPH_API_URL": api.url, "HELIOGRAPH_TOKEN": "acme-token"},
        )  # fmt: skip
        assert done.returncode == code, (arguments, done.stdout, done.stderr)
        return json.loads(done.stdout) if "--json" in arguments else done.stdout + done.stderr

    (tmp_path / "secret").write_text(SECRET + "\n")
    made = run("create", "ends", "--url", receiver.url, "--type", "action.ended", "--client-id-prefix", "pv-", "--json")
    assert (made["types"], made["client_id_prefix"]) == (["action.ended"], "pv-") and made["secret"].startswith("whsec_")
    changed = run("update", "ends", "--all", "--type", "action.target", "--secret-file", str(tmp_path / "secret"), "--json")
    assert (changed["types"], changed["client_id_prefix"]) == (["action.target"], None) and "secret" not in changed
    assert "secret: whsec_" in run("update", "ends", "--new-secret")
    assert [each["name"] for each in run("list", "--json")["items"]] == ["ends"]
    run("test", "ends")
    receiver.wait_for(1)
    until(lambda: "test_outcome: delivered" in run("show", "ends"), "it tells what came of the test")
    assert "state: active" in run("enable", "ends")
    run("delete", "ends")
    assert "There is no such webhook" in run("show", "ends", code=1)
    assert "At /url" in run("create", "bad", "--url", "nonsense", code=2)
