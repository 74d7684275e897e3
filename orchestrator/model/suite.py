"""What the project's own tests did."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Outcome(StrEnum):
    """How a test ended, in pytest's words."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"
    XFAILED = "xfailed"
    XPASSED = "xpassed"

    @property
    def is_red(self) -> bool:
        """Whether the test says that something is wrong."""
        return self in (Outcome.FAILED, Outcome.ERROR)


class Exchange(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One HTTP request that a test made, with the status it was answered.

    `operation` is the label of the operation that the path belongs to; empty: none in the document.
    """

    method: str
    path: str
    status: int
    operation: str = ""


class Test(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One pytest item.

    Attributes:
        id: pytest's node id.
        outcome: How it ended.
        seconds: Its true duration (set-up, call and tear-down), also where the test freezes time.
        message: For a red test, the line that says why.
        known_red: The reason that the settings give for a test that is known to fail; empty: none.
        exchanges: The HTTP requests it made through a test client.
    """

    __test__ = False  # pytest would take the class for a test

    id: str
    outcome: Outcome
    seconds: float
    message: str = ""
    known_red: str = ""
    exchanges: tuple[Exchange, ...] = ()

    @property
    def is_quarantined(self) -> bool:
        """Whether it is red on the unmutated code, so that it may kill nothing."""
        return self.outcome.is_red


class FileCoverage(msgspec.Struct, frozen=True, kw_only=True):
    """Statement coverage of one source file: `covered` of `statements`."""

    path: str
    statements: int
    covered: int


class Suite(msgspec.Struct, frozen=True, kw_only=True, tag="suite", omit_defaults=True):
    """The result of the suite stage.

    Attributes:
        tests: Every item, in the order in which they ended.
        workers: How many processes shared the work.
        coverage: Per source file; None: not computed.
        reused: Whether it was not run again, because nothing has changed since it last was.
    """

    tests: tuple[Test, ...]
    workers: int = 1
    coverage: tuple[FileCoverage, ...] | None = None
    reused: bool = False

    def count(self, *outcomes: Outcome) -> int:
        """Return how many tests ended in one of these ways."""
        return sum(test.outcome in outcomes for test in self.tests)

    @property
    def quarantined(self) -> list[str]:
        """The names of the tests that are red on the unmutated code."""
        return [test.id for test in self.tests if test.is_quarantined]

    @property
    def success(self) -> float | None:
        """The share of tests that are not red, in percent, skipped and known-red ones left out; None: no tests."""
        judged = [t for t in self.tests if t.outcome is not Outcome.SKIPPED and not t.known_red]
        if not judged:
            return None
        return 100 * sum(not t.outcome.is_red for t in judged) / len(judged)

    @property
    def covered(self) -> float | None:
        """Statement coverage of all source files in percent; None: not computed."""
        if not self.coverage:
            return None
        statements = sum(f.statements for f in self.coverage)
        return 100 * sum(f.covered for f in self.coverage) / statements if statements else None
