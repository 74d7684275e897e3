from __future__ import annotations

import difflib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.replacement import replaced
from orchestrator.report import operators


def named(old: str, new: str) -> str:
    diff = difflib.unified_diff(old.splitlines(), new.splitlines(), "a/x.py", "b/x.py", lineterm="")
    return operators.name(replaced("\n".join(diff)))


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ("a < b", "a <= b", "EqualityOperator"),
        ("a in b", "a not in b", "Insertion"),
        ("a and b", "a or b", "LogicalOperator"),
        ("x = -(a)", "x = +(a)", "ArithmeticOperator"),
        ("x += a", "x -= a", "AssignmentOperator"),
        ("f(True)", "f(False)", "BooleanLiteral"),
        ("break", "continue", "LoopControl"),
        ("x = 1", "x = 2", "NumberLiteral"),
        ('f("a b", c)', 'f("XXa bXX", c)', "StringLiteral"),
        ('f("a?")', 'f("XXa?XX")', "StringLiteral"),
        ('f("")', 'f("XXXX")', "StringLiteral"),
        ('x = "a b"', 'x = "A B"', "StringLiteral"),
        ('f("a", b)', "f(None, b)", "NoneValue"),
        ('f("a", b)', "f(b)", "Removal"),
        ("f(a, b)", "f(a, )", "Removal"),
        ("if key:", "if (key) and False:", "ConditionalExpression"),
        ("if key:", "if (key) or True:", "ConditionalExpression"),
        ("x = None", 'x = ""', "Expression"),
        ("x = 1", "x = 1\ny = 2", "Insertion"),
        ("x = 1", "x = 1", "Unknown"),
    ],
)
def test_a_change_is_named_by_its_words(old: str, new: str, name: str) -> None:
    assert named(old, new) == name


@given(st.text("ab1\"'()+,= N", max_size=20), st.text("ab1\"'()+,= N", max_size=20))
def test_every_change_has_a_name(old: str, new: str) -> None:
    assert named(old, new)
