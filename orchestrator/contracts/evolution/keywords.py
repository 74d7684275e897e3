"""What differs between two schemas in what they say of the value itself: aspects, in whatever direction it travels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import msgspec

from orchestrator.contracts.evolution.documents import by_name, said, texts
from orchestrator.contracts.evolution.schemas import Schema, number


class Aspect(msgspec.Struct, frozen=True):
    """Something that differs.

    Attributes:
        name: How a rule's name ends: `max-decreased`.
        before: What was said; empty: nothing.
        after: What is said now; empty: nothing.
        key: Which of several that differ in this way; empty: there is one at most.
    """

    name: str
    before: str = ""
    after: str = ""
    key: str = ""


# Keyword → how its aspects are called, and what holds without it.
_BOUNDS: Final[dict[str, tuple[str, int | None]]] = {
    "minimum": ("min", None),
    "maximum": ("max", None),
    "exclusiveMinimum": ("exclusive-min", None),
    "exclusiveMaximum": ("exclusive-max", None),
    "minLength": ("min-length", 0),
    "maxLength": ("max-length", None),
    "minItems": ("min-items", 0),
    "maxItems": ("max-items", None),
    "minProperties": ("min-properties", 0),
    "maxProperties": ("max-properties", None),
}
_COUNTS: Final = {"minContains": ("min-contains", 1), "maxContains": ("max-contains", None)}
# Keyword → how its aspects are called: it is there, or it is not.
_EXISTING: Final = {
    "if": "if",
    "then": "then",
    "else": "else",
    "contains": "contains",
    "propertyNames": "property-names",
    "unevaluatedItems": "unevaluated-items",
    "unevaluatedProperties": "unevaluated-properties",
    "contentSchema": "content-schema",
}
_NAMED: Final = {
    "patternProperties": "pattern-property",
    "dependentSchemas": "dependent-schema",
    "prefixItems": "prefix-items",
}
_WIDER_FORMATS: Final = {
    ("int32", "int64"),
    ("int32", "bigint"),
    ("int64", "bigint"),
    ("float", "double"),
}
_EVERYTHING: Final = frozenset({".*", "^.*$", "^.*", ".*$"})


def differences(before: Schema, after: Schema, *, text_after: bool, text_before: bool) -> Iterator[Aspect]:
    """Yield what differs between what two schemas say of the value itself.

    Args:
        before: The older schema.
        after: The newer schema.
        text_after: Whether it does no harm that any type becomes text.
        text_before: Whether it does no harm that text becomes any type.
    """
    yield from _types(before, after, text_after=text_after, text_before=text_before)
    yield from _null(before, after)
    yield from _enum(before, after)
    for compare in _COMPARED:
        yield from compare(before, after)


def _types(before: Schema, after: Schema, *, text_after: bool, text_before: bool) -> Iterator[Aspect]:
    if before.types == after.types and before.words.get("format") == after.words.get("format"):
        return
    aspect = Aspect("", _type(before), _type(after))
    wider, narrower = _covers(after, before), _covers(before, after)
    if before.types and after.types and before.types != after.types and (before.listed or after.listed):
        name = "list-of-types-widened" if wider else "list-of-types-narrowed"
    elif wider or narrower:
        name = "type-generalized" if wider else "type-specialized"
    elif (text_after and _is_text(after, before)) or (text_before and _is_text(before, after)):
        name = "type-compatible"
    else:
        name = "type-changed"
    yield msgspec.structs.replace(aspect, name=name)


def _covers(wide: Schema, narrow: Schema) -> bool:
    """Whether one schema's types and format leave room for all that the other's do."""
    if not wide.types:
        return _covers_format(wide, narrow)
    covered = all(t in wide.types or (t == "integer" and "number" in wide.types) for t in narrow.types)
    return bool(narrow.types) and covered and _covers_format(wide, narrow)


def _covers_format(wide: Schema, narrow: Schema) -> bool:
    width, breadth = wide.words.get("format"), narrow.words.get("format")
    return width is None or width == breadth or (breadth, width) in _WIDER_FORMATS


def _is_text(text: Schema, other: Schema) -> bool:
    return (
        text.types == {"string"} and bool(other.types) and text.words.get("format") in (None, other.words.get("format"))
    )


def _type(schema: Schema) -> str:
    types, form = ", ".join(sorted(schema.types)) or "any", schema.words.get("format")
    return f"{types} ({form})" if form else types


def _null(before: Schema, after: Schema) -> Iterator[Aspect]:
    if before.null is not None and after.null is not None and before.null != after.null:
        yield Aspect("became-nullable" if after.null else "became-not-nullable")


def _enum(before: Schema, after: Schema) -> Iterator[Aspect]:
    if before.enum is None and after.enum is not None:
        yield Aspect("became-enum", after=", ".join(sorted(after.enum)))
    elif before.enum is not None and after.enum is None:
        yield Aspect("enum-opened", before=", ".join(sorted(before.enum)))
    elif before.enum is not None and after.enum is not None:
        yield from _values("enum-value", before.enum, after.enum)


def _values(name: str, before: frozenset[str], after: frozenset[str]) -> Iterator[Aspect]:
    for value in sorted(before - after):
        yield Aspect(f"{name}-removed", before=value, key=value)
    for value in sorted(after - before):
        yield Aspect(f"{name}-added", after=value, key=value)


def _extensible(before: Schema, after: Schema) -> Iterator[Aspect]:
    word = "x-extensible-enum"
    if isinstance(before.words.get(word), list) and isinstance(after.words.get(word), list):
        yield from _values(
            f"{word}-value", frozenset(map(said, before.words[word])), frozenset(map(said, after.words[word]))
        )


def _said_values(before: Schema, after: Schema) -> Iterator[Aspect]:
    for word, name in (("const", "const"), ("default", "default-value")):
        yield from _said(name, said(before.words.get(word)), said(after.words.get(word)))


def _said(name: str, before: str, after: str) -> Iterator[Aspect]:
    """Yield that something is said now, is said no more, or is said otherwise."""
    if before == after:
        return
    ending = "changed" if before and after else "added" if after else "removed"
    yield Aspect(f"{name}-{ending}", before, after)


def _pattern(before: Schema, after: Schema) -> Iterator[Aspect]:
    was, now = before.words.get("pattern", ""), after.words.get("pattern", "")
    if was and now in _EVERYTHING and was != now:
        yield Aspect("pattern-generalized", was, now)
    else:
        yield from _said("pattern", was, now)


def _bounds(before: Schema, after: Schema) -> Iterator[Aspect]:
    for word, (name, without) in _BOUNDS.items():
        yield from _bound(name, before.words.get(word, without), after.words.get(word, without))


def _bound(name: str, before: int | float | None, after: int | float | None) -> Iterator[Aspect]:
    if before == after:
        return
    if before is None or after is None:
        ending = "set" if before is None else "unset"
    else:
        ending = "increased" if after > before else "decreased"
    yield Aspect(f"{name}-{ending}", said(before), said(after))


def _contains(before: Schema, after: Schema) -> Iterator[Aspect]:
    if "contains" not in before.inner or "contains" not in after.inner:
        return
    for word, (name, without) in _COUNTS.items():
        was, now = number(before.words.get(word, without)), number(after.words.get(word, without))
        # That it is set or not is an increase, too: without it, any number of items is allowed.
        if was != now:
            grows = (now is None) or (was is not None and now > was)
            yield Aspect(f"{name}-{'increased' if grows else 'decreased'}", said(was), said(now))


def _multiples(before: Schema, after: Schema) -> Iterator[Aspect]:
    was, now = number(before.words.get("multipleOf")), number(after.words.get("multipleOf"))
    if was == now:
        return
    ending = "set" if was is None else "unset" if now is None else "changed"
    yield Aspect(f"multiple-of-{ending}", said(was), said(now))


def _flags(before: Schema, after: Schema) -> Iterator[Aspect]:
    if before.words.get("uniqueItems") != after.words.get("uniqueItems"):
        yield Aspect("unique-items-set" if after.words.get("uniqueItems") else "unique-items-unset")
    if before.words.get("closed") != after.words.get("closed"):
        denied = after.words.get("closed") is True
        yield Aspect("additional-properties-denied" if denied else "additional-properties-allowed")


def _discriminator(before: Schema, after: Schema) -> Iterator[Aspect]:
    was, now = before.words.get("discriminator"), after.words.get("discriminator")
    if was is None or now is None:
        if was != now:
            yield Aspect(f"discriminator-{'added' if was is None else 'removed'}", _property(was), _property(now))
        return
    if _property(was) != _property(now):
        yield Aspect("discriminator-property-name-changed", _property(was), _property(now))
    old, new = by_name(was.get("mapping")), by_name(now.get("mapping"))
    for value in sorted(old.keys() - new.keys()):
        yield Aspect("discriminator-mapping-deleted", before=value, key=value)
    for value in sorted(new.keys() - old.keys()):
        yield Aspect("discriminator-mapping-added", after=value, key=value)
    for value in sorted(old.keys() & new.keys()):
        if said(old[value]) != said(new[value]):
            yield Aspect("discriminator-mapping-changed", said(old[value]), said(new[value]), value)


def _property(discriminator: Mapping[str, Any] | None) -> str:
    name = (discriminator or {}).get("propertyName")
    return name if isinstance(name, str) else ""


def _schemas(before: Schema, after: Schema) -> Iterator[Aspect]:
    for word, name in _EXISTING.items():
        if (word in before.inner) != (word in after.inner):
            yield Aspect(f"{name}-{'added' if word in after.inner else 'removed'}")
    for word, name in _NAMED.items():
        was, now = before.inner.get(word, {}).keys(), after.inner.get(word, {}).keys()
        yield from _values(name, frozenset(was), frozenset(now))


def _contents(before: Schema, after: Schema) -> Iterator[Aspect]:
    for word, name in (("contentMediaType", "content-media-type"), ("contentEncoding", "content-encoding")):
        was, now = before.words.get(word, ""), after.words.get(word, "")
        if was != now:
            yield Aspect(f"{name}-changed", was, now)


def _dependent(before: Schema, after: Schema) -> Iterator[Aspect]:
    old, new = by_name(before.words.get("dependentRequired")), by_name(after.words.get("dependentRequired"))
    for name in sorted(old.keys() | new.keys()):
        was, now = ", ".join(texts(old.get(name))), ", ".join(texts(new.get(name)))
        for aspect in _said("dependent-required", was, now):
            yield msgspec.structs.replace(aspect, key=name)


_COMPARED: Final[tuple[Callable[[Schema, Schema], Iterator[Aspect]], ...]] = (
    _extensible,
    _said_values,
    _pattern,
    _bounds,
    _contains,
    _multiples,
    _flags,
    _discriminator,
    _schemas,
    _contents,
    _dependent,
)
