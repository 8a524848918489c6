"""heliograph-api against its own contract, openapi/heliograph.yaml: every operation, every answer, good and bad input."""

import json
import uuid
from urllib.parse import quote

import httpx
import pytest
from contract.openapi.contract import FILE, Contract
from contract.openapi.inputs import BAD_BODIES, Maker, bad_texts
from harness.api_alone import running

CONTRACT = Contract()
OPERATIONS = CONTRACT.operations()
GUARDED = [each for each in OPERATIONS if not each.is_open]
GETS = [each for each in OPERATIONS if each.method == "GET"]
BODIES = {
    "reportResult": {"content": 7, "metadata": {"status": "running", "progress": "5"}},
    "replayDeadLetter": {"ttl_s": 60, "if_offline": "queue"},
    "discardDeadLetter": {"note": "known"},
    "putGroup": {"client_ids": ["device-1"]},
    "createWebhook": {"name": "hook-2", "url": "https://receiver.invalid/"},
    "updateWebhook": {"url": "https://receiver.invalid/other"},
}
BODY = {"targets": {"client_ids": ["device-1"]}, "directive": "test.echo", "payload": {"n": 1}, "metadata": {"a": "b"}}


@pytest.fixture(scope="module", name="api")
def _api(servers, tmp_path_factory):
    with running(servers, tmp_path_factory.mktemp("api")) as api:
        yield api


@pytest.fixture(name="known", autouse=True)
def _known(api):
    """What the templates' parameters may be: a device and an action that exist."""
    api.restore()
    api.add_connection("device-1")
    api.describe("device-1", {"site": "north"}, {"solar": {"v": "1"}})
    api.query(
        "INSERT INTO intervals (client_id, online_from, opened_generation, opened_partition, opened_offset, online_until,"
        " reason) VALUES ('device-1', now(), 1, 0, 1, NULL, NULL), ('device-1', now() - interval '1 day', 1, 0, 0, now(), 'x')"
    )
    action = api.post(["device-1", "never"], metadata={"a": "b"}).json()
    api.query(
        "UPDATE action_targets SET status = 'succeeded', progress = 100, note = 'n', result_content = '{\"a\":1}',"
        " result_metadata = '{\"status\":\"succeeded\"}', result_received_at = now() WHERE client_id = 'device-1'"
    )
    # One is open, so that there is something to pause.
    api.query("INSERT INTO action_targets (action_id, client_id, status) VALUES (%s, 'working', 'published')", action["action_id"])
    letter = api.query("SELECT dead_letter_id FROM dead_letters")[0]["dead_letter_id"]
    with api.rest() as rest:
        rest.put("/v1/groups/group-1", json=BODIES["putGroup"])
        rest.post("/v1/webhooks", json={**BODIES["createWebhook"], "name": "hook-1"})
    return {
        "client_id": "device-1", "action_id": action["action_id"], "dead_letter_id": str(letter), "name": "group-1", "webhook": "hook-1",
    }  # fmt: skip


def path_of(operation, values: dict) -> str:
    path = operation.path
    for name, value in values.items():
        path = path.replace("{" + name + "}", quote(value, safe=""))
    return path


def call(api, operation, known, query=(), token="operator-token", headers=(), **options) -> httpx.Response:
    """A good request but for what the caller changes."""
    headers = dict(headers)
    if operation.body:
        headers.setdefault("Idempotency-Key", uuid.uuid4().hex)
        if not {"json", "content"} & set(options):
            options["json"] = BODIES.get(operation.id, BODY)
    with api.rest(token) as rest:
        request = rest.build_request(operation.method, path_of(operation, known), params=query, headers=headers, **options)
        answer = rest.send(request, stream=True)
        # What has no end is judged by its head.
        if not answer.headers.get("content-type", "").startswith("text/event-stream"):
            answer.read()
        answer.close()
        return answer


def check(operation, answer, *statuses) -> dict:
    assert answer.status_code in statuses, f"{operation.id}: {answer.status_code} {answer.text[:300]}"
    assert CONTRACT.faults(operation, answer) == []
    return answer.json() if answer.headers.get("content-type", "").endswith("json") else {}


by_id = {"ids": lambda value: value.id if hasattr(value, "id") else None}


@pytest.mark.parametrize("operation", OPERATIONS, **by_id)
def test_every_operation_answers_as_it_says(api, known, operation):
    check(operation, call(api, operation, known), 200, 201, 202, 204)


@pytest.mark.parametrize("operation", GUARDED, **by_id)
def test_every_operation_asks_for_a_token(api, known, operation):
    for token in ("", "nobodys-token"):
        check(operation, call(api, operation, known, token=token), 401)
    for header in ("", "Basic b3A6b3A=", "Bearer", "Bearer a b", "Bearer " + "x" * 9000):
        check(operation, call(api, operation, known, token="", headers={"Authorization": header}), 401)


