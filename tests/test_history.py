from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator import codec, history
from orchestrator.errors import Code, OrchestratorError
from orchestrator.model.contracts import Contracts, Verification
from orchestrator.model.mutation import MutantStatus, Mutation
from orchestrator.model.properties import Properties
from orchestrator.model.run import SCHEMA_VERSION, Change, Comparison, Report, Run
from orchestrator.model.stage import StageStatus
from orchestrator.model.suite import Outcome, Suite
from tests import builders
from tests.builders import cases, finding, interaction, item, mutant, run, stage

NEW, STILL, FIXED = Change.NEW, Change.STILL, Change.FIXED


def changes(now: Run, then: Run) -> dict[tuple[str, str], Change]:
    """Kind and fingerprint of each difference, and how it compares."""
    compared = history.compare(now, then, "previous run")
    return {(d.kind, d.fingerprint): d.change for d in compared.differences}


def found(*checks: str, called: tuple[str, ...] = ("GET /a",)) -> Properties:
    return builders.properties(*(finding(check=c, fingerprint=c) for c in checks), sent=tuple(cases(c) for c in called))


def test_findings_are_new_still_there_or_fixed() -> None:
    assert changes(run(found("a", "b")), run(found("b", "c"))) == {
        ("finding", "a"): NEW,
        ("finding", "b"): STILL,
        ("finding", "c"): FIXED,
    }


def test_interactions_are_new_still_there_or_fixed() -> None:
    def these(**results: Verification) -> Run:
        return run(Contracts(interactions=tuple(interaction(n, r, fingerprint=n) for n, r in results.items())))

    bad, good = Verification.MISMATCH, Verification.VERIFIED
    assert changes(these(a=bad, b=bad, c=good, d=good), these(a=good, b=bad, c=bad, d=good)) == {
        ("interaction", "a"): NEW,
        ("interaction", "b"): STILL,
        ("interaction", "c"): FIXED,
    }


def test_survivors_are_new_still_there_or_fixed() -> None:
    def these(**statuses: MutantStatus) -> Run:
        mutants = tuple(mutant(s, n, fingerprint=n) for n, s in statuses.items())
        return run(Mutation(mutants=mutants, critical=()))

    lives, dies = MutantStatus.SURVIVED, MutantStatus.KILLED
    assert changes(
        these(a=lives, b=MutantStatus.NO_TESTS, c=dies, d=MutantStatus.TIMEOUT), these(a=dies, b=lives, c=lives, d=dies)
    ) == {("survivor", "a"): NEW, ("survivor", "b"): STILL, ("survivor", "c"): FIXED}


def test_red_tests_are_new_still_there_or_fixed() -> None:
    def these(**outcomes: Outcome) -> Run:
        return run(Suite(tests=tuple(item(n, o) for n, o in outcomes.items())))

    red, green = Outcome.FAILED, Outcome.PASSED
    assert changes(these(a=red, b=Outcome.ERROR, c=green), these(a=green, b=red, c=red)) == {
        ("test", "a"): NEW,
        ("test", "b"): STILL,
        ("test", "c"): FIXED,
    }


@pytest.mark.parametrize("status", [MutantStatus.NOT_RUN, MutantStatus.SUSPICIOUS, MutantStatus.SUPPRESSED])
def test_a_survivor_that_is_not_judged_any_more_is_not_fixed(status: MutantStatus) -> None:
    assert changes(run(builders.mutation(status)), run(builders.mutation(MutantStatus.SURVIVED))) == {}


def test_a_red_test_that_is_skipped_now_is_not_fixed() -> None:
    assert changes(run(builders.suite(Outcome.SKIPPED)), run(builders.suite(Outcome.FAILED))) == {}


def test_a_mismatch_that_is_pending_now_is_not_fixed() -> None:
    assert changes(run(builders.contracts(Verification.PENDING)), run(builders.contracts(Verification.MISMATCH))) == {}


def test_a_finding_of_an_operation_that_was_not_called_is_not_fixed() -> None:
    assert changes(run(found(called=("GET /b",))), run(found("a"))) == {}


@pytest.mark.parametrize("status", [s for s in StageStatus if s is not StageStatus.COMPLETED])
def test_a_stage_that_did_not_complete_is_not_compared(status: StageStatus) -> None:
    part, whole = run(stage(found(), status=status)), run(found("a"))
    for now, then in ((part, whole), (whole, part)):
        compared = history.compare(now, then, "previous run")
        assert compared.differences == ()
        assert "finding" in compared.not_compared


