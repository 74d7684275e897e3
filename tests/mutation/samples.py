"""Candidates put together by hand, for tests of what is done with them."""

from __future__ import annotations

from pathlib import Path

from orchestrator.adapters.session import Change
from orchestrator.model.mutation import MutantKind
from orchestrator.mutation.candidates import Candidate
from tests import builders


def candidate(
    path: Path | str,
    name: str,
    *lines: str,
    first: int = 1,
    line: int = 0,
    kind: MutantKind = MutantKind.FUNCTION,
    reach: int = 0,
) -> Candidate:
    """A mutant of a definition, with what stands there instead."""
    return Candidate(
        mutant=builders.mutant(path=str(path), function=name, line=line or first, kind=kind),
        change=Change(
            path=str(path),
            first=first,
            last=first + len(lines) - 1,
            lines=lines,
            function=kind in (MutantKind.FUNCTION, MutantKind.HANDLER),
        ),
        reach=reach,
        changed=(line or first, line or first),
        mutmuts=True,
    )
