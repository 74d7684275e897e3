from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.backend.routes.steps import OPERATIONS, create_namespace, document_in, register
from tests.backend.support import EDITOR, problem_in

GUARDED = [(method, path) for method, path, scope in OPERATIONS if scope]
READ_ONLY = [(method, path) for method, path, scope in OPERATIONS if scope == "read"]
WRITE_ONLY = [(method, path) for method, path, scope in OPERATIONS if scope == "write"]
OPEN = [(method, path) for method, path, scope in OPERATIONS if scope is None]


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_an_operation_needs_a_key(anyone: FlaskClient, method: str, path: str) -> None:
    answer = anyone.open(path, method=method)
    problem_in(answer, 401, "unauthorized")
    assert answer.headers["WWW-Authenticate"] == 'ApiKey realm="uuid-service"'


@pytest.mark.parametrize("secret", ["", "wrong", "editor", EDITOR.secret.upper(), f"{EDITOR.secret}x", "schlüssel"])
def test_an_unknown_key_is_refused_and_not_repeated(anyone: FlaskClient, secret: str) -> None:
    answer = anyone.get("/v1/namespaces", headers={"X-API-Key": secret})
    problem_in(answer, 401, "unauthorized")
    assert secret == "" or secret not in answer.text


@pytest.mark.parametrize(("method", "path"), WRITE_ONLY)
def test_a_reader_may_not_write(reader: FlaskClient, method: str, path: str) -> None:
    answer = reader.open(path, method=method)
    assert "'write'" in problem_in(answer, 403, "scope-missing")["detail"]


@pytest.mark.parametrize(("method", "path"), READ_ONLY)
def test_a_writer_may_not_read(writer: FlaskClient, method: str, path: str) -> None:
    answer = writer.open(path, method=method)
    assert "'read'" in problem_in(answer, 403, "scope-missing")["detail"]


@pytest.mark.parametrize(("method", "path"), OPEN)
def test_those_who_run_the_service_need_no_key(anyone: FlaskClient, method: str, path: str) -> None:
    document_in(anyone.open(path, method=method))


def test_one_scope_is_enough(reader: FlaskClient, writer: FlaskClient) -> None:
    document_in(create_namespace(writer), 201)
    document_in(register(writer), 201)
    assert len(document_in(reader.get("/v1/namespaces/payments/records"))["items"]) == 1


def test_a_refused_caller_changes_nothing(reader: FlaskClient, anyone: FlaskClient, record: str) -> None:
    problem_in(reader.delete(f"/v1/records/{record}"), 403, "scope-missing")
    problem_in(anyone.delete(f"/v1/records/{record}"), 401, "unauthorized")
    assert document_in(reader.get(f"/v1/records/{record}"))["revision"] == 1


def test_the_key_is_judged_before_parameters_and_body(anyone: FlaskClient, reader: FlaskClient) -> None:
    path = "/v1/namespaces/NOWHERE/records?unknown=1"
    problem_in(anyone.post(path, data="{"), 401, "unauthorized")
    problem_in(reader.post(path, data="{"), 403, "scope-missing")
