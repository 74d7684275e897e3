"""Numbers come nearer to what they are told of."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from orchestrator.mutation.climbing import Climb, Example


def climbed(places: int, most: int, distances: Callable[[Example], Mapping[int, float]]) -> list[Example]:
    """The examples until one has no distance from any goal, or until the end."""
    examples: list[Example] = []
    with Climb(places, most) as climb:
        while (example := climb.next()) is not None:
            examples.append(example)
            told = distances(example)
            if told and not any(told.values()):
                break
            climb.tell(told)
    return examples


def test_a_number_is_found_by_how_near_those_before_it_came() -> None:
    examples = climbed(4, 80, lambda e: {0: abs(3 * e.number - 1164)} if e.place == 2 else {0: 1164})
    assert examples[-1] == Example(2, 388)
    assert len(examples) < 80


def test_without_being_told_it_is_not() -> None:
    examples = climbed(4, 80, lambda _: {})
    assert Example(2, 388) not in examples


def test_it_ends_when_as_many_were_tried() -> None:
    assert len(climbed(1, 30, lambda _: {0: 1.0})) == 30


def test_the_same_numbers_come_each_time() -> None:
    first = climbed(2, 40, lambda e: {0: abs(e.number - 77_777)})
    assert climbed(2, 40, lambda e: {0: abs(e.number - 77_777)}) == first


def test_one_that_is_left_leaves_no_thread() -> None:
    with Climb(1, 50) as climb:
        climb.next()
        assert "climb" in {thread.name for thread in threading.enumerate()}
    assert "climb" not in {thread.name for thread in threading.enumerate()}


def test_several_go_on_at_a_time() -> None:
    with Climb(1, 60) as one, Climb(1, 60) as other:
        for climb, goal in [(one, 3), (other, 900)] * 20:
            example = climb.next()
            assert example is not None
            climb.tell({0: abs(example.number - goal)})
