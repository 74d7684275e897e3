from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from orchestrator import matrix
from orchestrator.model.contracts import Contracts, Verification
from orchestrator.model.mutation import MutantStatus, Mutation
from orchestrator.model.operations import Operation
from orchestrator.model.run import OperationRow, Run
from orchestrator.model.stage import StageData
from orchestrator.model.suite import Outcome, Suite
from tests import builders
from tests.builders import cases, exchange, finding, generated, interaction, item, mutant, properties, run


def row(label: str, *parts: StageData) -> OperationRow:
    """The row of an operation, in a run of the document's stage and these."""
    (found,) = (r for r in matrix.link(run(generated("GET /a", "GET /b"), *parts)) if r.operation == label)
    return found


def test_each_operation_has_a_row_in_the_documents_order() -> None:
    assert [r.operation for r in matrix.link(run(generated("GET /b", "GET /a")))] == ["GET /b", "GET /a"]


def test_without_the_document_there_is_no_matrix() -> None:
    assert matrix.link(run(properties())) == ()


def test_what_no_stage_computed_is_not_zero() -> None:
    assert row("GET /a") == OperationRow(operation="GET /a")
    found = row("GET /a")
    assert (found.tests, found.red_tests, found.cases, found.findings) == (None,) * 4
    assert (found.interactions, found.mutants, found.detected) == (None,) * 3


def test_what_a_stage_did_not_find_is_zero() -> None:
    found = row(
        "GET /a",
        Suite(tests=()),
        properties(sent=(), reached={}),
        Contracts(interactions=()),
        Mutation(mutants=(), critical=()),
    )
    assert (found.tests, found.red_tests, found.cases, found.findings) == (0, 0, 0, ())
    assert (found.interactions, found.mutants, found.detected) == ({}, 0, 0)


def test_a_test_counts_once_for_each_operation_that_it_calls() -> None:
    both = item("t1", exchanges=(exchange("GET /a"), exchange("GET /a"), exchange("GET /b"), exchange()))
    red = item("t2", Outcome.FAILED, exchanges=(exchange("GET /a"),))
    suite = Suite(tests=(both, red, item("t3")))
    assert (row("GET /a", suite).tests, row("GET /a", suite).red_tests) == (2, 1)
    assert (row("GET /b", suite).tests, row("GET /b", suite).red_tests) == (1, 0)


def test_cases_of_all_phases_and_the_findings_of_an_operation_are_its_own() -> None:
    found = properties(
        finding("GET /a", "x"), finding("GET /a", "y"), finding("GET /b"), sent=(cases(sent=3), cases(sent=4))
    )
    assert row("GET /a", found).cases == 7
    assert row("GET /a", found).findings == ("f-GET /a-x", "f-GET /a-y")
    assert row("GET /b", found).cases == 0


def test_interactions_are_counted_by_consumer() -> None:
    found = Contracts(
        interactions=(
            interaction("1", consumer="web", operation="GET /a"),
            interaction("2", Verification.MISMATCH, consumer="app", operation="GET /a"),
            interaction("3", Verification.PENDING, consumer="web", operation="GET /a"),
            interaction("4", operation="GET /b"),
            interaction("5", Verification.MISMATCH),
        )
    )
    assert row("GET /a", found).interactions == {"app": 1, "web": 2}
    assert row("GET /a", found).failures == ("i-2",)


def test_mutants_need_to_know_what_requests_execute() -> None:
    mutants = Mutation(
        mutants=(
            mutant(MutantStatus.KILLED, "1", operations=("GET /a", "GET /b")),
            mutant(MutantStatus.SURVIVED, "2", operations=("GET /a",)),
            mutant(MutantStatus.SURVIVED, "3"),
            mutant(MutantStatus.NOT_RUN, "4", operations=("GET /a",)),
        ),
        critical=(),
    )
    known = row("GET /a", properties(reached={}), mutants)
    assert (known.mutants, known.detected, known.survivors) == (3, 1, ("m-2",))
    for unknown in (row("GET /a", mutants), row("GET /a", properties(), mutants)):
        assert (unknown.mutants, unknown.detected) == (None, None)


def test_an_excluded_operation_says_why() -> None:
    left_out = Operation(method="GET", path="/a", summary="Read", excluded="too slow")
    (found,) = matrix.link(run(generated(operations=(left_out,))))
    assert (found.summary, found.excluded) == ("Read", "too slow")


labels = st.sampled_from(["GET /a", "GET /b", "GET /c", ""])


@given(st.lists(st.tuples(labels, st.sampled_from(Verification))))
def test_every_interaction_of_a_documented_operation_is_in_exactly_one_row(
    of: list[tuple[str, Verification]],
) -> None:
    found = Contracts(interactions=tuple(interaction(str(n), r, operation=o) for n, (o, r) in enumerate(of)))
    linked: Run = run(generated("GET /a", "GET /b"), found)
    rows = matrix.link(linked)
    counted = Counter(o for o, _ in of)
    assert {r.operation: sum((r.interactions or {}).values()) for r in rows} == {
        "GET /a": counted["GET /a"],
        "GET /b": counted["GET /b"],
    }
    failures = [f for r in rows for f in r.failures]
    assert len(failures) == len(set(failures))
    assert set(failures) <= {f.fingerprint for f in found.failures}


def test_the_matrix_of_a_full_run_can_be_linked() -> None:
    assert matrix.link(builders.full_run())
