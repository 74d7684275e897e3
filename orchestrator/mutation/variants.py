"""Other requests that a test might send: its own call, with other values in the places of literals.

Which values: those next to the literal, those of the changed code, and what the OpenAPI document says of fields and of
parameters.
"""

from __future__ import annotations

import ast
import functools
import itertools
import json
import random
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

import msgspec

from orchestrator.adapters.openapi import Document
from orchestrator.adapters.walker import Walker

_LONG: Final = 300  # characters of a text that is surely too long
_TEXTS: Final = ("", "0", "é", " ")
_MOST_OF_CODE: Final = 12  # values of the changed code


Span = Callable[[ast.expr], tuple[int, int]]  # returns where a node is in its text


class Hints(msgspec.Struct, frozen=True, kw_only=True):
    """Values that may matter.

    Attributes:
        numbers: Of the changed code, with their neighbours.
        texts: Of the changed code.
        fields: What the operation takes, with values that it may have: of its body.
        query: The same of its query.
    """

    numbers: tuple[int, ...] = ()
    texts: tuple[str, ...] = ()
    fields: Mapping[str, Sequence[Any]] = {}
    query: Mapping[str, Sequence[Any]] = {}


class Edit(msgspec.Struct, frozen=True):
    """A part of a text, from and to a place in it, and what stands there instead."""

    first: int
    last: int
    text: str


def of_code(function: str) -> Hints:
    """Return the values that stand in code.

    Raises:
        SyntaxError: it is no Python.
    """
    nodes = list(ast.walk(ast.parse(function)))
    values = [node.value for node in nodes if isinstance(node, ast.Constant)]
    numbers = dict.fromkeys(v for v in values if isinstance(v, int) and not isinstance(v, bool))
    near = dict.fromkeys(n + step for n in list(numbers)[:_MOST_OF_CODE] for step in (0, 1, -1))
    documents = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    texts = [
        n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str) and id(n) not in documents
    ]
    return Hints(numbers=tuple(near), texts=tuple(dict.fromkeys(texts))[:_MOST_OF_CODE])


def describer(document: Document | None) -> Callable[[str, str], Hints]:
    """Return what tells, of a request's method and path, the values that the document says of its operation."""
    walker = Walker(document.whole if document else {})

    @functools.cache
    def described(method: str, path: str) -> Hints:
        operation = document.match(method, path.partition("?")[0]) if document else None
        if document is None or operation is None:
            return Hints()
        return _described(walker.at(walker.operation(operation.label)), walker)

    return described


def _described(definition: Mapping[str, Any], walker: Walker) -> Hints:
    query: dict[str, Sequence[Any]] = {}
    for parameter in map(walker.followed, definition.get("parameters") or ()):
        if parameter.get("in") == "query":
            query[str(parameter.get("name"))] = _values(walker.followed(parameter.get("schema", parameter)))
    fields: dict[str, Sequence[Any]] = {}
    body = walker.followed(definition.get("requestBody") or {})
    for media in (body.get("content") or {}).values():
        schema = walker.followed(media.get("schema") or {})
        parts = [part for word in ("oneOf", "anyOf", "allOf") for part in schema.get(word) or ()]
        for choice in (schema, *map(walker.followed, parts)):
            for name, part in (choice.get("properties") or {}).items():
                fields.setdefault(name, _values(walker.followed(part)))
    return Hints(fields=fields, query=query)


def _values(schema: Mapping[str, Any]) -> list[Any]:
    """Return values that a schema is about: on its bounds, and beyond."""
    found = [*(schema.get("enum") or ()), *(schema[word] for word in ("const", "default", "example") if word in schema)]
    for word, beyond in (("minimum", -1), ("maximum", 1)):
        bound = schema.get(word)
        if isinstance(bound, int):
            found += [bound, bound + beyond]
    for word, beyond in (("minLength", -1), ("maxLength", 1)):
        bound = schema.get(word)
        if isinstance(bound, int):
            found += ["x" * min(max(0, length), _LONG) for length in (bound, bound + beyond)]
    kinds = {"string": "x", "integer": 1, "number": 1.5, "boolean": True, "array": [], "object": {}}
    types = schema.get("type")
    first = types if isinstance(types, str) else next(iter(types), "") if types else ""
    return [*found, *([kinds[first]] if first in kinds else []), None]


def variants(call: str, hints: Hints, *, most: int, seed: int) -> list[str]:
    """Return other calls, each unlike the given one in one place, then in two.

    Args:
        call: Python, an expression that sends a request.
        hints: Values that may matter.
        most: How many.
        seed: Which pairs are taken.

    Raises:
        SyntaxError: it is no Python.
    """
    tree = ast.parse(call, mode="eval").body
    if not call.isascii():
        return []  # columns are counted in bytes
    span = spans(call)
    places = [list(edits) for edits in _edits(tree, call, hints, span)]
    # One of each place in turn: what comes first is tried, whatever there is not time for.
    ordered = [e for row in itertools.zip_longest(*places) for e in row if e is not None]
    made = dict.fromkeys(_edited(call, [edit]) for edit in ordered)
    chance = random.Random(seed)  # noqa: S311 - no secret
    pairs = [(a, b) for a, b in itertools.combinations(ordered, 2) if a.last <= b.first or b.last <= a.first]
    for a, b in chance.sample(pairs, min(len(pairs), most)):
        made.setdefault(_edited(call, [a, b]))
    made.pop(call, None)
    return list(itertools.islice(filter(is_python, made), most))


