"""Actions, from their caller to devices and back: the whole stack, thousands of devices over mutual TLS.

  ./dev bench actions [--runs 3] [--seconds 10] [--rates 300 600 1000] [--connections 1000 4000] [--online 10000] [--targets 100000]
                      [--queued 3] [--only latency growth bulk queue]

latency: actions to one online device each, at a rate. They come at random times that do not wait for each other, and the clock begins
when one is due, not when it could be sent. It ends when what the device answered can be read from Kafka (device.data), which is how an application
follows many actions; and for some of them when GET /v1/actions/{id}, asked again and again, tells it. growth: payloads of 1,000 bytes
there and back with few and with many connections, in turns. bulk: one action by a selector to all devices, most of them offline, which are only
rows; meanwhile GET of the action, 20 times a second. queue: all devices leave, actions are accepted for them, all come back; what
arrived, in which order and how often is taken from what they answer. The first second of each load counts as warming up."""

import argparse
import time

import readers  # noqa: F401, I001; it finds what tests share

import action_bulk
import action_latency
import action_queue
import figures
import results
from filled import fill
from harness.stack import Stack
from heliograph_local import owners, processes
from many_devices import Fleets, certify
from usage import peak_megabytes

PREFIX = "many-"
AWAY = f"{PREFIX}away-"
PARTS = ("latency", "growth", "bulk", "queue")
SECONDS = 300.0


class Actions:
    """Threads: one thread."""

    def __init__(self, stack: Stack, given):
        self._stack, self._given = stack, given
        # As many as are needed for each part, the next ones beside those before.
        counts = sorted({*given.connections, given.online})
        self._shares = [(f"{PREFIX}{n}-", count - before) for n, (before, count) in enumerate(zip([0, *counts], counts))]
        self._fleets = []

    def certify(self) -> None:
        for prefix, count in self._shares:
            certify(self._stack, prefix, count)

    def close(self) -> None:
        for fleets in self._fleets:
            fleets.kill()

    def names(self) -> list:
        return [name for fleets in self._fleets for name in fleets.names]

    def come(self, count: int) -> None:
        """So many are online, and stay."""
        began = time.monotonic()
        while len(self.names()) < count:
            prefix, share = self._shares[len(self._fleets)]
            self._fleets.append(Fleets(self._stack, prefix, share, "--interval-s=0"))
            self._fleets[-1].until("online", share)
        self._until_online(count)
        print(f"{count:,} devices are online after {time.monotonic() - began:.0f} s", flush=True)

    def _until_online(self, count: int) -> None:
        deadline = time.monotonic() + SECONDS
        while (found := self._stack.query("SELECT count(*) FROM connections WHERE state = 'online'")[0]["count"]) != count:
            assert time.monotonic() < deadline, f"{found} of {count} are online"
            time.sleep(0.05)

    # --- One device each ------------------------------------------------------------------------------------------------

    def latency(self) -> dict:
        """Rate -> runs."""
        self.come(self._given.connections[0])
        by_rate = {rate: [] for rate in self._given.rates}
        latency = action_latency.Latency(self._stack, self._fleets)
        try:
            latency.measure(self._given.rates[0], min(3, self._given.seconds), self.names(), action_latency.SMALL)  # the cold start
            for number in range(self._given.runs):
                for rate in self._given.rates[:: 1 if number % 2 == 0 else -1]:
                    run = latency.measure(rate, self._given.seconds, self.names(), action_latency.SMALL)
                    by_rate[rate].append(run)
                    print(action_latency.told(f"{rate:5,}/s", run), flush=True)
        finally:
            latency.close()
        return by_rate

    def growth(self) -> dict:
        """Connections -> runs."""
        few, many = self._given.connections
        self.come(many)
        more = self._fleets[1]
        growth = {few: [], many: []}
        latency = action_latency.Latency(self._stack, self._fleets)
        try:
            for number in range(self._given.runs):
                # Many are online at the beginning, so that each turn begins with those who are there.
                for count in (many, few) if number % 2 == 0 else (few, many):
                    if count != self._online():
                        more.order(f"{'online' if count == many else 'offline'} {PREFIX}*")
                        self._until_online(count)
                    names = self.names()[:count]
                    run = latency.measure(self._given.rates[0], self._given.seconds, names, action_latency.LARGE)
                    growth[count].append(run)
                    print(action_latency.told(f"{count:6,} connections", run), flush=True)
        finally:
            latency.close()
        return growth

    def _online(self) -> int:
        return sum(fleets.total("online") for fleets in self._fleets)

    # --- Many devices ---------------------------------------------------------------------------------------------------

    def bulk(self) -> list:
        self._all()
        away = self._given.targets - self._given.online
        fill(self._stack, AWAY, 1, away, "'demo'", "false")
        bulk = action_bulk.Bulk(self._stack, PREFIX, self.names(), away)
        return self._repeat("bulk", bulk.measure, action_bulk.told)

    def queue(self) -> list:
        self._all()
        queue = action_queue.Queue(self._stack, self._fleets, self._given.queued, self._until_online)
        return self._repeat("queue", lambda: queue.measure(PREFIX), action_queue.told)

    def _all(self) -> None:
        for fleets in self._fleets:
            fleets.order(f"online {PREFIX}*")
        self.come(self._given.online)

    def _repeat(self, name: str, measure, told) -> list:
        runs = []
        for _ in range(self._given.runs):
            runs.append(measure())
            print(f"{name}: {told(runs[-1])}", flush=True)
        return runs


def rows(given, found: dict) -> list:
    made = action_latency.rows(found["latency"]) if "latency" in found else []
    if "growth" in found:
        made += action_latency.growth_rows(found["growth"])
    if "bulk" in found:
        made += action_bulk.rows(found["bulk"], given.targets, given.online)
    if "queue" in found:
        made += action_queue.rows(found["queue"], given.online, given.queued)
    return made


def arguments() -> results.Measurement:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3, help="of everything")
    parser.add_argument("--seconds", type=float, default=10, help="of each load")
    parser.add_argument("--rates", type=int, nargs="+", default=[300, 600, 1000], help="actions a second; the first also of growth")
    parser.add_argument("--connections", type=int, nargs=2, default=[1000, 4000], help="few, and many")
    parser.add_argument("--online", type=int, default=10_000, help="devices of bulk and queue")
    parser.add_argument("--targets", type=int, default=100_000, help="devices of bulk, those online included")
    parser.add_argument("--queued", type=int, default=3, help="actions that wait for each device")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="these parts")
    return results.Measurement("actions", parser)


def main() -> None:
    measurement = arguments()
    given = measurement.given
    processes.raise_file_limit()
    stack, found, used = Stack(), {}, []
    actions = Actions(stack, given)
    try:
        began = time.monotonic()
        actions.certify()
        print(f"certificates: {time.monotonic() - began:.0f} s", flush=True)
        owners.ensure(stack.settings.data / "owners.yaml", [(f"{PREFIX}*", "demo")])
        stack.up()
        for part in PARTS:
            if part in given.only:
                found[part] = getattr(actions, part)()
        daemons = {"broker": stack.mosquitto, "ingest": stack.ingest, "recorder": stack.recorder}
        used = [figures.usage("actions, all of it", name, (), [peak_megabytes(each.pid())]) for name, each in daemons.items()]
    finally:
        actions.close()
        stack.remove()
    if "latency" in found:
        used += action_latency.usages(found["latency"])
    if "bulk" in found:
        used += action_bulk.usages(found["bulk"], given.targets)
    measurement.found(rows(given, found), used)


if __name__ == "__main__":
    main()
