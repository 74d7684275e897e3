"""What the page shows, put in order: everything that a template would otherwise have to find out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from orchestrator import text
from orchestrator.errors import Code
from orchestrator.model.contracts import DocumentChange, Incompatibility, Interaction, Level
from orchestrator.model.description import FieldUse, ResponseUse
from orchestrator.model.fingerprint import fingerprint
from orchestrator.model.mutation import LAYERS, WHY_NOT_JUDGED, Mutant, MutantKind, MutantStatus, Mutation
from orchestrator.model.problem import Problem
from orchestrator.model.properties import Finding
from orchestrator.model.run import Change, Difference, Gate, GateVerdict, OperationRow, Point, Report, Run
from orchestrator.model.strength import (
    Kills,
    Lacking,
    Strength,
    consumers,
    kills,
    known_in_all_layers,
    lacking,
    strengths,
)
from orchestrator.model.suite import Test
from orchestrator.report import charts, comparison
from orchestrator.report.charts import Chart
from orchestrator.report.coverage import Covered, covered
from orchestrator.report.ranking import Card, Ranked, ranked

MOST: Final = 200  # findings, mismatches and red tests that are on the page
MOST_USES: Final = 60  # responses, and fields in a list of them
SLOWEST: Final = 10
BAR: Final = 60  # how wide a bar of the operation matrix is
_ORDER: Final = {GateVerdict.FAIL: 0, GateVerdict.WAIVED: 1, GateVerdict.NOT_COMPUTED: 2, GateVerdict.PASS: 3}
_LEVELS: Final = {Level.ERROR: 0, Level.WARNING: 1, Level.INFO: 2}
_SEVERITIES: Final = ("critical", "high", "medium", "low")
_KINDS: Final = {
    MutantKind.FUNCTION: "functions",
    MutantKind.HANDLER: "decorated functions",
    MutantKind.DEFAULT: "defaults of parameters",
    MutantKind.CLASS: "class bodies",
    MutantKind.MODULE: "modules",
}


class Tile(msgspec.Struct, frozen=True):
    """A number at the top: what it is, the number, a note, whether it is good, where it leads."""

    title: str
    value: str
    note: str
    kind: str
    href: str


class Worst(msgspec.Struct, frozen=True):
    """The worst hole in a line, and where it is shown."""

    text: str
    href: str


class Bars(msgspec.Struct, frozen=True):
    """How many of an operation's mutants each layer reveals: in words, in short, drawn as (place, width)."""

    said: str
    short: str
    drawn: tuple[tuple[int, int], ...]


class Row(msgspec.Struct, frozen=True):
    """An operation, the id of its row, its bars, and the interactions that do not hold, by consumer."""

    row: OperationRow
    id: str
    bars: Bars | None
    missed: dict[str, list[str]]


class View(msgspec.Struct, frozen=True, kw_only=True):
    """The page's contents beside the run itself; what is empty is not shown."""

    gates: list[Gate]
    tiles: list[Tile]
    worst: Worst | None
    since: str
    changes: list[tuple[str, str, str, tuple[Difference, ...]]]
    deltas: list[str]
    new: frozenset[str]
    consumers: list[str]
    rows: list[Row]
    ranked: Ranked
    survivors: int
    seen: int
    known: int
    strengths: dict[str, Strength]
    by_kind: list[tuple[str, int, int]]
    not_judged: list[tuple[str, int, str]]
    self_check: str
    suppressed: list[Mutant]
    by_consumer: Mapping[str, Strength]
    lacking: tuple[Lacking, ...]
    kills: tuple[Kills, ...]
    findings: list[Finding]
    hidden_findings: int
    mismatches: list[Interaction]
    hidden_mismatches: int
    document_changes: list[DocumentChange]
    harmless_changes: list[DocumentChange]
    hidden_changes: int
    incompatibilities: list[Incompatibility]
    hidden_incompatibilities: int
    unpromised: list[str]
    undescribed: list[str]
    uncalled: list[str]
    unseen: list[str]
    unread: list[str]
    covered: list[Covered]
    hidden_covered: int
    red: list[Test]
    hidden_red: int
    flaky: list[Problem]
    slowest: list[tuple[str, float]]
    points: list[Point]
    charts: list[Chart]


