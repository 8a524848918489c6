"""Thousands of devices over mutual TLS on one machine: all come at once, all come again at once; and what a message costs ingest
with few and with many of them.

  ./dev bench devices [--devices 10000] [--counts 100 1000 10000] [--runs 3] [--rate 5000] [--seconds 20]

At once: the time from the last CONNACK until all are online in the API, which is when all pages of GET /v1/connections?state=online,
asked for anew, hold them all. Again: every connection breaks without a word, so that the broker sends all last wills, and all
connect anew; and how many rows and transactions that takes. Cost: --rate messages a second of 1,000 bytes in all from so many devices
that are online, counts in another order each time."""

import argparse
import statistics
import time

from readers import PARTITIONS  # noqa: I001; it also finds what tests share

import figures
import results
from confluent_kafka import Consumer, TopicPartition
from harness.stack import Stack
from heliograph_local import owners, processes
from heliograph_local.rest import Api
from many_devices import Fleets, certify
from usage import cpu_seconds, peak_megabytes

PREFIX = "many-"
SECONDS = 300.0
PAYLOAD_BYTES = 1000
TABLES = ("connections", "intervals", "connection_descriptions", "connection_labels")


class Devices:
    """Threads: one thread."""

    def __init__(self, stack: Stack, given):
        self.stack = stack
        self.given = given
        self._api = Api(stack.settings, stack.postgres.connection_string())
        self._ends = Consumer({"bootstrap.servers": stack.settings.kafka_address, "group.id": "bench", "log_level": 0})

    # --- At once --------------------------------------------------------------------------------------------------------

    def come(self) -> dict:
        before, began = self._written(), time.monotonic()
        fleets = Fleets(self.stack, PREFIX, self.given.devices, "--interval-s=0")
        try:
            connected = fleets.until("connects", self.given.devices)
            first = self._until_all_online(connected) | {"connecting": connected - began} | self._since(before)
            print(told("come", first), flush=True)
            fleets.order(f"kill {PREFIX}*")
            self._wait_until("offline", self.given.devices)
            # The wills are part of what is counted; the time is from the last CONNACK again.
            before_again, began = self._written(), time.monotonic()
            fleets.order(f"online {PREFIX}*")
            connected = fleets.until("connects", 2 * self.given.devices)
            again = self._until_all_online(connected) | {"connecting": connected - began} | self._since(before_again)
            print(told("come again", again), flush=True)
            both = fleets.total("connects")
            fleets.finish()
            return {"first": first, "again": again, "connects": both}
        finally:
            fleets.kill()

    def break_and_return(self) -> dict:
        """All connections break and come back before anybody was told: the storm."""
        fleets = Fleets(self.stack, PREFIX, self.given.devices, "--interval-s=0")
        try:
            fleets.until("connects", self.given.devices)
            self._until_all_online(time.monotonic())
            self._settled()
            before, began = self._written(), time.monotonic()
            fleets.order(f"kill {PREFIX}*")
            fleets.order(f"online {PREFIX}*")
            connected = fleets.until("connects", 2 * self.given.devices)
            storm = self._until_all_online(connected) | {"connecting": connected - began}
            self._settled()
            storm |= self._since(before)
            print(told("break and return", storm), flush=True)
            fleets.finish()
            return storm
        finally:
            fleets.kill()

    def _until_all_online(self, since: float) -> dict:
        """The database is asked how many, since that costs little; what counts is the API's own answer after that."""
        self._wait_until("online", self.given.devices)
        deadline = time.monotonic() + SECONDS
        while len(self._api.connections(state="online")) < self.given.devices:
            assert time.monotonic() < deadline, "the API does not have them all online"
        return {"online": time.monotonic() - since}

    def _wait_until(self, state: str, count: int) -> None:
        deadline = time.monotonic() + SECONDS
        while (found := self.stack.query("SELECT count(*) FROM connections WHERE state = %s", state)[0]["count"]) < count:
            assert time.monotonic() < deadline, f"{found} of {count} are {state}"
            time.sleep(0.05)

    def _settled(self) -> None:
        """All that was said on control is applied."""
        deadline = time.monotonic() + SECONDS
        while self._applied() < self._said("device.control"):
            assert time.monotonic() < deadline, "the recorder does not come to an end"
            time.sleep(0.05)

    def _applied(self) -> int:
        row = self.stack.query("SELECT coalesce(sum(next_offset), 0) AS n FROM kafka_offsets WHERE topic = 'device.control'")
        return int(row[0]["n"])

    def _said(self, topic: str) -> int:
        return sum(self._ends.get_watermark_offsets(TopicPartition(topic, n), timeout=10)[1] for n in range(PARTITIONS))

    def _written(self) -> dict:
        self.stack.query("SELECT pg_stat_force_next_flush()")
        time.sleep(1.1)  # PostgreSQL's processes tell what they did once a second
        rows = self.stack.query("SELECT relname, n_tup_ins + n_tup_upd + n_tup_del AS n FROM pg_stat_user_tables WHERE relname = ANY(%s)",
                                list(TABLES))  # fmt: skip
        metrics = self.stack.metrics(self.stack.recorder)
        return {"rows": sum(int(row["n"]) for row in rows), "batches": metrics.value("heliograph_recorder_batches_total"),
                "records": self._said("device.control")}  # fmt: skip

    def _since(self, before: dict) -> dict:
        self._settled()
        after = self._written()
        return {name: (after[name] - before[name]) / self.given.devices for name in before}

    # --- Cost -----------------------------------------------------------------------------------------------------------

    def cost(self, count: int) -> dict:
        fleets = Fleets(self.stack, PREFIX, count, "--interval-s=0", "--numbered", f"--payload-bytes={PAYLOAD_BYTES}", "--in-flight=20")
        try:
            fleets.until("online", count)
            self._settled()
            fleets.rate(self.given.rate)
            time.sleep(3)
            pids = {"ingest": self.stack.ingest.pid(), "broker": self.stack.mosquitto.pid(), "kafka": self.stack.kafka.pid()}
            before, began, first = {name: cpu_seconds(pid) for name, pid in pids.items()}, time.monotonic(), self._said("device.data")
            time.sleep(self.given.seconds)
            messages, seconds = self._said("device.data") - first, time.monotonic() - began
            used = {name: (cpu_seconds(pid) - before[name]) / messages * 1e6 for name, pid in pids.items()}
            fleets.rate(0)
            fleets.finish()
            print(f"{count:6,} devices: {messages / seconds:,.0f}/s, CPU s/M: "
                  + ", ".join(f"{name} {each:.1f}" for name, each in used.items()), flush=True)  # fmt: skip
            return {"cpu": used, "rate": messages / seconds}
        finally:
            fleets.kill()


