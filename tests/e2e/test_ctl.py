"""The operator's command line on the real stack."""

import json
import os
import pty
import subprocess
import threading

import pytest
from harness import messages, wait
from heliograph_local.settings import ROOT


class Ctl:
    """Runs `heliograph` with the addresses of stack.env. Threads: any thread."""

    def __init__(self, stack):
        self._program = str(stack.settings.programs / "heliograph")
        self._environment = {**os.environ, **stack.variables}

    def __call__(self, *arguments, stdin: str = "", **environment) -> subprocess.CompletedProcess:
        return subprocess.run(
            [self._program, *map(str, arguments)], input=stdin, env={**self._environment, **environment},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    def json(self, *arguments, **options):
        ended = self(*arguments, "--json", **options)
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)


@pytest.fixture(name="ctl")
def _ctl(stack):
    return Ctl(stack)


@pytest.fixture(name="device")
def _device(stack, client_id):
    with stack.device(client_id) as device:
        device.will(stack.topic(client_id, "control", "out"), messages.last_will("s-1"))
        device.connect()
        device.subscribe(stack.topic(client_id, "data", "in"))
        online = messages.online("s-1", tags={"ctl": client_id}, client_version="1.\x1b[31mred", canonical_facts={"a": 1})
        device.publish(stack.topic(client_id, "control", "out"), online)
        wait.until(lambda: stack.connection(client_id).get("tenant") == "demo", "online, and somebody's")
        yield device


def test_list_and_show(ctl, device, client_id):
    assert device
    ended = ctl("connections", "list", "--tag", f"ctl:{client_id}")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[0].split() == ["CLIENT", "ID", "TENANT", "STATE", "SINCE", "REASON", "LAST", "SEEN", "VERSION"]
    assert [line.split()[:3] for line in ended.stdout.splitlines()[1:]] == [[client_id, "demo", "online"]]
    assert "\x1b" not in ended.stdout, "what a device says does not steer the terminal"
    listed = ctl.json("connections", "list", "--prefix", client_id, "--state", "online")
    assert [item["client_id"] for item in listed["items"]] == [client_id]
    assert ctl.json("connections", "list", "--prefix", client_id, "--state", "offline")["items"] == []

    shown = ctl("connections", "show", client_id)
    assert f"client_id: {client_id}" in shown.stdout and '"a": 1' in shown.stdout
    assert "\x1b" not in shown.stdout
    assert ctl.json("connections", "show", client_id)["intervals"][0]["online_until"] is None


def test_all_pages(stack, ctl, client_id):
    names = [f"{client_id}-{n}" for n in range(5)]
    for name in names:
        with stack.device(name).connect() as device:
            device.publish(stack.topic(name, "control", "out"), messages.online())
    wait.until(lambda: all(stack.connection(name) for name in names), "all are known")
    paged = ctl.json("connections", "list", "--prefix", client_id, "--limit", "2", "--all")
    assert [item["client_id"] for item in paged["items"]] == names
    assert paged["next"] is None
    first = ctl.json("connections", "list", "--prefix", client_id, "--limit", "2")
    assert [item["client_id"] for item in first["items"]] == names[:2]
    assert first["next"]
    assert "--all" in ctl("connections", "list", "--prefix", client_id, "--limit", "2").stderr


def answer(stack, device, client_id: str, **metadata) -> threading.Thread:
    """Answers the next action, in a thread of its own."""

    def run():
        action = json.loads(device.next_message(30).payload)
        reply = messages.data("x", action["content"], response_to=action["message_id"], metadata=metadata)
        device.publish(stack.topic(client_id, "data", "out"), reply)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_send_and_wait(stack, ctl, device, client_id):
    thread = answer(stack, device, client_id)
    action = ctl.json("send", client_id, "-d", "x", "-f", "-", "-m", "who=me", "--wait", "30", stdin='{"n": 1}')
    thread.join()
    target = action["targets"][0]
    assert (target["status"], target["result"]["content"]) == ("succeeded", {"n": 1})
    assert action["metadata"] == {"who": "me"}


def test_send_ends_with_one_when_the_device_failed(stack, ctl, device, client_id):
    thread = answer(stack, device, client_id, status="failed", reason="no wind")
    ended = ctl("send", client_id, "-d", "x", "-p", "1", "--wait", "30")
    thread.join()
    assert ended.returncode == 1
    assert "failed" in ended.stdout and "no wind" in ended.stdout


