from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orchestrator import history
from orchestrator.model.mutation import Mutant, MutantStatus, Mutation
from orchestrator.model.run import Report
from orchestrator.report.ranking import AN_OPERATION, AT_ONCE, WITHOUT_SCRIPT, ranked
from tests import builders
from tests.builders import mutant, oracle_gap, run

SURVIVED = MutantStatus.SURVIVED


def report(*mutants: Mutant, before: tuple[Mutant, ...] | None = None) -> Report:
    of = run(Mutation(mutants=mutants, critical=("*",)))
    if before is None:
        return builders.report(of)
    earlier = run(Mutation(mutants=before, critical=("*",)))
    return builders.report(of, history.compare(of, earlier, "previous run"))


def apart(name: str, **more: object) -> Mutant:
    """A survivor in a function and a file of its own."""
    return mutant(SURVIVED, name, **{"path": f"shop/{name}.py", "function": f"of_{name}", **more})


def first(of: Report) -> list[str]:
    return [card.mutant.fingerprint for card in ranked(of).first]


def test_changed_lines_come_first_then_what_is_new_then_what_a_test_sees() -> None:
    plain, seen, new, changed = (
        apart("a"),
        apart("b", gaps=(oracle_gap(),)),
        apart("c"),
        apart("d", changed=True),
    )
    assert first(report(plain, seen, new, changed, before=(plain, seen, changed))) == ["m-d", "m-c", "m-b", "m-a"]


def test_a_survivor_that_no_test_executes_comes_after_one_that_tests_do() -> None:
    unreached = mutant(MutantStatus.NO_TESTS, "a", path="shop/a.py")
    assert first(report(unreached, apart("b"))) == ["m-b", "m-a"]


def test_those_of_a_line_are_one_card() -> None:
    (card,) = ranked(report(mutant(SURVIVED, "1"), mutant(SURVIVED, "2"))).first
    assert [m.fingerprint for m in card.mutants] == ["m-1", "m-2"]


def test_those_that_do_the_same_damage_in_a_function_are_one_card() -> None:
    gap = oracle_gap(place="$.total")
    other = oracle_gap(place="$.count")
    cards = ranked(
        report(
            mutant(SURVIVED, "1", line=1, gaps=(gap,)),
            mutant(SURVIVED, "2", line=2, gaps=(gap,)),
            mutant(SURVIVED, "3", line=3, gaps=(other,)),
        )
    ).first
    assert [[m.fingerprint for m in card.mutants] for card in cards] == [["m-1", "m-2"], ["m-3"]]


def test_of_an_operation_only_some_are_shown_at_once() -> None:
    mutants = [apart(f"{n:02}", operations=("GET /a",)) for n in range(AN_OPERATION + 3)]
    cards = ranked(report(*mutants, apart("z", operations=("GET /z",))))
    assert [card.operation for card in cards.first] == ["GET /a"] * AN_OPERATION + ["GET /z"]
    assert len(cards.more) == 3


def test_a_card_is_found_by_what_is_known_of_it() -> None:
    (card,) = ranked(report(apart("a", operations=("GET /A",), changed=True), before=())).first
    for word in ("shop/a.py:7", "of_a", "get /a", "survived", "m-a", "new", "changed"):
        assert word in card.find


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 3), st.booleans()), max_size=180))
def test_every_survivor_is_on_exactly_one_card_and_few_are_shown(made: list[tuple[int, int, bool]]) -> None:
    mutants = [
        mutant(SURVIVED, str(n), line=line, path=f"shop/{file}.py", gaps=(oracle_gap(),) if seen else ())
        for n, (line, file, seen) in enumerate(made)
    ]
    cards = ranked(report(*mutants))
    shown = [m.fingerprint for card in (*cards.first, *cards.more, *cards.rest) for m in card.mutants]
    assert sorted(shown) == sorted(m.fingerprint for m in mutants)
    assert len(cards.first) <= AT_ONCE
    without_script = sum(len(card.mutants) for card in (*cards.first, *cards.more))
    assert without_script <= max(WITHOUT_SCRIPT, sum(len(card.mutants) for card in cards.first))
