"""Who is online, as devices really come and go: by message, by last will, late, twice, without a word."""

import json
import uuid

import pytest
from harness import messages, wait


def state_of(stack, client_id: str) -> tuple:
    connection = stack.connection(client_id)
    return connection.get("state"), connection.get("reason")


def intervals(stack, client_id: str) -> list:
    """Oldest first."""
    with stack.rest() as rest:
        items = rest.get(f"/v1/connections/{client_id}/intervals").json()["items"]
    return sorted(items, key=lambda item: item["online_from"])


def connected(stack, client_id: str, session: str = "", will: bytes = b""):
    """A device that has said online."""
    device = stack.device(client_id)
    device.will(stack.topic(client_id, "control", "out"), will or messages.last_will(session))
    device.connect()
    device.publish(stack.topic(client_id, "control", "out"), messages.online(session))
    wait.until(lambda: state_of(stack, client_id)[0] == "online", f"{client_id} is online")
    return device


def seen(stack, client_id: str) -> str:
    return stack.connection(client_id).get("log_position", "")


def say_and_wait(stack, device, client_id: str, payload: bytes) -> None:
    """Returns when the recorder has applied it: the position in the log has moved."""
    before = seen(stack, client_id)
    device.publish(stack.topic(client_id, "control", "out"), payload)
    wait.until(lambda: seen(stack, client_id) != before, "the message was applied")


@pytest.mark.parametrize("session", ["s-1", ""], ids=["with a session id", "without"])
def test_off_line_by_its_last_will(stack, client_id, session):
    device = connected(stack, client_id, session)
    device.drop()
    wait.until(lambda: state_of(stack, client_id) == ("offline", "connection_lost"), "off line by will")
    assert [interval["reason"] for interval in intervals(stack, client_id)] == ["connection_lost"]


@pytest.mark.parametrize("session", ["s-1", ""], ids=["with a session id", "without"])
def test_off_line_by_its_word(stack, client_id, session):
    with connected(stack, client_id, session) as device:
        device.publish(stack.topic(client_id, "control", "out"), messages.offline(session))
        wait.until(lambda: state_of(stack, client_id) == ("offline", "said_offline"), "off line by its word")
        stay = intervals(stack, client_id)[0]
        assert stay["online_until"] >= stay["online_from"]


def test_a_late_will_of_an_older_session_takes_nobody_off_line(stack, client_id):
    with connected(stack, client_id, "s-1") as device:
        say_and_wait(stack, device, client_id, messages.online("s-2"))
        say_and_wait(stack, device, client_id, messages.last_will("s-1"))
        assert state_of(stack, client_id) == ("online", "said_online")
        stays = intervals(stack, client_id)
        assert [stay["reason"] for stay in stays] == ["superseded", None]
        assert stays[-1]["online_until"] is None


def test_a_will_of_its_own_session_after_a_late_one(stack, client_id):
    with connected(stack, client_id, "s-1") as device:
        say_and_wait(stack, device, client_id, messages.online("s-2"))
        say_and_wait(stack, device, client_id, messages.last_will("s-1"))
        say_and_wait(stack, device, client_id, messages.last_will("s-2"))
        assert state_of(stack, client_id) == ("offline", "connection_lost")


def test_an_unknown_session_ends_the_open_one(stack, client_id):
    """Its online was lost on the way: what is known is that the device is gone."""
    with connected(stack, client_id, "s-1") as device:
        say_and_wait(stack, device, client_id, messages.last_will("s-9"))
        assert state_of(stack, client_id)[0] == "offline"


def test_the_same_online_again_is_the_same_stay(stack, client_id):
    repeated = messages.online("s-1", client_version="1")
    with connected(stack, client_id, "s-0") as device:
        for _ in range(3):
            say_and_wait(stack, device, client_id, repeated)
        assert len(intervals(stack, client_id)) == 2
        say_and_wait(stack, device, client_id, messages.offline())
        say_and_wait(stack, device, client_id, repeated)
        assert state_of(stack, client_id)[0] == "online"
        assert len(intervals(stack, client_id)) == 2, "it reopens its stay"


def test_a_device_that_connects_again_while_its_old_connection_hangs(stack, client_id):
    """The broker throws the first connection out and publishes its will: whichever comes first, the device stays online."""
    first = connected(stack, client_id, "s-1")
    second = stack.device(client_id)
    second.will(stack.topic(client_id, "control", "out"), messages.last_will("s-2"))
    with second.connect():
        assert first.lost.wait(10), "the broker lets one connection have the name"
        say_and_wait(stack, second, client_id, messages.online("s-2"))
        wait.until(lambda: stack.connection(client_id)["session_id"] == "s-2", "the second session is the one")
        assert state_of(stack, client_id)[0] == "online"


def test_what_a_device_tells_of_itself(stack, client_id):
    facts = {"fqdn": "süd.example.org", "ip_addresses": ["192.0.2.1"], "nested": {"a": [1, 2.5, None]}}
    with connected(stack, client_id) as device:
        say_and_wait(
            stack, device, client_id,
            messages.online(
                "s-1", canonical_facts=facts, tags={"site": "north", "a:b": "c:d"}, dispatchers={"inverter": {"v": "2"}},
                client_name="solar", client_version="1.2",
            ),
        )  # fmt: skip
        connection = stack.connection(client_id)
        assert connection["canonical_facts"] == facts
        assert connection["tags"] == {"site": "north", "a:b": "c:d"}
        assert connection["dispatchers"] == {"inverter": {"v": "2"}}
        assert (connection["client_name"], connection["client_version"]) == ("solar", "1.2")
        with stack.rest() as rest:
            for query in ("tag=site:north", "dispatcher=inverter", f"client_id_prefix={client_id}"):
                items = rest.get(f"/v1/connections?{query}&limit=1000").json()["items"]
                assert client_id in [item["client_id"] for item in items], query
            items = rest.get(f"/v1/connections?tag=site:south&client_id_prefix={client_id}").json()["items"]
            assert items == []


def test_a_pong_is_a_sign_of_life_and_changes_nothing_else(stack, client_id):
    with connected(stack, client_id, "s-1") as device:
        before = stack.connection(client_id)
        say_and_wait(stack, device, client_id, messages.control("event", "pong", response_to=str(uuid.uuid4())))
        after = stack.connection(client_id)
        assert after["last_seen"] >= before["last_seen"]
        for field in ("state", "since", "reason", "session_id"):
            assert after[field] == before[field]


def test_every_change_is_an_event(stack, client_id):
    with connected(stack, client_id, "s-1") as device:
        say_and_wait(stack, device, client_id, messages.online("s-1", tags={"site": "north"}))
        say_and_wait(stack, device, client_id, messages.offline("s-1"))

    def events():
        records = [record for record in stack.records("connection.events") if record.key == client_id.encode()]
        return [json.loads(record.value) for record in records]

    wait.until(lambda: len(events()) >= 3, "three events")
    assert [event["type"] for event in events()] == [
        "heliograph.connection.online", "heliograph.connection.changed", "heliograph.connection.offline"
    ]  # fmt: skip
    assert all(event["specversion"] == "1.0" and event["subject"] == client_id for event in events())
    assert len({event["id"] for event in events()}) == 3
    assert events()[1]["data"]["tags"] == {"site": "north"}
    assert events()[2]["data"]["state"] == "offline"
