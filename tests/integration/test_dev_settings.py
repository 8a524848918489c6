"""What ./dev takes from the environment, what it refuses, and the files that it writes from it."""

import multiprocessing
import re
import socket
import stat
from types import SimpleNamespace

import pytest
import yaml
from heliograph_local import files, network, owners, service, settings, tokens
from heliograph_local.problem import Problem
from heliograph_local.settings import PORTS, ROOT


def defaults() -> dict:
    """Variable -> what counts without it, as it is written."""
    chosen = settings.from_environment({})
    folders = {"HELIOGRAPH_DATA": chosen.data, "HELIOGRAPH_CACHE": chosen.cache,
               "HELIOGRAPH_BUILD": chosen.programs.parents[1]}  # fmt: skip
    return {
        "HELIOGRAPH_TOPIC_PREFIX": chosen.topic_prefix,
        "HELIOGRAPH_MAX_PACKET_BYTES": str(chosen.max_packet_bytes),
        **{variable: str(folder.relative_to(ROOT)) for variable, folder in folders.items()},
        **{variable: str(chosen.ports[name]) for name, variable, _, _ in PORTS},
    }


def test_defaults_are_the_ones_that_the_readme_names():
    section = (ROOT / "README.md").read_text().split("\n### The stack on one machine\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(HELIOGRAPH_[A-Z_]+)` \| `([^`]+)` \| .+ \|$", section, re.MULTILINE)
    assert dict(rows) == defaults()
    assert len(rows) == len(defaults()), "each once"


def test_defaults_are_the_ones_that_the_help_names():
    told = re.findall(r"(HELIOGRAPH_[A-Z_]+) \(([^);]+)", (ROOT / "dev").read_text())
    assert {name: value for name, value in told if name != "HELIOGRAPH_PROGRAMS"} == defaults()


def test_what_the_readme_names_is_what_the_environment_changes(tmp_path):
    other = {variable: str(20000 + number) for number, (_, variable, _, _) in enumerate(PORTS)}
    chosen = settings.from_environment(other)
    assert {variable: str(chosen.ports[name]) for name, variable, _, _ in PORTS} == other
    chosen = settings.from_environment({"HELIOGRAPH_CACHE": str(tmp_path / "c"), "HELIOGRAPH_BUILD": str(tmp_path / "b")})
    assert (chosen.cache, chosen.programs) == (tmp_path / "c", tmp_path / "b/dev/bin")


def test_the_environment_overrides(tmp_path):
    chosen = settings.from_environment(
        {
            "HELIOGRAPH_DATA": str(tmp_path),
            "HELIOGRAPH_TOPIC_PREFIX": "redhat/insights",
            "HELIOGRAPH_MQTT_PORT": "28883",
            "HELIOGRAPH_MAX_PACKET_BYTES": "2097152",
        }
    )
    assert (chosen.data, chosen.topic_prefix, chosen.ports["devices"]) == (tmp_path, "redhat/insights", 28883)
    assert chosen.max_message_bytes == 2097152 + 65536


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("HELIOGRAPH_TOPIC_PREFIX", "a/+/b"),
        ("HELIOGRAPH_TOPIC_PREFIX", "#"),
        ("HELIOGRAPH_TOPIC_PREFIX", "/a"),
        ("HELIOGRAPH_TOPIC_PREFIX", "a//b"),
        ("HELIOGRAPH_TOPIC_PREFIX", "$SYS"),
        ("HELIOGRAPH_TOPIC_PREFIX", "a b"),
        ("HELIOGRAPH_TOPIC_PREFIX", "a\nuser root"),
        ("HELIOGRAPH_MQTT_PORT", "0"),
        ("HELIOGRAPH_MQTT_PORT", "65536"),
        ("HELIOGRAPH_API_PORT", "http"),
        ("HELIOGRAPH_KAFKA_PORT", "18883"),  # the devices' default
        ("HELIOGRAPH_MAX_PACKET_BYTES", "12"),
        ("HELIOGRAPH_DATA", "/tmp/a,b"),
        ("HELIOGRAPH_DATA", '/tmp/a"b'),
    ],
)
def test_what_cannot_be_is_refused_by_name(variable, value):
    with pytest.raises(Problem) as problem:
        settings.from_environment({variable: value})
    assert variable.removeprefix("HELIOGRAPH_").split("_")[0].lower() in str(problem.value).lower()


