"""Where any number can be put into a call that sends a request."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from orchestrator.mutation.variants import Hints, Span, is_path, is_python, spans

_LENGTH: Final = '"x" * '  # before a number: a text that is as long


class Place(msgspec.Struct, frozen=True):
    """Where a number can stand.

    Attributes:
        before: The call before it.
        after: The call after it.
        is_count: Whether none below zero makes sense.
    """

    before: str
    after: str
    is_count: bool = False

    def with_number(self, number: int) -> str:
        """Return the call with a number there."""
        return f"{self.before}{abs(number) if self.is_count else number}{self.after}"


class _Part(msgspec.Struct, frozen=True):
    """A part of a call, from and to a place in it, instead of which a number may stand, with something before it."""

    first: int
    last: int
    before: str = ""
    is_count: bool = False


def number_places(call: str, hints: Hints) -> list[Place]:
    """Return the places of a call: numbers in it, lengths of its texts, fields and parameters that it might have.

    Args:
        call: Python, an expression that sends a request.
        hints: What is known of its operation.

    Raises:
        SyntaxError: it is no Python.
    """
    if not call.isascii():
        return []  # columns are counted in bytes
    tree, span = ast.parse(call, mode="eval").body, spans(call)
    nodes = _outside_of_formatted(tree)
    found: dict[Place, None] = {}
    for part in [*_in_path(nodes, call, hints, span), *_in_arguments(nodes, hints, span)]:
        place = Place(call[: part.first] + part.before, call[part.last :], part.is_count)
        if is_python(place.with_number(1)):
            found[place] = None
    return list(found)


def _outside_of_formatted(tree: ast.expr) -> list[ast.AST]:
    """Return the nodes that are in no formatted text: before Python 3.12 it is not known where those stand."""
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)}
    return [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) or id(node) not in inside]


def _in_path(nodes: Sequence[ast.AST], call: str, hints: Hints, span: Span) -> Iterator[_Part]:
    path = next((n for n in nodes if isinstance(n, ast.Constant | ast.JoinedStr) and is_path(n)), None)
    if path is None:
        return
    first, last = span(path)
    written = call[first:last]
    if isinstance(path, ast.Constant):
        yield from (_Part(first + d.start(), first + d.end(), is_count=True) for d in re.finditer(r"\d+", written))
    joint = "&" if "?" in written else "?"
    for name, values in hints.query.items():
        if _before(values) == "":
            yield _Part(last - 1, last - 1, f"{joint}{name}=")


def _in_arguments(nodes: Sequence[ast.AST], hints: Hints, span: Span) -> Iterator[_Part]:
    for node in nodes:
        if isinstance(node, ast.Constant) and type(node.value) in (int, float):
            yield _Part(*span(node))
        elif isinstance(node, ast.Dict):
            yield from _in_texts(node.values, span)
            yield from _in_new_fields(node, hints, span)
        elif isinstance(node, ast.Call):
            yield from _in_texts([keyword.value for keyword in node.keywords], span)


def _in_texts(values: Sequence[ast.expr], span: Span) -> Iterator[_Part]:
    for value in values:
        if isinstance(value, ast.Constant) and isinstance(value.value, str) and not is_path(value):
            yield _Part(*span(value), _LENGTH, True)


def _in_new_fields(node: ast.Dict, hints: Hints, span: Span) -> Iterator[_Part]:
    known = {key.value for key in node.keys if isinstance(key, ast.Constant)}
    end = span(node)[1] - 1
    for name, values in hints.fields.items():
        before = _before(values)
        if before is not None and name not in known:
            comma = ", " if node.keys else ""
            yield _Part(end, end, f"{comma}{json.dumps(name)}: {before}", is_count=before == _LENGTH)


def _before(values: Sequence[Any]) -> str | None:
    """Return what stands before a number to make a value of the kind of some; None: no number makes one."""
    kinds = {type(value) for value in values}
    return _LENGTH if str in kinds else "" if kinds & {int, float} else None
