"""Markdown for a job summary or a pull-request comment."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from orchestrator import text
from orchestrator.model.mutation import Mutant
from orchestrator.model.run import Change, GateVerdict, Report

_SIGNS: Final = {GateVerdict.PASS: "✅", GateVerdict.FAIL: "❌", GateVerdict.NOT_COMPUTED: "➖"}
_MOST: Final = 20


def render(report: Report) -> bytes:
    """Return the Markdown document."""
    run = report.run
    lines = [
        f"## {_SIGNS[GateVerdict.PASS] if report.verdict.passed else _SIGNS[GateVerdict.FAIL]} "
        f"{escape(run.subject.name)}: {escape(report.verdict.headline)}",
        "",
        "| | gate | asked | found |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {_SIGNS[g.verdict]} | {escape(g.title)} | {escape(g.threshold)} | {escape(g.value or 'not computed')} |"
        for g in report.verdict.gates
    ]
    lines += ["", *_stages(report), *_changes(report), *_findings(report), *_mismatches(report), *_mutants(report)]
    return ("\n".join(lines).rstrip() + "\n").encode("utf-8", errors="backslashreplace")


def escape(value: str) -> str:
    """Return foreign text that Markdown shows as it is, on one line."""
    flat = " ".join(text.visible(value).split())
    flat = flat.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    flat = re.sub(r"([\\`*_{}\[\]()#+!|~@])", r"\\\1", flat)
    return re.sub(r"^(\d*)([-.=])", r"\1\\\2", flat)  # no list, no heading, where a line begins with it


def code(value: str) -> str:
    """Return foreign text as a code block, whatever backticks it holds."""
    shown = text.visible(value)
    longest = max((len(run) for run in re.findall(r"`+", shown)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{shown}\n{fence}"


def _stages(report: Report) -> list[str]:
    lines = []
    for stage in report.run.stages:
        said = stage.summary or stage.reason or str(stage.status)
        if stage.error:
            said = f"{stage.error.code} {stage.error.message}"
        lines.append(f"- **{escape(stage.name)}** ({stage.status}, {text.seconds(stage.seconds)}): {escape(said)}")
    return [*lines, ""]


def _changes(report: Report) -> list[str]:
    if report.comparison is None:
        return []
    new, fixed = report.comparison.of(Change.NEW), report.comparison.of(Change.FIXED)
    return [
        f"### Since the {report.comparison.label}: {len(new)} new, {len(fixed)} fixed",
        *(f"- new {d.kind}: {escape(d.title)}" for d in new[:_MOST]),
        *_more(new),
        "",
    ]


def _more(listed: Sequence[object]) -> list[str]:
    return [f"- and {len(listed) - _MOST:,} more"] if len(listed) > _MOST else []


def _findings(report: Report) -> list[str]:
    findings = report.run.properties.findings if report.run.properties else ()
    if not findings:
        return []
    lines = [f"### {text.plural(len(findings), 'property finding')}"]
    for finding in findings[:_MOST]:
        lines += [f"**{escape(finding.operation)}**: {escape(finding.title)}", "", code(finding.curl), ""]
    return [*lines, *_more(findings), ""]


def _mismatches(report: Report) -> list[str]:
    failures = report.run.contracts.failures if report.run.contracts else ()
    if not failures:
        return []
    lines = [f"### {text.plural(len(failures), 'pact mismatch', 'pact mismatches')}"]
    for failure in failures[:_MOST]:
        said = failure.error or "; ".join(m.message for m in failure.mismatches[:3])
        lines.append(f"- **{escape(failure.consumer)}**, {escape(failure.description)}: {escape(said)}")
    return [*lines, *_more(failures), ""]


def _mutants(report: Report) -> list[str]:
    return [*_disagreements(report), *_survivors(report)]


def _disagreements(report: Report) -> list[str]:
    check = report.run.mutation.self_check if report.run.mutation else None
    found = check.disagreements if check else ()
    if not found:
        return []
    lines = [f"### {text.plural(len(found), 'verdict')} that plain pytest does not share"]
    lines += [f"- {escape(d.mutant)}: {d.ours} here, {d.plain} there ({escape(d.detail)})" for d in found[:_MOST]]
    return [*lines, *_more(found), ""]


def _survivors(report: Report) -> list[str]:
    mutants = report.run.mutation.mutants if report.run.mutation else ()
    undetected = [m for m in mutants if m.status.is_undetected]
    if not undetected:
        return []
    lines = [f"### {text.plural(len(undetected), 'mutant')} that nobody noticed"]
    undetected.sort(key=lambda m: not m.gaps)  # those whose damage a test sees come first
    lines += [f"- {escape(f'{m.path}:{m.line} {m.function}')} ({m.status}){_seen(m)}" for m in undetected[:_MOST]]
    return [*lines, *_more(undetected), ""]


def _seen(mutant: Mutant) -> str:
    """Return where a test sees the damage, and passes."""
    if not mutant.gaps:
        return ""
    gap = mutant.gaps[0]
    first = gap.differences[0]
    return escape(f": {gap.test} sees {gap.request} answer {first.place}: {first.before} → {first.after}, and passes")
