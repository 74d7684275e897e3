from __future__ import annotations

import unicodedata
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from orchestrator import text

# Everything, lone surrogates and unassigned code points among it, and often what acts on a terminal.
ODD = (
    *("\x1b", "\x1b[31m", "\x1b]0;t\x07", "\r", "\r\n", "\n", "\t", "\x00", "\x7f", "\x85", "\x9b", "\u00ad", "\u200b"),
    *("\u2028", "\u202e", "\u2066", "\ufeff", "\ud800", "\udfff", "\U000e0041", "a", "é", "日", "🙂", " ", "\\"),
)
characters = st.integers(0, 0x10FFFF).map(chr) | st.sampled_from(ODD)
foreign = st.lists(characters, max_size=30).map("".join)
ACTING = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def acting(value: str) -> list[str]:
    return [c for c in value if c not in "\n\t" and unicodedata.category(c) in ACTING]


@given(foreign)
def test_nothing_that_acts_leaves(value: str) -> None:
    for shown in (text.visible(value), text.clean(value), text.one_line(value)):
        assert acting(shown) == []
        assert shown.encode("utf-8").decode("utf-8") == shown


@given(foreign)
def test_what_is_visible_stays_as_it_is(value: str) -> None:
    once = text.visible(value)
    assert text.visible(once) == once


@given(foreign)
def test_what_is_clean_stays_clean(value: str) -> None:
    once = text.clean(value)
    assert text.clean(once) == once


@given(st.text(st.characters(exclude_categories=["C", "Z"])))
def test_text_that_only_shows_is_left_alone(value: str) -> None:
    assert text.visible(value) == value


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a\x1b[1;31mb\x1b[0mc", "abc"),
        ("\x1b]8;;http://x\x07link\x1b]8;;\x1b\\", "link"),
        ("a\x1b", "a\\x1b"),
        ("\x1b\x1b[0m[0m", "\\x1b[0m"),
        ("a\r\nb\rc", "a\nb\\x0dc"),
        ("\u202eevil\u2066", "\\u202eevil\\u2066"),
        ("\ud83d", "\\ud83d"),
        ("\U000e0001", "\\U000e0001"),
        ("\u2028\u2029\x85", "\\u2028\\u2029\\x85"),
        ("a\tb\nc", "a\tb\nc"),
        ("\xa0\u3000", "\xa0\u3000"),
    ],
)
def test_what_acts_is_written_as_an_escape(value: str, shown: str) -> None:
    assert text.visible(value) == shown


secrets = st.lists(st.text(st.characters(codec="utf-8"), min_size=6, max_size=20), min_size=1, max_size=4)


@given(foreign, secrets, foreign)
def test_no_secret_survives(before: str, hidden: list[str], after: str) -> None:
    for secret in hidden:
        assume(secret not in text.REDACTED)  # what stands in for secrets, may be read
        assume(secret not in text.clean(before + "\n" + after))  # a secret that stands there by chance
        assume(text.visible(secret) == secret)
    for shown in (
        text.redact(f"{before} {' '.join(hidden)} {after}", hidden),
        text.clean(f"{before} {' '.join(hidden)} {after}", secrets=hidden, limit=10_000),
        text.one_line(" ".join(hidden), secrets=hidden),
    ):
        assert [s for s in hidden if s in shown] == []


@given(st.text("abcdef123456", min_size=6, max_size=12), st.data())
def test_a_secret_does_not_survive_with_control_characters_in_it(secret: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(1, len(secret) - 1))
    broken = secret[:place] + data.draw(st.sampled_from(["\x1b[0m", "\x1b[31m", "\x1b]0;t\x07"])) + secret[place:]
    assert secret not in text.clean(f"it is {broken}!", secrets=[secret])
    assert secret not in text.one_line(f"it is {broken}!", secrets=[secret])