def test_what_one_run_did_not_compute_is_not_compared() -> None:
    compared = history.compare(run(found("a")), run(builders.suite(Outcome.FAILED)), "baseline")
    assert compared.differences == ()
    assert set(compared.not_compared) == set(history.KINDS)


def test_a_comparison_says_with_what() -> None:
    then = run(builders.mutation(MutantStatus.KILLED, MutantStatus.SURVIVED))
    compared = history.compare(run(), then, "baseline")
    assert (compared.label, compared.started, compared.commit, compared.measured["mutation-score"]) == (
        "baseline",
        "2026-01-02T03:04:05Z",
        "0123456789abcdef",
        50.0,
    )


names = st.frozensets(st.sampled_from("abcdef"))


@given(names, names)
def test_a_comparison_is_the_mirror_image_of_its_inverse(now: frozenset[str], then: frozenset[str]) -> None:
    one, other = run(found(*sorted(now))), run(found(*sorted(then)))
    forth, back = history.compare(one, other, "x"), history.compare(other, one, "x")
    of = Comparison.of
    assert {d.fingerprint for d in of(forth, NEW)} == {d.fingerprint for d in of(back, FIXED)} == now - then
    assert {d.fingerprint for d in of(forth, STILL)} == {d.fingerprint for d in of(back, STILL)} == now & then
    assert len(forth.differences) == len(now | then)


def test_a_run_differs_from_itself_in_nothing() -> None:
    of = builders.full_run()
    assert {d.change for d in history.compare(of, of, "x").differences} == {STILL}


def test_a_saved_report_is_read(tmp_path: Path) -> None:
    report = builders.report(builders.full_run())
    path = tmp_path / "run.json"
    path.write_bytes(codec.to_json(report))
    assert history.read(path) == report


def test_a_saved_report_says_its_version() -> None:
    assert codec.from_json(codec.to_json(builders.report()), dict)["schema"] == SCHEMA_VERSION


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b'"text"',
        b"null",
        b"\xff\xfe",
        b'"\xff"',
        b"[" * 100_000,
        b'{"schema": 1}',
        b'{"schema": 1, "run": 3}',
        b'{"schema": 0}',
        b'{"schema": 99, "run": {}}',
        b'{"schema": "1"}',
        b'{"run": {}}',
        b'{"schema": 1, "run": "\\ud800"}',
    ],
)
@pytest.mark.parametrize("code", [Code.RUN_UNREADABLE, Code.BASELINE_UNREADABLE])
def test_what_is_no_saved_report_is_refused_by_its_path(tmp_path: Path, data: bytes, code: Code) -> None:
    path = tmp_path / "run.json"
    path.write_bytes(data)
    with pytest.raises(OrchestratorError) as caught:
        history.read(path, code)
    assert caught.value.problem.code == code
    assert str(path) in caught.value.problem.message
    assert caught.value.problem.hint


def test_a_report_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(OrchestratorError, match="No such file"):
        history.read(tmp_path / "run.json")


def test_a_report_cut_off_anywhere_is_refused(tmp_path: Path) -> None:
    data = codec.to_json(builders.report(builders.full_run())).rstrip()
    path = tmp_path / "run.json"
    for length in range(0, len(data), 97):
        path.write_bytes(data[:length])
        with pytest.raises(OrchestratorError):
            history.read(path)
    path.write_bytes(data)
    assert isinstance(history.read(path), Report)


def test_the_history_is_read_line_by_line(tmp_path: Path) -> None:
    points = [builders.report(run(started=f"2026-01-0{day}T00:00:00Z")).point for day in (1, 2)]
    (tmp_path / history.HISTORY).write_bytes(b"".join(codec.to_json(p).replace(b"\n", b"") + b"\n" for p in points))
    assert history.points(tmp_path) == tuple(points)
    assert history.points(tmp_path / "elsewhere") == ()


def test_a_history_with_a_broken_line_is_put_aside_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / history.HISTORY
    point = builders.report().point
    path.write_bytes(codec.to_json(point).replace(b"\n", b"") + b"\n{\n\xff\n")
    assert history.points(tmp_path) == (point,)
    assert (tmp_path / "history.unreadable").read_bytes() == path.read_bytes()


def test_only_the_newest_runs_are_kept(tmp_path: Path) -> None:
    line = codec.to_json(builders.report().point).replace(b"\n", b"") + b"\n"
    (tmp_path / history.HISTORY).write_bytes(line * (history.KEPT + 3))
    assert len(history.points(tmp_path)) == history.KEPT
