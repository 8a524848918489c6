"""Certificates that certs/generate refuses to make: expired, of a foreign authority, with a common name of any kind."""

import subprocess
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from heliograph_local.settings import ROOT

GENERATE = ROOT / "certs/generate"

_CONFIGURATION = """
openssl_conf = library
[library]
stbl_section = strings
[strings]
commonName = min:1,max:512
[ca]
default_ca = authority
[authority]
database = {folder}/index.txt
new_certs_dir = {folder}
rand_serial = yes
default_md = sha256
policy = anything
unique_subject = no
x509_extensions = client
[anything]
commonName = supplied
[req]
distinguished_name = name
string_mask = utf8only
[name]
[client]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = clientAuth
"""


@dataclass(frozen=True)
class Pair:
    certificate: Path
    key: Path


def pair(certs: Path, name: str) -> Pair:
    return Pair(certs / f"{name}.crt", certs / f"{name}.key")


def generate(*arguments, out: Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        [str(GENERATE), *map(str, arguments), "--out", str(out)], capture_output=True, text=True, check=False
    )


def sign(authority: Pair, common_name: str, folder: Path, begin=None, end=None) -> Pair:
    """A client certificate with this common name, signed by `authority`, valid from `begin` to `end`."""
    now = datetime.now(timezone.utc)
    begin, end = begin or now - timedelta(hours=1), end or now + timedelta(hours=1)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "index.txt").touch()
    (folder / "openssl.cnf").write_text(_CONFIGURATION.format(folder=folder))
    made = Pair(folder / "made.crt", folder / "made.key")
    # A slash, a plus or an equals sign in the name is the name's, not the subject's.
    escaped = "".join("\\" + character if character in "/+=\\" else character for character in common_name)
    configuration = ["-config", str(folder / "openssl.cnf")]
    request = str(folder / "request")
    _openssl(
        "req", "-new", *configuration, "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc",
        "-subj", f"/CN={escaped}", "-keyout", str(made.key), "-out", request,
    )  # fmt: skip
    _openssl(
        "ca", "-batch", "-notext", *configuration, "-in", request, "-out", str(made.certificate),
        "-cert", str(authority.certificate), "-keyfile", str(authority.key),
        "-startdate", f"{begin:%Y%m%d%H%M%SZ}", "-enddate", f"{end:%Y%m%d%H%M%SZ}",
    )  # fmt: skip
    return made


def text(certificate: Path, *what: str) -> str:
    return _openssl("x509", "-in", str(certificate), "-noout", *what)


def _openssl(*arguments: str) -> str:
    ended = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout
