"""Callers: who sent a request, and may they?"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from functools import wraps

from flask import g, request
from flask.typing import ResponseReturnValue

from backend.app.settings import ApiKey, Scope
from backend.app.utils.error_handling import Problem
from backend.app.utils.state import current_service

API_KEY_HEADER = "X-API-Key"
CHALLENGE = 'ApiKey realm="uuid-service"'

Handler = Callable[..., ResponseReturnValue]


class KeyRing:
    """Finds callers by their secrets; it keeps only digests, so that looking one up tells nothing by its time."""

    def __init__(self, keys: Iterable[ApiKey]) -> None:
        self._keys = {_digest(key.secret): key for key in keys}

    def find(self, secret: str) -> ApiKey | None:
        """Returns whose secret this is, or None."""
        return self._keys.get(_digest(secret))


def requires(scope: Scope) -> Callable[[Handler], Handler]:
    """Makes a handler answer only callers with a scope; `caller()` says who it is."""

    def decorate(handler: Handler) -> Handler:
        @wraps(handler)
        def guarded(**path: str) -> ResponseReturnValue:
            key = current_service().keys.find(request.headers.get(API_KEY_HEADER, ""))
            g.caller = authorize(key, scope).name
            return handler(**path)

        return guarded

    return decorate


def authorize(key: ApiKey | None, scope: Scope) -> ApiKey:
    """Returns the key when it has the scope.

    Raises:
        Problem: There is no key (401), or it lacks the scope (403).
    """
    if key is None:
        raise Problem(
            401,
            "unauthorized",
            "Unauthorized",
            f"The header {API_KEY_HEADER} is missing or has no known key.",
            headers={"WWW-Authenticate": CHALLENGE},
        )
    if scope not in key.scopes:
        raise Problem(403, "scope-missing", "Scope missing", f"The key lacks the scope {scope!r}.")
    return key


def caller() -> str:
    """Returns the name of the key that the current request came with."""
    name: str = g.caller
    return name


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()
