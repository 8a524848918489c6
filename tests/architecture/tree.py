"""The project's files as text, and the include table of docs/ARCHITECTURE.md."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# The words of the table's column "outside library" -> what its headers begin with.
LIBRARIES = {
    "spdlog": ("spdlog/",),
    "yaml-cpp": ("yaml-cpp/",),
    "prometheus-cpp": ("prometheus/",),
    "nlohmann-json": ("nlohmann/",),
    "OpenSSL": ("openssl/",),
    "libmosquitto": ("mosquitto.h", "mqtt_protocol.h"),
    "librdkafka": ("librdkafka/",),
    "libpq": ("libpq-fe.h",),
    "Pistache": ("pistache/",),
    "Boost.Beast": ("boost/beast/", "boost/asio/buffer.hpp", "boost/system/"),
    "libcurl": ("curl/",),
    "CLI11": ("CLI/",),
}
# What the system itself offers: POSIX and Linux.
SYSTEM = re.compile(
    r"(arpa|linux|net|netinet|sys)/[a-z_]+\.h"
    r"|(dirent|dlfcn|errno|fcntl|netdb|poll|pthread|sched|signal|strings|syslog|termios|time|unistd)\.h"
)
STANDARD = re.compile(r"[a-z_]+")  # <vector>


@dataclass(frozen=True)
class Row:
    """What one folder may include. Threads: immutable."""

    libraries: frozenset
    folders: frozenset


def files() -> dict:
    """Path -> text of all that git has or would take; what is not text is left out."""
    command = ["git", "-c", "safe.directory=*", "-C", str(ROOT), "ls-files", "-z", "-co", "--exclude-standard"]
    listed = subprocess.run(command, capture_output=True, check=True).stdout.decode()
    texts = {}
    for name in sorted(set(filter(None, listed.split("\0")))):
        path = ROOT / name
        if path.is_symlink() or not path.is_file():
            continue
        try:
            texts[name] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            texts[name] = ""
    return texts


def include_table(document: str) -> dict:
    """Folder ("src/base", "cmd") -> Row, as the architecture's page has it between its two marks."""
    begin, end = document.index("<!-- include table"), document.index("<!-- end of include table")
    table = {}
    for line in document[begin:end].splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) == 4 and (folder := re.fullmatch(r"`([a-z_/]+)`", cells[0])):
            table[folder.group(1)] = Row(_words(cells[2]), _words(cells[3]))
    return table


def _words(cell: str) -> frozenset:
    return frozenset() if cell in ("–", "-", "") else frozenset(cell.split())
