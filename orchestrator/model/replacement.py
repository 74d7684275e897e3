"""What the unified diff of a mutant replaces: from where to where in the source, and by what."""

from __future__ import annotations

import re
from typing import Final

import msgspec

_HUNK: Final = re.compile(r"@@ -(\d+)(?:,(\d+))? \+\d+(?:,\d+)? @@")
_TOKEN: Final = re.compile(r"\w+|\s|[^\w\s]+")


class Replacement(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a source file, and what is put in its place. Lines and columns count from 1; the end is exclusive.

    Attributes:
        line: Where it begins.
        column: Where it begins in that line.
        end_line: Where it ends.
        end_column: Where it ends in that line.
        before: The text there; empty: nothing is taken away.
        after: What stands there instead.
    """

    line: int
    column: int
    end_line: int
    end_column: int
    before: str
    after: str

    @property
    def words(self) -> tuple[str, str]:
        """Before and after without their white space: the same however the code is laid out."""
        return "".join(self.before.split()), "".join(self.after.split())


def replaced(diff: str) -> Replacement:
    """Return what a diff of one file replaces, by whole words; several changes are told as one.

    Source of the format: https://www.gnu.org/software/diffutils/manual/html_node/Detailed-Unified.html. What is no
    diff replaces nothing, at the first line.
    """
    first, old, new = _changed_lines(diff)
    before, after = _tokens(old), _tokens(new)
    head = _common(before, after)
    tail = _common(before[head:][::-1], after[head:][::-1])
    skipped = "".join(before[:head])
    taken = "".join(before[head : len(before) - tail])
    line, column = _moved(first, 1, skipped)
    end_line, end_column = _moved(line, column, taken)
    return Replacement(
        line=line,
        column=column,
        end_line=end_line,
        end_column=end_column,
        before=taken,
        after="".join(after[head : len(after) - tail]),
    )


def _changed_lines(diff: str) -> tuple[int, list[str], list[str]]:
    """Return the number of the first changed line, and the lines from there to the last one, old and new."""
    first, number = 0, 1
    old: list[str] = []
    new: list[str] = []
    pending: list[str] = []  # lines that are not changed: of the change only if another one follows
    in_hunk = False
    for line in diff.split("\n"):
        if hunk := _HUNK.match(line):
            number = int(hunk[1]) if hunk[2] != "0" else int(hunk[1]) + 1
            in_hunk = True
        elif not in_hunk:
            continue
        elif line[:1] in ("-", "+"):
            first = first or number
            old += pending
            new += pending
            pending = []
            (old if line[0] == "-" else new).append(line[1:])
            number += line[0] == "-"
        elif line[:1] == " ":
            if first:
                pending.append(line[1:])
            number += 1
    return first or number, old, new


def _tokens(lines: list[str]) -> list[str]:
    return _TOKEN.findall("".join(f"{line}\n" for line in lines))


def _common(one: list[str], other: list[str]) -> int:
    """Return how many tokens both begin with."""
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        count += 1
    return count


def _moved(line: int, column: int, text: str) -> tuple[int, int]:
    """Return the place behind a text that begins at a place."""
    head, newline, tail = text.rpartition("\n")
    return (line + head.count("\n") + 1, len(tail) + 1) if newline else (line, column + len(text))
