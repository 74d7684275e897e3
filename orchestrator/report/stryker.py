"""Stryker's mutation testing report: every mutant in its place in the source, for viewers and dashboards of theirs.

Source of the format: https://github.com/stryker-mutator/mutation-testing-elements, `packages/report-schema`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import msgspec

from orchestrator import codec, text
from orchestrator.model.mutation import WHY_NOT_JUDGED, Mutant, MutantStatus, Mutation
from orchestrator.model.run import Report
from orchestrator.model.suite import Suite
from orchestrator.report import operators, originals
from orchestrator.report.problems import described, place

_VERSION: Final = "2"
# Stryker's own, where no score is asked for.
_HIGH, _LOW = 80, 60

# Stryker's score is (Killed + Timeout) / (Killed + Timeout + Survived + NoCoverage), and has to be ours. So what is
# detected here is so there, though `RuntimeError` and `CompileError` would say better how: these count on no side.
# What was not judged is `Ignored` where it never will be, and `Pending` where another run may: neither counts.
_STATUS: Final = {
    MutantStatus.KILLED: "Killed",
    MutantStatus.CRASHED: "Killed",
    MutantStatus.TYPE_CHECK: "Killed",
    MutantStatus.TIMEOUT: "Timeout",
    MutantStatus.SURVIVED: "Survived",
    MutantStatus.NO_TESTS: "NoCoverage",
    MutantStatus.EQUIVALENT: "Ignored",
    MutantStatus.DUPLICATE: "Ignored",
    MutantStatus.TRIVIAL: "Ignored",
    MutantStatus.INVALID: "Ignored",
    MutantStatus.SUPPRESSED: "Ignored",
    MutantStatus.SUSPICIOUS: "Pending",
    MutantStatus.NOT_RUN: "Pending",
}
_REASONS: Final = {
    **WHY_NOT_JUDGED,
    MutantStatus.SUPPRESSED: "suppressed",  # its own reason follows
    MutantStatus.CRASHED: "the process that ran the tests died of it",
    MutantStatus.TYPE_CHECK: "caught by the type check",
}


class _Struct(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """A part of the document; the schema describes each field."""


class Position(_Struct, frozen=True, kw_only=True):
    """A place in a file; lines and columns count from 1, columns in units of UTF-16, as in JavaScript."""

    line: int
    column: int


class Location(_Struct, frozen=True, kw_only=True):
    """A part of a file, its end excluded."""

    start: Position
    end: Position


class MutantResult(_Struct, frozen=True, kw_only=True):
    """One mutant. `covered_by` names only the tests of which that is known."""

    id: str
    mutator_name: str
    location: Location
    status: str
    replacement: str
    description: str
    status_reason: str = ""
    killed_by: tuple[str, ...] = ()
    covered_by: tuple[str, ...] = ()
    duration: float | None = None
    static: bool = False


class FileResult(_Struct, frozen=True, kw_only=True):
    """One source file with its mutants."""

    language: str
    source: str
    mutants: tuple[MutantResult, ...]


class TestDefinition(_Struct, frozen=True, kw_only=True):
    """One test; its id is pytest's."""

    __test__ = False

    id: str
    name: str


class TestFile(_Struct, frozen=True, kw_only=True):
    """The tests of one file."""

    __test__ = False

    tests: tuple[TestDefinition, ...]


class Thresholds(_Struct, frozen=True, kw_only=True):
    """From which score on a viewer is content, and below which it is not at all."""

    high: int
    low: int


class Framework(_Struct, frozen=True, kw_only=True):
    """Who made the report."""

    name: str
    version: str


class Document(_Struct, frozen=True, kw_only=True):
    """The whole report."""

    schema_version: str
    thresholds: Thresholds
    framework: Framework
    files: dict[str, FileResult]
    test_files: dict[str, TestFile] = {}


def render(report: Report) -> bytes:
    """Return the document as JSON."""
    return codec.to_json(document(report))


