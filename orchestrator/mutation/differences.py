"""Tell where the responses that a test saw under a mutant differ from those that it saw without.

A response is taken apart into *places*: its status, each header, each value of a JSON body by its path. What is not
the same in all runs of the unchanged code varies by itself. Such a place is compared by the form of its value, and by
its equality with others: a new identifier is no difference, one that is no identifier any more, or that is not the one
that was given before, is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from orchestrator import text
from orchestrator.adapters.session import Exchange
from orchestrator.model.mutation import ResponseDifference

MOST: Final = 5  # differences of one exchange that are told

# A request by its number, and what is looked at: `request`, `status`, `header location`, `$.items[0].total`.
Place = tuple[int, str]
Value = str | int | float | bool | None
Values = Mapping[Place, Value]

_REQUEST: Final = "request"
_LIMIT: Final = 120  # characters of a value that are shown

# What says when or by whom and not what: it varies, or follows from the rest.
_IGNORED: Final = frozenset({"date", "server", "content-length", "connection", "keep-alive", "transfer-encoding"})

_HEXADECIMAL: Final = "hexadecimal digits"
_TOKEN: Final = 16  # of which a token has at least so many

_FORMS: Final = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("a UUID", r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"),
        ("a date and time with its zone", r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)"),
        ("a date and time without a zone", r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?"),
        ("a date", r"\d{4}-\d\d-\d\d"),
        ("an HTTP date", r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT"),
        ("digits", r"\d+"),
        (_HEXADECIMAL, r"[0-9a-fA-F]+"),
        ("empty", r""),
    )
)


_VARYING: Final = frozenset(name for name, _ in _FORMS if name.startswith(("a UUID", "a date", "an HTTP date")))
_ITEM: Final = re.compile(r"\[\d+\]")


class Usual:
    """What a test sees without a mutant.

    Args:
        before: Its exchanges.
        samples: Those of other runs: they show what varies by itself.
    """

    def __init__(self, before: Sequence[Exchange], samples: Sequence[Sequence[Exchange]] = ()) -> None:
        self._runs = [values(run) for run in (before, *samples)]

    def differs(self, after: Sequence[Exchange]) -> bool:
        """Whether a request was answered differently."""
        seen = values(after)
        return any(True for _ in self._unlike(seen)) or any(True for _ in _unequal(self._runs, seen))

    def differences(self, after: Sequence[Exchange]) -> tuple[int, tuple[ResponseDifference, ...]] | None:
        """Return the first request that was answered differently, by its number, and where; None: none was.

        What follows that request may differ because of it, and is not told.

        Args:
            after: What the test saw under the mutant.
        """
        seen = values(after)
        found: dict[int, list[tuple[Place, str]]] = {}
        for place, before in self._unlike(seen):
            found.setdefault(place[0], []).append((place, before))
        for first, other in _unequal(self._runs, seen):
            found.setdefault(other[0], []).append((other, f"the same as {_named(first, other)}"))
        if not found:
            return None
        number = min(found)
        request = [told for told in found[number] if told[0][1] == _REQUEST]  # of another one, the rest says nothing
        return number, tuple(
            ResponseDifference(place=place[1], before=before or _shown(place, self._runs[0]), after=_shown(place, seen))
            for place, before in request or found[number][:MOST]
        )

    def _unlike(self, seen: Values) -> Iterator[tuple[Place, str]]:
        """Yield the places that differ from what is usual, with what is usual, if that is no single value."""
        for place in dict.fromkeys((*self._runs[0], *seen)):
            usual = _usual_instead(place, self._runs, seen)
            if usual is not None:
                yield place, usual


def differences(
    before: Sequence[Exchange], after: Sequence[Exchange], samples: Sequence[Sequence[Exchange]] = ()
) -> tuple[int, tuple[ResponseDifference, ...]] | None:
    """Do what `Usual.differences` does, once."""
    return Usual(before, samples).differences(after)


def changed_places(before: Exchange, after: Exchange, *, tokens: bool = True) -> frozenset[str]:
    """Return the places in which two answers to one request differ, those of all items of an array as one.

    An identifier or a time in place of another one is no difference here: most vary by themselves. Where the status
    differs it alone is told, for the rest follows from it; of another request, that.

    Args:
        before: One of them.
        after: The other.
        tokens: Whether a token or digest in place of another one is a difference.
    """
    old, new = values([before]), values([after])
    found = set()
    for place in dict.fromkeys((*old, *new)):
        one, other = old.get(place, MISSING), new.get(place, MISSING)
        is_same = type(one) is type(other) and one == other
        varies = (
            isinstance(one, str)
            and isinstance(other, str)
            and _form(one) == _form(other)
            and (_form(one) in _VARYING or (not tokens and _form(one).endswith(f" {_HEXADECIMAL}")))
        )
        is_inside = (one is MISSING or other is MISSING) and _length_differs(place, old, new)
        if not (is_same or varies or is_inside):
            found.add(_ITEM.sub("[]", place[1]))
    first = next((place for place in (_REQUEST, "status") if place in found), None)
    return frozenset({first} if first else found)


def _usual_instead(place: Place, usual: Sequence[Values], seen: Values) -> str | None:
    """Return what a place has otherwise; empty: its usual value; None: it does not differ, as far as one can tell."""
    known = [run.get(place, MISSING) for run in usual]
    value = seen.get(place, MISSING)
    if any(value is v or (type(value) is type(v) and value == v) for v in known):
        return None
    if any(v != known[0] or type(v) is not type(known[0]) for v in known):  # it varies by itself
        forms = {_form(v) for v in known}
        if _form(value) in forms:
            return None
        if MISSING not in known:
            return " or ".join(sorted(forms))
    if (known[0] is MISSING or value is MISSING) and _length_differs(place, usual[0], seen):
        return None
    return ""


def _length_differs(place: Place, before: Values, after: Values) -> bool:
    """Whether the length of an array that a value is in says already that there are more, or less."""
    number, path = place
    while (cut := max(path.rfind("["), path.rfind("."))) > 0:
        path = path[:cut]
        length = (number, f"length of {path}")
        if length in before and length in after and before[length] != after[length]:
            return True
    return False


def _unequal(usual: Sequence[Values], seen: Values) -> Iterator[tuple[Place, Place]]:
    """Yield places that vary, are always equal to an earlier one without the mutant, and are not under it."""
    first: dict[tuple[Value, ...], Place] = {}
    if len(usual) < 2:
        return
    for place, value in usual[0].items():
        if place not in seen or not all(place in run for run in usual):
            continue
        varied = tuple(run[place] for run in usual)
        if all(v == value for v in varied) or not isinstance(value, str):
            continue
        other = first.setdefault(varied, place)
        if other != place and seen[other] != seen[place]:
            yield other, place


def values(exchanges: Sequence[Exchange]) -> dict[Place, Value]:
    """Return what there is to see in a test's exchanges, by place, in the order in which one would read it."""
    found: dict[Place, Value] = {}
    for number, exchange in enumerate(exchanges):
        found[number, _REQUEST] = f"{exchange.method} {exchange.path}"
        found[number, "status"] = exchange.status
        for name, value in exchange.headers:
            if (lower := name.lower()) not in _IGNORED:
                place = (number, f"header {lower}")
                found[place] = f"{found[place]}, {value}" if place in found else value
        for path, scalar in _of_body(exchange):
            found[number, path] = scalar
    return found


