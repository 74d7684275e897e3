from __future__ import annotations

import difflib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.replacement import replaced

SOURCE = "def total(items):\n    count = len(items)\n    return count < 3\n"


def diff_of(old: str, new: str) -> str:
    return "\n".join(difflib.unified_diff(old.splitlines(), new.splitlines(), "a/x.py", "b/x.py", lineterm=""))


@pytest.mark.parametrize(
    ("new", "place", "words"),
    [
        (SOURCE.replace("< 3", "<= 3"), (3, 18, 3, 19), ("<", "<=")),
        (SOURCE.replace("< 3", "< 4"), (3, 20, 3, 21), ("3", "4")),
        (SOURCE.replace("len(items)", "None"), (2, 13, 2, 23), ("len(items)", "None")),
        (SOURCE.replace("    count = len(items)\n", ""), (2, 1, 3, 1), ("count=len(items)", "")),
        (SOURCE.replace("    return", "    count += 1\n    return"), (3, 1, 3, 1), ("", "count+=1")),
    ],
)
def test_what_is_replaced_is_told_by_whole_words(
    new: str, place: tuple[int, int, int, int], words: tuple[str, str]
) -> None:
    found = replaced(diff_of(SOURCE, new))
    assert found.words == words
    assert (found.line, found.column, found.end_line, found.end_column) == place


def test_changes_of_two_lines_are_told_as_one() -> None:
    found = replaced(diff_of("a = 1\nb = 2\nc = 3\n", "a = 9\nb = 2\nc = 8\n"))
    assert (found.before, found.after) == ("1\nb = 2\nc = 3", "9\nb = 2\nc = 8")


def test_what_is_no_diff_replaces_nothing() -> None:
    assert replaced("no diff").words == ("", "")


@given(old=st.text("ab <(\n", max_size=40), new=st.text("ab <(\n", max_size=40))
def test_putting_the_replacement_in_gives_the_new_text(old: str, new: str) -> None:
    lines, others = old.split("\n"), new.split("\n")
    diff = "\n".join(difflib.unified_diff(lines, others, "a/x", "b/x", lineterm=""))
    found = replaced(diff)
    if not diff:
        assert found.words == ("", "")
        return

    def offset(line: int, column: int) -> int:
        return sum(len(one) + 1 for one in lines[: line - 1]) + column - 1

    begin, end = offset(found.line, found.column), offset(found.end_line, found.end_column)
    assert f"{old}\n"[begin:end] == found.before
    assert f"{old}\n"[:begin] + found.after + f"{old}\n"[end:] == f"{new}\n"
