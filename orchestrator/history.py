"""Compare a run with an earlier one, by fingerprint."""

from __future__ import annotations

from pathlib import Path

import msgspec

from orchestrator import codec
from orchestrator.errors import Code, OrchestratorError
from orchestrator.model.contracts import Verification
from orchestrator.model.run import SCHEMA_VERSION, Change, Comparison, Difference, Report, Run
from orchestrator.model.stage import StageStatus
from orchestrator.model.suite import Outcome

# Kind of thing → the stage that finds it.
KINDS = {"finding": "properties", "interaction": "contracts", "survivor": "mutation", "test": "suite"}


def read(path: Path, code: Code = Code.RUN_UNREADABLE) -> Report:
    """Return a saved report.

    Args:
        path: A `run.json`.
        code: What its errors are called.

    Raises:
        OrchestratorError: it is missing, no report, or of a later version.
    """
    try:
        data = path.read_bytes()
        version = msgspec.json.decode(data).get("schema")
        if version != SCHEMA_VERSION:
            raise OrchestratorError(
                code,
                f"{path} has schema {version!r}; this version reads {SCHEMA_VERSION}",
                hint="Use the version of the orchestrator that wrote it, or run again.",
            )
        return codec.from_json(data, Report)
    except OSError as error:
        raise OrchestratorError(
            code, f"{path} can't be read: {error.strerror}", hint="Check the path; `run.json` lies beside the page."
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, AttributeError) as error:
        raise OrchestratorError(
            code, f"{path} is not a saved run: {error}", hint="Give it a `run.json` that `orchestrator run` wrote."
        ) from error


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
        unknown = _unknown(run, kind, earlier)
        for fingerprint, title in now.items():
            change = Change.STILL if fingerprint in then else Change.NEW
            differences.append(Difference(kind=kind, fingerprint=fingerprint, change=change, title=title))
        differences += [
            Difference(kind=kind, fingerprint=fingerprint, change=Change.FIXED, title=title)
            for fingerprint, title in then.items()
            if fingerprint not in now and fingerprint not in unknown
        ]
    return Comparison(
        label=label,
        started=earlier.started,
        commit=earlier.subject.commit,
        differences=tuple(differences),
        score=earlier.mutation.score if earlier.mutation else None,
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
