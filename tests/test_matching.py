from __future__ import annotations

import difflib

import msgspec

from orchestrator import history
from orchestrator.model.fingerprint import fingerprint
from orchestrator.model.mutation import Mutant, MutantStatus, Mutation
from orchestrator.model.run import Change
from orchestrator.model.suite import Outcome, Suite
from tests.builders import item, run

SURVIVED, KILLED, NOT_RUN = MutantStatus.SURVIVED, MutantStatus.KILLED, MutantStatus.NOT_RUN
CODE = "def total(items):\n    return round(sum(items), 2)\n"
ONE_A_LINE = "def total(items):\n    return round(\n        sum(items),\n        2,\n    )\n"


def mutant(path: str, source: str, old: str, new: str, status: MutantStatus = SURVIVED, *, nth: int = 0) -> Mutant:
    """A mutant of the source in which one occurrence of a text is another; its fingerprint holds path and lines."""
    parts = source.split(old)
    changed = old.join(parts[: nth + 1]) + new + old.join(parts[nth + 1 :])
    diff = "\n".join(difflib.unified_diff(source.splitlines(), changed.splitlines(), lineterm=""))
    return Mutant(
        fingerprint=fingerprint(path, diff), id="x", path=path, function="total", line=1, diff=diff, status=status
    )


def compared(now: list[Mutant], then: list[Mutant]) -> list[tuple[Change, str]]:
    of = [run(Mutation(mutants=tuple(mutants), critical=("*",))) for mutants in (now, then)]
    found = history.compare(of[0], of[1], "baseline").differences
    return [(d.change, d.was) for d in found]


def test_a_survivor_in_a_file_of_another_name_is_still_there() -> None:
    then = mutant("shop/a.py", CODE, "2", "3")
    assert compared([mutant("shop/b.py", CODE, "2", "3")], [then]) == [(Change.STILL, then.fingerprint)]


def test_a_survivor_in_code_of_another_layout_is_still_there() -> None:
    then = mutant("shop/a.py", CODE, "2", "3")
    assert compared([mutant("shop/a.py", ONE_A_LINE, "2", "3")], [then]) == [(Change.STILL, then.fingerprint)]


def test_another_change_of_the_same_function_is_another_survivor() -> None:
    now, then = mutant("shop/a.py", CODE, "2", "4"), mutant("shop/a.py", CODE, "2", "3")
    assert compared([now], [then]) == [(Change.NEW, ""), (Change.FIXED, "")]


def test_a_file_that_is_still_there_was_not_renamed() -> None:
    then = [mutant("shop/a.py", CODE, "2", "3"), mutant("shop/a.py", CODE, "sum", "max", KILLED)]
    now = [
        mutant("shop/b.py", CODE, "2", "3"),
        mutant("shop/a.py", CODE, "sum", "max", KILLED),
        mutant("shop/a.py", CODE, "2", "3", KILLED),
    ]
    assert compared(now, then) == [(Change.NEW, ""), (Change.FIXED, "")]


def test_of_like_changes_the_how_manieth_counts_whichever_survive() -> None:
    source = "def total(a):\n    return a + a + a\n"
    then = [mutant("a.py", source, " + ", " - ", KILLED, nth=0), mutant("a.py", source, " + ", " - ", SURVIVED, nth=1)]
    both = [
        mutant("b.py", source, " + ", " - ", SURVIVED, nth=0),
        mutant("b.py", source, " + ", " - ", SURVIVED, nth=1),
    ]
    assert compared(both, then) == [(Change.NEW, ""), (Change.STILL, then[1].fingerprint)]


def test_a_survivor_that_nobody_looked_at_in_its_renamed_file_is_not_fixed() -> None:
    now = mutant("shop/b.py", CODE, "2", "3", NOT_RUN)
    assert compared([now], [mutant("shop/a.py", CODE, "2", "3")]) == []


def test_a_survivor_that_is_killed_in_its_renamed_file_is_fixed() -> None:
    now = mutant("shop/b.py", CODE, "2", "3", KILLED)
    assert compared([now], [mutant("shop/a.py", CODE, "2", "3")]) == [(Change.FIXED, "")]


def test_a_red_test_in_a_file_of_another_name_is_still_there() -> None:
    def of(path: str) -> Suite:
        return Suite(tests=(item(f"{path}::test_total", Outcome.FAILED),))

    (found,) = history.compare(run(of("tests/test_b.py")), run(of("tests/test_a.py")), "baseline").differences
    assert (found.change, found.was) == (Change.STILL, "tests/test_a.py::test_total")


def test_nothing_is_matched_in_a_run_that_is_compared_with_itself() -> None:
    mutants = [mutant("a.py", CODE, "2", "3"), mutant("a.py", CODE, "sum", "max")]
    again = [msgspec.structs.replace(m) for m in mutants]
    assert compared(mutants, again) == [(Change.STILL, ""), (Change.STILL, "")]