def view(report: Report) -> View:
    """Return what the page of a report shows."""
    run, compared = report.run, report.comparison
    mutation = run.mutation
    mutants = mutation.mutants if mutation else ()
    new = frozenset(d.fingerprint for d in compared.of(Change.NEW)) if compared else frozenset()
    cards = ranked(report)
    findings = sorted(run.properties.findings, key=lambda f: _urgency(f, new)) if run.properties else []
    mismatches = sorted(run.contracts.failures, key=lambda i: i.fingerprint not in new) if run.contracts else []
    red = [t for t in run.suite.tests if t.outcome.is_red] if run.suite else []
    red.sort(key=lambda t: (bool(t.known_red), t.id not in new))
    points = [*report.history, report.point]
    coverage = covered(run)
    told = run.description.changes or () if run.description else ()
    changes = sorted((c for c in told if c.level is not Level.INFO), key=lambda c: (not c.broken, _LEVELS[c.level]))
    harmless = [c for c in told if c.level is Level.INFO]
    incompatibilities = list(run.description.incompatibilities or ()) if run.description else []
    incompatibilities.sort(key=lambda i: _LEVELS[i.level])
    return View(
        gates=sorted(report.verdict.gates, key=lambda gate: _ORDER[gate.verdict]),
        tiles=_tiles(report),
        worst=_worst(run, findings, mismatches, cards),
        since=comparison.since(compared) if compared else "",
        changes=[
            ("new", "+", "bad", compared.of(Change.NEW)),
            ("fixed", "✓", "good", compared.of(Change.FIXED)),
            ("still there", "=", "none", compared.of(Change.STILL)),
        ]
        if compared
        else [],
        deltas=list(comparison.deltas(run, compared)) if compared else [],
        new=new,
        consumers=sorted({name for row in run.operations for name in row.interactions or {}}),
        rows=_rows(run),
        ranked=cards,
        survivors=sum(m.status.is_undetected for m in mutants),
        seen=sum(m.status.is_undetected and bool(m.gaps) for m in mutants),
        known=len(known_in_all_layers(mutants)),
        strengths=strengths(mutants),
        by_kind=_by_kind(mutants),
        not_judged=[(s.value, n, why) for s, why in WHY_NOT_JUDGED.items() if mutation and (n := mutation.count(s))],
        self_check=_self_check(mutation) if mutation else "",
        suppressed=[m for m in mutants if m.status is MutantStatus.SUPPRESSED],
        by_consumer=consumers(mutation) if mutation else {},
        lacking=lacking(mutants),
        kills=kills(mutation) if mutation else (),
        findings=findings[:MOST],
        hidden_findings=max(0, len(findings) - MOST),
        mismatches=mismatches[:MOST],
        hidden_mismatches=max(0, len(mismatches) - MOST),
        document_changes=changes[:MOST],
        harmless_changes=harmless[:MOST],
        hidden_changes=max(0, len(changes) - MOST) + max(0, len(harmless) - MOST),
        incompatibilities=incompatibilities[:MOST],
        hidden_incompatibilities=max(0, len(incompatibilities) - MOST),
        unpromised=_fields(run, lambda field: not field.described and bool(field.consumers)),
        undescribed=_responses(run, lambda response: not response.described and bool(response.seen)),
        uncalled=_uncalled(run),
        unseen=_responses(run, lambda response: response.described and not response.seen),
        unread=_fields(run, lambda field: field.described and not field.consumers),
        covered=coverage[:MOST_USES],
        hidden_covered=max(0, len(coverage) - MOST_USES),
        red=red[:MOST],
        hidden_red=max(0, len(red) - MOST),
        flaky=[n for stage in run.stages for n in stage.notices if n.code == Code.FLAKY_TESTS],
        slowest=_slowest(run),
        points=points,
        charts=charts.charts(points),
    )


