"""Numbers come nearer to what they are told of."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from orchestrator.mutation.climbing import Climb


def climbed(most: int, distances: Callable[[int], Mapping[int, float]]) -> list[int]:
    """The numbers until one has no distance from any goal, or until the end."""
    numbers: list[int] = []
    with Climb(most) as climb:
        while (number := climb.next()) is not None:
            numbers.append(number)
            told = distances(number)
            if told and not any(told.values()):
                break
            climb.tell(told)
    return numbers


def test_a_number_is_found_by_how_near_those_before_it_came() -> None:
    numbers = climbed(160, lambda n: {0: abs(3 * n - 1164)})
    assert numbers[-1] == 388
    assert len(numbers) < 160


def test_without_being_told_it_is_not() -> None:
    assert 388 not in climbed(160, lambda _: {})


def test_it_ends_when_as_many_were_tried() -> None:
    assert len(climbed(30, lambda _: {0: 1.0})) == 30


def test_the_same_numbers_come_each_time() -> None:
    first = climbed(40, lambda n: {0: abs(n - 77_777)})
    assert climbed(40, lambda n: {0: abs(n - 77_777)}) == first


def test_one_that_is_left_leaves_no_thread() -> None:
    with Climb(50) as climb:
        climb.next()
        assert "climb" in {thread.name for thread in threading.enumerate()}
    assert "climb" not in {thread.name for thread in threading.enumerate()}


def test_several_go_on_at_a_time() -> None:
    with Climb(60) as one, Climb(60) as other:
        for climb, goal in [(one, 3), (other, 900)] * 20:
            number = climb.next()
            assert number is not None
            climb.tell({0: abs(number - goal)})
