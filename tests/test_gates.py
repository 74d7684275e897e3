from __future__ import annotations

import datetime
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from orchestrator import gates, history
from orchestrator.config import Gates, Waiver
from orchestrator.errors import Code
from orchestrator.model.contracts import Broken, Contracts, Level, Verification
from orchestrator.model.mutation import MutantStatus, Mutation
from orchestrator.model.problem import Problem
from orchestrator.model.run import Gate, GateScope, GateVerdict, Run, Verdict
from orchestrator.model.stage import StageData, StageStatus
from orchestrator.model.suite import Outcome, Suite
from tests import builders
from tests.builders import cases, contracts, finding, mutation, properties, run, stage, suite

P, F, S, E = Outcome.PASSED, Outcome.FAILED, Outcome.SKIPPED, Outcome.ERROR
KILLED, SURVIVED = MutantStatus.KILLED, MutantStatus.SURVIVED


def judge(of: Run, **settings: Any) -> Verdict:
    return gates.evaluate(of, None, Gates(**settings))


def gate(id_: str, of: Run, **settings: Any) -> Gate:
    """The gate of this name, as it stands on a run."""
    (found,) = (g for g in judge(of, **settings).gates if g.id == id_)
    return found


def verdict(id_: str, of: Run, **settings: Any) -> GateVerdict:
    return gate(id_, of, **settings).verdict


def good_run(**more: Any) -> Run:
    return run(
        builders.generated(),
        suite(P, P),
        properties(),
        contracts(Verification.VERIFIED),
        builders.description(),
        mutation(KILLED),
        **more,
    )


def test_a_run_in_which_all_is_well_passes() -> None:
    found = judge(good_run())
    assert {g.verdict for g in found.gates} == {GateVerdict.PASS}
    assert (found.exit_code, found.passed, found.failing) == (0, True, ())
    assert found.headline == "10 gates hold"


def test_the_headline_counts_one_gate_in_the_singular() -> None:
    off = dict.fromkeys(Gates.__struct_fields__, False)
    assert judge(good_run(), **{**off, "mutants": 1}).headline == "1 gate holds"


@pytest.mark.parametrize(
    "id_",
    [
        "suite-success",
        "suite-seconds",
        "property-findings",
        "contract-failures",
        "operations",
        "interactions",
        "mutants",
        "mutation-score",
    ],
)
def test_each_gate_can_be_turned_off_and_is_not_computed_without_its_stage(id_: str) -> None:
    key = id_.replace("-", "_")
    assert id_ not in {g.id for g in judge(good_run(), **{key: False}).gates}
    unknown = gate(id_, run())
    assert unknown.verdict is GateVerdict.NOT_COMPUTED
    assert unknown.value == ""
    assert "was not asked for" in unknown.hint


def test_a_run_that_computed_nothing_has_no_gate_that_passes() -> None:
    found = judge(run())
    assert {g.verdict for g in found.gates} == {GateVerdict.NOT_COMPUTED}
    assert found.headline == "nothing was judged"


def test_a_gate_says_why_it_was_not_computed() -> None:
    skipped = stage(name="contracts", status=StageStatus.SKIPPED, reason="no pacts")
    assert gate("interactions", run(skipped)).hint == "no pacts"
    broken = stage(name="contracts", status=StageStatus.ERROR, error=Problem(code="QO501", message="no file"))
    assert gate("interactions", run(broken)).hint == "contracts: no file"


@pytest.mark.parametrize(
    ("id_", "nothing"),
    [
        ("suite-success", Suite(tests=())),
        ("operations", properties(sent=())),
        ("operations", properties(sent=(cases(sent=0),))),
        ("interactions", Contracts(interactions=())),
        ("mutants", Mutation(mutants=(), critical=())),
    ],
)
def test_zero_is_no_success(id_: str, nothing: StageData) -> None:
    found = gate(id_, run(nothing))
    assert found.verdict is GateVerdict.FAIL
    assert found.hint
    assert judge(run(nothing)).exit_code == 1