def told(what: str, found: dict) -> str:
    return (f"{what}: connected within {found['connecting']:.1f} s, online in the API {found['online']:.2f} s after the last; "
            f"a device: {found['records']:.2f} messages, {found['rows']:.2f} rows written, {found['batches']:.4f} transactions")  # fmt: skip


def rows(given, found: dict, storm: dict, costs: dict) -> list:
    count = f"{given.devices:,} devices over mutual TLS"
    within = [figures.at_most(10)]
    made = [
        figures.figure(f"{count}, all at once: last CONNACK → all online in the API", "s", [found["first"]["online"]], within,
                       note=f"all connected within {found['first']['connecting']:.0f} s"),
        figures.figure(f"{count}, all again after all were off line: last CONNACK → all online in the API", "s",
                       [found["again"]["online"]], within, note=f"all connected within {found['again']['connecting']:.0f} s"),
        figures.figure(f"{count}, all break and return at once: last CONNACK → all online in the API", "s", [storm["online"]],
                       within, note=f"all connected within {storm['connecting']:.0f} s"),
        figures.figure("that, rows written", "of each device", [storm["rows"]], [figures.at_most(5)],
                       note=f"{storm['records']:.2f} messages of each"),
        figures.figure("that, transactions of the recorder", "of each device", [storm["batches"]], [figures.at_most(0.1)]),
    ]  # fmt: skip
    fewest = min(costs)
    for devices, runs in costs.items():
        slowest = min(each["rate"] for each in runs)
        note = "" if slowest > 0.97 * given.rate else f"only {slowest:,.0f} a second came"
        goals, reference = (), None
        if devices != fewest:
            goals = [figures.at_most(1.15, "ratio")]
            reference = (f"{fewest:,} devices", [each["cpu"]["ingest"] for each in costs[fewest]])
        made.append(figures.figure(f"CPU of ingest with {devices:,} devices, {given.rate:,}/s of {PAYLOAD_BYTES:,} B",
                                   "seconds per million", [each["cpu"]["ingest"] for each in runs], goals, reference, note))  # fmt: skip
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--devices", type=int, default=10_000)
    parser.add_argument("--counts", type=int, nargs="+", default=[100, 1000, 10_000], help="devices that messages come from")
    parser.add_argument("--runs", type=int, default=3, help="of each count")
    parser.add_argument("--rate", type=int, default=5000, help="messages a second of all of them together")
    parser.add_argument("--seconds", type=float, default=20, help="of each")
    measurement = results.Measurement("devices", parser)
    given = measurement.given
    processes.raise_file_limit()
    stack, costs = Stack(), {count: [] for count in given.counts}
    try:
        began = time.monotonic()
        for count in {given.devices, *given.counts}:
            certify(stack, PREFIX, count)
        print(f"certificates: {time.monotonic() - began:.0f} s", flush=True)
        owners.ensure(stack.settings.data / "owners.yaml", [(f"{PREFIX}*", "demo")])
        stack.up()
        devices = Devices(stack, given)
        found = devices.come()
        storm = devices.break_and_return()
        daemons = {"broker": stack.mosquitto, "ingest": stack.ingest, "recorder": stack.recorder, "api": stack.api}
        peaks = {name: peak_megabytes(each.pid()) for name, each in daemons.items()}
        for number in range(given.runs):
            for count in given.counts[:: 1 if number % 2 == 0 else -1]:
                costs[count].append(devices.cost(count))
    finally:
        stack.remove()
    used = [figures.usage(f"{given.devices:,} devices come, leave, return", name, (), [peak]) for name, peak in peaks.items()]
    for count, runs in costs.items():
        load = f"{statistics.median(each['rate'] for each in runs):,.0f} a second of {PAYLOAD_BYTES:,} B from {count:,} devices over TLS"
        used += [figures.usage(load, name, [each["cpu"][name] for each in runs]) for name in runs[0]["cpu"]]
    measurement.found(rows(given, found, storm, costs), used)


if __name__ == "__main__":
    main()