def _fields(run: Run, wanted: Callable[[FieldUse], bool]) -> list[str]:
    """Return fields of responses, each with its operation and status, and with who reads it."""
    return [
        f"{one.operation} {one.status} {field.path}" + (f" ({', '.join(field.consumers)})" if field.consumers else "")
        for one in _uses(run)
        for field in one.fields
        if wanted(field)
    ]


def _responses(run: Run, wanted: Callable[[ResponseUse], bool]) -> list[str]:
    return [f"{one.operation} {one.status}" for one in _uses(run) if wanted(one)]


def _uncalled(run: Run) -> list[str]:
    """Return the operations of which nobody has seen any response."""
    seen: dict[str, bool] = {}
    for one in _uses(run):
        seen[one.operation] = seen.get(one.operation, False) or bool(one.seen)
    return [operation for operation, is_seen in seen.items() if not is_seen]


def _uses(run: Run) -> tuple[ResponseUse, ...]:
    return run.description.responses or () if run.description else ()


def test_id(node: str) -> str:
    """Return the id of a test's place on the page: node ids hold what no id may."""
    return f"test-{fingerprint(node)}"


def operation_id(label: str) -> str:
    """Return the id of an operation's row."""
    return f"operation-{fingerprint(label)}"


def target(difference: Difference) -> str:
    """Return the id of the place that shows what is new."""
    if difference.kind == "test":
        return test_id(difference.fingerprint)
    kind = "mutant" if difference.kind == "survivor" else difference.kind
    return f"{kind}-{difference.fingerprint}"


def _urgency(finding: Finding, new: frozenset[str]) -> tuple[bool, int]:
    severity = _SEVERITIES.index(finding.severity) if finding.severity in _SEVERITIES else len(_SEVERITIES)
    return finding.fingerprint not in new, severity


def _tiles(report: Report) -> list[Tile]:
    run, compared = report.run, report.comparison
    tiles = []
    if compared:
        new, fixed = len(compared.of(Change.NEW)), len(compared.of(Change.FIXED))
        tiles.append(Tile("New", f"{new:,}", f"{fixed:,} fixed since the {compared.label}", _is_bad(new), "changes"))
    if run.mutation:
        score, survivors = run.mutation.score, sum(m.status.is_undetected for m in run.mutation.mutants)
        before = compared.measured.get("mutation-score") if compared else None
        told = text.plural(survivors, "survivor")
        if score is not None and before is not None and f"{before:.1f}" != f"{score:.1f}":
            told += f", before {text.percent(before)}"
        shown = "not computed" if score is None else text.percent(score)
        tiles.append(Tile("Mutation score", shown, told, _of_gate(report, "mutation-score"), "survivors"))
    if run.properties:
        count = len(run.properties.findings)
        note = f"in {text.plural(run.properties.sent, 'case')}"
        tiles.append(Tile("Property findings", f"{count:,}", note, _is_bad(count), "findings"))
    if run.contracts:
        count = len(run.contracts.failures)
        note = f"of {text.plural(len(run.contracts.interactions), 'interaction')}"
        tiles.append(Tile("Pact mismatches", f"{count:,}", note, _is_bad(count), "mismatches"))
    if run.description and run.description.changes is not None:
        count, felt = len(run.description.breaking), len(run.description.felt)
        note = f"{felt:,} felt by a known consumer"
        tiles.append(Tile("Breaking changes", f"{count:,}", note, _is_bad(felt), "document-changes"))
    if run.suite:
        count = sum(t.outcome.is_red and not t.known_red for t in run.suite.tests)
        note = f"of {text.plural(len(run.suite.tests), 'test')}"
        tiles.append(Tile("Red tests", f"{count:,}", note, _is_bad(count), "suite"))
    return tiles


def _is_bad(count: int) -> str:
    return "bad" if count else "good"


def _of_gate(report: Report, name: str) -> str:
    verdict = next((gate.verdict for gate in report.verdict.gates if gate.id == name), GateVerdict.NOT_COMPUTED)
    return {GateVerdict.PASS: "good", GateVerdict.FAIL: "bad"}.get(verdict, "none")