def test_send_without_waiting(ctl, device, client_id):
    ended = ctl("send", client_id, "-d", "x", "--text", "-p", "not json")
    assert ended.returncode == 0 and "published" in ended.stdout
    assert json.loads(device.next_message().payload)["content"] == "not json"


def test_list_show_and_cancel_actions(ctl, device, client_id):
    assert device
    sent = ctl.json("action", "send", client_id, "-d", f"d.{client_id}", "-p", "1", "--ttl", "60")
    assert ctl.json("action", "list", "--directive", f"d.{client_id}")["items"][0]["action_id"] == sent["action_id"]
    table = ctl("action", "list", "--directive", f"d.{client_id}").stdout.splitlines()
    assert table[0].split()[:2] == ["ACTION", "ID"] and table[1].split()[0] == sent["action_id"]
    assert ctl.json("action", "show", sent["action_id"])["targets"][0]["status"] == "published"
    ended = ctl("action", "cancel", sent["action_id"])
    assert ended.returncode == 0 and "cancelled" in ended.stdout and "after_sending" in ended.stdout
    assert ctl("action", "show", "01a1fc62-c055-7048-8610-74a05baaca77").returncode == 1


def test_watch_an_action_until_it_ends(stack, ctl, device, client_id):
    thread = answer(stack, device, client_id)
    terminal, its_side = pty.openpty()
    sent = json.loads(ctl("action", "send", client_id, f"{client_id}-away", "-d", "x", "-p", "1", "--json").stdout)
    command = [ctl._program, "action", "watch", sent["action_id"], "--interval", "0.2"]
    process = subprocess.Popen(command, stdout=its_side, stderr=its_side, env=ctl._environment)
    os.close(its_side)
    seen = bytearray()
    try:
        while chunk := _read(terminal):
            seen.extend(chunk)
        assert process.wait(timeout=30) == 1, "one is unknown"
    finally:
        process.kill()
        os.close(terminal)
    thread.join()
    text = seen.decode()
    assert "2 of 2 ended" in text and "succeeded 1, unknown 1" in text and "[" + "#" * 30 + "] 100 %" in text
    plain = ctl("action", "watch", sent["action_id"])
    assert plain.returncode == 1 and "100 %" in plain.stderr and client_id in plain.stdout


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # the other side is closed
        return b""


def test_dead_letters(ctl, client_id):
    names = [f"{client_id}-{n}" for n in range(3)]
    sent = json.loads(ctl("action", "send", *names, "-d", "x", "-p", "1", "--json").stdout)["action_id"]
    letters = ctl.json("dead-letters", "list", "--action", sent, "--state", "open")["items"]
    assert sorted(one["client_id"] for one in letters) == names
    shown = ctl("dead-letters", "show", letters[0]["dead_letter_id"])
    assert shown.returncode == 0 and "reason: no_such_device" in shown.stdout
    gone = ctl("dead-letters", "discard", letters[0]["dead_letter_id"], "--note", "a typing error")
    assert gone.returncode == 0 and "discarded" in gone.stdout
    ended = ctl("dead-letters", "replay", "--action", sent, "--ttl", "60")
    assert ended.returncode == 0 and ended.stdout.count("tried again as action") == 2
    assert {one["state"] for one in ctl.json("dead-letters", "list", "--action", sent)["items"]} == {"discarded", "replayed"}
    assert ctl("dead-letters", "replay", letters[0]["dead_letter_id"]).returncode != 0
    assert ctl("dead-letters", "replay").returncode == 2


def test_send_to_nobody(ctl):
    ended = ctl("send", "never-seen", "-d", "x")
    assert ended.returncode == 1 and "unknown" in ended.stdout


def test_send_to_more_devices_than_an_answer_lists(stack, ctl, device, client_id):
    """The verdict stands on the totals: nobody is known here but one."""
    nobody = [f"{client_id}-{number}" for number in range(1000)]
    thread = answer(stack, device, client_id)
    ended = ctl("send", client_id, *nobody, "-d", "x", "-p", "1", "--wait", "30")
    thread.join()
    assert ended.returncode == 1
    lines = [line.split() for line in ended.stdout.splitlines()]
    assert ["succeeded", "1"] in lines and ["unknown", "1000"] in lines, "it has waited for the one that answers"
    assert "/targets" in ended.stdout and "not every target has ended" not in ended.stderr


