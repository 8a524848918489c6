"""Promise 8 at the broker: who gets in, as whom, and what each may say and hear. Real Mosquitto, real certificates.

Every forbidden thing is tried, and seen not to happen: the same client then does something allowed on the same connection,
and when that has arrived, the forbidden must have arrived before it or not at all."""

import itertools
import ssl
import socket
from datetime import datetime, timedelta, timezone

import paho.mqtt.client as paho
import pytest
from harness import broker as brokers
from harness import certificates
from harness.certificates import pair
from harness.mqtt import HOST, Refused
from harness.wait import until

CHANNELS = ("control", "data")
NOT_AUTHORIZED = 0x87


@pytest.fixture(name="broker", scope="module", params=["heliograph", "redhat/insights"])
def _broker(request):
    with brokers.running(request.param, ("device-1", "device-2", "x" * 128)) as broker:
        yield broker


@pytest.fixture(name="foreign", scope="module")
def _foreign(tmp_path_factory):
    """A site of its own, with the same names as ours."""
    folder = tmp_path_factory.mktemp("foreign")
    for arguments in (["ca"], ["service", "api"], ["device", "device-1"]):
        assert certificates.generate(*arguments, out=folder).returncode == 0
    return folder


@pytest.fixture(name="ingest")
def _ingest(broker):
    """Ingest's view: everything that devices say."""
    with broker.service_client("ingest", "@ingest") as client:
        client.subscribe(f"{broker.prefix}/+/control/out", f"{broker.prefix}/+/data/out")
        yield client


def received_until(client, last: bytes) -> list:
    """What arrived up to the message that we know must arrive."""
    got = []
    while not got or got[-1].payload != last:
        got.append(client.next_message())
    return got


# --- Who gets in ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("listener", "name"), [("devices", "device-1"), ("services", "api")])
def test_with_its_own_certificate_it_gets_in(broker, listener, name):
    broker.client(getattr(broker, listener), name, f"@{name}").connect().close()


@pytest.mark.parametrize("listener", ["devices", "services"])
@pytest.mark.parametrize("version", [paho.MQTTv5, paho.MQTTv311])
def test_without_a_certificate_nobody_gets_in(broker, listener, version):
    with pytest.raises(Refused):
        broker.client(getattr(broker, listener), None, "@api", version=version).connect()


@pytest.mark.parametrize(("listener", "name"), [("devices", "device-1"), ("services", "api")])
def test_a_foreign_authoritys_certificate_is_refused(broker, foreign, listener, name):
    with pytest.raises(Refused):
        broker.client(getattr(broker, listener), pair(foreign, name), f"@{name}").connect()


@pytest.mark.parametrize(
    ("listener", "authority", "name"), [("devices", "devices-ca", "device-1"), ("services", "services-ca", "api")]
)
def test_a_certificate_counts_only_while_it_is_valid(broker, tmp_path, listener, authority, name):
    now = datetime.now(timezone.utc)

    def connect(case, begin, end):
        made = certificates.sign(broker.pair(authority), name, tmp_path / case, begin, end)
        broker.client(getattr(broker, listener), made, f"@{name}").connect().close()

    connect("valid", now - timedelta(hours=1), now + timedelta(hours=1))
    with pytest.raises(Refused):
        connect("expired", now - timedelta(hours=2), now - timedelta(hours=1))
    with pytest.raises(Refused):
        connect("not yet valid", now + timedelta(hours=1), now + timedelta(hours=2))


def test_a_devices_certificate_is_refused_on_the_services_listener(broker):
    with pytest.raises(Refused):
        broker.client(broker.services, "device-1", "@api").connect()


def test_a_services_certificate_is_refused_on_the_devices_listener(broker):
    with pytest.raises(Refused):
        broker.client(broker.devices, "ingest", "@ingest").connect()


def test_the_brokers_own_certificate_is_no_services(broker):
    with pytest.raises(Refused):
        broker.client(broker.services, "broker", "@broker").connect()


