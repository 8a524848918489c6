"""Where and with what something was measured: what a page of figures must say to mean anything."""

import os
import platform
import re
import subprocess
from datetime import datetime, timezone

from heliograph_local import kafka_jars
from heliograph_local.settings import ROOT

PACKAGES = {
    "Mosquitto": "mosquitto",
    "libmosquitto": "libmosquitto1",
    "librdkafka": "librdkafka1",
    "PostgreSQL": "postgresql-15",
    "OpenSSL": "libssl3",
    "Java": "openjdk-17-jre-headless",
    "mosquitto_sub": "mosquitto-clients",
    "kcat": "kcat",
    "wrk": "wrk",
}


def described() -> dict:
    return {
        "cores": os.cpu_count(),
        "processor": _first(r"(?m)^model name\s*:\s*(.+)$", _read("/proc/cpuinfo")) or platform.machine(),
        "memory_gib": round(int(_first(r"MemTotal:\s+(\d+)", _read("/proc/meminfo"))) / 2**20, 1),
        "kernel": platform.release(),
        "system": _first(r'(?m)^PRETTY_NAME="(.+)"$', _read("/etc/os-release")),
    }


def versions() -> dict:
    found = {"Kafka": kafka_jars.version()}
    for name, package in PACKAGES.items():
        ended = _run("dpkg-query", "-W", "-f", "${Version}", package)
        if ended:
            found[name] = ended
    return found


def now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M")


def commit() -> str:
    """Of the sources; says when they differ from it."""
    changed = _run("git", "status", "--porcelain", "--", "src", "cmd", "migrations", "deploy", "tests/bench", "tests/harness")
    return (_run("git", "rev-parse", "--short=10", "HEAD") or "unknown") + (" and changes" if changed else "")


def load() -> float:
    """Of the last minute: what else the machine was doing before."""
    return os.getloadavg()[0]


def _run(*command: str) -> str:
    try:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def _read(file: str) -> str:
    with open(file, encoding="utf-8") as opened:
        return opened.read()


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    return found.group(1) if found else ""
