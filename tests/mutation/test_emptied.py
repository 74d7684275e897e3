"""The quick look: functions without their bodies."""

from __future__ import annotations

import ast
import inspect
import textwrap
from pathlib import Path
from typing import Any

import pytest

from orchestrator.adapters.source import Function
from orchestrator.model.mutation import MutantKind, MutantStatus
from orchestrator.mutation import emptied
from tests.mutation.subjects import judge


def made(text: str) -> dict[str, str]:
    """Return the emptied functions of a text, by name: the whole text with the change in it."""
    text = textwrap.dedent(text).strip("\n")
    lines = text.split("\n")
    functions = {}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            owner = "Cart." if node.col_offset else ""
            functions[owner + node.name, node.lineno] = Function(
                path="m.py",
                module="m",
                name=owner + node.name,
                first=first,
                line=node.lineno,
                last=node.end_lineno or 0,
            )
    return {
        m.name: "\n".join([*lines[: m.first - 1], *m.lines, *lines[m.last :]]) for m in emptied.make(text, functions)
    }


def test_a_function_keeps_its_signature_and_its_docstring() -> None:
    (changed,) = made('''
        @cached
        def total(
            prices,  # net
        ):
            """Return the sum."""
            # rounded
            found = sum(prices)
            return found
        LIMIT = 3
    ''').values()
    assert changed == textwrap.dedent('''
        @cached
        def total(
            prices,  # net
        ):
            """Return the sum."""
            # rounded
            return
        LIMIT = 3''').strip("\n")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("def f(): return 1", "def f(): return"),
        ("def f():\n    yield 1", "def f():\n    return\n    yield"),
        ("def f(): yield 1", "def f(): return; yield"),
        ("def f():\n    @g\n    def h(): ...\n    return h", "def f():\n    return"),
        ("def f():\n    return (x for x in y)", "def f():\n    return"),
        ("async def f():\n    await g()", "async def f():\n    return"),
        ("def f(ä='é'): return 'ü'", "def f(ä='é'): return"),
    ],
)
def test_what_is_left_is_of_the_same_kind(body: str, expected: str) -> None:
    assert made(body) == {"f": expected}


def test_a_generator_stays_a_generator() -> None:
    scope: dict[str, Any] = {}
    exec(made("def f():\n    for x in 1, 2:\n        yield x")["f"], scope)  # noqa: S102 - our own line
    assert inspect.isgeneratorfunction(scope["f"])
    assert list(scope["f"]()) == []


def test_a_method_that_knows_its_class_still_does() -> None:
    scope: dict[str, Any] = {}
    text = made("class Cart:\n    def add(self):\n        return super().add()")["Cart.add"]
    exec(text, scope)  # noqa: S102 - our own line
    assert scope["Cart"].add.__code__.co_freevars == ("__class__",)
    assert scope["Cart"]().add() is None


@pytest.mark.parametrize(
    "body",
    [
        "pass",
        "...",
        "'''Nothing yet.'''",
        "return None",
        "return",
        "raise NotImplementedError('in a subclass')",
    ],
)
def test_a_function_that_does_nothing_has_no_mutant(body: str) -> None:
    assert made(f"def f():\n    {body}") == {}


def test_abstract_methods_and_overloads_have_none() -> None:
    assert made("@typing.overload\ndef f(): return 1\n@abstractmethod\ndef g(): return 2") == {}


def test_it_shows_in_one_mutant_each_what_tests_execute_and_nobody_checks(tmp_path: Path) -> None:
    judged = judge(
        tmp_path,
        {
            "pkg/__init__.py": "",
            "pkg/shop.py": """
                import functools

                def total(prices):
                    return sum(prices)

                def remember(total, seen=[]):
                    seen.append(total)

                def names():
                    yield "cart"

                def unused():
                    return 1

                @functools.cache
                def rate():
                    return 2

                class Cart:
                    def __init__(self):
                        super().__init__()
                        self.lines = []
            """,
            "tests/test_shop.py": """
                from pkg import shop

                def test_total():
                    total = shop.total([1, 2])
                    shop.remember(total)
                    assert total == 3

                def test_names():
                    assert list(shop.names()) == ["cart"]

                def test_rate():
                    assert shop.rate() == 2

                def test_cart():
                    assert shop.Cart().lines == []
            """,
        },
        quick=True,
    )
    assert {m.function: m.status for m in judged.mutants} == {
        "total": MutantStatus.KILLED,
        "remember": MutantStatus.SURVIVED,
        "names": MutantStatus.KILLED,
        "unused": MutantStatus.NO_TESTS,
        "rate": MutantStatus.KILLED,
        "Cart.__init__": MutantStatus.KILLED,
    }
    assert {m.id for m in judged.mutants if m.kind is MutantKind.HANDLER} == {"pkg.shop.x_rate__emptied_1"}
    assert not any(m.reason for m in judged.mutants), "each is judged in the collected session"
