"""How long a message takes from its device to a reader of Kafka: by ingest, and by what one would glue together from public tools,
`mosquitto_sub | kcat`, in turns on the same servers.

  ./dev bench latency [--runs 3] [--rates 1000 10000] [--seconds 10] [--size 200] [--json FILE] [--set NAME=VALUE]

Both read a persistent session over mutual TLS at QoS 1 and write with acks=all, keyed. The clock starts when the publisher writes
to its socket (plain TCP) and ends when a consumer of librdkafka hands the record out. The first second counts as warming up."""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ingest_vs_sub import PARTITIONS, Bench, Ingest, Subscriber  # noqa: I001; it also finds the harness

from confluent_kafka import Consumer, TopicPartition
from harness import folders
from heliograph_local import servers as local

WARM_UP = 1.0
QUIET = 3.0  # seconds after which nothing comes any more


class Glued(Subscriber):
    """mosquitto_sub writes lines of topic and payload, kcat takes the topic as the key. It dies with what it holds."""

    client_id = "@bench-glued"

    def __init__(self, bench: Bench, topic: str):
        super().__init__(bench)
        self._command[self._command.index("-i") + 1] = self.client_id
        self._topic = topic

    def _start(self) -> None:
        lines = ["stdbuf", "-oL", *self._command, "-F", "%t\t%p"]
        self._process = subprocess.Popen(lines, stdout=subprocess.PIPE)
        writer = ["kcat", "-P", "-b", self._bench.settings.kafka_address, "-t", self._topic, "-K", "\t", "-X", "acks=all",
                  "-X", "enable.idempotence=true", "-X", "partitioner=murmur2_random", "-X", "linger.ms=1"]  # fmt: skip
        self._kcat = subprocess.Popen(writer, stdin=self._process.stdout)
        self._process.stdout.close()

    def end(self) -> None:
        super().end()
        self._kcat.wait(30)


def measure(bench: Bench, topic: str, rate: int, seconds: float, size: int) -> dict:
    consumer = Consumer({"bootstrap.servers": bench.settings.kafka_address, "group.id": "bench-latency", "fetch.wait.max.ms": 100,
                         "enable.auto.commit": False, "log_level": 0})  # fmt: skip
    consumer.assign([TopicPartition(topic, n, consumer.get_watermark_offsets(TopicPartition(topic, n), timeout=10)[1])
                     for n in range(PARTITIONS)])  # fmt: skip
    for _ in range(5):
        consumer.poll(0.2)
    device = f"{bench.settings.topic_prefix}/device-1/data/out"
    script = Path(__file__).with_name("paced_load.py")
    load = subprocess.Popen([sys.executable, script, str(bench.mosquitto.load_port), device, str(rate), str(seconds), str(size)])
    delays, wanted, first = [], int(rate * seconds), None
    seen, last = 0, time.monotonic()
    while seen < wanted and (load.poll() is None or time.monotonic() - last < QUIET):
        message = consumer.poll(0.05)  # one by one: several at a time would wait for each other
        if message is None:
            continue
        now = time.monotonic_ns()
        last = now / 1e9
        written = int(message.value().split(b" ", 1)[0])
        first = first or written
        seen += 1
        if written - first >= WARM_UP * 1e9:
            delays.append((now - written) / 1e6)
    assert load.wait() == 0
    consumer.close()
    cuts = statistics.quantiles(delays, n=100)
    return {"p50": cuts[49], "p99": cuts[98], "max": max(delays), "missing": wanted - seen}


def run(bench: Bench, name: str, given, rate: int, folder: Path) -> dict:
    overrides = dict(each.split("=", 1) for each in given.set)
    ingest = Ingest(bench, folder, overrides)
    reader = None
    try:
        ingest.subscribe()  # also where it does not read: it has made the topics
        topic = ingest.topic
        if name == "glued":
            ingest.leave()
            bench.forget(ingest.client_id)
            reader = Glued(bench, topic)
            reader.subscribe()
        return measure(bench, topic, rate, given.seconds, given.size)
    finally:
        if reader:
            reader.end()
            bench.forget(reader.client_id)
        ingest.end()
        bench.forget(ingest.client_id)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--rates", type=int, nargs="+", default=[1000, 10_000], help="messages a second")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--size", type=int, default=200, help="bytes of a payload")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of ingest")
    given = parser.parse_args()
    data = folders.temporary()
    results, bench = [], None
    try:
        bench = Bench(data, 0)
        for rate in given.rates:
            for number in range(given.runs):
                for name in ("glued", "ingest") if number % 2 == 0 else ("ingest", "glued"):
                    with tempfile.TemporaryDirectory() as folder:
                        one = {"rate": rate, "reader": name, **run(bench, name, given, rate, Path(folder))}
                    results.append(one)
                    print(f"{rate:6,}/s {name:6} p50 {one['p50']:6.1f} ms, p99 {one['p99']:6.1f} ms, max {one['max']:6.1f} ms, "
                          f"{one['missing']} missing", flush=True)  # fmt: skip
            tell(results, rate)
    finally:
        if bench:
            bench.mosquitto.stop()
        local.stop_and_remove(data)
    if given.json:
        given.json.write_text(json.dumps(results, indent=1))


def tell(results: list, rate: int) -> None:
    def median(name: str, figure: str) -> float:
        return statistics.median(one[figure] for one in results if one["rate"] == rate and one["reader"] == name)

    parts = [f"{figure} {median('ingest', figure):.1f} ms against {median('glued', figure):.1f} ms" for figure in ("p50", "p99")]
    print(f"{rate:,}/s, medians, ingest against mosquitto_sub | kcat: {', '.join(parts)}\n", flush=True)


if __name__ == "__main__":
    main()
