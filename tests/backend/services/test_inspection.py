from __future__ import annotations

from uuid import UUID

import pytest

from backend.app.clock import timestamp
from backend.app.services.inspection import inspect

# Most are the examples of RFC 9562, appendix A.
EXAMPLES = [
    ("c232ab00-9414-11ec-b3c8-9f6bdeced846", "rfc9562", 1, "2022-02-22T19:22:22.000000Z"),
    ("5df41881-3aed-3515-88a7-2f4a814cf09e", "rfc9562", 3, None),
    ("919108f7-52d1-4320-9bac-f847db4148a8", "rfc9562", 4, None),
    ("2ed6657d-e927-568b-95e1-2665a8aea6a2", "rfc9562", 5, None),
    ("1ec9414c-232a-6b00-b3c8-9f6bdeced846", "rfc9562", 6, "2022-02-22T19:22:22.000000Z"),
    ("017f22e2-79b0-7cc3-98c4-dc0c0c07398f", "rfc9562", 7, "2022-02-22T19:22:22.000000Z"),
    ("2489e9ad-2ee2-8e00-8ec9-32d5f69181c0", "rfc9562", 8, None),
    ("00000000-0000-1000-8000-000000000000", "rfc9562", 1, "1582-10-15T00:00:00.000000Z"),
    ("00000000-0000-7000-8000-000000000000", "rfc9562", 7, "1970-01-01T00:00:00.000000Z"),
    ("00000000-0000-f000-8000-000000000000", "rfc9562", 15, None),
    ("00000000-0000-0000-0000-000000000000", "ncs", None, None),
    ("6ba7b810-9dad-11d1-c0b4-00c04fd430c8", "microsoft", None, None),
    ("ffffffff-ffff-ffff-ffff-ffffffffffff", "future", None, None),
]


@pytest.mark.parametrize(("text", "variant", "version", "at"), EXAMPLES)
def test_a_uuid_says_what_its_bits_mean(text: str, variant: str, version: int | None, at: str | None) -> None:
    said = inspect(UUID(text))

    assert said.uuid == UUID(text)
    assert (said.variant, said.version) == (variant, version)
    assert (said.timestamp and timestamp(said.timestamp)) == at


def test_a_time_of_version_1_is_cut_to_the_microsecond() -> None:
    said = inspect(UUID("c232ab09-9414-11ec-b3c8-9f6bdeced846"))

    assert said.timestamp is not None
    assert timestamp(said.timestamp) == "2022-02-22T19:22:22.000000Z"


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("e677d21f-dbff-7000-8000-000000000000", "9999-12-31T23:59:59.999000Z"),
        ("e677d21f-dc00-7000-8000-000000000000", None),
        ("ffffffff-ffff-7fff-bfff-ffffffffffff", None),
    ],
)
def test_a_time_beyond_the_year_9999_is_none(text: str, at: str | None) -> None:
    said = inspect(UUID(text)).timestamp

    assert (said and timestamp(said)) == at


@pytest.mark.parametrize(
    ("digits", "variant"),
    [("01234567", "ncs"), ("89ab", "rfc9562"), ("cd", "microsoft"), ("ef", "future")],
)
def test_the_variant_is_in_the_first_bits_of_the_fourth_group(digits: str, variant: str) -> None:
    said = {inspect(UUID(f"6ba7b810-9dad-11d1-{digit}0b4-00c04fd430c8")).variant for digit in digits}

    assert said == {variant}


@pytest.mark.parametrize("version", range(16))
def test_only_three_versions_hold_a_time_and_only_in_their_own_variant(version: int) -> None:
    ours = inspect(UUID(f"017f22e2-79b0-{version:x}cc3-98c4-dc0c0c07398f"))
    microsoft = inspect(UUID(f"017f22e2-79b0-{version:x}cc3-d8c4-dc0c0c07398f"))

    assert ours.version == version
    assert (ours.timestamp is not None) == (version in {1, 6, 7})
    assert (microsoft.version, microsoft.timestamp) == (None, None)


@pytest.mark.parametrize("text", ["ffffffff-ffff-1fff-bfff-ffffffffffff", "ffffffff-ffff-6fff-bfff-ffffffffffff"])
def test_the_latest_time_of_versions_1_and_6_is_the_same(text: str) -> None:
    said = inspect(UUID(text)).timestamp

    assert said is not None
    assert timestamp(said) == "5236-03-31T21:21:00.684697Z"
