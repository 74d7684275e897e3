"""Commands of the command line that have a module of their own, and the option that most commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

CONFIG: Final = click.option(
    "--config",
    "settings_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The settings file. Default: pyproject.toml or orchestrator.toml here or above.",
)