@pytest.mark.parametrize("status", [MutantStatus.SUPPRESSED, MutantStatus.SUSPICIOUS, MutantStatus.NOT_RUN])
def test_mutants_of_which_nothing_is_known_are_not_judged(status: MutantStatus) -> None:
    of = run(mutation(status, status))
    assert verdict("mutants", of) is GateVerdict.FAIL
    assert verdict("mutation-score", of) is GateVerdict.NOT_COMPUTED


@pytest.mark.parametrize("result", [Verification.NOT_RUN, Verification.STATE_FAILED])
def test_interactions_of_which_nothing_is_known_are_not_verified(result: Verification) -> None:
    assert verdict("interactions", run(contracts(result))) is GateVerdict.FAIL
    assert verdict("contract-failures", run(contracts(result))) is GateVerdict.FAIL


@pytest.mark.parametrize("result", [Verification.VERIFIED, Verification.MISMATCH, Verification.PENDING])
def test_interactions_that_were_held_against_the_app_are_verified(result: Verification) -> None:
    assert verdict("interactions", run(contracts(result))) is GateVerdict.PASS


def test_a_suite_of_skipped_tests_has_no_success() -> None:
    assert verdict("suite-success", run(suite(S, S))) is GateVerdict.NOT_COMPUTED


def test_almost_98_percent_is_not_98_percent() -> None:
    found = gate("suite-success", run(suite(*[P] * 48, F)))  # 97.96 %
    assert (found.verdict, found.value, found.threshold) == (GateVerdict.FAIL, "97.9 %", "≥ 98 %")
    exactly = gate("suite-success", run(suite(*[P] * 49, F)))
    assert (exactly.verdict, exactly.value) == (GateVerdict.PASS, "98 %")


@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 1000))
def test_a_score_never_looks_better_than_its_gate_says(killed: int, survived: int, tenths: int) -> None:
    assume(killed + survived)
    asked = tenths / 10
    found = gate("mutation-score", run(mutation(*[KILLED] * killed, *[SURVIVED] * survived)), mutation_score=asked)
    shown = float(found.value.removesuffix(" %"))
    holds = 1000 * killed >= tenths * (killed + survived)  # without floating-point numbers
    assert (found.verdict is GateVerdict.PASS) == holds
    assert (shown >= asked) == holds


def test_known_red_and_skipped_tests_are_left_out_of_the_success() -> None:
    of = Suite(tests=(builders.item(), builders.item("b", F, known_red="ticket 7"), builders.item("c", S)))
    assert gate("suite-success", run(of)).value == "100 %"


def test_the_suites_time_is_that_of_its_stage() -> None:
    slow = run(stage(suite(P), seconds=61.0))
    assert verdict("suite-seconds", slow) is GateVerdict.FAIL
    assert verdict("suite-seconds", slow, suite_seconds=61) is GateVerdict.PASS


@pytest.mark.parametrize(("allowed", "expected"), [(0, GateVerdict.FAIL), (1, GateVerdict.PASS)])
def test_findings_and_mismatches_may_be_allowed(allowed: int, expected: GateVerdict) -> None:
    of = run(properties(finding()), contracts(Verification.VERIFIED, Verification.MISMATCH))
    assert verdict("property-findings", of, property_findings=allowed) is expected
    assert verdict("contract-failures", of, contract_failures=allowed) is expected


def test_a_pending_interaction_is_no_failure() -> None:
    assert verdict("contract-failures", run(contracts(Verification.PENDING))) is GateVerdict.PASS


def test_a_gate_that_fails_says_what_to_do_and_one_that_holds_does_not() -> None:
    bad = run(
        stage(suite(F), seconds=100.0),
        properties(finding(), sent=()),
        contracts(Verification.NOT_RUN),
        builders.description(
            (builders.incompatibility(),),
            (builders.document_change(broken=(Broken(consumer="web", description="d", pact="p", why="w"),)),),
        ),
        mutation(SURVIVED),
    )
    for found in judge(bad, mutants=2).gates:
        assert found.verdict is GateVerdict.FAIL
        assert found.hint
        assert found.value
        assert found.evidence
    assert not any(g.hint for g in judge(good_run()).gates)


