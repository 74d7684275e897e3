from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.contracts import Contracts, Mismatch, Verification
from orchestrator.model.mutation import MutantStatus, Mutation
from orchestrator.model.problem import Problem
from orchestrator.model.run import Gate, GateVerdict, Provenance, Report, Verdict, Waiver
from orchestrator.model.stage import StageStatus
from orchestrator.model.suite import Outcome, Suite
from orchestrator.report import problems
from orchestrator.report.problems import Found, Kind, Level, found
from tests import builders
from tests.builders import finding, interaction, item, mutant, mutation, oracle_gap, properties, run, stage
from tests.report.hostile import STRINGS
from tests.report.runs import broken, compared, small


def kinds(report: Report) -> list[str]:
    return [one.kind.value for one in found(report)]


def only(report: Report, kind: Kind) -> Found:
    (one,) = (one for one in found(report) if one.kind is kind)
    return one


def waived(report: Report, *names: str, expired: bool = False) -> Report:
    """The report, with somebody who answers for these."""
    waivers = tuple(
        Waiver(waives=name, owner="Ada", reason="ticket 7", until="2026-03-01", expired=expired) for name in names
    )
    return msgspec.structs.replace(report, verdict=msgspec.structs.replace(report.verdict, waivers=waivers))


def with_settings(**settings: str) -> Provenance:
    shown = {key.replace("_", "."): value for key, value in settings.items()}
    return msgspec.structs.replace(builders.run().provenance, settings=shown)


def test_everything_that_is_wrong_is_found_worst_first() -> None:
    report = builders.report(small())
    gates = ["gate"] * len(report.verdict.failing)
    assert len(gates) == 4
    assert kinds(report) == [*gates, "finding", "interaction", "test", "survivor", "survivor", "suppressed"]


def test_a_run_without_faults_has_none() -> None:
    of = run(builders.suite(Outcome.PASSED), properties(), mutation(MutantStatus.KILLED))
    assert found(builders.report(of)) == []
    assert found(builders.report()) == []


def test_a_stage_that_broke_off_comes_before_all() -> None:
    first, second, third, gate = found(builders.report(broken()))
    assert gate.about == "judged"
    assert {first.kind, second.kind, third.kind} == {Kind.STAGE}
    assert (first.title, first.message) == ("generate did not complete", "interrupted")
    assert (second.rule.id, second.message) == ("stage/QO701", "QO701 too slow\nraise it")
    assert second.fingerprint != third.fingerprint
    assert "docs/errors.md#qo701" in second.rule.help


def test_a_skipped_stage_is_no_fault() -> None:
    skipped = stage(name="contracts", status=StageStatus.SKIPPED, reason="no pacts")
    assert found(builders.report(run(mutation(MutantStatus.KILLED), skipped))) == []


@pytest.mark.parametrize("said", STRINGS)
def test_what_is_found_can_be_written_whatever_foreign_text_holds(said: str) -> None:
    listed = found(builders.report(builders.full_run(said)))
    assert len(listed) == len(found(builders.report(builders.full_run())))
    for one in listed:
        assert msgspec.json.encode(one)
        assert "\n" not in one.title + one.rule.id + one.rule.title + one.about
        assert len(one.message) < 2_100
        assert len(one.title) < 300


def test_a_test_that_is_known_to_be_red_is_no_fault() -> None:
    of = Suite(tests=(item("a.py::b", Outcome.ERROR, known_red="ticket 7"), item("a.py::c", Outcome.ERROR)))
    assert only(builders.report(run(of)), Kind.TEST).title == "a.py::c"


def test_all_interactions_that_are_not_known_to_hold_are_found() -> None:
    of = Contracts(
        interactions=(
            interaction("a", Verification.MISMATCH, mismatches=(Mismatch(kind="Body", path="$.a", message="no a"),)),
            interaction("b", Verification.STATE_FAILED, error="nobody can"),
            interaction("c", Verification.NOT_RUN),
            interaction("d", Verification.PENDING),
        )
    )
    listed = [one for one in found(builders.report(run(of))) if one.kind is Kind.INTERACTION]
    assert [(one.rule.id, one.message, one.file) for one in listed] == [
        ("contract/mismatch", "mismatch\nBody $.a: no a", "contracts/web.json"),
        ("contract/state-failed", "state failed\nnobody can", "contracts/web.json"),
        ("contract/not-run", "not run", "contracts/web.json"),
    ]


