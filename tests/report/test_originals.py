from __future__ import annotations

import difflib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.report import originals

texts = st.lists(st.text("ab -+@\\", max_size=5), max_size=12)


def diff_of(old: list[str], new: list[str]) -> str:
    return "\n".join(difflib.unified_diff(old, new, "a/x.py", "b/x.py", lineterm=""))


@given(texts, texts)
def test_each_line_that_a_diff_shows_stands_at_its_number(old: list[str], new: list[str]) -> None:
    lines = originals.rebuilt([diff_of(old, new)])
    for number, line in enumerate(lines):
        assert line in ("", *old[number : number + 1])
    for tag, first, last, _, _ in difflib.SequenceMatcher(None, old, new).get_opcodes():
        if tag in ("delete", "replace"):
            assert lines[first:last] == old[first:last]


@given(texts)
def test_diffs_that_show_all_lines_give_the_whole_file(old: list[str]) -> None:
    diffs = [diff_of(old, [*old[:n], "changed", *old[n + 1 :]]) for n in range(len(old))]
    assert originals.rebuilt(diffs)[: len(old)] == old


@pytest.mark.parametrize("diff", ["", "no diff", "-a\n+b", "--- a\n+++ b"])
def test_what_is_no_diff_shows_nothing(diff: str) -> None:
    assert originals.rebuilt([diff]) == [""]


def test_the_end_of_a_line_is_the_same_however_it_is_written() -> None:
    assert originals.shown("a\r\nb\nc") == ["a", "b", "c"]


@given(st.text(st.sampled_from("a\n\r\x1b]\x07\x0c\u2028\ud800\t"), max_size=20))
def test_what_is_made_visible_takes_and_adds_no_line(source: str) -> None:
    shown = originals.shown(source)
    assert len(shown) == source.replace("\r\n", "\n").count("\n") + 1
    assert "\n".join(shown).encode().decode() == "\n".join(shown)  # a lone surrogate would raise
