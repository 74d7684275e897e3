"""Pacts from a Pact broker, and what verifying them found back to it.

The pacts are fetched, not verified by the Pact core from the broker: so they are files like others, each interaction
with a result of its own, and what they ask of the app is recorded. The questions are those that the core asks.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

import msgspec

from orchestrator import __version__, config, text
from orchestrator.adapters import hal
from orchestrator.config import Selector
from orchestrator.errors import Code, OrchestratorError
from orchestrator.model.contracts import Mismatch

DEFAULT_SELECTORS: Final = (Selector(main_branch=True), Selector(deployed_or_released=True))

_FOR_VERIFICATION: Final = ("pb:provider-pacts-for-verification", "beta:provider-pacts-for-verification")
_RESULTS: Final = "pb:publish-verification-results"
_PROVIDER: Final = "pb:provider"
_BRANCH: Final = "pb:branch-version"


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """A version of an API or of one that calls it: a `pacticipant`, in Pact's words."""

    of: str
    number: str
    branch: str = ""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which pacts a provider asks for.

    Attributes:
        provider: Its name in the pacts.
        branch: Its branch: a pact that this has fulfilled once is not pending; empty: unknown.
        selectors: Which versions of the consumers.
        pending: Whether pacts that were never fulfilled are told apart.
        wip_since: The day since which pacts that no selector chooses are asked for too, as ISO 8601; empty: none.
    """

    provider: str
    branch: str = ""
    selectors: tuple[Selector, ...] = DEFAULT_SELECTORS
    pending: bool = False
    wip_since: str = ""


class Offered(msgspec.Struct, frozen=True, kw_only=True):
    """A pact that is to be verified.

    Attributes:
        data: The pact, as the broker gave it.
        name: What the broker calls it.
        pending: It was never fulfilled: if it does not hold now, that is no fault.
        wip: No selector chose it: it is work in progress.
        place: Where the broker wants its results.
        provider: Where the broker tells of the provider.
    """

    data: bytes
    name: str
    pending: bool = False
    wip: bool = False
    place: str = ""
    provider: str = ""


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """How one interaction ended.

    Attributes:
        description: The consumer's words.
        success: Whether it holds.
        id: What the broker calls it; empty: nothing.
        mismatches: Where it does not hold.
        error: Why nothing is known; empty: it is.
    """

    description: str
    success: bool
    id: str = ""
    mismatches: tuple[Mismatch, ...] = ()
    error: str = ""


class Outcome(msgspec.Struct, frozen=True):
    """What verifying a pact found."""

    pact: Offered
    tests: tuple[Checked, ...]

    @property
    def success(self) -> bool:
        """Whether all of it holds."""
        return all(test.success for test in self.tests)


class Source(Protocol):
    """Whatever has pacts and takes results."""

    def offered(self, wanted: Wanted) -> list[Offered]:
        """Return the pacts that are to be verified."""

    def keep(self, version: Version, outcomes: Sequence[Outcome]) -> None:
        """Take what verifying them found."""


class PactBroker:
    """A Pact broker, asked over HTTP."""

    def __init__(self, server: hal.Server) -> None:
        self._server = server

    def offered(self, wanted: Wanted) -> list[Offered]:
        """Return the pacts that the broker wants to be verified.

        Raises:
            OrchestratorError: it can't be asked, or what it says can't be understood.
        """
        link = self._server.ask().link(*_FOR_VERIFICATION)
        if not link:
            raise self._server.unclear(self._server.url, f"has no link {_FOR_VERIFICATION[0]}")
        try:
            listed = self._server.ask(link, question(wanted), provider=wanted.provider)
        except hal.NotFoundError as error:
            raise OrchestratorError(
                Code.NO_PACTS,
                f"the broker knows no provider {text.one_line(wanted.provider)!r}",
                hint="Check `contracts.provider`: a broker learns the name with the first pact that is published.",
            ) from error
        return [self._fetched(entry, wanted) for entry in self._entries(listed.content)]

    def _entries(self, listed: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        embedded = listed.get("_embedded")
        found = embedded.get("pacts") if isinstance(embedded, dict) else None
        if not isinstance(found, list) or not all(isinstance(e, dict) and hal.link_in(e, "self") for e in found):
            raise self._server.unclear(self._server.url, "answers with no list of pacts")
        return list({hal.link_in(entry, "self"): entry for entry in found}.values())

    def _fetched(self, entry: Mapping[str, Any], wanted: Wanted) -> Offered:
        told = self._server.ask(hal.link_in(entry, "self"))
        about = entry.get("verificationProperties")
        about = about if isinstance(about, dict) else {}
        wip = about.get("wip") is True
        return Offered(
            data=_pact(told),
            name=_name(entry),
            pending=about.get("pending") is True and (wanted.pending or wip),
            wip=wip,
            place=told.link(_RESULTS),
            provider=told.link(_PROVIDER),
        )

    def keep(self, version: Version, outcomes: Sequence[Outcome]) -> None:
        """Publish what verifying the pacts found.

        Raises:
            OrchestratorError: it can't be published.
        """
        if version.branch and outcomes:
            self._put_on_branch(version, outcomes[0].pact.provider)
        for outcome in outcomes:
            if not outcome.pact.place:
                raise self._server.unclear(self._server.url, f"gives a pact without a link {_RESULTS}")
            self._server.ask(outcome.pact.place, result(version, outcome))

    def _put_on_branch(self, version: Version, provider: str) -> None:
        link = self._server.ask(provider).link(_BRANCH) if provider else ""
        if not link:
            raise self._server.unclear(self._server.url, f"has no link {_BRANCH}: branches need version 2.86 or later")
        self._server.ask(link, {}, method="PUT", branch=version.branch, version=version.number)


def pact_broker(settings: config.Broker) -> PactBroker:
    """Return the Pact broker of the settings, and who asks it from the variables that they name."""
    return PactBroker(hal.Server(settings.url, credential(settings), timeout=settings.timeout))


def credential(settings: config.Broker) -> hal.Credential:
    """Return who asks: the token if there is one, else the user."""
    token = os.environ.get(settings.token, "").strip()  # a file that it was read from may have ended with a newline
    if token:
        return hal.Credential(token=token)
    return hal.Credential(
        username=os.environ.get(settings.username, ""), password=os.environ.get(settings.password, "")
    )


def question(wanted: Wanted) -> dict[str, Any]:
    """Return how a broker is asked for the pacts to verify."""
    asked: dict[str, Any] = {
        "consumerVersionSelectors": [_selector(selector) for selector in wanted.selectors],
        # Work in progress is pending, so a broker tells of it only who asks for both.
        "includePendingStatus": wanted.pending or bool(wanted.wip_since),
    }
    if wanted.branch:
        asked["providerVersionBranch"] = wanted.branch
    if wanted.wip_since:
        asked["includeWipPactsSince"] = wanted.wip_since
    return asked


def _selector(selector: Selector) -> dict[str, Any]:
    said = {
        "branch": selector.branch,
        "mainBranch": selector.main_branch,
        "matchingBranch": selector.matching_branch,
        "deployedOrReleased": selector.deployed_or_released,
        "environment": selector.environment,
        "tag": selector.tag,
        "latest": selector.latest,
        "consumer": selector.consumer,
    }
    return {key: value for key, value in said.items() if value}


def result(version: Version, outcome: Outcome) -> dict[str, Any]:
    """Return what a broker is told of a pact that was verified."""
    return {
        "providerApplicationVersion": version.number,
        "success": outcome.success,
        "testResults": [_test(test) for test in outcome.tests],
        "verifiedBy": {"implementation": "quality-orchestrator", "version": __version__},
    }


def _test(test: Checked) -> dict[str, Any]:
    told: dict[str, Any] = {
        "interactionId": test.id,
        "interactionDescription": test.description,
        "success": test.success,
    }
    if test.mismatches:
        told["mismatches"] = [_mismatch(mismatch) for mismatch in test.mismatches]
    if test.error:
        told["exceptions"] = [{"message": test.error}]
    return told


def _mismatch(mismatch: Mismatch) -> dict[str, Any]:
    # A body of another type is a mismatch of the body.
    told = {"attribute": mismatch.kind.lower().removesuffix("type"), "description": mismatch.message}
    return told | ({"identifier": mismatch.path} if mismatch.path else {})


def _pact(told: hal.Answer) -> bytes:
    """Return the pact without what the broker adds of its own, which is not the same from day to day."""
    kept = {key: value for key, value in told.content.items() if key not in ("_links", "createdAt")}
    return json.dumps(kept, indent=2).encode()


def _name(entry: Mapping[str, Any]) -> str:
    links = entry["_links"]["self"]
    return text.one_line(str(links.get("name") or links["href"]))


def interaction_ids(data: bytes) -> list[str]:
    """Return what the broker calls each interaction of a pact, in their order; empty: nothing."""
    raw = json.loads(data)
    return [str(i.get("_id", "")) for i in [*raw.get("interactions", ()), *raw.get("messages", ())]]
