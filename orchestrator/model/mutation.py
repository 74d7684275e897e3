"""What mutation testing found."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class MutantStatus(StrEnum):
    """What became of a mutant."""

    KILLED = "killed"
    SURVIVED = "survived"
    TIMEOUT = "timeout"
    CRASHED = "crashed"  # the process that ran the tests died of a signal
    TYPE_CHECK = "caught by type check"
    NO_TESTS = "no tests"  # no test executes the function
    SUSPICIOUS = "suspicious"  # pytest ended in a way that says neither
    SKIPPED = "skipped"
    NOT_RUN = "not run"

    @property
    def is_detected(self) -> bool:
        """Whether somebody would notice."""
        return self in (
            MutantStatus.KILLED,
            MutantStatus.TIMEOUT,
            MutantStatus.CRASHED,
            MutantStatus.TYPE_CHECK,
        )

    @property
    def is_undetected(self) -> bool:
        """Whether nobody would notice: it survived, or nothing executes it."""
        return self in (MutantStatus.SURVIVED, MutantStatus.NO_TESTS)


class LayerVerdict(StrEnum):
    """What one layer did about a mutant."""

    KILLED = "killed"
    SURVIVED = "survived"
    NOT_COMPUTED = "not computed"


class Mutant(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One change to the code.

    Attributes:
        fingerprint: The same from run to run while module, function and change are, wherever the lines are.
        id: The name that mutmut gives it.
        path: The source file, relative to the project.
        function: Qualified name within the module.
        line: The first changed line in the source file.
        diff: Unified diff with the file's true line numbers.
        status: What the unit layer made of it.
        seconds: How long judging took; None: not known.
        operations: Labels of the operations whose requests execute the function.
        tests: How many tests execute the function; None: not known.
        layers: What each layer did about it. Layers that are missing: not computed.
    """

    fingerprint: str
    id: str
    path: str
    function: str
    line: int
    diff: str
    status: MutantStatus
    seconds: float | None = None
    operations: tuple[str, ...] = ()
    tests: int | None = None
    layers: dict[str, LayerVerdict] = {}


class Unmutated(msgspec.Struct, frozen=True, kw_only=True):
    """A critical function that was not mutated, with the reason."""

    path: str
    function: str
    line: int
    reason: str


class Mutation(msgspec.Struct, frozen=True, kw_only=True, tag="mutation", omit_defaults=True):
    """The result of the mutation stage.

    Attributes:
        mutants: Every mutant of the critical paths.
        unmutated: Critical functions that have no mutants.
        critical: The critical paths as the settings give them.
    """

    mutants: tuple[Mutant, ...]
    critical: tuple[str, ...]
    unmutated: tuple[Unmutated, ...] = ()

    def count(self, *statuses: MutantStatus) -> int:
        """Return how many mutants have one of these statuses."""
        return sum(m.status in statuses for m in self.mutants)

    @property
    def score(self) -> float | None:
        """Detected mutants among those judged, in percent; None: nothing was judged.

        The one place where a mutation score is computed. Skipped, suspicious and unjudged mutants count on
        neither side; mutants that no test executes are undetected.
        """
        return score(self.mutants)


def score(mutants: tuple[Mutant, ...]) -> float | None:
    """Return the share of detected mutants in percent; None: none of them was judged."""
    detected = sum(m.status.is_detected for m in mutants)
    judged = detected + sum(m.status.is_undetected for m in mutants)
    return 100 * detected / judged if judged else None
