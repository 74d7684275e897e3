"""What the terminal says at the end: readable in five seconds."""

from __future__ import annotations

import os
from pathlib import Path

from rich import markup
from rich.console import Console

from orchestrator import text
from orchestrator.model.contracts import Verification
from orchestrator.model.run import Change, GateVerdict, Report
from orchestrator.report import workflow_commands

_SIGNS = {
    GateVerdict.PASS: "[green]✓[/]",
    GateVerdict.FAIL: "[red]✗[/]",
    GateVerdict.WAIVED: "[yellow]![/]",
    GateVerdict.NOT_COMPUTED: "[dim]–[/]",
}


def console(*, stderr: bool = False) -> Console:
    """Return where people are told something: what others wrote is never read as the name of an emoji."""
    return Console(stderr=stderr, emoji=False)


def say(report: Report, page: Path | None, console: Console) -> None:
    """Print the verdict, the gates, what is worst, and where the page is, if one was written."""
    verdict, run = report.verdict, report.run
    style = "bold green" if verdict.passed else "bold red"
    console.print()
    console.print(
        f"[{style}]{'PASS' if verdict.passed else 'FAIL'}[/]  {escape(run.subject.name)}: {escape(verdict.headline)}"
        f" [dim]({text.seconds(run.seconds)})[/]",
        highlight=False,
    )
    for gate in sorted(verdict.gates, key=lambda g: g.verdict is not GateVerdict.FAIL):
        found = gate.value or "not computed"
        line = (
            f"  {_SIGNS[gate.verdict]} {escape(gate.title)}: {escape(found)} [dim](asked: {escape(gate.threshold)})[/]"
        )
        console.print(line, highlight=False, soft_wrap=True)
        if gate.waiver:
            console.print(f"      {escape(gate.waiver.told)}", highlight=False, soft_wrap=True)
    for line in _worst(report):
        console.print(f"  {escape(line)}", highlight=False, soft_wrap=True)
    if report.comparison is not None:
        new, fixed = len(report.comparison.of(Change.NEW)), len(report.comparison.of(Change.FIXED))
        console.print(f"  since the {escape(report.comparison.label)}: {new} new, {fixed} fixed", highlight=False)
    if page is not None:
        console.print(f"  [bold]{escape(os.path.relpath(page))}[/]", highlight=False, soft_wrap=True)
    if os.environ.get("GITHUB_ACTIONS") == "true":  # it turns such lines into notes beside the code
        print("\n".join(workflow_commands.lines(report)))


def escape(value: str) -> str:
    """Return foreign text that the terminal shows as it is: the run may come from elsewhere."""
    return markup.escape(text.visible(value))


def _worst(report: Report) -> list[str]:
    """Return one line for the worst thing of each kind."""
    run = report.run
    lines = []
    if run.properties and run.properties.findings:
        finding = run.properties.findings[0]
        lines += [f"worst finding: {finding.operation}: {finding.title}", f"  {text.one_line(finding.curl)}"]
    if run.contracts and run.contracts.failures:
        # A state that failed, or what could not be run, says nothing of the contract.
        failure = min(run.contracts.failures, key=lambda i: i.result is not Verification.MISMATCH)
        lines.append(f"first {failure.result}: {failure.consumer}: {failure.description}")
    return lines
