"""What the property tests that follow from the OpenAPI document found."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Phase(StrEnum):
    """How schemathesis makes cases."""

    EXAMPLES = "examples"
    COVERAGE = "coverage"
    FUZZING = "fuzzing"
    STATEFUL = "stateful"


class Request(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A request as it was sent; secrets are redacted, long bodies cut."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""


class Response(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A response as it was received; secrets are redacted, long bodies cut."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A property that does not hold: one per operation and check.

    Attributes:
        fingerprint: The same from run to run as long as operation and check are.
        operation: The operation's label.
        check: The check's name in schemathesis: `response_schema_conformance`.
        title: What is wrong, in a few words.
        message: The same at length.
        severity: `critical`, `high`, `medium` or `low`.
        phases: The phases that saw it.
        cases: How many cases showed it, those of shrinking included.
        request: The smallest request that shows it.
        response: Its response; None: there was none.
        curl: A command line that sends the request again.
        test: The node id of the generated test.
    """

    fingerprint: str
    operation: str
    check: str
    title: str
    message: str
    severity: str
    phases: tuple[Phase, ...]
    cases: int
    request: Request | None
    response: Response | None
    curl: str
    test: str


class Cases(msgspec.Struct, frozen=True, kw_only=True):
    """How many cases of one phase were sent to one operation, and which statuses came back."""

    operation: str
    phase: Phase
    sent: int
    statuses: dict[str, int]


class Properties(msgspec.Struct, frozen=True, kw_only=True, tag="properties", omit_defaults=True):
    """The result of the properties stage.

    Attributes:
        cases: Per operation and phase.
        findings: Deduplicated per operation and check.
        tests: How many generated tests ran.
        seed: What makes the run repeatable.
        reached: Per operation label, the functions that ran while its requests ran, less what every operation
            passes through, as `path::qualified.name`; None: not computed.
    """

    cases: tuple[Cases, ...]
    findings: tuple[Finding, ...]
    tests: int
    seed: int
    reached: dict[str, tuple[str, ...]] | None = None

    @property
    def sent(self) -> int:
        """How many cases were sent in all."""
        return sum(c.sent for c in self.cases)
