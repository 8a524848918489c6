"""Does memory grow? The whole stack under a moderate load for ten minutes, each process looked at every second.

  ./dev bench soak [--seconds 600] [--warm-up 120] [--rate 1000] [--devices 200] [--most 0.05]

Load: devices over mutual TLS with numbered messages on both channels, --rate a second; others that come and go all the time; a caller
of the API who looks devices up, reads lists and sends an action now and then. After the warm-up a straight line is laid through the
memory of each process by least squares. It ends with 1 where a process of ours grows for sure (95 %) by more than --most MB a minute."""

import argparse
import random
import sys
import threading
import time
import uuid
from types import SimpleNamespace

import readers  # noqa: F401, I001; finds what tests share

import figures
import httpx
import results
import slope
from chaos.load import Fleet
from harness.stack import Stack
from heliograph_local import certificates, owners, processes
from usage import cpu_seconds, peak_megabytes, resident_megabytes

OURS = ("ingest", "recorder", "api")
NUMBERED, RESTLESS = "soak-", "restless-"
CALLS_A_SECOND = 50


class Load:
    """Threads: one thread; has two that ask and order."""

    def __init__(self, stack: Stack, devices: int, rate: int):
        restless = max(2, devices // 10)
        names = [f"{NUMBERED}{n}" for n in range(1, devices + 1)] + [f"{RESTLESS}{n}" for n in range(1, restless + 1)]
        certificates.ensure_devices(stack.settings, names)
        owners.ensure(stack.settings.data / "owners.yaml", [("*", "demo")])
        self._stack, self._names, self._chance = stack, names, random.Random(1)
        self._ends, self.calls, self.refused = threading.Event(), 0, 0
        plant = SimpleNamespace(settings=stack.settings)
        self.numbered = Fleet(plant, NUMBERED, devices, "--numbered", "--channels=both", "--payload-bytes=300", f"--rate={rate}")
        self.restless = Fleet(plant, RESTLESS, restless, "--interval-s=0")
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._call, self._come_and_go)]

    def start(self) -> None:
        self.numbered.wait_until_online()
        self.restless.wait_until_online()
        for thread in self._threads:
            thread.start()

    def _call(self) -> None:
        with self._stack.rest() as rest:
            while not self._ends.wait(1 / CALLS_A_SECOND):
                self.calls += 1
                try:
                    answer = self._ask(rest)
                    self.refused += answer.status_code >= 500
                except httpx.HTTPError:
                    self.refused += 1

    def _ask(self, rest) -> httpx.Response:
        name = self._chance.choice(self._names)
        if self.calls % 50 == 0:
            action = {"targets": {"client_ids": [name]}, "directive": "silent", "payload": {"limit_w": 4000}}
            return rest.post("/v1/actions", json=action, headers={"Idempotency-Key": uuid.uuid4().hex})
        if self.calls % 10 == 0:
            return rest.get("/v1/connections", params={"state": "online"})
        return rest.get(f"/v1/connections/{name}")

    def _come_and_go(self) -> None:
        while not self._ends.wait(self._chance.uniform(0.2, 0.8)):
            name = self._chance.choice(self.restless.names)
            self.restless.order(f"flap {name} 1" if self._chance.random() < 0.5 else f"kill {name}")
            self.restless.order(f"online {name}")

    def end(self) -> None:
        self._ends.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(30)

    def kill(self) -> None:
        self.end()
        self.numbered.kill()
        self.restless.kill()


def watch(services: dict, seconds: float) -> dict:
    """Name -> (seconds, megabytes) once a second."""
    began, samples = time.monotonic(), {name: [] for name in services}
    while (now := time.monotonic() - began) < seconds:
        for name, service in services.items():
            samples[name].append((now, resident_megabytes(service.pid())))
        time.sleep(max(0.0, began + len(samples["ingest"]) - time.monotonic()))
    return samples


def soak(stack: Stack, given) -> dict:
    load = Load(stack, given.devices, given.rate)
    services = {"ingest": stack.ingest, "recorder": stack.recorder, "api": stack.api, "broker": stack.mosquitto}
    try:
        load.start()
        time.sleep(given.warm_up)
        sent, began, before = load.numbered.status()["acknowledged"], time.monotonic(), {n: cpu_seconds(s.pid()) for n, s in services.items()}
        pids = {name: service.pid() for name, service in services.items()}
        samples = watch(services, given.seconds)
        count, seconds = load.numbered.status()["acknowledged"] - sent, time.monotonic() - began
        used = {name: cpu_seconds(service.pid()) - before[name] for name, service in services.items()}
        assert pids == {name: service.pid() for name, service in services.items()}, "one has ended and begun anew"
        load.end()
        assert load.refused == 0, f"{load.refused} of {load.calls} calls failed"
        return {"samples": samples, "rate": count / seconds, "cpu": {name: each / count * 1e6 for name, each in used.items()},
                "peak": {name: peak_megabytes(service.pid()) for name, service in services.items()}}  # fmt: skip
    finally:
        load.kill()


def plot(samples: dict) -> dict:
    """Means of ten seconds."""
    lines = []
    for name, of in samples.items():
        blocks = [of[n : n + 10] for n in range(0, len(of) - len(of) % 10, 10)] or [of]
        lines.append({"name": name, "points": [[round(block[-1][0]), round(sum(y for _, y in block) / len(block), 2)] for block in blocks]})
    return {"file": "benchmarks-soak.svg", "title": "Memory after the warm-up", "x": "seconds", "y": "megabytes resident",
            "linear": True, "lines": lines}  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=600, help="that are looked at")
    parser.add_argument("--warm-up", type=float, default=120, help="seconds before that")
    parser.add_argument("--rate", type=int, default=1000, help="messages a second")
    parser.add_argument("--devices", type=int, default=200)
    parser.add_argument("--most", type=float, default=0.05, help="MB a minute that a process may grow")
    measurement = results.Measurement("soak", parser)
    given = measurement.given
    processes.raise_file_limit()
    stack = Stack()
    try:
        stack.up()
        found = soak(stack, given)
    finally:
        stack.remove()
    rows, grows = [], []
    for name in OURS:
        grown = slope.of(found["samples"][name])
        print(f"{name}: {grown.a_minute:+.3f} MB a minute, between {grown.lowest:+.3f} and {grown.highest:+.3f}", flush=True)
        if grown.lowest > given.most:
            grows.append(name)
        rows.append(figures.figure(f"memory of {name} over {given.seconds / 60:.3g} minutes at {found['rate']:,.0f} messages a second grows "
                                   "at least by (95 %)", "MB a minute", [round(grown.lowest, 4)], [figures.at_most(given.most)],
                                   note=f"best guess {grown.a_minute:+.3f}"))  # fmt: skip
    load = f"soak, {found['rate']:,.0f} a second"
    used = [figures.usage(load, name, [found["cpu"][name]], [found["peak"][name]]) for name in found["cpu"]]
    measurement.found(rows, used, [plot(found["samples"])])
    if grows:
        print(f"The memory of {' and '.join(grows)} grows.", flush=True)
    return 1 if grows else 0


if __name__ == "__main__":
    sys.exit(main())