def test_send_waits_no_longer_than_told(ctl, device, client_id):
    assert device
    ended = ctl("send", client_id, "-d", "x", "--wait", "0.2")
    assert ended.returncode == 1
    assert "published" in ended.stdout and "not every target has ended" in ended.stderr


def test_the_same_key_again_sends_once(ctl, device, client_id):
    arguments = ("send", client_id, "-d", "x", "-p", "1", "--idempotency-key", client_id)
    assert ctl.json(*arguments)["action_id"] == ctl.json(*arguments)["action_id"]
    device.next_message()
    assert ctl("send", client_id, "-d", "x", "-p", "2", "--idempotency-key", client_id).returncode == 2
    ctl("send", client_id, "-d", "after")
    assert json.loads(device.next_message().payload)["directive"] == "after"


def test_exit_codes_and_what_to_do_next(ctl, tmp_path):
    gone = ctl("connections", "list", "--api-url", "http://127.0.0.1:1")
    assert gone.returncode == 3 and "HELIOGRAPH_API_URL" in gone.stderr
    wrong = ctl("connections", "list", HELIOGRAPH_TOKEN="hg_wrong")
    assert wrong.returncode == 4 and "--token-file" in wrong.stderr
    assert ctl("connections", "list", HELIOGRAPH_TOKEN="").returncode == 4
    missing = ctl("connections", "show", "never-seen")
    assert missing.returncode == 1 and "404" in missing.stderr
    assert ctl("connections", "list", "--state", "asleep").returncode == 2
    token = tmp_path / "token"
    token.write_text(ctl._environment["HELIOGRAPH_TOKEN"] + "\n")
    assert ctl("connections", "list", "--token-file", token, HELIOGRAPH_TOKEN="hg_wrong").returncode == 0


def test_schema_and_topics_are_as_they_should_be(stack, ctl):
    status = ctl("migrate", "status", "--migrations", ROOT / "migrations")
    assert status.returncode == 0, status.stderr
    files = [file.name.split("_", 1) for file in sorted((ROOT / "migrations").glob("*.up.sql"))]
    wanted = [[str(int(number)), name.removesuffix(".up.sql"), "applied"] for number, name in files]
    assert [line.split()[:3] for line in status.stdout.splitlines()[1:]] == wanted
    topics = [f"--topic={name}:{stack.settings.partitions}:1" for name in ("device.control", "device.data")]
    checked = ctl("topics", "check", *topics)
    assert (checked.returncode, checked.stdout) == (0, "every topic is there and is as it should be\n"), checked.stderr
    other = ctl("topics", "check", "--topic=device.control:7:1")
    assert other.returncode == 0, "it works, if not as it was meant"
    assert other.stdout.startswith("warning: topic device.control has 3 partitions, configured are 7"), other.stdout
    small = ctl("topics", "check", *topics, "--max-packet-bytes", stack.settings.max_packet_bytes + 1)
    assert small.returncode == 1
    assert small.stdout.count("fault: ") == len(topics) and "max.message.bytes" in small.stdout, small.stdout
    missing = ctl("topics", "check", "--topic=no.such.topic:1:1")
    assert missing.returncode == 1 and "fault: " in missing.stdout and "no.such.topic" in missing.stdout
    away = ctl("migrate", "status", "--migrations", ROOT / "migrations", "--postgres", "host=127.0.0.1 port=1")
    assert away.returncode == 3 and "refused" in away.stderr.lower(), away.stderr


def test_watch_redraws_a_terminal_and_survives_an_outage(stack, ctl, device, client_id):
    assert device
    terminal, its_side = pty.openpty()
    command = [ctl._program, "connections", "list", "--prefix", client_id, "--watch", "0.2"]
    process = subprocess.Popen(command, stdout=its_side, stderr=its_side, env=ctl._environment)
    seen = bytearray()

    def draws(what: bytes) -> bool:
        seen.extend(os.read(terminal, 65536))
        return seen.count(b"\x1b[2J") >= 2 and what in seen

    try:
        wait.until(lambda: draws(client_id.encode()), "the table is drawn")
        stack.api.kill()
        wait.until(lambda: draws(b"Failed to connect"), "the outage is shown")
        stack.api.start()
        stack.api.wait()
        seen.clear()
        wait.until(lambda: draws(client_id.encode()), "the table is back")
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()
        os.close(terminal)
        os.close(its_side)


def test_watch_wants_a_terminal(ctl):
    assert ctl("connections", "list", "--watch", "1").returncode == 2