@pytest.mark.parametrize("operation", GUARDED, **by_id)
def test_every_operation_asks_for_its_scope(api, known, operation):
    answer = call(api, operation, known, token="reader-token")
    may = "connections" in operation.path or operation.id == "streamEvents"  # which has those of connections for it
    check(operation, answer, 200 if may else 403)


@pytest.mark.parametrize("operation", GUARDED, **by_id)
def test_what_another_tenant_has_does_not_exist(api, known, operation):
    if "{" in operation.path and operation.id != "putGroup":
        check(operation, call(api, operation, known, token="rival-token"), 404)


QUERIES = [
    (operation, parameter["name"], bad)
    for operation in OPERATIONS
    for parameter in operation.parameters_in("query")
    for bad in (["site", ":north", ""] if parameter["name"] == "tag" else bad_texts(CONTRACT.resolve(parameter["schema"])))
    if parameter["name"] == "tag" or CONTRACT.errors(parameter["schema"], bad)
]


@pytest.mark.parametrize("operation", OPERATIONS, **by_id)
def test_bad_parameters_are_named(api, known, operation):
    bad = [(name, text) for each, name, text in QUERIES if each.id == operation.id]
    assert bad or not operation.parameters_in("query")
    for name, text in bad:
        problem = check(operation, call(api, operation, known, query={name: text}), 400)
        assert f"'{name}'" in problem["detail"], (name, text)
    problem = check(operation, call(api, operation, known, query={"unheard_of": "1"}), 400)
    assert "'unheard_of'" in problem["detail"]
    for name in {name for name, _ in bad} - {"tag"}:
        good = "1" if name == "limit" else "online"
        problem = check(operation, call(api, operation, known, query=[(name, good), (name, good)]), 400)
        assert f"'{name}'" in problem["detail"]


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if "{" in each.path and each.method != "PUT"], **by_id)
def test_paths_that_name_nothing(api, known, operation):
    for parameter in operation.parameters_in("path"):
        texts = ["x", "nonsense", str(uuid.uuid4()), "..", "%00", "a%2Fb", "a" * 200, "ü", "'; DROP TABLE actions; --"]
        for text in [*texts, *bad_texts(CONTRACT.resolve(parameter["schema"]))]:
            if text in ("", ".."):  # another path
                continue
            check(operation, call(api, operation, {**known, parameter["name"]: text}), 404)


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if each.body], **by_id)
def test_bodies_that_break_a_rule(api, known, operation):
    broken = Maker(CONTRACT, 1).bad(operation.body, BODIES.get(operation.id, BODY))
    assert len(broken) > (3 if operation.id in BODIES else 80)
    for where, body in broken:
        answer = call(api, operation, known, content=json.dumps(body), headers={"Content-Type": "application/json"})
        assert answer.status_code == 400, (where, str(body)[:200], answer.text)
        check(operation, answer, 400)
    assert api.query("SELECT count(*) FROM actions")[0]["count"] == 1


@pytest.mark.parametrize("what", BAD_BODIES)
def test_bodies_that_are_none(api, known, what):
    headers = {"Content-Type": "application/json"}
    for operation in map(CONTRACT.operation, ("createAction", "putGroup")):
        check(operation, call(api, operation, known, content=BAD_BODIES[what], headers=headers), 400)


def test_media_types(api, known):
    operation = CONTRACT.operation("createAction")
    good = json.dumps(BODY).encode()
    for kind in ("text/plain", "application/xml", "application/json; charset=latin1", "multipart/form-data", "json", ""):
        check(operation, call(api, operation, known, content=good, headers={"Content-Type": kind}), 415)
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    check(operation, call(api, operation, known, content=good, headers=headers), 415)
    for kind in ("application/json", "application/json; charset=UTF-8"):
        check(operation, call(api, operation, known, content=good, headers={"Content-Type": kind}), 202)


def test_idempotency_keys(api, known):
    operation = CONTRACT.operation("createAction")
    for key in ("", "x" * 256, "a b", "a\tb", "\xe4".encode("latin1")):
        problem = check(operation, call(api, operation, known, headers={"Idempotency-Key": key}), 400)
        assert problem["type"] == "/problems/invalid-idempotency-key"
    with api.rest() as rest:
        check(operation, rest.post("/v1/actions", json=BODY), 400)
        headers = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
        check(operation, rest.post("/v1/actions", json=BODY, headers=headers), 400)
    first = call(api, operation, known, headers={"Idempotency-Key": "!~"})
    check(operation, first, 202)
    again = call(api, operation, known, headers={"Idempotency-Key": "!~"})
    assert (again.content, again.headers["location"]) == (first.content, first.headers["location"])
    other = call(api, operation, known, headers={"Idempotency-Key": "!~"}, json={**BODY, "payload": 2})
    assert check(operation, other, 422)["type"] == "/problems/idempotency-key-reused"


