"""An OpenAPI document as what is in it: objects and lists, references followed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestrator.references import Pointer, Tree


class Description(Tree):
    """Knows a document.

    Args:
        raw: The document.
    """

    def __init__(self, raw: Mapping[str, Any]) -> None:
        super().__init__(raw)
        self.is_swagger = "swagger" in raw
        self.is_3_1 = str(raw.get("openapi", "")).startswith("3.1")

    def mapping(self, pointer: Pointer) -> dict[str, Any]:
        """Return the object that is somewhere, references followed; empty: there is none."""
        return mapping(self.resolved(pointer)[1])

    def listed(self, pointer: Pointer) -> list[Any]:
        """Return the list that is somewhere; empty: there is none."""
        node = self.at(pointer)
        return node if isinstance(node, list) else []


def mapping(node: Any) -> dict[str, Any]:
    """Return an object as it is, and anything else as an empty one."""
    return node if isinstance(node, dict) else {}
