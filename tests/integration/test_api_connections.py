"""What heliograph-api tells of connections: filters, pages, and to whom."""

import pytest
from harness.api_alone import running


@pytest.fixture(scope="module", name="api")
def _api(servers, tmp_path_factory):
    with running(servers, tmp_path_factory.mktemp("api")) as api:
        yield api


@pytest.fixture(autouse=True)
def _rows(api):
    api.restore()
    api.add_connection("acme-1", "online")
    api.add_connection("acme-2", "offline")
    api.add_connection("rival-1", "online", "rival")
    api.add_connection("nobodys", "online", "")
    api.describe("acme-1", {"site": "north:1", "ring": "0"}, {"solar": {"v": "1"}})
    api.describe("rival-1", {"ring": "0"}, {"solar": {}, "other": {}})


def ids(api, token="operator-token", **query) -> list:
    answer = api.get("/v1/connections", token, params=query)
    assert answer.status_code == 200, answer.text
    return [each["client_id"] for each in answer.json()["items"]]


def test_each_tenant_sees_its_own_and_operators_all(api):
    assert ids(api) == ["acme-1", "acme-2", "nobodys", "rival-1"]
    assert ids(api, "acme-token") == ["acme-1", "acme-2"]
    assert ids(api, "rival-token") == ["rival-1"]
    assert ids(api, tenant="rival") == ["rival-1"]
    assert api.get("/v1/connections", "acme-token", params={"tenant": "rival"}).status_code == 400
    for name in ("rival-1", "nobodys", "never"):
        assert api.get(f"/v1/connections/{name}", "acme-token").status_code == 404
        assert api.get(f"/v1/connections/{name}/intervals", "acme-token").status_code == 404
    assert api.get("/v1/connections/nobodys").json()["tenant"] is None


def test_filters(api):
    assert ids(api, state="offline") == ["acme-2"]
    assert ids(api, state="unknown") == []
    assert ids(api, client_id_prefix="acme-") == ["acme-1", "acme-2"]
    assert ids(api, tag="site:north:1") == ["acme-1"]
    assert ids(api, tag=["ring:0", "site:north:1"]) == ["acme-1"]
    assert ids(api, tag="ring:1") == []
    assert ids(api, "rival-token", tag="ring:0") == ["rival-1"]
    assert ids(api, dispatcher="other") == ["rival-1"]
    assert ids(api, dispatcher="solar", state="online", client_id_prefix="r") == ["rival-1"]
    api.query("UPDATE connections SET last_seen = '2026-01-01T00:00:00Z' WHERE client_id = 'acme-2'")
    assert ids(api, seen_before="2026-01-01T00:00:01Z") == ["acme-2"]
    assert ids(api, seen_before="2026-01-01T02:00:00+02:00") == []


def test_the_fields_of_a_connection(api):
    connection = api.get("/v1/connections/acme-1").json()
    assert connection["state"] == "online"
    assert connection["reason"] == "said_online"
    assert connection["tags"] == {"site": "north:1", "ring": "0"}
    assert connection["dispatchers"] == {"solar": {"v": "1"}}
    assert connection["canonical_facts"] == {}
    assert connection["log_position"] == "0:7"
    assert connection["session_id"] is None


def test_pages_of_2500_rows(api):
    api.query(
        "INSERT INTO connections (client_id, tenant, state, since, last_seen, log_generation, log_partition, log_offset)"
        " SELECT 'page-' || n, 'acme', 'online', now(), now(), 1, 0, n FROM generate_series(1, 2500) AS n"
    )
    expected = [row["client_id"] for row in api.query("SELECT client_id FROM connections ORDER BY client_id")]
    assert len(expected) == 2504
    with api.rest() as rest:
        for limit in (1000, 313):
            seen, query = [], {"limit": limit}
            while True:
                page = rest.get("/v1/connections", params=query).json()
                assert len(page["items"]) <= limit
                seen += [each["client_id"] for each in page["items"]]
                if page["next"] is None:
                    break
                query["cursor"] = page["next"]
            assert seen == expected
    first = api.get("/v1/connections").json()
    assert len(first["items"]) == 100
    only_page = api.get("/v1/connections", params={"limit": 4, "client_id_prefix": "page-249"}).json()
    assert [each["client_id"] for each in only_page["items"]] == ["page-249", "page-2490", "page-2491", "page-2492"]


def test_a_page_ends_early_where_facts_are_large(api):
    """1,000 devices that tell a megabyte each must not be one answer of a gigabyte."""
    api.query(
        "INSERT INTO connections (client_id, tenant, state, since, last_seen, log_generation, log_partition, log_offset)"
        " SELECT 'large-' || n, 'acme', 'online', now(), now(), 1, 0, n FROM generate_series(100, 119) AS n"
    )
    api.query(
        "INSERT INTO connection_descriptions SELECT 'large-' || n, to_json(repeat(md5(n::text), 6000)), NULL, NULL"
        " FROM generate_series(100, 119) AS n"
    )
    seen, query, most = [], {"limit": 1000, "client_id_prefix": "large-"}, 0
    with api.rest() as rest:
        while True:
            answer = rest.get("/v1/connections", params=query)
            most = max(most, len(answer.content))
            seen += [each["client_id"] for each in answer.json()["items"]]
            if answer.json()["next"] is None:
                break
            query["cursor"] = answer.json()["next"]
    assert seen == [f"large-{n}" for n in range(100, 120)], "all of them, in order"
    assert most < 1024 * 1024


def test_the_last_page_says_so_also_when_it_is_full(api):
    page = api.get("/v1/connections", params={"limit": 4}).json()
    assert len(page["items"]) == 4
    assert page["next"] is None


def test_cursors_of_other_lists_are_refused(api):
    page = api.get("/v1/connections", params={"limit": 1}).json()
    answer = api.get("/v1/connections/acme-1/intervals", params={"cursor": page["next"]})
    assert answer.status_code == 400
    assert answer.json()["type"] == "/problems/invalid-cursor"


def test_intervals_from_the_newest(api):
    api.query(
        "INSERT INTO intervals (client_id, online_from, opened_generation, opened_partition, opened_offset, online_until,"
        " reason, session_id) SELECT 'acme-1', to_timestamp(1000 + n / 2), 1, 0, n, to_timestamp(2000), 'connection_lost',"
        " 's-' || n FROM generate_series(0, 8) AS n"
    )
    api.query("UPDATE intervals SET online_until = NULL, reason = NULL WHERE opened_offset = 8")
    seen, query = [], {"limit": 2}
    while True:
        page = api.get("/v1/connections/acme-1/intervals", "acme-token", params=query).json()
        seen += page["items"]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert [each["session_id"] for each in seen] == [f"s-{n}" for n in range(8, -1, -1)]
    assert (seen[0]["online_until"], seen[0]["reason"]) == (None, None)
    assert (seen[1]["online_until"], seen[1]["reason"]) == ("1970-01-01T00:33:20.000000Z", "connection_lost")
    assert api.get("/v1/connections/acme-2/intervals").json() == {"items": [], "next": None}
