"""Unified diffs, put into the text that they were made of."""

from __future__ import annotations

import re
from typing import Final

_HUNK: Final = re.compile(r"@@ -(\d+)(?:,(\d+))? \+\d+(?:,\d+)? @@")


class DoesNotFit(ValueError):  # noqa: N818 - a fact about a text
    """The text is not the one that the diff was made of."""


def patched(source: str, diff: str) -> str:
    """Return a text with a change made.

    Args:
        source: The text; its lines end with newlines.
        diff: One file's unified diff (https://www.gnu.org/software/diffutils/manual/html_node/Detailed-Unified.html).

    Raises:
        DoesNotFit: other lines stand where the diff has its own.
    """
    lines = source.split("\n")
    made: list[str] = []
    at = 0
    for line in _after_header(diff):
        if hunk := _HUNK.match(line):
            first, count = int(hunk[1]), int(hunk[2] or "1")
            begin = first - 1 if count else first  # nothing is replaced: what is new comes after this line
            if not at <= begin <= len(lines):
                raise DoesNotFit(line)
            made += lines[at:begin]
            at = begin
        elif line.startswith("+"):
            made.append(line[1:])
        elif not line.startswith("\\"):  # "\ No newline at end of file"
            if at >= len(lines) or lines[at] != line[1:]:
                raise DoesNotFit(line)
            if not line.startswith("-"):
                made.append(lines[at])
            at += 1
    return "\n".join([*made, *lines[at:]])


def _after_header(diff: str) -> list[str]:
    lines = diff.split("\n")
    first = next((k for k, line in enumerate(lines) if _HUNK.match(line)), len(lines))
    last = len(lines)
    while last > first and not lines[last - 1]:  # a blank line of a text has a blank before it
        last -= 1
    return lines[first:last]
