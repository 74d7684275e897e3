from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.fingerprint import fingerprint

parts = st.lists(st.text(st.characters() | st.sampled_from(["\ud800", "\udfff"]), max_size=5), max_size=4)


@given(parts)
def test_a_fingerprint_is_twelve_digits_and_stays_the_same(of: list[str]) -> None:
    assert re.fullmatch(r"[0-9a-f]{12}", fingerprint(*of))
    assert fingerprint(*of) == fingerprint(*of)


@given(parts, parts)
def test_other_parts_have_another_fingerprint(one: list[str], other: list[str]) -> None:
    assert (fingerprint(*one) == fingerprint(*other)) == (one == other)


def test_where_a_part_ends_matters() -> None:
    assert len({fingerprint("ab", "c"), fingerprint("a", "bc"), fingerprint("abc"), fingerprint("abc", "")}) == 4


def test_fingerprints_do_not_change_from_version_to_version() -> None:
    assert fingerprint("property", "GET /a", "not_a_server_error") == "1685321c2440"
