"""How fast the recorder brings what devices say into PostgreSQL, next to bare upserts of the same rows on the same server.

  ./dev bench recorder [--runs 3] [--devices 100000] [--rounds 4] [--workers 1 3] [--replicas 1] [--telemetry 2000000]
                       [--mode presence telemetry] [--set NAME=VALUE]

presence: the fleet comes online and leaves in turns, each time all of it, so that no device is twice in a batch; timed from the
first batch until everything is applied and every event is in Kafka. Beside it, alternating, the same rows by `unnest` upserts in
batches of the same size, from one session: no Kafka, no looking up, no deciding, no events. Replicas share the partitions.
telemetry: messages on `data` that answer nothing, passed over while devices come and go at 100 a second; how long those take until
their event can be read, during and after. Absolute figures move with the machine: look at ratios and CPU seconds."""

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
for folder in (ROOT / "tests", ROOT / "deploy/local"):
    sys.path.insert(0, str(folder))

import figures  # noqa: E402
import psycopg2  # noqa: E402
import results  # noqa: E402
from bare_upserts import BareUpserts  # noqa: E402
from confluent_kafka import Consumer, TopicPartition  # noqa: E402
from confluent_kafka.admin import AdminClient, NewTopic  # noqa: E402
from harness import folders  # noqa: E402
from harness.recorder_process import RecorderBench  # noqa: E402
from heliograph_local import servers as local  # noqa: E402
from presence_delay import PresenceDelay  # noqa: E402
from recorder_load import Fleet, telemetry  # noqa: E402
from usage import cpu_seconds, family_cpu_seconds, peak_megabytes  # noqa: E402

PARTITIONS = 3
SECONDS = 600.0  # for what should take a minute


class Bench:
    """Servers, and logs that are written once and read by every run. Threads: one thread."""

    def __init__(self, data: Path, overrides: dict):
        self.servers = local.start_for_tests(data)
        self.overrides = overrides
        self.bootstrap = self.servers.settings.kafka_address
        self._ends = Consumer({"bootstrap.servers": self.bootstrap, "group.id": "bench", "log_level": 0})

    def make_topic(self, name: str) -> str:
        admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
        new = NewTopic(name, PARTITIONS, 1, config={"message.timestamp.type": "LogAppendTime", "retention.ms": "-1"})
        admin.create_topics([new])[name].result(30)
        return name

    def records_in(self, topic: str) -> int:
        marks = [self._ends.get_watermark_offsets(TopicPartition(topic, n), timeout=10) for n in range(PARTITIONS)]
        return sum(end - begin for begin, end in marks)

    def as_admin(self, sql: str):
        """The one value that it answers, if any."""
        connection = self.servers.postgres.connect_as_admin()
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchone()[0] if cursor.description else None
        finally:
            connection.close()

    def settle(self) -> None:
        """What the run before has left to write is not to be paid for by the next."""
        self.as_admin("CHECKPOINT")

    def written(self) -> int:
        """Bytes of PostgreSQL's write-ahead log."""
        return int(self.as_admin("SELECT pg_current_wal_lsn() - '0/0'"))

    def drop(self, run: RecorderBench) -> None:
        run.end()
        self.as_admin(f'DROP DATABASE "recorder_{run.name}" WITH (FORCE)')
        admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
        ours = [topic for topic in run.topics.values() if topic.endswith(run.name)]
        for done in admin.delete_topics(ours).values():
            done.result(30)


