"""Everything that is wrong in a run, worst first: what code hosts are told, each in its own format.

All text that leaves here was made visible, and is cut where it is long: a host cuts it anyway, and says less.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Final

import msgspec

from orchestrator import text
from orchestrator.errors import anchor
from orchestrator.model.contracts import Interaction, Verification
from orchestrator.model.fingerprint import fingerprint
from orchestrator.model.mutation import Mutant, MutantStatus, OracleGap
from orchestrator.model.properties import Finding
from orchestrator.model.replacement import Replacement, replaced
from orchestrator.model.run import Change, Gate, GateVerdict, Report, Run, Waiver
from orchestrator.model.stage import StageResult, StageStatus
from orchestrator.model.suite import Test

SEVERITIES: Final = ("critical", "high", "medium", "low")
_TITLE: Final = 200
_MESSAGE: Final = 2_000
_WORDS: Final = 80
_ELSEWHERE: Final = re.compile(r"[/\\~]|[A-Za-z][A-Za-z0-9+.-]*://|[A-Za-z]:[/\\]")  # or it is an address


class Kind(StrEnum):
    """What is wrong, the worst first: where a stage broke off, nothing is known of the rest."""

    STAGE = "stage"
    GATE = "gate"
    FINDING = "finding"
    INTERACTION = "interaction"
    TEST = "test"
    SURVIVOR = "survivor"
    SUPPRESSED = "suppressed"


class Level(StrEnum):
    """How much it weighs."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """What several things that are wrong have in common.

    Attributes:
        id: Its name, with its kind in front: `property/not_a_server_error`.
        title: What it says, in a few words.
        help: What to do about it.
        level: How much it weighs where nobody answers for it.
    """

    id: str
    title: str
    help: str
    level: Level = Level.ERROR


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong.

    Attributes:
        kind: What it is.
        rule: What it has in common with others.
        title: It in one line.
        message: It at length.
        fingerprint: The same from run to run.
        severity: One of `SEVERITIES`.
        about: What it is about: an operation, a function, a stage, a gate; empty: the file says it.
        file: Where it is, relative to the project; empty: in no file that is known.
        place: Where it is in the file; None: not known.
        new: Whether the earlier run had it not; None: not compared.
        accepted: Who answers for it, and why; None: nobody does.
    """

    kind: Kind
    rule: Rule
    title: str
    message: str
    fingerprint: str
    severity: str = "high"
    about: str = ""
    file: str = ""
    place: Replacement | None = None
    new: bool | None = None
    accepted: str | None = None

    @property
    def level(self) -> Level:
        """How much it weighs: what somebody answers for is told, and stops nobody."""
        return self.rule.level if self.accepted is None else Level.NOTE

    @property
    def line(self) -> int | None:
        """The line in the file where it begins; None: not known."""
        return self.place.line if self.place else None


def found(report: Report) -> list[Found]:
    """Return everything that is wrong, worst first; what somebody answers for comes last."""
    run = report.run
    listed = [
        *(_stage(stage) for stage in run.stages if broke_off(stage)),
        *(_gate(g) for g in report.verdict.gates if g.verdict in (GateVerdict.FAIL, GateVerdict.WAIVED)),
        *_findings(report),
        *_interactions(report),
        *_tests(report),
        *_survivors(report),
        *(_suppressed(m) for m in _mutants(run) if m.status is MutantStatus.SUPPRESSED),
    ]
    return sorted(listed, key=_weight)


def broke_off(stage: StageResult) -> bool:
    """Return whether a stage was begun and not completed."""
    return stage.error is not None or stage.status not in (StageStatus.COMPLETED, StageStatus.SKIPPED)


def document(run: Run) -> str:
    """Return the file of the OpenAPI document, relative to the project; empty: it is not known to be one."""
    said = run.provenance.settings.get("openapi.path", "")
    with contextlib.suppress(msgspec.DecodeError, UnicodeEncodeError):
        said = msgspec.json.decode(said, type=str)  # settings are saved as JSON
    return relative(said)


def relative(path: str) -> str:
    """Return the path of a file in the project as hosts know it; empty: it is an address, or lies elsewhere."""
    lies_elsewhere = _ELSEWHERE.match(path) or ".." in path.split("/")
    return "" if lies_elsewhere else text.visible(path).removeprefix("./")


def described(change: Replacement) -> str:
    """Return in words what a mutant changes."""
    before, after = (_one_line(part, _WORDS) for part in (change.before, change.after))
    if before and after:
        return f"`{before}` becomes `{after}`"
    if before:
        return f"`{before}` is taken away"
    return f"`{after}` is added" if after else "the code is changed"


