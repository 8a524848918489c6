"""Equipment whose way back is REST answers an action: the same rules as on data/out."""

import pytest
from harness.api_alone import running


@pytest.fixture(scope="module", name="api")
def _api(servers, tmp_path_factory):
    with running(servers, tmp_path_factory.mktemp("api")) as api:
        yield api


@pytest.fixture(autouse=True)
def _rows(api):
    api.restore()
    api.add_connection("pv-1", "offline", tenant="acme")


@pytest.fixture(name="action")
def _action(api) -> str:
    return api.post(["pv-1"], token="acme-token", if_offline="queue").json()["action_id"]


def say(api, action: str, body, client_id="pv-1", token="acme-equipment-token", **more):
    with api.rest(token) as rest:
        return rest.post(f"/v1/actions/{action}/targets/{client_id}/result", json=body, **more)


def test_from_accepted_to_a_result(api, action):
    assert say(api, action, {"metadata": {"status": "accepted"}}).json()["status"] == "delivered"
    running_ = say(api, action, {"metadata": {"status": "running", "progress": "40", "note": "half"}}).json()
    assert (running_["status"], running_["progress"], running_["note"]) == ("running", 40, "half")
    done = say(api, action, {"content": {"limit_w": 4000, "nul": "\0"}, "metadata": {"status": "succeeded", "x": "1"}}).json()
    assert (done["status"], done["result"]["content"], done["result"]["late"]) == ("succeeded", {"limit_w": 4000, "nul": "\0"}, False)
    assert done["result"]["metadata"] == {"status": "succeeded", "x": "1"}
    again = say(api, action, {"content": "other", "metadata": {"status": "failed"}})
    assert (again.status_code, again.json()) == (200, done), "after the end nothing changes"
    assert api.get(f"/v1/actions/{action}", "acme-token").json()["totals"] == {"succeeded": 1}


def test_a_failure_and_a_bare_result(api, action):
    failed = say(api, action, {"metadata": {"status": "failed", "reason": "no wind"}}).json()
    assert (failed["status"], failed["reason"]) == ("failed", "no wind")
    other = api.post(["pv-1"], token="acme-token", if_offline="queue").json()["action_id"]
    assert say(api, other, {}).json()["status"] == "succeeded"


def test_after_the_deadline_it_is_kept_and_marked(api, action):
    api.query("UPDATE actions SET deadline = now() - interval '1 second'")
    late = say(api, action, {"content": 7}).json()
    assert (late["status"], late["result"]["content"], late["result"]["late"]) == ("expired", 7, True)


def test_who_may(api, action):
    assert say(api, action, {}, token="acme-token").status_code == 403
    assert say(api, action, {}, token="rival-token").status_code == 404
    assert say(api, action, {}, client_id="pv-2").status_code == 404
    assert say(api, action, {}, client_id="pv 1").status_code == 404
    assert say(api, "01a1fc62-c055-7048-8610-74a05baaca77", {}).status_code == 404
    assert api.get(f"/v1/actions/{action}", "acme-equipment-token").status_code == 403
    assert api.get(f"/v1/actions/{action}", "acme-token").json()["totals"] == {"queued": 1}


def test_bad_bodies_are_named(api, action):
    for body, where in [
        ([], "not an object"), ({"metadata": 7}, "/metadata"), ({"metadata": {"status": "maybe"}}, "status"),
        ({"metadata": {"status": "running", "progress": "101"}}, "progress"), ({"metadata": {"a": 1}}, "/metadata"),
    ]:  # fmt: skip
        answer = say(api, action, body)
        assert answer.status_code == 400 and where in answer.json()["detail"], (body, answer.text)
    assert say(api, action, {"content": "x" * 256 * 1024}).status_code == 413
    assert say(api, action, {"content": "x" * (256 * 1024 - 10)}).status_code == 200
