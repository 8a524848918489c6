"""The owner rules: which tenant a device belongs to. Read by the recorder, written by ./dev cert."""

import fcntl
import json
import re
from pathlib import Path

from . import files
from .problem import Problem

HEADER = """\
# Whose device is it? The first rule that matches says; a device without one is kept, marked and hidden from tenants.
# Rules: {client_id: "exact", tenant: "name"} or {pattern: "glob with *", tenant: "name"}. Read again when it changes.
rules: []
"""


def ensure(file: Path, patterns=()) -> None:
    """The file, with a rule for each (pattern, tenant) that has none yet."""
    if not file.exists():
        files.write(file, HEADER)
    for pattern, tenant in patterns:
        _change(file, "pattern", pattern, tenant, at_end=True)


def set_owner(file: Path, client_id: str, tenant: str) -> None:
    """An exact rule, before all others, in place of an earlier one for the same device."""
    ensure(file)
    _change(file, "client_id", client_id, tenant, at_end=False)


def _change(file: Path, key: str, value: str, tenant: str, at_end: bool) -> None:
    # Two ./dev cert at once must not lose each other's rule.
    with open(file.with_suffix(".lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lines = file.read_text().splitlines()
        begin = next((n for n, line in enumerate(lines) if re.match(r"rules:\s*(\[\])?\s*(#.*)?$", line)), None)
        if begin is None:
            raise Problem(f"{file} has no line 'rules:' to add to; put the rule there by hand")
        lines[begin] = lines[begin].replace("rules: []", "rules:")
        # JSON strings are YAML strings, whatever is in them.
        rule = f"  - {{{key}: {json.dumps(value)}, tenant: {json.dumps(tenant)}}}"
        same = f"  - {{{key}: {json.dumps(value)}, tenant: "
        lines = [line for line in lines if not line.startswith(same)]
        lines.insert(len(lines) if at_end else begin + 1, rule)
        files.write(file, "\n".join(lines) + "\n")
