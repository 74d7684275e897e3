"""Credentials that an operation asks for, and whether a request has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.contracts import encoded
from orchestrator.contracts.context import Context
from orchestrator.contracts.findings import Finding, finding
from orchestrator.contracts.interactions import Interaction


def check(context: Context) -> Iterator[Finding]:
    """Yield findings where a request has none of the credentials that would do.

    The reference is content with one credential of an alternative that needs several together, and does not look
    for cookies and tokens. What only that lets pass is a warning.
    """
    alternatives = context.operation.security
    if not context.interaction.is_accepted or not alternatives or () in alternatives:
        return
    schemes = [[(name, context.operations.scheme(name)) for name in names] for names in alternatives]
    single = [one for alternative in schemes for one in alternative]
    refused = [(n, scheme) for n, scheme in single if _is_present(scheme, context.interaction, lenient=True) is False]
    if refused and not any(_is_present(scheme, context.interaction, lenient=True) for _, scheme in single):
        for name, scheme in refused:
            at = ("request", "query" if scheme.get("in") == "query" else "headers")
            message = f"{context.operation.label} needs credentials, and the request has none for {name!r}"
            yield finding("request.authorization.missing", message, at, (*context.operation.at, "security"))
    elif not any(
        all(_is_present(scheme, context.interaction, lenient=False) is not False for _, scheme in alternative)
        for alternative in schemes
    ):
        names = " or ".join(" with ".join(repr(name) for name, _ in alternative) for alternative in schemes)
        message = f"{context.operation.label} needs credentials for {names}, and the request lacks some"
        yield finding(
            "request.credentials.missing", message, ("request", "headers"), (*context.operation.at, "security")
        )


def header_names(context: Context) -> set[str]:
    """Return the headers that hold keys, in lower case."""
    return {name.lower() for name in _key_names(context, "header")}


def query_names(context: Context) -> set[str]:
    """Return the query parameters that hold keys."""
    return set(_key_names(context, "query"))


def _key_names(context: Context, place: str) -> Iterator[str]:
    for alternative in context.operation.security:
        for scheme in map(context.operations.scheme, alternative):
            if scheme.get("type") == "apiKey" and scheme.get("in") == place:
                yield str(scheme.get("name", ""))


def _is_present(scheme: Mapping[str, Any], interaction: Interaction, *, lenient: bool) -> bool | None:
    """Whether a request has what a scheme asks for; None: the scheme says nothing that can be looked for.

    Args:
        scheme: The security scheme.
        interaction: With the request.
        lenient: Take it for granted where the reference does.
    """
    kind = str(scheme.get("type", "")).lower()
    authorization = (interaction.request.header("authorization") or "").lower()
    if kind == "apikey":
        return _has_key(scheme, interaction, lenient=lenient)
    if kind == "basic":
        return authorization.startswith("basic ")
    if kind == "http":
        wanted = str(scheme.get("scheme", "")).lower()
        return wanted in ("basic", "bearer") and authorization.startswith(f"{wanted} ")
    if kind in ("oauth2", "openidconnect"):
        return lenient or bool(authorization)
    return True if kind == "mutualtls" else None


def _has_key(scheme: Mapping[str, Any], interaction: Interaction, *, lenient: bool) -> bool | None:
    place, name = str(scheme.get("in", "")).lower(), str(scheme.get("name", ""))
    if place == "header":
        return interaction.request.header(name) is not None
    if place == "query":
        return any(key == name for key, _ in encoded.pairs(interaction.query))
    if place == "cookie":
        return lenient or name in encoded.cookies(interaction.request.header("cookie") or "")
    return None
