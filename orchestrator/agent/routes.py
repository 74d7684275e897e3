"""The app's own routing table, for Flask, Starlette and FastAPI, and Django."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from typing import Any

# A method on a path as OpenAPI writes it: `("GET", "/items/{item_id}")`. An empty method: any.
Route = tuple[str, str]

_DEEPEST = 20  # tables within tables
_INNER = ("app", "wsgi_app", "application", "_app")  # where middlewares keep what they wrap
_SILENT = frozenset({"HEAD", "OPTIONS", "TRACE", "CONNECT"})  # answered by frameworks themselves


def routes(app: Any) -> list[Route] | None:
    """Return the routes of an app; None: its framework is not known, or what is around it hides it."""
    for candidate in _layers(app):
        for known in (_of_flask, _of_django, _of_starlette):
            found = known(candidate)
            if found is not None:
                return sorted(set(found))
    return None


def _layers(app: Any) -> Iterator[Any]:
    """Yield an app, and what its middlewares wrap."""
    for _ in range(_DEEPEST):
        yield app
        owner = getattr(app, "__self__", None)  # a bound method: `app.wsgi_app`
        inner = next((getattr(app, name) for name in _INNER if getattr(app, name, None) is not None), owner)
        if inner is None or inner is app:
            return
        app = inner


def _of_flask(app: Any) -> list[Route] | None:
    table = getattr(app, "url_map", None)
    if table is None or not hasattr(table, "iter_rules"):
        return None
    static = getattr(app, "static_folder", None)
    found: list[Route] = []
    for rule in table.iter_rules():
        if rule.endpoint == "static" or (static and str(rule.endpoint).endswith(".static")):
            continue
        path = re.sub(r"<(?:[^:<>]*:)?([^<>]+)>", r"{\1}", rule.rule)
        found += _each(rule.methods, path)
    return found


def _of_starlette(app: Any) -> list[Route] | None:
    table = getattr(app, "routes", None)
    if not isinstance(table, list) or "starlette" not in sys.modules:
        return None
    return list(_starlette(table, "", 0))


def _starlette(table: Iterable[Any], prefix: str, depth: int) -> Iterator[Route]:
    for route in table:
        path = prefix + re.sub(r"\{([^}:]+):[^}]*\}", r"{\1}", getattr(route, "path", ""))
        included = getattr(route, "effective_route_contexts", None)  # newer FastAPI includes routers as they are
        inner = list(included()) if included else getattr(route, "routes", None)
        if getattr(route, "methods", None) and getattr(route, "include_in_schema", True):
            yield from _each(route.methods, path)
        elif inner and depth < _DEEPEST:  # a mounted app; static files have no routes
            yield from _starlette(inner, path, depth + 1)


def _of_django(app: Any) -> list[Route] | None:
    if not type(app).__module__.startswith("django.core.handlers"):
        return None
    from django.urls import get_resolver  # type: ignore[import-not-found,import-untyped,unused-ignore] # noqa: PLC0415 - it is there

    return list(_django(get_resolver().url_patterns, "/", 0))


def _django(patterns: Iterable[Any], prefix: str, depth: int) -> Iterator[Route]:
    for pattern in patterns:
        path = prefix + _django_path(str(pattern.pattern))
        inner = getattr(pattern, "url_patterns", None)
        if inner is not None:
            if depth < _DEEPEST and getattr(pattern, "app_name", "") != "admin":
                yield from _django(inner, path, depth + 1)
        elif "{format}" not in path:  # a suffix that names the format: the same operation once more
            yield from _each(_methods(pattern.callback), path)


def _django_path(told: str) -> str:
    """Return a route or a regular expression of Django's as a template."""
    told = re.sub(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)", r"{\1}", told)
    told = re.sub(r"<(?:[^:<>]*:)?([^<>]+)>", r"{\1}", told)
    return re.sub(r"\\Z|[\^$?]|\\(?=[./-])", "", told)


def _methods(view: Any) -> Iterable[str]:
    """Return the methods of a view; none: a function, which may answer any."""
    actions = getattr(view, "actions", None)  # a view set of Django REST framework
    if actions:
        return [str(method) for method in actions]
    owner = getattr(view, "view_class", None) or getattr(view, "cls", None)
    allowed = getattr(owner, "http_method_names", None)
    return [method for method in allowed if hasattr(owner, method)] if allowed else ()


def _each(methods: Iterable[str] | None, path: str) -> list[Route]:
    told = {method.upper() for method in methods or ()}
    return [(method, path) for method in told - _SILENT] if told else [("", path)]