def _of_body(exchange: Exchange) -> Iterator[tuple[str, Value]]:
    if exchange.body is None:
        return
    if exchange.is_text:
        try:
            data = json.loads(exchange.body)
        except (ValueError, RecursionError):
            pass
        else:
            yield from flattened(data)
            return
    yield "body", exchange.body


def flattened(data: Any, path: str = "$") -> Iterator[tuple[str, Value]]:
    """Yield the values of a JSON document by their paths, and the length of each array before what is in it."""
    waiting: list[tuple[str, Any]] = [(path, data)]
    while waiting:
        where, value = waiting.pop()
        if isinstance(value, dict):
            if not value:
                yield where, EMPTY
            waiting += [(f"{where}{_key(key)}", inside) for key, inside in reversed(value.items())]
        elif isinstance(value, list):
            yield f"length of {where}", len(value)
            waiting += [(f"{where}[{k}]", value[k]) for k in reversed(range(len(value)))]
        else:
            yield where, value


def _key(key: str) -> str:
    return f".{key}" if key.isidentifier() else f"[{json.dumps(key)}]"


class _Sign:
    """A value that is no scalar of JSON."""

    def __init__(self, shown: str) -> None:
        self._shown = shown

    def __repr__(self) -> str:
        return self._shown


MISSING: Final[Any] = _Sign("nothing")
EMPTY: Final[Any] = _Sign("{}")  # an object without keys


def shown(value: Any) -> str:
    """Return a value as people know it: JSON, or what stands for it."""
    return repr(value) if isinstance(value, _Sign) else json.dumps(value, ensure_ascii=False)


def _form(value: Any) -> str:
    if isinstance(value, _Sign):
        return shown(value)
    if isinstance(value, str):
        name = next((name for name, pattern in _FORMS if pattern.fullmatch(value)), "text")
        # A token or a digest has always as many; a number, written so, has not.
        return f"{len(value)} {name}" if name == _HEXADECIMAL and len(value) >= _TOKEN else name
    return {bool: "true or false", type(None): "null"}.get(type(value), "a number")


def _shown(place: Place, run: Values) -> str:
    """Return a place's value as people are shown it, without secrets: the place may say that it is one."""
    value = run.get(place, MISSING)
    told = str(value) if place[1] == _REQUEST else shown(value)
    name = re.split(r"[\s.\[]", place[1])[-1].strip('"]')
    return text.one_line(f"{name}: {told}", limit=_LIMIT).removeprefix(f"{name}: ")


def _named(place: Place, other: Place) -> str:
    return place[1] if place[0] == other[0] else f"{place[1]} of request {place[0] + 1}"