@pytest.mark.parametrize("listener", ["devices", "services"])
def test_tls_before_1_2_is_refused(broker, listener):
    def handshake(version):
        context = ssl.create_default_context(cafile=broker.settings.certs / "ca.crt")
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = version
        with socket.create_connection((HOST, getattr(broker, listener)), timeout=5) as plain:
            with context.wrap_socket(plain, server_hostname="localhost") as secured:
                return secured.version()

    assert handshake(ssl.TLSVersion.TLSv1_3) == "TLSv1.3"
    with pytest.raises((ssl.SSLError, ConnectionError)):
        handshake(ssl.TLSVersion.TLSv1_1)


# --- As whom -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [paho.MQTTv5, paho.MQTTv311])
@pytest.mark.parametrize("claimed", ["device-2", "@ingest", "", "anything at all"])
def test_a_client_id_other_than_the_common_name_is_replaced_by_it(broker, ingest, claimed, version):
    with broker.device("device-2") as other, broker.device("device-1") as first:
        with broker.client(broker.devices, "device-1", claimed, version=version).connect() as second:
            # The broker ends the older connection of the same client id: device-1's, whatever was claimed.
            until(first.lost.is_set, "the first connection of device-1 is taken over")
            second.publish(broker.topic("device-1", "data/out"), b"still here")
            assert ingest.next_message().topic == broker.topic("device-1", "data/out")
            assert not other.lost.is_set()
            assert not ingest.lost.is_set()


def test_a_service_may_connect_many_times_under_ids_of_its_own(broker):
    with broker.service_client("api", "@api-1") as first, broker.service_client("api", "@api-2") as second:
        with broker.device("device-1") as device:
            device.subscribe(broker.topic("device-1", "control/in"))
            first.publish(broker.topic("device-1", "control/in"), b"1")
            second.publish(broker.topic("device-1", "control/in"), b"2")
            assert [device.next_message().payload, device.next_message().payload] == [b"1", b"2"]


def test_the_longest_client_id_works(broker, ingest):
    name = "x" * 128
    with broker.device(name) as device:
        device.publish(broker.topic(name, "control/out"), b"long")
        assert ingest.next_message().topic == broker.topic(name, "control/out")


# --- What a device may say and hear --------------------------------------------------------------------------------


def forbidden_for_device_1(broker) -> list:
    return [
        *(broker.topic("device-2", f"{channel}/{way}") for channel in CHANNELS for way in ("out", "in")),
        *(broker.topic("device-1", f"{channel}/in") for channel in CHANNELS),
        broker.topic("device-1", "control/out/more"),
        broker.topic("device-1", "other/out"),
        broker.topic("device-1", "control"),
        broker.topic("@ingest", "control/out"),
        "elsewhere/device-1/control/out",
        "device-1/control/out",
        broker.prefix,
        "$SYS/broker/version",
    ]


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_device_says_what_is_its_own(broker, ingest, channel):
    topic = broker.topic("device-1", f"{channel}/out")
    assert broker.publish_reason(broker.devices, "device-1", "device-1", topic) == 0
    assert ingest.next_message().topic == topic


def test_a_device_says_nothing_else(broker, ingest):
    with broker.device("device-2") as other, broker.device("device-1") as device:
        # The other device asks for everything, so whatever reaches its topics it would hear.
        other.subscribe("#", f"{broker.prefix}/#", broker.topic("device-2", "control/in"))
        for qos, topic in itertools.product((0, 1, 2), forbidden_for_device_1(broker)):
            device.publish(topic, b"forbidden", qos)
        device.publish(broker.topic("device-1", "control/out"), b"last")
        assert [message.payload for message in received_until(ingest, b"last")] == [b"last"]
        with broker.service_client("api", "@control") as api:
            api.publish(broker.topic("device-2", "control/in"), b"last")
        assert {message.payload for message in received_until(other, b"last")} == {b"last"}


