"""Places in JSON documents as JSON Pointers (RFC 6901), and where references lead."""

from __future__ import annotations

import functools
from typing import Any, Final
from urllib.parse import unquote

Pointer = tuple[str, ...]  # where something is, from the root of what it is in

_LONGEST: Final = 9  # digits of a number that is a place in a list, or a key


def written(pointer: Pointer) -> str:
    """Return a place as a JSON Pointer."""
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in pointer)


def read(told: str) -> Pointer:
    """Return the place that a JSON Pointer names; what comes before its first slash counts for nothing."""
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in told.split("/")[1:])


def reference(pointer: Pointer) -> str:
    """Return a place as a reference to it within the document: a JSON Pointer in a URI's fragment."""
    return "#" + written(pointer).replace("%", "%25")


@functools.lru_cache(maxsize=4096)
def target(told: str) -> Pointer | None:
    """Return the place that a reference names; None: it leads out of the document."""
    # An encoded slash is a part of a name here: strictly it would separate two, but nobody encodes it for that.
    return tuple(map(_name, told.split("/")[1:])) if told.startswith("#/") else None


def _name(part: str) -> str:
    return unquote(part).replace("~1", "/").replace("~0", "~")


def told_by(node: Any) -> str | None:
    """Return the reference that stands for an object; None: it is none."""
    found = node.get("$ref") if isinstance(node, dict) else None
    return found if isinstance(found, str) else None


def target_of(node: Any) -> Pointer | None:
    """Return the place that an object refers to; None: it is no reference within the document."""
    told = told_by(node)
    return None if told is None else target(told)


def inside(node: Any, part: str) -> Any:
    """Return a part of a JSON value; None: there is none."""
    if isinstance(node, dict):
        if part in node:
            return node[part]
        # YAML has statuses as numbers, where nobody put them in quotes.
        return node.get(int(part)) if _is_number(part) else None
    if isinstance(node, list) and _is_number(part) and int(part) < len(node):
        return node[int(part)]
    return None


def _is_number(part: str) -> bool:
    return part.isdecimal() and part.isascii() and len(part) <= _LONGEST


def at(node: Any, pointer: Pointer) -> Any:
    """Return what is somewhere in a JSON value; None: nothing."""
    for part in pointer:
        node = inside(node, part)
    return node


class Tree:
    """A document in which references are followed.

    Args:
        raw: The document.
    """

    def __init__(self, raw: Any) -> None:
        self.raw = raw

    def at(self, pointer: Pointer) -> Any:
        """Return what is somewhere; None: nothing."""
        return at(self.raw, pointer)

    def resolved(self, pointer: Pointer) -> tuple[Pointer, Any]:
        """Return the place where the references end that begin somewhere, and what is there.

        What leads nowhere ends with None, what leads in a circle or out of the document with a reference. What stands
        beside a reference counts for nothing here: that is up to those who know which version allows it.
        """
        node = self.at(pointer)
        seen: set[Pointer] = set()
        while (leads_to := target_of(node)) is not None and leads_to not in seen:
            seen.add(leads_to)
            pointer, node = leads_to, self.at(leads_to)
        return pointer, node

    def place(self, pointer: Pointer) -> Pointer:
        """Return the place where the references end that begin somewhere."""
        return self.resolved(pointer)[0]