def _weight(one: Found) -> tuple[int, int, int, bool]:
    """Return what orders what is wrong; where it is equal, the order within its kind is kept."""
    return (
        list(Level).index(one.level),
        list(Kind).index(one.kind),
        SEVERITIES.index(one.severity),
        one.new is not True,
    )


def _one_line(value: str, limit: int = _TITLE) -> str:
    return text.cut(" ".join(text.visible(value).split()), limit)


def _lines(parts: Iterable[str]) -> str:
    """Return those of the parts that say something, a line each."""
    return text.cut("\n".join(text.visible(part) for part in parts if part.strip()), _MESSAGE)


def _accepted(waiver: Waiver | None) -> str | None:
    if waiver is None:
        return None
    return _one_line(f"{waiver.owner} answers for it until {waiver.until}: {waiver.reason}", _MESSAGE)


def _compared(report: Report, kind: Kind) -> Mapping[str, bool]:
    """Return, of the things of a kind that were compared, whether they are new."""
    differences = report.comparison.differences if report.comparison else ()
    return {
        d.fingerprint: d.change is Change.NEW for d in differences if d.kind == kind and d.change is not Change.FIXED
    }


def _stage(stage: StageResult) -> Found:
    error = stage.error
    cause = error.code if error else str(stage.status)
    rule = Rule(
        id=f"stage/{_slug(cause)}",
        title=f"A stage did not complete: {_one_line(cause)}",
        help=f"{_one_line(anchor(error.code))} says what to do." if error else "Run the stage again.",
    )
    return Found(
        kind=Kind.STAGE,
        rule=rule,
        title=_one_line(f"{stage.name} did not complete"),
        message=_lines((f"{error.code} {error.message}", error.hint) if error else (str(stage.status), stage.reason)),
        fingerprint=fingerprint("stage", stage.name, cause),
        severity="critical",
        about=_one_line(stage.name),
    )


def _gate(gate: Gate) -> Found:
    rule = Rule(
        id=f"gate/{_slug(gate.id)}",
        title=_one_line(gate.title),
        help=_lines((gate.hint,)) or "The report says what was found.",
    )
    return Found(
        kind=Kind.GATE,
        rule=rule,
        title=_one_line(f"Gate: {gate.title}"),
        message=_lines((f"Asked: {gate.threshold}, found: {gate.value or 'not computed'}.", gate.hint)),
        fingerprint=fingerprint("gate", gate.id),
        severity="critical",
        about=_one_line(gate.id),
        accepted=_accepted(gate.waiver) or ("waived" if gate.verdict is GateVerdict.WAIVED else None),
    )


def _findings(report: Report) -> Iterator[Found]:
    new = _compared(report, Kind.FINDING)
    file = document(report.run)
    for one in report.run.properties.findings if report.run.properties else ():
        yield Found(
            kind=Kind.FINDING,
            rule=_property(one),
            title=_one_line(f"{one.operation}: {one.title}"),
            message=_lines((one.message, one.curl)),
            fingerprint=text.visible(one.fingerprint),
            severity=one.severity if one.severity in SEVERITIES else "medium",
            about=_one_line(one.operation),
            # Where the app itself serves the document, the generated test is what the host can show.
            file=file or _file_of_test(one.test),
            new=new.get(one.fingerprint),
            accepted=_accepted(report.verdict.waived(one.fingerprint)),
        )


def _property(finding: Finding) -> Rule:
    return Rule(
        id=f"property/{_slug(finding.check)}",
        title=f"The API does not do what its OpenAPI document says: {_one_line(finding.check)}",
        help="The curl line sends the request again: mend the app or the document.",
    )


_CONTRACTS: Final = {
    Verification.STATE_FAILED: Rule(
        id="contract/state-failed",
        title="A provider state could not be set up",
        help="Mend the state's function, or add it to `contracts.states`.",
    ),
    Verification.NOT_RUN: Rule(
        id="contract/not-run",
        title="An interaction was not verified",
        help="The message says why; run the stage again.",
    ),
}
_MISMATCH: Final = Rule(
    id="contract/mismatch",
    title="The API does not do what a consumer relies on",
    help="Mend the app, or agree with the consumer on another pact.",
)


def _interactions(report: Report) -> Iterator[Found]:
    new = _compared(report, Kind.INTERACTION)
    for one in report.run.contracts.failures if report.run.contracts else ():
        yield Found(
            kind=Kind.INTERACTION,
            rule=_CONTRACTS.get(one.result, _MISMATCH),
            title=_one_line(f"{one.consumer}: {one.description}"),
            message=_lines((str(one.result), one.error, *_mismatches(one))),
            fingerprint=text.visible(one.fingerprint),
            about=_one_line(one.operation),
            file=relative(one.pact),
            new=new.get(one.fingerprint),
            accepted=_accepted(report.verdict.waived(one.fingerprint)),
        )


