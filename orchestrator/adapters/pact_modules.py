"""Contract tests for people: a pytest module a consumer, a test an interaction."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from orchestrator.adapters import generated, source
from orchestrator.adapters.pact import Described, Pact
from orchestrator.config import Project

FOLDER: Final = "contracts"  # in that of the generated property tests


class Named(msgspec.Struct, frozen=True):
    """An interaction, and what its test is called."""

    name: str
    described: Described

    @property
    def states(self) -> list[str]:
        """The names of its provider states."""
        return [name for name, _ in self.described.states]


def folder(project: Project) -> Path:
    """Return where the modules are written."""
    return project.root / project.settings.properties.directory / FOLDER


def render(pacts: Sequence[Pact], project: Project) -> dict[str, str]:
    """Return the generated files: name in the folder, content without the first line."""
    environment = generated.environment()
    here = folder(project)
    files = {
        "__init__.py": '"""What consumers rely on."""\n',
        "pacts.py": environment.get_template("pacts.py.jinja").render(
            directory=here.relative_to(project.root).as_posix(),
            root=generated.literal(Path(os.path.relpath(project.root, here)).as_posix()),
        ),
    }
    names = generated.apart(f"test_{generated.snake_case(pact.consumer) or 'consumer'}" for pact in pacts)
    for pact, name in zip(pacts, names, strict=True):
        files[f"{name}.py"] = environment.get_template("contracts.py.jinja").render(
            consumer=pact.consumer,
            provider=pact.provider,
            pact=generated.literal(source.relative(pact.file, project.root)),
            interactions=_named(pact),
        )
    return files


def _named(pact: Pact) -> list[Named]:
    names = generated.apart(map(_name, pact.interactions))
    return [Named(name, described) for name, described in zip(names, pact.interactions, strict=True)]


def _name(described: Described) -> str:
    given = "_and_".join(filter(None, (generated.snake_case(state) for state, _ in described.states)))
    name = generated.snake_case(described.description) or "interaction"
    return f"{name}_given_{given}" if given else name
