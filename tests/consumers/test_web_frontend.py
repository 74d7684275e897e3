"""What the web front end expects of the service."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest
from pact import match

from tests.consumers import keys
from tests.consumers.agreement import JSON, Agreement, cursor, record, refuse, timestamp, uuid
from tests.consumers.web_frontend import (
    ChangedElsewhereError,
    DeletedError,
    Form,
    FormError,
    HistoryEntry,
    NamespaceCard,
    NameTakenError,
    NotLoadedError,
    NotThereError,
    ReadOnlyError,
    Row,
    SignedOutError,
    WebFrontend,
)

FIRST: Final = "0193a1b2-0000-7000-8000-00000000f001"
SECOND: Final = "0193a1b2-0000-7000-8000-00000000f002"
THIRD: Final = "0193a1b2-0000-7000-8000-00000000f003"
MERGE_PATCH: Final = "application/merge-patch+json"


@pytest.fixture
def agreement(pacts: Path) -> Agreement[WebFrontend]:
    return Agreement("web-frontend", WebFrontend, keys.WEB_FRONTEND, pacts)


def test_the_start_page_shows_how_full_each_namespace_is(agreement: Agreement[WebFrontend]) -> None:
    namespace = {
        "name": match.regex("catalogue", regex="^[a-z][a-z0-9-]{1,38}[a-z0-9]$"),
        "description": match.str("Things for sale"),
        "quota": match.int(2),
        "used": match.int(2),
        "remaining": match.int(0),
        "created_at": timestamp(),
    }
    (
        agreement.upon("a look at the start page", "GET", "/v1/namespaces")
        .with_query_parameters({"limit": "100"})
        .given("a namespace exists", name="catalogue", quota=2, description="Things for sale")
        .will_respond_with(200)
        .with_body({"items": match.each_like(namespace, min=1), "next_cursor": None}, JSON)
    )
    with agreement.client() as frontend:
        cards = frontend.namespaces()
    assert cards == [NamespaceCard("catalogue", "Things for sale", used=2, quota=2)]
    assert cards[0].is_full


def test_who_has_no_valid_key_is_signed_out(agreement: Agreement[WebFrontend]) -> None:
    refuse(
        agreement.upon("a look at the start page with a revoked key", "GET", "/v1/namespaces", key=keys.REVOKED)
        .with_query_parameters({"limit": "100"})
        .with_header("WWW-Authenticate", 'ApiKey realm="uuid-service"', "Response"),
        401,
        "unauthorized",
        "The header X-API-Key is missing or has no known key.",
    )
    with agreement.client(key=keys.REVOKED) as frontend, pytest.raises(SignedOutError) as refusal:
        frontend.namespaces()
    assert (refusal.value.status, refusal.value.code) == (401, "unauthorized")


def test_a_new_namespace_is_empty(agreement: Agreement[WebFrontend]) -> None:
    wanted = {"name": "catalogue", "description": "Things for sale", "quota": 25}
    (
        agreement.upon("a new namespace", "POST", "/v1/namespaces")
        .with_body(wanted, JSON)
        .given("no namespace has the name", name="catalogue")
        .will_respond_with(201)
        .with_header("Location", "/v1/namespaces/catalogue")
        .with_body({**wanted, "used": 0, "remaining": 25, "created_at": timestamp()}, JSON)
    )
    with agreement.client() as frontend:
        card = frontend.create_namespace("catalogue", "Things for sale", 25)
    assert card == NamespaceCard("catalogue", "Things for sale", used=0, quota=25)
    assert not card.is_full


def test_the_name_of_a_namespace_is_taken_only_once(agreement: Agreement[WebFrontend]) -> None:
    refuse(
        agreement.upon("a new namespace with the name of another", "POST", "/v1/namespaces")
        .with_body({"name": "catalogue", "description": "The other one", "quota": 5}, JSON)
        .given("a namespace exists", name="catalogue"),
        409,
        "namespace-taken",
        "There is a namespace 'catalogue' already.",
    )
    with agreement.client() as frontend, pytest.raises(NameTakenError, match="already"):
        frontend.create_namespace("catalogue", "The other one", 5)


def test_a_form_with_a_bad_name_says_which_field_is_wrong(agreement: Agreement[WebFrontend]) -> None:
    refuse(
        agreement.upon("a new namespace with a name that is not allowed", "POST", "/v1/namespaces").with_body(
            {"name": "My Things", "description": "", "quota": 5}, JSON
        ),
        422,
        "invalid-body",
        "The body breaks its schema.",
        errors=[{"in": "body", "name": "/name", "detail": match.str("must be lower case")}],
    )
    with agreement.client() as frontend, pytest.raises(FormError) as refusal:
        frontend.create_namespace("My Things", "", 5)
    assert refusal.value.fields == (("/name", "must be lower case"),)


def test_a_table_has_the_records_that_a_filter_leaves(agreement: Agreement[WebFrontend]) -> None:
    (
        agreement.upon("a table of one owner's suspended records", "GET", "/v1/namespaces/catalogue/records")
        .with_query_parameters({"state": "suspended", "owner": "team-shop", "limit": "20"})
        .given("a namespace exists", name="catalogue")
        .given("a record exists", uuid=FIRST, namespace="catalogue", owner="team-shop", state="active")
        .given("a record exists", uuid=SECOND, namespace="catalogue", owner="team-shop", state="suspended")
        .given("a record exists", uuid=THIRD, namespace="catalogue", owner="team-press", state="suspended")
        .will_respond_with(200)
        .with_body(
            {"items": [record(SECOND, "catalogue", "team-shop", state="suspended", revision=2)], "next_cursor": None},
            JSON,
        )
    )
    with agreement.client() as frontend:
        table = frontend.records("catalogue", state="suspended", owner="team-shop")
    assert table.rows == (Row(SECOND, "team-shop", "", "suspended"),)
    assert table.more is None


def test_a_long_table_comes_in_pages(agreement: Agreement[WebFrontend]) -> None:
    (
        agreement.upon("the first page of a long table", "GET", "/v1/namespaces/catalogue/records")
        .with_query_parameters({"limit": "2"})
        .given("a namespace exists", name="catalogue")
        .given("a record exists", uuid=FIRST, namespace="catalogue", owner="team-shop", label="Lamp")
        .given("a record exists", uuid=SECOND, namespace="catalogue", owner="team-shop", label="Chair")
        .given("a record exists", uuid=THIRD, namespace="catalogue", owner="team-shop", label="Table")
        .will_respond_with(200)
        .with_body(
            {
                "items": [
                    record(FIRST, "catalogue", "team-shop", label="Lamp"),
                    record(SECOND, "catalogue", "team-shop", label="Chair"),
                ],
                "next_cursor": cursor("000000000000002a"),
            },
            JSON,
        )
    )
    with agreement.client() as frontend:
        table = frontend.records("catalogue", limit=2)
    assert [row.label for row in table.rows] == ["Lamp", "Chair"]
    assert table.more == "000000000000002a"


def test_the_link_more_leads_to_the_rows_that_follow(agreement: Agreement[WebFrontend]) -> None:
    (
        agreement.upon("the last page of a long table", "GET", "/v1/namespaces/catalogue/records")
        .with_query_parameters({"limit": "2", "cursor": cursor("000000000000002a", state_value="records_cursor")})
        .given("a namespace exists", name="catalogue")
        .given("a record exists", uuid=FIRST, namespace="catalogue", owner="team-shop", label="Lamp")
        .given("a record exists", uuid=SECOND, namespace="catalogue", owner="team-shop", label="Chair")
        .given("a record exists", uuid=THIRD, namespace="catalogue", owner="team-shop", label="Table")
        .given("a page of records was read", namespace="catalogue", limit=2)
        .will_respond_with(200)
        .with_body({"items": [record(THIRD, "catalogue", "team-shop", label="Table")], "next_cursor": None}, JSON)
    )
    with agreement.client() as frontend:
        table = frontend.records("catalogue", limit=2, more="000000000000002a")
    assert [row.label for row in table.rows] == ["Table"]
    assert table.more is None


def test_a_table_of_a_namespace_that_does_not_exist_is_not_there(agreement: Agreement[WebFrontend]) -> None:
    refuse(
        agreement.upon("a table of a namespace that does not exist", "GET", "/v1/namespaces/catalog/records")
        .with_query_parameters({"limit": "20"})
        .given("no namespace has the name", name="catalog"),
        404,
        "namespace-not-found",
        "There is no namespace 'catalog'.",
    )
    with agreement.client() as frontend, pytest.raises(NotThereError):
        frontend.records("catalog")


def test_a_form_opens_with_the_revision_that_it_shows(agreement: Agreement[WebFrontend]) -> None:
    (
        agreement.upon("a form", "GET", f"/v1/records/{FIRST}")
        .given("a namespace exists", name="catalogue")
        .given(
            "a record exists",
            uuid=FIRST,
            namespace="catalogue",
            owner="team-shop",
            label="Lamp",
            metadata={"colour": "red"},
        )
        .given("a record was relabelled", uuid=FIRST, label="Desk lamp")
        .will_respond_with(200)
        .with_header("ETag", '"2"')
        .with_body(
            record(FIRST, "catalogue", "team-shop", label="Desk lamp", metadata={"colour": "red"}, revision=2), JSON
        )
    )
    with agreement.client() as frontend:
        form = frontend.open(FIRST)
    assert form == Form(FIRST, "team-shop", "Desk lamp", {"colour": "red"}, "active", '"2"')


def test_a_form_of_a_record_that_was_never_registered_is_not_there(agreement: Agreement[WebFrontend]) -> None:
    refuse(
        agreement.upon("a form of a record that was never registered", "GET", f"/v1/records/{FIRST}").given(
            "no record has the UUID", uuid=FIRST
        ),
        404,
        "record-not-found",
        f"The UUID {FIRST} was never registered.",
    )
    with agreement.client() as frontend, pytest.raises(NotThereError):
        frontend.open(FIRST)


def test_a_form_of_a_deleted_record_is_gone(agreement: Agreement[WebFrontend]) -> None:
    refuse(
        agreement.upon("a form of a deleted record", "GET", f"/v1/records/{FIRST}")
        .given("a namespace exists", name="catalogue")
        .given("a record exists", uuid=FIRST, namespace="catalogue", owner="team-shop")
        .given("a record was deleted", uuid=FIRST),
        410,
        "record-deleted",
        f"The record {FIRST} was deleted.",
    )
    with agreement.client() as frontend, pytest.raises(DeletedError):
        frontend.open(FIRST)


def test_saving_a_form_changes_what_was_changed_and_empties_what_was_emptied(
    agreement: Agreement[WebFrontend],
) -> None:
    changes = {"label": None, "metadata": {"colour": None, "size": "large"}}
    (
        agreement.upon("a saved form", "PATCH", f"/v1/records/{FIRST}")
        .with_header("If-Match", '"1"')
        .with_body(changes, MERGE_PATCH)
        .given("a namespace exists", name="catalogue")
        .given(
            "a record exists",
            uuid=FIRST,
            namespace="catalogue",
            owner="team-shop",
            label="Lamp",
            metadata={"colour": "red", "shelf": "12"},
        )
        .will_respond_with(200)
        .with_header("ETag", '"2"')
        .with_body(
            record(FIRST, "catalogue", "team-shop", metadata={"shelf": "12", "size": "large"}, revision=2),
            JSON,
        )
    )
    with agreement.client() as frontend:
        form = frontend.save(FIRST, changes, '"1"')
    assert form == Form(FIRST, "team-shop", "", {"shelf": "12", "size": "large"}, "active", '"2"')


def test_a_field_that_was_emptied_is_not_there_any_more(agreement: Agreement[WebFrontend]) -> None:
    # Pact overlooks members that nobody expects, unless the keys themselves are expected to be some.
    left = match.each_key_matches({"shelf": "12"}, rules=match.regex("shelf", regex="^shelf$"))
    (
        agreement.upon("a saved form with an emptied field", "PATCH", f"/v1/records/{FIRST}")
        .with_header("If-Match", "*")
        .with_body({"metadata": {"colour": None}}, MERGE_PATCH)
        .given("a namespace exists", name="catalogue")
        .given(
            "a record exists",
            uuid=FIRST,
            namespace="catalogue",
            owner="team-shop",
            metadata={"colour": "red", "shelf": "12"},
        )
        .will_respond_with(200)
        .with_header("ETag", '"2"')
        .with_body(record(FIRST, "catalogue", "team-shop", metadata=left, revision=2), JSON)
    )
    with agreement.client() as frontend:
        form = frontend.save(FIRST, {"metadata": {"colour": None}}, "*")
    assert form.metadata == {"shelf": "12"}


def test_saving_a_form_that_is_out_of_date_says_what_is_there_now(agreement: Agreement[WebFrontend]) -> None:
    refuse(
        agreement.upon("a saved form that is out of date", "PATCH", f"/v1/records/{FIRST}")
        .with_header("If-Match", '"1"')
        .with_body({"owner": "team-press"}, MERGE_PATCH)
        .given("a namespace exists", name="catalogue")
        .given("a record exists", uuid=FIRST, namespace="catalogue", owner="team-shop")
        .given("a record was relabelled", uuid=FIRST, label="Desk lamp")
        .given("a record was relabelled", uuid=FIRST, label="Floor lamp")
        .with_header("ETag", '"3"', "Response"),
        412,
        "stale-revision",
        "The record is at revision 3 by now.",
    )
    with agreement.client() as frontend, pytest.raises(ChangedElsewhereError) as refusal:
        frontend.save(FIRST, {"owner": "team-press"}, '"1"')
    assert refusal.value.etag == '"3"'


def test_saving_a_form_that_lost_its_revision_asks_to_load_it(agreement: Agreement[WebFrontend]) -> None:
    refuse(
        agreement.upon("a saved form that lost its revision", "PATCH", f"/v1/records/{FIRST}")
        .with_body({"label": "Lamp"}, MERGE_PATCH)
        .given("a namespace exists", name="catalogue")
        .given("a record exists", uuid=FIRST, namespace="catalogue", owner="team-shop"),
        428,
        "precondition-required",
        "A change needs If-Match.",
    )
    with agreement.client() as frontend, pytest.raises(NotLoadedError):
        frontend.save(FIRST, {"label": "Lamp"}, None)


def test_a_retired_record_is_read_only(agreement: Agreement[WebFrontend]) -> None:
    refuse(
        agreement.upon("a saved form of a retired record", "PATCH", f"/v1/records/{FIRST}")
        .with_header("If-Match", '"2"')
        .with_body({"label": "Lamp"}, MERGE_PATCH)
        .given("a namespace exists", name="catalogue")
        .given("a record exists", uuid=FIRST, namespace="catalogue", owner="team-shop", state="retired"),
        409,
        "record-retired",
        f"The record {FIRST} is retired.",
    )
    with agreement.client() as frontend, pytest.raises(ReadOnlyError):
        frontend.save(FIRST, {"label": "Lamp"}, '"2"')


def test_a_saved_form_with_a_bad_owner_says_which_field_is_wrong(agreement: Agreement[WebFrontend]) -> None:
    refuse(
        agreement.upon("a saved form with an owner that is not allowed", "PATCH", f"/v1/records/{FIRST}")
        .with_header("If-Match", '"1"')
        .with_body({"owner": "The Shop"}, MERGE_PATCH)
        .given("a namespace exists", name="catalogue")
        .given("a record exists", uuid=FIRST, namespace="catalogue", owner="team-shop"),
        422,
        "invalid-body",
        "The body breaks its schema.",
        errors=[{"in": "body", "name": "/owner", "detail": match.str("must be lower case")}],
    )
    with agreement.client() as frontend, pytest.raises(FormError) as refusal:
        frontend.save(FIRST, {"owner": "The Shop"}, '"1"')
    assert refusal.value.fields == (("/owner", "must be lower case"),)


def test_deleting_a_record_says_nothing(agreement: Agreement[WebFrontend]) -> None:
    (
        agreement.upon("a deletion", "DELETE", f"/v1/records/{FIRST}")
        .given("a namespace exists", name="catalogue")
        .given("a record exists", uuid=FIRST, namespace="catalogue", owner="team-shop")
        .will_respond_with(204)
    )
    with agreement.client() as frontend:
        frontend.delete(FIRST)


def test_deleting_what_somebody_else_deleted_is_as_good(agreement: Agreement[WebFrontend]) -> None:
    refuse(
        agreement.upon("a deletion of a record that is gone", "DELETE", f"/v1/records/{FIRST}")
        .given("a namespace exists", name="catalogue")
        .given("a record exists", uuid=FIRST, namespace="catalogue", owner="team-shop")
        .given("a record was deleted", uuid=FIRST),
        410,
        "record-deleted",
        f"The record {FIRST} was deleted.",
    )
    with agreement.client() as frontend:
        frontend.delete(FIRST)


def test_the_history_says_what_happened_and_why(agreement: Agreement[WebFrontend]) -> None:
    who = match.regex("alice", regex="^[a-z][a-z0-9._-]{0,39}$")
    registered, relabelled, suspended = (f"2026-01-05T08:0{minute}:00.000000Z" for minute in range(3))
    (
        agreement.upon("a history", "GET", f"/v1/records/{FIRST}/events")
        .given("a namespace exists", name="catalogue")
        .given("a record exists", uuid=FIRST, namespace="catalogue", owner="team-shop")
        .given("a record was relabelled", uuid=FIRST, label="Desk lamp")
        .given("a record changed its state", uuid=FIRST, to="suspended", reason="Sold out")
        .will_respond_with(200)
        .with_body(
            {
                "items": [
                    {
                        "sequence": 1,
                        "type": "registered",
                        "at": timestamp(registered),
                        "actor": who,
                        "reason": None,
                    },
                    {"sequence": 2, "type": "updated", "at": timestamp(relabelled), "actor": who, "reason": None},
                    {
                        "sequence": 3,
                        "type": "suspended",
                        "at": timestamp(suspended),
                        "actor": who,
                        "reason": "Sold out",
                    },
                ],
                "next_cursor": None,
            },
            JSON,
        )
    )
    with agreement.client() as frontend:
        history = frontend.history(FIRST)
    assert history == [
        HistoryEntry(datetime(2026, 1, 5, 8, 0, tzinfo=UTC), "registered", "alice", ""),
        HistoryEntry(datetime(2026, 1, 5, 8, 1, tzinfo=UTC), "updated", "alice", ""),
        HistoryEntry(datetime(2026, 1, 5, 8, 2, tzinfo=UTC), "suspended", "alice", "Sold out"),
    ]


def test_the_form_of_a_new_record_suggests_a_random_uuid(agreement: Agreement[WebFrontend]) -> None:
    suggestion = "919108f7-52d1-4320-9bac-f847db4148a8"
    (
        agreement.upon("a random UUID for a new record", "POST", "/v1/uuids")
        .with_body({"version": 4}, JSON)
        .will_respond_with(201)
        .with_header("Idempotency-Replayed", "false")
        .with_body({"version": 4, "count": 1, "uuids": [uuid(suggestion, version=4)]}, JSON)
    )
    with agreement.client() as frontend:
        assert frontend.suggest_uuid() == suggestion