class Run:
    """Recorders with a database, groups and an events topic of their own, on logs of others. Threads: one thread."""

    def __init__(self, bench: Bench, folder: Path, replicas: int = 1, workers: int = 1, **logs: str):
        self.bench = bench
        overrides = {"BATCH__WORKERS": workers, **bench.overrides}
        self.stack = RecorderBench(bench.servers, folder)
        self.stack.topics.update(logs)
        self._sql = psycopg2.connect(self.stack.database)
        self._sql.autocommit = True
        self.processes = [self.stack.recorder(f"recorder-{n}", **overrides) for n in range(replicas)]

    def start(self) -> None:
        for process in self.processes:
            process.start()

    def stop(self) -> None:
        for process in self.processes:
            process.stop()

    def busy(self, role: str) -> bool:
        """Each has records of its own."""
        return all(process.value("records_total", topic=self.stack.topics[role]) > 0 for process in self.processes)

    def peak(self) -> float:
        return sum(peak_megabytes(process.pid) for process in self.processes)

    def applied(self, role: str) -> int:
        with self._sql.cursor() as cursor:
            cursor.execute("SELECT coalesce(sum(next_offset), 0) FROM kafka_offsets WHERE topic = %s", (self.stack.topics[role],))
            return int(cursor.fetchone()[0])

    def until(self, condition, pause: float = 0.02) -> float:
        """When it was true."""
        deadline = time.monotonic() + SECONDS
        while not condition():
            alive = all(process.alive for process in self.processes)
            assert alive and time.monotonic() < deadline, self.processes[0].log()[-3000:]
            time.sleep(pause)
        return time.monotonic()

    def usage(self) -> dict:
        return {
            "recorder": sum(cpu_seconds(process.pid) for process in self.processes),
            "postgres": family_cpu_seconds(self.bench.servers.postgres.pid()),
            "kafka": cpu_seconds(self.bench.servers.kafka.pid()),
        }

    def end(self) -> None:
        self._sql.close()
        self.bench.drop(self.stack)


def per_million(before: dict, after: dict, count: int) -> dict:
    return {name: (after[name] - before[name]) / count * 1e6 for name in before}


# --- presence -----------------------------------------------------------------------------------------------------------


def record(bench: Bench, log: str, fleet: Fleet, rounds: int, replicas: int, workers: int) -> dict:
    count = fleet.devices * rounds
    bench.settle()
    with tempfile.TemporaryDirectory() as folder:
        run = Run(bench, Path(folder), replicas, workers, control=log)
        try:
            run.start()
            run.until(lambda: run.busy("control"))
            began, first, before, wal = time.monotonic(), run.applied("control"), run.usage(), bench.written()
            assert first < count, "all were applied before the time was taken: take more --devices"
            applied = run.until(lambda: run.applied("control") == count)
            ended = run.until(lambda: bench.records_in(run.stack.topics["events"]) >= count)
            after, peak = run.usage(), run.peak()
            # Workers join the group one after the other: what moves between them is told again, with the same id.
            repeats = bench.records_in(run.stack.topics["events"]) - count
            result = check_and_size(run.stack, fleet, rounds)
            result |= {
                "rate": (count - first) / (ended - began),
                "events_after_s": ended - applied,
                "repeated_events": repeats,
                "cpu_per_million": per_million(before, after, count - first),
                "peak_mb": peak,
                "wal_bytes": (bench.written() - wal) / (count - first),
            }
            run.stop()
            return result
        finally:
            run.end()


def upsert(bench: Bench, fleet: Fleet, rounds: int, batch: int) -> dict:
    bench.settle()
    postgres = bench.servers.postgres
    with tempfile.TemporaryDirectory() as folder:
        stack = RecorderBench(bench.servers, Path(folder))
        session = psycopg2.connect(stack.database)
        try:
            before, seconds, wal = family_cpu_seconds(postgres.pid()), 0.0, bench.written()
            for statements in BareUpserts(fleet, batch).statements(rounds):
                with session.cursor() as cursor:
                    texts = [cursor.mogrify(*each) for each in statements]
                    began = time.monotonic()
                    for text in texts:
                        cursor.execute(text)
                    session.commit()
                    seconds += time.monotonic() - began
            count = fleet.devices * rounds
            result = check_and_size(stack, fleet, rounds)
            result |= {
                "rate": count / seconds,
                "cpu_per_million": {"postgres": (family_cpu_seconds(postgres.pid()) - before) / count * 1e6},
                "wal_bytes": (bench.written() - wal) / count,
            }
            return result
        finally:
            session.close()
            bench.drop(stack)