def document(report: Report) -> Document:
    """Return the document; without a result of the mutation stage, it has no files."""
    test_files = _test_files(report.run.suite)
    known = frozenset(test.id for file in test_files.values() for test in file.tests)
    mutation = report.run.mutation
    return Document(
        schema_version=_VERSION,
        thresholds=_thresholds(report),
        framework=Framework(name="quality-orchestrator", version=text.visible(report.run.provenance.orchestrator)),
        files=_files(mutation, known) if mutation else {},
        test_files=test_files,
    )


def _thresholds(report: Report) -> Thresholds:
    """Return what the gate asks: a viewer then shows a score in green if it passes, and in red if it fails."""
    gate = next((g for g in report.verdict.gates if g.id == "mutation-score"), None)
    if gate is None or gate.asked is None or not 0 <= gate.asked <= 100:
        return Thresholds(high=_HIGH, low=_LOW)
    return Thresholds(high=math.ceil(gate.asked), low=math.floor(gate.asked))


def _test_files(suite: Suite | None) -> dict[str, TestFile]:
    listed: dict[str, dict[str, TestDefinition]] = {}
    for test in suite.tests if suite else ():
        shown = text.visible(test.id)
        file, _, name = shown.partition("::")
        listed.setdefault(file, {})[shown] = TestDefinition(id=shown, name=name or file)
    return {file: TestFile(tests=tuple(tests.values())) for file, tests in listed.items()}


def _files(mutation: Mutation, known: frozenset[str]) -> dict[str, FileResult]:
    of_file: dict[str, list[Mutant]] = {}
    for mutant in mutation.mutants:
        of_file.setdefault(text.visible(mutant.path), []).append(mutant)
    sources = {text.visible(path): source for path, source in mutation.sources.items()}
    return {path: _file(mutants, sources.get(path), known) for path, mutants in of_file.items()}


def _file(mutants: Sequence[Mutant], source: str | None, known: frozenset[str]) -> FileResult:
    lines = originals.shown(source) if source is not None else originals.rebuilt(m.diff for m in mutants)
    return FileResult(
        language="python",
        source="\n".join(lines),
        mutants=tuple(_mutant(m, lines, known) for m in mutants),
    )


def _mutant(mutant: Mutant, lines: Sequence[str], known: frozenset[str]) -> MutantResult:
    change = place(mutant)
    killers = [t for t in map(text.visible, mutant.killers or (mutant.killer,)) if t in known]
    seeing = [t for t in (text.visible(gap.test) for gap in mutant.gaps) if t in known]
    return MutantResult(
        id=text.visible(mutant.fingerprint),
        mutator_name=operators.name(change),
        location=Location(
            start=_position(lines, change.line, change.column), end=_position(lines, change.end_line, change.end_column)
        ),
        status=_STATUS[mutant.status],
        replacement=change.after,
        description=text.visible(f"{mutant.function}: {described(change)}"),
        status_reason=_reason(mutant),
        killed_by=tuple(dict.fromkeys(killers)),
        covered_by=tuple(dict.fromkeys([*killers, *seeing])),
        duration=None if mutant.seconds is None else round(mutant.seconds * 1000, 3),
        static=mutant.kind.at_import,
    )


def _position(lines: Sequence[str], line: int, column: int) -> Position:
    """Return a place that the source has: viewers fail where one lies outside of it."""
    if line > len(lines):
        line, column = len(lines), len(lines[-1]) + 1
    before = lines[line - 1][: column - 1]
    return Position(line=line, column=len(before.encode("utf-16-le")) // 2 + 1)


def _reason(mutant: Mutant) -> str:
    killer = f"{mutant.killer}: {mutant.message}".strip(": ") if mutant.status.is_detected else ""
    condition = f"no test meets {mutant.condition}" if mutant.condition else ""
    tests = (
        f"executed by {text.plural(mutant.tests, 'test')}"
        if mutant.status is MutantStatus.SURVIVED and mutant.tests
        else ""
    )
    said = (_REASONS.get(mutant.status, ""), mutant.reason, killer, tests, condition)
    return text.visible("; ".join(part for part in said if part))
