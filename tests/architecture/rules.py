"""The rules that a program can check. Each takes texts and returns what is wrong, one line each; empty = all is well."""

import posixpath
import re

from tree import LIBRARIES, STANDARD, SYSTEM

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)
CODE = (".h", ".cc")
# Handwritten programs; data, contracts and pages may be longer.
PROGRAM_SUFFIXES = (".h", ".cc", ".py", ".sh", ".cmake", ".sql", "CMakeLists.txt")
MOST_LINES = 500
MOST_LINES_CMD = 60
# Classes that are values: as safe between threads as a number is, which nobody needs to be told.
VALUES = {"Result", "Secret", "StrongString", "UniqueFd", "StartupError", "Parsed", "Value", "Parameter"}
# Folders that may start threads.
THREADED = {"app", "dispatch", "events", "http", "kafka", "mqtt", "recorder", "webhooks"}


def folder_of(path: str) -> str:
    """The table's folder: "src/kafka" or "cmd"; empty for all else."""
    parts = path.split("/")
    if parts[0] == "src" and len(parts) > 2:
        return "/".join(parts[:2])
    return "cmd" if parts[0] == "cmd" and len(parts) > 2 else ""


def code(texts: dict, *roots: str) -> dict:
    return {p: t for p, t in texts.items() if p.endswith(CODE) and p.split("/")[0] in (roots or ("src", "cmd"))}


def includes(text: str) -> list:
    """(own path or empty, other header or empty) of each #include; comments do not count."""
    return INCLUDE.findall(re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL))


def library_of(header: str) -> str:
    """The table's word for whose header it is; "" = standard or system; "?" = nobody knows."""
    for library, beginnings in LIBRARIES.items():
        if header.startswith(beginnings):
            return library
    return "" if STANDARD.fullmatch(header) or SYSTEM.fullmatch(header) else "?"


def forbidden_includes(texts: dict, table: dict) -> list:
    wrong = []
    for path, text in code(texts).items():
        row = table.get(folder_of(path))
        if row is None:
            wrong.append(f"{path}: its folder has no row in the include table")
            continue
        for own, other in includes(text):
            if own and not _own_is_allowed(folder_of(path), own, row):
                wrong.append(f'{path}: may not include "{own}"')
            library = library_of(other) if other else ""
            if library == "?":
                wrong.append(f"{path}: <{other}> is of no library that the tests know")
            elif library and library not in row.libraries and "any" not in row.libraries:
                wrong.append(f"{path}: may not include <{other}> of {library}")
    return wrong


def _own_is_allowed(folder: str, included: str, row) -> bool:
    top = included.split("/")[0]
    return "any" in row.folders or top in row.folders or folder == f"src/{top}"


def forbidden_links(texts: dict, table: dict) -> list:
    """What a folder's CMakeLists.txt links must be in its row too."""
    wrong = []
    for path, text in texts.items():
        row = table.get(folder_of(path))
        if row is None or not re.fullmatch(r"src/[a-z_]+/CMakeLists\.txt", path):
            continue
        depends = re.search(r"\bDEPENDS((?:\s+[a-z_]+)+)", text)
        for name in depends.group(1).split() if depends else ():
            if name not in row.folders:
                wrong.append(f"{path}: may not depend on {name}")
    return wrong


def missing_rows(texts: dict, table: dict) -> list:
    folders = {folder_of(path) for path in texts if path.startswith("src/")} - {""}
    return [f"{folder}: has no row in the include table" for folder in sorted(folders - set(table))]


def unknown_words(table: dict) -> list:
    """Rows that name what does not exist would forbid nothing and allow nothing."""
    known = {folder.removeprefix("src/") for folder in table} | {"any"}
    wrong = []
    for folder, row in table.items():
        wrong += [f"{folder}: '{word}' is no folder" for word in sorted(row.folders - known)]
        wrong += [f"{folder}: '{word}' is no library" for word in sorted(row.libraries - set(LIBRARIES) - {"any"})]
    return wrong


def circles(graph: dict) -> list:
    """Each circle of a graph, node -> nodes, once."""
    found, done = [], set()

    def walk(node: str, trail: list) -> None:
        if node in trail:
            found.append(" -> ".join([*trail[trail.index(node) :], node]))
        elif node not in done:
            for following in sorted(graph.get(node, ())):
                walk(following, [*trail, node])
            done.add(node)

    for node in sorted(graph):
        walk(node, [])
    return found


def include_circles(texts: dict) -> list:
    return circles({p: {f"src/{own}" for own, _ in includes(t) if own} for p, t in code(texts, "src").items()})


def table_circles(table: dict) -> list:
    return circles({f.removeprefix("src/"): row.folders for f, row in table.items() if f != "cmd"})


def long_files(texts: dict) -> list:
    wrong = []
    for path, text in texts.items():
        most = MOST_LINES_CMD if folder_of(path) == "cmd" else MOST_LINES
        first_line = text.split("\n", 1)[0]
        is_program = path.endswith(PROGRAM_SUFFIXES) or first_line.startswith("#!")
        if is_program and len(text.splitlines()) > most:
            wrong.append(f"{path}: {len(text.splitlines())} lines, at most {most}")
    return wrong


