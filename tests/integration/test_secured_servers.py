"""Real sites are reached by configuration alone: Kafka over SASL_SSL, PostgreSQL with sslmode=verify-full, on real servers."""

from types import SimpleNamespace

import psycopg2
import pytest
from harness import kafka_log, secured_servers, wait
from harness.api_alone import ApiAlone
from harness.ingest_bench import IngestBench


@pytest.fixture(scope="module", name="kafka")
def _kafka():
    with secured_servers.running(secured_servers.SecuredKafka) as server:
        yield server


@pytest.fixture(scope="module", name="postgres")
def _postgres():
    with secured_servers.running(secured_servers.SecuredPostgres) as server:
        yield server


@pytest.fixture(name="bench")
def _bench(servers, tmp_path):
    bench = IngestBench(servers, tmp_path)
    yield bench
    bench.end()


def secured_ingest(bench, kafka, folder, password: str, authority: str = "ca.crt"):
    """An ingest for the secured listener."""
    file = folder / "sasl.password"
    file.touch(mode=0o600)
    file.write_text(password + "\n")
    properties = {
        "security.protocol": "sasl_ssl",
        "sasl.mechanism": "PLAIN",
        "sasl.username": secured_servers.USER,
        "ssl.ca.location": kafka.settings.certs / authority,
    }
    return bench.ingest(
        KAFKA__BROKERS=kafka.address,
        KAFKA__PROPERTIES=",".join(f"{name}={value}" for name, value in properties.items()),
        KAFKA__SASL_PASSWORD_FILE=file,
    )


def test_ingest_delivers_to_a_kafka_behind_sasl_and_tls(bench, kafka, tmp_path):
    ingest = secured_ingest(bench, kafka, tmp_path, kafka.password).start().ready(60)
    bench.device("device-1").publish(bench.topic("device-1"), b"through TLS")
    records = wait.until(
        lambda: kafka_log.read(kafka.settings.kafka_address, ingest.topics["data"]), "the message is in Kafka", 30
    )
    assert [(record.key, record.value) for record in records] == [(b"device-1", b"through TLS")]
    assert kafka.password not in ingest.log()
    assert ingest.stop() < 5


@pytest.mark.parametrize(
    ("password", "authority", "why"),
    [("wrong", "ca.crt", "uthentication"), (secured_servers.SecuredKafka.password, "devices-ca.crt", "certificate")],
)
def test_ingest_is_not_ready_for_a_kafka_that_it_may_not_talk_to(bench, kafka, tmp_path, password, authority, why):
    ingest = secured_ingest(bench, kafka, tmp_path, password, authority).start()
    wait.until(lambda: why in ingest.reason("kafka"), f"it says why: {why}", 30)
    assert password not in ingest.reason("kafka") + ingest.log()
    assert ingest.stop() < 5


def api_for(servers, postgres, folder, authority: str) -> ApiAlone:
    ports = {**servers.settings.ports, "postgres": postgres.settings.ports["postgres"]}
    behind = SimpleNamespace(settings=servers.settings.with_(ports=ports), postgres=postgres)
    api = ApiAlone(behind, folder)
    api.database += f"?sslmode=verify-full&sslrootcert={postgres.settings.certs / authority}"
    return api


def test_the_api_answers_from_a_database_that_is_verified(servers, postgres, tmp_path):
    api = api_for(servers, postgres, tmp_path, "ca.crt")
    try:
        api.start()
        api.add_connection("device-1")
        assert api.get("/v1/connections/device-1").json()["state"] == "online"
        sessions = api.query(
            "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name LIKE 'heliograph-api%%'"
        )
        assert sessions and all(each["ssl"] for each in sessions)
        with pytest.raises(psycopg2.OperationalError):
            psycopg2.connect(api.database.replace("verify-full", "disable"))
    finally:
        api.close()


def test_the_api_is_not_ready_for_a_database_of_another_authority(servers, postgres, tmp_path):
    api = api_for(servers, postgres, tmp_path, "devices-ca.crt")
    try:
        api.start(waits=False)
        wait.until(lambda: "certificate" in api.ready()[1].get("postgres", {}).get("reason", ""), "it says why")
        assert api.get("/v1/connections").status_code == 503
    finally:
        api.close()