@pytest.mark.parametrize("status", [StageStatus.TIMED_OUT, StageStatus.INTERRUPTED, StageStatus.ERROR])
@pytest.mark.parametrize(
    ("id_", "part"),
    [
        ("suite-success", suite(P)),
        ("suite-seconds", suite(P)),
        ("property-findings", properties()),
        ("contract-failures", contracts(Verification.VERIFIED)),
        ("mutation-score", mutation(KILLED)),
    ],
)
def test_a_part_of_a_stage_passes_no_gate_that_the_rest_could_fail(
    id_: str, part: StageData, status: StageStatus
) -> None:
    error = Problem(code=Code.STAGE_TIMED_OUT, message="broke off")
    found = gate(id_, run(stage(part, status=status, error=error)))
    assert found.verdict is GateVerdict.NOT_COMPUTED
    assert "broke off" in found.hint


def test_what_a_part_of_a_stage_shows_to_be_wrong_still_fails() -> None:
    error = Problem(code=Code.STAGE_TIMED_OUT, message="broke off")
    of = run(stage(properties(finding()), status=StageStatus.TIMED_OUT, error=error))
    assert verdict("property-findings", of) is GateVerdict.FAIL


def error_of(code: str, name: str = "suite") -> Any:
    return stage(name=name, status=StageStatus.ERROR, error=Problem(code=code, message="m"))


@pytest.mark.parametrize(
    ("parts", "exit_code"),
    [
        ([mutation(SURVIVED)], 1),
        ([error_of(Code.APP_DIED)], 3),
        ([error_of(Code.APP_DIED), mutation(SURVIVED)], 3),
        ([error_of(Code.APP_DIED), error_of(Code.APP_UNREACHABLE, "contracts")], 4),
        ([error_of(Code.APP_UNREACHABLE), error_of(Code.BASELINE_UNREADABLE, "contracts")], 2),
        ([error_of(Code.BASELINE_UNREADABLE), error_of(Code.INTERNAL, "contracts")], 70),
        ([error_of(Code.INTERNAL), stage(name="contracts", status=StageStatus.INTERRUPTED)], 130),
        ([stage(name="contracts", status=StageStatus.SKIPPED)], 1),  # nothing was judged
    ],
)
def test_the_weightiest_reason_is_the_exit_code(parts: list[Any], exit_code: int) -> None:
    assert judge(run(*parts)).exit_code == exit_code


def test_the_headline_says_what_failed_and_what_did_not_complete() -> None:
    of = run(error_of(Code.APP_DIED, "contracts"), mutation(SURVIVED))
    assert judge(of).headline == "1 of 10 gates failed; contracts did not complete"
    interrupted = stage(name="suite", status=StageStatus.INTERRUPTED)
    assert judge(run(interrupted)).headline.startswith("interrupted")


def no_worse(of: Run, earlier: Run, label: str = "baseline", **settings: Any) -> Gate | None:
    judged = gates.evaluate(of, history.compare(of, earlier, label), Gates(**settings))
    return next((g for g in judged.gates if g.id == "no-worse"), None)


def test_nothing_new_is_no_worse_than_the_baseline() -> None:
    found = no_worse(good_run(), good_run())
    assert found is not None
    assert (found.verdict, found.value) == (GateVerdict.PASS, "nothing new")


def test_something_new_is_worse_than_the_baseline() -> None:
    found = no_worse(run(properties(finding())), run(properties()), property_findings=False)
    assert found is not None
    assert (found.verdict, found.value) == (GateVerdict.FAIL, "1 new problem")
    assert found.hint


