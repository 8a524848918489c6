"""Each rule on a tiny bad example, since a check that cannot fail is none; and on a good one, since it must be able to pass."""

import pytest
import rules
import secrets_and_places
import tree
from tree import Row

TABLE = {
    "src/base": Row(frozenset(), frozenset()),
    "src/kafka": Row(frozenset({"librdkafka"}), frozenset({"base"})),
    "src/api": Row(frozenset(), frozenset({"kafka", "base"})),
    "cmd": Row(frozenset({"any"}), frozenset({"any"})),
}

DOCUMENT = """
| `src/before` | x | – | base |
<!-- include table -->
| folder | what lives here | outside library | may include |
|---|---|---|---|
| `src/base` | handles | – | – |
| `src/kafka` | producer | librdkafka | base log |
<!-- end of include table -->
| `src/after` | x | – | base |
"""


def test_the_table_is_read_between_its_marks():
    assert tree.include_table(DOCUMENT) == {
        "src/base": Row(frozenset(), frozenset()),
        "src/kafka": Row(frozenset({"librdkafka"}), frozenset({"base", "log"})),
    }


@pytest.mark.parametrize(
    "path, text, good",
    [
        ("src/kafka/a.cc", '#include "kafka/a.h"\n#include "base/error.h"\n#include <vector>\n', True),
        ("src/kafka/a.cc", "#include <librdkafka/rdkafka.h>\n#include <sys/socket.h>\n", True),
        ("src/kafka/a.cc", '// #include "api/server.h"\n', True),
        ("src/kafka/a.cc", '/* #include "api/server.h" */\n', True),
        ("cmd/api/main.cc", '#include "api/server.h"\n#include <CLI/CLI.hpp>\n', True),
        ("tests/unit/base/a_test.cc", '#include "api/server.h"\n', True),
        ("src/kafka/a.cc", '#include "api/server.h"\n', False),
        ("src/base/a.h", '#  include "kafka/a.h"\n', False),
        ("src/api/a.cc", "#include <librdkafka/rdkafka.h>\n", False),
        ("src/base/a.cc", "#include <openssl/ssl.h>\n", False),
        ("src/api/a.cc", "#include <zstd.h>\n", False),
        ("src/other/a.cc", "#include <vector>\n", False),
    ],
)
def test_includes(path, text, good):
    assert (rules.forbidden_includes({path: text}, TABLE) == []) is good


@pytest.mark.parametrize("depends, good", [("base", True), ("base\n    kafka", True), ("base auth", False)])
def test_links(depends, good):
    texts = {"src/api/CMakeLists.txt": f"heliograph_library(api\n  SOURCES a.cc\n  DEPENDS {depends}\n  EXTERNAL X::Y)"}
    assert (rules.forbidden_links(texts, TABLE) == []) is good


def test_a_folder_without_a_row():
    assert rules.missing_rows({"src/base/a.h": "", "src/extra/a.h": ""}, TABLE) == [
        "src/extra: has no row in the include table"
    ]


def test_a_row_that_names_nothing():
    table = {"src/base": Row(frozenset({"libfoo"}), frozenset({"nowhere"}))}
    assert len(rules.unknown_words(table)) == 2
    assert rules.unknown_words(TABLE) == []


def test_circles_are_found():
    good = {"src/base/a.h": '#include "base/b.h"', "src/base/b.h": "", "src/base/c.h": '#include "base/b.h"'}
    assert rules.include_circles(good) == []
    bad = {**good, "src/base/b.h": '#include "base/a.h"'}
    assert rules.include_circles(bad) == ["src/base/a.h -> src/base/b.h -> src/base/a.h"]
    assert rules.include_circles({"src/base/a.h": '#include "base/a.h"'}) != []
    table = {"src/a": Row(frozenset(), frozenset({"b"})), "src/b": Row(frozenset(), frozenset({"a"}))}
    assert rules.table_circles(table) == ["a -> b -> a"]
    assert rules.table_circles(TABLE) == []


@pytest.mark.parametrize(
    "path, lines, good",
    [
        ("cmd/api/main.cc", 60, True),
        ("cmd/api/main.cc", 61, False),
        ("src/api/a.cc", 500, True),
        ("src/api/a.cc", 501, False),
        ("tests/e2e/test_a.py", 501, False),
        ("openapi/heliograph.yaml", 5000, True),
    ],
)
def test_length(path, lines, good):
    assert (rules.long_files({path: "x\n" * lines}) == []) is good


def test_a_long_script_without_a_suffix():
    assert rules.long_files({"dev": "#!/bin/sh\n" + "x\n" * 500}) != []
    assert rules.long_files({"LICENSE": "x\n" * 600}) == []


@pytest.mark.parametrize(
    "path, good",
    [
        ("src/api/problem_details.cc", True),
        ("src/api/CMakeLists.txt", True),
        ("src/api/ProblemDetails.cc", False),
        ("src/api/problem-details.cc", False),
        ("src/api/a.cpp", False),
        ("src/api/a.hpp", False),
        ("src/Api/a.cc", False),
    ],
)
def test_names(path, good):
    assert (rules.bad_names({path: ""}) == []) is good


@pytest.mark.parametrize(
    "text, good",
    [
        ("// Owns one descriptor.\n#pragma once\n", True),
        ("// Owns one descriptor.\n//\n// More.\n#pragma once\n", True),
        ("#pragma once\n", False),
        ("//\n#pragma once\n", False),
        ("// Owns one descriptor.\n#ifndef A_H\n", False),
    ],
)
def test_headers(text, good):
    assert (rules.silent_headers({"src/base/a.h": text}) == []) is good


