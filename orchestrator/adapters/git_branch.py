"""Commits on a branch of git that is not checked out: neither the work tree nor the user's index is touched."""

from __future__ import annotations

import os
import random
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from orchestrator import text
from orchestrator.errors import Code, OrchestratorError

_TRIES: Final = 30
_NOBODY: Final = "quality-orchestrator"
_NO_VARIABLES: Final[Mapping[str, str]] = {}


class Branch:
    """A branch of the project's repository, or of a remote of it.

    Attributes:
        name: As the settings have it.
    """

    def __init__(self, root: Path, name: str) -> None:
        self.name = name
        self._root = root
        if self._git("rev-parse", "--git-dir").returncode:
            raise self.failed("there is no git repository here")
        remotes = self._git("remote").stdout.decode(errors="replace").split()
        first, _, rest = name.partition("/")
        self._remote, branch = (first, rest) if rest and first in remotes else ("", name)
        self._reference = f"refs/heads/{branch}"
        if self._git("check-ref-format", self._reference).returncode:
            raise self.failed("git takes no such name for a branch")

    def newest(self) -> str:
        """Return the newest commit; empty: the branch is yet to be.

        Raises:
            OrchestratorError: the remote can't be asked, or the branch is checked out.
        """
        if not self._remote:
            self._refuse_checked_out()
            found = self._git("rev-parse", "--verify", "--quiet", f"{self._reference}^{{commit}}")
            return found.stdout.decode().strip()
        listed = self._git("ls-remote", "--exit-code", self._remote, self._reference)
        if listed.returncode == 2:  # the remote answered, and has none
            return ""
        if listed.returncode:
            raise self._not_done(listed)
        commit = listed.stdout.decode().split()[0]
        if self._git("cat-file", "-e", f"{commit}^{{commit}}").returncode:
            self._done("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", self._remote, self._reference)
        return commit

    def files(self, commit: str) -> dict[str, bytes]:
        """Return all files of a commit, by path: as they were written, and in one go, as asking for each takes time."""
        listed = self._done("ls-tree", "-r", "-z", "--full-tree", commit).decode("utf-8", errors="surrogateescape")
        entries = [(*about.split(), path) for about, _, path in (e.partition("\t") for e in listed.split("\0")) if path]
        blobs = [(blob, path) for _, kind, blob, path in entries if kind == "blob"]
        told = self._done("cat-file", "--batch", given="".join(f"{blob}\n" for blob, _ in blobs).encode())
        return dict(zip((path for _, path in blobs), _contents(told), strict=True))

    def commit(self, parent: str, files: Mapping[str, bytes], message: str) -> str:
        """Return a new commit that nothing refers to yet.

        Args:
            parent: What it goes on from; empty: nothing.
            files: What it adds or replaces, by path.
            message: What it says.
        """
        with tempfile.TemporaryDirectory() as folder:
            index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            if parent:
                self._done("read-tree", parent, variables=index)
            for path, data in files.items():
                blob = self._done("hash-object", "-w", "--stdin", given=data).decode().strip()
                self._done("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}", variables=index)
            tree = self._done("write-tree", variables=index).decode().strip()
        parents = ("-p", parent) if parent else ()
        return self._done("commit-tree", tree, *parents, "-m", message, variables=self._author()).decode().strip()

    def advance(self, old: str, new: str) -> bool:
        """Have the branch end with a new commit; False: it has not ended with the old one any more.

        Raises:
            OrchestratorError: the remote does not take it.
        """
        if not self._remote:
            # An empty old one means that the branch must not be there.
            done = self._git("update-ref", "-m", "orchestrator contracts", self._reference, new, old)
        else:
            done = self._git("push", "--quiet", "--no-verify", "--porcelain", self._remote, f"{new}:{self._reference}")
        if done.returncode and self.newest() == old:  # nobody was faster: it was not taken
            raise self._not_done(done)
        return done.returncode == 0

    def tries(self) -> Iterator[None]:
        """Yield for each try, with pauses of random length: two that wait alike would meet again."""
        for number in range(_TRIES):
            yield
            time.sleep(random.uniform(0, 0.02 * (number + 1)))  # noqa: S311 - no secret

    def failed(self, why: str) -> OrchestratorError:
        """Return the error for a branch that can't be used."""
        return OrchestratorError(
            Code.SHELF_FAILED,
            f"the branch {text.one_line(self.name)} can't be used: {text.one_line(why)}",
            hint="Check `contracts.broker.url`, and that git may fetch and push here without asking.",
        )

    def _refuse_checked_out(self) -> None:
        listed = self._done("worktree", "list", "--porcelain").decode(errors="replace").splitlines()
        if f"branch {self._reference}" in listed:
            raise self.failed("it is checked out; name its folder instead, and commit yourself")

    def _author(self) -> dict[str, str]:
        """Return who commits where git does not know: a machine of the CI has no name."""
        if self._git("var", "GIT_COMMITTER_IDENT").returncode == 0 == self._git("var", "GIT_AUTHOR_IDENT").returncode:
            return {}
        name = {f"GIT_{role}_NAME": _NOBODY for role in ("AUTHOR", "COMMITTER")}
        return name | {f"GIT_{role}_EMAIL": f"{_NOBODY}@localhost" for role in ("AUTHOR", "COMMITTER")}

    def _done(self, *arguments: str, given: bytes = b"", variables: Mapping[str, str] = _NO_VARIABLES) -> bytes:
        ended = self._git(*arguments, given=given, variables=variables)
        if ended.returncode:
            raise self._not_done(ended)
        return ended.stdout

    def _not_done(self, ended: subprocess.CompletedProcess[bytes]) -> OrchestratorError:
        said = ended.stderr.decode(errors="replace") or ended.stdout.decode(errors="replace")
        return self.failed(said or f"git ended with {ended.returncode}")

    def _git(
        self, *arguments: str, given: bytes = b"", variables: Mapping[str, str] = _NO_VARIABLES
    ) -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(
                ["git", "-C", str(self._root), *arguments],  # noqa: S607 - whichever git the user has
                input=given,
                capture_output=True,
                check=False,
                timeout=120,
                # Nobody is there to answer; and git's own words are those that are understood here.
                env={**os.environ, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", **variables},
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise self.failed(str(error)) from error


def _contents(told: bytes) -> Iterator[bytes]:
    """Yield what `git cat-file --batch` told: for each a line that ends with its size, then as many bytes."""
    place = 0
    while place < len(told):
        begin = told.index(b"\n", place) + 1
        size = int(told[place:begin].rpartition(b" ")[2])
        yield told[begin : begin + size]
        place = begin + size + 1
