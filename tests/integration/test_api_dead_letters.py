"""What could not be done: listed, tried again once, or discarded, each told the audit."""

import threading
import uuid

import pytest
from harness.api_alone import running
from harness.wait import until


@pytest.fixture(scope="module", name="api")
def _api(servers, tmp_path_factory):
    with running(servers, tmp_path_factory.mktemp("api")) as api:
        yield api


@pytest.fixture(autouse=True)
def _rows(api):
    api.restore()
    api.add_connection("away", "offline", tenant="acme")
    api.add_connection("theirs", "offline", tenant="rival")


def letters(api, token="operator-token", **filters) -> list:
    answer = api.get("/v1/dead-letters", token, params=filters)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


def fail(api, *client_ids: str, token="acme-token", **more) -> str:
    """An action to devices that are not there; its id."""
    answer = api.post(list(client_ids or ["away"]), token=token, **more)
    assert answer.status_code == 202, answer.text
    return answer.json()["action_id"]


def decide(api, letter: dict, deed: str, body=None, token="acme-token", **more):
    with api.rest(token) as rest:
        return rest.post(f"/v1/dead-letters/{letter['dead_letter_id']}/{deed}", json=body, **more)


def test_a_target_that_nobody_has_done(api):
    action = fail(api, "away", "never", payload={"limit_w": 4000})
    by_client = {one["client_id"]: one for one in letters(api, "acme-token")}
    assert set(by_client) == {"away", "never"}
    letter = by_client["away"]
    assert (letter["kind"], letter["action_id"], letter["status"], letter["reason"], letter["tenant"], letter["state"]) == (
        "action", action, "offline", "not_online", "acme", "open",
    )  # fmt: skip
    assert (by_client["never"]["status"], by_client["never"]["reason"]) == ("unknown", "no_such_device")
    assert letters(api, action_id=action, reason="not_online") == [letter]


def test_a_deadline_that_passes_makes_one(api):
    action = fail(api, "away", if_offline="queue", ttl_s=1)
    assert letters(api) == []
    until(lambda: [one["status"] for one in letters(api)] == ["expired"], "the target is a dead letter")
    assert letters(api)[0]["action_id"] == action


def test_a_replay_is_a_new_action_once(api):
    action = fail(api, payload={"limit_w": 4000}, metadata={"ticket": "7"})
    (letter,) = letters(api)
    first = decide(api, letter, "replay", {"if_offline": "queue", "ttl_s": 600})
    assert first.status_code == 202, first.text
    replay = first.json()
    assert first.headers["location"] == f"/v1/actions/{replay['action_id']}"
    assert (replay["replay_of"], replay["payload"], replay["metadata"], replay["if_offline"], replay["requested_by"]) == (
        action, {"limit_w": 4000}, {"ticket": "7"}, "queue", "acme",
    )  # fmt: skip
    assert [(one["client_id"], one["status"]) for one in replay["targets"]] == [("away", "queued")]
    assert decide(api, letter, "replay").json()["action_id"] == replay["action_id"], "asked again"
    (letter,) = letters(api)
    assert (letter["state"], letter["replayed_as"], letter["decided_by"]) == ("replayed", replay["action_id"], "acme")
    assert decide(api, letter, "discard").status_code == 409
    deeds = [entry["deed"] for entry in api.get("/v1/audit", params={"action_id": replay["action_id"]}).json()["items"]]
    assert deeds == ["replay"]


def test_twenty_replays_at_once_are_one_action(api):
    fail(api)
    (letter,) = letters(api)
    answers = []

    def ask() -> None:
        answers.append(decide(api, letter, "replay", {"if_offline": "queue"}, timeout=30))

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["action_id"] for answer in answers}) == 1
    assert api.query("SELECT count(*) FROM actions WHERE replay_of IS NOT NULL")[0]["count"] == 1