def test_findings_are_ordered_by_severity() -> None:
    severities = ("low", "critical", "unheard of", "high")
    of = properties(*(finding(check=s, severity=s) for s in severities))
    listed = [one for one in found(builders.report(run(of))) if one.kind is Kind.FINDING]
    assert [one.severity for one in listed] == ["critical", "high", "medium", "low"]


def test_a_finding_is_in_the_document_if_that_is_a_file() -> None:
    of = run(properties(finding()), provenance=with_settings(openapi_path='"openapi/a.yaml"'))
    assert only(builders.report(of), Kind.FINDING).file == "openapi/a.yaml"


@pytest.mark.parametrize("path", ['"/openapi.json"', '"https://a.test/openapi.json"', "/srv/a.yaml", '"../a.yaml"'])
def test_a_finding_is_in_its_test_if_the_document_is_no_file_of_the_project(path: str) -> None:
    of = run(properties(finding()), provenance=with_settings(openapi_path=path))
    assert only(builders.report(of), Kind.FINDING).file == "tests/generated/test_a.py"


@pytest.mark.parametrize(
    ("path", "expected"),
    [("a/b.py", "a/b.py"), ("./a.py", "a.py"), ("/a.py", ""), ("c:\\a.py", ""), ("a/../../b", ""), ("..a", "..a")],
)
def test_a_path_is_kept_if_it_lies_in_the_project(path: str, expected: str) -> None:
    assert problems.relative(path) == expected


def test_a_mutant_is_where_its_diff_says() -> None:
    one = found(builders.report(run(mutation(MutantStatus.SURVIVED))))[-1]
    assert (one.file, one.line) == ("shop/prices.py", 7)
    assert one.place is not None
    assert (one.place.column, one.place.end_column) == (12, 13)
    assert "`1` becomes `2`" in one.title


def test_a_mutant_whose_diff_cannot_be_read_is_in_its_line() -> None:
    of = Mutation(mutants=(mutant(diff="no diff", line=9),), critical=())
    one = found(builders.report(run(of)))[-1]
    assert one.line == 9
    assert "the code is changed" in one.title


def test_a_survivor_says_who_sees_it_and_what_would_notice() -> None:
    one = found(builders.report(run(Mutation(mutants=(mutant(tests=3, gaps=(oracle_gap(),)),), critical=()))))[-1]
    assert one.message.splitlines() == [
        "In total, `1` becomes `2`, and everything passes (3 tests execute it).",
        "tests/test_a.py::test_a sees GET /3 answer $.total: 3 → 3!, and passes.",
        "Would notice it, at 3:3: 3",
    ]


def test_a_gap_without_differences_says_nothing() -> None:
    gap = msgspec.structs.replace(oracle_gap(), differences=(), proposal=None)
    one = found(builders.report(run(Mutation(mutants=(mutant(gaps=(gap,)),), critical=()))))[-1]
    assert one.message == "In total, `1` becomes `2`, and everything passes."


def test_code_that_no_test_executes_says_which_condition_is_never_met() -> None:
    of = Mutation(mutants=(mutant(MutantStatus.NO_TESTS, condition="items == []"),), critical=())
    one = found(builders.report(run(of)))[-1]
    assert one.message == "In total, `1` becomes `2`, and no test executes it; none meets items == []."


def test_survivors_on_changed_lines_come_first_then_those_that_a_test_sees() -> None:
    of = Mutation(
        mutants=(
            mutant(name="1"),
            mutant(name="2", gaps=(oracle_gap(),)),
            mutant(name="3", changed=True),
            mutant(name="4", path="a.py"),
        ),
        critical=(),
    )
    listed = [one.fingerprint for one in found(builders.report(run(of))) if one.kind is Kind.SURVIVOR]
    assert listed == ["m-3", "m-2", "m-4", "m-1"]


