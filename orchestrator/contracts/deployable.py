"""May this version be deployed? As a broker answers it: only if every pact with what is deployed there is fulfilled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from orchestrator import text
from orchestrator.adapters.broker import Version
from orchestrator.contracts import shelf


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A pact between the version and one that is deployed.

    Attributes:
        consumer: Whose pact.
        consumer_version: Of the consumer; empty: none is deployed.
        provider: Who has to fulfil it.
        provider_version: Of the provider; empty: none is deployed.
        success: Whether it was fulfilled; None: nobody knows.
        why: What is wrong; empty: nothing.
    """

    consumer: str
    consumer_version: str
    provider: str
    provider_version: str
    success: bool | None
    why: str = ""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """May it be deployed?

    Attributes:
        deployable: Yes or no; what nobody knows is a no.
        rows: The pacts that it depends on.
        why: The reason, where no row tells it.
    """

    deployable: bool
    rows: tuple[Row, ...]
    why: str = ""


def answered(catalogue: shelf.Catalogue, version: Version, environment: str) -> Answer:
    """Return whether a version may be deployed to an environment, by what is on a shelf."""
    if not catalogue.knows(version):
        return Answer(
            deployable=False,
            rows=(),
            why=f"nothing was ever told of version {version.number} of {version.of}: neither a pact nor a result",
        )
    there = {of: number for (where, of), number in catalogue.deployed().items() if where == environment}
    rows = tuple(_rows(catalogue, version, there, environment))
    why = "" if rows else f"no pact with what is deployed in {environment} depends on it"
    return Answer(deployable=all(row.success for row in rows), rows=rows, why=why)


def _rows(catalogue: shelf.Catalogue, version: Version, there: Mapping[str, str], environment: str) -> Iterator[Row]:
    for pact in catalogue.pacts():
        if (pact.consumer, pact.version) == (version.of, version.number):
            provider = version.number if pact.provider == version.of else there.get(pact.provider, "")
        elif pact.provider == version.of and there.get(pact.consumer) == pact.version:
            provider = version.number
        else:
            continue
        found = catalogue.result(pact.provider, provider, shelf.digest(catalogue.data(pact))) if provider else None
        yield Row(
            consumer=pact.consumer,
            consumer_version=pact.version,
            provider=pact.provider,
            provider_version=provider,
            success=found.success if found else None,
            why=_why(pact.provider, provider, found, environment),
        )


def _why(provider: str, version: str, found: shelf.Result | None, environment: str) -> str:
    if not version:
        return f"no version of {provider} is deployed in {environment}"
    if found is None:
        return "not verified"
    if found.success:
        return ""
    return f"{text.plural(len(found.failures), 'interaction')} failed, first {found.failures[0]!r}" * bool(
        found.failures
    )


def understood(told: Mapping[str, Any]) -> Answer:
    """Return the answer that a Pact broker gave, as JSON.

    Raises:
        ValueError: it is none.
    """
    try:
        summary = told["summary"]
        rows = tuple(_row(row) for row in told["matrix"])
        return Answer(deployable=summary["deployable"] is True, rows=rows, why=str(summary["reason"]))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no answer of a broker: {error}") from error


def _row(row: Mapping[str, Any]) -> Row:
    result = row.get("verificationResult") or {}
    success = result.get("success")
    return Row(
        consumer=str(row["consumer"]["name"]),
        consumer_version=str((row["consumer"].get("version") or {}).get("number", "")),
        provider=str(row["provider"]["name"]),
        provider_version=str((row["provider"].get("version") or {}).get("number", "")),
        success=success if isinstance(success, bool) else None,
        why="" if success is True else "not fulfilled" if success is False else "not verified",
    )
