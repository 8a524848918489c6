"""What brings messages from the broker somewhere else: ingest, and public tools beside it; and the servers between which they do.

Publishing is plain TCP from processes that cost next to nothing; reading is a persistent session over mutual TLS at QoS 1."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
for folder in (ROOT / "tests", ROOT / "deploy/local"):
    sys.path.insert(0, str(folder))

from confluent_kafka import Consumer, KafkaException, TopicPartition  # noqa: E402
from confluent_kafka.admin import AdminClient, NewTopic  # noqa: E402
from harness import certificates, wait  # noqa: E402
from harness.ingest_process import IngestProcess  # noqa: E402
from harness.mqtt import Client  # noqa: E402
from heliograph_local import homes, network  # noqa: E402
from heliograph_local import servers as local  # noqa: E402
from heliograph_local.settings import HOST  # noqa: E402
from usage import cpu_seconds, peak_megabytes  # noqa: E402

PUBLISHERS = 4
PARTITIONS = 3
SECONDS = 300.0  # for what should take some


class LoadMosquitto(local.Mosquitto):
    """With a third listener, plain and for everybody: TLS of the publishers would take the reader's cores."""

    def __init__(self, settings):
        super().__init__(settings)
        self.load_port = network.free_port()

    def _configuration(self, home: Path) -> str:
        return super()._configuration(home) + f"\nlistener {self.load_port} {HOST}\nallow_anonymous true\n"


class Bench:
    """Servers of its own. Threads: one thread."""

    def __init__(self, data: Path, count: int, broker=LoadMosquitto):
        self.count = count
        self.servers = local.start_for_tests(data)
        self.settings = self.servers.settings
        self.mosquitto = broker(self.settings)
        self.mosquitto.start()
        self.mosquitto.wait()

    def close(self) -> None:
        """Ends everything and removes the folder."""
        self.mosquitto.stop()
        self.servers.stop()
        homes.remove(self.settings.data)
        shutil.rmtree(self.settings.data.parent, ignore_errors=True)

    def load(self, size: int) -> list:
        script = Path(__file__).with_name("mqtt_load.py")
        each = self.count // PUBLISHERS
        return [
            subprocess.Popen([sys.executable, script, str(self.mosquitto.load_port),
                              f"{self.settings.topic_prefix}/device-{n}/data/out", str(each), str(size)])
            for n in range(1, PUBLISHERS + 1)
        ]  # fmt: skip

    def forget(self, client_id: str) -> None:
        pair = certificates.pair(self.settings.certs, "ingest")
        Client(self.settings.ports["services"], self.settings.certs / "ca.crt", pair, client_id).connect().close()

    def make_topic(self) -> str:
        name = f"bench-{uuid.uuid4().hex[:8]}"
        topic = NewTopic(name, PARTITIONS, 1, config={"message.timestamp.type": "LogAppendTime"})
        admin = self._admin()  # its end would end what is under way
        admin.create_topics([topic])[name].result(30)
        return name

    def delete_topics(self, names: list) -> None:
        """Or the disk fills up."""
        admin = self._admin()
        for done in admin.delete_topics(names).values() if names else ():
            try:
                done.result(30)
            except KafkaException:
                pass  # whoever should have made it has ended before

    def _admin(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self.settings.kafka_address, "log_level": 0})

    def run(self, reader, size: int, mode: str) -> dict:
        """live: publishing and reading at once, until all is read. drain: reading what waits, without starting up."""
        try:
            reader.subscribe()
            if mode == "drain":
                reader.leave()
                finish(self.load(size))
                time.sleep(1)
                reader.subscribe_again()
            before = {"broker": cpu_seconds(self.mosquitto.pid()), "kafka": cpu_seconds(self.servers.kafka.pid())}
            reader.mark()
            began = time.monotonic()
            publishers = self.load(size) if mode == "live" else []
            try:
                ended = reader.wait_for(self.count)
            finally:
                finish(publishers)
            seconds = ended - began
            million = self.count / 1e6
            return {
                "rate": self.count / seconds,
                "cpu_per_million": reader.cpu() / million,
                "peak_mb": reader.peak,
                "broker_cpu_per_million": (cpu_seconds(self.mosquitto.pid()) - before["broker"]) / million,
                "kafka_cpu_per_million": (cpu_seconds(self.servers.kafka.pid()) - before["kafka"]) / million,
            }
        finally:
            reader.end()
            self.forget(reader.client_id)

    def publish_alone(self, size: int) -> float:
        """Messages a second when nobody has subscribed: what the load itself can do."""
        began = time.monotonic()
        finish(self.load(size))
        return self.count / (time.monotonic() - began)


