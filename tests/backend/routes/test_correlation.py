from __future__ import annotations

import logging

import pytest
from flask.testing import FlaskClient

from tests.backend.routes.steps import document_in
from tests.backend.support import only_error_in, problem_in


@pytest.mark.parametrize("name", ["a", "7", "order-4711_retry.2", "x" * 64])
def test_the_name_of_a_request_comes_back(anyone: FlaskClient, name: str) -> None:
    answer = anyone.get("/healthz", headers={"X-Request-ID": name})
    document_in(answer)
    assert answer.headers.getlist("X-Request-ID") == [name]


def test_the_name_of_a_request_is_in_its_problem(reader: FlaskClient) -> None:
    answer = reader.get("/v1/namespaces/nowhere", headers={"X-Request-ID": "order-4711"})
    assert problem_in(answer, 404, "namespace-not-found")["correlation_id"] == "order-4711"


def test_a_request_without_a_name_gets_one_of_its_own(anyone: FlaskClient) -> None:
    names = {anyone.get("/healthz").headers["X-Request-ID"] for _ in range(3)}
    assert len(names) == 3
    assert all(len(name) == 16 and int(name, 16) >= 0 for name in names)


@pytest.mark.parametrize("name", ["", "-dash", ".dot", "two words", "x" * 65, "ümlaut", "<script>"])
def test_a_name_that_breaks_its_schema_is_refused_under_another_name(anyone: FlaskClient, name: str) -> None:
    answer = anyone.get("/healthz", headers={"X-Request-ID": name})
    wrong = only_error_in(answer, 400, "invalid-parameter")
    assert (wrong["in"], wrong["name"]) == ("header", "X-Request-ID")
    assert len(answer.headers["X-Request-ID"]) == 16
    assert name == "" or name not in answer.text


def test_the_name_is_judged_before_the_key_and_after_the_route(anyone: FlaskClient) -> None:
    invalid = {"X-Request-ID": "two words"}
    problem_in(anyone.get("/v1/namespaces", headers=invalid), 400, "invalid-parameter")
    problem_in(anyone.get("/nowhere", headers=invalid), 404, "route-not-found")
    problem_in(anyone.delete("/healthz", headers=invalid), 405, "method-not-allowed")


def test_the_log_has_the_request_under_its_name(reader: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="uuid_service"):
        reader.get("/v1/namespaces/nowhere", headers={"X-Request-ID": "order-4711"})
    [line] = [record.__dict__["fields"] for record in caplog.records if record.message == "request"]
    assert line.pop("milliseconds") >= 0
    assert line == {
        "correlation_id": "order-4711",
        "method": "GET",
        "route": "/v1/namespaces/<namespace>",
        "status": 404,
        "caller": "reader",
    }