def test_a_secret_of_several_lines_does_not_survive() -> None:
    secret = "-----BEGIN KEY-----\nabcdef\n-----END KEY-----"
    for said in (secret, secret.replace("\n", "\r\n")):
        assert "abcdef" not in text.clean(f"a {said} b", secrets=[secret])
        assert "BEGIN" not in text.one_line(f"a {said} b", secrets=[secret])


def test_the_longer_of_two_secrets_goes_first() -> None:
    assert text.redact("abcdefghij", ["abcdef", "abcdefghij"]) == text.REDACTED


def test_a_short_secret_is_left_alone() -> None:
    assert text.redact("a banana", ["a", "", "anana"]) == "a banana"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("Authorization: Bearer abcdefgh", "Authorization: Bearer [redacted]"),
        ('"password": "hunter2x", "a": 1', '"password": "[redacted]", "a": 1'),
        ("X-API-Key=12345678&b=c", "X-API-Key=[redacted]&b=c"),
        ("postgres://me:hunter2@db/x", "postgres://me:[redacted]@db/x"),
        ('-H "X-API-Key: $SHOP_KEY"', '-H "X-API-Key: $SHOP_KEY"'),
        ("Authorization: [Filtered]", "Authorization: [Filtered]"),
        ("the password is wrong", "the password is wrong"),
        ("http://127.0.0.1:8000/a@b", "http://127.0.0.1:8000/a@b"),
    ],
)
def test_what_looks_like_a_credential_is_redacted(value: str, shown: str) -> None:
    assert text.redact(value) == shown
    assert text.redact(shown) == shown


@given(st.text(), st.integers(0, 50))
def test_what_is_cut_says_how_much_is_missing(value: str, limit: int) -> None:
    shown = text.cut(value, limit)
    if len(value) <= limit:
        assert shown == value
    else:
        assert shown == f"{value[:limit]}… [{len(value) - limit} more characters]"


def test_foreign_text_is_cut_at_the_limit() -> None:
    assert text.clean("a" * 12, limit=10) == "a" * 10 + "… [2 more characters]"
    assert len(text.clean("a" * 9_999)) < 4_100


@given(foreign)
def test_one_line_is_one_line(value: str) -> None:
    shown = text.one_line(value)
    assert len(shown.splitlines()) <= 1
    assert "\t" not in shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("\n\n  first \nsecond", "first"),
        ("\x1b[31m\nfirst", "first"),
        ("\u200b", "\\u200b"),
        ("a\tb", "a b"),
        (" \n\t\r\n", ""),
        ("", ""),
        ("one\x0btwo", "one"),
    ],
)
def test_one_line_is_the_first_that_says_something(value: str, shown: str) -> None:
    assert text.one_line(value) == shown


@pytest.mark.parametrize(
    ("count", "shown"), [(0, "0 mismatches"), (1, "1 mismatch"), (2, "2 mismatches"), (1234, "1,234 mismatches")]
)
def test_counts_have_their_noun(count: int, shown: str) -> None:
    assert text.plural(count, "mismatch", "mismatches") == shown
    assert text.plural(2, "mutant") == "2 mutants"


@given(st.integers(0, 5_000), st.integers(1, 5_000))
def test_a_share_is_rounded_down_to_a_tenth(part: int, whole: int) -> None:
    assume(part <= whole)
    shown = Fraction(text.percent(100 * part / whole).removesuffix(" %"))
    assert 0 <= Fraction(100 * part, whole) - shown < Fraction(1, 10)


@pytest.mark.parametrize(("value", "shown"), [(97.96, "97.9 %"), (98.0, "98 %"), (99.999, "99.9 %"), (0.0, "0 %")])
def test_almost_is_not_enough(value: float, shown: str) -> None:
    assert text.percent(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(0.04, "0.0 s"), (0.44, "0.4 s"), (12.4, "12 s"), (119.0, "119 s"), (185.9, "3 min 5 s")]
)
def test_durations_are_said_as_people_say_them(value: float, shown: str) -> None:
    assert text.seconds(value) == shown