def test_later_commands_mean_the_stack_that_up_was_given(tmp_path):
    given = settings.from_environment({"HELIOGRAPH_DATA": str(tmp_path), "HELIOGRAPH_API_PORT": "28080"})
    given.make_folders()
    given.save()
    assert settings.saved_or_from_environment({"HELIOGRAPH_DATA": str(tmp_path)}) == given


def test_a_taken_port_gets_a_sentence_with_the_port_and_its_variable():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        port = taken.getsockname()[1]
        with pytest.raises(Problem) as problem:
            network.require_free(port, "postgres")
    assert f"Port {port}" in str(problem.value)
    assert "HELIOGRAPH_POSTGRES_PORT=" in str(problem.value)
    network.require_free(port, "postgres")


def test_a_free_port_is_given_away_once(monkeypatch):
    """Nobody listens there yet, or not just now."""
    first = set(network.free_ports().values())
    numbers = iter([*first, *range(31000, 32000)])
    monkeypatch.setattr(network.random, "SystemRandom", lambda: SimpleNamespace(randrange=lambda *_: next(numbers)))
    assert not first & set(network.free_ports().values())


def test_a_program_that_is_missing_gets_a_sentence():
    with pytest.raises(Problem) as problem:
        service.program("no-such-program")
    assert "'no-such-program' is not installed" in str(problem.value)
    assert "./dev build" in str(problem.value)


def test_a_private_file_is_private_from_its_first_byte(tmp_path):
    assert files.write(tmp_path / "secret", "x")
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600
    assert not files.write(tmp_path / "secret", "x"), "nothing changed"
    (tmp_path / "secret").chmod(0o644)
    assert files.write(tmp_path / "secret", "x"), "its mode is put right"
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600


def test_the_token_itself_is_in_one_file_only(tmp_path):
    chosen = settings.from_environment({"HELIOGRAPH_DATA": str(tmp_path)})
    tokens.ensure(chosen)
    token = files.read_secret(tokens.token_file(chosen))
    assert token not in (tmp_path / "tokens.yaml").read_text()
    tokens.ensure(chosen)
    assert files.read_secret(tokens.token_file(chosen)) == token, "it is kept"
    assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()} == {0o600}


def rules(file):
    return yaml.safe_load(file.read_text())["rules"] or []


def test_an_owner_rule_is_exact_first_and_replaced(tmp_path):
    file = tmp_path / "owners.yaml"
    owners.ensure(file)
    assert yaml.safe_load(file.read_text()) == {"rules": []}, "the recorder wants a list, if an empty one"
    owners.ensure(file, [("solar-*", "demo")])
    owners.set_owner(file, "solar-1", "acme")
    owners.set_owner(file, "no", "true")  # words that YAML would take for something else
    owners.set_owner(file, "1.0", "0x10")
    owners.set_owner(file, "solar-1", "other")
    assert rules(file) == [
        {"client_id": "solar-1", "tenant": "other"},
        {"client_id": "1.0", "tenant": "0x10"},
        {"client_id": "no", "tenant": "true"},
        {"pattern": "solar-*", "tenant": "demo"},
    ]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_what_somebody_wrote_into_the_rules_stays(tmp_path):
    file = tmp_path / "owners.yaml"
    file.write_text("# ours\nrules:  # first match wins\n  # the field\n  - {pattern: 'x*', tenant: x}\n")
    owners.set_owner(file, "a", "t")
    assert file.read_text() == (
        '# ours\nrules:  # first match wins\n  - {client_id: "a", tenant: "t"}\n'
        "  # the field\n  - {pattern: 'x*', tenant: x}\n"
    )
    file.write_text("rules: [{pattern: 'x*', tenant: x}]\n")
    with pytest.raises(Problem):
        owners.set_owner(file, "a", "t")


def _add_ten(file, number):
    for index in range(10):
        owners.set_owner(file, f"device-{number}-{index}", "demo")


def test_rules_that_are_added_at_once_are_all_there(tmp_path):
    file = tmp_path / "owners.yaml"
    owners.ensure(file)
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_add_ten, args=(file, number)) for number in range(5)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert len(rules(file)) == 50
