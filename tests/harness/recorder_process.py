"""heliograph-recorder alone, between a Kafka and a PostgreSQL that are there already: its own topics, its own database."""

import json
import signal
import subprocess
import uuid
from pathlib import Path

import httpx
import psycopg2
import psycopg2.extras
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from harness import kafka_log, kafka_topics, metrics, wait
from heliograph_local import files, network
from heliograph_local.settings import HOST, ROOT, from_environment


ROLES = ("control", "data", "dead_letter", "events", "results", "action_dead_letter")


class RecorderBench:
    """Topics and a database of a test's own, and the recorders that share them. Threads: one thread."""

    def __init__(self, servers, folder: Path):
        self.servers = servers
        self.folder = folder
        self.programs = from_environment().programs
        self.name = uuid.uuid4().hex[:8]
        self.topics = {role: f"{role}-{self.name}" for role in ROLES}
        self.database = servers.postgres.create_database(f"recorder_{self.name}")
        self.owners = folder / "owners.yaml"
        self.owners.write_text("rules:\n  - {pattern: \"*\", tenant: demo}\n")
        self.ctl("migrate", "up", "--postgres", self.database, "--migrations", str(ROOT / "migrations"))
        topics = [word for name in self.topics.values() for word in ("--topic", f"{name}:3:1")]
        self.ctl("topics", "apply", "--kafka", servers.settings.kafka_address, "--keep", self.topics["control"], *topics)
        self._producer = Producer(
            {
                "bootstrap.servers": servers.settings.kafka_address,
                "partitioner": "murmur2_random",
                "message.max.bytes": 2_000_000,
                "enable.idempotence": True,
                "log_level": 0,
            }
        )
        self._recorders = []

    def recorder(self, name: str = "recorder", **overrides) -> "RecorderProcess":
        """One that is not started; replicas have different names."""
        recorder = RecorderProcess(self, name, **overrides)
        self._recorders.append(recorder)
        return recorder

    def end(self) -> None:
        for recorder in self._recorders:
            recorder.end()

    def ctl(self, *arguments: str) -> str:
        command = [self.programs / "heliograph", *arguments]
        ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        assert ended.returncode == 0, f"heliograph {' '.join(arguments)}: {ended.stdout}{ended.stderr}"
        return ended.stdout

    def rebuild(self) -> dict:
        """`heliograph state rebuild`; its report."""
        return json.loads(
            self.ctl(
                "state", "rebuild", "--json", "--postgres", self.database, "--kafka", self.servers.settings.kafka_address,
                "--topic", self.topics["control"], "--owners", str(self.owners),
            )
        )  # fmt: skip

    # --- The log ----------------------------------------------------------------------------------------------------

    def say(self, client_id: str, payload: bytes, role: str = "control", **more) -> None:
        """A record as ingest writes it; in Kafka after `flush`. `more`: partition and headers."""
        while True:
            try:
                self._producer.produce(self.topics[role], key=client_id, value=payload, on_delivery=_must_be_taken, **more)
                self._producer.poll(0)
                return
            except BufferError:
                self._producer.poll(0.05)

    def flush(self) -> None:
        assert self._producer.flush(60) == 0, "Kafka has not taken the records"

    def records(self, role: str) -> list:
        """Of a topic, by its role; the names of the whole stack are taken, too, so that e2e/state.py reads this."""
        role = {"device.control": "control", "device.dead-letter": "dead_letter", "connection.events": "events"}.get(role, role)
        return kafka_log.read(self.servers.settings.kafka_address, self.topics[role])

    def events(self) -> list:
        """Each event once, in the order in which it first appears in its partition."""
        events, seen = [], set()
        for record in self.records("events"):
            event = json.loads(record.value)
            assert event["subject"].encode() == record.key
            if (event["source"], event["id"]) not in seen:
                seen.add((event["source"], event["id"]))
                events.append(event)
        return events

    def delete_topic(self, role: str) -> None:
        admin = AdminClient({"bootstrap.servers": self.servers.settings.kafka_address, "log_level": 0})
        for deleted in admin.delete_topics([self.topics[role]]).values():
            deleted.result(30)

    def create_topic(self, role: str) -> None:
        admin = AdminClient({"bootstrap.servers": self.servers.settings.kafka_address, "log_level": 0})
        for created in admin.create_topics([NewTopic(self.topics[role], 3, 1)]).values():
            created.result(30)

    def grow(self, role: str, partitions: int) -> None:
        """More partitions for a topic; `say` knows them, too."""
        kafka_topics.grow(self.servers.settings.kafka_address, {self.topics[role]: partitions})

        def known() -> int:
            return len(self._producer.list_topics(self.topics[role], timeout=10).topics[self.topics[role]].partitions)

        wait.until(lambda: known() == partitions, f"{self.topics[role]} has {partitions} partitions")

    def shorten_log(self, role: str, partition: int, before: int) -> None:
        """Deletes the partition's records before this offset."""
        job = self.folder / "delete-records.json"
        place = {"topic": self.topics[role], "partition": partition, "offset": before}
        job.write_text(json.dumps({"partitions": [place], "version": 1}))
        java = self.servers.kafka.command()[:-2]  # without the class and its argument
        command = ["org.apache.kafka.tools.DeleteRecordsCommand", "--bootstrap-server", self.servers.settings.kafka_address]
        ended = subprocess.run(
            [*java, *command, "--offset-json-file", str(job)], capture_output=True, text=True, check=False, timeout=60
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr

    # --- The database -----------------------------------------------------------------------------------------------

    def query(self, sql: str, *parameters) -> list:
        connection = psycopg2.connect(self.database, cursor_factory=psycopg2.extras.RealDictCursor, connect_timeout=5)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(sql, parameters)
                return [dict(row) for row in cursor.fetchall()] if cursor.description else []
        finally:
            connection.close()

    def connection(self, client_id: str) -> dict:
        rows = self.query(
            "SELECT * FROM connections LEFT JOIN connection_descriptions USING (client_id) WHERE client_id = %s", client_id
        )
        return rows[0] if rows else {}

    def stays(self, client_id: str) -> list:
        return self.query("SELECT * FROM intervals WHERE client_id = %s ORDER BY online_from, opened_offset", client_id)

    def is_applied(self, role: str = "control") -> bool:
        """All that is in the topic now."""
        ends = {record.partition: record.offset + 1 for record in self.records(role)}
        rows = self.query("SELECT partition, next_offset FROM kafka_offsets WHERE topic = %s", self.topics[role])
        offsets = {row["partition"]: row["next_offset"] for row in rows}
        return all(offsets.get(partition, 0) >= end for partition, end in ends.items())

    def wait_until_applied(self, role: str = "control", seconds: float = 60) -> None:
        self.flush()
        wait.until(lambda: self.is_applied(role), f"all of {self.topics[role]} is applied", seconds)

    def wait_until_published(self, seconds: float = 30) -> None:
        """No event waits for Kafka any more."""
        wait.until(lambda: not self.query("SELECT 1 FROM connection_events_outbox"), "the outbox is empty", seconds)

    def set_owners(self, *rules: str) -> None:
        files.write(self.owners, "rules:\n" + "".join(f"  - {rule}\n" for rule in rules))


def _must_be_taken(error, _) -> None:
    assert error is None, error


class RecorderProcess:
    """`overrides`: settings by their environment names without the program, as BATCH__MAX_RECORDS. Threads: one thread."""

    def __init__(self, bench: RecorderBench, name: str, **overrides):
        self._program = bench.programs / "heliograph-recorder"
        self._log = bench.folder / f"{name}.log"
        self.admin_port = network.free_port()
        topics = {f"TOPICS__{role.upper()}": f"{topic}:3:1" for role, topic in bench.topics.items()}
        values = {
            "LOG__FORMAT": "json",
            "ADMIN__PORT": self.admin_port,
            "KAFKA__BROKERS": bench.servers.settings.kafka_address,
            "KAFKA__GROUP_ID": f"recorder-{bench.name}",
            "KAFKA__GROUP_INSTANCE_ID": name,
            "POSTGRES__CONNECTION": bench.database,
            "OWNERS__RULES_FILE": bench.owners,
            **topics,
            **overrides,
        }
        self._environment = {f"HELIOGRAPH_RECORDER__{key}": str(value) for key, value in values.items()}
        self._child = None

    def start(self) -> "RecorderProcess":
        """Does not wait."""
        with open(self._log, "ab") as log:
            self._child = subprocess.Popen([self._program], env=self._environment, stderr=log, stdin=subprocess.DEVNULL)
        return self

    def ready(self, seconds: float = 30) -> "RecorderProcess":
        wait.until(lambda: self.health().get("ready"), f"the recorder is ready; it says {self.health()}", seconds)
        return self

    def kill(self) -> None:
        self._child.kill()
        self._child.wait()

    def stop(self) -> None:
        """SIGTERM. It must end with 0, in time."""
        self._child.terminate()
        code = self._child.wait(timeout=10)
        assert code == 0, f"ended with {code}: {self.log()[-2000:]}"

    def pause(self) -> None:
        self._child.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._child.send_signal(signal.SIGCONT)

    def end(self) -> None:
        """However it is."""
        if self._child and self._child.poll() is None:
            self.resume()
            self.kill()

    @property
    def alive(self) -> bool:
        return self._child.poll() is None

    @property
    def pid(self) -> int:
        return self._child.pid

    def health(self) -> dict:
        """/readyz; empty while nobody answers."""
        try:
            return httpx.get(f"http://{HOST}:{self.admin_port}/readyz", timeout=5).json()
        except httpx.HTTPError:
            return {}

    def reason(self, dependency: str) -> str:
        """Why it is not ready, or degraded; "" when all is well, or when nobody answers."""
        return self.health().get("dependencies", {}).get(dependency, {}).get("reason", "")

    def value(self, name: str, **labels: str) -> float:
        """Of the metric heliograph_recorder_{name}; 0 while nobody answers."""
        return self.metric(f"heliograph_recorder_{name}", **labels)

    def metric(self, name: str, **labels: str) -> float:
        """By its whole name; 0 while nobody answers."""
        try:
            text = httpx.get(f"http://{HOST}:{self.admin_port}/metrics", timeout=5).text
        except httpx.HTTPError:
            return 0
        return metrics.parse(text).value(name, **labels)

    def log(self) -> str:
        return self._log.read_text()

    def lines(self, words: str) -> list:
        """Its log lines with these fixed words, as objects."""
        lines = [json.loads(line) for line in self.log().splitlines() if line.startswith("{")]
        return [line for line in lines if words in json.dumps(line)]
