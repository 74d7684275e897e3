"""`orchestrator init`: look around, say what was found, write the settings."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape

from orchestrator import discovery, scaffold
from orchestrator.discovery import Findings, Question
from orchestrator.errors import ExitCode
from orchestrator.report import terminal
from orchestrator.scaffold import Planned

_WIDTH = 20


@click.command("init")
@click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="KEY=VALUE",
    help="Answer for a setting; repeatable. The value is TOML or plain text.",
)
@click.option("--yes", is_flag=True, help="Ask nothing; what is left to answer stays as a comment.")
@click.option("--dry-run", is_flag=True, help="Print what would be written.")
@click.option("--force", is_flag=True, help="Replace settings that exist, and files that init wrote.")
def command(*, assignments: tuple[str, ...], yes: bool, dry_run: bool, force: bool) -> int:
    """Write the settings for the project in this folder, a nox session and a workflow for CI.

    Nothing of the project is imported: its files are read. What was guessed is said, line by line.

    \b
    Examples:
      orchestrator init
      orchestrator init --dry-run
      orchestrator init --yes --set app.environment.API_TOKEN=only-for-tests
      orchestrator init --set app.target=shop.main:app --set openapi.path=docs/shop.yaml
    """
    root = Path.cwd()
    console = terminal.console()
    given = dict(map(_assignment, assignments))
    findings = discovery.look(root, given)
    _say_findings(findings, console)
    if findings.questions and not yes and sys.stdin.isatty() and console.is_terminal:
        answers = _ask(findings)
        if answers:
            given |= answers
            findings = discovery.look(root, given)
    planned = scaffold.plan(root, findings, given, force=force)
    if dry_run:
        _say_planned(planned)
        return ExitCode.PASSED
    scaffold.write(root, planned)
    _say_written(planned, findings, console)
    return ExitCode.PASSED


def _assignment(text: str) -> tuple[str, Any]:
    """Return key and value of `key=value`."""
    key, sign, value = text.partition("=")
    if not sign or not key.strip():
        raise click.BadParameter(f"{text!r} is not KEY=VALUE", param_hint="--set")
    return key.strip(), _value(key.strip(), value.strip())


def _value(key: str, text: str) -> Any:
    """Return what a value means: TOML where it is TOML, but variables of the environment are always text."""
    if key.startswith("app.environment."):
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _ask(findings: Findings) -> dict[str, Any]:
    """Ask what only a person can answer; an empty answer leaves it for later."""
    click.echo("\nEnter leaves a question for later.")
    answers = {}
    for question in findings.questions:
        answer = click.prompt(f"{question.key}: {question.about}{_like(question)}", default="", show_default=False)
        if answer:
            answers[question.key] = _value(question.key, answer)
    return answers


def _say_findings(findings: Findings, console: Console) -> None:
    console.print(f"Found: {findings.framework or 'no app'}", highlight=False)
    for guess in findings.guesses:
        shown = escape(_shown(guess.value))
        console.print(
            f"  {guess.key:<{_WIDTH}} {shown} [dim]({escape(guess.because)})[/]", highlight=False, soft_wrap=True
        )
    for remark in findings.remarks:
        console.print(f"  – {escape(remark)}", highlight=False, soft_wrap=True)


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_shown, value))
    if isinstance(value, dict):
        return ", ".join(f"{k} {v}" for k, v in value.items() if k != "name")
    return str(value)


def _say_planned(planned: tuple[Planned, ...]) -> None:
    for file in planned:
        click.echo(f"\n── {file.path} ({file.note})")
        if file.content is not None:
            click.echo(f"\n{file.added}", nl=False)


def _say_written(planned: tuple[Planned, ...], findings: Findings, console: Console) -> None:
    lines = [""]
    lines += [f"{'wrote' if f.content is not None else '–'} {f.path} ({f.note})" for f in planned]
    if findings.questions:
        lines += ["", f"Left for you, as comments in {planned[0].path}:"]
        lines += [f"  {q.key}: {q.about}{_like(q)}" for q in findings.questions]
    lines += [
        "",
        "Next: `orchestrator doctor` tries every setting, `orchestrator run` tests the API.",
        "Have git ignore .orchestrator/ and the reports.",
    ]
    for line in lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _like(question: Question) -> str:
    return f" (like {question.example})" if question.example else ""
