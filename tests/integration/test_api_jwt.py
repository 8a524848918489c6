"""JSON Web Tokens against the real API: keys from a file and over HTTPS, their rotation, and an issuer that is away."""

import json
import threading
import time

import pytest
from harness import certificates
from harness.api_alone import ApiAlone, running
from harness.http_service import HttpService
from harness.identity_provider import AUDIENCE, ISSUER, Key, key_set
from harness.wait import until

OLD, NEW, RSA = Key("old"), Key("new"), Key("rsa", "RS256")
# Not the issuer's, though it says so.
STRANGER = Key("old")


def jwt_settings(**keys) -> dict:
    claims = {"operator": "roles", "operator_value": "fleet-operator"}
    return {"jwt": {"issuer": ISSUER, "audience": AUDIENCE, "keys": keys, "claims": claims}}


@pytest.fixture(scope="module", name="issuer")
def _issuer(servers):
    issuer = HttpService(lambda _: (200, key_set(OLD, RSA)), certificates.pair(servers.settings.certs, "broker"))
    yield issuer
    issuer.close()


@pytest.fixture(scope="module", name="api")
def _api(servers, issuer, tmp_path_factory):
    ca_file = str(servers.settings.certs / "ca.crt")
    # No call may end because this machine is slow.
    auth = jwt_settings(url=issuer.url + "/keys?policy=1", ca_file=ca_file, least_interval_s=1, timeout_ms=60000)
    with running(servers, tmp_path_factory.mktemp("api"), auth) as api:
        yield api


@pytest.fixture(autouse=True)
def _beginning(api, issuer):
    issuer.answer = lambda _: (200, key_set(OLD, RSA))
    issuer.release()
    api.restore()
    until(lambda: status(api, OLD.token()) == 200, "the first key counts")


def status(api, token: str) -> int:
    return api.get("/v1/connections", token).status_code


def detail(api, token: str) -> str:
    answer = api.get("/v1/connections", token)
    assert answer.status_code == 401, answer.text
    assert answer.headers["www-authenticate"].startswith("Bearer")
    return answer.json()["detail"]


def test_a_caller_is_who_his_token_says(api):
    api.add_connection("acme-1")
    api.add_connection("rival-1", tenant="rival")
    for key in (OLD, RSA):
        assert [each["client_id"] for each in api.get("/v1/connections", key.token()).json()["items"]] == ["acme-1"]
    operator = OLD.token(sub="root", tenant=None, roles=["fleet-operator"])
    assert len(api.get("/v1/connections", operator).json()["items"]) == 2
    action = api.post(["rival-1"], token=OLD.token()).json()
    assert (action["requested_by"], action["tenant"], action["totals"]) == ("ann@acme.test", "acme", {"unknown": 1})
    assert api.post(["rival-1"], token=OLD.token(scope="connections:read")).status_code == 403
    assert status(api, "acme-token") == 200, "static tokens count as before"


@pytest.mark.parametrize(
    "token, why",
    [
        (lambda: OLD.token({"alg": "none"}), "algorithm"),
        (lambda: OLD.token({"alg": "HS256"}), "algorithm"),
        (lambda: OLD.token(iss="https://elsewhere"), "issuer"),
        (lambda: OLD.token(aud="other"), "audience"),
        (lambda: OLD.token(exp=int(time.time()) - 61), "expired"),
        (lambda: OLD.token(nbf=int(time.time()) + 65), "not valid yet"),
        (lambda: OLD.token({"kid": None}), "does not name its key"),
        (lambda: OLD.token({"kid": "rsa"}), "another algorithm"),
        (lambda: OLD.token({"crit": ["exp"]}), "understood"),
        (lambda: STRANGER.token(), "signature"),
        (lambda: OLD.token() + ".x", "three parts"),
        (lambda: OLD.token(tenant=None), "tenant"),
        (lambda: "e." * 4000, "three parts"),
    ],
)
def test_what_is_wrong_is_refused(api, token, why):
    assert why in detail(api, token())


def test_a_token_of_a_mebibyte_is_not_even_read(api):
    with api.rest("") as rest:
        answer = rest.get("/v1/connections", headers={"Authorization": "Bearer " + "e" * 1024 * 1024})
    assert answer.status_code == 431
    assert status(api, OLD.token()) == 200


def test_keys_rotate_without_a_restart(api, issuer):
    issuer.answer = lambda _: (200, key_set(OLD, NEW))
    until(lambda: status(api, NEW.token()) == 200, "the new key counts, because a token names it")
    token = OLD.token()
    assert status(api, token) == 200
    issuer.answer = lambda _: (200, key_set(NEW))
    # Any token that names an unknown key makes us ask again; with the default, the refresh does.
    until(lambda: detail(api, Key("other").token()) and status(api, token) == 401, "the old key is gone, also for known tokens")
    assert status(api, NEW.token()) == 200


