"""The page: one self-contained HTML file, rendered with Jinja2 from the report alone.

It has no script, and its Content-Security-Policy allows nothing but its own style sheet: text from responses is
shown, whatever it holds.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
from itertools import groupby
from pathlib import Path
from typing import Final

import jinja2
from jinja2.bccache import Bucket

from orchestrator import errors, text
from orchestrator.model.mutation import (
    LAYERS,
    Mutant,
    MutantKind,
    MutantStatus,
    Mutation,
)
from orchestrator.model.run import Change, Gate, GateVerdict, Report
from orchestrator.model.strength import consumers, kills, known_in_all_layers, lacking, strengths

TEMPLATES: Final = Path(__file__).parent / "templates"
SLOWEST: Final = 5
_ORDER: Final = {GateVerdict.FAIL: 0, GateVerdict.NOT_COMPUTED: 1, GateVerdict.PASS: 2}
_KINDS: Final = {
    MutantKind.FUNCTION: "functions",
    MutantKind.HANDLER: "decorated functions",
    MutantKind.DEFAULT: "defaults of parameters",
    MutantKind.CLASS: "class bodies",
    MutantKind.MODULE: "modules",
}
_WHY_NOT_JUDGED: Final = {
    MutantStatus.EQUIVALENT: "compiled it is the original",
    MutantStatus.DUPLICATE: "compiled it is another mutant",
    MutantStatus.TRIVIAL: "logging, a representation, types",
    MutantStatus.INVALID: "it is no Python",
    MutantStatus.SUPPRESSED: "the settings say that it need not be",
    MutantStatus.SUSPICIOUS: "the tools failed",
    MutantStatus.NOT_RUN: "no time was left, or it was not asked for",
}


def render(report: Report) -> bytes:
    """Return the page."""
    style = (TEMPLATES / "style.css").read_text("utf-8")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        bytecode_cache=_kept(),
    )
    environment.filters |= {
        "plural": text.plural,
        "duration": text.seconds,
        "percent": _percent,
        "anchor": errors.anchor,
    }
    mutants = report.run.mutation.mutants if report.run.mutation else ()
    page = environment.get_template("page.html.jinja").render(
        report=report,
        run=report.run,
        verdict=report.verdict,
        comparison=report.comparison,
        gates=sorted(report.verdict.gates, key=_gate_order),
        changes=_changes(report),
        new={d.fingerprint for d in report.comparison.of(Change.NEW)} if report.comparison else set(),
        survivors=_survivors(report),
        by_kind=_by_kind(report.run.mutation) if report.run.mutation else [],
        not_judged=_not_judged(report.run.mutation) if report.run.mutation else [],
        LAYERS=LAYERS,
        strengths=strengths(mutants),
        known=len(known_in_all_layers(mutants)),
        consumers=consumers(report.run.mutation) if report.run.mutation else {},
        lacking=lacking(mutants),
        kills=kills(report.run.mutation) if report.run.mutation else (),
        slowest=_slowest(report),
        style=style,
        style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
    )
    return page.encode("utf-8", errors="backslashreplace")


class _CompiledTemplates(jinja2.FileSystemBytecodeCache):
    """Compiled templates, kept in a folder of the user's own: to compile them takes longer than to render a page."""

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep a template, if that can be done."""
        with contextlib.suppress(OSError):
            super().dump_bytecode(bucket)


def _kept() -> _CompiledTemplates | None:
    try:
        return _CompiledTemplates()
    except (OSError, RuntimeError):  # there is no folder that is the user's own
        return None


def _percent(value: float | None) -> str:
    return "not computed" if value is None else text.percent(value)


def _gate_order(gate: Gate) -> int:
    return _ORDER[gate.verdict]


def _changes(report: Report) -> list[tuple[Change, list[tuple[str, str]]]]:
    """Return what changed, as (change, [(kind, title)]), without what is still there."""
    if report.comparison is None:
        return []
    return [
        (change, [(d.kind, d.title) for d in report.comparison.of(change)]) for change in (Change.NEW, Change.FIXED)
    ]


def _survivors(report: Report) -> list[tuple[str, list[Mutant]]]:
    """Return the mutants that nobody noticed, by file and function; those whose damage tests see come first."""
    if report.run.mutation is None:
        return []
    undetected = [m for m in report.run.mutation.mutants if m.status.is_undetected]
    undetected.sort(key=lambda m: (m.path, m.function, not m.gaps, m.status is MutantStatus.NO_TESTS, m.line))
    return [(name, list(group)) for name, group in groupby(undetected, lambda m: f"{m.path} · {m.function}")]


def _by_kind(mutation: Mutation) -> list[tuple[str, int, int]]:
    """Return, for each kind of code that has judged mutants: its name, how many are detected, how many there are."""
    found = []
    for kind, name in _KINDS.items():
        of_kind = [m.status for m in mutation.mutants if m.kind is kind]
        detected = sum(status.is_detected for status in of_kind)
        judged = detected + sum(status.is_undetected for status in of_kind)
        if judged:
            found.append((name, detected, judged))
    return found


def _not_judged(mutation: Mutation) -> list[tuple[str, int, str]]:
    """Return, for each status of mutants that were not judged: its name, how many there are, and why."""
    counts = [(status, mutation.count(status), why) for status, why in _WHY_NOT_JUDGED.items()]
    return [(status.value, count, why) for status, count, why in counts if count]


def _slowest(report: Report) -> list[tuple[str, float]]:
    if report.run.suite is None:
        return []
    tests = sorted(report.run.suite.tests, key=lambda t: -t.seconds)
    return [(t.id, t.seconds) for t in tests[:SLOWEST] if t.seconds >= 0.1]