def spans(call: str) -> Span:
    """Return what tells where a node is in a call's text, which is ASCII."""
    lines = list(itertools.accumulate((len(line) + 1 for line in call.split("\n")), initial=0))

    def span(node: Any) -> tuple[int, int]:
        return lines[node.lineno - 1] + node.col_offset, lines[node.end_lineno - 1] + node.end_col_offset

    return span


def is_python(call: str) -> bool:
    """Whether a call can be compiled: two edits may name a keyword twice."""
    try:
        compile(f"async def f():\n    ({call})", "<call>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


def _edited(call: str, edits: Iterable[Edit]) -> str:
    for edit in sorted(edits, key=lambda e: -e.first):
        call = call[: edit.first] + edit.text + call[edit.last :]
    return call


def _edits(tree: ast.expr, call: str, hints: Hints, span: Span) -> Iterator[Iterator[Edit]]:
    """Yield for each place of a call what may stand there."""
    paths = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    is_first = True
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            yield _of_dictionary(node, hints, span)
        elif isinstance(node, ast.Call):
            yield _of_keywords(node, hints, span, is_outermost=node is tree)
        elif isinstance(node, ast.Constant | ast.JoinedStr) and id(node) not in paths:
            if is_path(node):
                if is_first:
                    yield _of_path(node, call, hints, span)
                is_first = False
            elif isinstance(node, ast.Constant):
                first, last = span(node)
                yield (Edit(first, last, _literal(value)) for value in _others(node.value, hints))


def is_path(node: ast.expr) -> bool:
    """Whether an expression is a text that begins like a path."""
    return (_text(node) or "").startswith("/")


def _text(node: ast.expr) -> str | None:
    """Return a text, or what one begins with that is put together."""
    if isinstance(node, ast.JoinedStr):
        return _text(node.values[0]) if node.values and isinstance(node.values[0], ast.Constant) else None
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _others(value: object, hints: Hints) -> Iterator[Any]:
    """Yield other values than one."""
    if isinstance(value, bool):
        yield from (not value, None)
    elif isinstance(value, int):
        yield from dict.fromkeys((*hints.numbers, value + 1, value - 1, 0, -1, 2 * value))
        yield from (str(value), None)
    elif isinstance(value, str):
        yield from dict.fromkeys(
            (*hints.texts, *_TEXTS, f"{value}x", value.swapcase(), value[:-1], value[0] * _LONG if value else "x")
        )
        yield None
    elif value is None:
        yield from (*hints.texts[:2], *hints.numbers[:2], "", 0)


def _of_dictionary(node: ast.Dict, hints: Hints, span: Span) -> Iterator[Edit]:
    """Yield what comes of a dictionary with another value, with another key, with one more."""
    known = {key.value for key in node.keys if isinstance(key, ast.Constant)}
    _, end = span(node)
    comma = ", " if node.keys else ""
    for name, value in _fields(hints, known):
        yield Edit(end - 1, end - 1, f"{comma}{json.dumps(name)}: {_literal(value)}")
    for key, inside in zip(node.keys, node.values, strict=True):
        if key is not None:
            yield Edit(span(key)[0], span(inside)[1], '"another": 1')
            yield from _of_field(key.value if isinstance(key, ast.Constant) else None, inside, hints, span)


def _of_keywords(node: ast.Call, hints: Hints, span: Span, *, is_outermost: bool) -> Iterator[Edit]:
    """Yield what comes of a call whose keywords may be fields of the body."""
    known = {keyword.arg for keyword in node.keywords}
    for keyword in node.keywords:
        yield from _of_field(keyword.arg, keyword.value, hints, span)
    if is_outermost and known & hints.fields.keys():
        _, end = span(node)
        yield from (Edit(end - 1, end - 1, f", {name}={_literal(value)}") for name, value in _fields(hints, known))


def _fields(hints: Hints, known: Collection[object]) -> Iterator[tuple[str, Any]]:
    """Yield the fields that are not there, each with its values: one of each field in turn."""
    new = {name: values for name, values in hints.fields.items() if name not in known and name.isidentifier()}
    for row in itertools.zip_longest(*new.values(), fillvalue=None):
        yield from zip(new, row, strict=True)


def _of_field(name: object, value: ast.expr, hints: Hints, span: Span) -> Iterator[Edit]:
    """Yield the values that a field may have instead of its own."""
    first, last = span(value)
    if isinstance(name, str):
        yield from (Edit(first, last, _literal(other)) for other in hints.fields.get(name, ()))


def _of_path(node: ast.expr, call: str, hints: Hints, span: Span) -> Iterator[Edit]:
    """Yield what comes of a path with other numbers in it, with a query, with more at its end."""
    first, last = span(node)
    written = call[first:last]
    for found in re.finditer(r"\d+", written if isinstance(node, ast.Constant) else ""):
        number = int(found[0])
        yield from (
            Edit(first + found.start(), first + found.end(), str(n))
            for n in (*hints.numbers, number + 1, number - 1, 0)
            if n >= 0
        )
    joint = "&" if "?" in written else "?"
    for row in itertools.zip_longest(*hints.query.values()):
        for name, value in zip(hints.query, row, strict=True):
            if isinstance(value, str | int | float):
                told = quote(str(value).lower() if isinstance(value, bool) else str(value))
                yield Edit(last - 1, last - 1, f"{joint}{name}={told}")
    yield Edit(last - 1, last - 1, "x")


def _literal(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True) if isinstance(value, str) else repr(value)
