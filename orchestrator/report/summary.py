"""Markdown for a job summary or a pull-request comment: at most 60 KB, lists folded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from orchestrator import text
from orchestrator.model.mutation import Mutant
from orchestrator.model.run import Gate, GateVerdict, Report
from orchestrator.report import comparison, markdown
from orchestrator.report.markdown import code, folded

LIMIT: Final = 60_000  # bytes: a comment on a pull request may have 65,536 characters
_SIGNS: Final = {
    GateVerdict.FAIL: "❌",
    GateVerdict.WAIVED: "⚠️",
    GateVerdict.NOT_COMPUTED: "➖",
    GateVerdict.PASS: "✅",
}
_MOST: Final = (20, 10, 5, 2, 0)  # things of a list, the most that fit
_LONGEST: Final = 500  # characters of one thing


def render(report: Report) -> bytes:
    """Return the Markdown document."""
    made = b""
    for most in _MOST:
        made = "\n".join(_lines(report, most)).rstrip().encode("utf-8", errors="backslashreplace") + b"\n"
        if len(made) <= LIMIT:
            return made
    return _cut(made)


def _cut(made: bytes) -> bytes:
    """Return the lines that fit; no list is open in a summary without things."""
    note = b"\n\nThe rest is in `quality.html`.\n"
    head = made[: LIMIT - len(note)]
    return head[: head.rfind(b"\n")] + note


def escape(value: str) -> str:
    """Return foreign text that Markdown shows as it is, on one line, and not too long; a dash for nothing."""
    return markdown.escape(text.cut(value, _LONGEST)) or "–"


def _lines(report: Report, most: int) -> list[str]:
    sign = _SIGNS[GateVerdict.PASS if report.verdict.passed else GateVerdict.FAIL]
    gates = sorted(report.verdict.gates, key=lambda gate: list(_SIGNS).index(gate.verdict))
    lines = [
        f"## {sign} {escape(report.run.subject.name)}: {escape(report.verdict.headline)}",
        "",
        "| | gate | asked | found |",
        "|---|---|---|---|",
        *map(_gate, gates),
        "",
    ]
    if report.comparison is not None:
        lines += [comparison.render(report.run, report.comparison, most), ""]
    for section in (_disagreements, _findings, _mismatches, _survivors):
        lines += section(report, most)
    return [*lines, *_stages(report)]


def _gate(gate: Gate) -> str:
    found = escape(gate.value or "not computed")
    if gate.waiver:
        found += escape(f" – {gate.waiver.told}")
    return f"| {_SIGNS[gate.verdict]} | {escape(gate.title)} | {escape(gate.threshold)} | {found} |"


def _stages(report: Report) -> list[str]:
    lines = []
    for stage in report.run.stages:
        said = stage.summary or stage.reason or str(stage.status)
        if stage.error:
            said = f"{stage.error.code} {stage.error.message}"
        lines.append(f"- **{escape(stage.name)}** ({stage.status}, {text.seconds(stage.seconds)}): {escape(said)}")
    return lines


def _listed(title: str, things: Sequence[object], lines: Iterator[str], most: int) -> list[str]:
    """Return a heading, and under it, folded, the first things; none if there is nothing."""
    if not things:
        return []
    shown = [line for line, _ in zip(lines, range(most), strict=False)]
    rest = len(things) - len(shown)
    more = [f"- and {rest:,} more, in `quality.html`"] if rest else []
    return [f"### {title}", "", *folded(f"The first {len(shown)}" if rest else "Show", [*shown, *more]), ""]


def _findings(report: Report, most: int) -> list[str]:
    findings = report.run.properties.findings if report.run.properties else ()
    lines = (
        f"**{escape(f.operation)}**: {escape(f.title)}{_waived(report, f.fingerprint)}\n\n"
        f"{code(text.cut(f.curl, 2_000))}"
        for f in findings
    )
    return _listed(text.plural(len(findings), "property finding"), findings, lines, most)


def _mismatches(report: Report, most: int) -> list[str]:
    failures = report.run.contracts.failures if report.run.contracts else ()
    lines = (
        f"- **{escape(f.consumer)}**, {escape(f.description)}: "
        f"{escape(f.error or '; '.join(m.message for m in f.mismatches[:3]))}{_waived(report, f.fingerprint)}"
        for f in failures
    )
    return _listed(text.plural(len(failures), "pact mismatch", "pact mismatches"), failures, lines, most)


def _waived(report: Report, fingerprint: str) -> str:
    waiver = report.verdict.waived(fingerprint)
    return escape(f" – {waiver.told}") if waiver else ""


def _disagreements(report: Report, most: int) -> list[str]:
    check = report.run.mutation.self_check if report.run.mutation else None
    found = check.disagreements if check else ()
    lines = (f"- {escape(d.mutant)}: {d.ours} here, {d.plain} there ({escape(d.detail)})" for d in found)
    return _listed(f"{text.plural(len(found), 'verdict')} that plain pytest does not share", found, lines, most)


def _survivors(report: Report, most: int) -> list[str]:
    mutants = report.run.mutation.mutants if report.run.mutation else ()
    undetected = [m for m in mutants if m.status.is_undetected]
    undetected.sort(key=lambda m: (not m.changed, not m.gaps))  # what has changed, and what a test sees, comes first
    lines = (f"- {escape(f'{m.path}:{m.line} {m.function}')} ({m.status}){_seen(m)}" for m in undetected)
    return _listed(f"{text.plural(len(undetected), 'mutant')} that nobody noticed", undetected, lines, most)


def _seen(mutant: Mutant) -> str:
    """Return where a test sees the damage, and passes."""
    if not mutant.gaps:
        return ""
    gap = mutant.gaps[0]
    first = gap.differences[0]
    return escape(f": {gap.test} sees {gap.request} answer {first.place}: {first.before} → {first.after}, and passes")