def _mismatches(interaction: Interaction) -> Iterator[str]:
    return (f"{m.kind} {m.path}: {m.message}" for m in interaction.mismatches)


def _tests(report: Report) -> Iterator[Found]:
    new = _compared(report, Kind.TEST)
    for one in report.run.suite.tests if report.run.suite else ():
        if not one.outcome.is_red or one.known_red:
            continue
        yield Found(
            kind=Kind.TEST,
            rule=_red(one),
            title=_one_line(one.id),
            message=_lines((one.message,)) or str(one.outcome),
            fingerprint=fingerprint("test", one.id),
            file=_file_of_test(one.id),
            new=new.get(one.id),
        )


def _red(test: Test) -> Rule:
    return Rule(
        id=f"test/{test.outcome}",
        title="A test of the unchanged code is red",
        help="Mend the test or the code, or list it under `tests.known-red` with a reason.",
    )


_SURVIVED: Final = Rule(
    id="mutant/survived",
    title="Nobody notices when this code breaks",
    help="Write the assertion that would notice: `orchestrator explain` tells what is known, `propose` writes it.",
    level=Level.WARNING,
)
_NO_TESTS: Final = Rule(
    id="mutant/no-tests",
    title="No test executes this code",
    help="Write a test that executes it, and looks at what it does.",
    level=Level.WARNING,
)
_SUPPRESSED: Final = Rule(
    id="mutant/suppressed",
    title="This change to the code is not judged",
    help="Somebody said why. Take the suppression away to have it judged.",
    level=Level.NOTE,
)


def _mutants(run: Run) -> tuple[Mutant, ...]:
    return run.mutation.mutants if run.mutation else ()


def _survivors(report: Report) -> Iterator[Found]:
    new = _compared(report, Kind.SURVIVOR)
    undetected = [m for m in _mutants(report.run) if m.status.is_undetected]
    # What the reader has just written comes first, then what a test sees: there the assertion is nearest.
    undetected.sort(key=lambda m: (not m.changed, not m.gaps, m.path, m.line, m.fingerprint))
    for one in undetected:
        yield _mutant(
            one,
            kind=Kind.SURVIVOR,
            rule=_NO_TESTS if one.status is MutantStatus.NO_TESTS else _SURVIVED,
            new=new.get(one.fingerprint),
            accepted=_accepted(report.verdict.waived(one.fingerprint)),
        )


def _suppressed(mutant: Mutant) -> Found:
    return _mutant(mutant, kind=Kind.SUPPRESSED, rule=_SUPPRESSED, accepted=_one_line(mutant.reason, _MESSAGE))


def _mutant(mutant: Mutant, *, kind: Kind, rule: Rule, accepted: str | None, new: bool | None = None) -> Found:
    change = place(mutant)
    said = described(change)
    return Found(
        kind=kind,
        rule=rule,
        title=_one_line(f"{rule.title}: {mutant.function}, {said}"),
        message=_lines((_sentence(said, mutant), *(_seen(gap) for gap in mutant.gaps), *_proposed(mutant))),
        fingerprint=text.visible(mutant.fingerprint),
        severity="medium",
        about=_one_line(mutant.function),
        file=relative(mutant.path),
        place=change,
        new=new,
        accepted=accepted,
    )


def place(mutant: Mutant) -> Replacement:
    """Return what a mutant replaces, and where; without a diff, nothing, in its line."""
    change = replaced(text.visible(mutant.diff))  # as the source is shown, so that columns fit
    if change.before or change.after:
        return change
    line = max(mutant.line, 1)
    return msgspec.structs.replace(change, line=line, end_line=line, column=1, end_column=1)


def _sentence(said: str, mutant: Mutant) -> str:
    outcome = {
        MutantStatus.SURVIVED: "and everything passes",
        MutantStatus.NO_TESTS: "and no test executes it",
    }.get(mutant.status, "and that is not judged")
    tests = f" ({text.plural(mutant.tests, 'test')} execute it)" if mutant.tests else ""
    condition = f"; none meets {mutant.condition}" if mutant.condition else ""
    return f"In {mutant.function}, {said}, {outcome}{tests}{condition}."


def _seen(gap: OracleGap) -> str:
    """Return where a test sees the damage, and passes."""
    if not gap.differences:
        return ""
    first = gap.differences[0]
    return f"{gap.test} sees {gap.request} answer {first.place}: {first.before} → {first.after}, and passes."


def _proposed(mutant: Mutant) -> Iterator[str]:
    return (f"Would notice it, at {p.path}:{p.line}: {p.assertion}" for _, p in mutant.proposals)


def _file_of_test(node: str) -> str:
    return relative(node.partition("::")[0])


def _slug(name: str) -> str:
    """Return a name as the last part of a rule's."""
    return _one_line(name, 100).replace(" ", "-")
