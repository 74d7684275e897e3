"""Where a shelf keeps its files: in a folder, or on a branch of git that need not be checked out."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

from orchestrator import codec, text
from orchestrator.adapters.git_branch import Branch
from orchestrator.errors import Code, OrchestratorError

Change = Callable[["Files"], Mapping[str, bytes]]


class Files(Protocol):
    """Files that can be read, by their path with `/`."""

    def names(self) -> list[str]:
        """Return the paths of all files, sorted."""

    def read(self, name: str) -> bytes | None:
        """Return a file; None: there is none."""


class Store(Files, Protocol):
    """Files that can be changed."""

    def change(self, change: Change, message: str) -> None:
        """Write the files that `change` makes of those that are there: all of them, and nobody else's in between."""


class Folder:
    """Files in a folder."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def names(self) -> list[str]:
        """Return the paths of all files, sorted."""
        found = (p for folder in self._folders() for p in folder.rglob("*.json") if p.is_file())
        return sorted(p.relative_to(self._path).as_posix() for p in found if not p.name.startswith("."))

    def _folders(self) -> list[Path]:
        """Return the folders in it, without those of git and the like."""
        if not self._path.is_dir():
            return []
        return [p for p in self._path.iterdir() if p.is_dir() and not p.name.startswith(".")]

    def read(self, name: str) -> bytes | None:
        """Return a file; None: there is none.

        Raises:
            OrchestratorError: it is there and can't be read.
        """
        try:
            return (self._path / name).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise OrchestratorError(
                Code.SHELF_FAILED, f"{name} can't be read: {error.strerror or error}", hint="Check its permissions."
            ) from error

    def change(self, change: Change, message: str) -> None:
        """Write the files that `change` makes of those that are there.

        Raises:
            OrchestratorError: they can't be written.
        """
        with self._locked():
            for name, data in change(self).items():
                codec.write_atomically(self._path / name, data)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Let nobody else change the folder in the meantime."""
        try:
            self._path.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDONLY)
        except OSError as error:
            raise OrchestratorError(
                Code.SHELF_FAILED,
                f"{text.one_line(str(self._path))} can't be used: {error.strerror or error}",
                hint="Check `contracts.broker.url` and the permissions.",
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


class GitBranch:
    """Files on a branch of git: each change is a commit, and none touches the work tree."""

    def __init__(self, branch: Branch) -> None:
        self._branch = branch
        self._files: dict[str, bytes] = {}
        self._load()

    def _load(self) -> str:
        commit = self._branch.newest()
        self._files = self._branch.files(commit) if commit else {}
        return commit

    def names(self) -> list[str]:
        """Return the paths of all files, sorted."""
        return sorted(name for name in self._files if name.endswith(".json"))

    def read(self, name: str) -> bytes | None:
        """Return a file; None: there is none."""
        return self._files.get(name)

    def change(self, change: Change, message: str) -> None:
        """Commit the files that `change` makes of those that are there, again if somebody else was faster.

        Raises:
            OrchestratorError: it can't be committed, or not pushed.
        """
        for _ in self._branch.tries():
            newest = self._load()
            new = {name: data for name, data in change(self).items() if self.read(name) != data}
            if not new or self._branch.advance(newest, self._branch.commit(newest, new, message)):
                self._files |= new
                return
        raise self._branch.failed("others were faster each time")
