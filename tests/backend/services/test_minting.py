from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from backend.app.clock import UTC
from backend.app.services.commands import CountedVersion, MintByCount, MintByName
from backend.app.services.inspection import inspect
from backend.app.services.minting import GREGORIAN_EPOCH, WELL_KNOWN_NAMESPACES, mint, version_of
from tests.backend.support import NOON, FakeClock

RFC_EXAMPLE = datetime(2022, 2, 22, 19, 22, 22, tzinfo=UTC)


@pytest.mark.parametrize("version", [1, 4, 7])
@pytest.mark.parametrize("count", [1, 1000])
def test_as_many_different_uuids_of_the_version_are_minted_as_asked_for(version: CountedVersion, count: int) -> None:
    minted = mint(MintByCount(version, count), FakeClock())

    assert len(set(minted)) == count
    assert {(inspect(value).variant, inspect(value).version) for value in minted} == {("rfc9562", version)}


@pytest.mark.parametrize("version", [1, 7])
def test_uuids_with_a_time_say_what_the_clock_said(version: CountedVersion) -> None:
    [minted] = mint(MintByCount(version), FakeClock(NOON))

    assert inspect(minted).timestamp == NOON


def test_version_1_has_the_fields_of_the_rfc_example() -> None:
    [minted] = mint(MintByCount(1), FakeClock(RFC_EXAMPLE))

    assert str(minted).startswith("c232ab00-9414-11ec-")


def test_version_7_has_the_fields_of_the_rfc_example() -> None:
    [minted] = mint(MintByCount(7), FakeClock(RFC_EXAMPLE))

    assert str(minted).startswith("017f22e2-79b0-7")


def test_version_7_cuts_the_time_to_the_millisecond() -> None:
    clock = FakeClock(RFC_EXAMPLE.replace(microsecond=1999))

    [minted] = mint(MintByCount(7), clock)

    assert inspect(minted).timestamp == RFC_EXAMPLE.replace(microsecond=1000)


@pytest.mark.parametrize("count", [2, 1000])
def test_version_7_is_minted_in_rising_order(count: int) -> None:
    minted = mint(MintByCount(7, count), FakeClock())

    assert minted == sorted(minted)


def test_version_1_takes_a_tick_for_each_uuid_of_one_node() -> None:
    minted = mint(MintByCount(1, 3), FakeClock())

    assert [value.time - minted[0].time for value in minted] == [0, 1, 2]
    assert len({(value.node, value.clock_seq) for value in minted}) == 1


def test_the_node_of_version_1_is_random_and_never_a_network_card() -> None:
    nodes = {mint(MintByCount(1), FakeClock())[0].node for _ in range(20)}

    assert len(nodes) == 20
    assert all(node >> 40 & 1 for node in nodes)
    assert all(node < 1 << 48 for node in nodes)


@pytest.mark.parametrize(
    ("namespace", "name", "expected"),
    [
        ("dns", "www.example.com", "2ed6657d-e927-568b-95e1-2665a8aea6a2"),
        ("url", "http://www.example.com/", "fcde3c85-2270-590f-9e7c-ee003d65e0e2"),
        ("oid", "1.3.6.1", "1447fa61-5277-5fef-a9b3-fbc6e44f4af3"),
        ("x500", "cn=John Doe", "6b28d549-d26e-5bfc-ae5e-9a39af63dc3f"),
    ],
)
def test_version_5_follows_from_namespace_and_name(namespace: str, name: str, expected: str) -> None:
    [minted] = mint(MintByName(WELL_KNOWN_NAMESPACES[namespace], name), FakeClock())

    assert minted == UUID(expected)


def test_the_version_of_a_command_is_known_before_it_is_minted() -> None:
    assert version_of(MintByCount(7)) == 7
    assert version_of(MintByName(uuid.NAMESPACE_DNS, "example")) == 5


@pytest.mark.parametrize("share", [0, 0.5, 0.7, 1])  # at 0.7, a counter that may go further crosses its end
def test_the_counter_of_version_7_never_reaches_the_version_or_the_time(
    share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.app.services.minting.secrets.randbelow", lambda bound: int((bound - 1) * share))

    minted = mint(MintByCount(7, 1000), FakeClock(RFC_EXAMPLE))

    assert {inspect(value).version for value in minted} == {7}
    assert {inspect(value).timestamp for value in minted} == {RFC_EXAMPLE}
    counters = [value.int >> 64 & 0xFFF for value in minted]
    assert counters == list(range(counters[0], counters[0] + 1000))


def test_version_1_carries_its_ticks_from_one_field_to_the_next() -> None:
    # 2**32 ticks after the epoch is no whole number of microseconds: the last one before it is 6 ticks away.
    before = GREGORIAN_EPOCH + timedelta(microseconds=2**32 // 10)

    minted = mint(MintByCount(1, 7), FakeClock(before))

    assert [(value.time_low, value.time_mid) for value in minted[-2:]] == [(0xFFFFFFFF, 0), (0, 1)]
    assert [value.time for value in minted] == list(range(2**32 - 6, 2**32 + 1))


@pytest.mark.parametrize("version", [1, 7])
def test_a_clock_that_was_set_back_makes_earlier_uuids(version: CountedVersion) -> None:
    clock = FakeClock()
    [first] = mint(MintByCount(version), clock)
    earlier = clock.advance(seconds=-1)
    [second] = mint(MintByCount(version), clock)

    assert first != second
    assert inspect(second).timestamp == earlier