def test_a_device_is_told_that_it_may_not(broker):
    for topic in forbidden_for_device_1(broker):
        assert broker.publish_reason(broker.devices, "device-1", "device-1", topic) == NOT_AUTHORIZED, topic


def test_a_will_is_bound_by_the_same_rules(broker, ingest):
    for topic in (broker.topic("device-2", "control/out"), broker.topic("device-1", "control/out")):
        device = broker.client(broker.devices, "device-1")
        device.will(topic, b"will " + topic.encode())
        device.connect()
        device.drop()
    assert ingest.next_message().payload == b"will " + broker.topic("device-1", "control/out").encode()
    assert ingest.messages.empty()


def test_a_device_hears_what_is_sent_to_it_and_nothing_else(broker, ingest):
    with broker.device("device-1") as device, broker.device("device-2") as other:
        device.subscribe(
            "#",
            "$SYS/#",
            f"{broker.prefix}/#",
            f"{broker.prefix}/+/control/in",
            f"{broker.prefix}/+/control/out",
            *(broker.topic("device-2", f"{channel}/{way}") for channel in CHANNELS for way in ("in", "out")),
            *(broker.topic("device-1", f"{channel}/in") for channel in CHANNELS),
        )
        with broker.service_client("api", "@control") as api:
            for channel in CHANNELS:
                other.publish(broker.topic("device-2", f"{channel}/out"), b"not yours")
                device.publish(broker.topic("device-1", f"{channel}/out"), b"not yours either")
                api.publish(broker.topic("device-2", f"{channel}/in"), b"not yours")
                assert {ingest.next_message().topic, ingest.next_message().topic} == {
                    broker.topic("device-1", f"{channel}/out"),
                    broker.topic("device-2", f"{channel}/out"),
                }
            api.publish(broker.topic("device-1", "control/in"), b"yours")
            api.publish(broker.topic("device-1", "data/in"), b"last")
        assert {message.payload for message in received_until(device, b"last")} == {b"yours", b"last"}


@pytest.mark.parametrize("name", ["ingest", "api", "recorder"])
def test_a_devices_certificate_named_like_a_service_has_no_rights(broker, ingest, tmp_path, name):
    """certs/generate refuses to make one; whoever holds the authority's key could all the same."""
    made = certificates.sign(broker.pair("devices-ca"), name, tmp_path / "named")
    with broker.client(broker.devices, made, "@ingest").connect() as impostor, broker.device("device-1") as device:
        device.subscribe(broker.topic("device-1", "control/in"))
        impostor.subscribe("#", "$SYS/#", f"{broker.prefix}/+/control/out", broker.topic(name, "control/in"))
        impostor.publish(broker.topic("device-1", "control/in"), b"forbidden")
        impostor.publish(broker.topic("@ingest", "control/out"), b"forbidden")
        device.publish(broker.topic("device-1", "control/out"), b"from the device")
        assert ingest.next_message().payload == b"from the device"
        with broker.service_client("api", "@control") as api:
            api.publish(broker.topic(name, "control/in"), b"last")
            api.publish(broker.topic("device-1", "control/in"), b"last")
        assert [message.payload for message in received_until(impostor, b"last")] == [b"last"]
        assert [message.payload for message in received_until(device, b"last")] == [b"last"]
        assert not ingest.lost.is_set()
        assert ingest.messages.empty()


@pytest.mark.parametrize("name", ["+", "#", "a+b", "device-1/control/out"])
def test_a_common_name_with_wildcards_or_levels_reaches_nobody(broker, ingest, tmp_path, name):
    made = certificates.sign(broker.pair("devices-ca"), name, tmp_path / "odd")
    with broker.device("device-1") as device:
        device.subscribe(broker.topic("device-1", "control/in"))
        with broker.client(broker.devices, made).connect() as odd:
            odd.subscribe("#", f"{broker.prefix}/+/control/in", broker.topic("device-1", "control/in"))
            for topic in (broker.topic("device-1", "control/out"), broker.topic("device-1", "control/in")):
                odd.publish(topic, b"forbidden")
            with broker.service_client("api", "@control") as api:
                api.publish(broker.topic("device-1", "control/in"), b"last")
            assert [message.payload for message in received_until(device, b"last")] == [b"last"]
            device.publish(broker.topic("device-1", "control/out"), b"last")
            assert [message.payload for message in received_until(ingest, b"last")] == [b"last"]
            assert odd.messages.empty()


