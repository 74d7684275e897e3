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


class Contracts(msgspec.Struct, frozen=True, kw_only=True, tag="contracts", omit_defaults=True):
    """The result of the contracts stage."""

    interactions: tuple[Interaction, ...]

    @property
    def failures(self) -> tuple[Interaction, ...]:
        """The interactions that are not known to hold."""
        return tuple(i for i in self.interactions if i.result.is_failure)
