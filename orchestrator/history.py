"""Keep runs: read a saved one, compare two by fingerprint, add to the history."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Final

import msgspec

from orchestrator import codec, matching, upgrades
from orchestrator.errors import Code, OrchestratorError
from orchestrator.measures import measured
from orchestrator.model.contracts import Verification
from orchestrator.model.run import SCHEMA_VERSION, Change, Comparison, Difference, Point, Report, Run
from orchestrator.model.stage import StageStatus
from orchestrator.model.suite import Outcome

BASELINE: Final = "baseline"  # the label of a comparison with it
PREVIOUS: Final = "previous run"
RUN: Final = "run.json"  # in a folder of reports
HISTORY: Final = "history.jsonl"
KEPT: Final = 500  # runs of the history

# Kind of thing → the stage that finds it.
KINDS = {
    "finding": "properties",
    "interaction": "contracts",
    "incompatibility": "description",
    "survivor": "mutation",
    "test": "suite",
}


def read(path: Path, code: Code = Code.RUN_UNREADABLE) -> Report:
    """Return a saved report.

    Args:
        path: A `run.json`, or a folder of reports.
        code: What its errors are called.

    Raises:
        OrchestratorError: it is missing, no report, or of a later version.
    """
    path = path / RUN if path.is_dir() else path
    try:
        return from_bytes(path.read_bytes(), str(path), code)
    except OSError as error:
        raise OrchestratorError(
            code, f"{path} can't be read: {error.strerror}", hint="Check the path; `run.json` lies beside the page."
        ) from error


def from_bytes(data: bytes, name: str, code: Code = Code.RUN_UNREADABLE) -> Report:
    """Return the report that these bytes are, of this version or an earlier one.

    Args:
        data: What a `run.json` holds.
        name: What errors call it.
        code: What its errors are called.

    Raises:
        OrchestratorError: they are no report, or one of a later version.
    """
    try:
        document = msgspec.json.decode(data)
        current = document if document.get("schema") == SCHEMA_VERSION else upgrades.upgraded(document)
        if current is None:
            raise OrchestratorError(
                code,
                f"{name} has schema {document.get('schema')!r}; this version reads 1 to {SCHEMA_VERSION}",
                hint="Use the version of the orchestrator that wrote it, or run again.",
            )
        return msgspec.convert(current, Report)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, AttributeError, KeyError, TypeError) as error:
        raise OrchestratorError(
            code, f"{name} is not a saved run: {error}", hint="Give it a `run.json` that `orchestrator run` wrote."
        ) from error


def points(folder: Path) -> tuple[Point, ...]:
    """Return the runs that `history.jsonl` of a folder of reports tells of, the oldest first; at most `KEPT`.

    A file with a line that can't be read is put aside under another name, so that nothing of it is lost; what can be
    read goes on.

    Raises:
        OrchestratorError: it can't be read at all, or not be put aside.
    """
    path = folder / HISTORY
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise OrchestratorError(Code.RUN_UNREADABLE, f"{path} can't be read: {error.strerror}") from error
    found: list[Point] = []
    for line in lines:
        with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError):
            found.append(msgspec.json.decode(line, type=Point))
    if len(found) < len(lines):
        codec.write_atomically(path.with_suffix(".unreadable"), path.read_bytes())
    return tuple(found[-KEPT:])


def compare(run: Run, earlier: Run, label: str) -> Comparison:
    """Return what is new, fixed and still there.

    Args:
        run: The run in question.
        earlier: What it is compared with.
        label: What the earlier run is called.
    """
    differences: list[Difference] = []
    not_compared = []
    for kind, stage in KINDS.items():
        if not (_is_complete(run, stage) and _is_complete(earlier, stage)) or (
            kind == "survivor" and _is_quick(run) != _is_quick(earlier)
        ):
            not_compared.append(kind)
            continue
        now, then = _things(run, kind), _things(earlier, kind)
        only_now = {f: title for f, title in now.items() if f not in then}
        only_then = {f: title for f, title in then.items() if f not in now}
        unknown = _unknown(run, kind, earlier)
        was = matching.moved(kind, {*only_now, *unknown}, set(only_then), run, earlier)
        for fingerprint, title in now.items():
            change = Change.STILL if fingerprint in then or fingerprint in was else Change.NEW
            differences.append(
                Difference(kind=kind, fingerprint=fingerprint, change=change, title=title, was=was.get(fingerprint, ""))
            )
        gone = only_then.keys() - set(was.values()) - unknown
        differences += [
            Difference(kind=kind, fingerprint=fingerprint, change=Change.FIXED, title=title)
            for fingerprint, title in only_then.items()
            if fingerprint in gone
        ]
    return Comparison(
        label=label,
        started=earlier.started,
        commit=earlier.subject.commit,
        differences=tuple(differences),
        measured=measured(earlier),
        seconds={s.name: s.seconds for s in earlier.stages if s.status is StageStatus.COMPLETED},
        not_compared=tuple(not_compared),
    )


def _is_complete(run: Run, stage: str) -> bool:
    result = run.stage(stage)
    return result is not None and result.status is StageStatus.COMPLETED and result.data is not None


def _is_quick(run: Run) -> bool:
    return run.mutation is not None and run.mutation.quick


def _things(run: Run, kind: str) -> dict[str, str]:
    """Return what is wrong in a run, of one kind: fingerprint → a line for a person."""
    if kind == "finding" and run.properties:
        return {f.fingerprint: f"{f.operation}: {f.title}" for f in run.properties.findings}
    if kind == "interaction" and run.contracts:
        return {i.fingerprint: f"{i.consumer}: {i.description}" for i in run.contracts.failures}
    if kind == "incompatibility" and run.description:
        return {i.fingerprint: f"{i.consumer}: {i.description}: {i.message}" for i in run.description.errors}
    if kind == "survivor" and run.mutation:
        return {
            m.fingerprint: f"{m.path}:{m.line} {m.function}" for m in run.mutation.mutants if m.status.is_undetected
        }
    if kind == "test" and run.suite:
        return {t.id: t.id for t in run.suite.tests if t.outcome.is_red}
    return {}


def _unknown(run: Run, kind: str, earlier: Run) -> set[str]:
    """Return the fingerprints of what is not seen any more because nobody looked, so that nobody calls it fixed."""
    if kind == "finding" and run.properties and earlier.properties:
        called = {c.operation for c in run.properties.cases if c.sent}
        return {f.fingerprint for f in earlier.properties.findings if f.operation not in called}
    if kind == "interaction" and run.contracts:
        return {i.fingerprint for i in run.contracts.interactions if i.result is Verification.PENDING}
    if kind == "survivor" and run.mutation:
        return {m.fingerprint for m in run.mutation.mutants if not m.status.is_detected and not m.status.is_undetected}
    if kind == "test" and run.suite:
        return {t.id for t in run.suite.tests if t.outcome is Outcome.SKIPPED}
    return set()