def bad_names(texts: dict) -> list:
    wrong = []
    for path in texts:
        if path.split("/")[0] not in ("src", "cmd"):
            continue
        *folders, name = path.split("/")
        if name != "CMakeLists.txt" and not re.fullmatch(r"[a-z][a-z0-9_]*\.(h|cc|cmake|h\.in)", name):
            wrong.append(f"{path}: names are snake_case, .h and .cc")
        wrong += [f"{path}: '{folder}' is not snake_case" for folder in folders if not re.fullmatch("[a-z_]+", folder)]
    return wrong


def silent_headers(texts: dict) -> list:
    """A header begins with what it is for, then #pragma once."""
    wrong = []
    for path, text in code(texts, "src").items():
        if path.endswith(".h") and not re.match(r"// \S.{10,}\n(//.*\n)*#pragma once\n", text):
            wrong.append(f"{path}: does not begin with a comment that says what it is for, and #pragma once")
    return wrong


def threads_unsaid(texts: dict) -> list:
    """Headers that define a class, and nowhere say which threads may use what they define."""
    pattern = re.compile(r"^class (?:\[\[nodiscard\]\] )?(\w+)[^;{]*\{", re.MULTILINE)
    wrong = []
    for path, text in code(texts, "src").items():
        classes = set(pattern.findall(text)) - VALUES if path.endswith(".h") else set()
        if classes and "Threads:" not in text:
            wrong.append(f"{path}: does not say which threads may use {', '.join(sorted(classes))}")
    return wrong


def stray_threads(texts: dict) -> list:
    """Threads that are started in folders where nobody would look for them."""
    started = re.compile(r"\bstd::(?:j?thread\b(?!::)|async\b)|\bpthread_create\b")
    wrong = []
    for path, text in code(texts).items():
        if folder_of(path).removeprefix("src/") not in THREADED and started.search(text):
            wrong.append(f"{path}: starts a thread; only {', '.join(sorted(THREADED))} do")
    return wrong


def test_hooks(texts: dict) -> list:
    """Fakes, doors for tests, or test code in what is shipped."""
    pattern = re.compile(
        r"\b\w*(?:ForTest(?:s|ing)?|TestOnly|FRIEND_TEST|TESTING|UNIT_TEST)\w*\b"
        r"|\b(?:class|struct)\s+(?:Fake|Mock|Stub)\w*|\bfriend class \w*Test\b|<g(?:test|mock)/|rdkafka_mock"
    )
    wrong = []
    for path, text in code(texts).items():
        wrong += [f"{path}: '{found}'" for found in pattern.findall(text)]
        if re.search(r"(^|[/_])(fake|mock|stub)(s)?[_./]", path):
            wrong.append(f"{path}: is named like a fake")
    return wrong


def unfinished(texts: dict) -> list:
    marks = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")
    return [f"{path}: {found}" for path, text in texts.items() for found in marks.findall(text)]


def migrations_without_way_back(paths: list) -> list:
    wrong, versions = [], []
    names = {path.split("/")[-1] for path in paths if path.startswith("migrations/") and path.endswith(".sql")}
    for name in sorted(names):
        parsed = re.fullmatch(r"(\d{4})_([a-z0-9_]+)\.(up|down)\.sql", name)
        if not parsed:
            wrong.append(f"migrations/{name}: is not NNNN_name.up.sql or .down.sql")
            continue
        number, title, direction = parsed.groups()
        other = f"{number}_{title}.{'down' if direction == 'up' else 'up'}.sql"
        if other not in names:
            wrong.append(f"migrations/{name}: {other} is missing")
        if direction == "up":
            versions.append(int(number))
    if versions != list(range(1, len(versions) + 1)):
        wrong.append(f"migrations: the versions are {versions}, not 1, 2, 3 and so on")
    return wrong


def broken_links(texts: dict) -> list:
    """Relative links of Markdown pages that lead nowhere."""
    wrong = []
    folders = {"/".join(path.split("/")[:n]) for path in texts for n in range(1, path.count("/") + 1)}
    for path, text in texts.items():
        if not path.endswith(".md"):
            continue
        for link in re.findall(r"\]\(([^)\s#]+)[^)]*\)", text):
            target = posixpath.normpath(posixpath.join(posixpath.dirname(path), link))
            if "://" not in link and not link.startswith("mailto:") and target not in texts and target not in folders:
                wrong.append(f"{path}: {link} leads nowhere")
    return wrong


def tests_that_are_none(texts: dict) -> list:
    """Tests that pages name and nobody has."""
    known = set()
    for path, text in texts.items():
        if path.startswith("tests/"):
            known |= {path.split("/")[-1].rsplit(".", 1)[0]} | set(re.findall(r"^def (test_\w+)", text, re.MULTILINE))
    return [
        f"{path}: there is no {name}"
        for path, text in texts.items()
        if path.endswith(".md")
        for name in re.findall(r"(?<!/)\btest_(?!unit_|contract_|integration_)\w+", text)
        if name not in known
    ]
