"""What the mobile app expects of the service."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from pact import match

from tests.consumers import keys
from tests.consumers.agreement import JSON, Agreement, cursor, record, refuse, timestamp
from tests.consumers.mobile_app import (
    Code,
    MobileApp,
    NotAllowedError,
    Parcel,
    SignInAgainError,
    Step,
    UnreadableCodeError,
    Verdict,
)

PARCEL: Final = "0193a1b2-0000-7000-8000-00000000a001"
OTHER: Final = "0193a1b2-0000-7000-8000-00000000a002"


@pytest.fixture
def agreement(pacts: Path) -> Agreement[MobileApp]:
    return Agreement("mobile-app", MobileApp, keys.MOBILE_APP, pacts)


def event(sequence: int, kind: str, at: str) -> dict[str, Any]:
    """Expect an event of a parcel's journey."""
    return {"sequence": sequence, "type": kind, "at": timestamp(at)}


def test_the_screen_about_shows_the_version_of_the_service(agreement: Agreement[MobileApp]) -> None:
    (
        agreement.upon("a look at the screen about", "GET", "/healthz")
        .will_respond_with(200)
        .with_body({"status": "ok", "version": match.regex("1.3.0", regex=r"^\d+\.\d+\.\d+$")}, JSON)
    )
    with agreement.client() as app:
        assert app.service_version() == "1.3.0"


@pytest.mark.parametrize(
    ("scanned", "version", "at"),
    [
        ("c232ab00-9414-11ec-b3c8-9f6bdeced846", 1, "2022-02-22T19:22:22.000000Z"),
        ("1ec9414c-232a-6b00-b3c8-9f6bdeced846", 6, "2022-02-22T19:22:22.000000Z"),
        ("017f22e2-79b0-7cc3-98c4-dc0c0c07398f", 7, "2022-02-22T19:22:22.000000Z"),
    ],
)
def test_a_scanned_code_with_a_time_says_when_it_was_minted(
    agreement: Agreement[MobileApp], scanned: str, version: int, at: str
) -> None:
    (
        agreement.upon(f"a scanned code of version {version}", "GET", f"/v1/uuids/{scanned}")
        .will_respond_with(200)
        .with_body(
            {
                "uuid": scanned,
                "urn": f"urn:uuid:{scanned}",
                "variant": "rfc9562",
                "version": version,
                "timestamp": at,
            },
            JSON,
        )
    )
    with agreement.client() as app:
        code = app.explain(scanned)
    assert code == Code(scanned, version, datetime(2022, 2, 22, 19, 22, 22, tzinfo=UTC))


def test_a_random_code_in_capital_letters_has_no_time(agreement: Agreement[MobileApp]) -> None:
    (
        agreement.upon("a scanned random code", "GET", "/v1/uuids/919108F7-52D1-4320-9BAC-F847DB4148A8")
        .will_respond_with(200)
        .with_body({"uuid": "919108f7-52d1-4320-9bac-f847db4148a8", "version": 4, "timestamp": None}, JSON)
    )
    with agreement.client() as app:
        code = app.explain("919108F7-52D1-4320-9BAC-F847DB4148A8")
    assert code == Code("919108f7-52d1-4320-9bac-f847db4148a8", 4, None)


def test_a_code_of_another_variant_has_no_version(agreement: Agreement[MobileApp]) -> None:
    scanned = "00000000-0000-0000-c000-000000000046"
    (
        agreement.upon("a scanned code of Microsoft's variant", "GET", f"/v1/uuids/{scanned}")
        .will_respond_with(200)
        .with_body({"uuid": scanned, "variant": "microsoft", "version": None, "timestamp": None}, JSON)
    )
    with agreement.client() as app:
        assert app.explain(scanned) == Code(scanned, None, None)


def test_a_scanned_text_that_is_no_uuid_is_unreadable(agreement: Agreement[MobileApp]) -> None:
    refuse(
        agreement.upon("a scanned text that is no UUID", "GET", "/v1/uuids/4006381333931"),
        400,
        "invalid-parameter",
        "A parameter of the request is not valid.",
        errors=[{"in": "path", "name": "uuid", "detail": match.str("must be a UUID of 36 characters")}],
    )
    with agreement.client() as app, pytest.raises(UnreadableCodeError) as refusal:
        app.explain("4006381333931")
    assert refusal.value.fields == (("uuid", "must be a UUID of 36 characters"),)


def test_a_known_parcel_shows_what_the_register_says(agreement: Agreement[MobileApp]) -> None:
    about: dict[str, Any] = {"label": "Two lamps", "metadata": {"weight": "3.5 kg"}}
    (
        agreement.upon("a look at a known parcel", "GET", f"/v1/records/{PARCEL}")
        .given("a namespace exists", name="parcels")
        .given("a record exists", uuid=PARCEL, namespace="parcels", owner="driver-7", **about)
        .will_respond_with(200)
        .with_body(record(PARCEL, "parcels", "driver-7", **about), JSON)
    )
    with agreement.client() as app:
        verdict = app.look_up(PARCEL)
    parcel = Parcel(PARCEL, "Two lamps", "driver-7", "active", {"weight": "3.5 kg"})
    assert verdict == Verdict(parcel, "Known.")


