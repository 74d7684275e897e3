from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.adapters.pytest import NO_TESTS, USAGE_ERROR
from orchestrator.model.suite import Outcome
from tests.agent import suites

SUITE = r'''
import functools
import sys
import time
import unittest

import pytest


def test_passes():
    print("noise")


def test_fails():
    """Its message has several lines."""
    assert [1, 2] == [1, 3], "the order is wrong"


def test_raises():
    raise ValueError("a message \udc80 with a surrogate")


@pytest.fixture
def broken():
    raise RuntimeError("no database")


def test_whose_set_up_fails(broken):
    pass


def test_whose_fixture_is_missing(no_such_fixture):
    pass


@pytest.fixture
def breaks_later():
    yield
    raise RuntimeError("can't clean up")


def test_whose_tear_down_fails(breaks_later):
    pass


def test_that_fails_and_whose_tear_down_fails(breaks_later):
    assert False, "the test itself"


@pytest.mark.skip(reason="not today")
def test_skipped_by_mark():
    pass


def test_skipped_inside():
    pytest.skip("not here")


def test_skipped_whose_tear_down_fails(breaks_later):
    pytest.skip("not here")


@pytest.mark.xfail(reason="bug 12")
def test_xfails():
    assert False


@pytest.mark.xfail(run=False)
def test_xfails_without_running():
    assert False


def test_xfails_inside():
    pytest.xfail("not yet")


@pytest.mark.xfail
def test_xfails_in_its_set_up(broken):
    pass


@pytest.mark.xfail(raises=KeyError)
def test_that_should_fail_in_another_way():
    raise ValueError("another way")


@pytest.mark.xfail(strict=False)
def test_xpasses():
    pass


@pytest.mark.xfail(strict=True)
def test_xpasses_strictly():
    pass


@pytest.mark.parametrize("text", ["a\nb", "\udc80", "é☃", "", "[x]::y", "a" * 50, "\x1b[31m", None, 1.5, b"\xff"])
def test_odd(text):
    pass


class TestGroup:
    def test_inside(self):
        pass


class TestOfUnittest(unittest.TestCase):
    def test_passes(self):
        self.assertTrue(True)

    def test_fails(self):
        self.assertEqual(1, 2)

    @unittest.skip("not today")
    def test_is_skipped(self):
        pass

    @unittest.expectedFailure
    def test_fails_as_expected(self):
        self.fail()

    @unittest.expectedFailure
    def test_succeeds_unexpectedly(self):
        pass

    def test_with_parts_that_pass(self):
        for number in range(3):
            with self.subTest(number=number):
                self.assertTrue(True)

    def test_with_a_part_that_fails(self):
        for number in range(3):
            with self.subTest(number=number):
                self.assertNotEqual(number, 1)


def test_with_properties_of_its_own(record_property, request):
    record_property("orchestrator", "mine")
    request.node.user_properties.append("not even a pair")
    request.node.user_properties.append((["unhashable"], 1))
'''
GREEN = ("passed", "xfailed", "xpassed")
EXPECTED = {
    "test_passes": "passed",
    "test_fails": "failed",
    "test_raises": "failed",
    "test_whose_set_up_fails": "error",
    "test_whose_fixture_is_missing": "error",
    "test_whose_tear_down_fails": "error",
    "test_that_fails_and_whose_tear_down_fails": "error",
    "test_skipped_by_mark": "skipped",
    "test_skipped_inside": "skipped",
    "test_skipped_whose_tear_down_fails": "error",
    "test_xfails": "xfailed",
    "test_xfails_without_running": "xfailed",
    "test_xfails_inside": "xfailed",
    "test_xfails_in_its_set_up": "xfailed",
    "test_that_should_fail_in_another_way": "failed",
    "test_xpasses": "xpassed",
    "test_xpasses_strictly": "failed",
    "TestGroup::test_inside": "passed",
    "TestOfUnittest::test_passes": "passed",
    "TestOfUnittest::test_fails": "failed",
    "TestOfUnittest::test_is_skipped": "skipped",
    "TestOfUnittest::test_fails_as_expected": "xfailed",
    "TestOfUnittest::test_succeeds_unexpectedly": "failed",
    "TestOfUnittest::test_with_parts_that_pass": "passed",
    "TestOfUnittest::test_with_a_part_that_fails": "failed",
    "test_with_properties_of_its_own": "passed",
}
ODD = 10  # how many parameters the odd test has


