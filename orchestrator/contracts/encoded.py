"""Values as they travel: query strings, forms, headers, cookies; made into what a schema describes."""

from __future__ import annotations

import email.parser
import email.policy
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote, unquote_plus

from orchestrator.contracts import media

Pairs = list[tuple[str, str]]

_MOST_PAIRS: Final = 1000
_MOST_ITEMS: Final = 20  # of an array whose places are numbered, as `qs` has it; more are keys of an object
_DEEPEST: Final = 5
_NUMBER: Final = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*", re.IGNORECASE | re.ASCII)
_SEPARATORS: Final = {
    "ssv": " ",
    "tsv": "\t",
    "pipes": "|",
    "spaceDelimited": " ",
    "pipeDelimited": "|",
}


def pairs(query: str | Mapping[str, Sequence[str]]) -> Pairs:
    """Return names and values of a query or a form, decoded.

    A comma that separates values stays a comma, one that is percent-encoded too: only a schema tells them apart.
    """
    if not isinstance(query, str):
        return [(name, ",".join(values)) for name, values in query.items()]
    found = []
    for part in [p for p in query.split("&") if p][:_MOST_PAIRS]:
        end = part.find("]=")
        name, _, value = (part[: end + 1], "=", part[end + 2 :]) if end >= 0 else part.partition("=")
        found.append((unquote_plus(name), unquote_plus(value)))
    return found


def nested(given: Iterable[tuple[str, str]], *, plain: bool = False, texts: Collection[str] = ()) -> dict[str, Any]:
    """Return the values that names with brackets and dots spell: `a[b]=1&a.c=2` is `{"a": {"b": "1", "c": "2"}}`.

    Args:
        given: Names and values.
        plain: Dots and commas mean nothing.
        texts: Names in whose values commas mean nothing.
    """
    tree: dict[str, Any] = {}
    for name, value in given:
        is_one = plain or name in texts or "," not in value
        _put(tree, _steps(name, dots=not plain), value if is_one else value.split(","))
    return {name: _listed(node) for name, node in tree.items()}


def _steps(name: str, *, dots: bool) -> list[str]:
    """Return the way that a name describes; a step into brackets begins with one."""
    if dots:
        name = re.sub(r"\.([^.\[]+)", r"[\1]", name)
    first = re.match(r"[^\[]*", name)
    steps = [first[0]] if first and first[0] else []
    for _ in range(_DEEPEST):
        bracket = re.search(r"\[([^\[\]]*)\]", name)
        if not bracket:
            break
        steps.append("[" + bracket[1] if steps else bracket[1])
        name = name[bracket.end() :]
    return steps or [name]


def _put(tree: dict[str, Any], steps: Sequence[str], value: Any) -> None:
    for step in steps[:-1]:
        tree = _branch(tree, f"[{len(tree)}" if step == "[" else step)
    last = steps[-1]
    before = tree.get(last)
    if last == "[":
        for one in _many(value):
            tree[f"[{len(tree)}"] = one
    elif isinstance(before, dict):  # `a[b]=2&a=1`
        before[f"[{len(before)}"] = value
    elif last in tree:
        tree[last] = [*_many(before), *_many(value)]
    else:
        tree[last] = value


def _branch(tree: dict[str, Any], step: str) -> dict[str, Any]:
    """Return the object at a step; values that were there before become its first ones: `a=1&a[b]=2`."""
    inner = tree.setdefault(step, {})
    if not isinstance(inner, dict):
        inner = tree[step] = {f"[{number}": value for number, value in enumerate(_many(inner))}
    return inner


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _listed(node: Any) -> Any:
    """Return a node of the tree with arrays where all its keys are places in one."""
    if not isinstance(node, dict):
        return node
    keys = [key.removeprefix("[") for key in node]
    if keys and all(key.isdecimal() and key.isascii() and int(key) <= _MOST_ITEMS for key in keys):
        ordered = sorted(zip(keys, node.values(), strict=True), key=lambda item: int(item[0]))
        return [_listed(value) for _, value in ordered]
    return {key: _listed(value) for key, value in zip(keys, node.values(), strict=True)}


def in_header(value: str) -> Any:
    """Return what a header or a part of a path holds that need not be a text: `1,2` or `a=1,b=2`."""
    if "=" in value:
        return nested(pairs(value.replace(",", "&")))
    return value.split(",") if "," in value else value


def items(value: Any, style: str) -> Any:
    """Return the items of an array that was sent as one text.

    Args:
        value: As it was read.
        style: Of the parameter, or its `collectionFormat`.
    """
    separator = _SEPARATORS.get(style, ",")
    return value.split(separator) if isinstance(value, str) else value


def cookies(header: str) -> dict[str, str]:
    """Return the cookies of a `Cookie` header."""
    parts = (part.partition("=") for part in header.split(";"))
    return {name.strip(): unquote(value.strip().strip('"')) for name, _, value in parts if name.strip()}


def form(body: Any, content_type: str, texts: Collection[str] = ()) -> Any:
    """Return what a form says; a body that is none, or is a JSON value already, as it is.

    Args:
        body: The body.
        content_type: What it says it is.
        texts: Fields in which commas mean nothing.
    """
    if not isinstance(body, str):
        return body
    if media.bare(content_type) == media.FORM:
        return nested(pairs(body), texts=texts)
    if media.bare(content_type) == media.MULTIPART and media.parameter(content_type, "boundary"):
        return _parts(body, media.parameter(content_type, "boundary"))
    return body


def _parts(body: str, boundary: str) -> dict[str, Any]:
    head = f'Content-Type: multipart/form-data; boundary="{boundary}"\r\n\r\n'
    parser = email.parser.Parser(policy=email.policy.HTTP)
    message = parser.parsestr(head + body)
    found: dict[str, Any] = {}
    for part in message.iter_parts() if message.is_multipart() else ():
        name = part.get_param("name", header="content-disposition")
        if isinstance(name, str):
            found[name] = str(part.get_payload())
    return found


def coerced(value: Any, types: Sequence[str]) -> Any:
    """Return a text as the first of some types that it can be; as it is where it is none of them."""
    if not isinstance(value, str) or "string" in types:
        return value
    for kind in types:
        found = _as_kind(value, kind)
        if found is not value:
            return found
    return value


def _as_kind(text: str, kind: str) -> Any:
    if kind in ("number", "integer") and _NUMBER.fullmatch(text):
        number = float(text)
        if number == number // 1 and abs(number) < 1e15:
            return int(number)
        return text if kind == "integer" else number
    if kind == "boolean" and text in ("true", "false"):
        return text == "true"
    if kind == "null" and text == "":
        return None
    return text