def test_sizes(api, known):
    operation = CONTRACT.operation("createAction")
    fits = "x" * (1024 * 1024 - 2000)
    check(operation, call(api, operation, known, json={**BODY, "payload": fits}), 202)
    problem = check(operation, call(api, operation, known, json={**BODY, "payload": "x" * (1024 * 1024)}), 413)
    assert problem["type"] == "/problems/too-large"
    problem = check(operation, call(api, operation, known, json={**BODY, "payload": "x" * (8 * 1024 * 1024)}), 413)
    assert problem["type"] == "/problems/body-too-large"
    longest = [f"{'d' * 120}-{number:05}" for number in range(10_000)]
    action = check(operation, call(api, operation, known, json={**BODY, "targets": {"client_ids": longest}}), 202)
    assert action["targets"] is None
    assert action["totals"] == {"unknown": 10_000}


@pytest.mark.parametrize("operation", OPERATIONS, **by_id)
def test_good_input_by_chance(api, known, operation):
    maker = Maker(CONTRACT, 2)
    for _ in range(25):
        query = {each["name"]: maker.good(each["schema"]) for each in operation.parameters_in("query")}
        for name in ("cursor", "group"):  # of which chance finds none that there is
            query.pop(name, None)
        options = {"json": maker.good(operation.body)} if operation.body else {}
        # A group or dry run that there is not, a selector that nobody matches, a group that was deleted just now.
        refusals = (404, 422) if operation.body or operation.method == "DELETE" else ()
        refusals += (409,) if operation.id == "createWebhook" else ()  # so many a tenant may have
        check(operation, call(api, operation, known, query=query, **options), 200, 201, 202, 204, *refusals)


@pytest.mark.parametrize("operation", OPERATIONS, **by_id)
def test_any_input_by_chance(api, known, operation):
    """Whatever comes: an answer that the contract has, and never a failure of ours."""
    maker = Maker(CONTRACT, 3)
    for _ in range(60):
        query = {each["name"]: maker.anything(each["schema"]) for each in operation.parameters_in("query")}
        query = {name: each if isinstance(each, (str, list)) else json.dumps(each) for name, each in query.items()}
        options = {}
        if operation.body:
            body = json.dumps(maker.anything(operation.body))
            options = {"content": body, "headers": {"Content-Type": "application/json"}}
        answer = call(api, operation, known, query=query, **options)
        assert answer.status_code < 500, (query, options, answer.text)
        assert CONTRACT.faults(operation, answer) == []


@pytest.mark.parametrize("operation", GETS, **by_id)
def test_head_is_get_without_its_body(api, known, operation):
    get = call(api, operation, known)
    with api.rest() as rest:
        head = rest.head(path_of(operation, known))
    assert head.status_code == 200
    assert head.content == b""
    for name in ("content-type", "content-length"):
        assert head.headers.get(name) == get.headers.get(name)


@pytest.mark.parametrize("operation", OPERATIONS, **by_id)
def test_other_methods(api, known, operation):
    path = path_of(operation, known)
    with api.rest() as rest:
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - {each.method for each in OPERATIONS if each.path == operation.path}:
            answer = rest.request(method, path)
            assert answer.status_code == 405, (method, answer.text)
            assert operation.method in answer.headers["allow"]
        assert rest.options(path).status_code == 204


def test_paths_that_are_none(api):
    with api.rest() as rest:
        for path in ("/", "/v1", "/v1/", "/v2/connections", "/v1/connections/", "/v1/actions/x/y/z", "/openapi.json", "/metrics"):
            answer = rest.get(path)
            assert answer.status_code == 404, path
            assert answer.headers["content-type"] == "application/problem+json"


def test_the_document_is_served_as_it_is(api):
    answer = api.get("/openapi.yaml", token="")
    assert answer.status_code == 200
    assert answer.content == FILE.read_bytes()


def test_request_ids(api):
    with api.rest() as rest:
        assert rest.get("/v1/connections", headers={"X-Request-Id": "abc-1"}).headers["x-request-id"] == "abc-1"
        first, second = (rest.get("/v1/connections").headers["x-request-id"] for _ in range(2))
        assert first != second


@pytest.mark.parametrize("operation", GUARDED, **by_id)
def test_a_database_that_is_away(api, known, operation):
    """503 with Retry-After: never 404, never "offline"."""
    api.postgres_link.cut()
    problem = check(operation, call(api, operation, known), 503)
    assert problem["type"] == "/problems/unavailable"
