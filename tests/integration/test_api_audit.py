"""Who asked what of devices: an entry for each decision, for operators only, and for ever."""

import time
import uuid

import psycopg2
import pytest
from harness.api_alone import running


@pytest.fixture(scope="module", name="api")
def _api(servers, tmp_path_factory):
    with running(servers, tmp_path_factory.mktemp("api")) as api:
        yield api


@pytest.fixture(autouse=True)
def _rows(api):
    api.restore()
    api.add_connection("away", "offline")


def entries(api, **filters) -> list:
    answer = api.get("/v1/audit", params=filters)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


def newest(api, **filters) -> dict:
    return entries(api, limit=1, **filters)[0]


def test_what_is_accepted_and_cancelled(api):
    with api.rest("acme-token") as rest:
        body = {"targets": {"client_ids": ["away", "never"]}, "directive": "solar.configure", "payload": 1}
        headers = {"Idempotency-Key": uuid.uuid4().hex, "X-Request-Id": "request-1", "X-Forwarded-For": "192.0.2.7, 10.0.0.1"}
        action = rest.post("/v1/actions", json=body, headers=headers).json()["action_id"]
        rest.post("/v1/actions", json=body, headers=headers)  # a repeat is no decision
        rest.post(f"/v1/actions/{action}/cancel", headers={"X-Request-Id": "request-2"})
    cancelled, created = entries(api, action_id=action)
    assert created.pop("at") < cancelled.pop("at")
    assert created == {
        "caller": "acme", "tenant": "acme", "address": "127.0.0.1", "forwarded_for": "192.0.2.7, 10.0.0.1",
        "request_id": "request-1", "deed": "create", "decision": "accepted", "reason": None, "action_id": action,
        "dead_letter_id": None, "webhook": None, "directive": "solar.configure", "targets": 2,
    }  # fmt: skip
    assert (cancelled["deed"], cancelled["decision"], cancelled["request_id"]) == ("cancel", "accepted", "request-2")


@pytest.mark.parametrize(
    "ask, expected",
    [
        (lambda api: api.post(["a", "a"], token="acme-token"), ("create", "invalid-body", "acme", None)),
        (lambda api: api.post(["a"], token="reader-token"), ("create", "permission-denied", "reader", None)),
        (lambda api: api.post(["a"], deadline="2001-01-01T00:00:00Z"), ("create", "invalid-body", "operator", 1)),
        (lambda api: api.rest().post(f"/v1/actions/{uuid.uuid4()}/cancel"), ("cancel", "not-found", "operator", None)),
    ],
    ids=["a body", "a scope", "a deadline", "no such action"],
)
def test_what_is_refused(api, ask, expected):
    assert 400 <= ask(api).status_code < 500
    entry = newest(api, decision="refused")
    assert (entry["deed"], entry["reason"], entry["caller"], entry["targets"]) == expected


def test_whom_nobody_knows_writes_nothing(api):
    before = len(entries(api, limit=1000))
    assert api.post(["a"], token="stranger").status_code == 401
    assert len(entries(api, limit=1000)) == before


def test_another_tenants_action_is_refused_to_be_cancelled_and_told(api):
    action = api.post(["away"], token="rival-token").json()["action_id"]
    with api.rest("acme-token") as rest:
        assert rest.post(f"/v1/actions/{action}/cancel").status_code == 404
    entry = newest(api, action_id=action)
    assert (entry["caller"], entry["deed"], entry["decision"], entry["reason"]) == ("acme", "cancel", "refused", "not-found")


def test_it_is_for_operators_with_the_scope_only(api):
    assert api.get("/v1/audit", "acme-auditor-token").status_code == 403
    assert api.get("/v1/audit", "acme-token").status_code == 403
    assert api.get("/v1/audit", "").status_code == 401


def test_pages_and_filters(api):
    key = uuid.uuid4().hex[:8]
    ids = [api.post(["away"], token=token, key=f"{key}-{n}").json()["action_id"] for n, token in
           enumerate(["acme-token", "rival-token"] * 5)]  # fmt: skip
    seen, query = [], {"limit": 3}
    while len(seen) < len(ids):
        page = api.get("/v1/audit", params=query).json()
        seen += [entry["action_id"] for entry in page["items"]]
        query["cursor"] = page["next"]
    assert seen[: len(ids)] == ids[::-1]
    assert {entry["tenant"] for entry in entries(api, tenant="rival", limit=3)} == {"rival"}
    assert {entry["caller"] for entry in entries(api, caller="acme", limit=3)} == {"acme"}
    middle = newest(api, action_id=ids[5])["at"]
    found = [entry["action_id"] for entry in entries(api, limit=100, **{"from": middle})]
    assert found[-1] == ids[5]
    assert newest(api, before=middle)["action_id"] == ids[4]
    for wrong in ({"decision": "maybe"}, {"action_id": "x"}, {"cursor": "00"}, {"from": "yesterday"}):
        assert api.get("/v1/audit", params=wrong).status_code == 400


def test_nothing_in_it_can_be_changed(api):
    api.post(["away"])
    for change in ("UPDATE audit SET caller = 'nobody'", "DELETE FROM audit", "TRUNCATE audit"):
        with pytest.raises(psycopg2.errors.RaiseException, match="never changed"):
            api.query(change)


def test_a_refusal_that_cannot_be_stored_is_in_the_log(api):
    api.query("ALTER TABLE audit RENAME TO hidden")
    try:
        assert api.post(["a", "a"], token="acme-token").status_code == 400
        time.sleep(0.2)
        assert "a refusal is missing in the audit" in api.log()
    finally:
        api.query("ALTER TABLE hidden RENAME TO audit")
