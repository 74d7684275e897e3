"""The page: one self-contained HTML file, rendered with Jinja2 from the report alone.

It has no script, and its Content-Security-Policy allows nothing but its own style sheet: text from responses is
shown, whatever it holds.
"""

from __future__ import annotations

import base64
import hashlib
from itertools import groupby
from pathlib import Path
from typing import Final

import jinja2

from orchestrator import errors, text
from orchestrator.model.mutation import Mutant, MutantStatus
from orchestrator.model.run import Change, Gate, GateVerdict, Report

TEMPLATES: Final = Path(__file__).parent / "templates"
SLOWEST: Final = 5
_ORDER: Final = {GateVerdict.FAIL: 0, GateVerdict.NOT_COMPUTED: 1, GateVerdict.PASS: 2}


def render(report: Report) -> bytes:
    """Return the page."""
    style = (TEMPLATES / "style.css").read_text("utf-8")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {
        "plural": text.plural,
        "duration": text.seconds,
        "percent": _percent,
        "anchor": errors.anchor,
    }
    page = environment.get_template("page.html.jinja").render(
        report=report,
        run=report.run,
        verdict=report.verdict,
        comparison=report.comparison,
        gates=sorted(report.verdict.gates, key=_gate_order),
        changes=_changes(report),
        new={d.fingerprint for d in report.comparison.of(Change.NEW)} if report.comparison else set(),
        survivors=_survivors(report),
        slowest=_slowest(report),
        style=style,
        style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
    )
    return page.encode("utf-8", errors="backslashreplace")


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
    """Return the mutants that nobody noticed, by file and function; those that tests reach come first."""
    if report.run.mutation is None:
        return []
    undetected = [m for m in report.run.mutation.mutants if m.status.is_undetected]
    undetected.sort(key=lambda m: (m.path, m.function, m.status is MutantStatus.NO_TESTS, m.line))
    return [(name, list(group)) for name, group in groupby(undetected, lambda m: f"{m.path} · {m.function}")]


def _slowest(report: Report) -> list[tuple[str, float]]:
    if report.run.suite is None:
        return []
    tests = sorted(report.run.suite.tests, key=lambda t: -t.seconds)
    return [(t.id, t.seconds) for t in tests[:SLOWEST] if t.seconds >= 0.1]
