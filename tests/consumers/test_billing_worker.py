"""What the billing worker expects of the service."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from pact import match

from tests.consumers import keys
from tests.consumers.agreement import JSON, Agreement, problem, record, refuse, uuid
from tests.consumers.billing_worker import (
    OWNER,
    AlreadyRegisteredError,
    Batch,
    BillingWorker,
    Invoice,
    NamespaceFullError,
    NoSuchNamespaceError,
    RejectedError,
    SettledError,
    WithdrawnError,
    WrongRunError,
)
from tests.consumers.service_client import ProblemError

FIRST: Final = Invoice("0193a1b2-0000-7000-8000-00000000b001", "2026-0001")
SECOND: Final = Invoice("0193a1b2-0000-7000-8000-00000000b002", "2026-0002")
RECORDS: Final = "/v1/namespaces/invoices/records"


@pytest.fixture
def agreement(pacts: Path) -> Agreement[BillingWorker]:
    return Agreement("billing-worker", BillingWorker, keys.BILLING_WORKER, pacts)


def draft(invoice: Invoice) -> dict[str, object]:
    """Write what the worker sends to register an invoice."""
    return {
        "uuid": invoice.uuid,
        "owner": OWNER,
        "label": f"Invoice {invoice.number}",
        "metadata": {"number": invoice.number},
    }


def registered(invoice: Invoice, **known: object) -> dict[str, object]:
    """Expect the record of an invoice."""
    about = {"label": f"Invoice {invoice.number}", "metadata": {"number": invoice.number}}
    return record(invoice.uuid, "invoices", OWNER, **about, **known)


def test_a_run_starts_when_the_service_is_ready(agreement: Agreement[BillingWorker]) -> None:
    (
        agreement.upon("a question whether the service is ready", "GET", "/readyz")
        .will_respond_with(200)
        .with_body({"status": "ready", "checks": {"database": "ok"}}, JSON)
    )
    with agreement.client() as worker:
        assert worker.is_service_ready()


def test_the_room_is_what_the_quota_leaves(agreement: Agreement[BillingWorker]) -> None:
    (
        agreement.upon("a question for the room in a namespace", "GET", "/v1/namespaces/invoices")
        .given("a namespace exists", name="invoices", quota=3)
        .given("a record exists", uuid=FIRST.uuid, namespace="invoices", owner=OWNER, state="retired")
        .given("a record exists", uuid=SECOND.uuid, namespace="invoices", owner=OWNER)
        .given("a record was deleted", uuid=SECOND.uuid)
        .will_respond_with(200)
        .with_body({"name": "invoices", "description": None, "quota": 3, "used": 1, "remaining": 2}, JSON)
    )
    with agreement.client() as worker:
        assert worker.room() == 2


def test_a_namespace_that_does_not_exist_has_no_room(agreement: Agreement[BillingWorker]) -> None:
    refuse(
        agreement.upon("a question for the room in no namespace", "GET", "/v1/namespaces/invoices").given(
            "no namespace has the name", name="invoices"
        ),
        404,
        "namespace-not-found",
        "There is no namespace 'invoices'.",
    )
    with agreement.client() as worker, pytest.raises(NoSuchNamespaceError, match="invoices"):
        worker.room()


def test_a_run_gets_uuids_that_sort_by_their_time(agreement: Agreement[BillingWorker]) -> None:
    (
        agreement.upon("the UUIDs of a run", "POST", "/v1/uuids")
        .with_header("Idempotency-Key", "run-2026-01-31")
        .with_body({"version": 7, "count": 2}, JSON)
        .will_respond_with(201)
        .with_header("Idempotency-Replayed", "false")
        .with_body(
            {"version": 7, "count": 2, "uuids": [uuid(FIRST.uuid, version=7), uuid(SECOND.uuid, version=7)]}, JSON
        )
    )
    with agreement.client() as worker:
        batch = worker.uuids_for_run("run-2026-01-31", 2)
    assert batch == Batch((FIRST.uuid, SECOND.uuid), repeated=False)


def test_a_repeated_run_gets_the_same_uuids(agreement: Agreement[BillingWorker]) -> None:
    given = [FIRST.uuid, SECOND.uuid]
    (
        agreement.upon("the UUIDs of a run once more", "POST", "/v1/uuids")
        .with_header("Idempotency-Key", "run-2026-01-31")
        .with_body({"version": 7, "count": 2}, JSON)
        .given("UUIDs were minted", caller=keys.BILLING_WORKER_NAME, key="run-2026-01-31", uuids=given)
        .will_respond_with(201)
        .with_header("Idempotency-Replayed", "true")
        .with_body({"version": 7, "count": 2, "uuids": given}, JSON)
    )
    with agreement.client() as worker:
        batch = worker.uuids_for_run("run-2026-01-31", 2)
    assert batch == Batch((FIRST.uuid, SECOND.uuid), repeated=True)


def test_a_run_of_another_size_under_the_same_name_is_a_mistake(agreement: Agreement[BillingWorker]) -> None:
    given = [FIRST.uuid, SECOND.uuid]
    refuse(
        agreement.upon("the UUIDs of a run that had another size", "POST", "/v1/uuids")
        .with_header("Idempotency-Key", "run-2026-01-31")
        .with_body({"version": 7, "count": 3}, JSON)
        .given("UUIDs were minted", caller=keys.BILLING_WORKER_NAME, key="run-2026-01-31", uuids=given),
        409,
        "idempotency-conflict",
        "This Idempotency-Key was used with another body.",
    )
    with agreement.client() as worker, pytest.raises(WrongRunError):
        worker.uuids_for_run("run-2026-01-31", 3)


def test_a_customer_always_has_the_same_uuid(agreement: Agreement[BillingWorker]) -> None:
    (
        agreement.upon("the UUID of a customer", "POST", "/v1/uuids")
        .with_body({"version": 5, "namespace": "dns", "name": "www.example.com"}, JSON)
        .will_respond_with(201)
        .with_body({"version": 5, "count": 1, "uuids": ["2ed6657d-e927-568b-95e1-2665a8aea6a2"]}, JSON)
    )
    with agreement.client() as worker:
        assert worker.uuid_of_customer("www.example.com") == "2ed6657d-e927-568b-95e1-2665a8aea6a2"


def test_a_customer_without_a_domain_has_no_uuid(agreement: Agreement[BillingWorker]) -> None:
    refuse(
        agreement.upon("the UUID of a customer without a domain", "POST", "/v1/uuids").with_body(
            {"version": 5, "namespace": "dns", "name": ""}, JSON
        ),
        422,
        "invalid-body",
        "The body breaks its schema.",
        errors=[{"in": "body", "name": "/name", "detail": match.str("must have 1 to 255 characters")}],
    )
    with agreement.client() as worker, pytest.raises(RejectedError) as refusal:
        worker.uuid_of_customer("")
    assert [field.name for field in refusal.value.fields] == ["/name"]


def test_a_registered_invoice_has_an_address(agreement: Agreement[BillingWorker]) -> None:
    (
        agreement.upon("a new invoice", "POST", RECORDS)
        .with_body(draft(FIRST), JSON)
        .given("a namespace exists", name="invoices")
        .given("no record has the UUID", uuid=FIRST.uuid)
        .will_respond_with(201)
        .with_header("Location", f"/v1/records/{FIRST.uuid}")
        .with_header("ETag", '"1"')
        .with_body(registered(FIRST), JSON)
    )
    with agreement.client() as worker:
        registration = worker.register(FIRST)
    assert (registration.uuid, registration.address) == (FIRST.uuid, f"/v1/records/{FIRST.uuid}")


def test_an_invoice_is_registered_only_once(agreement: Agreement[BillingWorker]) -> None:
    refuse(
        agreement.upon("an invoice that was registered before", "POST", RECORDS)
        .with_body(draft(FIRST), JSON)
        .given("a namespace exists", name="invoices")
        .given("a record exists", uuid=FIRST.uuid, namespace="invoices", owner=OWNER),
        409,
        "uuid-taken",
        f"The UUID {FIRST.uuid} is registered already.",
    )
    with agreement.client() as worker, pytest.raises(AlreadyRegisteredError):
        worker.register(FIRST)


def test_a_withdrawn_invoice_does_not_come_back(agreement: Agreement[BillingWorker]) -> None:
    refuse(
        agreement.upon("an invoice that was withdrawn", "POST", RECORDS)
        .with_body(draft(FIRST), JSON)
        .given("a namespace exists", name="invoices")
        .given("a record exists", uuid=FIRST.uuid, namespace="invoices", owner=OWNER)
        .given("a record was deleted", uuid=FIRST.uuid),
        409,
        "uuid-deleted",
        f"The UUID {FIRST.uuid} was registered and deleted.",
    )
    with agreement.client() as worker, pytest.raises(WithdrawnError):
        worker.register(FIRST)


def test_a_full_namespace_takes_no_more_invoices(agreement: Agreement[BillingWorker]) -> None:
    refuse(
        agreement.upon("an invoice for a full namespace", "POST", RECORDS)
        .with_body(draft(SECOND), JSON)
        .given("a namespace exists", name="invoices", quota=1)
        .given("a record exists", uuid=FIRST.uuid, namespace="invoices", owner=OWNER),
        409,
        "quota-exceeded",
        "The namespace 'invoices' is at its quota of 1.",
    )
    with agreement.client() as worker, pytest.raises(NamespaceFullError, match="quota"):
        worker.register(SECOND)


def test_several_invoices_are_registered_at_once(agreement: Agreement[BillingWorker]) -> None:
    (
        agreement.upon("two new invoices", "POST", f"{RECORDS}/batch")
        .with_body({"items": [draft(FIRST), draft(SECOND)]}, JSON)
        .given("a namespace exists", name="invoices", quota=2)
        .will_respond_with(200)
        .with_body(
            {
                "created": 2,
                "failed": 0,
                "results": [
                    {"index": 0, "status": 201, "record": registered(FIRST)},
                    {"index": 1, "status": 201, "record": registered(SECOND)},
                ],
            },
            JSON,
        )
    )
    with agreement.client() as worker:
        outcome = worker.register_all([FIRST, SECOND])
    assert outcome.registered == (FIRST.uuid, SECOND.uuid)
    assert outcome.refused == {}


def test_an_invoice_that_is_refused_does_not_stop_the_others(agreement: Agreement[BillingWorker]) -> None:
    third = Invoice("0193a1b2-0000-7000-8000-00000000b003", "2026-0003")
    (
        agreement.upon("three invoices, one known before and one too many", "POST", f"{RECORDS}/batch")
        .with_body({"items": [draft(FIRST), draft(SECOND), draft(third)]}, JSON)
        .given("a namespace exists", name="invoices", quota=2)
        .given("a record exists", uuid=FIRST.uuid, namespace="invoices", owner=OWNER)
        .will_respond_with(207)
        .with_body(
            {
                "created": 1,
                "failed": 2,
                "results": [
                    {"index": 0, "status": 409, "problem": problem(409, "uuid-taken", "It is registered already.")},
                    {"index": 1, "status": 201, "record": registered(SECOND)},
                    {"index": 2, "status": 409, "problem": problem(409, "quota-exceeded", "It is at its quota.")},
                ],
            },
            JSON,
        )
    )
    with agreement.client() as worker:
        outcome = worker.register_all([FIRST, SECOND, third])
    assert outcome.registered == (SECOND.uuid,)
    assert outcome.refused == {"2026-0001": "uuid-taken", "2026-0003": "quota-exceeded"}


def test_invoices_are_refused_together_when_one_is_not_fit(agreement: Agreement[BillingWorker]) -> None:
    unfit = Invoice("00000000-0000-0000-0000-000000000000", "2026-0002")
    refuse(
        agreement.upon("two invoices, one with the nil UUID", "POST", f"{RECORDS}/batch")
        .with_body({"items": [draft(FIRST), draft(unfit)]}, JSON)
        .given("a namespace exists", name="invoices"),
        422,
        "invalid-body",
        "The body breaks its schema.",
        errors=[{"in": "body", "name": "/items/1/uuid", "detail": match.str("must be a UUID of version 1 to 8")}],
    )
    with agreement.client() as worker, pytest.raises(RejectedError) as refusal:
        worker.register_all([FIRST, unfit])
    assert [field.name for field in refusal.value.fields] == ["/items/1/uuid"]


def test_invoices_for_a_namespace_that_does_not_exist_stop_the_run(agreement: Agreement[BillingWorker]) -> None:
    refuse(
        agreement.upon("an invoice for no namespace", "POST", f"{RECORDS}/batch")
        .with_body({"items": [draft(FIRST)]}, JSON)
        .given("no namespace has the name", name="invoices"),
        404,
        "namespace-not-found",
        "There is no namespace 'invoices'.",
    )
    with agreement.client() as worker, pytest.raises(NoSuchNamespaceError):
        worker.register_all([FIRST])


def test_a_disputed_invoice_is_suspended(agreement: Agreement[BillingWorker]) -> None:
    (
        agreement.upon("a dispute", "POST", f"/v1/records/{FIRST.uuid}/transitions")
        .with_body({"to": "suspended", "reason": "Wrong address"}, JSON)
        .given("a namespace exists", name="invoices")
        .given("a record exists", uuid=FIRST.uuid, namespace="invoices", owner=OWNER)
        .will_respond_with(200)
        .with_header("ETag", '"2"')
        .with_body(record(FIRST.uuid, "invoices", OWNER, state="suspended", revision=2), JSON)
    )
    with agreement.client() as worker:
        assert worker.dispute(FIRST.uuid, "Wrong address") == "suspended"


def test_a_disputed_invoice_can_be_settled(agreement: Agreement[BillingWorker]) -> None:
    (
        agreement.upon("a payment of a disputed invoice", "POST", f"/v1/records/{FIRST.uuid}/transitions")
        .with_body({"to": "retired"}, JSON)
        .given("a namespace exists", name="invoices")
        .given("a record exists", uuid=FIRST.uuid, namespace="invoices", owner=OWNER, state="suspended")
        .will_respond_with(200)
        .with_header("ETag", '"3"')
        .with_body(record(FIRST.uuid, "invoices", OWNER, state="retired", revision=3), JSON)
    )
    with agreement.client() as worker:
        assert worker.settle(FIRST.uuid) == "retired"


def test_a_settled_invoice_is_not_disputed_any_more(agreement: Agreement[BillingWorker]) -> None:
    refuse(
        agreement.upon("a dispute of a settled invoice", "POST", f"/v1/records/{FIRST.uuid}/transitions")
        .with_body({"to": "suspended", "reason": "Too late"}, JSON)
        .given("a namespace exists", name="invoices")
        .given("a record exists", uuid=FIRST.uuid, namespace="invoices", owner=OWNER, state="retired"),
        409,
        "invalid-transition",
        "A record that is retired can't become suspended.",
    )
    with agreement.client() as worker, pytest.raises(SettledError):
        worker.dispute(FIRST.uuid, "Too late")


def test_withdrawing_an_invoice_that_was_never_registered_is_a_mistake(agreement: Agreement[BillingWorker]) -> None:
    refuse(
        agreement.upon("a withdrawal of an unknown invoice", "DELETE", f"/v1/records/{FIRST.uuid}").given(
            "no record has the UUID", uuid=FIRST.uuid
        ),
        404,
        "record-not-found",
        f"The UUID {FIRST.uuid} was never registered.",
    )
    with agreement.client() as worker, pytest.raises(ProblemError) as refusal:
        worker.withdraw(FIRST.uuid)
    assert (refusal.value.status, refusal.value.code) == (404, "record-not-found")