def check_and_size(stack: RecorderBench, fleet: Fleet, rounds: int) -> dict:
    """That both did the same work, and what it takes on disk."""
    sizes = {}
    for table in ("connections", "connection_descriptions", "connection_labels", "intervals"):
        row = stack.query(f"SELECT count(*) AS n, pg_total_relation_size('{table}') AS bytes FROM {table}")[0]
        sizes[table] = {"rows": row["n"], "bytes": row["bytes"]}
    online = stack.query("SELECT count(*) AS n FROM connections WHERE state = 'online'")[0]["n"]
    still_open = stack.query("SELECT count(*) AS n FROM intervals WHERE online_until IS NULL")[0]["n"]
    assert online == still_open == (fleet.devices if rounds % 2 else 0), (online, still_open)
    assert sizes["connections"]["rows"] == sizes["connection_descriptions"]["rows"] == fleet.devices, sizes
    assert sizes["intervals"]["rows"] == fleet.devices * ((rounds + 1) // 2), sizes
    return {"tables": sizes}


def presence(bench: Bench, given) -> list:
    fleet = Fleet(given.devices)
    log = bench.make_topic("bench-control")
    began = time.monotonic()
    fleet.say(bench.bootstrap, log, given.rounds)
    print(f"{given.devices * given.rounds:,} messages are in Kafka after {time.monotonic() - began:.0f} s", flush=True)
    batch = int(bench.overrides.get("BATCH__MAX_RECORDS", 5000))
    rounds = []
    for number in range(given.runs):
        found = {"upserts": None, **dict.fromkeys(given.workers)}
        for name in list(found)[:: 1 if number % 2 == 0 else -1]:
            if name == "upserts":
                found[name] = upsert(bench, fleet, given.rounds, batch)
                print(f"upserts {found[name]['rate']:,.0f}/s, PostgreSQL {found[name]['cpu_per_million']['postgres']:.1f} CPU s/M, "
                      f"WAL {found[name]['wal_bytes']:.0f} B", flush=True)  # fmt: skip
            else:
                found[name] = record(bench, log, fleet, given.rounds, given.replicas, name)
                print(presence_row(name, found[name]), flush=True)
        rounds.append(found)
    print(f"\n{sizes_told(rounds[-1][given.workers[0]])}\n", flush=True)
    return rounds


def presence_row(workers: int, ours: dict) -> str:
    cpu = ours["cpu_per_million"]
    return (
        f"recorder, {workers} workers: {ours['rate']:7,.0f}/s, CPU s/M: recorder {cpu['recorder']:.1f}, PostgreSQL {cpu['postgres']:.1f}, "
        f"Kafka {cpu['kafka']:.1f}; {ours['peak_mb']:.0f} MB, WAL {ours['wal_bytes']:.0f} B a message"
    )


def presence_figures(rounds: list, given) -> tuple:
    """(rows, usages)."""
    made, used = [], []
    bare = [each["upserts"]["rate"] for each in rounds]
    for workers in given.workers:
        ours, word = [each[workers] for each in rounds], "worker" if workers == 1 else "workers"
        goals = [figures.at_least(25_000)] if workers == max(given.workers) else ()
        made.append(figures.figure(f"recorder, changes of presence, {workers} {word}", "a second", [each["rate"] for each in ours], goals,
                                   ("bare unnest upserts", bare)))  # fmt: skip
        cpu = [each["cpu_per_million"]["recorder"] for each in ours]
        made.append(figures.figure(f"recorder, CPU, {workers} {word}", "seconds per million", cpu, [figures.at_most(40)]))
        for name in ("recorder", "postgres", "kafka"):
            peak = [each["peak_mb"] for each in ours] if name == "recorder" else ()
            used.append(figures.usage(f"presence, {workers} {word}", name, [each["cpu_per_million"][name] for each in ours], peak))
    return made, used


def sizes_told(result: dict) -> str:
    told = [f"{table} {size['rows']:,} rows of {size['bytes'] / max(size['rows'], 1):.0f} B"
            for table, size in result["tables"].items()]  # fmt: skip
    return "on disk, indexes included: " + ", ".join(told)


# --- telemetry ----------------------------------------------------------------------------------------------------------


def pass_over(bench: Bench, log: str, size: int) -> dict:
    count = bench.records_in(log)
    with tempfile.TemporaryDirectory() as folder:
        run = Run(bench, Path(folder), data=log)
        delay = PresenceDelay(bench.bootstrap, run.stack.topics["control"], run.stack.topics["events"])
        try:
            delay.start()
            run.start()
            run.until(lambda: run.busy("data") and run.busy("control"))
            began, first, before = time.monotonic(), run.applied("data"), run.usage()
            ended = run.until(lambda: run.applied("data") == count)
            after, peak = run.usage(), run.peak()
            quiet_from = ended + 1
            while time.monotonic() < quiet_from + max(10.0, ended - began):
                time.sleep(0.1)
            delay.stop()
            run.stop()
            assert run.stack.query("SELECT count(*) AS n FROM connection_events_outbox")[0]["n"] == 0
            return {
                "mode": "telemetry",
                "size": size,
                "rate": (count - first) / (ended - began),
                "seconds": ended - began,
                "cpu_per_million": per_million(before, after, count - first),
                "peak_mb": peak,
                "delay_during_ms": delay.percentiles(began, ended),
                "delay_after_ms": delay.percentiles(quiet_from, time.monotonic()),
            }
        finally:
            delay.stop()
            run.end()


def telemetry_row(result: dict) -> str:
    during, after = result["delay_during_ms"], result["delay_after_ms"]
    return (
        f"telemetry of {result['size']} B: {result['rate']:8,.0f}/s passed over, {result['cpu_per_million']['recorder']:.2f} CPU s/M "
        f"(Kafka {result['cpu_per_million']['kafka']:.2f}), {result['peak_mb']:.0f} MB; presence beside it p50 {during['p50']:.1f} ms, "
        f"p99 {during['p99']:.1f} ms of {during['count']}, alone {after['p50']:.1f} and {after['p99']:.1f} of {after['count']}"
    )


def telemetry_mode(bench: Bench, given) -> list:
    found = []
    for size in given.sizes:
        log = bench.make_topic(f"bench-data-{size}")
        telemetry(bench.bootstrap, log, given.telemetry, size)
        for _ in range(given.runs):
            found.append(pass_over(bench, log, size))
            print(telemetry_row(found[-1]), flush=True)
    return found


def telemetry_figures(found: list) -> tuple:
    """(rows, usages)."""
    during, alone = [each["delay_during_ms"]["p99"] for each in found], [each["delay_after_ms"]["p99"] for each in found]
    made = [
        figures.figure("recorder, telemetry passed over", "a second", [each["rate"] for each in found], [figures.at_least(150_000)]),
        figures.figure("presence beside telemetry, Kafka to event, p99", "ms", during, (), ("alone", alone)),
    ]
    used = [figures.usage("telemetry passed over", name, [each["cpu_per_million"][name] for each in found],
                          [each["peak_mb"] for each in found] if name == "recorder" else ()) for name in ("recorder", "kafka")]  # fmt: skip
    return made, used


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--mode", nargs="+", choices=("presence", "telemetry"), default=["presence", "telemetry"])
    parser.add_argument("--devices", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=4, help="all come online, all leave, all come again, ...")
    parser.add_argument("--replicas", type=int, default=1, help="recorders that share the partitions (presence)")
    parser.add_argument("--telemetry", type=int, default=2_000_000, help="messages that answer nothing")
    parser.add_argument("--sizes", type=int, nargs="+", default=[300], help="bytes of each of them")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 3], help="batch.workers of each recorder (presence)")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of the recorder")
    measurement = results.Measurement("recorder", parser)
    given = measurement.given
    data, rows, used = folders.temporary(), [], []
    try:
        bench = Bench(data, dict(each.split("=", 1) for each in given.set))
        for mode in given.mode:
            if mode == "presence":
                made = presence_figures(presence(bench, given), given)
            else:
                made = telemetry_figures(telemetry_mode(bench, given))
            rows += made[0]
            used += made[1]
    finally:
        local.stop_and_remove(data)
        shutil.rmtree(data.parent, ignore_errors=True)
    measurement.found(rows, used)


if __name__ == "__main__":
    main()
