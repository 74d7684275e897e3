"""Commands of the command line that have a module of their own, and what commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from orchestrator import history, text
from orchestrator.config import Project
from orchestrator.errors import Code, UsageError
from orchestrator.model.mutation import Mutant

CONFIG: Final = click.option(
    "--config",
    "settings_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The settings file. Default: pyproject.toml or orchestrator.toml here or above.",
)


def mutant_of_last_run(project: Project, name: str) -> Mutant:
    """Return a mutant of the last run.

    Args:
        project: Whose run.
        name: The beginning of its fingerprint, or the name that mutmut gives it.

    Raises:
        UsageError: there is none, or more than one.
        OrchestratorError: there is no run that can be read.
    """
    saved = history.read(project.reports / history.RUN).run
    mutants = saved.mutation.mutants if saved.mutation else ()
    found = [m for m in mutants if m.fingerprint.startswith(name) or m.id == name]
    if len(found) != 1:
        raise UsageError(
            Code.UNKNOWN_MUTANT,
            f"{text.plural(len(found), 'mutant')} of the last run match {name!r}",
            hint="Copy the fingerprint from the report.",
        )
    return found[0]
