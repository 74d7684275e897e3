"""Small projects written into a folder, and the real engine run on them."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from orchestrator.adapters import pytest as suites
from orchestrator.model.mutation import Mutant, MutantStatus
from orchestrator.mutation import candidates, critical
from orchestrator.mutation.cluster import Cluster
from orchestrator.mutation.engine import Engine, Result, Watch
from tests import builders


class Judged(msgspec.Struct, frozen=True):
    """What became of the mutants of a subject."""

    mutants: tuple[Mutant, ...]
    result: Result

    def __getitem__(self, change: str) -> Mutant:
        """Return the one mutant with this text in a line that it adds."""
        found = [m for m in self.mutants if any(change in line for line in _added(m))]
        assert len(found) == 1, f"{change!r} is in {len(found)} mutants of:\n{self.told}"
        return found[0]

    def of(self, function: str) -> set[MutantStatus]:
        """Return what became of the judged mutants of a definition; there is at least one."""
        found = {m.status for m in self.mutants if m.function == function} - NOT_JUDGED
        assert found, f"{function!r} has no mutant:\n{self.told}"
        return found

    @property
    def codes(self) -> list[str]:
        """The codes of the notices."""
        return [notice.code for notice in self.result.notices]

    @property
    def told(self) -> str:
        """Every mutant in a line, for the message of a failed test."""
        lines = [
            f"{m.status.value:10} {m.function}: {' / '.join(_added(m))} [{m.killer} {m.message}]" for m in self.mutants
        ]
        return "\n".join([*lines, *(str(n) for n in self.result.notices)])


# Plugins of the environment that no subject uses: without them pytest starts in a third of the time.
_PLUGINS = sorted({e.name for e in entry_points(group="pytest11") if not e.name.startswith("xdist")})
PLAIN = [option for name in _PLUGINS for option in ("-p", f"no:{name}")]

NOT_JUDGED = {MutantStatus.EQUIVALENT, MutantStatus.DUPLICATE, MutantStatus.TRIVIAL, MutantStatus.INVALID}


@cache
def installed() -> suites.Installed:
    """Return what the interpreter of all subjects has."""
    with TemporaryDirectory() as folder:
        return suites.installed(builders.project(Path(folder)))


def _added(mutant: Mutant) -> list[str]:
    return [line[1:].strip() for line in mutant.diff.splitlines()[2:] if line.startswith("+")]


def write(root: Path, files: Mapping[str, str]) -> None:
    """Write files, whose text may be indented."""
    for name, body in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(textwrap.dedent(body))


def judge(root: Path, files: Mapping[str, str], **settings: Any) -> Judged:
    """Write a project and judge its mutants; what is not given of the settings is small and plain.

    Args:
        root: Where.
        files: By name; `pkg` is the source, `tests` are the tests.
        settings: Those of `mutation` directly, other tables by their names; `watch` is told how far it is.
    """
    watch: Watch = settings.pop("watch", lambda *_: None)
    tables: dict[str, Any] = {n: settings.pop(n) for n in ("source", "import-paths", "tests") if n in settings}
    mutation = {"critical": ["pkg/*.py"], "self-check": 0, "search-budget": 0, "workers": 2, **settings}
    write(root, files)
    tables = {"source": ["pkg"], "tests": {"options": PLAIN}, "mutation": mutation, **tables}
    project = builders.project(root, **tables)
    found, _ = candidates.find(project, critical.select(project, None), workers=1)
    assert found, "there is no mutant"
    if project.settings.mutation.dask:
        result = Cluster(project, [], watch).run(lambda: found)
    else:
        result = Engine(project, installed(), [], watch).run(lambda: found)
    return Judged(tuple(result.applied(candidate) for candidate in found), result)
