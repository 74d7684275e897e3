"""What sort of change a mutant is, by the words that it replaces: mutmut does not say which of its operators it used.

The names are Stryker's where it has one: https://stryker-mutator.io/docs/mutation-testing-elements/supported-mutators.
"""

from __future__ import annotations

import re
from typing import Final

from orchestrator.model.replacement import Replacement

_NUMBER: Final = re.compile(r"\d[\w.]*")
_ARITHMETIC: Final = ("+", "-", "*", "/", "//", "%", "**", "<<", ">>", "&", "|", "^", "@")
_WORDS: Final = (
    ("EqualityOperator", frozenset({"==", "!=", "<", "<=", ">", ">=", "is", "isnot", "in", "notin", "not"})),
    ("LogicalOperator", frozenset({"and", "or"})),
    ("ArithmeticOperator", frozenset(_ARITHMETIC)),
    ("AssignmentOperator", frozenset({"=", *(f"{sign}=" for sign in _ARITHMETIC)})),
    ("BooleanLiteral", frozenset({"True", "False"})),
    ("LoopControl", frozenset({"break", "continue", "return"})),
)


def name(change: Replacement) -> str:
    """Return the name of the sort of a change."""
    return _of_operators(*change.words) or _of_operators(*_without_brackets(*change.words)) or _of_rest(change)


def _of_operators(before: str, after: str) -> str:
    return next((sort for sort, words in _WORDS if before in words and after in words), "")


def _of_rest(change: Replacement) -> str:
    before, after = _without_brackets(*change.words)
    if _is_other_string(before, after):
        return "StringLiteral"
    if not before:
        return "Insertion" if after else "Unknown"
    if not after:
        return "Removal"
    if after in (f"({before})andFalse", f"({before})orTrue"):
        return "ConditionalExpression"
    if _NUMBER.fullmatch(before) and _NUMBER.fullmatch(after):
        return "NumberLiteral"
    return "NoneValue" if after == "None" else "Expression"


def _without_brackets(before: str, after: str) -> tuple[str, str]:
    """Return both without the signs that they begin and end with alike: brackets, quotes and commas around words."""
    while before and before[:1] == after[:1] and not before[0].isalnum():
        before, after = before[1:], after[1:]
    while before and before[-1:] == after[-1:] and not before[-1].isalnum():
        before, after = before[:-1], after[:-1]
    return before, after


def _is_other_string(before: str, after: str) -> bool:
    """Return whether the words are parts of strings: mutmut puts XX around them, or changes their case."""
    bare, other = before.strip("\"'"), after.strip("\"'")
    return other == f"XX{bare}XX" or (bare != other and bare.casefold() == other.casefold())
