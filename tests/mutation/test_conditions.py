"""It is said which condition no test meets."""

from __future__ import annotations

import ast

import pytest

from orchestrator.mutation.conditions import unmet

CODE = """
class A:
    def f(self, n):
        if n > 3:
            return 1
        elif n < 0:
            return 2
        else:
            x = 3
        for k in range(n):
            x += k
        while x > n:
            x -= 1
        try:
            g(x)
        except ValueError:
            x = 0
        except (KeyError, OSError):
            x = 1
        match x:
            case 1:
                x = 5
            case [a] if a > n:
                x = 6
        return x
        x = 7


def g(x):
    if x:
        if x > 2:
            return x
"""
LINES = CODE.split("\n")


def number(text: str) -> int:
    """Return the last line with a text."""
    return max(k for k, line in enumerate(LINES, 1) if line.strip() == text)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["return 1"], "line 4: `if n > 3` is never true"),
        (["return 2"], "line 6: `if n < 0` is never true"),
        (["x = 3"], "line 6: `if n < 0` is never false"),
        (["x = 3", "elif n < 0:", "return 2"], "line 4: `if n > 3` is never false"),
        (["x += k"], "line 10: `for k in range(n)` goes through nothing"),
        (["x -= 1"], "line 12: `while x > n` is never true"),
        (["x = 0"], "line 16: ValueError is never raised"),
        (["x = 1"], "line 18: (KeyError, OSError) is never raised"),
        (["x = 5"], "line 20: `match x` never meets `case 1`"),
        (["x = 6"], "line 20: `match x` never meets `case [a] if a > n`"),
        (["x = 7"], "line 26 comes after what ends its block"),
        (["return x", "if x > 2:", "if x:"], "no test calls g()"),
        (["return x", "if x > 2:"], "line 30: `if x` is never true"),
        (["return x"], "line 31: `if x > 2` is never true"),
    ],
)
def test_the_outermost_condition_that_is_not_met_is_told(lines: list[str], expected: str) -> None:
    missing = {number(line) for line in lines}
    executed = sum(1 << k for k in range(1, len(LINES)) if k not in missing)
    assert unmet(ast.parse(CODE), number(lines[0]), executed) == expected


def test_of_a_line_that_is_executed_or_outside_of_everything_nothing_is_told() -> None:
    assert unmet(ast.parse("x = 1\n"), 1, 1 << 1) == ""
    assert unmet(ast.parse("x = 1\n"), 5, 0) == ""
