"""What a broker that is killed (kill -9) loses of what it has acknowledged, and what not losing it costs, by how often it saves.

Mosquitto keeps its store in memory and writes all of it to disk after some seconds (autosave_interval), or after so many changes
(autosave_on_changes). Each setting is measured in turn, three runs of all, since other work on the machine moves absolute
figures: what counts are messages lost, CPU seconds of the broker, and rates against the default's in the same run.

  ./dev bench broker_persistence [--runs 3] [--kills 2] [--count 60000] [--backlog 20000] [--size 1000] [--rate 2000]
                                    [--seed N] [--json FILE]

killed: devices publish over mutual TLS, numbered, at --rate; at a random moment the broker is killed and started again; lost is
what it had acknowledged and Kafka has not in the end. Once with ingest reading, once with ingest away since the devices came.
live: publishing and reading at once, until all is in Kafka. backlog: publishing with ingest away."""

import argparse
import json
import random
import re
import statistics
import tempfile
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

from readers import Bench, Ingest, LoadMosquitto, finish  # also finds what tests share

from chaos.load import Fleet  # noqa: E402
from harness import folders, kafka_log  # noqa: E402
from harness.ingest_process import IngestProcess  # noqa: E402
from judge import numbers  # noqa: E402
from usage import cpu_seconds  # noqa: E402

DEVICES = 8
QUIET_SECONDS = 3.0  # without a new record: what the broker still had has come
STATES = {"reading": "ingest reads", "away": "ingest is away"}


@dataclass(frozen=True)
class Saving:
    """When the broker writes its store. Threads: immutable."""

    name: str
    interval: int
    on_changes: bool
    share: float = 1.0  # of the messages that the others are measured with: it is that slow


DEFAULT = Saving("after 1,800 s (the default)", 1800, False)
SAVINGS = (
    DEFAULT,
    Saving("after 1 s (ours)", 1, False),
    Saving("after 1,000 changes", 1000, True),
    Saving("after 100 changes", 100, True, 0.25),
    Saving("after each change", 1, True, 0.05),
)


class SavingMosquitto(LoadMosquitto):
    """Threads: as Service."""

    saving = DEFAULT

    def _configuration(self, home: Path) -> str:
        text = super()._configuration(home)
        values = {"autosave_interval": self.saving.interval, "autosave_on_changes": str(self.saving.on_changes).lower()}
        for name, value in values.items():
            text, found = re.subn(rf"(?m)^{name} .*$", f"{name} {value}", text)
            assert found == 1, f"{name} stands {found} times in the broker's configuration"
        return text


class PersistenceBench:
    """Threads: one thread."""

    def __init__(self, data: Path, given):
        self._given = given
        self._bench = Bench(data, given.count, SavingMosquitto)
        self._chance = random.Random(given.seed)

    def close(self) -> None:
        self._bench.close()

    def measure(self, saving: Saving) -> dict:
        self._bench.mosquitto.saving = saving
        self._bench.mosquitto.start()
        self._bench.mosquitto.wait()
        found = {"saving": saving.name, "live": self._live(saving), "backlog": self._backlog(saving)}
        for state in STATES:
            found[state] = [self._killed(state) for _ in range(self._given.kills)]
        return found

    def _live(self, saving: Saving) -> dict:
        self._bench.count = int(self._given.count * saving.share)
        with tempfile.TemporaryDirectory() as folder:
            run = self._bench.run(Ingest(self._bench, Path(folder), {}), self._given.size, "live")
        return {"rate": run["rate"], "broker_cpu_per_million": run["broker_cpu_per_million"]}

    def _backlog(self, saving: Saving) -> dict:
        """What the broker takes when nobody fetches it."""
        bench = self._bench
        bench.count = int(self._given.backlog * saving.share)
        with tempfile.TemporaryDirectory() as folder:
            reader = Ingest(bench, Path(folder), {})
            try:
                reader.subscribe()
                reader.leave()
                before, began = cpu_seconds(bench.mosquitto.pid()), time.monotonic()
                finish(bench.load(self._given.size))
                seconds = time.monotonic() - began
                cpu = cpu_seconds(bench.mosquitto.pid()) - before
                return {"rate": bench.count / seconds, "broker_cpu_per_million": cpu / bench.count * 1e6}
            finally:
                reader.end()
                bench.forget(reader.client_id)

    def _killed(self, state: str) -> dict:
        bench, run = self._bench, f"kill-{uuid.uuid4().hex[:8]}"
        acks = Path(bench.settings.data) / f"acks-{run}.json"
        with tempfile.TemporaryDirectory() as folder:
            ingest, fleet = IngestProcess(bench.settings, Path(folder)).start().ready(), None
            try:
                fleet = Fleet(
                    SimpleNamespace(settings=bench.settings), "device-", DEVICES, "--numbered", f"--rate={self._given.rate}",
                    "--payload-bytes=250", "--in-flight=100", f"--run={run}", f"--acks={acks}",
                )  # fmt: skip
                fleet.wait_until_online()
                if state == "away":
                    ingest.stop()
                time.sleep(self._chance.uniform(2.0, 4.0))
                before = fleet.status()["acknowledged"]
                self._kill_the_broker()
                if state == "away":
                    ingest.start()
                ingest.ready(60)
                fleet.finish()
                lost = self._lost(ingest.topics["data"], run, acks)
                return {"acknowledged": before, "lost": lost}
            finally:
                if fleet:
                    fleet.kill()
                ingest.end()
                bench.forget(ingest.client_id)

    def _kill_the_broker(self) -> None:
        self._bench.mosquitto.kill()
        self._bench.mosquitto.start()
        self._bench.mosquitto.wait()

    def _lost(self, topic: str, run: str, acks: Path) -> int:
        acknowledged = numbers.acknowledged(json.loads(line) for line in acks.read_text().splitlines())
        found, ends, quiet_since = numbers.Numbers(run), {}, time.monotonic()
        while found.missing(acknowledged) and time.monotonic() - quiet_since < QUIET_SECONDS:
            records = kafka_log.read(self._bench.settings.kafka_address, topic, 60, ends)
            found.take("data", records)
            ends.update({record.partition: record.offset + 1 for record in records})
            if records:
                quiet_since = time.monotonic()
            else:
                time.sleep(0.1)
        return found.missing(acknowledged)


