"""All cases, in the order in which they run: those first that make the judge read from the beginning, while there is little."""

from chaos import clocks, network, outside_servers, partitions, processes, told
from chaos.case import Case

CASES = (
    Case("kafka-killed", "Kafka is killed", outside_servers.kill_kafka, read_anew=True),
    Case("kafka-disk-full", "Kafka's disk is full", outside_servers.fill_kafkas_disk, read_anew=True),
    Case("kafka-stopped", "Kafka is stopped: it neither answers nor refuses", outside_servers.stop_kafka),
    Case("ingest-killed", "ingest is killed at random moments, also while it starts", processes.kill_ingest),
    Case("recorder-killed", "two recorders are killed in turn, partitions move", processes.kill_recorder),
    Case("api-killed", "the API is killed with actions under way", processes.kill_api),
    Case("apis-killed", "two replicas of the API are killed in turn, with actions to all devices", processes.kill_apis),
    Case("postgres-killed", "PostgreSQL is killed", outside_servers.kill_postgres),
    Case("postgres-stopped", "PostgreSQL is stopped with all its processes", outside_servers.stop_postgres),
    Case("postgres-read-only", "PostgreSQL reads and does not write", outside_servers.read_only_postgres),
    Case("postgres-full", "PostgreSQL takes no connection more and ends those there are", outside_servers.no_connections_left),
    Case("postgres-locked", "a lock is held on what the recorder writes", outside_servers.lock_tables),
    Case("postgres-deadlocks", "others lock what the recorder writes, the other way round", outside_servers.deadlock),
    Case("broker-restarted", "the broker is restarted cleanly", outside_servers.restart_broker),
    Case(
        "broker-killed-receipts", "the broker is killed, devices keep what has no receipt", outside_servers.kill_broker,
        with_receipts=True,
    ),  # fmt: skip
    Case("broker-killed", "the broker is killed, devices trust its word", outside_servers.kill_broker, may_lose=True),
    Case("broker-stopped", "the broker is stopped and goes on", outside_servers.stop_broker),
    Case("ingest-stopped", "ingest is stopped and goes on", processes.stop("ingest")),
    Case("recorder-stopped", "a recorder is stopped, another takes over, it goes on", processes.stop_recorder),
    Case("api-stopped", "the API is stopped and goes on", processes.stop("api")),
    Case("two-ingests", "two ingests have the same client id", processes.two_ingests),
    Case("servers-away", "each server is gone, then silent: every process that needs it says so", told.servers_away),
    Case("clocks-wrong", "the clock of each process is two years off", clocks.wrong_clocks),
    Case("certificate-ends", "ingest's certificate ends while it is connected", clocks.certificate_ends),
    Case("backlog", "ingest was away and finds a backlog", processes.backlog),
    Case("ten-times", "ten times the usual rate", processes.ten_times),
    Case("net-ingest-broker", "bad network between ingest and the broker", network.between("ingest", "broker")),
    Case("net-ingest-kafka", "bad network between ingest and Kafka", network.between("ingest", "kafka")),
    Case("kafka-slow", "Kafka answers ingest and recorder after seconds", network.slow_kafka),
    Case("net-recorder-kafka", "bad network between the recorder and Kafka", network.between("recorder", "kafka")),
    Case("net-recorder-postgres", "bad network between the recorder and PostgreSQL", network.between("recorder", "postgres")),
    Case("net-api-broker", "bad network between the API and the broker", network.between("api", "broker")),
    Case("net-api-postgres", "bad network between the API and PostgreSQL", network.between("api", "postgres")),
    Case("partitions-grow", "topics get more partitions while everything runs", partitions.grow),
)


def chosen(names: list) -> list:
    """Those with these names; all, where none is given. A ValueError names what is no case."""
    known = {case.name: case for case in CASES}
    for name in names:
        if name not in known:
            raise ValueError(f"'{name}' is no case: {', '.join(known)}")
    return [known[name] for name in names] if names else list(CASES)
