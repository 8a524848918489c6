"""How long a message takes from its device to a reader of Kafka: by ingest, and by what one would glue together from public tools,
`mosquitto_sub | kcat`, in turns on the same servers.

  ./dev bench latency [--runs 3] [--rates 300 1000 3000 10000 20000] [--seconds 10] [--size 200] [--set NAME=VALUE]

Both read a persistent session over mutual TLS at QoS 1 and write with acks=all, keyed. The clock starts when the publisher writes
to its socket (plain TCP) and ends when a consumer of librdkafka hands the record out. The first second counts as warming up. The
rate is what was really written; where the publisher cannot keep it, that is told. *Held*: came only when the reader was ended. kcat
reads its input by fread() of 1,024 bytes, which waits for all of them, so its last lines stay in it until its input ends, and where
little comes each line waits for the next few."""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from readers import PARTITIONS, Bench, Glued, Ingest  # noqa: I001; it also finds what tests share

import figures
import results
from confluent_kafka import Consumer, TopicPartition
from harness import folders

WARM_UP = 1.0
QUIET = 3.0  # seconds after which nothing comes any more
GOALS = {1000: 15.0, 10_000: 15.0}  # messages a second -> the longest p99, in ms
GLUED = "mosquitto_sub | kcat"


def arrivals(consumer: Consumer, wanted: int, goes_on):
    """The next `wanted` records: when each came, and what it holds. Ends early when nothing goes on and QUIET is over."""
    last = time.monotonic()
    while wanted and (goes_on() or time.monotonic() - last < QUIET):
        message = consumer.poll(0.05)  # one by one: several at a time would wait for each other
        if message is not None:
            now = time.monotonic_ns()
            last = now / 1e9
            wanted -= 1
            yield now, message.value()


def measure(bench: Bench, topic: str, rate: int, seconds: float, size: int, end_reader) -> dict:
    consumer = Consumer({"bootstrap.servers": bench.settings.kafka_address, "group.id": "bench-latency", "fetch.wait.max.ms": 100,
                         "enable.auto.commit": False, "log_level": 0})  # fmt: skip
    consumer.assign([TopicPartition(topic, n, consumer.get_watermark_offsets(TopicPartition(topic, n), timeout=10)[1])
                     for n in range(PARTITIONS)])  # fmt: skip
    for _ in range(5):
        consumer.poll(0.2)
    device = f"{bench.settings.topic_prefix}/device-1/data/out"
    script = Path(__file__).with_name("paced_load.py")
    load = subprocess.Popen([sys.executable, script, str(bench.mosquitto.load_port), device, str(rate), str(seconds), str(size)])
    try:
        delays, wanted, times = [], int(rate * seconds), []
        for now, payload in arrivals(consumer, wanted, lambda: load.poll() is None):
            times.append(int(payload.split(b" ", 1)[0]))
            if times[-1] - times[0] >= WARM_UP * 1e9:
                delays.append((now - times[-1]) / 1e6)
        assert load.wait(60) == 0
        end_reader()
        held = sum(1 for _ in arrivals(consumer, wanted - len(times), lambda: False))
    finally:
        load.kill()
        consumer.close()
    cuts = statistics.quantiles(delays, n=100)
    return {"p50": cuts[49], "p99": cuts[98], "max": max(delays), "held": held, "missing": wanted - len(times) - held,
            "written": len(times) / ((max(times) - min(times)) / 1e9)}  # fmt: skip


def run(bench: Bench, name: str, given, rate: int, folder: Path) -> dict:
    overrides = dict(each.split("=", 1) for each in given.set)
    ingest = Ingest(bench, folder, overrides)
    reader = None
    try:
        ingest.subscribe()  # also where it does not read: it has made the topics
        if name == "glued":
            ingest.leave()
            bench.forget(ingest.client_id)
            reader = Glued(bench, ingest.topic, line_by_line=True)
            reader.subscribe()
        return measure(bench, ingest.topic, rate, given.seconds, given.size, (reader or ingest).leave)
    finally:
        if reader:
            reader.end()
            bench.forget(reader.client_id)
        ingest.end()
        bench.forget(ingest.client_id)


def rows(found: list, rate: int) -> list:
    def of(name: str, what: str) -> list:
        return [each[what] for each in found if each["rate"] == rate and each["reader"] == name]

    slowest = min(of("ingest", "written") + of("glued", "written"))
    note = "" if slowest > 0.97 * rate else f"the publisher wrote {slowest:,.0f} only"
    goals = {"p50": [], "p99": []}
    if rate in GOALS:
        goals = {"p50": [figures.at_most(1.0, "ratio")], "p99": [figures.at_most(GOALS[rate]), figures.at_most(1.0, "ratio")]}
    made = [figures.figure(f"device to reader of Kafka at {rate:,}/s, {what}", "ms", of("ingest", what), goals[what],
                           (GLUED, of("glued", what)), note) for what in ("p50", "p99")]  # fmt: skip
    if rate in GOALS:
        made.append(figures.figure(f"messages missing at {rate:,}/s", "of each run", of("ingest", "missing"),
                                   [figures.at_most(0, "worst")]))  # fmt: skip
    return made


def plot(found: list, rates: list) -> dict:
    def line(name: str, what: str) -> list:
        return [[rate, round(statistics.median(x[what] for x in found if (x["rate"], x["reader"]) == (rate, name)), 2)]
                for rate in rates]  # fmt: skip

    lines = [{"name": f"{told}, {what}", "points": line(name, what)} for name, told in (("ingest", "ingest"), ("glued", GLUED))
             for what in ("p50", "p99")]  # fmt: skip
    return {"file": "benchmarks-latency.svg", "title": "From the device's socket to a reader of Kafka", "x": "messages a second",
            "y": "milliseconds", "lines": lines}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--rates", type=int, nargs="+", default=[300, 1000, 3000, 10_000, 20_000], help="messages a second")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--size", type=int, default=200, help="bytes of a payload")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of ingest")
    measurement = results.Measurement("latency", parser)
    given = measurement.given
    found = []
    bench = Bench(folders.temporary(), 0)
    try:
        for rate in given.rates:
            for number in range(given.runs):
                for name in ("glued", "ingest") if number % 2 == 0 else ("ingest", "glued"):
                    with tempfile.TemporaryDirectory() as folder:
                        one = {"rate": rate, "reader": name, **run(bench, name, given, rate, Path(folder))}
                    found.append(one)
                    print(f"{rate:6,}/s {name:6} p50 {one['p50']:6.1f} ms, p99 {one['p99']:6.1f} ms, max {one['max']:6.1f} ms, "
                          f"{one['held']} held, {one['missing']} missing, written {one['written']:,.0f}/s", flush=True)  # fmt: skip
    finally:
        bench.close()
    measurement.found([row for rate in given.rates for row in rows(found, rate)], plots=[plot(found, given.rates)])


if __name__ == "__main__":
    main()
