"""How long it takes until the API says online, from the moment when a device says it; while many others come and go.

  ./dev bench presence [--seconds 40] [--rate 1000] [--devices 5000]

The whole stack. Load: devices come online with 1 kB of facts and leave, --rate messages a second in all, by plain TCP. Beside it one
device says online, and GET /v1/connections/{id} is asked over one kept connection, again and again, until it says so; then it says
offline, likewise; then again. The clock starts before the publish is written and ends when the answer has been read, so the figure is
too large by up to one request. Each state has its own session, so that no older answer is taken for the new one."""

import argparse
import http.client
import json
import socket
import statistics
import struct
import subprocess
import sys
import time
import urllib.parse
from pathlib import Path

from readers import LoadMosquitto  # noqa: I001; it also finds what tests share

import figures
import results
from harness.stack import Stack
from heliograph_local.settings import HOST
from mqtt_load import packet, text
from usage import cpu_seconds, peak_megabytes

WARM_UP = 3.0
LONGEST = 10.0  # seconds for one change; more is an error and no figure


class Probe:
    """One device and one caller of the API. Threads: one thread."""

    def __init__(self, stack: Stack, port: int):
        self._name = "probe-1"
        self._topic = stack.topic(self._name, "control", "out")
        self._device = socket.create_connection((HOST, port))
        self._device.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connect = text("MQTT") + bytes([4, 0x02]) + struct.pack("!H", 60) + text(self._name)
        self._device.sendall(packet(0x10, connect))
        assert self._device.recv(4) == bytes([0x20, 2, 0, 0]), "not accepted"
        url = urllib.parse.urlparse(stack.variables["HELIOGRAPH_API_URL"])
        self._rest = http.client.HTTPConnection(url.hostname, url.port, timeout=10)
        self._headers = {"Authorization": f"Bearer {stack.variables['HELIOGRAPH_TOKEN']}"}
        self._count = self.asked = 0

    def change(self, state: str) -> float:
        """Says it; the seconds until the API does."""
        self._count += state == "online"
        session = f"probe-session-{self._count}"
        said = {"type": "connection-status", "message_id": f"{session}-{state}", "response_to": "", "version": 1,
                "sent": "2026-01-01T00:00:00Z", "content": {"state": state, "session_id": session}}  # fmt: skip
        message = packet(0x32, text(self._topic) + struct.pack("!H", self._count % 60_000 + 1) + json.dumps(said).encode())
        began = time.monotonic()
        self._device.sendall(message)
        while True:
            found = self._ask()
            ended = time.monotonic()
            if found.get("state") == state and found.get("session_id") == session:
                break
            assert ended - began < LONGEST, f"the API says {found} after {LONGEST:.0f} s"
        assert len(self._device.recv(4)) == 4, "no acknowledgement"
        return ended - began

    def _ask(self) -> dict:
        self.asked += 1
        self._rest.request("GET", f"/v1/connections/{self._name}", headers=self._headers)
        answer = self._rest.getresponse()
        body = answer.read()
        assert answer.status in (200, 404), body
        return json.loads(body) if answer.status == 200 else {}

    def close(self) -> None:
        self._device.close()
        self._rest.close()


def come_and_go(stack: Stack, port: int, rate: int, seconds: float, devices: int) -> subprocess.Popen:
    script = Path(__file__).with_name("presence_load.py")
    command = [sys.executable, script, str(port), stack.prefix, str(rate), str(seconds), str(devices)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def measure(stack: Stack, given) -> dict:
    port = stack.mosquitto.load_port
    daemons = {"ingest": stack.ingest, "recorder": stack.recorder, "api": stack.api}
    load = come_and_go(stack, port, given.rate, given.seconds + WARM_UP + 2, given.devices)
    try:
        assert load.stdout.readline().strip() == "begins"
        probe, delays = Probe(stack, port), {"online": [], "offline": []}
        warm = time.monotonic() + WARM_UP
        while time.monotonic() < warm:
            probe.change("online"), probe.change("offline")
        before, probe.asked = {name: cpu_seconds(each.pid()) for name, each in daemons.items()}, 0
        began = time.monotonic()
        while time.monotonic() < began + given.seconds:
            for state, found in delays.items():
                found.append(probe.change(state) * 1000)
        seconds = time.monotonic() - began
        used = {name: cpu_seconds(each.pid()) - before[name] for name, each in daemons.items()}
        probe.close()
        written = json.loads(load.communicate(timeout=60)[0])
    finally:
        load.kill()
        load.wait()
    changes = given.rate * seconds + sum(map(len, delays.values()))
    return {"delays": delays, "asked": probe.asked / seconds, "written": written["rate"],
            "cpu": {name: each / changes * 1e6 for name, each in used.items()},
            "peak": {name: peak_megabytes(each.pid()) for name, each in daemons.items()}}  # fmt: skip


def rows(found: dict, rate: int) -> list:
    goals = {("online", 50): [figures.at_most(30)], ("online", 99): [figures.at_most(150)]}
    count = len(found["delays"]["online"])
    note = f"{count:,} changes, {found['asked']:,.0f} requests a second, {found['written']:,.0f} changes a second beside it"
    made = []
    for state, delays in found["delays"].items():
        cuts = statistics.quantiles(delays, n=100)
        for percent in (50, 99):
            name = f"device says {state} → the API says {state}, at {rate:,} changes a second, p{percent}"
            made.append(figures.figure(name, "ms", [cuts[percent - 1]], goals.get((state, percent), ()), note=note if percent == 50 else ""))
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=40)
    parser.add_argument("--rate", type=int, default=1000, help="changes a second beside it")
    parser.add_argument("--devices", type=int, default=5000, help="that make them")
    measurement = results.Measurement("presence", parser)
    given = measurement.given
    stack = Stack(broker=LoadMosquitto)
    try:
        stack.up()
        found = measure(stack, given)
    finally:
        stack.remove()
    load = f"{given.rate:,} changes of presence a second"
    used = [figures.usage(load, name, [found["cpu"][name]], [found["peak"][name]]) for name in found["cpu"]]
    measurement.found(rows(found, given.rate), used)


if __name__ == "__main__":
    main()