def finish(publishers: list) -> None:
    """Ends those that do not end by themselves."""
    for publisher in publishers:
        try:
            assert publisher.wait(SECONDS) == 0
        finally:
            if publisher.poll() is None:
                publisher.kill()
                publisher.wait()


class Ingest:
    """Threads: one thread."""

    def __init__(self, bench: Bench, folder: Path, overrides: dict):
        self._bench = bench
        self.process = IngestProcess(bench.settings, folder, **overrides)
        self.client_id = self.process.client_id
        self.topic = self.process.topics["data"]
        self._cpu_before = self.peak = 0.0

    def subscribe(self) -> None:
        self.process.start().ready()
        consumer = {"bootstrap.servers": self._bench.settings.kafka_address, "group.id": "bench", "log_level": 0}
        self._consumer = Consumer(consumer)
        self.in_kafka()

    def leave(self) -> None:
        self.process.stop()

    def subscribe_again(self) -> None:
        self.process.start()

    def in_kafka(self) -> int:
        ends = [self._consumer.get_watermark_offsets(TopicPartition(self.topic, n), timeout=10)[1] for n in range(PARTITIONS)]
        return sum(ends)

    def mark(self) -> None:
        self._cpu_before = cpu_seconds(self.process.pid)

    def wait_for(self, count: int) -> float:
        deadline = time.monotonic() + SECONDS
        while self.in_kafka() < count:
            assert self.process.alive and time.monotonic() < deadline, self.process.log()[-2000:]
            time.sleep(0.01)
        ended = time.monotonic()
        assert self.in_kafka() == count, "repeats without a fault"
        wait.until(lambda: self.process.value("held_messages") == 0, "acknowledged")
        self.peak = peak_megabytes(self.process.pid)
        self._cpu_after = cpu_seconds(self.process.pid)
        return ended

    def cpu(self) -> float:
        return self._cpu_after - self._cpu_before

    def end(self) -> None:
        """Leaves nothing of a run to the next."""
        self.process.end()
        self._bench.delete_topics(list(self.process.topics.values()))


class Subscriber:
    """mosquitto_sub, which throws away what it reads: the cheapest reader there is. Threads: one thread."""

    client_id = "@bench-sub"

    def __init__(self, bench: Bench):
        certs = bench.settings.certs
        self._bench = bench
        self._command = ["mosquitto_sub", "-V", "5", "-q", "1", "-c", "-x", "600", "-i", self.client_id]
        self._command += ["-h", HOST, "-p", str(bench.settings.ports["services"]), "--cafile", certs / "ca.crt"]
        self._command += ["--cert", certs / "ingest.crt", "--key", certs / "ingest.key"]
        self._command += ["-D", "connect", "receive-maximum", "20000"]
        self._command += [part for channel in ("control", "data")
                          for part in ("-t", f"{bench.settings.topic_prefix}/+/{channel}/out")]  # fmt: skip
        self._process = None
        self.peak = 0.0

    def subscribe(self) -> None:
        subprocess.run([*self._command, "-E"], check=True, timeout=60)  # subscribes and leaves; the session stays
        self._start()
        time.sleep(1)

    def _start(self) -> None:
        self._process = subprocess.Popen([*self._command, *self._until_all()], stdout=subprocess.DEVNULL)

    def _until_all(self) -> list:
        return ["-C", str(self._bench.count)] if self._bench.count else []

    def leave(self) -> None:
        self._process.terminate()
        self._process.wait(30)

    def subscribe_again(self) -> None:
        self._start()

    def mark(self) -> None:
        pass

    def wait_for(self, _count: int) -> float:
        self._usage = end_of(self._process)
        ended = time.monotonic()
        self.peak = self._usage.ru_maxrss / 1024
        return ended

    def cpu(self) -> float:
        return self._usage.ru_utime + self._usage.ru_stime

    def end(self) -> None:
        if self._process and self._process.poll() is None:
            self.leave()


