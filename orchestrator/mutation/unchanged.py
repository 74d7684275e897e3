"""Tell that nothing at all has changed since the last complete run: then its result holds, and nothing is started."""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

import orchestrator
from orchestrator import codec, config
from orchestrator.adapters.pytest import Installed
from orchestrator.config import Project
from orchestrator.model.mutation import MutantStatus, Mutation
from orchestrator.model.problem import Problem
from orchestrator.model.stage import StageResult
from orchestrator.mutation import tree
from orchestrator.mutation.tree import Digests

# Variables that tests and tools look at; the rest of the environment differs from shell to shell.
_COUNTS: Final = ("CI", "TZ", "LANG", "LC_ALL", "DJANGO_SETTINGS_MODULE")


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A complete run.

    Attributes:
        key: Digest of all that it depends on.
        read: Files that tests opened, also those that git ignores.
        mutation: Its result.
        notices: What a person was told.
        suite: What the project's own tests had been before.
        more: What else the key is made of.
    """

    key: str
    read: tuple[str, ...]
    mutation: Mutation
    notices: tuple[Problem, ...]
    suite: StageResult
    more: msgspec.Raw


class LastRun:
    """The last complete run of a project.

    Args:
        project: The project.
        installed: What the user's interpreter has.
        more: What else the result depends on: the quarantined tests, the operations' reach.
    """

    def __init__(self, project: Project, installed: Installed, more: object = None) -> None:
        self._project = project
        self._file = project.state / "mutation" / "last-run.json"
        self._digests = Digests(project.root.resolve(), project.state / "mutation" / "project-digests.json")
        settings = project.settings
        self._around = [around(project, installed), msgspec.to_builtins([_what(settings.mutation), settings.tests])]
        self._more = msgspec.Raw(msgspec.json.encode(more, order="deterministic"))

    def result(self) -> Kept | None:
        """Return it if it still holds; None: something has changed, or it was not complete."""
        kept = self._kept()
        return kept if kept and kept.key == self._key(kept.read, self._more) else None

    def suite(self) -> StageResult | None:
        """Return what the project's own tests were before it, if nothing has changed since; None: something has."""
        kept = self._kept()
        return kept.suite if kept and kept.key == self._key(kept.read, kept.more) else None

    def _kept(self) -> Kept | None:
        try:
            return codec.from_json(self._file.read_bytes(), Kept)
        except (OSError, msgspec.DecodeError):
            return None

    def keep(self, mutation: Mutation, read: Sequence[str], notices: Sequence[Problem], suite: StageResult) -> None:
        """Write a run down, if it was complete: every verdict known and none in doubt."""
        check = mutation.self_check
        if mutation.count(MutantStatus.NOT_RUN, MutantStatus.SUSPICIOUS) or (check and check.disagreements):
            self._file.unlink(missing_ok=True)
            return
        kept = Kept(
            key=self._key(read, self._more),
            read=tuple(read),
            mutation=mutation,
            notices=tuple(notices),
            suite=suite,
            more=self._more,
        )
        codec.write_atomically(self._file, msgspec.json.encode(kept))

    def _key(self, read: Iterable[str], more: msgspec.Raw) -> str:
        key = self._digests.of_all([*tree.files(self._project), *read], [self._around, bytes(more).decode()])
        self._digests.keep()
        return key


def around(project: Project, installed: Installed) -> list[Any]:
    """Return what every verdict depends on beside the project's files: packages, settings, variables, ourselves."""
    settings = project.settings
    return [
        sorted(installed.versions.items()),
        installed.python,
        [settings.tests.paths, settings.tests.options, settings.tests.deselect],
        [settings.import_paths, settings.directory, settings.source],
        sorted(_variables(os.environ).items()),
        _ourselves(),
    ]


def _variables(environment: Mapping[str, str]) -> dict[str, str]:
    ours = "PYTEST_CURRENT_TEST"
    return {k: v for k, v in environment.items() if (k.startswith(("PYTHON", "PYTEST_")) and k != ours) or k in _COUNTS}


def _what(mutation: config.Mutation) -> config.Mutation:
    """Return the settings without where the work is done."""
    return msgspec.structs.replace(mutation, dask="", workers=0)


@functools.cache
def _ourselves() -> str:
    """Return the digest of the engine itself: what another version would say is not known."""
    top = Path(orchestrator.__file__).parent
    digest = hashlib.sha256()
    for pattern in ("mutation/*.py", "agent/**/*.py", "adapters/*.py"):
        for file in sorted(top.glob(pattern)):
            digest.update(file.read_bytes())
    return digest.hexdigest()
