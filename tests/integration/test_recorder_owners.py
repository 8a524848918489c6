"""heliograph-recorder asks a service who owns a device: it learns, and presence never waits for a service that is slow, wrong or away."""

import threading
import time
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from harness import certificates, messages, wait
from harness.http_service import HttpService
from harness.recorder_process import RecorderBench


class Owners:
    """What the service says: GET /owners/{client_id}?subject=... Threads: any."""

    def __init__(self):
        self.tenants = {}  # of others: 404
        self.default = None  # whose all others are
        self.delay = 0.0
        self.most_at_a_time = 0
        self._asking = 0
        self._lock = threading.Lock()

    def __call__(self, call):
        with self._lock:
            self._asking += 1
            self.most_at_a_time = max(self.most_at_a_time, self._asking)
        time.sleep(self.delay)
        tenant = self.tenants.get(asked_for(call), self.default)
        with self._lock:
            self._asking -= 1
        return (404, {}) if tenant is None else (200, {"tenant": tenant})


def asked_for(call) -> str:
    return unquote(urlsplit(call.path).path.removeprefix("/owners/"))


@pytest.fixture(name="owners")
def _owners():
    return Owners()


@pytest.fixture(name="service")
def _service(owners):
    service = HttpService(owners)
    yield service
    service.close()


@pytest.fixture(name="bench")
def _bench(servers, tmp_path):
    bench = RecorderBench(servers, tmp_path)
    yield bench
    bench.end()


def asking(bench, service, name="recorder", **overrides):
    """A recorder that asks the service, and is quick to ask again."""
    settings = {
        "OWNERS__RULES_FILE": "",
        "OWNERS__HTTP__URL": service.url + "/owners/{client_id}?subject={subject}",
        "OWNERS__HTTP__RETRY_S": 1,
        "OWNERS__HTTP__BREAKER_OPEN_S": 1,
        **{f"OWNERS__HTTP__{key}": value for key, value in overrides.items()},
    }
    return bench.recorder(name, **settings)


def say_online(bench, *client_ids: str) -> None:
    for client_id in client_ids:
        bench.say(client_id, messages.online("s-1"))


def tenants(bench, *client_ids: str) -> list:
    return [bench.connection(client_id).get("tenant") for client_id in client_ids]


def questions(recorder, result: str) -> float:
    return recorder.metric("heliograph_owner_questions_total", result=result)


def test_a_new_device_gets_its_owner_at_once(bench, service, owners):
    owners.tenants["pv:1"] = "north"
    recorder = asking(bench, service, WAIT_MS=2000).start().ready()
    say_online(bench, "pv:1", "pv-2")
    bench.wait_until_applied()
    assert tenants(bench, "pv:1", "pv-2") == ["north", None], "404 is nobody's"
    (call,) = [call for call in service.calls if asked_for(call) == "pv:1"]
    assert (call.method, urlsplit(call.path).path) == ("GET", "/owners/pv%3A1")
    assert parse_qs(urlsplit(call.path).query) == {"subject": ["CN=pv:1"]}
    bench.wait_until_published()
    told = {event["subject"]: event["data"]["tenant"] for event in bench.events()}
    assert told == {"pv:1": "north", "pv-2": None}, "the event has it, too"
    owners.tenants["pv-2"] = "south"
    wait.until(lambda: tenants(bench, "pv-2") == ["south"], "who was nobody's is asked about again", 20)
    assert questions(recorder, "owned") >= 2 and questions(recorder, "nobody") >= 1
    assert recorder.health()["dependencies"]["owners"] == {"ready": True, "reason": ""}


def test_an_answer_that_comes_too_late_is_taken_all_the_same(bench, service, owners):
    owners.default = "north"
    recorder = asking(bench, service, WAIT_MS=50, TIMEOUT_MS=10_000).start().ready()
    service.hold()
    say_online(bench, "pv-1")
    bench.wait_until_applied()
    assert tenants(bench, "pv-1") == [None] and bench.connection("pv-1")["state"] == "online"
    assert recorder.value("owners_unsettled") == 1
    service.release()
    wait.until(lambda: tenants(bench, "pv-1") == ["north"], "the owner is set", 20)
    assert [asked_for(call) for call in service.calls] == ["pv-1"], "asked once"
    wait.until(lambda: recorder.value("owners_unsettled") == 0, "nothing is left")
    assert bench.connection("pv-1")["state"] == "online"


@pytest.mark.parametrize("way", ["held", "broken"])
def test_presence_goes_on_while_the_service_does_not(bench, service, owners, way):
    owners.default = "north"
    recorder = asking(bench, service, TIMEOUT_MS=500, CACHE_S=1, CHECK_S=2).start().ready()
    say_online(bench, "known")
    bench.wait_until_applied()
    wait.until(lambda: tenants(bench, "known") == ["north"], "it has an owner", 20)
    if way == "held":
        service.hold()
    else:
        service.way = way
    wait.until(lambda: "fails" in recorder.reason("owners"), f"readiness tells: {recorder.health()}", 30)
    assert recorder.health()["ready"] and recorder.health()["dependencies"]["owners"]["ready"], "degraded, not unready"
    assert recorder.metric("heliograph_owner_service_good") == 0
    assert recorder.lines("the service that knows owners fails")
    say_online(bench, "new")
    bench.say("known", messages.last_will("s-1"))
    bench.wait_until_applied()
    assert (bench.connection("new")["state"], bench.connection("known")["state"]) == ("online", "offline")
    assert tenants(bench, "known", "new") == ["north", None], "no answer takes nothing away and gives nothing"
    service.answer = owners
    service.release()
    wait.until(lambda: tenants(bench, "new") == ["north"], "asked again", 30)
    wait.until(lambda: recorder.reason("owners") == "", "all is well again")
    assert recorder.lines("answers again")


