"""Files that are complete or not there, and private where they hold secrets."""

import os
import tempfile
from pathlib import Path

from .problem import Problem


def write(path: Path, text: str, mode: int = 0o600, owner=None) -> bool:
    """Replaces `path` in one step. `owner` is a (uid, gid). False: it already had this text."""
    if path.exists() and path.read_text() == text and path.stat().st_mode & 0o777 == mode:
        return False
    handle, aside = tempfile.mkstemp(prefix=".writing-", dir=path.parent)  # 0600 from the first byte
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
        os.chmod(aside, mode)
        if owner and os.geteuid() == 0:
            os.chown(aside, *owner)
        os.replace(aside, path)
    except BaseException:
        os.unlink(aside)
        raise
    return True


def fill(template: Path, **values) -> str:
    """The template's text with each @NAME@ replaced; a name without a value is a mistake in the template."""
    text = template.read_text()
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    return text


def read_secret(path: Path) -> str:
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        raise Problem(f"{path} is missing; ./dev up makes it") from None


def tail(path: Path, lines: int = 12) -> str:
    """The last lines of a log, for the sentence that says why something did not start."""
    try:
        with open(path, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - 16384))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join("    " + line for line in text.splitlines()[-lines:])
