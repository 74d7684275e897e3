"""A diff goes into the text that it was made of, and into no other."""

from __future__ import annotations

import difflib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.patches import DoesNotFit, patched

TEXTS = st.lists(st.sampled_from(["", "a", "b", " c", "- d", "+e", "@@ -1 +1 @@", "-- x", "\\ y"]), max_size=12).map(
    "\n".join
)


def diff(before: str, after: str) -> str:
    return "\n".join(difflib.unified_diff(before.split("\n"), after.split("\n"), "a/x", "b/x", lineterm=""))


@given(TEXTS, TEXTS)
def test_what_a_diff_was_made_for_comes_out(before: str, after: str) -> None:
    assert patched(before, diff(before, after)) == after


def test_a_diff_does_not_fit_another_text() -> None:
    change = diff("a\nb\nc\n", "a\nx\nc\n")
    for other in ("a\nB\nc\n", "", "a\n", "0\na\nb\nc\n"):
        with pytest.raises(DoesNotFit):
            patched(other, change)


def test_lines_elsewhere_stay_as_they_are() -> None:
    before = "\n".join(map(str, range(40)))
    assert patched(before, diff(before, before.replace("\n20\n", "\nnew\n"))) == before.replace("\n20\n", "\nnew\n")