def test_an_operators_replay_belongs_to_the_tenant(api):
    fail(api)
    (letter,) = letters(api)
    replay = decide(api, letter, "replay", token="operator-token").json()
    assert (replay["tenant"], replay["requested_by"]) == ("acme", "operator")
    assert api.get(f"/v1/actions/{replay['action_id']}", "acme-token").status_code == 200
    again = {one["action_id"]: one for one in letters(api)}[replay["action_id"]]
    assert again["state"] == "open", "it failed again: a dead letter of its own"
    entry = api.get("/v1/audit", params={"deed": "replay", "limit": 1})
    assert entry.status_code == 400, "no such filter"
    assert api.query("SELECT tenant FROM audit WHERE deed = 'replay' ORDER BY place DESC LIMIT 1")[0]["tenant"] is None


def test_discarded_is_final(api):
    fail(api)
    (letter,) = letters(api)
    gone = decide(api, letter, "discard", {"note": "the site is closed"}).json()
    assert (gone["state"], gone["note"], gone["decided_by"]) == ("discarded", "the site is closed", "acme")
    assert decide(api, letter, "discard", {"note": "other"}).json()["note"] == "the site is closed"
    answer = decide(api, letter, "replay")
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/not-replayable")
    assert letters(api, state="open") == []
    assert len(letters(api, state="discarded")) == 1


def test_a_record_is_listed_and_only_discarded(api):
    api.query(
        "INSERT INTO dead_letters (tenant, client_id, reason, topic, partition, log_offset, source, detail, payload)"
        " VALUES ('acme', 'away', 'not_json', 'device.dead-letter', 2, 41, 'device.data/0/7', 'no JSON', '\\x00ff')"
    )
    (letter,) = letters(api, "acme-token", kind="record")
    assert (letter["partition"], letter["offset"], letter["source"]) == (2, 41, "device.data/0/7")
    assert "payload_base64" not in letter
    assert api.get(f"/v1/dead-letters/{letter['dead_letter_id']}").json()["payload_base64"] == "AP8="
    assert decide(api, letter, "replay").status_code == 409
    assert decide(api, letter, "discard").json()["state"] == "discarded"


def test_another_tenants_do_not_exist(api):
    fail(api)
    (letter,) = letters(api)
    assert letters(api, "rival-token") == []
    for answer in (
        api.get(f"/v1/dead-letters/{letter['dead_letter_id']}", "rival-token"),
        decide(api, letter, "replay", token="rival-token"),
        decide(api, letter, "discard", token="rival-token"),
    ):
        assert answer.status_code == 404
    assert letters(api)[0]["state"] == "open"
    refused = api.get("/v1/audit", params={"caller": "rival", "decision": "refused", "limit": 2}).json()["items"]
    assert [(entry["deed"], entry["dead_letter_id"]) for entry in refused] == [
        ("discard", letter["dead_letter_id"]), ("replay", letter["dead_letter_id"])]  # fmt: skip


def test_bad_bodies_are_named(api):
    fail(api)
    (letter,) = letters(api)
    for deed, body, where in [
        ("replay", {"ttl_s": 0}, "/ttl_s"),
        ("replay", {"deadline": "2001-01-01T00:00:00Z"}, "/deadline"),
        ("replay", {"if_offline": "maybe"}, "/if_offline"),
        ("discard", {"note": 7}, "/note"),
        ("discard", {"note": "x" * 1001}, "/note"),
        ("discard", {"note": "\0"}, "/note"),
        ("discard", [], "not an object"),
        ("replay", [], "not an object"),
    ]:
        answer = decide(api, letter, deed, body)
        assert answer.status_code == 400 and where in answer.json()["detail"], (deed, body, answer.text)
    with api.rest() as rest:
        url = f"/v1/dead-letters/{letter['dead_letter_id']}/replay"
        assert rest.post(url, content=b"{}", headers={"Content-Type": "text/plain"}).status_code == 415
    assert letters(api)[0]["state"] == "open"


def test_pages(api):
    ids = [fail(api, token=token, key=uuid.uuid4().hex) for token in ["acme-token", "operator-token"] * 4]
    for token, wanted in (("operator-token", ids), ("acme-token", ids[::2])):
        seen, query = [], {"limit": 3}
        while True:
            page = api.get("/v1/dead-letters", token, params=query).json()
            seen += [one["action_id"] for one in page["items"]]
            if page["next"] is None:
                break
            query["cursor"] = page["next"]
        assert seen == wanted[::-1]