def test_what_was_compared_is_new_or_not() -> None:
    then = run(properties(finding()))
    now = run(properties(finding(), finding("GET /b")), mutation(MutantStatus.SURVIVED))
    new = {one.fingerprint: one.new for one in found(compared(now, then)) if one.kind is not Kind.GATE}
    assert new == {"f-GET /a-not_a_server_error": False, "f-GET /b-not_a_server_error": True, "m-0": None}


def test_without_an_earlier_run_nothing_is_new_or_old() -> None:
    assert {one.new for one in found(builders.report(small()))} == {None}


def test_what_is_new_comes_first() -> None:
    then = run(properties(finding()))
    now = run(properties(finding(), finding("GET /b")))
    assert [one.new for one in found(compared(now, then)) if one.kind is Kind.FINDING] == [True, False]


def test_what_somebody_answers_for_comes_last_as_a_note() -> None:
    report = waived(builders.report(small()), "f-GET /a-not_a_server_error", "i-read b", "m-0")
    listed = [one for one in found(report) if one.accepted is not None]
    assert found(report)[-4:] == listed
    assert [one.level for one in listed] == [Level.NOTE] * 4
    assert listed[0].accepted == "Ada answers for it until 2026-03-01: ticket 7"


def test_a_waiver_whose_time_is_over_is_none() -> None:
    report = waived(builders.report(small()), "m-0", expired=True)
    assert [one.accepted for one in found(report) if one.kind is Kind.SURVIVOR] == [None, None]


def test_a_waived_gate_is_told_with_who_answers_for_it() -> None:
    waiver = Waiver(waives="a", owner="Ada", reason="ticket 7", until="2026-03-01")
    gates = (
        Gate(id="a", title="A", threshold="1", verdict=GateVerdict.WAIVED, waiver=waiver),
        Gate(id="b", title="B", threshold="1", verdict=GateVerdict.WAIVED),
        Gate(id="c", title="C", threshold="≥ 1", value="0", verdict=GateVerdict.FAIL, hint="Mend it."),
        Gate(id="d", title="D", threshold="1", verdict=GateVerdict.NOT_COMPUTED),
        Gate(id="e", title="E", threshold="1", verdict=GateVerdict.PASS),
    )
    report = msgspec.structs.replace(
        builders.report(), verdict=Verdict(gates=gates, exit_code=1, headline="1 of 5 gates failed")
    )
    assert [(one.about, one.accepted) for one in found(report)] == [
        ("c", None),
        ("a", "Ada answers for it until 2026-03-01: ticket 7"),
        ("b", "waived"),
    ]
    assert found(report)[0].message == "Asked: ≥ 1, found: 0.\nMend it."


def test_a_suppressed_mutant_is_accepted_whatever_its_reason() -> None:
    of = Mutation(
        mutants=(mutant(MutantStatus.SUPPRESSED, reason="logging"), mutant(MutantStatus.SUPPRESSED, "2")), critical=()
    )
    listed = [one for one in found(builders.report(run(of))) if one.kind is Kind.SUPPRESSED]
    assert [one.accepted for one in listed] == ["logging", ""]
    assert {one.level for one in listed} == {Level.NOTE}


@given(st.lists(st.sampled_from(MutantStatus), max_size=12))
def test_every_mutant_that_nobody_notices_is_found_once(statuses: list[MutantStatus]) -> None:
    report = builders.report(run(mutation(*statuses)))
    listed = [one.fingerprint for one in found(report) if one.kind in (Kind.SURVIVOR, Kind.SUPPRESSED)]
    assert sorted(listed) == sorted(
        f"m-{n}" for n, s in enumerate(statuses) if s.is_undetected or s is MutantStatus.SUPPRESSED
    )


def test_the_order_does_not_hang_on_the_levels() -> None:
    problem = Problem(code="QO701", message="too slow")
    of = run(mutation(MutantStatus.SURVIVED), stage(name="suite", status=StageStatus.TIMED_OUT, error=problem))
    levels = [one.level for one in found(builders.report(of))]
    assert levels == [Level.ERROR, Level.ERROR, Level.WARNING]
