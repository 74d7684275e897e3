from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.suite import FileCoverage, Outcome, Suite
from tests.builders import item, suite


def test_only_failures_and_errors_are_red() -> None:
    assert {o for o in Outcome if o.is_red} == {Outcome.FAILED, Outcome.ERROR}
    assert all(item(outcome=o).is_quarantined == o.is_red for o in Outcome)


@given(st.lists(st.tuples(st.sampled_from(Outcome), st.sampled_from(["", "ticket 7"])), max_size=20))
def test_success_leaves_out_what_is_skipped_or_known_red(of: list[tuple[Outcome, str]]) -> None:
    found = Suite(tests=tuple(item(str(n), o, known_red=k) for n, (o, k) in enumerate(of))).success
    judged = [o for o, known in of if o is not Outcome.SKIPPED and not known]
    if not judged:
        assert found is None
    else:
        assert found == float(Fraction(100 * sum(not o.is_red for o in judged), len(judged)))


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=5))
def test_coverage_weighs_files_by_their_statements(files: list[tuple[int, int]]) -> None:
    coverage = tuple(FileCoverage(path=str(n), statements=a + b, covered=a) for n, (a, b) in enumerate(files))
    found = suite(coverage=coverage).covered
    statements = sum(a + b for a, b in files)
    if statements:
        assert found == float(Fraction(100 * sum(a for a, _ in files), statements))
    else:
        assert found is None


def test_coverage_that_was_not_measured_is_not_zero() -> None:
    assert suite(Outcome.PASSED).covered is None


def test_tests_are_counted_by_their_outcomes() -> None:
    assert suite(Outcome.PASSED, Outcome.FAILED, Outcome.ERROR).count(Outcome.FAILED, Outcome.ERROR) == 2
