"""The servers as ./dev runs them: private, and back after anything was killed."""

import os
import socket
import stat
import subprocess

import paho.mqtt.client as paho
import psycopg2
import pytest
from harness import broker as brokers
from harness.mqtt import HOST
from harness.wait import until
from heliograph_local import processes
from heliograph_local.problem import Problem


@pytest.fixture(name="broker")
def _broker():
    with brokers.running() as broker:
        yield broker


def test_keys_and_passwords_are_for_their_owner_only(servers):
    """In all folders of the stack, also those that belong to the servers' own accounts."""
    secret = [
        os.path.join(folder, name)
        for folder, _, names in os.walk(servers.settings.data, followlinks=True)
        for name in names
        if name.endswith((".key", ".password", "token")) or name in ("stack.env", "tokens.yaml", "mosquitto.db")
    ]
    assert len(secret) >= 15
    modes = {file: oct(stat.S_IMODE(os.stat(file).st_mode)) for file in secret}
    assert {file: mode for file, mode in modes.items() if mode != "0o600"} == {}


def test_all_listen_on_loopback_only(servers):
    listening = subprocess.run(["cat", "/proc/net/tcp", "/proc/net/tcp6"], capture_output=True, text=True, check=True)
    ports = {f"{servers.settings.ports[name]:04X}" for name in
             ("devices", "services", "kafka", "kafka_controller", "postgres")}
    where = [line.split()[1] for line in listening.stdout.splitlines() if " 0A " in line]
    ours = [address for address in where if address.split(":")[1] in ports]
    assert len(ours) == 5
    # 127.0.0.1 in the kernel's order; Java's socket is one of both families.
    assert {address.split(":")[0] for address in ours} <= {"0100007F", "0000000000000000FFFF00000100007F"}


def test_postgres_is_back_after_a_kill_with_what_was_committed(servers):
    connection = psycopg2.connect(servers.postgres.create_database("killed"))
    with connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE t AS SELECT 7 AS seven")
    servers.postgres.kill()
    servers.postgres.start()
    servers.postgres.wait()
    again = psycopg2.connect(servers.postgres.connection_string("killed"))
    with again, again.cursor() as cursor:
        cursor.execute("SELECT seven FROM t")
        assert cursor.fetchone() == (7,)
    again.close()


def test_postgres_starts_though_its_lock_file_names_somebody_elses_process(servers):
    servers.postgres.kill()
    lock = servers.postgres.home / "data/postmaster.pid"
    innocent = subprocess.Popen(["sleep", "600"])
    try:
        lines = lock.read_text().splitlines()
        lock.write_text("\n".join([str(innocent.pid), *lines[1:]]) + "\n")
        servers.postgres.start()
        servers.postgres.wait()
        assert innocent.poll() is None
    finally:
        innocent.kill()
        innocent.wait()


def test_kafka_is_back_after_a_kill(servers):
    servers.kafka.kill()
    assert servers.kafka.missing()
    servers.kafka.start()
    servers.kafka.wait()


def test_a_process_id_file_that_names_somebody_elses_process_harms_nobody(broker):
    pid = broker.service.pid()
    innocent = subprocess.Popen(["sleep", "600"])
    try:
        broker.service.pid_file.write_text(f"{innocent.pid}\n")
        assert broker.service.pid() == pid, "the broker is found all the same"
        broker.service.stop()
        assert processes.has_ended(pid)
        assert innocent.poll() is None
        broker.service.pid_file.write_text(f"{innocent.pid}\n")
        assert broker.service.pid() == 0
        assert broker.service.start()
        assert innocent.poll() is None
    finally:
        innocent.kill()
        innocent.wait()


def test_starting_what_runs_does_nothing_until_its_settings_differ(broker):
    pid = broker.service.pid()
    assert not broker.service.start()
    assert broker.service.pid() == pid
    broker.service.for_devices = False
    assert broker.service.start()
    broker.service.wait()
    assert broker.service.pid() != pid


def test_until_ingest_has_subscribed_no_device_can_connect(broker):
    """The order of ./dev up: services only, ingest subscribes, then devices; what they then say waits for ingest."""
    broker.service.stop()
    broker.service.for_devices = False
    broker.service.start()
    broker.service.wait()
    assert not broker.service.admits_devices()
    with pytest.raises(OSError):
        broker.service.handshake(broker.devices)  # nobody listens there

    ingest = broker.client(broker.services, "ingest", "@ingest").connect(clean=False, expiry_s=3600)
    ingest.subscribe(f"{broker.prefix}/+/control/out")
    ingest.drop()
    broker.service.open_to_devices()
    assert broker.service.admits_devices()
    with broker.device("device-1") as device:
        device.publish(broker.topic("device-1", "control/out"), b"the first word")
    with broker.client(broker.services, "ingest", "@ingest").connect(clean=False, expiry_s=3600) as again:
        assert again.next_message().payload == b"the first word"


def absent_ingest(broker) -> None:
    """Leaves a session that has subscribed and is away."""
    ingest = broker.client(broker.services, "ingest", "@ingest").connect(clean=False, expiry_s=3600)
    ingest.subscribe(f"{broker.prefix}/+/data/out")
    ingest.close()


def queued_for_ingest(broker, count: int) -> list:
    with broker.client(broker.services, "ingest", "@ingest").connect(clean=False, expiry_s=3600) as ingest:
        return [int(ingest.next_message().payload) for _ in range(count)]


def test_the_broker_keeps_far_more_for_ingest_than_its_default_of_1000(broker):
    absent_ingest(broker)
    with broker.device("device-1") as device:
        for number in range(3000):
            device.publish(broker.topic("device-1", "data/out"), str(number).encode())
    broker.service.stop()
    broker.service.start()
    broker.service.wait()
    assert queued_for_ingest(broker, 3000) == list(range(3000))


def test_a_killed_broker_still_has_what_was_said_before_its_last_save(broker):
    absent_ingest(broker)
    store = broker.service.home / "mosquitto.db"
    with broker.device("device-1") as device:
        for number in range(100):
            device.publish(broker.topic("device-1", "data/out"), str(number).encode())
    saved = os.stat(store).st_mtime_ns if store.exists() else 0
    # The save that is under way may have begun before; the one after it has everything.
    for _ in range(2):
        until(lambda: store.exists() and os.stat(store).st_mtime_ns > saved, "the store is saved")
        saved = os.stat(store).st_mtime_ns
    broker.service.kill()
    broker.service.start()
    broker.service.wait()
    assert queued_for_ingest(broker, 100) == list(range(100))


@pytest.mark.parametrize("version", [paho.MQTTv5, paho.MQTTv311])
def test_who_says_what_he_may_not_stays_connected(broker, version):
    """With max_queued_messages 0, Mosquitto 2.0.11 ends the connection after the first refused message."""
    with broker.client(broker.devices, "device-1", version=version).connect() as device:
        for _ in range(5):
            device.publish(broker.topic("device-2", "data/out"), b"forbidden")
        assert not device.lost.is_set()


def test_a_port_that_is_taken_is_told_before_anything_starts(broker):
    broker.service.stop()
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind((HOST, broker.devices))
        other.listen(1)
        with pytest.raises(Problem) as problem:
            broker.service.start()
    assert f"Port {broker.devices}" in str(problem.value)
    assert "HELIOGRAPH_MQTT_PORT" in str(problem.value)
