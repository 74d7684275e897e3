"""`orchestrator propose`: the tests that the project lacks, tried, and written where it wants them."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from orchestrator import config, history, progress, text
from orchestrator.commands import CONFIG, mutant_of_last_run
from orchestrator.config import Project
from orchestrator.errors import Code, ExitCode, OrchestratorError, UsageError
from orchestrator.model.mutation import Mutant, Mutation
from orchestrator.mutation import proposing
from orchestrator.report import terminal


@click.command("propose")
@CONFIG
@click.option("--mutant", "mutants", multiple=True, metavar="ID", help="For this survivor; repeatable.")
@click.option("--operation", "operations", multiple=True, metavar="LABEL", help="For this operation; repeatable.")
@click.option("--all", "everything", is_flag=True, help="For every survivor.")
@click.option("--write", "folder", metavar="DIR", help="Write the tests there. Else they are only shown.")
def command(
    *,
    settings_file: Path | None,
    mutants: tuple[str, ...],
    operations: tuple[str, ...],
    everything: bool,
    folder: str | None,
) -> int:
    """Make tests that notice survivors of the last run, from the responses that tests saw differ and let through.

    Each has passed three times without a mutant, among all of your tests and alone, and failed three times under each
    survivor that it is said to notice, in copies of the project. Few tests that notice the most come out, a file for
    each operation, in the folder of the tests that they are made of: their fixtures hold there.

    \b
    Examples:
      orchestrator propose --all
      orchestrator propose --operation "POST /v1/records" --write tests/
      orchestrator propose --mutant 3fa29c01d2b4 --write tests/
    """
    project = config.load(Path.cwd(), settings_file)
    if not (mutants or operations or everything):
        raise UsageError(
            Code.PROPOSE_UNCLEAR,
            "for which survivors?",
            hint='Say `--all`, `--mutant ID` or `--operation "POST /things"`.',
        )
    run = history.read(project.reports / history.RUN).run
    mutation = run.mutation
    wanted = _wanted(project, mutation, mutants, operations, everything=everything) if mutation else []
    console = terminal.console()
    with_proposal = [m for m in wanted if m.proposals]
    if mutation is None or not with_proposal:
        console.print(
            f"No test to propose: of {text.plural(len(wanted), 'survivor')} none was seen in a response by a test that "
            "passes, nor was a request found that shows it.",
            soft_wrap=True,
        )
        return ExitCode.PASSED
    tests = project.directory if folder is None else Path.cwd() / folder
    with progress.teller(terminal.console(stderr=True)) as teller:
        teller.started("propose", f"try tests for {text.plural(len(with_proposal), 'survivor')}")
        plan = proposing.plan(
            project,
            mutation,
            with_proposal,
            reached=run.properties.reached if run.properties else None,
            folder=_within(project, tests),
            watch=teller.advanced,
        )
    if folder is None:
        for path, content in plan.files.items():
            console.print(f"\n{path}", style="bold", markup=False, highlight=False)
            console.print(terminal.escape(content), highlight=False, soft_wrap=True)
    _say(console, plan)
    if folder is None:
        if plan.files:
            console.print("With --write DIR they are written.", highlight=False)
        return ExitCode.PASSED
    try:
        written = proposing.write(project, plan)
    except OSError as error:
        raise OrchestratorError(
            Code.NOT_WRITABLE, f"the tests can't be written: {error}", hint="Free the disk, or name another folder."
        ) from error
    for file in written:
        console.print(f"written: {project.shown(file)}", markup=False, highlight=False, soft_wrap=True)
    for file in written:
        if not any(file.resolve().is_relative_to(tests) for tests in project.tests):
            told = f"`tests.paths` does not name {project.shown(file)}: no run will find it there."
            console.print(told, markup=False, highlight=False, soft_wrap=True)
    return ExitCode.PASSED


def _wanted(
    project: Project, mutation: Mutation, mutants: tuple[str, ...], operations: tuple[str, ...], *, everything: bool
) -> list[Mutant]:
    """Return the survivors that are asked for.

    Raises:
        UsageError: there is no such mutant, or no mutant of such an operation.
    """
    named = {mutant_of_last_run(project, name).fingerprint for name in mutants}
    known = {operation for m in mutation.mutants for operation in _operations(m)}
    for operation in operations:
        if operation not in known:
            raise UsageError(
                Code.UNKNOWN_MUTANT,
                f"no mutant of the last run is executed by {operation!r}",
                hint=f"There are: {', '.join(sorted(known)) or 'none'}.",
            )
    return [
        m
        for m in mutation.mutants
        if m.status.is_undetected
        and (everything or m.fingerprint in named or not _operations(m).isdisjoint(operations))
    ]


def _operations(mutant: Mutant) -> set[str]:
    """Return the labels of the operations that a mutant has to do with."""
    told = {*mutant.operations, *(gap.operation for gap in mutant.gaps), *(o for o, _ in mutant.proposals)}
    return told - {""}


def _within(project: Project, folder: Path) -> str:
    """Return a folder relative to the project.

    Raises:
        UsageError: it is elsewhere.
    """
    found, root = folder.resolve(), project.root.resolve()
    if not found.is_relative_to(root):
        raise UsageError(
            Code.PROPOSE_UNCLEAR, f"{folder} is not within the project", hint=f"Name a folder in {project.root}."
        )
    return found.relative_to(root).as_posix()


def _say(console: Console, plan: proposing.Plan) -> None:
    for name, mutants in plan.tests:
        told = f"{name}: notices {text.plural(len(mutants), 'survivor')}"
        console.print(terminal.escape(told), highlight=False, soft_wrap=True)
    for fingerprint, reason in plan.left.items():
        console.print(f"{fingerprint}: no test, {reason}", markup=False, highlight=False, soft_wrap=True)
    before = "not computed" if plan.before is None else f"{plan.before:.2f} %"
    after = "not computed" if plan.after is None else f"{plan.after:.2f} %"
    console.print(
        f"{text.plural(len(plan.tests), 'test')} in {text.plural(len(plan.files), 'file')} notice {plan.noticed} of "
        f"{text.plural(plan.undetected, 'survivor')}: the mutation score goes from {before} to {after}.",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
