from __future__ import annotations

import pytest
from flask import Flask, abort

from backend.app.services import errors
from backend.app.utils.error_handling import FieldError, Problem, problem_of
from tests.backend.support import problem_in

REFUSALS: list[tuple[type[errors.ServiceError], int, str]] = [
    (errors.NamespaceNotFoundError, 404, "namespace-not-found"),
    (errors.RecordNotFoundError, 404, "record-not-found"),
    (errors.NamespaceTakenError, 409, "namespace-taken"),
    (errors.QuotaExceededError, 409, "quota-exceeded"),
    (errors.UuidTakenError, 409, "uuid-taken"),
    (errors.UuidDeletedError, 409, "uuid-deleted"),
    (errors.RecordRetiredError, 409, "record-retired"),
    (errors.MetadataLimitError, 409, "metadata-limit"),
    (errors.InvalidTransitionError, 409, "invalid-transition"),
    (errors.IdempotencyConflictError, 409, "idempotency-conflict"),
    (errors.RecordDeletedError, 410, "record-deleted"),
]


@pytest.mark.parametrize(("kind", "status", "code"), REFUSALS)
def test_a_refusal_of_the_rules_has_its_status_and_code(
    kind: type[errors.ServiceError], status: int, code: str
) -> None:
    problem = problem_of(kind("This is why."))

    assert (problem.status, problem.code, problem.detail) == (status, code, "This is why.")
    assert problem.title == kind.title
    assert not problem.headers


def test_a_stale_revision_comes_with_the_current_etag() -> None:
    problem = problem_of(errors.StaleRevisionError(7))

    assert (problem.status, problem.code) == (412, "stale-revision")
    assert "7" in problem.detail
    assert problem.headers == {"ETag": '"7"'}


def test_a_problem_document_says_which_parts_are_wrong(app: Flask) -> None:
    wrong = [FieldError("query", "limit", "must be small"), FieldError("body", "/name", "is required")]

    with app.test_request_context("/healthz"):
        app.preprocess_request()
        document = Problem(400, "invalid-parameter", "Invalid parameter", "Look.", errors=wrong).document()

    assert document["errors"] == [
        {"in": "query", "name": "limit", "detail": "must be small"},
        {"in": "body", "name": "/name", "detail": "is required"},
    ]


def test_what_flask_refuses_besides_is_a_problem_too(app: Flask) -> None:
    app.add_url_rule("/busy", view_func=lambda: abort(429))

    problem_in(app.test_client().get("/busy"), 429, "too-many-requests")
