from __future__ import annotations

from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.mutation import MutantStatus, score
from orchestrator.model.strength import Kills, kills
from tests.builders import mutant, mutation

statuses = st.lists(st.sampled_from(MutantStatus), max_size=30)


@pytest.mark.parametrize("status", list(MutantStatus))
def test_no_mutant_is_both_detected_and_undetected(status: MutantStatus) -> None:
    assert not (status.is_detected and status.is_undetected)


def test_each_status_counts_on_its_side() -> None:
    assert {s.name for s in MutantStatus if s.is_detected} == {"KILLED", "TIMEOUT", "CRASHED", "TYPE_CHECK"}
    assert {s.name for s in MutantStatus if s.is_undetected} == {"SURVIVED", "NO_TESTS"}


@given(statuses)
def test_the_score_is_the_share_of_the_detected_among_the_judged(of: list[MutantStatus]) -> None:
    found = mutation(*of).score
    detected = sum(s.is_detected for s in of)
    judged = detected + sum(s.is_undetected for s in of)
    if not judged:
        assert found is None
    else:
        assert found is not None
        assert found == float(Fraction(100 * detected, judged))


@given(statuses, statuses)
def test_mutants_of_which_nothing_is_known_change_no_score(of: list[MutantStatus], more: list[MutantStatus]) -> None:
    unknown = [s for s in more if not s.is_detected and not s.is_undetected]
    assert mutation(*of, *unknown).score == mutation(*of).score


@given(statuses.filter(lambda of: any(s.is_detected or s.is_undetected for s in of)))
def test_a_kill_never_lowers_a_score_and_a_survivor_never_raises_it(of: list[MutantStatus]) -> None:
    now = mutation(*of).score
    better = mutation(*of, MutantStatus.KILLED).score
    worse = mutation(*of, MutantStatus.SURVIVED).score
    assert now is not None
    assert better is not None
    assert worse is not None
    assert 0 <= worse <= now <= better <= 100


def test_no_mutants_have_no_score() -> None:
    assert score(()) is None


def test_mutants_are_counted_by_their_statuses() -> None:
    of = mutation(MutantStatus.KILLED, MutantStatus.KILLED, MutantStatus.TIMEOUT, MutantStatus.SURVIVED)
    assert of.count(MutantStatus.KILLED, MutantStatus.TIMEOUT) == 3
    assert of.count() == 0


def test_what_a_test_kills_alone_is_told_from_what_others_kill_too() -> None:
    killers = {"1": ("a", "b"), "2": ("a",), "3": ("a", "b", "c"), "4": ()}
    mutants = tuple(mutant(MutantStatus.KILLED, name, killers=by) for name, by in killers.items())
    assert kills(msgspec.structs.replace(mutation(), mutants=mutants)) == (
        Kills(test="a", killed=3, alone=1),
        Kills(test="b", killed=2, alone=0),
        Kills(test="c", killed=1, alone=0),
    )


def test_of_a_run_that_ends_at_the_first_killer_nothing_is_said_of_the_others() -> None:
    found = msgspec.structs.replace(mutation(), mutants=(mutant(MutantStatus.KILLED, "1", killer="a"),))
    assert kills(found) == ()