def _worst(run: Run, findings: Sequence[Finding], mismatches: Sequence[Interaction], cards: Ranked) -> Worst | None:
    """Return what to look at first: a consumer that breaks, a promise that is not kept, a hole in the tests."""
    if run.description and run.description.felt:
        change = run.description.felt[0]
        consumers = ", ".join(dict.fromkeys(broken.consumer for broken in change.broken or ()))
        return Worst(f"{change.operation}: {change.message} It breaks {consumers}.", f"change-{change.fingerprint}")
    if mismatches:
        one = mismatches[0]
        return Worst(f"{one.consumer} relies on “{one.description}”, and it does not hold.", _at(one, "interaction"))
    if findings:
        found = findings[0]
        return Worst(f"{found.operation}: {found.title}.", _at(found, "finding"))
    if cards.first:
        return Worst(_hole(cards.first[0]), f"mutant-{cards.first[0].mutant.fingerprint}")
    return None


def _at(one: Finding | Interaction, kind: str) -> str:
    return f"{kind}-{one.fingerprint}"


def _hole(card: Card) -> str:
    mutant = card.mutant
    if mutant.gaps:
        gap = mutant.gaps[0]
        change = gap.differences[0]
        return (
            f"{gap.operation or gap.request} can answer {change.place} {change.before} → {change.after}, and "
            f"{gap.test} passes."
        )
    where = f"{mutant.path}:{mutant.line} in {mutant.function}"
    if mutant.status is MutantStatus.NO_TESTS:
        return f"no test executes {where}."
    return f"a change of {where} goes unnoticed."


def _rows(run: Run) -> list[Row]:
    failing = {i.fingerprint: i.consumer for i in run.contracts.failures} if run.contracts else {}
    return [_row(row, failing) for row in run.operations]


def _row(row: OperationRow, failing: Mapping[str, str]) -> Row:
    missed: dict[str, list[str]] = {}
    for name in row.failures:
        missed.setdefault(failing.get(name, ""), []).append(name)
    return Row(row, operation_id(row.operation), _bars(row), missed)


def _bars(row: OperationRow) -> Bars | None:
    if not row.strengths or not row.mutants:
        return None
    known = [(layer, row.strengths[layer]) for layer in LAYERS if layer in row.strengths]
    words = [f"{layer} {one.revealed}" + (f" ({one.alone} alone)" if one.alone else "") for layer, one in known]
    return Bars(
        said=f"of {row.mutants}: {', '.join(words)}",
        short=" · ".join(str(one.revealed) for _, one in known),
        drawn=tuple((5 * k, min(BAR, round(BAR * one.revealed / row.mutants))) for k, (_, one) in enumerate(known)),
    )


def _by_kind(mutants: Sequence[Mutant]) -> list[tuple[str, int, int]]:
    """Return, for each kind of code that has judged mutants: its name, how many are detected, how many there are."""
    found = []
    for kind, name in _KINDS.items():
        of_kind = [m.status for m in mutants if m.kind is kind]
        detected = sum(status.is_detected for status in of_kind)
        judged = detected + sum(status.is_undetected for status in of_kind)
        if judged:
            found.append((name, detected, judged))
    return found


def _self_check(mutation: Mutation) -> str:
    """Return in words what judging a sample again has shown."""
    check = mutation.self_check
    if check and check.reason:
        return f"Self-check: not possible: {check.reason}"
    if check:
        confirmed = check.checked - len(check.disagreements)
        told = text.plural(check.checked, "verdict")
        return f"Self-check: {confirmed} of {told} confirmed by plain pytest, in {text.seconds(check.seconds)}."
    if mutation.mode == "fresh":
        return "Each mutant was judged by plain pytest in an interpreter of its own."
    judged = sum(m.status.is_detected or m.status.is_undetected for m in mutation.mutants)
    if mutation.reused and judged <= mutation.reused:
        return "Self-check: not done, for no verdict is new."
    return "Self-check: not done."


def _slowest(run: Run) -> list[tuple[str, float]]:
    tests = sorted(run.suite.tests, key=lambda t: -t.seconds) if run.suite else []
    return [(t.id, t.seconds) for t in tests[:SLOWEST] if t.seconds >= 0.1]