def test_garbage_does_not_hammer_the_issuer(api, issuer):
    began, asked = time.monotonic(), len(issuer.calls)
    for number in range(100):
        assert detail(api, Key(f"garbage-{number}").token()) == "The token's key is not known"
    seconds = time.monotonic() - began
    assert len(issuer.calls) - asked <= seconds + 1, "once a second, as least_interval_s has it"
    for _ in range(20):  # refused before any key is looked for
        assert status(api, Key("garbage").token(aud="other")) == 401


def test_known_keys_count_while_the_issuer_is_away(api, issuer):
    issuer.way = "broken"
    seen = len(issuer.calls)
    answer = until(lambda: _unless(401, api.get("/v1/connections", NEW.token())), "it is told that the key cannot be asked for")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2"), "whether the key exists is not known"
    assert len(issuer.calls) > seen
    assert status(api, OLD.token()) == 200
    assert "\nheliograph_auth_keys_good 0\n" in api.admin("/metrics")[1]
    issuer.answer = lambda _: (200, {"keys": []})
    issuer.way = "open"
    assert status(api, OLD.token()) == 200
    issuer.answer = lambda _: (200, key_set(OLD, NEW))
    until(lambda: status(api, NEW.token()) == 200, "the keys are read again")


def _unless(code, answer):
    return None if answer.status_code == code else answer


def test_a_slow_issuer_holds_up_nobody_else(api, issuer):
    fresh = Key("fresh")
    issuer.hold()
    seen = len(issuer.calls)
    answers = []
    # 401 until the issuer may be asked again.
    ask = lambda: _unless(401, api.get("/v1/connections", fresh.token()))  # noqa: E731
    asking = threading.Thread(target=lambda: answers.append(until(ask, "the new key is asked for").status_code))
    asking.start()
    try:
        until(lambda: len(issuer.calls) > seen, "the issuer is asked")
        for _ in range(20):
            assert status(api, OLD.token()) == 200
        assert not answers, "one waits for the issuer, twenty others were answered meanwhile"
        issuer.answer = lambda _: (200, key_set(OLD, fresh))
    finally:
        issuer.release()
        asking.join()
    assert answers == [200]


def test_without_any_keys_it_is_unavailable_and_not_refused(servers, issuer, tmp_path):
    issuer.way = "broken"
    api = ApiAlone(servers, tmp_path)
    ca_file = str(servers.settings.certs / "ca.crt")
    api.auth = jwt_settings(url=issuer.url, ca_file=ca_file, least_interval_s=1)
    try:
        api.start(waits=False)
        until(lambda: "keys cannot be read" in api.log() and api.ready()[0], "it serves, and tells that it has no keys")
        assert api.ready()[0] == 503
        answer = api.get("/v1/connections", OLD.token())
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        assert status(api, "acme-token") == 200
        assert status(api, OLD.token(aud="other")) == 401, "wrong whatever the keys are"
        issuer.way = "open"
        until(lambda: api.ready()[0] == 200, "ready as soon as it has keys")
        assert status(api, OLD.token()) == 200
        assert api.terminate() == 0
    finally:
        api.close()


def test_an_issuer_that_cannot_show_its_certificate_is_none(servers, issuer, tmp_path):
    api = ApiAlone(servers, tmp_path)
    api.auth = jwt_settings(url=issuer.url, least_interval_s=1)  # no authority of the system has signed it
    try:
        api.start(waits=False)
        until(lambda: "the issuer's keys cannot be read" in api.log(), "it is told")
        assert api.get("/v1/connections", OLD.token()).status_code == 503
    finally:
        api.close()


def test_keys_from_a_file(servers, tmp_path):
    api = ApiAlone(servers, tmp_path)
    file = tmp_path / "keys.json"
    file.write_text(json.dumps(key_set(OLD)))
    api.auth = {**jwt_settings(file=str(file)), "tokens_file": ""}
    try:
        api.start()
        assert status(api, OLD.token()) == 200
        assert status(api, NEW.token()) == 401
        assert status(api, "acme-token") == 401, "there is no tokens file"
        file.write_text(json.dumps(key_set(NEW)))
        until(lambda: status(api, NEW.token()) == 200 and status(api, OLD.token()) == 401, "the file is read again")
        file.write_text("{")
        until(lambda: "\nheliograph_auth_keys_good 0\n" in api.admin("/metrics")[1], "the bad file is noticed")
        assert status(api, NEW.token()) == 200
    finally:
        api.close()