class Glued(Subscriber):
    """What one would glue together: mosquitto_sub writes lines of topic and payload, kcat takes the topic as the key. It dies
    with what it holds. Threads: one thread."""

    client_id = "@bench-glued"

    def __init__(self, bench: Bench, topic: str = "", line_by_line: bool = False):
        super().__init__(bench)
        self._command[self._command.index("-i") + 1] = self.client_id
        self._line_by_line = line_by_line
        self._own = [] if topic else [bench.make_topic()]
        self._topic = topic or self._own[0]
        self._kcat = None

    def _start(self) -> None:
        lines = [*(["stdbuf", "-oL"] if self._line_by_line else []), *self._command, *self._until_all(), "-F", "%t\t%p"]
        self._process = subprocess.Popen(lines, stdout=subprocess.PIPE)
        self._kcat = subprocess.Popen(kcat(self._bench, self._topic), stdin=self._process.stdout)
        self._process.stdout.close()

    def leave(self) -> None:
        super().leave()
        self._kcat.wait(60)

    def wait_for(self, count: int) -> float:
        super().wait_for(count)
        of_kcat = end_of(self._kcat)
        ended = time.monotonic()
        self._kcat_cpu = of_kcat.ru_utime + of_kcat.ru_stime
        self.peak += of_kcat.ru_maxrss / 1024
        return ended

    def cpu(self) -> float:
        return super().cpu() + self._kcat_cpu

    def end(self) -> None:
        super().end()
        if self._kcat and self._kcat.poll() is None:
            self._kcat.wait(60)
        self._bench.delete_topics(self._own)


def kcat(bench: Bench, topic: str, *more: str) -> list:
    """librdkafka's own producer, keyed by what is before the tab, with the guarantees that ingest asks Kafka for."""
    command = ["kcat", "-P", "-b", bench.settings.kafka_address, "-t", topic, "-K", "\t", "-X", "acks=all"]
    return [*command, "-X", "enable.idempotence=true", "-X", "partitioner=murmur2_random", "-X", "linger.ms=1",
            "-z", "lz4", "-q", *more]  # fmt: skip


def produce_alone(bench: Bench, size: int) -> dict:
    """librdkafka alone: as many records of this size from a file, no broker and no TLS in between."""
    topic = bench.make_topic()
    with tempfile.NamedTemporaryFile("w", dir=bench.settings.data, suffix=".lines") as lines:
        filler = "x" * size
        lines.writelines(f"{bench.settings.topic_prefix}/device-{n % PUBLISHERS + 1}/data/out\t{f'{n} {filler}'[:size]}\n"
                         for n in range(bench.count))  # fmt: skip
        lines.flush()
        began = time.monotonic()
        used = end_of(subprocess.Popen(kcat(bench, topic, "-l", lines.name)))
        seconds = time.monotonic() - began
    bench.delete_topics([topic])
    million = bench.count / 1e6
    return {"rate": bench.count / seconds, "cpu_per_million": (used.ru_utime + used.ru_stime) / million,
            "peak_mb": used.ru_maxrss / 1024}  # fmt: skip


def end_of(process: subprocess.Popen):
    """What a process used, once it has ended by itself and well."""
    deadline = time.monotonic() + SECONDS
    while True:
        pid, status, used = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        if time.monotonic() > deadline:
            process.kill()
            process.wait()
            raise AssertionError(f"{process.args[0]} does not end")
        time.sleep(0.002)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, f"{process.args[0]} ended with {process.returncode}"
    return used
