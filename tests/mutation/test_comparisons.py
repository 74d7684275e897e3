"""A watched function does what it did, and tells how near the sides of its comparisons come."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import Any

import pytest

from orchestrator.agent.mutation import nearness
from orchestrator.mutation.comparisons import watched

FUNCTION = '''
def price(count, *, limit=10):
    """What they cost."""
    # Many are cheaper.
    if count >= limit:
        return 6 * count
    return [7 * n for n in range(count) if n != 2][-1]
'''.strip("\n")


def made(text: str, name: str = "price") -> Callable[..., Any]:
    nearness.install()
    scope: dict[str, Any] = {}
    exec(text, scope)  # noqa: S102 - what is made is run
    function: Callable[..., Any] = scope[name]
    nearness.take()
    return function


def test_a_watched_function_returns_the_same_and_tells_how_near_it_came() -> None:
    original, function = made(FUNCTION), made("\n".join(watched(FUNCTION)))
    assert [function(n) for n in range(1, 20)] == [original(n) for n in range(1, 20)]
    nearness.take()
    function(7)
    assert nearness.take() == {0: 3.0, 1: 0.0}
    assert function.__doc__ == original.__doc__


def test_a_method_keeps_its_indentation_and_its_decorator() -> None:
    method = "    @staticmethod\n    def price(count):\n        return count > 3\n"
    lines = watched(method)
    assert [line[:5] for line in lines[:2]] == ["    @", "    d"]
    holder = made("\n".join(["class Shop:", *lines]), "Shop")
    assert (holder.price(3), holder.price(4)) == (False, True)  # type: ignore[attr-defined]


@pytest.mark.parametrize("condition", ["1 < count < 5", "count is None", "count in (1, 2)", "count"])
def test_where_no_two_values_are_compared_nothing_is_watched(condition: str) -> None:
    assert watched(f"def price(count):\n    return {condition}") == ()


def test_a_comparison_within_another_is_watched_too() -> None:
    text = "def price(count):\n    return (count > 3) == (count < 9)"
    function = made("\n".join(watched(text)))
    assert (function(4), function(2)) == (True, False)
    assert nearness.take() == {0: 1.0, 1: 5.0}


def test_a_coroutine_may_wait_in_a_comparison() -> None:
    text = textwrap.dedent("""
        async def price(count):
            return await count() >= 2
    """).strip()
    compile("\n".join(watched(text)), "<watched>", "exec", dont_inherit=True)


def test_what_is_no_python_is_told() -> None:
    with pytest.raises(SyntaxError):
        watched("def price(:")
