"""Folders for servers that do not run as root.

PostgreSQL refuses to run as root and Mosquitto gives root up, so when ./dev is run by root these two run as the accounts
that their packages made. Such an account cannot pass through /root (mode 0700), where a clone may well be; the folder is
then under /var/lib/heliograph-local and the data folder has a link to it."""

import hashlib
import os
import pwd
import shutil
import subprocess
from pathlib import Path

from .problem import Problem

ELSEWHERE = Path("/var/lib/heliograph-local")


class Account:
    """Who a server runs as. Threads: immutable."""

    def __init__(self, name: str):
        if os.geteuid() != 0:
            self.name, self.ids = pwd.getpwuid(os.geteuid()).pw_name, None
            return
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            raise Problem(f"There is no account '{name}', which its package makes; ./dev build installs it") from None
        self.name, self.ids = name, (entry.pw_uid, entry.pw_gid)

    @property
    def popen_arguments(self) -> dict:
        if self.ids is None:
            return {}
        return {"user": self.ids[0], "group": self.ids[1], "extra_groups": []}

    def can_enter(self, folder: Path) -> bool:
        if self.ids is None:
            return True
        tried = subprocess.run(["test", "-x", str(folder)], cwd="/", check=False, **self.popen_arguments)
        return tried.returncode == 0


def home(data: Path, name: str, account: Account) -> Path:
    """The private folder of one server, made if it is not there; its real path."""
    link = data / name
    if account.ids is None or account.can_enter(data):
        link.mkdir(mode=0o700, exist_ok=True)
        real = link
    else:
        real = ELSEWHERE / hashlib.sha256(str(data).encode()).hexdigest()[:16] / name
        if not link.is_symlink() and real.exists():
            shutil.rmtree(real)  # the data folder was removed; this is its other half
        real.mkdir(mode=0o700, parents=True, exist_ok=True)
        real.parent.chmod(0o711)
        ELSEWHERE.chmod(0o711)
        if not link.is_symlink():
            link.symlink_to(real)
    if account.ids is not None:
        os.chown(real, *account.ids)
    return real


def remove(data: Path) -> None:
    """Removes a data folder with what is elsewhere; for the temporary ones of tests."""
    for link in data.iterdir():
        if link.is_symlink() and ELSEWHERE in Path(os.readlink(link)).parents:
            shutil.rmtree(os.readlink(link), ignore_errors=True)
            if not any(os.scandir(Path(os.readlink(link)).parent)):
                Path(os.readlink(link)).parent.rmdir()
    shutil.rmtree(data, ignore_errors=True)
