from __future__ import annotations

import pytest

from orchestrator.contracts.formats import FORMATS


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("date-time", "2024-05-06T07:08:09Z", "2024-05-06T07:08:09"),
        ("date-time", "2024-05-06 07:08:09+0200", "2024-15-06 07:08:09+0200"),
        ("date-time", "2024-05-06t07:08:09.123+02", "2024-05-06"),
        ("uuid", "urn:uuid:0b9a6b8e-2a53-4b4e-8d5c-0d7a0a9a9a9a", "0b9a6b8e2a534b4e8d5c0d7a0a9a9a9a"),
        ("hostname", "things.test.", "-things.test"),
        ("byte", "bGFtcA==\n", "lamp!"),
    ],
)
def test_formats_are_taken_as_lightly_as_the_reference_takes_them(name: str, good: str, bad: str) -> None:
    assert FORMATS[name](good)
    assert not FORMATS[name](bad)


def test_formats_that_the_reference_does_not_know_allow_anything() -> None:
    assert FORMATS["iri"]("no iri")