@pytest.mark.parametrize(
    "text, good",
    [
        ("#pragma once\n// A pool.\n// Threads: any thread.\nclass Pool {\n", True),
        ("// All here. Threads: one thread.\n#pragma once\nclass Pool final : public Base {\n", True),
        ("#pragma once\nclass Forward;\n", True),
        ("#pragma once\ntemplate <class T>\nclass [[nodiscard]] Result {\n", True),
        ("#pragma once\n// A pool.\nclass Pool {\n", False),
        ("#pragma once\nclass B final : public A {\n", False),
    ],
)
def test_threads(text, good):
    assert (rules.threads_unsaid({"src/api/a.h": text}) == []) is good


@pytest.mark.parametrize(
    "path, text, good",
    [
        ("src/kafka/a.cc", "thread_ = std::jthread([] {});", True),
        ("src/api/a.cc", "std::this_thread::yield(); std::thread::id id;", True),
        ("src/api/a.cc", "std::thread([] {}).detach();", False),
        ("src/device/a.h", "std::jthread thread_;", False),
        ("src/base/a.cc", "std::async(f);", False),
    ],
)
def test_stray_threads(path, text, good):
    assert (rules.stray_threads({path: text}) == []) is good


@pytest.mark.parametrize(
    "path, text, good",
    [
        ("src/api/a.cc", "int mocked = 1;  // a fake device is none", True),
        ("src/api/a.h", "void ResetForTest();", False),
        ("src/api/a.h", "class FakeBroker {", False),
        ("src/api/a.h", "friend class PoolTest;", False),
        ("src/api/a.cc", "#ifdef HELIOGRAPH_UNIT_TEST", False),
        ("src/api/a.cc", "#include <gtest/gtest.h>", False),
        ("src/api/fake_broker.cc", "", False),
        ("tests/unit/api/fake_broker.h", "class FakeBroker {", True),
    ],
)
def test_test_hooks(path, text, good):
    assert (rules.test_hooks({path: text}) == []) is good


def test_unfinished():
    assert rules.unfinished({"a": "// TO" + "DO: later"}) != []
    assert rules.unfinished({"a": "a list of what is to do"}) == []


@pytest.mark.parametrize(
    "names, good",
    [
        (["0001_a.up.sql", "0001_a.down.sql", "0002_b.up.sql", "0002_b.down.sql"], True),
        (["0001_a.up.sql"], False),
        (["0001_a.down.sql"], False),
        (["0001_a.up.sql", "0001_b.down.sql"], False),
        (["0002_a.up.sql", "0002_a.down.sql"], False),
        (["1_a.up.sql", "1_a.down.sql"], False),
    ],
)
def test_migrations(names, good):
    assert (rules.migrations_without_way_back([f"migrations/{name}" for name in names]) == []) is good


@pytest.mark.parametrize(
    "path, text, good",
    [
        ("certs/README.md", "certs/generate device solar-1", True),
        ("tests/a.py", 'assert b"-----BEGIN ' + 'PRIVATE KEY-----" not in text', True),
        ("site/ca.crt", "", False),
        ("deploy/stack.env", "", False),
        ("notes.txt", "-----BEGIN " + "EC PRIVATE KEY-----\nMHc\n", False),
        ("notes.txt", "-----BEGIN " + "CERTIFICATE-----\nMII\n", False),
    ],
)
def test_keys(path, text, good):
    assert (secrets_and_places.key_files({path: text}) == []) is good


@pytest.mark.parametrize(
    "text, good",
    [
        ("/etc/heliograph/ingest.yaml, /var/lib, /tmp/mine, (`/root` is 0700)", True),
        ("https://example.org/ho" + "me/page and $HOME/wo" + "rk/x", True),
        ("cd /ho" + "me/alice/heliograph", False),
        ("path=/wo" + "rk/main", False),
        ('"/ro' + 'ot/.ssh"', False),
    ],
)
def test_machine_paths(text, good):
    assert (secrets_and_places.machine_paths({"a": text}) == []) is good


@pytest.mark.parametrize(
    "text, good",
    [
        ("http://127.0.0.1:18080/v1 https://mqtt.example.org http://localhost:1 https://host", True),
        ("https://repo.maven.apache.org/maven2", True),
        ("https://registry." + "corp-mirror.io/pypi", False),
        ("http://user:pw@10." + "1.2.3:8081/x", False),
    ],
)
def test_hosts(text, good):
    assert (secrets_and_places.unknown_hosts({"a": text}) == []) is good


@pytest.mark.parametrize(
    "link, good",
    [
        ("b.md", True),
        ("b.md#part", True),
        ("../src/a.cc", True),
        ("../src/", True),
        ("#here", True),
        ("https://example.org/x", True),
        ("c.md", False),
        ("../b.md", False),
    ],
)
def test_links(link, good):
    texts = {"docs/a.md": f"see [there]({link})", "docs/b.md": "", "src/a.cc": ""}
    assert (rules.broken_links(texts) == []) is good


@pytest.mark.parametrize("name, good", [("test_a", True), ("test_file", True), ("test_b", False), ("test_unit_x", True)])
def test_named_tests(name, good):
    texts = {"README.md": f"see `{name}`", "tests/e2e/test_file.py": "def test_a(stack):\n    pass\n"}
    assert (rules.tests_that_are_none(texts) == []) is good
