"""The whole stack in its order: three servers at once, migrations and topics, then our daemons."""

import fcntl
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from . import certificates, daemons, kafka_jars, owners, processes, stack_env, tokens
from .problem import Problem
from .progress import Progress
from .servers import Servers
from .settings import ROOT, Settings

# Topics by name; those that do not begin with device are the recorder's.
TOPICS = ("device.control", "device.data", "device.dead-letter", "connection.events", "action.results", "action.dead-letter")


class Stack:
    """Threads: one thread; waits for several services at once on threads of its own."""

    def __init__(self, settings: Settings, progress: Progress):
        self.settings = settings
        self.servers = Servers(settings)
        self.ingest = daemons.ingest(settings)
        self.recorder = daemons.recorder(settings)
        self.api = daemons.api(settings)
        self._progress = progress

    @property
    def mosquitto(self):
        return self.servers.mosquitto

    @property
    def kafka(self):
        return self.servers.kafka

    @property
    def postgres(self):
        return self.servers.postgres

    def all(self) -> tuple:
        """In the order of starting."""
        return (*self.servers.all(), self.ingest, self.recorder, self.api)

    def by_name(self, name: str):
        for service in self.all():
            if service.name == name:
                return service
        raise Problem(f"'{name}' is not part of the stack: {', '.join(each.name for each in self.all())}")

    def up(self) -> None:
        """Starts what does not run, and what runs with other settings or an older program. Then everything is ready."""
        processes.raise_file_limit()
        self._prepare()
        self._start_servers()
        self._migrate_and_make_topics()
        self._start_daemons()
        stack_env.write(self.settings, self.postgres.connection_string())

    def is_gone(self) -> bool:
        """Nothing of it runs."""
        return not any(service.pid() for service in self.all())

    def down(self) -> None:
        """Ends all in the reverse order of starting; servers at once."""
        for daemon in (self.api, self.recorder, self.ingest):
            self._stop(daemon)
        with ThreadPoolExecutor(3) as pool:
            for done in [pool.submit(self._stop, each) for each in self.servers.all()]:
                done.result()

    def restart(self, name: str) -> None:
        service = self.by_name(name)
        with self._progress.step(name) as told:
            service.stop()
            service.start()
            service.wait()
            told("restarted")

    def _prepare(self) -> None:
        settings = self.settings
        settings.make_folders()
        settings.save()
        with self._progress.step("kafka") as told:
            told("fetching Kafka from Maven Central")
            told("fetched" if kafka_jars.fetch(settings) else "already fetched")
        with self._progress.step("certificates") as told:
            told("made" if certificates.ensure(settings) else "already made")
        tokens.ensure(settings)
        owners.ensure(settings.data / "owners.yaml")

    def _start_servers(self) -> None:
        # Where ingest has not subscribed, the broker opens to devices later.
        if not self.mosquitto.admits_devices():
            self.mosquitto.for_devices = False
        with ThreadPoolExecutor(3) as pool:
            for done in [pool.submit(self._start, each) for each in self.servers.all()]:
                done.result()

    def _migrate_and_make_topics(self) -> None:
        self.ctl("migrate", "up", "--migrations", str(ROOT / "migrations"), step="migrations")
        shape = f"{self.settings.partitions}:1"
        arguments = [argument for topic in TOPICS for argument in ("--topic", f"{topic}:{shape}")]
        self.ctl("topics", "apply", *arguments, step="topics")

    def ctl(self, *arguments: str, step: str = "") -> str:
        """Runs the operator's command line against this stack; its standard output."""
        ctl = self.settings.programs / "heliograph"
        if not ctl.exists():
            raise Problem(f"heliograph is not built: {self.settings.programs} does not have it. Try ./dev build")
        environment = stack_env.variables(self.settings, self.postgres.connection_string())
        environment["HELIOGRAPH_MAX_PACKET_BYTES"] = str(self.settings.max_packet_bytes)
        with self._progress.step(step or arguments[0]) as told:
            ended = subprocess.run(
                [str(ctl), *arguments], env=stack_env.merged(environment), capture_output=True, text=True, check=False
            )
            if ended.returncode != 0:
                raise Problem(f"heliograph {' '.join(arguments[:2])} failed:\n{ended.stdout}{ended.stderr}".rstrip())
            told("done")
        return ended.stdout

    def _start_daemons(self) -> None:
        self._start(self.ingest)
        if not self.mosquitto.for_devices:
            with self._progress.step("devices") as told:
                self.mosquitto.open_to_devices()
                self.ingest.wait()
                told("may connect: ingest has subscribed")
        with ThreadPoolExecutor(2) as pool:
            for done in [pool.submit(self._start, each) for each in (self.recorder, self.api)]:
                done.result()

    def _start(self, service) -> None:
        with self._progress.step(service.name) as told:
            started = service.start()
            service.wait()
            told("ready" if started else "ready, ran already")

    def _stop(self, service) -> None:
        if not service.pid():
            service.stop()  # its process id file may still be there
            return
        with self._progress.step(service.name) as told:
            told("ended" if service.stop() else f"did not end within {service.stop_seconds:.0f} s and was killed")


@contextmanager
def exclusively(settings: Settings, seconds: float = 0):
    """Two ./dev up in one data folder would start everything twice. `seconds`: how long to wait for another one's end."""
    settings.data.mkdir(parents=True, exist_ok=True)
    with open(settings.data / "lock", "w", encoding="utf-8") as lock:
        deadline = time.monotonic() + seconds
        while not _locked(lock):
            if time.monotonic() >= deadline:
                raise Problem(f"Another ./dev is starting or ending the stack in {settings.data}; wait for it.")
            time.sleep(0.05)
        yield


def _locked(file) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
