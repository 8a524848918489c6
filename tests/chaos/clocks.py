"""Faults of time: a process whose clock is years off, a certificate that ends while it is in use."""

import shutil
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

from chaos.case import Scene, Skipped
from harness import certificates, wait

TWO_YEARS = 730
NOTICED = 30.0  # seconds in which a process must say what is wrong


def wrong_clocks(scene: Scene) -> None:
    """Each process in turn, in the short form all at once, believes for a while that it is two years later, then earlier. It
    goes on; ingest cannot make a new connection meanwhile, since the broker's certificate looks invalid, and says so."""
    plant = scene.plant
    clocks = [_Clock(daemon, plant.settings.data) for daemon in plant.daemons]
    try:
        for clock in clocks:
            clock.put_in()
        plant.restart_all(*plant.daemons)
        for days in (TWO_YEARS, -TWO_YEARS):
            for wrong in scene.pick([[clock] for clock in clocks], [clocks]):
                _put_wrong(scene, wrong, days)
    finally:
        for clock in clocks:
            clock.take_out()
        plant.restart_all(*plant.daemons)


def _put_wrong(scene: Scene, clocks: list, days: int) -> None:
    plant = scene.plant
    for clock in clocks:
        clock.set(days)
    time.sleep(scene.pick(20, 2.0))
    for clock in clocks:
        scene.must(not clock.daemon.missing(), f"{clock.daemon.name} was not ready, {days:+d} days from now")
    if plant.ingest in [clock.daemon for clock in clocks]:
        plant.mosquitto.stop()
        plant.mosquitto.start()
        plant.mosquitto.wait()
        _says(plant.ingest, "certificate")
    for clock in clocks:
        clock.set(0)
    scene.recover()


class _Clock:
    """A process's idea of what day it is, from its next start; what measures how long something takes goes on as it is.
    Threads: one thread."""

    def __init__(self, daemon, folder: Path):
        self.daemon = daemon
        self._file = folder / f"{daemon.name}.faketime"
        self._plain = daemon.environment

    def put_in(self) -> None:
        library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
        if library is None:
            raise Skipped("libfaketime is not there (Debian package libfaketime)")
        wrong = {
            "LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(self._file), "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }  # fmt: skip
        self.set(0)
        self.daemon.environment = lambda: {**self._plain(), **wrong}

    def set(self, days: int) -> None:
        self._file.write_text(f"{days:+d}d\n")

    def take_out(self) -> None:
        self.daemon.environment = self._plain


def certificate_ends(scene: Scene) -> None:
    """Ingest's certificate ends while it is connected: messages go on. At the next connection the broker refuses it, and ingest says
    so. A new certificate in the same file is taken without a restart."""
    plant = scene.plant
    folder = plant.settings.data / "short-lived"
    good = certificates.pair(plant.settings.certs, "ingest")
    end = datetime.now(timezone.utc) + timedelta(seconds=scene.pick(30, 4))
    ours = certificates.sign(certificates.pair(plant.settings.certs, "services-ca"), "ingest", folder, end=end)
    plant.start_anew(plant.ingest, MQTT__CERT_FILE=ours.certificate, MQTT__KEY_FILE=ours.key)
    try:
        time.sleep(max(0.0, (end - datetime.now(timezone.utc)).total_seconds()) + 1.0)
        scene.must(not plant.ingest.missing(), "a connection did not outlive the end of its certificate")
        plant.mosquitto.stop()
        plant.mosquitto.start()
        plant.mosquitto.wait()
        _says(plant.ingest, "certificate")
        shutil.copy(good.key, ours.key)
        shutil.copy(good.certificate, ours.certificate)
        scene.recover()
    finally:
        plant.start_anew(plant.ingest)


def _says(daemon, word: str) -> None:
    wait.until(lambda: not daemon.health().get("ready") and word in str(daemon.health()), f"{daemon.name} says: {word}", NOTICED)
