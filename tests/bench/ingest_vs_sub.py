"""How fast ingest brings messages into Kafka, next to the cheapest reader there is on the same broker: mosquitto_sub.

Both read a persistent session over mutual TLS at QoS 1; mosquitto_sub throws away what it reads, ingest is done when Kafka has
it. Runs alternate, since other work on the machine moves absolute figures: only the ratio of neighbours counts.

  tests/bench/ingest_vs_sub.py [--runs 3] [--count 150000] [--sizes 1000 200] [--mode live drain] [--json FILE]

live: publishing and reading at once, until all is read. drain: reading what was published before; without starting up."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
for folder in (ROOT / "tests", ROOT / "deploy/local"):
    sys.path.insert(0, str(folder))

from confluent_kafka import Consumer, KafkaException, TopicPartition  # noqa: E402
from confluent_kafka.admin import AdminClient  # noqa: E402
from harness import certificates, folders, wait  # noqa: E402
from harness.ingest_process import IngestProcess  # noqa: E402
from harness.mqtt import Client  # noqa: E402
from heliograph_local import network  # noqa: E402
from heliograph_local import servers as local  # noqa: E402
from heliograph_local.settings import HOST  # noqa: E402
from usage import cpu_seconds, peak_megabytes  # noqa: E402

PUBLISHERS = 4
PARTITIONS = 3


class LoadMosquitto(local.Mosquitto):
    """With a third listener, plain and for everybody: TLS of the publishers would take the reader's cores."""

    def __init__(self, settings):
        super().__init__(settings)
        self.load_port = network.free_ports()["devices"]

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

    def run(self, reader, size: int, mode: str) -> dict:
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
            ended = reader.wait_for(self.count)
            seconds = ended - began
            finish(publishers)
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


def finish(publishers: list) -> None:
    for publisher in publishers:
        assert publisher.wait() == 0


class Ingest:
    def __init__(self, bench: Bench, folder: Path, overrides: dict):
        self._bench = bench
        self._process = IngestProcess(bench.settings, folder, **overrides)
        self.client_id = self._process.client_id
        self.topic = self._process.topics["data"]
        self._cpu_before = self.peak = 0.0

    def subscribe(self) -> None:
        self._process.start().ready()
        consumer = {"bootstrap.servers": self._bench.settings.kafka_address, "group.id": "bench", "log_level": 0}
        self._consumer = Consumer(consumer)
        self._in_kafka()

    def leave(self) -> None:
        self._process.stop()

    def subscribe_again(self) -> None:
        self._process.start()

    def _in_kafka(self) -> int:
        ends = [self._consumer.get_watermark_offsets(TopicPartition(self.topic, n), timeout=10)[1] for n in range(PARTITIONS)]
        return sum(ends)

    def mark(self) -> None:
        self._cpu_before = cpu_seconds(self._process.pid)

    def wait_for(self, count: int) -> float:
        while self._in_kafka() < count:
            time.sleep(0.01)
        ended = time.monotonic()
        assert self._in_kafka() == count, "repeats without a fault"
        wait.until(lambda: self._process.value("held_messages") == 0, "acknowledged")
        self.peak = peak_megabytes(self._process.pid)
        self._cpu_after = cpu_seconds(self._process.pid)
        return ended

    def cpu(self) -> float:
        return self._cpu_after - self._cpu_before

    def end(self) -> None:
        """Deletes what it wrote, or the disk fills up; leaves nothing of a run to the next."""
        self._process.end()
        admin = AdminClient({"bootstrap.servers": self._bench.settings.kafka_address, "log_level": 0})
        for done in admin.delete_topics(list(self._process.topics.values())).values():
            try:
                done.result(30)
            except KafkaException:
                pass  # it ended before it had made them


class Subscriber:
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
        self.peak = 0.0

    def subscribe(self) -> None:
        subprocess.run([*self._command, "-E"], check=True)  # subscribes and leaves; the session stays
        self._start()
        time.sleep(1)

    def _start(self) -> None:
        self._process = subprocess.Popen([*self._command, "-C", str(self._bench.count)], stdout=subprocess.DEVNULL)

    def leave(self) -> None:
        self._process.terminate()
        self._process.wait()

    def subscribe_again(self) -> None:
        self._start()

    def mark(self) -> None:
        pass

    def wait_for(self, _count: int) -> float:
        _, status, self._usage = os.wait4(self._process.pid, 0)
        ended = time.monotonic()
        self._process.returncode = os.waitstatus_to_exitcode(status)
        assert self._process.returncode == 0
        self.peak = self._usage.ru_maxrss / 1024
        return ended

    def cpu(self) -> float:
        return self._usage.ru_utime + self._usage.ru_stime

    def end(self) -> None:
        if self._process.poll() is None:
            self.leave()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--count", type=int, default=150_000)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 200])
    parser.add_argument("--mode", nargs="+", choices=("live", "drain"), default=["live"])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of ingest")
    given = parser.parse_args()
    overrides = dict(each.split("=", 1) for each in given.set)
    data = folders.temporary()
    results = []
    bench = None
    try:
        bench = Bench(data, given.count)
        for mode in given.mode:
            for size in given.sizes:
                results += pairs(bench, mode, size, given.runs, overrides)
    finally:
        if bench:
            bench.mosquitto.stop()
        local.stop_and_remove(data)
    if given.json:
        given.json.write_text(json.dumps(results, indent=1))


def pairs(bench: Bench, mode: str, size: int, runs: int, overrides: dict) -> list:
    results = []
    for number in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            pair = {"mode": mode, "size": size}
            order = ["sub", "ingest"] if number % 2 == 0 else ["ingest", "sub"]
            for name in order:
                reader = Subscriber(bench) if name == "sub" else Ingest(bench, Path(folder), overrides)
                pair[name] = bench.run(reader, size, mode)
            pair["ratio"] = pair["ingest"]["rate"] / pair["sub"]["rate"]
            results.append(pair)
            print(row(pair), flush=True)
    ratios = [pair["ratio"] for pair in results]
    cpu = [pair["ingest"]["cpu_per_million"] / pair["sub"]["cpu_per_million"] for pair in results]
    print(f"{mode} {size} B: median ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}), "
          f"CPU against mosquitto_sub {statistics.median(cpu):.2f}\n", flush=True)  # fmt: skip
    return results


def row(pair: dict) -> str:
    def told(name: str) -> str:
        one = pair[name]
        return (f"{name} {one['rate']:7,.0f}/s, {one['cpu_per_million']:4.1f} CPU s/M "
                f"(broker {one['broker_cpu_per_million']:4.1f}, Kafka {one['kafka_cpu_per_million']:4.1f}), {one['peak_mb']:3.0f} MB")  # fmt: skip

    return f"{pair['mode']} {pair['size']} B: {told('sub')}; {told('ingest')}; ratio {pair['ratio']:.2f}"


if __name__ == "__main__":
    main()
