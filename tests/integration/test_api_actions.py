"""The whole path of an action through heliograph-api: a real broker, a real database, and both taken away."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from harness.api_alone import ApiAlone, TOKENS, running, write_tokens
from harness.metrics import parse
from harness.wait import until

SECONDS = 1.5  # publish_timeout


@pytest.fixture(scope="module", name="api")
def _api(servers, tmp_path_factory):
    with running(servers, tmp_path_factory.mktemp("api"), publish_timeout_ms=int(SECONDS * 1000)) as api:
        yield api


@pytest.fixture(autouse=True)
def _rows(api):
    api.restore()
    for name in ("device-1", "device-2"):
        api.add_connection(name)
    api.add_connection("away", "offline")
    api.add_connection("theirs", "online", "rival")


def statuses(answer) -> dict:
    assert answer.status_code in (200, 202), answer.text
    return {each["client_id"]: each["status"] for each in answer.json()["targets"]}


def reasons(answer) -> dict:
    return {each["client_id"]: each["reason"] for each in answer.json()["targets"]}


def test_an_action_reaches_its_device(api):
    with api.device("device-1") as device:
        answer = api.post(
            ["device-1", "device-2", "away", "theirs", "never"], token="acme-token", key="k",
            directive="solar.configure", payload={"limit_w": 4000, "text": "ü & <"}, metadata={"ticket": "T-1"},
        )  # fmt: skip
        message = device.next_message()
    assert statuses(answer) == {
        "device-1": "published", "device-2": "undeliverable", "away": "offline", "theirs": "unknown", "never": "unknown",
    }  # fmt: skip
    assert reasons(answer)["device-2"] == "no_matching_subscribers", "it is online in the database, but has no session"
    action = answer.json()
    assert answer.headers["location"] == "/v1/actions/" + action["action_id"]
    assert message.topic == api.servers.settings.topic_prefix + "/device-1/data/in"
    assert (message.qos, message.retain) == (1, False)
    assert 3590 <= message.properties.MessageExpiryInterval <= 3600, "an hour unless said otherwise"
    assert "ü & <" in message.payload.decode(), "written as it is, not escaped"
    sent = json.loads(message.payload)
    assert sent.pop("sent")
    assert sent["metadata"].pop("heliograph.deadline") == action["deadline"]
    assert sent == {
        "type": "data", "message_id": action["action_id"], "response_to": "", "version": 1,
        "directive": "solar.configure", "metadata": {"ticket": "T-1"}, "content": {"limit_w": 4000, "text": "ü & <"},
    }  # fmt: skip
    stored = api.get(answer.headers["location"], "acme-token")
    assert stored.json() == action
    assert action["totals"] == {"published": 1, "undeliverable": 1, "offline": 1, "unknown": 2}
    assert (action["requested_by"], action["tenant"]) == ("acme", "acme")


def test_nobody_waits_beyond_the_deadline(api):
    with api.device("device-1") as device:
        answer = api.post(["device-1", "device-2"], token="acme-token", key="k", ttl_s=2)
        begin = time.monotonic()
        message = device.next_message()
    assert message.properties.MessageExpiryInterval <= 2
    assert statuses(answer) == {"device-1": "published", "device-2": "undeliverable"}
    path = answer.headers["location"]
    until(lambda: statuses(api.get(path, "acme-token"))["device-1"] == "expired", "the target expired", 7)
    assert time.monotonic() - begin > 1.9
    assert reasons(api.get(path, "acme-token")) == {"device-1": "no_answer", "device-2": "no_matching_subscribers"}


def test_a_deadline_that_has_passed(api):
    answer = api.post(["device-1"], token="acme-token", key="k", deadline="2026-01-01T00:00:00Z")
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/invalid-body"), answer.text
    assert "passed" in answer.text and "/deadline" in answer.text
    assert api.post(["device-1"], token="acme-token", key="k").status_code == 202, "the key is free"


def test_cancelling(api):
    with api.device("device-1"):
        answer = api.post(["device-1", "away"], token="acme-token", key="k")
        path = answer.headers["location"]
        with api.rest("rival-token") as rest:
            assert rest.post(path + "/cancel").status_code == 404
        assert statuses(api.get(path)) == {"device-1": "published", "away": "offline"}
        with api.rest("acme-token") as rest:
            cancelled = rest.post(path + "/cancel")
            assert statuses(cancelled) == {"device-1": "cancelled", "away": "offline"}
            assert reasons(cancelled)["device-1"] == "after_sending"
            assert rest.post(path + "/cancel").json() == cancelled.json(), "twice is once"
    assert api.get(path).json() == cancelled.json()
    assert api.post(["device-1", "away"], token="acme-token", key="k").json() == answer.json(), "a repeat is told what it was told"


def test_lists_of_actions(api):
    for number in range(5):
        api.post(["away"], token="acme-token", key=f"k{number}", directive="d.even" if number % 2 == 0 else "d.odd")
    api.post(["away"], key="k", directive="d.odd")

    def listed(token="acme-token", **query) -> list:
        items, next_page = [], None
        while True:
            page = api.get("/v1/actions", token, params={**query, **({"cursor": next_page} if next_page else {})}).json()
            items += page["items"]
            next_page = page["next"]
            if not next_page:
                return items

    own = listed()
    assert len(own) == 5 and {each["tenant"] for each in own} == {"acme"}
    assert [each["created_at"] for each in own] == sorted((each["created_at"] for each in own), reverse=True)
    assert listed(limit=2) == own, "pages fit together"
    assert len(listed(directive="d.even")) == 3
    assert len(listed(directive="d.odd", limit=1)) == 2
    assert listed(requested_by="nobody") == []
    assert len(listed("operator-token")) == 6
    assert len(listed("operator-token", tenant="acme", requested_by="acme")) == 5
    assert listed(created_from=own[1]["created_at"]) == own[:2]
    assert listed(created_before=own[1]["created_at"]) == own[2:]
    assert listed("rival-token") == []
    assert api.get("/v1/actions", "acme-token", params={"tenant": "acme"}).status_code == 400


def test_results_are_told(api):
    with api.device("device-1"):
        action = api.post(["device-1"]).json()
    api.query(
        "UPDATE action_targets SET status = 'succeeded', result_content = %s, result_metadata = %s,"
        " result_received_at = '2026-11-21T02:29:54Z'",
        '{"deep": [1, "\\u0000"]}', '{"status": "succeeded"}',
    )  # fmt: skip
    target = api.get(f"/v1/actions/{action['action_id']}").json()["targets"][0]
    assert target["status"] == "succeeded"
    assert target["result"] == {
        "content": {"deep": [1, "\0"]}, "metadata": {"status": "succeeded"},
        "received_at": "2026-11-21T02:29:54.000000Z", "late": False,
    }  # fmt: skip
    assert api.get(f"/v1/actions/{action['action_id']}/targets/device-1").json() == target


def test_an_operators_action_is_nobody_elses(api):
    action = api.post(["device-1", "theirs"]).json()
    assert action["tenant"] is None
    for token in ("acme-token", "rival-token"):
        assert api.get(f"/v1/actions/{action['action_id']}", token).status_code == 404


def test_keys_are_each_tenants_own(api):
    answers = [api.post(["device-1"], key="same", token=token) for token in ("acme-token", "rival-token", "operator-token")]
    assert [each.status_code for each in answers] == [202, 202, 202]
    assert len({each.json()["action_id"] for each in answers}) == 3


def test_ten_thousand_targets(api):
    api.query(
        "INSERT INTO connections (client_id, tenant, state, since, last_seen, log_generation, log_partition, log_offset)"
        " SELECT 'many-' || n, 'acme', CASE WHEN n % 2 = 0 THEN 'online' ELSE 'offline' END, now(), now(), 1, 0, n"
        " FROM generate_series(1, 9999) AS n"
    )
    with api.device("device-1"):
        answer = api.post(["device-1", *(f"many-{n}" for n in range(1, 10_000))])
    assert answer.status_code == 202, answer.text
    assert answer.json()["targets"] is None
    assert answer.json()["totals"] == {"published": 1, "offline": 5000, "undeliverable": 4999}
    path = answer.headers["location"] + "/targets"
    seen, query = [], {"limit": 1000, "status": "undeliverable"}
    while True:
        page = api.get(path, params=query).json()
        seen += page["items"]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert len({each["client_id"] for each in seen}) == len(seen) == 4999
    assert {each["reason"] for each in seen} == {"no_matching_subscribers"}


def test_fifty_equal_requests_at_once_are_one_action(api):
    with api.device("device-1") as device, ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: api.post(["device-1"], key="one"), range(50)))
        device.next_message()
        assert {each.status_code for each in answers} == {202}
        assert len({each.content for each in answers}) == 1
        assert device.messages.empty()
    assert api.query("SELECT count(*) FROM actions")[0]["count"] == 1


def test_many_at_once_are_told_each_its_own(api):
    """Requests that share transactions: no answer, target or payload of a neighbour; each key once."""
    keys = [f"key-{n}" for n in range(100)]

    def post(key: str):
        ids = ["device-1", "away"] if int(key[4:]) % 2 else ["device-1", "theirs"]
        return api.post(ids, key=key, token="acme-token", payload={"key": key})

    with api.device("device-1") as device, ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(post, keys * 2))
        heard = [json.loads(device.next_message().payload) for _ in keys]
        assert device.messages.empty()
    actions = {}
    for key, answer in zip(keys * 2, answers):
        expected = {"device-1": "published", "away": "offline"} if int(key[4:]) % 2 else {"device-1": "published", "theirs": "unknown"}
        assert statuses(answer) == expected
        assert answer.json()["payload"] == {"key": key}
        assert actions.setdefault(key, answer.content) == answer.content, "twins are told the same"
    assert len({json.loads(each)["action_id"] for each in actions.values()}) == len(keys)
    assert {each["message_id"]: each["content"] for each in heard} == {
        json.loads(content)["action_id"]: {"key": key} for key, content in actions.items()
    }
    for content in list(actions.values())[:10]:
        assert api.get(f"/v1/actions/{json.loads(content)['action_id']}", "acme-token").json() == json.loads(content)


def test_one_that_waits_for_a_lock_does_not_fail_its_neighbours(api):
    """Somebody else holds its key and does not let go: only this one is told to come again."""
    with api.holding("INSERT INTO idempotency_keys VALUES ('', 'held', 'hash', gen_random_uuid(), now(), now())"):
        with ThreadPoolExecutor(21) as pool:
            held = pool.submit(api.post, ["away"], "held")
            others = list(pool.map(lambda n: api.post(["away"], key=f"free-{n}"), range(20)))
            assert held.result().status_code == 503
    assert [each.status_code for each in others] == [202] * 20
    assert api.post(["away"], key="held").status_code == 202, "nothing of it was stored"


def test_a_database_that_goes_away_amid_many(api):
    """Each is told the truth: an action that is stored, or 503. Whatever a repeat finds, no device hears an action twice."""
    keys = [f"key-{n}" for n in range(300)]
    first, heard = {}, []

    def post(key: str) -> None:
        first[key] = api.post(["device-1"], key=key)
        if len(first) == 100:
            api.postgres_link.cut()

    def post_again(key: str):
        """What was stored without our hearing of it is ended when its lease is over; few may wait for that at a time."""
        return until(lambda: answer if (answer := api.post(["device-1"], key=key)).status_code == 202 else None, key, 60)

    def hears_all(ids: set) -> bool:
        while not device.messages.empty():
            heard.append(json.loads(device.next_message().payload)["message_id"])
        return ids <= set(heard)

    with api.device("device-1") as device, ThreadPoolExecutor(50) as pool:
        list(pool.map(post, keys))
        api.postgres_link.restore()
        until(lambda: api.ready()[0] == 200, "ready again", 5)
        again = dict(zip(keys, pool.map(post_again, keys)))
        published = {each.json()["action_id"] for each in again.values() if statuses(each) == {"device-1": "published"}}
        until(lambda: hears_all(published), "what is called published was published")
    assert len(heard) == len(set(heard))
    assert {each.status_code for each in first.values()} == {202, 503}
    for key in keys:
        if first[key].status_code == 202:
            assert again[key].content == first[key].content, "the answer that was given stands"
    rows = api.query("SELECT status, count(*) FROM action_targets GROUP BY 1")
    assert {row["status"] for row in rows} <= {"published", "queued"}
    assert sum(row["count"] for row in rows) == len(keys)


def test_a_twin_waits_for_the_first(api):
    """Through a silent broker, so that the first takes its full time."""
    api.broker_link.silence()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(api.post, ["device-1"], "slow")
        until(lambda: api.query("SELECT 1 FROM idempotency_keys"), "the first is stored")
        begin = time.monotonic()
        twin = pool.submit(api.post, ["device-1"], "slow")
        assert twin.result().content == first.result().content
        assert time.monotonic() - begin < SECONDS + 2
    assert reasons(first.result()) == {"device-1": "not_acknowledged"}


def test_a_broker_that_is_away(api):
    """503 for what needs it, and nothing stored; what does not need it is answered."""
    before = api.post(["away"], key="before")
    api.broker_link.cut()
    status, dependencies = until(lambda: api.ready() if api.ready()[0] == 503 else None, "not ready", 5)
    assert not dependencies["mqtt"]["ready"] and dependencies["mqtt"]["reason"]
    answer = api.post(["device-1"], key="k")
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert len(api.query("SELECT * FROM actions")) == 1
    assert api.get("/v1/connections/device-1").status_code == 200
    assert api.get(before.headers["location"]).status_code == 200
    assert api.post(["away"], key="before").content == before.content, "the answer is known without a broker"
    api.broker_link.restore()
    until(lambda: api.ready()[0] == 200, "ready again", 5)
    assert api.post(["device-1"], key="k").status_code == 202, "the key is free"


def test_a_silent_broker_does_not_starve_those_who_need_none(servers, tmp_path):
    """More actions than there are threads, each for a broker that acknowledges nothing for longer than all this takes."""
    api = ApiAlone(servers, tmp_path, publish_timeout_ms=8000)
    try:
        api.start()
        api.add_connection("device-1")
        with api.device("device-1"), ThreadPoolExecutor(100) as pool:
            api.broker_link.silence()
            posts = [pool.submit(api.post, ["device-1"]) for _ in range(100)]
            until(lambda: any(each.done() for each in posts), "some are refused")
            longest = 0.0
            for _ in range(20):
                begin = time.monotonic()
                assert api.get("/v1/connections/device-1").status_code == 200
                longest = max(longest, time.monotonic() - begin)
            assert longest < 4, "a thread was free while actions waited"
            assert not all(each.done() for each in posts), "or nothing was tried"
            answers = [each.result() for each in posts]
        refused = [each for each in answers if each.status_code == 503]
        assert refused and all(each.headers["retry-after"] for each in refused)
        assert {each.status_code for each in answers} == {202, 503}
        stored = len(api.query("SELECT 1 FROM actions"))
        assert stored == len(answers) - len(refused), "nothing is stored of what was refused"
        assert parse(api.admin("/metrics")[1]).value("heliograph_dispatch_crowded_out_total") == len(refused)
        api.broker_link.restore()
        until(lambda: api.ready()[0] == 200, "ready again", 60)
        until(lambda: api.post(["device-1"]).status_code == 202, "actions are taken again")
    finally:
        api.close()


def test_a_database_that_is_away(api):
    api.postgres_link.cut()
    until(lambda: api.ready()[0] == 503, "not ready", 5)
    assert api.ready()[1]["mqtt"]["ready"]
    answer = api.post(["device-1"], key="k")
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    api.postgres_link.restore()
    until(lambda: api.ready()[0] == 200, "ready again", 5)
    assert api.post(["device-1"], key="k").status_code == 202


def test_a_database_that_is_away_when_the_deadline_passes(api):
    with api.device("device-1"):
        path = api.post(["device-1"], key="k", ttl_s=2).headers["location"]
    api.postgres_link.cut()
    time.sleep(3)
    api.postgres_link.restore()
    until(lambda: api.ready()[0] == 200, "ready again", 5)
    until(lambda: statuses(api.get(path)) == {"device-1": "expired"}, "the target expired", 5)


def test_a_database_that_is_silent(api):
    """Answered within the limits, and whole again without a restart."""
    api.postgres_link.silence()
    begin = time.monotonic()
    assert api.get("/v1/connections/device-1").status_code == 503
    assert time.monotonic() - begin < 10
    until(lambda: api.ready()[0] == 503, "not ready", 15)
    api.postgres_link.restore()
    until(lambda: api.ready()[0] == 200, "ready again", 5)
    assert api.get("/v1/connections/device-1").status_code == 200


def test_a_database_that_goes_away_between_storing_and_the_outcome(api):
    """The answer is what was reached; it is stored when the database is back."""
    api.broker_link.silence()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(api.post, ["device-1"], "k")
        until(lambda: api.query("SELECT 1 FROM actions"), "stored")
        api.postgres_link.cut()
        answer = running.result()
    assert statuses(answer) == {"device-1": "queued"}
    assert reasons(answer) == {"device-1": "not_acknowledged"}
    assert api.query("SELECT status FROM action_targets")[0]["status"] == "accepted"
    api.postgres_link.restore()
    row = until(lambda: api.query("SELECT * FROM action_targets WHERE status <> 'accepted'"), "stored late", 5)[0]
    assert (row["status"], row["reason"]) == ("queued", "not_acknowledged")
    assert api.post(["device-1"], key="k").content == answer.content


def test_a_killed_process_leaves_no_target_open(api):
    api.broker_link.silence()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(api.post, ["device-1"], "k")
        until(lambda: api.query("SELECT 1 FROM actions"), "stored")
        api.kill()
        with pytest.raises(Exception):
            running.result()
    api.broker_link.restore()
    api.start()
    with api.device("device-1") as device:
        begin = time.monotonic()
        answer = api.post(["device-1"], key="k")
        assert statuses(answer) == {"device-1": "queued"}
        assert reasons(answer) == {"device-1": "dispatcher_ended"}
        assert json.loads(device.next_message(15).payload)["message_id"] == answer.json()["action_id"]
        assert time.monotonic() - begin < 15
    until(lambda: statuses(api.get(answer.headers["location"])) == {"device-1": "published"}, "told")


def test_a_twin_at_another_replica(api, servers, tmp_path):
    other = ApiAlone(servers, tmp_path, publish_timeout_ms=int(SECONDS * 1000))
    other.database = api.database
    try:
        other.start()
        api.broker_link.silence()
        with ThreadPoolExecutor(2) as pool:
            first = pool.submit(api.post, ["device-1"], "k")
            until(lambda: api.query("SELECT 1 FROM idempotency_keys"), "the first is stored")
            twin = pool.submit(other.post, ["device-1"], "k")
            assert twin.result().content == first.result().content
    finally:
        other.close()
    assert api.query("SELECT count(*) FROM actions")[0]["count"] == 1


def test_tokens_come_and_go_without_a_restart(api):
    write_tokens(api.tokens_file, {**TOKENS, "new-token": (None, ["connections:read"])})
    until(lambda: api.get("/v1/connections", "new-token").status_code == 200, "the new token counts", 5)
    write_tokens(api.tokens_file, TOKENS)
    until(lambda: api.get("/v1/connections", "new-token").status_code == 401, "it counts no more", 5)
    api.tokens_file.write_text("tokens: nonsense")

    def is_good() -> float:
        assert api.get("/v1/connections").status_code == 200, "the last good one counts"
        return parse(api.admin("/metrics")[1]).value("heliograph_auth_tokens_file_good")

    until(lambda: is_good() == 0, "it is told", 5)
    assert "tokens file is bad" in api.log()


def test_what_is_counted(api):
    def counted(name: str, **labels) -> float:
        metrics = parse(api.admin("/metrics")[1])
        return metrics.value(name, **labels) if metrics.has(name) else 0

    before = counted("heliograph_dispatch_actions_total")
    api.post(["away"], key="k")
    api.post(["away"], key="k")
    assert counted("heliograph_dispatch_actions_total") == before + 1
    assert counted("heliograph_dispatch_repeated_requests_total") >= 1
    assert counted("heliograph_dispatch_targets_total", status="offline") >= 1


def test_no_token_and_no_payload_is_ever_logged(api):
    api.post(["device-1"], payload="a payload nobody may read")
    assert "operator-token" not in api.log()
    assert "a payload nobody may read" not in api.log()


def test_while_it_drains_it_is_not_ready(api):
    """So that nobody is sent here any more, while what is under way gets its answer."""
    api.broker_link.silence()
    try:
        with ThreadPoolExecutor(2) as pool:
            running = pool.submit(api.post, ["device-1"], "k")
            until(lambda: api.query("SELECT 1 FROM actions"), "stored")
            ended = pool.submit(api.terminate)
            status, dependencies = until(lambda: (seen := api.ready())[0] != 200 and seen, "not ready", 5)
            assert status == 503, "it still answers"
            assert dependencies["process"] == {"ready": False, "reason": "ending"}
            assert statuses(running.result()) == {"device-1": "queued"}
            assert ended.result() == 0
    finally:
        api.broker_link.restore()
        api.start()


def test_who_is_ready_takes_requests(api):
    for _ in range(5):
        api.terminate()
        api.start(waits=False)
        until(lambda: api.ready()[1].get("http", {}).get("ready"), "it says so")
        assert api.get("/openapi.yaml").status_code == 200


def test_it_ends_when_asked(api):
    try:
        assert api.terminate() == 0
    finally:
        api.start()
