"""certs/generate: what it makes, what it refuses, and that nothing of it is in git."""

import re
import subprocess

import pytest
from harness import certificates
from heliograph_local.settings import ROOT

ROLES = ("ingest", "api", "recorder")


@pytest.fixture(name="site", scope="module")
def _site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    for arguments in (
        ["ca"],
        ["broker", "--host", "mqtt.example.org", "--host", "192.0.2.7"],
        *(["service", role] for role in ROLES),
        ["device", "solar-1", "solar:2", "A.b_c-9", "--tenant", "acme"],
    ):
        made = certificates.generate(*arguments, out=folder)
        assert made.returncode == 0, made.stderr
    return folder


def test_keys_are_for_their_owner_only(site):
    keys = list(site.glob("*.key"))
    assert len(keys) == 2 + 1 + 3 + 3
    assert {oct(key.stat().st_mode & 0o777) for key in keys} == {"0o600"}


def test_leaves_nothing_half_made_behind(site):
    assert [entry.name for entry in site.iterdir() if entry.suffix not in (".crt", ".key")] == []


@pytest.mark.parametrize("name", ["devices-ca", "services-ca", "broker", "api", "solar-1"])
def test_uses_p256_and_sha256(site, name):
    text = certificates.text(site / f"{name}.crt", "-text")
    assert "NIST CURVE: P-256" in text
    assert "Signature Algorithm: ecdsa-with-SHA256" in text


def test_a_device_is_its_client_id_and_its_tenant_is_for_people_to_read(site):
    assert certificates.text(site / "solar:2.crt", "-subject").strip() == "subject=O = acme, CN = solar:2"


@pytest.mark.parametrize(
    ("name", "authority", "others"),
    [("solar-1", "devices-ca", "services-ca"), ("api", "services-ca", "devices-ca"), ("broker", "ca", "devices-ca")],
)
def test_each_is_signed_by_its_authority_and_by_no_other(site, name, authority, others):
    def verify(by):
        command = ["openssl", "verify", "-CAfile", str(site / f"{by}.crt"), str(site / f"{name}.crt")]
        return subprocess.run(command, capture_output=True, check=False).returncode

    assert verify(authority) == 0
    assert verify(others) != 0


@pytest.mark.parametrize(
    ("name", "good_for", "not_for"),
    [("solar-1", "sslclient", "sslserver"), ("ingest", "sslclient", "sslserver"), ("broker", "sslserver", "sslclient")],
)
def test_each_is_good_for_one_side_of_the_handshake(site, name, good_for, not_for):
    authority = "devices-ca" if name == "solar-1" else "services-ca"

    def verify(purpose):
        command = ["openssl", "verify", "-purpose", purpose, "-CAfile", str(site / f"{authority}.crt")]
        return subprocess.run([*command, str(site / f"{name}.crt")], capture_output=True, check=False).returncode

    assert verify(good_for) == 0
    assert verify(not_for) != 0


def test_a_device_cannot_sign_another(site):
    assert "CA:FALSE" in certificates.text(site / "solar-1.crt", "-ext", "basicConstraints")
    assert "CA:TRUE, pathlen:0" in certificates.text(site / "devices-ca.crt", "-ext", "basicConstraints")


def test_the_broker_answers_to_its_names(site):
    names = certificates.text(site / "broker.crt", "-ext", "subjectAltName")
    for name in ("DNS:localhost", "IP Address:127.0.0.1", "DNS:mqtt.example.org", "IP Address:192.0.2.7"):
        assert name in names


@pytest.mark.parametrize(
    ("name", "days"), [("devices-ca", 3650), ("services-ca", 3650), ("broker", 397), ("api", 397), ("solar-1", 730)]
)
def test_lifetimes(site, name, days):
    def valid_in(number_of_days):
        seconds = str(int(number_of_days * 86400))
        command = ["openssl", "x509", "-in", str(site / f"{name}.crt"), "-noout", "-checkend", seconds]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    assert valid_in(days - 0.5)
    assert not valid_in(days + 0.5)


@pytest.mark.parametrize(
    "arguments", [["ca"], ["broker"], ["service", "api"], ["device", "solar-1"], ["device", "new-one", "solar-1"]]
)
def test_overwrites_nothing(site, arguments):
    before = {file.name: file.read_bytes() for file in site.glob("*") if not file.name.startswith("new-one")}
    refused = certificates.generate(*arguments, out=site)
    assert refused.returncode == 1
    assert "not overwritten" in refused.stderr
    assert {file.name: file.read_bytes() for file in site.glob("*") if not file.name.startswith("new-one")} == before


@pytest.mark.parametrize(
    "client_id",
    [
        "", "a/b", "a+b", "#", "@ingest", "ä", "a b", "a\nb", "a" * 129, "..", ".", "a;x",
        "ingest", "api", "recorder", "broker", "ca", "devices-ca", "services-ca",
    ],
)  # fmt: skip
def test_refuses_what_is_no_client_id_or_another_ones_name(site, client_id):
    refused = certificates.generate("device", client_id, out=site)
    assert refused.returncode == 1
    assert refused.stderr.startswith("certs/generate: ")


def test_takes_the_longest_client_id_and_says_what_is_odd_about_it(site):
    made = certificates.generate("device", "x" * 128, out=site)
    assert made.returncode == 0
    assert "note: a common name over 64 bytes" in made.stderr
    assert certificates.text(site / f"{'x' * 128}.crt", "-subject").strip().endswith("CN = " + "x" * 128)


@pytest.mark.parametrize("tenant", ["", "-x", "a/b", "a b", "ü", "t" * 65])
def test_refuses_what_is_no_tenant(site, tenant):
    refused = certificates.generate("device", "solar-9", "--tenant", tenant, out=site)
    assert refused.returncode == 1
    assert not (site / "solar-9.crt").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["service", "admin"], "not a service's role"),
        (["service"], "one role"),
        (["device"], "needs a client id"),
        (["nonsense"], "not one of"),
        (["device", "x", "--days", "0"], "--days"),
        (["device", "x", "--force"], "not an option"),
        (["broker", "--host", "a b"], "not a host"),
    ],
)
def test_mistakes_get_a_sentence(site, arguments, says):
    refused = certificates.generate(*arguments, out=site)
    assert refused.returncode == 1
    assert says in refused.stderr


def test_without_an_authority_it_says_what_to_do_first(tmp_path):
    refused = certificates.generate("device", "solar-1", out=tmp_path)
    assert refused.returncode == 1
    assert "certs/generate ca" in refused.stderr


def test_no_key_or_certificate_is_in_git():
    """Neither by its name nor by what is in it: in what is committed, in what is staged and in what would be added."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=False
    )
    if listed.returncode != 0:
        pytest.skip("not a git clone: " + listed.stderr.decode().strip())
    files = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    assert ROOT / "certs/generate" in files  # or the list is wrong and the test could not fail
    # With the Base64 that follows, since tests and their messages name the first line.
    pem = re.compile(rb"-----BEGIN (CERTIFICATE|[A-Z ]*PRIVATE KEY)-----\\?[rn\s]+[A-Za-z0-9+/=]{40}")
    assert pem.search(b"-----BEGIN EC " + b"PRIVATE KEY-----\n" + b"MHcCAQEE" * 8)
    found = [
        file.name
        for file in files
        if file.is_file() and (file.suffix in (".key", ".crt", ".pem", ".p12") or pem.search(file.read_bytes()))
    ]
    assert found == []