def test_a_parcel_that_was_never_registered_is_unknown(agreement: Agreement[MobileApp]) -> None:
    refuse(
        agreement.upon("a look at an unknown parcel", "GET", f"/v1/records/{PARCEL}").given(
            "no record has the UUID", uuid=PARCEL
        ),
        404,
        "record-not-found",
        f"The UUID {PARCEL} was never registered.",
    )
    with agreement.client() as app:
        assert app.look_up(PARCEL) == Verdict(None, "Unknown: not one of ours.")


def test_a_parcel_that_was_deleted_should_be_handed_in(agreement: Agreement[MobileApp]) -> None:
    refuse(
        agreement.upon("a look at a deleted parcel", "GET", f"/v1/records/{PARCEL}")
        .given("a namespace exists", name="parcels")
        .given("a record exists", uuid=PARCEL, namespace="parcels", owner="driver-7")
        .given("a record was deleted", uuid=PARCEL),
        410,
        "record-deleted",
        f"The record {PARCEL} was deleted.",
    )
    with agreement.client() as app:
        assert app.look_up(PARCEL) == Verdict(None, "Was one of ours: please hand it in.")


def test_a_phone_with_a_revoked_key_signs_in_again(agreement: Agreement[MobileApp]) -> None:
    refuse(
        agreement.upon(
            "a look at a parcel with a revoked key", "GET", f"/v1/records/{PARCEL}", key=keys.REVOKED
        ).with_header("WWW-Authenticate", 'ApiKey realm="uuid-service"', "Response"),
        401,
        "unauthorized",
        "The header X-API-Key is missing or has no known key.",
    )
    with agreement.client(key=keys.REVOKED) as app, pytest.raises(SignInAgainError):
        app.look_up(PARCEL)


def test_a_driver_sees_the_parcels_that_are_on_the_way(agreement: Agreement[MobileApp]) -> None:
    (
        agreement.upon("a look at a driver's parcels", "GET", "/v1/namespaces/parcels/records")
        .with_query_parameters({"owner": "driver-7", "state": "active"})
        .given("a namespace exists", name="parcels")
        .given("a record exists", uuid=PARCEL, namespace="parcels", owner="driver-7")
        .given("a record exists", uuid=OTHER, namespace="parcels", owner="driver-8")
        .will_respond_with(200)
        .with_body({"items": [record(PARCEL, "parcels", "driver-7")]}, JSON)
    )
    with agreement.client() as app:
        assert app.parcels_of("driver-7") == [Parcel(PARCEL, PARCEL, "driver-7", "active", {})]


def test_a_driver_without_parcels_sees_none(agreement: Agreement[MobileApp]) -> None:
    (
        agreement.upon("a look at the parcels of a driver who has none", "GET", "/v1/namespaces/parcels/records")
        .with_query_parameters({"owner": "driver-7", "state": "active"})
        .given("a namespace exists", name="parcels")
        .given("a record exists", uuid=PARCEL, namespace="parcels", owner="driver-7", state="retired")
        .will_respond_with(200)
        .with_body({"items": [], "next_cursor": None}, JSON)
    )
    with agreement.client() as app:
        assert app.parcels_of("driver-7") == []


def test_a_journey_is_read_page_by_page(agreement: Agreement[MobileApp]) -> None:
    def upon(description: str) -> Any:
        return (
            agreement.upon(description, "GET", f"/v1/records/{PARCEL}/events")
            .given("a namespace exists", name="parcels")
            .given("a record exists", uuid=PARCEL, namespace="parcels", owner="driver-7")
            .given("a record changed its state", uuid=PARCEL, to="suspended")
            .given("a record changed its state", uuid=PARCEL, to="active")
        )

    first, second, third = (f"2026-01-05T08:0{minute}:00.000000Z" for minute in range(3))
    (
        upon("the first page of a journey")
        .with_query_parameters({"limit": "2"})
        .will_respond_with(200)
        .with_body(
            {
                "items": [event(1, "registered", first), event(2, "suspended", second)],
                "next_cursor": cursor("0000000000000002"),
            },
            JSON,
        )
    )
    (
        upon("the last page of a journey")
        .with_query_parameters({"limit": "2", "cursor": cursor("0000000000000002", state_value="events_cursor")})
        .given("a page of events was read", uuid=PARCEL, limit=2)
        .will_respond_with(200)
        .with_body({"items": [event(3, "activated", third)], "next_cursor": None}, JSON)
    )
    with agreement.client() as app:
        journey = app.journey(PARCEL)
    assert journey == [
        Step("registered", datetime(2026, 1, 5, 8, 0, tzinfo=UTC)),
        Step("suspended", datetime(2026, 1, 5, 8, 1, tzinfo=UTC)),
        Step("activated", datetime(2026, 1, 5, 8, 2, tzinfo=UTC)),
    ]


def test_a_phone_may_not_report_a_parcel_as_lost(agreement: Agreement[MobileApp]) -> None:
    refuse(
        agreement.upon("a report of a lost parcel", "POST", f"/v1/records/{PARCEL}/transitions")
        .with_body({"to": "suspended", "reason": "Reported lost"}, JSON)
        .given("a namespace exists", name="parcels")
        .given("a record exists", uuid=PARCEL, namespace="parcels", owner="driver-7"),
        403,
        "scope-missing",
        "The key lacks the scope 'write'.",
    )
    with agreement.client() as app, pytest.raises(NotAllowedError, match="write"):
        app.report_lost(PARCEL)
