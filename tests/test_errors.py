from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest

from orchestrator.errors import (
    DOCUMENTATION,
    Code,
    ExitCode,
    OrchestratorError,
    UsageError,
    anchor,
    exit_code_of,
)

PAGE = Path(__file__).parent.parent / DOCUMENTATION


def test_no_number_is_given_twice() -> None:
    assert len({c.value for c in Code}) == len(Code)
    assert all(re.fullmatch(r"QO[1-9]\d\d", c) for c in Code)


def test_the_codes_are_in_the_order_of_their_numbers() -> None:
    assert [c.value for c in Code] == sorted(c.value for c in Code)


@pytest.mark.parametrize("code", list(Code))
def test_each_code_has_a_section_with_its_anchor(code: Code) -> None:
    page = PAGE.read_text("utf-8")
    heading = re.compile(rf'^#+ .*\b{code}\b|<a id="{code.lower()}">', re.MULTILINE)
    assert len(heading.findall(page)) >= 1
    # What a reader of the page follows: an explicit anchor, or a heading that is nothing but the code.
    explicit = f'<a id="{code.lower()}">' in page
    assert explicit or re.search(rf"^#+ {code}$", page, re.MULTILINE)
    assert anchor(code) == f"{DOCUMENTATION}#{code.lower()}"


def test_the_page_explains_no_code_that_does_not_exist() -> None:
    assert set(re.findall(r"QO\d{3}", PAGE.read_text("utf-8"))) <= {c.value for c in Code}


@pytest.mark.parametrize(
    ("code", "exit_code"),
    [
        (Code.SETTINGS_MISSING, ExitCode.USAGE),
        (Code.UNKNOWN_STAGE, ExitCode.USAGE),
        (Code.RUN_UNREADABLE, ExitCode.USAGE),
        (Code.BASELINE_UNREADABLE, ExitCode.USAGE),
        (Code.NOT_WRITABLE, ExitCode.STAGE_FAILED),
        (Code.APP_IMPORT_FAILED, ExitCode.NOTHING_WORKS),
        (Code.APP_UNREACHABLE, ExitCode.NOTHING_WORKS),
        (Code.ALL_TESTS_RED, ExitCode.NOTHING_WORKS),
        (Code.APP_DIED, ExitCode.STAGE_FAILED),
        (Code.STAGE_TIMED_OUT, ExitCode.STAGE_FAILED),
        (Code.PACT_UNREADABLE, ExitCode.STAGE_FAILED),
        (Code.INTERRUPTED, ExitCode.INTERRUPTED),
        (Code.INTERNAL, ExitCode.BUG),
    ],
)
def test_each_kind_of_problem_ends_the_command_in_its_way(code: Code, exit_code: ExitCode) -> None:
    assert exit_code_of(code) is exit_code
    assert OrchestratorError(code, "m").exit_code is exit_code


def test_no_problem_passes() -> None:
    assert all(exit_code_of(c) is not ExitCode.PASSED for c in Code)


def test_the_numbers_of_the_exit_codes_are_kept() -> None:
    assert {c.name: int(c) for c in ExitCode} == {
        "PASSED": 0,
        "GATE_FAILED": 1,
        "USAGE": 2,
        "STAGE_FAILED": 3,
        "NOTHING_WORKS": 4,
        "BUG": 70,
        "INTERRUPTED": 130,
    }


ORDER = (130, 70, 2, 4, 3, 1, 0)


def test_the_weightiest_reason_wins() -> None:
    for first, second in product(ExitCode, repeat=2):
        assert ExitCode.worst(first, second) == min((first, second), key=ORDER.index)
    assert ExitCode.worst() is ExitCode.PASSED
    assert ExitCode.worst(*ExitCode) is ExitCode.INTERRUPTED


def test_an_error_says_its_code_and_keeps_the_way_out() -> None:
    error = UsageError(Code.UNKNOWN_STAGE, "no stage is called 'x'", hint="There are y.", detail="more")
    assert str(error) == "QO105: no stage is called 'x'"
    assert (error.problem.code, error.problem.hint, error.problem.detail) == ("QO105", "There are y.", "more")
    assert isinstance(error, OrchestratorError)
