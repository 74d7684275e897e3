"""Which candidates are judged now: what the user suppresses, what has changed, what comes first."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from orchestrator.config import Project, Suppression
from orchestrator.errors import Code
from orchestrator.model.mutation import MutantStatus
from orchestrator.model.problem import Problem
from orchestrator.mutation.candidates import Candidate

# In code, at the end of a line: `# no-mutants: the limit is the vendor's`
_IN_CODE: Final = re.compile(r"#\s*no-mutants\b:?\s*(?P<reason>.*)$")


def suppressed(project: Project, candidates: Sequence[Candidate]) -> tuple[list[Candidate], list[Problem]]:
    """Mark the candidates that the user says need no judging; return what suppresses in vain, or without a reason.

    A suppression of the settings names a mutant, or several with `*`, by fingerprint or by name. In code it is a
    comment at the end of the changed line: `# no-mutants: reason`.
    """
    settings = project.settings.mutation.suppress
    used: set[Suppression] = set()
    comments = _comments({candidate.change.path for candidate in candidates})
    used_lines: set[tuple[str, int]] = set()
    found = []
    for candidate in candidates:
        mutant = candidate.mutant
        matching = [s for s in settings if mutant.fingerprint == s.mutant or fnmatch.fnmatchcase(mutant.id, s.mutant)]
        here = {line: comments[candidate.change.path].get(line) for line in _lines(candidate)}
        commented = {line: reason for line, reason in here.items() if reason is not None}
        used.update(matching)
        used_lines.update((candidate.change.path, line) for line in commented)
        reason = next((s.reason for s in matching), "") or next(filter(None, commented.values()), "")
        hides = reason and mutant.status is MutantStatus.NOT_RUN
        found.append(marked(candidate, MutantStatus.SUPPRESSED, reason) if hides else candidate)
    problems = [_useless(f"`mutation.suppress`: {s.mutant!r} matches no mutant") for s in settings if s not in used]
    for path, lines in comments.items():
        for line, reason in lines.items():
            place = f"{project.shown(Path(path))}:{line}: `# no-mutants`"
            if not reason:
                problems.append(_useless(f"{place} says no reason, so it suppresses nothing"))
            elif (path, line) not in used_lines:
                problems.append(_useless(f"{place} is at a line without mutants"))
    return found, problems


def _lines(candidate: Candidate) -> range:
    return range(candidate.changed[0], candidate.changed[1] + 1)


def _useless(message: str) -> Problem:
    return Problem(
        code=Code.SUPPRESSION_USELESS,
        message=message,
        hint="Take it away, or mend it: what it hid may be judged by now.",
    )


def _comments(paths: set[str]) -> dict[str, dict[int, str]]:
    """Return the suppressing comments of files: the reason by line, empty where none is given."""
    found: dict[str, dict[int, str]] = {}
    for path in sorted(paths):
        lines = Path(path).read_text("utf-8", errors="replace").split("\n")
        matches = {number: _IN_CODE.search(line) for number, line in enumerate(lines, start=1)}
        found[path] = {number: match["reason"].strip() for number, match in matches.items() if match}
    return found


def changed(candidates: Sequence[Candidate], lines: Mapping[str, Sequence[range]], revision: str) -> list[Candidate]:
    """Mark what is outside of the changed lines as not run.

    Args:
        candidates: The candidates.
        lines: Changed lines, by path relative to the project.
        revision: Since which revision.
    """
    found = []
    for candidate in candidates:
        spans = lines.get(candidate.mutant.path, ())
        is_changed = any(span.start <= candidate.changed[1] and candidate.changed[0] < span.stop for span in spans)
        reason = f"unchanged since {revision}"
        is_left = not is_changed and candidate.mutant.status is MutantStatus.NOT_RUN
        found.append(marked(candidate, MutantStatus.NOT_RUN, reason) if is_left else candidate)
    return found


def marked(candidate: Candidate, status: MutantStatus, reason: str) -> Candidate:
    """Return a candidate that need not be judged, with the reason."""
    mutant = msgspec.structs.replace(candidate.mutant, status=status, reason=reason)
    return msgspec.structs.replace(candidate, mutant=mutant)


def is_wanted(candidate: Candidate) -> bool:
    """Whether a candidate is to be judged."""
    return candidate.mutant.status is MutantStatus.NOT_RUN and not candidate.mutant.reason


def by_value(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return candidates in the order of their worth when there may not be time for all.

    One of each line comes first: another change of a line whose first mutant is killed mostly dies too.
    """
    turns: dict[tuple[str, int], int] = {}
    order: dict[str, int] = {}
    for candidate in candidates:
        place = (candidate.mutant.path, candidate.mutant.line)
        order[candidate.mutant.id] = turns[place] = turns.get(place, 0) + 1
    return sorted(candidates, key=lambda candidate: order[candidate.mutant.id])
