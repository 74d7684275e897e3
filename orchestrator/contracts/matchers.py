"""Matching rules: what a pact's matchers allow, held against what the document does.

A request's matcher is too wide where it lets the consumer send what the document refuses; a response's is too narrow
where the document lets the provider answer what the matcher refuses. Only what the document says outright is looked
at: a list of values, a type of numbers, a number of items, a format of times; and a few texts that a regular expression
of a request lets through (`regexes.py`). The reference reads no matchers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from orchestrator.contracts import media, regexes, requests, responses, times
from orchestrator.contracts.context import Context
from orchestrator.contracts.description import mapping
from orchestrator.contracts.findings import Finding, finding
from orchestrator.contracts.interactions import Side
from orchestrator.contracts.schemas import Purpose
from orchestrator.contracts.validation import UnreadableSchemaError
from orchestrator.references import Pointer

Matcher = Mapping[str, Any]

_STEP: Final = re.compile(r"\.([^.\[]+)|\[(\d+|\*)\]|\[['\"]([^'\"]*)['\"]\]")
_PARTS: Final = {"path": "path", "header": "headers", "headers": "headers", "query": "query", "body": "body"}
_DEEPEST: Final = 30
# Matchers that let infinitely many values of a type through.
_WIDE: Final = frozenset({"type", "number", "integer", "decimal", "include", "notempty"})
_SCALARS: Final = ("string", "number", "integer", "boolean")
_TIMES: Final = frozenset({"date", "time", "timestamp", "datetime"})


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A matcher and where it holds.

    Attributes:
        part: `path`, `headers`, `query` or `body`.
        steps: The way in, from the name of a header or a parameter on; `*` is any.
        matcher: As the pact writes it.
    """

    part: str
    steps: Pointer
    matcher: Matcher


def read(side: Side) -> list[Rule]:
    """Return the matchers of a request or a response; what is none is left out."""
    return [
        Rule(part=part, steps=steps, matcher=matcher)
        for part, steps, said in _written(side.rules)
        for matcher in _several(said)
        if isinstance(matcher, dict)
    ]


def _several(said: Mapping[str, Any]) -> list[Any]:
    """Return the matchers of a rule: versions 3 and 4 list them."""
    listed = said.get("matchers", [said])
    return listed if isinstance(listed, list) else []


def check(context: Context) -> Iterator[Finding]:
    """Yield a finding for each matcher that allows something else than the document."""
    interaction, answer = context.interaction, context.answer
    if interaction.request.rules and interaction.is_accepted:
        parameters = {
            (part, p.name.lower() if part == "headers" else p.name): p.schema
            for part, place in (("headers", "header"), ("query", "query"))
            for p in context.operation.parameters_in(place)
        }
        body = requests.body_schema(context) if _is_json(requests.body_type(context)) else None
        yield from _path(context)
        yield from _Reader(context, interaction.request).check(parameters, body)
    if interaction.response.rules and answer is not None:
        headers = {("headers", name.lower()): schema for name, schema in answer.headers.items()}
        body = responses.body_schema(context, answer) if _is_json(responses.body_type(context, answer)) else None
        yield from _Reader(context, interaction.response).check(headers, body)


def _path(context: Context) -> Iterator[Finding]:
    """Yield a finding if the path's matchers allow a path that the document does not have."""
    kinds = [(_kind(rule.matcher), rule.matcher) for rule in read(context.interaction.request) if rule.part == "path"]
    expressions = [str(matcher.get("regex", "")) for kind, matcher in kinds if kind == "regex"]
    at, document = ("request", "path"), ("paths",)
    if not expressions and any(kind in _WIDE for kind, _ in kinds):
        yield finding("request.matcher.wider", "the matcher of the path allows any path", at, document)
    for path in regexes.common(expressions):
        if not _has(context, path):
            message = f"the matcher of the path allows {path}, which the document does not have"
            yield finding("request.matcher.wider", message, at, document)
            return


def _has(context: Context, path: str) -> bool:
    """Whether the document has a path, with its variables as they are there."""
    route = context.operations.find(context.interaction.method, path)
    if route is None:
        return False
    meant = msgspec.structs.replace(
        context,
        interaction=msgspec.structs.replace(context.interaction, path=path),
        operation=route.operation,
        variables=route.variables,
    )
    return not any(one.code == "request.path-or-method.unknown" for one in requests.path(meant))


def _is_json(content_type: str) -> bool:
    return media.readable(content_type, (media.JSON,))


