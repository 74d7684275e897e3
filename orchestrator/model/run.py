"""A whole run, its comparison with an earlier one, and the verdict: what a report is made from."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

import msgspec

from orchestrator.model.contracts import Contracts
from orchestrator.model.description import Description
from orchestrator.model.mutation import Mutation
from orchestrator.model.properties import Properties
from orchestrator.model.stage import Generated, StageData, StageResult, StageStatus
from orchestrator.model.strength import Strength
from orchestrator.model.suite import Suite

SCHEMA_VERSION = 3

D = TypeVar("D", bound=StageData)


class Subject(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was analysed. `commit` and `branch` are empty outside a git repository."""

    name: str
    commit: str = ""
    branch: str = ""
    dirty: bool = False


class Provenance(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is needed to repeat a run.

    Attributes:
        command: The command line.
        orchestrator: Our version.
        tools: Version by tool's name, in our environment and in the user's interpreter.
        python: The driver's Python; `subject_python` the user's interpreter's.
        platform: The operating system.
        settings: Every setting that is not at its default, by dotted key; secrets redacted.
        defaults: Every other setting.
    """

    command: str
    orchestrator: str
    python: str
    platform: str
    subject_python: str = ""
    tools: dict[str, str] = {}
    settings: dict[str, str] = {}
    defaults: dict[str, str] = {}


class OperationRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What each layer knows of one operation. None: not computed.

    Attributes:
        operation: The operation's label.
        excluded: Why the settings exclude it.
        tests: How many of the suite's tests call it.
        red_tests: How many of those are red.
        cases: How many generated cases were sent to it.
        findings: Fingerprints of its property findings.
        interactions: How many interactions use it, by consumer.
        failures: Fingerprints of its interactions that do not hold.
        mutants: How many mutants its requests execute.
        detected: How many of those were detected.
        survivors: Fingerprints of those nobody noticed.
        strengths: What each layer reveals of those for which all layers were asked; empty: not computed.
    """

    operation: str
    summary: str = ""
    excluded: str = ""
    tests: int | None = None
    red_tests: int | None = None
    cases: int | None = None
    findings: tuple[str, ...] | None = None
    interactions: dict[str, int] | None = None
    failures: tuple[str, ...] = ()
    mutants: int | None = None
    detected: int | None = None
    survivors: tuple[str, ...] = ()
    strengths: dict[str, Strength] = {}

    @property
    def only_unit(self) -> bool:
        """Whether nothing but the project's own tests would notice: a rewrite of the HTTP layer is not protected."""
        return [layer for layer, one in self.strengths.items() if one.revealed] == ["unit"]


class Run(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything that one run found.

    Attributes:
        started: UTC, ISO 8601, whole seconds.
        seconds: Wall time of the whole run.
        stages: In the order in which they ran.
        operations: The operation matrix.
    """

    subject: Subject
    started: str
    seconds: float
    provenance: Provenance
    stages: tuple[StageResult, ...]
    operations: tuple[OperationRow, ...] = ()

    def stage(self, name: str) -> StageResult | None:
        """Return the result of a stage; None: it is not part of the run."""
        return next((s for s in self.stages if s.name == name), None)

    def _data(self, kind: type[D]) -> D | None:
        return next((s.data for s in self.stages if isinstance(s.data, kind)), None)

    @property
    def generated(self) -> Generated | None:
        """What the generate stage found; None: not computed."""
        return self._data(Generated)

    @property
    def suite(self) -> Suite | None:
        """What the suite stage found; None: not computed."""
        return self._data(Suite)

    @property
    def properties(self) -> Properties | None:
        """What the properties stage found; None: not computed."""
        return self._data(Properties)

    @property
    def contracts(self) -> Contracts | None:
        """What the contracts stage found; None: not computed."""
        return self._data(Contracts)

    @property
    def description(self) -> Description | None:
        """What the description stage found; None: not computed."""
        return self._data(Description)

    @property
    def mutation(self) -> Mutation | None:
        """What the mutation stage found; None: not computed."""
        return self._data(Mutation)

    @property
    def score(self) -> float | None:
        """The mutation score, where it may stand alone; None: the mutants are of another kind, or only a part."""
        mutation = self.mutation
        return None if mutation is None or mutation.quick or mutation.shard else mutation.score


class Change(StrEnum):
    """How something compares with the run before."""

    NEW = "new"
    STILL = "still"
    FIXED = "fixed"


class Difference(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that is new, fixed or still there.

    Attributes:
        kind: `finding`, `interaction`, `survivor` or `test`.
        fingerprint: Of the thing; a test's node id.
        change: How it compares.
        title: A line for a person.
        was: Its fingerprint in the earlier run, where another file name or another layout has changed it.
    """

    kind: str
    fingerprint: str
    change: Change
    title: str
    was: str = ""


class Comparison(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A run next to an earlier one.

    Attributes:
        label: What the earlier run is: `baseline`, `previous run`, or a file's name.
        started: When it started.
        commit: What it analysed.
        differences: Only of kinds that both runs computed.
        measured: The numbers that gates are about, then, by the gate's id; those not computed are missing.
        seconds: How long each stage took then; those that did not complete are missing.
        not_compared: Kinds that one of the runs did not compute.
    """

    label: str
    started: str
    differences: tuple[Difference, ...]
    commit: str = ""
    measured: dict[str, float] = {}
    seconds: dict[str, float] = {}
    not_compared: tuple[str, ...] = ()

    def of(self, change: Change) -> tuple[Difference, ...]:
        """Return the differences of one sort."""
        return tuple(d for d in self.differences if d.change is change)


class GateVerdict(StrEnum):
    """How a gate stands."""

    PASS = "pass"  # noqa: S105 - a verdict, not a credential
    FAIL = "fail"
    WAIVED = "waived"  # it does not hold, and somebody answers for it until a day
    NOT_COMPUTED = "not computed"


class GateScope(StrEnum):
    """What a gate holds a run against."""

    ABSOLUTE = "absolute"
    BASELINE = "no worse than the baseline"
    CHANGED = "on changed lines only"


class Waiver(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Leave to fail, for a time: somebody answers for it.

    Attributes:
        waives: A gate's id, or the fingerprint of a finding, an interaction or a mutant.
        owner: Who answers for it.
        reason: Why.
        until: The last day on which it holds, ISO 8601.
        expired: Whether that day is over.
        used: Whether anything would fail without it.
    """

    waives: str
    owner: str
    reason: str
    until: str
    expired: bool = False
    used: bool = False

    @property
    def told(self) -> str:
        """It in words."""
        return f"waived by {self.owner} until {self.until}: {self.reason}"


class Gate(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One condition on a run.

    Attributes:
        id: Stable name, the key in `[tool.orchestrator.gates]`.
        title: What it asks, for a person.
        threshold: What is asked, as text: `≥ 98 %`.
        value: What was found, as text; empty: not computed.
        verdict: How it stands.
        scope: What it holds the run against.
        asked: The threshold as a number; None: it has none.
        found: What was found as a number; None: not computed.
        hint: What to do when it fails, or why it was not computed.
        evidence: The id of the section of the page that shows why.
        waiver: Who answers for it, where it is waived.
    """

    id: str
    title: str
    threshold: str
    verdict: GateVerdict
    value: str = ""
    scope: GateScope = GateScope.ABSOLUTE
    asked: float | None = None
    found: float | None = None
    hint: str = ""
    evidence: str = ""
    waiver: Waiver | None = None


class Verdict(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the run amounts to. `exit_code` is one of `orchestrator.errors.ExitCode`."""

    gates: tuple[Gate, ...]
    exit_code: int
    headline: str
    waivers: tuple[Waiver, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every gate that was computed holds or is waived, and every stage ran."""
        return self.exit_code == 0

    @property
    def failing(self) -> tuple[Gate, ...]:
        """The gates that do not hold."""
        return tuple(g for g in self.gates if g.verdict is GateVerdict.FAIL)

    def waived(self, fingerprint: str) -> Waiver | None:
        """Return what waives a finding, an interaction or a mutant; None: nothing does."""
        return next((w for w in self.waivers if w.waives == fingerprint and not w.expired), None)


class Point(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A run in a few numbers, for a history. None: not computed.

    Attributes:
        started: UTC, ISO 8601.
        commit: What was analysed; empty: not in git.
        exit_code: How it ended.
        seconds: Wall time of the whole run.
        stages: Seconds of each stage that completed.
        score: Mutation score in percent.
        survivors: Mutants that nobody noticed.
        findings: Property findings.
        failures: Interactions that are not known to hold.
        red: Red tests.
    """

    started: str
    exit_code: int
    seconds: float
    commit: str = ""
    stages: dict[str, float] = {}
    score: float | None = None
    survivors: int | None = None
    findings: int | None = None
    failures: int | None = None
    red: int | None = None


class Report(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What `run.json` holds, and all that any output is made from.

    Attributes:
        schema: `SCHEMA_VERSION`.
        run: What was found.
        verdict: What it amounts to.
        comparison: With an earlier run; None: there is none.
        history: The runs before this one, the oldest first.
    """

    schema: int  # no default: it is always written, whatever else is left out
    run: Run
    verdict: Verdict
    comparison: Comparison | None = None
    history: tuple[Point, ...] = ()

    @property
    def point(self) -> Point:
        """This run in a few numbers."""
        run = self.run
        mutants = run.mutation.mutants if run.mutation else None
        return Point(
            started=run.started,
            commit=run.subject.commit,
            exit_code=self.verdict.exit_code,
            seconds=run.seconds,
            stages={s.name: s.seconds for s in run.stages if s.status is StageStatus.COMPLETED},
            score=run.score,
            survivors=sum(m.status.is_undetected for m in mutants) if mutants and run.score is not None else None,
            findings=len(run.properties.findings) if run.properties else None,
            failures=len(run.contracts.failures) if run.contracts else None,
            red=sum(t.outcome.is_red for t in run.suite.tests) if run.suite else None,
        )
