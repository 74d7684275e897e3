from __future__ import annotations

from orchestrator.mutation.order import Order
from orchestrator.mutation.reach import Item
from tests.mutation.samples import candidate

HERE = "/p/a.py"
MUTANT = candidate(HERE, "f", "def f():", line=2, reach=1 << 2)
LINES = {HERE: 1 << 2}
NAMES = ("t::a", "t::b", "t::c")


def item(name: str, seconds: float = 0.01, **lines: int) -> Item:
    return Item(name=name, seconds=seconds, lines={f"/p/{stem}.py": mask for stem, mask in lines.items()})


def alike(*more: Item) -> list[Item]:
    return [*(item(name, a=1 << 2) for name in NAMES), *more]


def test_tests_that_are_as_good_stay_in_their_order() -> None:
    assert Order(alike(), {}).sorted([2, 0, 1], MUTANT, [LINES]) == [0, 1, 2]
    assert Order(alike(), {}).sorted([], MUTANT, [LINES]) == []


def test_the_quicker_test_comes_first() -> None:
    items = [item("t::a", 0.3, a=1 << 2), item("t::b", 0.1, a=1 << 2), item("t::c", 0.2, a=1 << 2)]
    assert Order(items, {}).sorted([0, 1, 2], MUTANT, [LINES]) == [1, 2, 0]


def test_a_test_that_takes_no_time_is_possible() -> None:
    assert Order([item("t::a", 0.0), item("t::b", 0.0)], {}).sorted([0, 1], MUTANT, [LINES]) == [0, 1]


def test_who_reaches_everything_comes_last() -> None:
    items = [item("t::a", a=(1 << 900) - 1), item("t::b", a=1 << 2)]
    assert Order(items, {}).sorted([0, 1], MUTANT, [LINES]) == [1, 0]


def test_who_reaches_the_line_comes_before_who_reaches_the_file_before_others() -> None:
    items = [item("t::a", b=1 << 2), item("t::b", a=1 << 7), item("t::c", a=1 << 2)]
    assert Order(items, {}).sorted([0, 1, 2], MUTANT, [LINES]) == [2, 1, 0]


def test_who_killed_in_this_function_in_an_earlier_run_comes_first() -> None:
    order = Order(alike(), {f"{MUTANT.mutant.path}::f": ["t::b", "t::gone"]})
    assert order.sorted([0, 1, 2], MUTANT, [LINES]) == [1, 0, 2]
    assert order.sorted([0, 1, 2], candidate(HERE, "g", "def g():"), [LINES]) == [0, 1, 2]


def test_who_killed_a_mutant_of_this_line_comes_before_who_killed_in_this_function() -> None:
    order = Order(alike(), {f"{MUTANT.mutant.path}::f": ["t::c"]})
    order.learn(MUTANT, "t::b", ())
    assert order.sorted([0, 1, 2], MUTANT, [LINES]) == [1, 2, 0]
    other_line = candidate(HERE, "f", "def f():", line=3)
    order.learn(candidate(HERE, "f", "def f():", line=9), "t::c", ())
    assert order.sorted([0, 1, 2], other_line, [LINES]) == [2, 1, 0]


def test_who_ran_and_did_not_notice_comes_later() -> None:
    order = Order(alike(), {})
    order.learn(MUTANT, "", ["t::a"])
    assert order.sorted([0, 1, 2], MUTANT, [LINES]) == [1, 2, 0]


def test_a_killer_that_is_no_test_teaches_nothing() -> None:
    order = Order(alike(), {})
    order.learn(MUTANT, "collection", ())
    assert order.sorted([0, 1, 2], MUTANT, [LINES]) == [0, 1, 2]
