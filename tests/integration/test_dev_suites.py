"""./dev test itself: whatever goes wrong with a suite must be a failure in the last line, never a silence."""

import re
import sys
import threading
import time

import pytest
from harness.wait import until
from heliograph_local import processes, suite_results, suite_run, suites

GOOD = '<testsuites><testsuite><testcase classname="A" name="a" status="run"/></testsuite></testsuites>'
MIXED = """<testsuites><testsuite>
  <testcase classname="A" name="good" status="run"/>
  <testcase classname="A" name="bad" status="run"><failure message="1 is not 2"/></testcase>
  <testcase classname="A" name="broken"><error message="in its fixture"/></testcase>
  <testcase classname="A" name="off" status="notrun"/>
  <testcase classname="A" name="left_out"><skipped message="may not mount"/></testcase>
</testsuite></testsuites>"""
EMPTY = "<testsuites></testsuites>"


@pytest.fixture(name="run")
def _run(tmp_path):
    """Runs a Python program as a suite; what it prints to `xml` is its XML."""

    def run(program, xml_text=None, seconds=10, ending=None):
        xml = tmp_path / "results.xml"
        if xml_text is not None:
            xml.write_text(xml_text)
        command = [sys.executable, "-c", program]
        code, how = suite_run.run_process(command, None, tmp_path / "log", seconds, lambda note: None, ending or threading.Event())
        return suite_results.of_process("suite", xml, code, how)

    return run


def test_a_good_suite(run):
    assert run("", GOOD).totals() == "1 passed, 0 failed"


def test_failures_errors_and_what_was_left_out_are_counted_and_named(run):
    results = run("raise SystemExit(1)", MIXED)
    assert results.totals() == "1 passed, 2 failed, 2 skipped"
    assert results.failed == ["suite: A.bad\n      1 is not 2", "suite: A.broken\n      in its fixture"]
    assert results.skipped == ["suite: A.off: disabled", "suite: A.left_out: may not mount"]


@pytest.mark.parametrize(
    ("program", "xml", "why"),
    [
        ("import os; os.kill(os.getpid(), 11)", None, "SIGSEGV"),  # a crash writes no XML
        ("import os; os.kill(os.getpid(), 11)", GOOD, "SIGSEGV"),  # nor may an old XML hide it
        ("raise SystemExit(66)", GOOD, "exit code 66"),  # a sanitizer's finding after all tests passed
        ("", None, "without telling"),
        ("", "<testsuites><testcase", "without telling"),
        ("", EMPTY, "no tests"),
        ("import time; time.sleep(60)", GOOD, "after 1 s"),
    ],
)
def test_whatever_goes_wrong_is_a_failure(run, program, xml, why):
    results = run(program, xml, seconds=1 if "sleep" in program else 10)
    assert len(results.failed) == 1
    assert why in results.failed[0]


def test_what_a_suite_started_ends_with_it(run, tmp_path):
    started = tmp_path / "started"
    program = (
        "import subprocess, time;"
        f"open({str(started)!r}, 'w').write(str(subprocess.Popen(['sleep', '600']).pid)); time.sleep(60)"
    )
    assert run(program, seconds=2).failed
    until(lambda: processes.has_ended(int(started.read_text())), "the process that the suite started has ended")


def test_an_interruption_ends_what_runs(run):
    ending = threading.Event()
    threading.Timer(1, ending.set).start()
    began = time.monotonic()
    assert "interrupted" in run("import time; time.sleep(600)", seconds=300, ending=ending).failed[0]
    assert time.monotonic() - began < 150


def test_every_python_file_is_in_one_suite():
    files = [argument for suite in suites.python_suites([]) for argument in suite.command if argument.endswith(".py")]
    assert sorted(files) == sorted(map(str, (suites.ROOT / "tests").glob("*/**/test_*.py")))
    lanes = [suite for suite in suites.python_suites([]) if suite.beside == "integration"]
    assert [suite.name for suite in lanes] == ["integration api (pytest)", "integration recorder (pytest)", "integration (pytest)"]
    assert len({suite.servers for suite in lanes}) == 3


def test_what_the_thread_sanitizer_leaves_out_starts_no_threads():
    for folder in suites.LEFT_OUT["tsan"]:
        files = list((suites.ROOT / "tests/unit" / folder).glob("*.cc")) or list((suites.ROOT / "tests" / folder).glob("*.cc"))
        assert files, folder
        assert [file.name for file in files if re.search(r"jthread|std::thread|std::async", file.read_text())] == []