def row(number: int, found: dict) -> str:
    lost = "; ".join(
        f"killed while {told}: lost {', '.join(str(kill['lost']) for kill in found[state])}" for state, told in STATES.items()
    )
    speed = ", ".join(
        f"{name} {found[name]['rate']:,.0f}/s {found[name]['broker_cpu_per_million']:.0f} CPU s/M" for name in ("live", "backlog")
    )
    return f"run {number + 1}, {found['saving']}: {speed}; {lost}"


def table(runs: list) -> str:
    """Markdown: medians, and the range of what was lost."""
    lines = [
        "| the store is written | lost, ingest reads | lost, ingest is away | live: rate | live: broker CPU s per million "
        "| backlog: rate | backlog: broker CPU s per million |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for place, saving in enumerate(SAVINGS):
        cells = [saving.name] + [_lost_cell(runs, place, state) for state in STATES]
        for name in ("live", "backlog"):
            ratios = [run[place][name]["rate"] / run[0][name]["rate"] for run in runs]
            cpu = statistics.median(run[place][name]["broker_cpu_per_million"] for run in runs)
            cells += [f"{statistics.median(ratios):.2f}", f"{cpu:.0f}"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _lost_cell(runs: list, place: int, state: str) -> str:
    lost = [kill["lost"] for run in runs for kill in run[place][state]]
    return f"{statistics.median(lost):,.0f} ({min(lost):,} to {max(lost):,})"


def _arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--kills", type=int, default=2, help="of each setting, in each state of ingest, a run (2)")
    parser.add_argument("--count", type=int, default=60_000, help="messages of the live measurement (60,000)")
    parser.add_argument("--backlog", type=int, default=20_000, help="messages that wait for ingest (20,000)")
    parser.add_argument("--size", type=int, default=1000, help="bytes of a payload there (1,000)")
    parser.add_argument("--rate", type=int, default=2000, help="messages a second when the broker is killed (2,000)")
    parser.add_argument("--seed", type=int, default=None, help="of the moments of the kills (random)")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def main() -> None:
    given, data, runs, bench = _arguments(), folders.temporary(), [], None
    try:
        bench = PersistenceBench(data, given)
        for number in range(given.runs):
            first = number % len(SAVINGS)  # each run begins with another one
            found = {}
            for saving in SAVINGS[first:] + SAVINGS[:first]:
                found[saving.name] = bench.measure(saving)
                print(row(number, found[saving.name]), flush=True)
            runs.append([found[saving.name] for saving in SAVINGS])
            if given.json:
                given.json.write_text(json.dumps(runs, indent=1))
    finally:
        if bench:
            bench.close()
    print(f"\n{table(runs)}\n\nrates: against the first row, in the same run; medians of {given.runs} runs")


if __name__ == "__main__":
    main()