def _written(rules: Mapping[str, Any]) -> Iterator[tuple[str, Pointer, Mapping[str, Any]]]:
    """Yield the rules as versions 2 and 3 of the specification write them: by one path, or by part and path."""
    for key, said in rules.items():
        if not isinstance(said, dict):
            continue
        if key.startswith("$"):
            steps = _steps(key)
            if steps and steps[0] in _PARTS:
                yield _PARTS[steps[0]], steps[1:], said
        elif key == "path":
            yield key, (), said
        elif key in _PARTS:
            for path, inner in said.items():
                if isinstance(inner, dict):
                    yield _PARTS[key], _steps(path) if path.startswith("$") else (path,), inner


def _steps(path: str) -> Pointer:
    return tuple(next(part for part in found if part) if any(found) else "" for found in _STEP.findall(path))


class _Spot(msgspec.Struct, frozen=True, kw_only=True):
    """A place in a body, and what the document says of it.

    Attributes:
        value: The example's value there.
        node: Its flat schema.
        schema: Where the body's schema is.
        way: Where in that this place's is.
        steps: Where in the body it is.
    """

    value: Any
    node: Any
    schema: Pointer
    way: Pointer = ()
    steps: Pointer = ()


class _Reader:
    """Holds the matchers of one side of an interaction against schemas."""

    def __init__(self, context: Context, side: Side) -> None:
        self._validation = context.validation
        self._schemas = context.validation.schemas
        self._side = side
        self._rules = read(side)
        self._is_request = side.name == "request"
        self._told: set[tuple[str, Pointer]] = set()  # of many items of a list, the first is enough

    def check(self, named: Mapping[tuple[str, str], Pointer], body: Pointer | None) -> Iterator[Finding]:
        """Yield the findings.

        Args:
            named: Where the schemas of headers and parameters are, by part and name.
            body: Where the schema of the body is.
        """
        for rule in self._rules:
            name = rule.steps[0] if rule.steps else ""
            schema = named.get((rule.part, name.lower() if rule.part == "headers" else name))
            if schema:
                schema = self._items(schema, rule.matcher)
                node = self._schemas.followed(self._schemas.flat(schema))
                for why in [*self._reasons([rule.matcher], node, ""), *self._refused(rule.matcher, schema, node)]:
                    yield self._finding(why, (self._side.name, rule.part, name), schema)
        if body:
            root = _Spot(value=self._side.body, node=self._schemas.flat(body), schema=body)
            yield from self._inside(root, ())

    def _items(self, schema: Pointer, matcher: Matcher) -> Pointer:
        """Return where the schema of what is matched is: each value of a list, but for how many there are."""
        node = self._schemas.followed(self._schemas.flat(schema))
        is_list = node.get("type") == "array" and "items" in node and not {"min", "max"} & matcher.keys()
        return self._schemas.place(schema, ("items",)) if is_list else schema

    def _refused(self, matcher: Matcher, schema: Pointer, node: Mapping[str, Any]) -> Iterator[str]:
        """Yield a text that an expression lets through in a request, and the document does not."""
        if not self._is_request or _kind(matcher) != "regex" or node.get("type") not in _SCALARS:
            return
        for one in regexes.examples(str(matcher.get("regex", ""))):
            try:
                faults = self._validation.faults(self._validation.coerced(one, schema), schema, Purpose.SENT)
            except UnreadableSchemaError:
                return
            if faults:
                yield f"allows {one}, and the document does not"
                return

    def _inside(self, spot: _Spot, inherited: Sequence[Matcher]) -> Iterator[Finding]:
        """Yield the findings about a value and what is in it; a `type` holds for all that is inside."""
        node = self._schemas.followed(spot.node)
        if not node or len(spot.steps) > _DEEPEST:
            return
        matchers = [r.matcher for r in self._rules if r.part == "body" and _covers(r.steps, spot.steps)] or inherited
        for why in self._reasons(matchers, node, spot.value):
            document = self._schemas.place(spot.schema, spot.way)
            if (why, document) not in self._told:
                self._told.add((why, document))
                yield self._finding(why, (*self._side.body_at, *spot.steps), document)
        inherited = [{"match": "type"}] if any(_kind(m) == "type" for m in matchers) else []
        for inner in _spots(spot, node):
            yield from self._inside(inner, inherited)

    def _reasons(self, matchers: Sequence[Matcher], node: Mapping[str, Any], value: Any) -> Iterator[str]:
        for matcher in matchers:
            why = _too_wide(matcher, node, value) if self._is_request else _too_narrow(matcher, node)
            why = why or _untimely(matcher, node)
            if why:
                yield why

    def _finding(self, why: str, at: Pointer, document: Pointer) -> Finding:
        code = "request.matcher.wider" if self._is_request else "response.matcher.narrower"
        return finding(code, f"the matcher at {'/'.join(at)} {why}", at, document)


