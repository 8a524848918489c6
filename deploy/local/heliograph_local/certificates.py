"""The stack's certificates, by certs/generate."""

import subprocess

from .problem import Problem
from .settings import ROOT, Settings

ROLES = ("ingest", "api", "recorder")
RENEW_SECONDS = 14 * 24 * 3600


def ensure(settings: Settings) -> bool:
    """Makes the authorities, the broker's and the services' certificates where they are missing or about to expire."""
    made = False
    if not (settings.certs / "ca.crt").exists():
        generate(settings, "ca")
        made = True
    for name, command in (("broker", ["broker"]), *((role, ["service", role]) for role in ROLES)):
        if not _is_good(settings, name):
            # Half of a pair, or one that is about to expire: ours to replace, the authority stays.
            (settings.certs / f"{name}.crt").unlink(missing_ok=True)
            (settings.certs / f"{name}.key").unlink(missing_ok=True)
            generate(settings, *command)
            made = True
    return made


def ensure_devices(settings: Settings, client_ids, tenant: str = "demo") -> None:
    missing = [each for each in client_ids if not (settings.certs / f"{each}.crt").exists()]
    if missing:
        generate(settings, "device", *missing, "--tenant", tenant)


def generate(settings: Settings, *arguments: str) -> None:
    command = [str(ROOT / "certs/generate"), *arguments, "--out", str(settings.certs)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        raise Problem(ended.stderr.strip())


def _is_good(settings: Settings, name: str) -> bool:
    file = settings.certs / f"{name}.crt"
    command = ["openssl", "x509", "-in", str(file), "-noout", "-checkend", str(RENEW_SECONDS)]
    return (
        file.exists()
        and file.with_suffix(".key").exists()
        and subprocess.run(command, capture_output=True, check=False).returncode == 0
    )
