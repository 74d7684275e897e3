"""What verifying the consumers' pacts found."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Verification(StrEnum):
    """How one interaction ended."""

    VERIFIED = "verified"
    MISMATCH = "mismatch"
    STATE_FAILED = "state failed"  # the provider state could not be set up: nothing is known of the contract
    PENDING = "pending"  # it does not hold, and the consumer does not yet rely on it
    NOT_RUN = "not run"

    @property
    def is_failure(self) -> bool:
        """Whether the interaction is not known to hold."""
        return self in (Verification.MISMATCH, Verification.STATE_FAILED, Verification.NOT_RUN)


class Mismatch(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One place where the response is not what the consumer expects, in the Pact core's words."""

    kind: str
    path: str
    message: str
    expected: str = ""
    actual: str = ""


class Interaction(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One interaction of one pact, verified against the running app.

    Attributes:
        fingerprint: The same from run to run as long as consumer, description and states are.
        consumer: Who relies on it.
        description: The consumer's words.
        states: The provider states it needs.
        operation: The label of the operation it uses; empty: none in the OpenAPI document.
        result: How it ended.
        seconds: As the Pact core measured it; None: it did not say.
        mismatches: Where it does not hold.
        error: Why the state failed, or why it was not run.
        pact: The pact's file.
    """

    fingerprint: str
    consumer: str
    description: str
    states: tuple[str, ...]
    result: Verification
    pact: str
    operation: str = ""
    seconds: float | None = None
    mismatches: tuple[Mismatch, ...] = ()
    error: str = ""


class Level(StrEnum):
    """How much something weighs."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Incompatibility(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A place where a pact and the OpenAPI document say different things.

    Attributes:
        fingerprint: The same from run to run as long as consumer, description, code and places are.
        code: The finding's name, as `@pactflow/openapi-pact-comparator` has it: `response.body.incompatible`.
        level: An error, or only a warning.
        message: What does not fit, for a person.
        consumer: Whose pact.
        description: The interaction's.
        pact: The pact's file.
        at_pact: Where in the pact, as a JSON Pointer (RFC 6901).
        at_document: Where in the OpenAPI document; behind a file's name, where it is beside it; empty: nowhere.
        operation: The operation's label; empty: the document has none for the request.
    """

    fingerprint: str
    code: str
    level: Level
    message: str
    consumer: str
    description: str
    pact: str
    at_pact: str
    at_document: str = ""
    operation: str = ""


class Broken(msgspec.Struct, frozen=True, kw_only=True):
    """An interaction that a change breaks: it agrees with the document before, and not with the one after.

    Attributes:
        consumer: Whose pact.
        description: The interaction's.
        pact: The pact's file.
        why: What does not fit any more.
    """

    consumer: str
    description: str
    pact: str
    why: str


class DocumentChange(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A change of the OpenAPI document since the last release that consumers may feel.

    Attributes:
        fingerprint: The same from run to run as long as rule, operation and place are.
        rule: Its name, as oasdiff has it: `response-property-removed`.
        level: `error`: it breaks consumers; `warning`: it may; `info`: it breaks nobody.
        operation: The operation's label, in the document in which it exists.
        message: What has changed, for a person.
        at: Where in the newer document, in the older one where it is gone, as a JSON Pointer (RFC 6901).
        before: What was said there; empty: nothing.
        after: What is said there now; empty: nothing.
        broken: The interactions of known consumers that break; None: not computed.
    """

    fingerprint: str
    rule: str
    level: Level
    operation: str
    message: str
    at: str
    before: str = ""
    after: str = ""
    broken: tuple[Broken, ...] | None = None


class Contracts(msgspec.Struct, frozen=True, kw_only=True, tag="contracts", omit_defaults=True):
    """The result of the contracts stage: every interaction of every pact."""

    interactions: tuple[Interaction, ...]

    @property
    def failures(self) -> tuple[Interaction, ...]:
        """The interactions that are not known to hold."""
        return tuple(i for i in self.interactions if i.result.is_failure)
