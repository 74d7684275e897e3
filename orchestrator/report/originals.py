"""Source files as a report shows them: as they were saved with the run, or what the diffs of mutants show of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from orchestrator import text

_HUNK: Final = re.compile(r"@@ -(\d+)(?:,\d+)? \+\d+(?:,\d+)? @@")


def shown(source: str) -> list[str]:
    """Return the lines of a file, each made visible for itself: what is dropped or shown adds and takes no line."""
    return [text.visible(line) for line in source.replace("\r\n", "\n").split("\n")]


def rebuilt(diffs: Iterable[str]) -> list[str]:
    """Return the lines of a file of which only diffs are known, those that none shows empty."""
    known: dict[int, str] = {}
    for diff in diffs:
        known |= _old_lines(text.visible(diff))
    # One more, as behind the last line's end: there ends what takes it away.
    return [known.get(number, "") for number in range(1, max(known, default=0) + 2)]


def _old_lines(diff: str) -> dict[int, str]:
    """Return the lines that a diff of one file shows of the old one, by number."""
    found: dict[int, str] = {}
    number = 0
    for line in diff.split("\n"):
        if hunk := _HUNK.match(line):
            number = int(hunk[1])
        elif number and line[:1] in ("-", " "):
            found[number] = line[1:]
            number += 1
    return found