@pytest.fixture(scope="module", params=[1, 2], ids=["alone", "shared"])
def ran(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> suites.Ran:
    """The whole suite, run by one process and by two."""
    # pytest-xdist can't send a lone surrogate.
    content = SUITE if request.param == 1 else SUITE.replace(r"a message \udc80", r"a message \\udc80")
    project = suites.project(tmp_path_factory.mktemp("suite"), {"tests/test_all.py": content}, "filterwarnings = error")
    return suites.run(project, workers=request.param)


def test_each_test_has_its_outcome(ran: suites.Ran) -> None:
    outcomes = {n: o.value for n, o in ran.outcomes.items() if not n.startswith("test_odd[")}
    assert outcomes == EXPECTED, ran.output


def test_names_may_have_any_character(ran: suites.Ran) -> None:
    odd = [n for n in ran.outcomes if n.startswith("test_odd[")]
    assert len(odd) == ODD, ran.output
    assert all(n.isprintable() for n in odd)
    assert r"test_odd[a\nb]" in odd


def test_the_session_came_to_its_end(ran: suites.Ran) -> None:
    assert ran.recorded.exit_status == 1 == ran.finished.code
    assert ran.recorded.broken == ()
    assert ran.told[0] == len(EXPECTED) + ODD


def test_a_red_test_says_why(ran: suites.Ran) -> None:
    messages = {n: ran.test(n).message for n in ran.outcomes}
    assert messages["test_fails"] == "AssertionError: the order is wrong"
    assert messages["test_raises"] == r"ValueError: a message \udc80 with a surrogate"
    assert messages["test_whose_set_up_fails"] == "RuntimeError: no database"
    assert messages["test_whose_fixture_is_missing"] == "fixture 'no_such_fixture' not found"
    assert messages["test_whose_tear_down_fails"] == "RuntimeError: can't clean up"
    assert messages["test_skipped_by_mark"] == "Skipped: not today"
    assert messages["test_xpasses_strictly"].startswith("[XPASS(strict)]")
    assert "1 != 2" in messages["TestOfUnittest::test_fails"]
    assert messages["test_passes"] == ""


def test_each_test_has_its_duration(ran: suites.Ran) -> None:
    assert all(0 <= t.seconds < 10 for t in ran.recorded.tests)
    assert any(t.seconds > 0 for t in ran.recorded.tests)


CLOCKS = """
import time

import pytest

sleep = time.sleep


@pytest.mark.parametrize("clock", ["time", "monotonic", "perf_counter", "clock_gettime", "time_ns", "perf_counter_ns"])
def test_frozen(clock, monkeypatch):
    monkeypatch.setattr(time, clock, lambda *_: 5_000_000_000)
    sleep(0.05)


def test_frozen_for_ever():
    time.time = time.monotonic = time.perf_counter = time.clock_gettime = lambda *_: 7
    sleep(0.05)


def test_afterwards():
    sleep(0.05)
"""


def test_durations_are_true_also_where_a_test_replaces_the_clocks(tmp_path: Path) -> None:
    ran = suites.run(suites.project(tmp_path, {"tests/test_clocks.py": CLOCKS}))
    assert len(ran.recorded.tests) == 8, ran.output
    assert all(t.outcome is Outcome.PASSED for t in ran.recorded.tests), ran.output
    assert all(0.05 <= t.seconds < 5 for t in ran.recorded.tests)


def test_names_stay_printable_when_the_user_turns_pytests_escaping_off(tmp_path: Path) -> None:
    content = "import pytest\n\n@pytest.mark.parametrize('x', ['a\\nb', 'é', '\\udc80'])\ndef test_odd(x): pass\n"
    ini = "disable_test_id_escaping_and_forfeit_all_rights_to_community_support = true"
    ran = suites.run(suites.project(tmp_path, {"tests/test_odd.py": content}, ini))
    assert set(ran.outcomes) == {"test_odd[a\nb]", "test_odd[é]", r"test_odd[\udc80]"}


# Tests that are run again

RERUN = """
import pytest
from _pytest.runner import runtestprotocol


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    # as pytest-rerunfailures does: a failed attempt ends with a report of its own kind, without a tear-down
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for attempt in range(3):
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
        for report in reports:
            if report.failed and attempt < 2:
                report.outcome = "rerun"
                item.ihook.pytest_runtest_logreport(report=report)
                break
            item.ihook.pytest_runtest_logreport(report=report)
        else:
            break
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True
"""
FLAKY = """
import pytest

attempts = {}


def attempt(name):
    attempts[name] = attempts.get(name, 0) + 1
    return attempts[name]


def test_flaky():
    assert attempt("flaky") == 3


@pytest.fixture
def flaky_fixture():
    assert attempt("fixture") == 2


def test_with_a_flaky_fixture(flaky_fixture):
    pass


def test_red():
    assert not attempt("red")


def test_green():
    pass
"""
AGAIN = {
    "test_flaky": Outcome.PASSED,
    "test_with_a_flaky_fixture": Outcome.PASSED,
    "test_red": Outcome.FAILED,
    "test_green": Outcome.PASSED,
}


@pytest.mark.parametrize("workers", [1, 2])
def test_a_test_that_is_run_again_has_the_outcome_of_its_last_run(workers: int, tmp_path: Path) -> None:
    files = {"tests/conftest.py": RERUN, "tests/test_flaky.py": FLAKY}
    ran = suites.run(suites.project(tmp_path, files), workers=workers)
    assert ran.outcomes == AGAIN, ran.output


def test_pytest_rerunfailures_is_understood(tmp_path: Path) -> None:
    suites.needs("pytest_rerunfailures")
    ran = suites.run(
        suites.project(tmp_path, {"tests/test_flaky.py": FLAKY}, options=("--reruns=2",)),
        plugins=("pytest_rerunfailures",),
    )
    assert ran.outcomes == AGAIN, ran.output


# Sessions that end early


BROKEN = {
    "tests/test_broken.py": "import no_such_module\n",
    "tests/test_wrong.py": "def test_a(:\n",
    "tests/test_fine.py": "def test_fine(): pass\n",
}


@pytest.mark.parametrize("workers", [1, 2])
def test_files_that_can_not_be_collected_are_told_once(workers: int, tmp_path: Path) -> None:
    ran = suites.run(suites.project(tmp_path, BROKEN), workers=workers)
    broken = dict(ran.recorded.broken)
    assert len(broken) == len(ran.recorded.broken) == 2, ran.output
    assert "No module named 'no_such_module'" in broken["tests/test_broken.py"]
    assert "SyntaxError" in broken["tests/test_wrong.py"]
    assert ran.recorded.exit_status not in (None, 0)
    assert set(ran.outcomes) <= {"test_fine"}  # pytest-xdist goes on, pytest alone does not


def test_the_other_files_are_run_when_the_user_wants_it(tmp_path: Path) -> None:
    ran = suites.run(suites.project(tmp_path, BROKEN, options=("--continue-on-collection-errors",)))
    assert len(ran.recorded.broken) == 2
    assert ran.outcomes == {"test_fine": Outcome.PASSED}


def test_a_conftest_that_can_not_be_imported_leaves_no_record(tmp_path: Path) -> None:
    files = {"tests/conftest.py": "import no_such_module\n", "tests/test_a.py": "def test_a(): pass\n"}
    ran = suites.run(suites.project(tmp_path, files))
    assert ran.recorded.tests == ()
    assert ran.recorded.exit_status is None
    assert ran.finished.code == USAGE_ERROR
    assert "no_such_module" in ran.output


def test_a_suite_without_tests_says_so(tmp_path: Path) -> None:
    ran = suites.run(suites.project(tmp_path, {"tests/test_none.py": ""}))
    assert ran.recorded.exit_status == NO_TESTS
    assert ran.recorded.tests == ()


MANY = "import pytest\n\n@pytest.mark.parametrize('n', range(12))\ndef test_many(n): assert n % 4 != 3\n"


@pytest.mark.parametrize(("options", "ended"), [(("-x",), 4), (("--maxfail=2",), 8)], ids=["first", "second"])
def test_a_session_that_ends_at_a_red_test_keeps_what_it_had(
    options: tuple[str, ...], ended: int, tmp_path: Path
) -> None:
    ran = suites.run(suites.project(tmp_path, {"tests/test_many.py": MANY}, options=options))
    assert len(ran.recorded.tests) == ended, ran.output
    assert ran.told == (ended, 12)
    assert ran.recorded.exit_status is not None


def test_a_shared_session_may_end_at_a_red_test(tmp_path: Path) -> None:
    ran = suites.run(suites.project(tmp_path, {"tests/test_many.py": MANY}, options=("-x",)), workers=2)
    assert 2 <= len(ran.recorded.tests) <= 12, ran.output
    assert any(t.outcome is Outcome.FAILED for t in ran.recorded.tests)
    assert ran.recorded.exit_status is not None
    assert "Traceback" not in ran.output
    assert "INTERNALERROR" not in ran.output


KILLED = """
import os
import signal


def test_one(): pass


def test_two(): assert False


def test_that_ends_the_session():
    {how}


def test_four(): pass
"""


@pytest.mark.parametrize(
    ("how", "status"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", None),
        ("os._exit(3)", None),
        ("import pytest; pytest.exit('enough')", 2),
        ("raise KeyboardInterrupt", 2),
    ],
    ids=["killed", "exits", "pytest.exit", "interrupted"],
)
def test_a_session_that_ends_in_the_middle_keeps_what_it_had(how: str, status: int | None, tmp_path: Path) -> None:
    ran = suites.run(suites.project(tmp_path, {"tests/test_killed.py": KILLED.format(how=how)}))
    assert ran.outcomes == {"test_one": Outcome.PASSED, "test_two": Outcome.FAILED}
    assert ran.recorded.exit_status == status
    assert ran.told == (2, 4)


def test_a_test_that_ends_its_worker_is_red(tmp_path: Path) -> None:
    ran = suites.run(suites.project(tmp_path, {"tests/test_killed.py": KILLED.format(how="os._exit(3)")}), workers=2)
    assert len(ran.outcomes) == 4, ran.output
    assert ran.outcomes["test_that_ends_the_session"] is Outcome.ERROR
    assert "crashed" in ran.test("test_that_ends_the_session").message
    assert ran.recorded.exit_status == 1


def test_a_session_whose_time_is_up_keeps_what_it_had(tmp_path: Path) -> None:
    content = KILLED.format(how="import time; time.sleep(60)")
    ran = suites.run(suites.project(tmp_path, {"tests/test_hangs.py": content}, timeout=2.5))
    assert ran.finished.timed_out
    assert ran.outcomes == {"test_one": Outcome.PASSED, "test_two": Outcome.FAILED}
    assert ran.recorded.exit_status is None


# The user's own settings


def test_the_user_may_share_the_suite_already(tmp_path: Path) -> None:
    content = "def test_worker(worker_id): assert worker_id != 'master'\n"
    project = suites.project(tmp_path, {"tests/test_shared.py": content}, "addopts = -n 2")
    for workers in (1, 2):
        assert suites.run(project, workers=workers, plugins=("xdist.plugin",)).outcomes == {
            "test_worker": Outcome.PASSED
        }


def test_warnings_may_be_errors(tmp_path: Path) -> None:
    content = "import warnings\n\ndef test_fine(): pass\n\ndef test_warns(): warnings.warn('old')\n"
    ini = "filterwarnings = error\naddopts = -W error"
    ran = suites.run(suites.project(tmp_path, {"tests/test_w.py": content}, ini))
    assert ran.outcomes == {"test_fine": Outcome.PASSED, "test_warns": Outcome.FAILED}
    assert "orchestrator_agent" not in ran.output


def test_deselected_tests_are_left_out(tmp_path: Path) -> None:
    content = "def test_a(): pass\n\ndef test_b(): pass\n"
    ran = suites.run(suites.project(tmp_path, {"tests/test_d.py": content}, deselect=("tests/test_d.py::test_a",)))
    assert ran.outcomes == {"test_b": Outcome.PASSED}
    assert ran.told == (1, 1)


def test_a_session_may_do_without_a_cache_or_assertion_rewriting(tmp_path: Path) -> None:
    content = "def test_a(): assert True\n"
    options = ("-p", "no:cacheprovider", "--assert=plain")
    ran = suites.run(suites.project(tmp_path, {"tests/test_p.py": content}, "filterwarnings = error", options=options))
    assert ran.outcomes == {"test_a": Outcome.PASSED}


def test_each_line_is_written_at_once_and_is_ascii(tmp_path: Path) -> None:
    content = "def test_a(): raise ValueError('é☃')\n"
    project = suites.project(tmp_path, {"tests/test_u.py": content})
    suites.run(project)
    raw = (project.state / "suite" / "record.ndjson").read_bytes()
    assert raw.isascii()
    assert [next(iter(line)) for line in suites.lines(project)] == ["collected", "test", "exit"]


def test_async_tests_are_recorded_where_a_plugin_runs_them(tmp_path: Path) -> None:
    suites.needs("pytest_asyncio")
    content = "import asyncio\n\nasync def test_a(): await asyncio.sleep(0.05)\n\nasync def test_b(): assert False\n"
    ran = suites.run(
        suites.project(tmp_path, {"tests/test_async.py": content}, "asyncio_mode = auto"),
        plugins=("pytest_asyncio.plugin",),
    )
    assert ran.outcomes == {"test_a": Outcome.PASSED, "test_b": Outcome.FAILED}
    assert ran.test("test_a").seconds >= 0.05
