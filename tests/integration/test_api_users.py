"""A user authorisation service is asked for each action: what it forbids, and that nothing happens when it cannot be asked."""

import pytest
from harness.api_alone import running
from harness.http_service import HttpService


@pytest.fixture(scope="module", name="service")
def _service():
    service = HttpService(lambda _: (200, {"allowed": "all"}))
    yield service
    service.close()


@pytest.fixture(scope="module", name="api")
def _api(servers, service, tmp_path_factory):
    users = {"url": service.url + "/may", "remember_s": 0, "timeout_ms": 1000, "breaker_failures": 1000}
    with running(servers, tmp_path_factory.mktemp("api"), {"users": users}) as api:
        yield api


@pytest.fixture(autouse=True)
def _rows(api, service):
    service.release()
    service.answer = lambda _: (200, {"allowed": "all"})
    service.calls.clear()
    api.restore()
    for name in ("device-1", "device-2"):
        api.add_connection(name)
    api.add_connection("theirs", "online", "rival")


def statuses(answer) -> dict:
    assert answer.status_code in (200, 202), answer.text
    return {each["client_id"]: (each["status"], each["reason"]) for each in answer.json()["targets"]}


def test_it_is_told_who_wants_what(api, service):
    with api.device("device-1"):
        answer = api.post(["device-1", "theirs"], token="acme-token", directive="solar.configure")
    assert statuses(answer)["device-1"] == ("published", None)
    question = service.calls[-1].json()
    assert question == {"user": "acme", "tenant": "acme", "directive": "solar.configure", "client_ids": ["device-1", "theirs"]}


def test_what_it_forbids_is_never_sent(api, service):
    service.answer = lambda _: (200, {"allowed": ["device-1"]})
    with api.device("device-1"), api.device("device-2") as forbidden:
        answer = api.post(["device-1", "device-2", "theirs"], token="acme-token", key="k")
        assert statuses(answer) == {
            "device-1": ("published", None), "device-2": ("unauthorised", "not_permitted"), "theirs": ("unknown", "no_such_device"),
        }  # fmt: skip
        assert api.get(answer.headers["location"]).json() == answer.json()
        service.answer = lambda _: (200, {"allowed": "all"})
        assert api.post(["device-1", "device-2", "theirs"], token="acme-token", key="k").json() == answer.json()
        api.post(["device-2"], token="acme-token", payload="the first that it may have")
        assert b"the first that it may have" in forbidden.next_message().payload


@pytest.mark.parametrize("way", ["held", "broken"])
def test_when_it_cannot_be_asked_nothing_happens(api, service, way):
    if way == "held":
        service.hold()
    service.way = way
    answer = api.post(["device-1"], token="acme-token", key="k")
    assert (answer.status_code, answer.headers.get("retry-after") is not None) == (503, True), answer.text
    assert api.query("SELECT count(*) FROM actions")[0]["count"] == 0
    service.release()


@pytest.mark.parametrize("answer", [(500, {"allowed": "all"}), (200, {"allowed": "none"}), (200, b"{"), (204, b"")])
def test_what_is_no_answer_allows_nothing(api, service, answer):
    service.answer = lambda _: answer
    assert api.post(["device-1"], token="acme-token").status_code == 503
    assert api.query("SELECT count(*) FROM actions")[0]["count"] == 0
