"""Real servers for the Python integration tests: those that ./dev test shares, or own ones when pytest is run by hand."""

import os
from pathlib import Path

import pytest
from harness import folders
from heliograph_local import servers as local


@pytest.fixture(scope="session")
def servers():
    """Broker, Kafka and PostgreSQL; heliograph_local.servers.Servers."""
    shared = os.environ.get("HELIOGRAPH_TEST_SERVERS")
    if shared:
        yield local.start_for_tests(Path(shared))
        return
    data = folders.temporary()
    try:
        yield local.start_for_tests(data)
    finally:
        local.stop_and_remove(data)