# --- What a service may say and hear -------------------------------------------------------------------------------

MAY_WRITE = {
    "ingest": ("+ control/in", "@ingest control/out"),
    "api": ("+ control/in", "+ data/in"),
    "recorder": ("+ control/in", "+ data/in"),
}
WRITES = list(itertools.product(MAY_WRITE, ("device-1", "@ingest"), CHANNELS, ("in", "out")))


@pytest.mark.parametrize(("role", "client_id", "channel", "way"), WRITES)
def test_what_a_service_may_say(broker, role, client_id, channel, way):
    allowed = {f"+ {channel}/{way}", f"{client_id} {channel}/{way}"} & set(MAY_WRITE[role])
    topic = broker.topic(client_id, f"{channel}/{way}")
    reason = broker.publish_reason(broker.services, role, f"@{role}-probe", topic)
    assert (reason != NOT_AUTHORIZED) == bool(allowed)


def test_what_a_service_may_not_say_is_not_heard(broker, ingest):
    for role in MAY_WRITE:
        with broker.service_client(role, f"@{role}-2") as service:
            for channel in CHANNELS:
                service.publish(broker.topic("device-1", f"{channel}/out"), b"in the device's name")
    with broker.service_client("ingest", "@ingest-2") as second:
        second.publish(broker.topic("@ingest", "control/out"), b"canary")
    assert [message.payload for message in received_until(ingest, b"canary")] == [b"canary"]


@pytest.mark.parametrize("role", ["api", "recorder"])
def test_api_and_recorder_hear_nothing(broker, ingest, role):
    with broker.service_client(role, f"@{role}-2") as service, broker.device("device-1") as device:
        service.subscribe("#", "$SYS/#", f"{broker.prefix}/#", f"{broker.prefix}/+/control/out")
        service.subscribe(*(broker.topic("device-1", f"{channel}/in") for channel in CHANNELS))
        device.publish(broker.topic("device-1", "control/out"), b"1")
        service.publish(broker.topic("device-1", "control/in"), b"2")
        assert ingest.next_message().payload == b"1"
        # A second round trip on the service's own connection: what was to come has come.
        service.publish(broker.topic("device-1", "data/in"), b"3")
        assert service.messages.empty()


def test_ingest_hears_the_brokers_heartbeat_but_not_what_is_sent_to_devices(broker, ingest):
    ingest.subscribe("$SYS/broker/version", f"{broker.prefix}/#", f"{broker.prefix}/+/control/in")
    assert ingest.next_message().topic == "$SYS/broker/version"
    with broker.service_client("api", "@control") as api, broker.device("device-1") as device:
        api.publish(broker.topic("device-1", "control/in"), b"to the device")
        device.publish(broker.topic("device-1", "control/out"), b"last")
    assert {message.payload for message in received_until(ingest, b"last")} == {b"last"}


# --- How much ------------------------------------------------------------------------------------------------------


def test_the_largest_packet_gets_through_and_one_byte_more_is_not_acknowledged(broker, ingest):
    topic = broker.topic("device-1", "data/out")
    # Mosquitto counts the packet without the bytes that say how long it is: its first byte, the topic with its length,
    # the message id, the empty properties, the payload.
    largest = broker.settings.max_packet_bytes - (1 + 2 + len(topic) + 2 + 1)
    with broker.device("device-1") as device:
        device.publish(topic, b"x" * largest)
        assert len(ingest.next_message().payload) == largest
        with pytest.raises(AssertionError, match="no acknowledgement"):
            device.publish(topic, b"x" * (largest + 1))
        assert device.lost.is_set(), "the broker ends the connection of who sends too much"
