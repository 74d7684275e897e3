"""Mutants that the project's own type checker rejects: whoever writes such a bug hears of it before any test runs.

All mutants of a file are checked in one run: each stands beside its original, under a name of its own. One more copy
is not changed at all; what the checker says of that one is no fault of a mutant.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from importlib.util import decode_source
from pathlib import Path
from typing import Final

import msgspec

from orchestrator.adapters import type_checker
from orchestrator.config import Project
from orchestrator.model.mutation import MutantStatus
from orchestrator.mutation.candidates import Candidate
from orchestrator.mutation.choice import is_wanted
from orchestrator.mutation.tree import Copy

_DEF: Final = re.compile(r"^(?P<head>\s*(?:async\s+)?def\s+)(?P<name>\w+)")
# Such a line may be what gives the attribute its type. In a copy beside the original it can't; alone it would.
_DEFINES: Final = re.compile(r"\s*self\.\w+\s*=(?!=)")
_MARK: Final = "__checked_"
_MARKED: Final = re.compile(rf"{_MARK}\d+")


class _Piece(msgspec.Struct, frozen=True):
    """A definition beside others: its lines there, and whose it is; None: the unchanged one."""

    first: int
    last: int
    owner: tuple[int, int]
    candidate: Candidate | None


def checked(project: Project, candidates: Sequence[Candidate], command: Sequence[str]) -> list[Candidate]:
    """Mark the candidates that the type checker rejects as caught by it.

    Args:
        project: Whose.
        candidates: Those of functions are asked about; other code can't stand beside itself. Nor is a line that sets
            an attribute, which may take its type from there.
        command: The type checker.

    Raises:
        OrchestratorError: it can't be run.
    """
    asked = [c for c in candidates if is_wanted(c) and c.change.function and not _defines(c)]
    by_file: dict[str, list[Candidate]] = {}
    for candidate in asked:
        by_file.setdefault(candidate.mutant.path, []).append(candidate)
    if not by_file:
        return list(candidates)
    copy = Copy(project, project.state / "mutation" / "types")
    try:
        pieces: dict[str, list[_Piece]] = {}
        for path, theirs in by_file.items():
            content, found = _side_by_side(decode_source((copy.root / path).read_bytes()), theirs)
            pieces[str(copy.change(path, content).resolve())] = found
        faults = type_checker.run(command, project, copy.directory)
    finally:
        shutil.rmtree(copy.root, ignore_errors=True)
    said = _rejected(pieces, faults)
    return [_marked(c, type_checker.name(command), said[c.mutant.id]) if c.mutant.id in said else c for c in candidates]


def _defines(candidate: Candidate) -> bool:
    """Whether a change is in a line that sets an attribute."""
    return any(line[:1] == "+" and _DEFINES.match(line[1:]) for line in candidate.mutant.diff.split("\n")[2:])


def _marked(candidate: Candidate, checker: str, message: str) -> Candidate:
    mutant = msgspec.structs.replace(candidate.mutant, status=MutantStatus.TYPE_CHECK, killer=checker, message=message)
    return msgspec.structs.replace(candidate, mutant=mutant)


def _side_by_side(content: str, candidates: Sequence[Candidate]) -> tuple[str, list[_Piece]]:
    """Return a file in which mutants stand behind their originals, and where each piece is."""
    lines = content.split("\n")
    groups: dict[tuple[int, int], list[Candidate]] = {}
    for candidate in candidates:
        groups.setdefault((candidate.change.first, candidate.change.last), []).append(candidate)
    written: list[str] = []
    pieces = []
    done = 0
    for (first, last), group in sorted(groups.items()):
        written += lines[done:last]
        done = last
        for number, owner in enumerate([None, *group]):
            start = len(written) + 1
            written += _renamed(owner.change.lines if owner else lines[first - 1 : last], number)
            pieces.append(_Piece(start, len(written), (first, last), owner))
    return "\n".join([*written, *lines[done:]]), pieces


def _renamed(lines: Sequence[str], number: int) -> list[str]:
    """Return a definition under another name."""
    for at, line in enumerate(lines):
        if _DEF.match(line):
            return [*lines[:at], _DEF.sub(rf"\g<head>\g<name>{_MARK}{number}", line, count=1), *lines[at + 1 :]]
    return list(lines)


def _rejected(pieces: dict[str, list[_Piece]], faults: Sequence[type_checker.TypeFault]) -> dict[str, str]:
    """Return what the checker says of each mutant that it does not say of the unchanged copy, by the mutant's name."""
    said: dict[tuple[str, int, int], list[str]] = {}
    for fault in faults:
        path = str(Path(fault.path).resolve())
        piece = next((p for p in pieces.get(path, ()) if p.first <= fault.line <= p.last), None)
        if piece:
            said.setdefault((path, piece.first, piece.last), []).append(_MARKED.sub("", fault.message))
    found = {}
    for path, theirs in pieces.items():
        usual = {p.owner: set(said.get((path, p.first, p.last), ())) for p in theirs if p.candidate is None}
        for piece in theirs:
            if piece.candidate:
                new = [m for m in said.get((path, piece.first, piece.last), ()) if m not in usual[piece.owner]]
                if new:
                    found[piece.candidate.mutant.id] = new[0]
    return found