def test_a_device_that_changes_hands_is_noticed(bench, service, owners):
    owners.tenants = {"sold": "north", "scrapped": "north", "stays": "north"}
    asking(bench, service, CACHE_S=1, CHECK_S=2).start().ready()
    say_online(bench, "sold", "scrapped", "stays")
    bench.wait_until_applied()
    wait.until(lambda: tenants(bench, "sold", "scrapped", "stays") == ["north"] * 3, "all have an owner", 20)
    owners.tenants = {"sold": "south", "stays": "north"}
    wait.until(lambda: tenants(bench, "sold", "scrapped", "stays") == ["south", None, "north"], "the rows follow", 30)


def test_a_restart_forgets_nobody(bench, service, owners):
    owners.default = "north"
    recorder = asking(bench, service, WAIT_MS=50).start().ready()
    service.hold()
    say_online(bench, *(f"pv-{number}" for number in range(50)))
    bench.wait_until_applied()
    recorder.kill()
    assert bench.query("SELECT count(*) AS n FROM connections WHERE tenant IS NULL")[0]["n"] == 50
    service.release()
    service.calls.clear()
    recorder.start().ready()
    wait.until(lambda: not bench.query("SELECT 1 FROM connections WHERE tenant IS NULL"), "all have an owner", 30)
    assert len(service.calls) <= 60, "and each is asked about once or so"


def test_a_thousand_new_devices_are_asked_about_a_few_at_a_time(bench, service, owners):
    owners.default = "north"
    owners.delay = 0.002
    recorder = asking(bench, service, MAX_CALLS=4).start().ready()
    names = [f"pv-{number}" for number in range(1000)]
    say_online(bench, *names)
    bench.wait_until_applied()
    wait.until(lambda: not bench.query("SELECT 1 FROM connections WHERE tenant IS DISTINCT FROM 'north'"), "all have one", 60)
    assert sorted(asked_for(call) for call in service.calls) == sorted(names), "each once"
    assert owners.most_at_a_time <= 4
    assert recorder.value("owners_changed_total") + questions(recorder, "owned") >= 1000
    assert len(bench.query("SELECT 1 FROM connections WHERE state = 'online'")) == 1000


def test_the_recorder_keeps_its_pace_while_the_service_hangs(bench, service):
    """As with a rules file, in the same run: the wait is a tenth of the time at most, and none once the service is left alone."""
    service.hold()

    def seconds(recorder, name: str) -> float:
        for number in range(20_000):
            bench.say(f"{name}-{number}", messages.online("s-1"))
        bench.flush()
        begin = time.monotonic()
        recorder.start()
        bench.wait_until_applied(seconds=180)
        taken = time.monotonic() - begin
        recorder.stop()
        return taken

    by_rules = seconds(bench.recorder(), "rules")  # one after the other, and by one name, as a restart is
    hanging = seconds(asking(bench, service, TIMEOUT_MS=2000), "hangs")
    assert bench.query("SELECT count(*) AS n FROM connections WHERE client_id LIKE 'hangs-%%' AND state = 'online'")[0]["n"] == 20_000
    # A tenth, and the first wait; and a busy machine.
    assert hanging < by_rules * 1.5 + 2, f"{hanging:.1f} s, by rules {by_rules:.1f} s"


def test_a_rebuild_keeps_what_the_service_said(bench, service, owners):
    owners.tenants = {"pv-1": "north"}
    recorder = asking(bench, service).start().ready()
    say_online(bench, "pv-1", "pv-2")
    bench.wait_until_applied()
    wait.until(lambda: tenants(bench, "pv-1") == ["north"], "it has an owner", 20)
    recorder.stop()
    bench.query("DELETE FROM connections WHERE client_id = 'pv-2'")
    bench.ctl("state", "rebuild", "--postgres", bench.database, "--kafka", bench.servers.settings.kafka_address,
              "--topic", bench.topics["control"])  # fmt: skip
    assert tenants(bench, "pv-1", "pv-2") == ["north", None]
    owners.tenants["pv-2"] = "south"
    recorder.start().ready()
    wait.until(lambda: tenants(bench, "pv-2") == ["south"], "who came back is asked about", 20)


def test_only_a_service_that_can_prove_its_name_is_believed(bench, owners):
    owners.default = "north"
    certs = bench.servers.settings.certs
    service = HttpService(owners, certificates.pair(certs, "broker"))
    try:
        stranger = asking(bench, service, CA_FILE=certs / "devices-ca.crt").start().ready()
        say_online(bench, "pv-1")
        bench.wait_until_applied()
        wait.until(lambda: questions(stranger, "unanswered") >= 1, "it was asked, in vain", 20)
        assert tenants(bench, "pv-1") == [None] and not service.calls, "nothing was said to it"
        stranger.stop()
        asking(bench, service, CA_FILE=certs / "ca.crt").start().ready()
        wait.until(lambda: tenants(bench, "pv-1") == ["north"], "it is believed", 20)
    finally:
        service.close()


def test_either_rules_or_a_service(bench, service):
    both = bench.recorder("both", OWNERS__HTTP__URL=service.url + "/{client_id}")
    neither = bench.recorder("neither", OWNERS__RULES_FILE="")
    for recorder, words in ((both, "exclude each other"), (neither, "no device has an owner")):
        recorder.start()
        wait.until(lambda recorder=recorder: not recorder.alive, "it ends")
        assert words in recorder.log()
