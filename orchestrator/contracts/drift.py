"""What the app routes and the OpenAPI document does not describe, and the other way round."""

from __future__ import annotations

import re
from collections.abc import Iterable

from orchestrator import text
from orchestrator.adapters.openapi import Document
from orchestrator.model.description import Drift


def drift(routes: Iterable[tuple[str, str]], document: Document) -> tuple[Drift, ...]:
    """Return where the app's routes and the document's operations differ.

    Args:
        routes: Method and path of each; an empty method is any.
        document: What describes them. What parameters are called makes no difference.
    """
    described = {(o.method, _shape(document.base_path + o.path)): o.label for o in document.operations}
    routed = {(method, _shape(path)): path for method, path in routes}
    any_method = {path for method, path in routed if not method}
    paths = {path for _, path in described}
    undocumented = [
        Drift(operation=text.one_line(f"{method or 'any method of'} {routed[method, shape]}"), routed=True)
        for method, shape in routed
        if ((method, shape) not in described if method else shape not in paths)
    ]
    missing = [
        Drift(operation=label, routed=False)
        for (method, shape), label in described.items()
        if (method, shape) not in routed and shape not in any_method and method not in ("HEAD", "OPTIONS", "TRACE")
    ]
    return (*undocumented, *missing)


def _shape(path: str) -> str:
    """Return a path template without the names of its parameters."""
    return re.sub(r"\{[^}]*\}", "{}", path)
