from __future__ import annotations

import pytest

from orchestrator.contracts import times


@pytest.mark.parametrize(
    ("pattern", "example"),
    [
        ("yyyy-MM-dd", "2024-05-06"),
        ("d.M.yy", "6.5.24"),
        ("yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "2024-05-06T07:08:09.123Z"),
        ("yyyy-MM-dd'T'HH:mm:ssxxx", "2024-05-06T07:08:09+00:00"),
        ("EEE, d MMM yyyy HH:mm:ss Z", "Mon, 6 May 2024 07:08:09 +0000"),
        ("h 'o''clock' a", "7 o'clock AM"),
        ("", ""),
        ("yyyyy", None),
        ("'open", None),
        ("QQ", None),
    ],
)
def test_a_format_is_shown_by_an_example(pattern: str, example: str | None) -> None:
    assert times.example(pattern) == example


def test_only_formats_of_times_are_asked() -> None:
    assert times.keeps_to("2024-05-06", "date")
    assert not times.keeps_to("2024-05-06", "date-time")
    assert times.keeps_to("2024-05-06", "uuid")