def test_a_lower_score_is_worse_than_the_baseline_without_a_new_survivor() -> None:
    then, now = mutation(KILLED, SURVIVED, KILLED), mutation(KILLED, SURVIVED)
    found = no_worse(run(now), run(then))
    assert found is not None
    assert (found.verdict, found.value) == (GateVerdict.FAIL, "score 66.6 % → 50 %")


def test_a_score_is_only_compared_when_both_runs_judged_all_mutants() -> None:
    then, now = mutation(KILLED, KILLED), mutation(KILLED, SURVIVED)
    part = stage(now, status=StageStatus.TIMED_OUT)
    found = no_worse(run(suite(P), part), run(suite(P), then))
    assert found is not None
    assert found.verdict is GateVerdict.PASS


def test_runs_that_share_nothing_are_not_compared() -> None:
    found = no_worse(run(suite(P)), run(properties()))
    assert found is not None
    assert (found.verdict, found.value) == (GateVerdict.NOT_COMPUTED, "")


def test_only_a_baseline_has_a_gate() -> None:
    assert no_worse(good_run(), good_run(), "previous run") is None
    assert no_worse(good_run(), good_run(), no_worse=False) is None


outcomes = st.lists(st.sampled_from(Outcome), max_size=6)
statuses = st.lists(st.sampled_from(MutantStatus), max_size=6)
results = st.lists(st.sampled_from(Verification), max_size=6)


@given(outcomes, statuses, results, st.integers(0, 3))
def test_the_verdict_passes_exactly_when_no_gate_fails_and_all_is_said(
    tests: list[Outcome], mutants: list[MutantStatus], interactions: list[Verification], findings: int
) -> None:
    of = run(
        suite(*tests),
        properties(*(finding(check=str(n)) for n in range(findings))),
        contracts(*interactions),
        mutation(*mutants),
    )
    found = judge(of)
    assert found.passed == (not found.failing) == (found.exit_code == 0)
    assert all(g.value for g in found.gates if g.verdict is not GateVerdict.NOT_COMPUTED)
    assert msgspec.json.encode(found)


def with_baseline(of: Run, earlier: Run, *waivers: Waiver, today: str = "2026-01-02", **settings: Any) -> Verdict:
    compared = history.compare(of, earlier, "baseline")
    return gates.evaluate(of, compared, Gates(**settings), waivers, datetime.date.fromisoformat(today))


def waiver(waives: str, until: str = "2026-01-31") -> Waiver:
    return Waiver(waives=waives, owner="ann", reason="ticket 7", until=datetime.date.fromisoformat(until))


def only(found: Verdict, id_: str) -> Gate:
    (gate,) = (g for g in found.gates if g.id == id_)
    return gate


@pytest.mark.parametrize(
    ("now", "then", "expected"),
    [(1, 1, GateVerdict.PASS), (1, 2, GateVerdict.PASS), (2, 1, GateVerdict.FAIL)],
)
def test_a_gate_can_ask_for_what_the_baseline_has(now: int, then: int, expected: GateVerdict) -> None:
    of, earlier = (run(properties(*(finding(check=str(n)) for n in range(count)))) for count in (now, then))
    found = only(with_baseline(of, earlier, property_findings="no worse"), "property-findings")
    assert (found.verdict, found.scope, found.asked, found.found) == (expected, GateScope.BASELINE, then, now)


def test_no_worse_than_a_baseline_that_does_not_know_is_not_computed() -> None:
    of = run(properties())
    for found in (judge(of, property_findings="no worse"), with_baseline(of, run(), property_findings="no worse")):
        gate = only(found, "property-findings")
        assert (gate.verdict, gate.hint) == (GateVerdict.NOT_COMPUTED, "there is no baseline that has it")


