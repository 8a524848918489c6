"""Faults of what is not ours: Kafka, PostgreSQL, the broker."""

import contextlib
import os
import shutil
import subprocess
import time

import psycopg2
from chaos.case import READY_WITHIN, Scene, Skipped
from harness import wait


def kill_kafka(scene: Scene) -> None:
    for _ in range(scene.pick(5, 1)):
        scene.go_on()
        scene.plant.kafka.kill()
        scene.go_on(0.0, 2.0)
        scene.plant.kafka.start()
        scene.plant.kafka.wait()
        scene.recover()


def stop_kafka(scene: Scene) -> None:
    scene.plant.kafka.pause()
    try:
        time.sleep(scene.pick(60, 2.5))
    finally:
        scene.plant.kafka.resume()


def kill_postgres(scene: Scene) -> None:
    for _ in range(scene.pick(10, 2)):
        scene.go_on()
        scene.plant.postgres.kill()
        scene.go_on(0.0, 1.0)
        scene.plant.postgres.start()
        scene.plant.postgres.wait()


def stop_postgres(scene: Scene) -> None:
    with scene.plant.postgres_stopped():
        time.sleep(scene.pick(60, 2))


def read_only_postgres(scene: Scene) -> None:
    """As a primary that has become a replica: connections work, writing does not."""
    reload = "SELECT pg_reload_conf()"
    scene.plant.as_admin("ALTER SYSTEM SET default_transaction_read_only = on", reload)
    try:
        time.sleep(scene.pick(30, 2))
    finally:
        scene.plant.as_admin("ALTER SYSTEM RESET default_transaction_read_only", reload)


def lock_tables(scene: Scene) -> None:
    """Somebody else's transaction holds what the recorder must write."""
    holder = psycopg2.connect(scene.plant.postgres.connection_string())
    try:
        with holder.cursor() as cursor:
            cursor.execute("LOCK TABLE connections IN ACCESS EXCLUSIVE MODE")
        time.sleep(scene.pick(30, 2))
    finally:
        holder.close()


def deadlock(scene: Scene) -> None:
    """Somebody else locks rows of connections first and an offset after it; the recorder has them the other way round. PostgreSQL
    ends one of the two, again and again."""
    rival = psycopg2.connect(scene.plant.postgres.connection_string())
    end = time.monotonic() + scene.pick(60, 2.5)
    try:
        with rival.cursor() as cursor:
            while time.monotonic() < end:
                with contextlib.suppress(psycopg2.errors.DeadlockDetected):
                    cursor.execute("SELECT client_id FROM connections ORDER BY last_seen DESC LIMIT 50 FOR UPDATE")
                    time.sleep(scene.chance.uniform(0.0, 0.2))
                    cursor.execute("SELECT next_offset FROM kafka_offsets FOR UPDATE")
                rival.rollback()
                time.sleep(scene.chance.uniform(0.0, 0.2))
    finally:
        rival.close()
    counted = scene.plant.query("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    scene.must(counted[0]["deadlocks"] > 0, "there was no deadlock")


def no_connections_left(scene: Scene) -> None:
    """As where others hold them all: ours are ended, and new ones are refused."""
    plant = scene.plant
    try:
        plant.as_admin("ALTER ROLE heliograph CONNECTION LIMIT 0")
        plant.as_admin("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'heliograph'")
        time.sleep(scene.pick(30, 2))
    finally:
        plant.as_admin("ALTER ROLE heliograph CONNECTION LIMIT -1")


def restart_broker(scene: Scene) -> None:
    """As an upgrade does it."""
    for _ in range(scene.pick(5, 1)):
        scene.go_on()
        scene.plant.mosquitto.stop()
        scene.go_on(0.0, 1.0)
        scene.plant.mosquitto.start()
        scene.plant.mosquitto.wait()
        scene.recover()


def kill_broker(scene: Scene) -> None:
    """While messages flow, and sometimes again before all have come back. Every other time ingest dies first, so that what the
    broker has acknowledged since is nowhere but in its memory."""
    for number in range(scene.pick(20, 2)):
        is_ingest_away = number % 2 == 1
        if is_ingest_away or scene.chance.random() < 0.7:
            before = scene.load.acknowledged()
            wait.until(lambda before=before: scene.load.acknowledged() > before, "messages flow again", READY_WITHIN)
        if is_ingest_away:
            scene.plant.ingest.kill()
        scene.go_on(0.0, 2.0)
        scene.plant.mosquitto.kill()
        scene.go_on(0.0, 1.0)
        scene.plant.mosquitto.start()
        scene.plant.mosquitto.wait()
        if is_ingest_away:
            scene.plant.ingest.start()


def stop_broker(scene: Scene) -> None:
    scene.plant.mosquitto.pause()
    try:
        time.sleep(scene.pick(30, 2))
    finally:
        scene.plant.mosquitto.resume()


def fill_kafkas_disk(scene: Scene) -> None:
    """Until Kafka ends itself or takes no more; then it is restarted on a disk that has room."""
    kafka = scene.plant.kafka
    with _small_disk(kafka) as disk:
        scene.recover()
        scene.go_on()
        ballast = disk / "ballast"
        # Unbuffered, or closing it would fail, too.
        with open(ballast, "wb", buffering=0) as file, contextlib.suppress(OSError):  # it is full
            while True:
                file.write(bytes(65536))
        time.sleep(scene.pick(30, 2))
        ballast.unlink()


@contextlib.contextmanager
def _small_disk(kafka):
    """Kafka with its data on a small file system of its own; killed and put back on the large one at the end."""
    data, aside = kafka.home / "data", kafka.home / "data.aside"
    if not _may_mount(kafka.home):
        raise Skipped("this machine may not mount a file system")
    kafka.stop()
    data.rename(aside)
    data.mkdir(mode=0o700)
    megabytes = sum(os.lstat(os.path.join(at, name)).st_blocks for at, _, names in os.walk(aside) for name in names) // 2048 + 64
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0700", "tmpfs", str(data)], check=True)
    try:
        _copy(aside, data)
        kafka.start()
        kafka.wait()
        yield data
        kafka.kill()
        shutil.rmtree(aside)
        aside.mkdir(mode=0o700)
        _copy(data, aside)
    finally:
        kafka.kill()
        subprocess.run(["umount", "-l", str(data)], check=True)
        data.rmdir()
        aside.rename(data)
    kafka.start()
    kafka.wait()


def _copy(source, target) -> None:
    subprocess.run(["cp", "-a", "--sparse=always", f"{source}/.", str(target)], check=True)


def _may_mount(folder) -> bool:
    if os.geteuid() != 0:
        return False
    probe = folder / "probe"
    probe.mkdir()
    try:
        if subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(probe)], capture_output=True, check=False).returncode != 0:
            return False
        subprocess.run(["umount", str(probe)], check=True)
        return True
    finally:
        probe.rmdir()
