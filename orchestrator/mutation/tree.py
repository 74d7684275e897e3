"""The project's files: what their content is, and copies in which a mutant stands in the source."""

from __future__ import annotations

import glob
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from orchestrator import codec
from orchestrator.adapters import git
from orchestrator.config import STATE_DIRECTORY, Project

# What tools leave behind; none of it says anything about the project.
_LEFT_OUT: Final = frozenset(
    {
        *(".git", ".hg", ".tox", ".nox", ".venv", "node_modules", "mutants", "__pycache__", STATE_DIRECTORY),
        *(".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", ".schemathesis", ".coverage"),
    }
)


def files(project: Project) -> list[str]:
    """Return the project's files, relative to its root: what is generated from them is left out."""
    listed = git.files(project.root)
    names = sorted(_walk(project.root)) if listed is None else listed
    written = (f"{project.settings.reports}/", f"{project.settings.properties.directory}/")
    return [
        name
        for name in names
        if not name.startswith(written) and _LEFT_OUT.isdisjoint(Path(name).parts) and (project.root / name).is_file()
    ]


def _walk(root: Path) -> Iterator[str]:
    for folder, folders, names in os.walk(root):
        here = Path(folder)
        folders[:] = [d for d in folders if d not in _LEFT_OUT and not (here / d / "pyvenv.cfg").exists()]
        for name in names:
            yield (here / name).relative_to(root).as_posix()


class Digests:
    """Digests of files, remembered while size and time of change are the same.

    Args:
        root: What names are relative to, where they are not absolute.
        memory: The file that remembers.
    """

    def __init__(self, root: Path, memory: Path) -> None:
        self._root = root
        self._memory = memory
        try:
            self._known = codec.from_json(memory.read_bytes(), dict[str, tuple[int, int, str]])
        except (OSError, msgspec.DecodeError):
            self._known = {}
        self._seen: dict[str, tuple[int, int, str]] = {}

    def of(self, name: str) -> str:
        """Return the digest of a file's content; of one that is not there, the empty string."""
        try:
            stat = (self._root / name).stat()
            known = self._seen.get(name) or self._known.get(name)
            if known is None or known[:2] != (stat.st_size, stat.st_mtime_ns):
                content = (self._root / name).read_bytes()
                known = (stat.st_size, stat.st_mtime_ns, hashlib.sha256(content).hexdigest()[:24])
        except OSError:
            return ""
        self._seen[name] = known
        return known[2]

    def of_all(self, names: Iterable[str], more: object = None) -> str:
        """Return one digest for many files and whatever else counts."""
        digest = hashlib.sha256(msgspec.json.encode(more, order="deterministic"))
        for name in sorted(set(names)):
            digest.update(f"{name}\0{self.of(name)}\0".encode("utf-8", "surrogateescape"))
        return digest.hexdigest()

    def keep(self) -> None:
        """Write down what was seen."""
        codec.write_atomically(self._memory, msgspec.json.encode(self._seen))


class Copy:
    """A copy of the project, in which one file at a time can be changed.

    Attributes:
        root: Where it is.
        directory: Where the app and its tests run in it.
    """

    def __init__(self, project: Project, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        self._project = project
        self.root = folder
        for name in files(project):
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(project.root / name, target, follow_symlinks=False)
        self.directory = folder / project.settings.directory

    def change(self, path: str, content: str) -> Path:
        """Write a file of the copy; return where it is."""
        target = self.root / path
        if target.is_symlink():
            target.unlink()
        self._forget(path)
        target.write_text(content, "utf-8", newline="")
        return target

    def restore(self, path: str) -> None:
        """Bring a file back to what it is in the project."""
        (self.root / path).unlink(missing_ok=True)
        self._forget(path)
        shutil.copy2(self._project.root / path, self.root / path, follow_symlinks=False)

    def _forget(self, path: str) -> None:
        """Remove a file's bytecode: Python tells by the second and the size whether it is up to date."""
        file = self.root / path
        for compiled in (file.parent / "__pycache__").glob(f"{glob.escape(file.stem)}.*"):
            compiled.unlink()