def test_a_gate_can_be_about_changed_lines_only() -> None:
    mutants = [builders.mutant(SURVIVED, "1"), builders.mutant(KILLED, "2", changed=True)]
    of = run(Mutation(mutants=tuple(mutants), critical=("*",), changed_since="main"))
    assert verdict("changed-survivors", of, changed_survivors=0) is GateVerdict.PASS
    assert gate("changed-score", of, changed_score=100.0).found == 100.0
    mutants[0] = msgspec.structs.replace(mutants[0], changed=True)
    of = run(Mutation(mutants=tuple(mutants), critical=("*",), changed_since="main"))
    assert verdict("changed-survivors", of, changed_survivors=0) is GateVerdict.FAIL
    assert gate("changed-score", of, changed_score=100.0).found == 50.0


def test_a_gate_about_changed_lines_is_not_computed_where_nobody_knows_what_has_changed() -> None:
    of = run(mutation(SURVIVED))
    assert verdict("changed-survivors", of, changed_survivors=0) is GateVerdict.NOT_COMPUTED
    assert "changed-since" in gate("changed-survivors", of, changed_survivors=0).hint
    unjudged = builders.mutant(MutantStatus.NOT_RUN, "1", changed=True)
    of = run(Mutation(mutants=(unjudged,), critical=("*",), changed_since="main"))
    assert verdict("changed-survivors", of, changed_survivors=0) is GateVerdict.NOT_COMPUTED


def test_a_gate_that_is_waived_does_not_fail_and_is_shown() -> None:
    found = with_baseline(run(mutation(SURVIVED)), run(), waiver("mutation-score"))
    gate = only(found, "mutation-score")
    assert gate.verdict is GateVerdict.WAIVED
    assert gate.waiver is not None
    assert (gate.waiver.owner, gate.waiver.until) == ("ann", "2026-01-31")
    assert (found.exit_code, found.waivers[0].used) == (0, True)
    assert "1 waived" in found.headline


def test_what_is_waived_by_its_fingerprint_is_not_counted_and_not_new() -> None:
    of = run(properties(finding(fingerprint="known")), contracts(Verification.MISMATCH))
    mismatch = of.contracts.failures[0].fingerprint if of.contracts else ""
    earlier = run(properties(), contracts())
    assert with_baseline(of, earlier).exit_code == 1
    found = with_baseline(of, earlier, waiver("known"), waiver(mismatch))
    assert {g.id for g in found.failing} == set()
    assert all(w.used for w in found.waivers)


def test_a_waiver_holds_on_its_last_day_and_fails_when_it_is_over() -> None:
    of = run(mutation(SURVIVED))
    last, after = (
        with_baseline(of, run(), waiver("mutation-score"), today=f"2026-{day}") for day in ("01-31", "02-01")
    )
    assert (last.exit_code, last.waivers[0].expired) == (0, False)
    assert {g.id for g in after.failing} == {"mutation-score", "waivers"}
    assert "ann" in only(after, "waivers").value


def test_a_waiver_that_nothing_needs_is_told_and_expires_too() -> None:
    found = with_baseline(good_run(), good_run(), waiver("mutation-score"))
    assert (found.exit_code, found.waivers[0].used) == (0, False)
    assert with_baseline(good_run(), good_run(), waiver("mutation-score"), today="2027-01-01").exit_code == 1


def test_breaking_changes_and_drift_have_gates_for_who_wants_them() -> None:
    of = run(builders.description((), (builders.document_change(), builders.document_change("2", Level.WARNING))))
    assert verdict("broken-consumers", of) is GateVerdict.PASS
    assert gate("breaking-changes", of, breaking_changes=0).found == 1
    assert verdict("drift", of, drift=0) is GateVerdict.PASS


def test_without_pacts_it_is_not_known_whom_a_change_breaks() -> None:
    of = run(builders.description((), (builders.document_change(broken=None),)))
    assert verdict("broken-consumers", of) is GateVerdict.NOT_COMPUTED


def test_what_is_waived_of_the_description_is_not_counted() -> None:
    of = run(builders.description((builders.incompatibility(),)))
    assert only(with_baseline(of, of, waiver("incompatibility-1")), "incompatibilities").verdict is GateVerdict.PASS
