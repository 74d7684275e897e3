"""An OpenAPI document as a tree: places in it, and where references lead."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote

from orchestrator.contracts.findings import Pointer, inside

_MOST_HOPS: Final = 30  # references that lead to each other


class Description:
    """Knows a document.

    Args:
        raw: The document.
    """

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self.raw = raw
        self.is_swagger = "swagger" in raw
        self.is_3_1 = str(raw.get("openapi", "")).startswith("3.1")

    def at(self, pointer: Pointer) -> Any:
        """Return what is somewhere; None: nothing."""
        node: Any = self.raw
        for part in pointer:
            node = inside(node, part)
        return node

    def resolved(self, pointer: Pointer) -> Pointer:
        """Return where the references end that begin somewhere; what leads nowhere, or in a circle, ends there."""
        for _ in range(_MOST_HOPS):
            target = target_of(self.at(pointer))
            if target is None:
                break
            pointer = target
        return pointer

    def mapping(self, pointer: Pointer) -> dict[str, Any]:
        """Return the object that is somewhere, references followed; empty: there is none."""
        return mapping(self.at(self.resolved(pointer)))

    def listed(self, pointer: Pointer) -> list[Any]:
        """Return the list that is somewhere; empty: there is none."""
        node = self.at(pointer)
        return node if isinstance(node, list) else []


def target_of(node: Any) -> Pointer | None:
    """Return the place that an object refers to; None: it is no reference within the document."""
    reference = node.get("$ref") if isinstance(node, dict) else None
    return _target(reference) if isinstance(reference, str) and reference.startswith("#/") else None


@functools.lru_cache(maxsize=4096)
def _target(reference: str) -> Pointer:
    return tuple(unquote(part).replace("~1", "/").replace("~0", "~") for part in reference[2:].split("/"))


def mapping(node: Any) -> dict[str, Any]:
    """Return an object as it is, and anything else as an empty one."""
    return node if isinstance(node, dict) else {}