def _spots(spot: _Spot, node: Mapping[str, Any]) -> Iterator[_Spot]:
    """Yield the places in a value that the document describes."""

    def inner(value: Any, schema: Any, step: str, *way: str) -> _Spot:
        return msgspec.structs.replace(spot, value=value, node=schema, way=(*spot.way, *way), steps=(*spot.steps, step))

    if isinstance(spot.value, dict):
        properties = mapping(node.get("properties"))
        for name in [n for n in spot.value if n in properties]:
            yield inner(spot.value[name], properties[name], name, "properties", name)
    elif isinstance(spot.value, list):
        for number, one in enumerate(spot.value):
            yield inner(one, node.get("items"), str(number), "items")


def _covers(pattern: Pointer, steps: Pointer) -> bool:
    return len(pattern) == len(steps) and all(p in ("*", s) for p, s in zip(pattern, steps, strict=True))


def _kind(matcher: Matcher) -> str:
    """Return a matcher's name, in lower case; version 2 leaves it out where another key says it."""
    said = matcher.get("match")
    if isinstance(said, str):
        return said.lower()
    return "regex" if "regex" in matcher else "type" if {"min", "max"} & matcher.keys() else ""


def _allowed(node: Mapping[str, Any]) -> list[Any] | None:
    """Return the only values that a schema allows; None: it does not list them."""
    if "const" in node:
        return [node["const"]]
    listed = node.get("enum")
    return listed if isinstance(listed, list) else None


def _too_wide(matcher: Matcher, node: Mapping[str, Any], value: Any) -> str:
    kind, allowed = _kind(matcher), _allowed(node)
    if kind in _WIDE and allowed is not None and not isinstance(value, bool | dict | list | None):
        return f"allows more than the document, which has only {_shown(allowed)}"
    if kind in ("number", "decimal") and node.get("type") == "integer":
        return "allows fractions, and the document whole numbers only"
    if kind == "type" and {"min", "max"} & matcher.keys():
        least, most = _limit(matcher, "min", 0), _limit(matcher, "max", float("inf"))
        if least < _limit(node, "minItems", 0) or most > _limit(node, "maxItems", float("inf")):
            return "allows another number of items than the document"
    return ""


def _too_narrow(matcher: Matcher, node: Mapping[str, Any]) -> str:
    kind, allowed = _kind(matcher), _allowed(node)
    if kind in ("regex", "include") and allowed is not None:
        refused = [one for one in allowed if isinstance(one, str) and not _lets_through(matcher, kind, one)]
        return f"refuses {_shown(refused)}, which the document has" if refused else ""
    if kind == "integer" and node.get("type") == "number":
        return "refuses fractions, which the document has"
    if kind == "decimal" and node.get("type") == "integer":
        return "refuses whole numbers, and the document has no others"
    if kind == "type" and (
        _limit(node, "minItems", float("inf")) < _limit(matcher, "min", 0)
        or _limit(node, "maxItems", 0) > _limit(matcher, "max", float("inf"))
    ):
        return "refuses a number of items that the document allows"
    return ""


def _untimely(matcher: Matcher, node: Mapping[str, Any]) -> str:
    kind = _kind(matcher)
    pattern = matcher.get("format") or matcher.get(kind)
    if kind not in _TIMES or not isinstance(pattern, str) or not isinstance(node.get("format"), str):
        return ""
    example = times.example(pattern)
    if example is None or times.keeps_to(example, node["format"]):
        return ""
    return f"asks for times like {example}, and the document for the format {node['format']}"


def _lets_through(matcher: Matcher, kind: str, value: str) -> bool:
    """Whether a matcher takes a text; one that can't be read takes all."""
    if kind == "include":
        return str(matcher.get("value", "")) in value
    try:
        return re.search(str(matcher.get("regex", "")), value) is not None
    except (re.error, RecursionError, OverflowError):
        return True


def _limit(of: Mapping[str, Any], name: str, otherwise: float) -> float:
    found = of.get(name)
    return found if isinstance(found, int | float) and not isinstance(found, bool) else otherwise


def _shown(values: Sequence[Any]) -> str:
    return ", ".join(map(str, values[:5])) + (", …" if len(values) > 5 else "")
