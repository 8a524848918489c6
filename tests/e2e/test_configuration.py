"""The settings' reference and default files are what the daemons say, and are settings that the daemons take."""

import re
import subprocess

import pytest
from heliograph_local import settings
from heliograph_local.settings import ROOT

DAEMONS = ("ingest", "recorder", "api")


@pytest.fixture(name="programs", scope="module")
def _programs():
    return settings.from_environment().programs


def run(*command) -> subprocess.CompletedProcess:
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=30, check=False)


def test_the_written_pages_are_current(programs, tmp_path):
    ended = run(ROOT / "deploy/write-configuration", programs, tmp_path)
    assert ended.returncode == 0, ended.stderr
    for name in ("CONFIGURATION.md", *(f"config/{daemon}.yaml" for daemon in DAEMONS)):
        assert (ROOT / "deploy" / name).read_text() == (tmp_path / name).read_text(), (
            f"deploy/{name} is not what the programs say; run deploy/write-configuration {programs}"
        )


@pytest.mark.parametrize("daemon", DAEMONS)
def test_the_default_file_is_all_defaults(programs, daemon):
    program, file = programs / f"heliograph-{daemon}", ROOT / f"deploy/config/{daemon}.yaml"
    assert run(program, "--print-config").stdout == run(program, "--config", file, "--print-config").stdout


@pytest.mark.parametrize("daemon", DAEMONS)
def test_check_config_tells_all_mistakes_with_their_lines(programs, tmp_path, daemon):
    file = tmp_path / "wrong.yaml"
    file.write_text("log:\n  level: loud\nadmin:\n  port: 99999\nshoe_size: 43\n")
    ended = run(programs / "heliograph", "check-config", daemon, file)
    assert ended.returncode == 2
    told = ended.stdout + ended.stderr
    for line, word in ((2, "level"), (4, "port"), (5, "shoe_size")):
        assert f"{file}:{line}" in told and word in told, told


@pytest.mark.parametrize("daemon", DAEMONS)
def test_check_config_takes_a_good_file(programs, tmp_path, daemon):
    file = tmp_path / "good.yaml"
    file.write_text("log: {level: debug}\n")
    assert run(programs / "heliograph", "check-config", daemon, file).returncode == 0


def test_the_page_about_simulated_devices_names_only_flags_that_exist(programs):
    told = run(programs / "heliograph-fleet", "--help").stdout
    flags = set(re.findall(r"^  (--[a-z-]+)", told, re.MULTILINE)) | {"--help"}
    generator = {"--tenant", "--out"}  # of certs/generate
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", (ROOT / "docs/FLEET.md").read_text())) - generator
    assert len(named) > 15
    assert named - flags == set()
