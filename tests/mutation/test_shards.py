"""Mutants shared out among machines, and put together again."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.adapters.session import Change
from orchestrator.errors import Code, UsageError
from orchestrator.model.mutation import Disagreement, MutantStatus, Mutation, SelfCheck
from orchestrator.mutation import shards
from orchestrator.mutation.candidates import Candidate
from orchestrator.mutation.shards import Shard
from tests.builders import mutant, mutation

KILLED, SURVIVED, NOT_RUN = MutantStatus.KILLED, MutantStatus.SURVIVED, MutantStatus.NOT_RUN


def candidate(number: int, status: MutantStatus = NOT_RUN) -> Candidate:
    change = Change(path="/shop.py", first=1, last=1, lines=("",), function=True)
    made = mutant(status, str(number), fingerprint=f"{number * 7919 % 1000:03}-{number}")
    return Candidate(mutant=made, change=change, reach=2, changed=(1, 1), mutmuts=True)


def part(shard: str, *statuses: MutantStatus, **more: Any) -> Mutation:
    return msgspec.structs.replace(mutation(*statuses), shard=shard, **more)


@pytest.mark.parametrize("told", ["", "0/4", "5/4", "2", "2/0", "-1/2", "1/2/3", "a/b", "1/2 "])
def test_what_is_no_shard_is_refused(told: str) -> None:
    with pytest.raises(UsageError) as error:
        Shard.read(told)
    assert error.value.problem.code == Code.SHARD_UNKNOWN


@given(st.integers(0, 60), st.integers(1, 7))
def test_every_candidate_is_in_exactly_one_shard_and_they_are_as_large(size: int, count: int) -> None:
    candidates = [candidate(number) for number in range(size)]
    shares = [
        [c.mutant.id for c in shards.chosen(candidates, Shard(number, count)) if not c.mutant.reason]
        for number in range(1, count + 1)
    ]
    assert sorted(name for share in shares for name in share) == sorted(c.mutant.id for c in candidates)
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


@given(st.permutations(range(20)))
def test_the_shares_do_not_depend_on_the_order_in_which_mutants_are_found(order: list[int]) -> None:
    def share(numbers: list[int]) -> set[str]:
        found = shards.chosen([candidate(number) for number in numbers], Shard(2, 3))
        return {c.mutant.id for c in found if not c.mutant.reason}

    assert share(order) == share(sorted(order))


def test_what_need_not_be_judged_stays_what_it_is_in_every_shard() -> None:
    found = shards.chosen([candidate(1, MutantStatus.EQUIVALENT), candidate(2)], Shard(3, 3))
    assert [(c.mutant.status, c.mutant.reason) for c in found] == [
        (MutantStatus.EQUIVALENT, ""),
        (NOT_RUN, "not in shard 3/3"),
    ]


def test_verdicts_are_those_of_the_shards_that_reached_them() -> None:
    one = part("1/2", KILLED, NOT_RUN, NOT_RUN, reused=1, seconds={"reach": 1.0, "judging": 3.0})
    two = part("2/2", NOT_RUN, SURVIVED, NOT_RUN, reused=2, seconds={"reach": 2.0})
    whole = shards.joined([two, one])
    assert [m.status for m in whole.mutants] == [KILLED, SURVIVED, NOT_RUN]
    assert (whole.shard, whole.reused, whole.seconds) == ("", 3, {"reach": 2.0, "judging": 3.0})
    assert whole.self_check is None


def test_a_mutant_that_its_own_shard_had_no_time_for_says_no_other_reason() -> None:
    left = mutant(NOT_RUN, "0", reason="not in shard 1/2")
    own = mutant(NOT_RUN, "0")
    parts = [part("1/2", mutants=(left,)), part("2/2", mutants=(own,))]
    assert shards.joined(parts).mutants == (own,)


def test_the_self_checks_are_one() -> None:
    found = Disagreement(mutant="m", ours=SURVIVED, plain=KILLED)
    one = part("1/2", self_check=SelfCheck(checked=10, seconds=4.0, disagreements=(found,)))
    two = part("2/2", self_check=SelfCheck(checked=12, seconds=3.0))
    assert shards.joined([one, two]).self_check == SelfCheck(checked=22, seconds=4.0, disagreements=(found,))


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ([part("1/2")], "1 shard missing: 2 of 2"),
        ([part("1/3"), part("1/3")], "2 shards missing: 2, 3 of 3"),
        ([part("1/2"), part("2/3")], "not the shards of one run"),
        ([part("")], "not the shards of one run"),
        ([part("1/2", KILLED), part("2/2")], "different mutants"),
        ([part("1/2"), part("2/2", critical=("other.py",))], "different mutants"),
    ],
)
def test_what_does_not_belong_together_is_refused(parts: list[Mutation], said: str) -> None:
    with pytest.raises(UsageError) as error:
        shards.joined(parts)
    assert error.value.problem.code == Code.SHARDS_UNLIKE
    assert said in error.value.problem.message
