from __future__ import annotations

import logging

import pytest
from flask.testing import FlaskClient

from backend.app.services import namespaces
from tests.backend.routes.steps import OPERATIONS, UUID, WITH_BODY, document_in
from tests.backend.support import MERGE_PATCH, only_error_in, problem_in

LISTS = ("/v1/namespaces", "/v1/namespaces/payments/records", f"/v1/records/{UUID}/events")


def media_type_of(method: str) -> str:
    return MERGE_PATCH if method == "PATCH" else "application/json"


class TestRoutes:
    @pytest.mark.parametrize(
        "path", ["/", "/v1", "/v2/uuids", "/v1/uuids/", "/v1//uuids", "/V1/uuids", f"/v1/records/{UUID}/notes"]
    )
    def test_a_path_without_a_route_is_not_found(self, editor: FlaskClient, path: str) -> None:
        problem_in(editor.get(path), 404, "route-not-found")

    @pytest.mark.parametrize(
        ("method", "path", "allowed"),
        [
            ("GET", "/v1/uuids", {"POST"}),
            ("DELETE", "/v1/namespaces", {"GET", "HEAD", "POST"}),
            ("PUT", f"/v1/records/{UUID}", {"DELETE", "GET", "HEAD", "PATCH"}),
            ("GET", f"/v1/records/{UUID}/transitions", {"POST"}),
            ("POST", "/healthz", {"GET", "HEAD"}),
        ],
    )
    def test_another_method_is_refused_with_those_that_are_allowed(
        self, editor: FlaskClient, method: str, path: str, allowed: set[str]
    ) -> None:
        answer = editor.open(path, method=method)
        problem_in(answer, 405, "method-not-allowed")
        assert {name.strip() for name in answer.headers["Allow"].split(",")} == {*allowed, "OPTIONS"}


class TestQuery:
    @pytest.mark.parametrize(("method", "path", "scope"), OPERATIONS)
    def test_an_unknown_parameter_is_refused(
        self, editor: FlaskClient, method: str, path: str, scope: str | None
    ) -> None:
        wrong = only_error_in(editor.open(f"{path}?verbose=1", method=method), 400, "invalid-parameter")
        assert (wrong["in"], wrong["name"]) == ("query", "verbose")

    @pytest.mark.parametrize("path", LISTS)
    @pytest.mark.parametrize("query", ["limit=2&limit=2", "cursor=0000000000000001&cursor=0000000000000002"])
    def test_a_parameter_that_comes_twice_is_refused(self, editor: FlaskClient, path: str, query: str) -> None:
        wrong = only_error_in(editor.get(f"{path}?{query}"), 400, "invalid-parameter")
        assert (wrong["in"], wrong["name"]) == ("query", query.partition("=")[0])

    @pytest.mark.parametrize(
        "query",
        [
            *("limit=0", "limit=101", "limit=-1", "limit=", "limit=two", "limit=1.0", "limit=02", "limit=%D9%A1"),
            *("cursor=", "cursor=1", "cursor=000000000000000G", "cursor=8000000000000000", "cursor=00000000000000AB"),
            *("state=deleted", "state=", "state=Active", "owner=X", "owner="),
        ],
    )
    def test_a_value_that_breaks_its_schema_is_refused(self, reader: FlaskClient, query: str) -> None:
        answer = reader.get(f"/v1/namespaces/payments/records?{query}")
        wrong = only_error_in(answer, 400, "invalid-parameter")
        assert (wrong["in"], wrong["name"]) == ("query", query.partition("=")[0])

    @pytest.mark.parametrize("limit", [1, 100])
    def test_the_smallest_and_the_largest_limit_are_taken(self, reader: FlaskClient, limit: int) -> None:
        document_in(reader.get(f"/v1/namespaces?limit={limit}"))

    def test_the_name_of_an_unknown_parameter_is_shown_short_and_in_ascii(self, reader: FlaskClient) -> None:
        answer = reader.get("/v1/namespaces", query_string={"ä" + "x" * 200: "1"})
        assert only_error_in(answer, 400, "invalid-parameter")["name"] == "\\xe4" + "x" * 76


class TestBody:
    @pytest.mark.parametrize(("method", "path"), WITH_BODY)
    def test_a_body_of_another_media_type_is_refused(self, editor: FlaskClient, method: str, path: str) -> None:
        wanted = media_type_of(method)
        for media_type in {"text/plain", "application/json", MERGE_PATCH} - {wanted}:
            answer = editor.open(path, method=method, data="{}", content_type=media_type, headers={"If-Match": "*"})
            assert wanted in problem_in(answer, 415, "unsupported-media-type")["detail"]

    @pytest.mark.parametrize(("method", "path"), WITH_BODY)
    def test_a_body_larger_than_the_service_reads_is_refused(self, editor: FlaskClient, method: str, path: str) -> None:
        answer = editor.open(
            path,
            method=method,
            data=b" " * 20_001,
            content_type=media_type_of(method),
            headers={"If-Match": "*"},
        )
        problem_in(answer, 413, "body-too-large")

    def test_a_body_as_large_as_the_service_reads_is_read(self, editor: FlaskClient) -> None:
        answer = editor.post("/v1/uuids", data=b'{"version": 4}'.ljust(20_000), content_type="application/json")
        document_in(answer, 201)

    @pytest.mark.parametrize(("method", "path"), WITH_BODY)
    def test_a_body_that_is_no_json_is_refused(self, editor: FlaskClient, method: str, path: str) -> None:
        answer = editor.open(
            path, method=method, data="{", content_type=media_type_of(method), headers={"If-Match": "*"}
        )
        problem_in(answer, 400, "malformed-json")

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"version=4",
            b"{'version': 4}",
            b'{"version": 4,}',
            b'{"version": 4} {}',
            b'{"version": NaN}',
            b'{"version": 4, "version": 7}',
            b'{"version": 4, "count": ' + b"9" * 5000 + b"}",
            b"[" * 19_000,
            b"\xff\xfe",
            '{"version": 4}'.encode("utf-16"),
        ],
        ids=lambda data: ascii(data[:16]),
    )
    def test_what_is_nearly_json_is_refused(self, writer: FlaskClient, data: bytes) -> None:
        problem_in(writer.post("/v1/uuids", data=data, content_type="application/json"), 400, "malformed-json")

    def test_a_media_type_may_have_parameters(self, writer: FlaskClient) -> None:
        answer = writer.post("/v1/uuids", data='{"version": 4}', content_type="Application/JSON; charset=utf-8")
        document_in(answer, 201)

    def test_parameters_are_judged_before_the_media_type_and_it_before_the_body(self, writer: FlaskClient) -> None:
        problem_in(writer.post("/v1/uuids?x=1", data="{", content_type="text/plain"), 400, "invalid-parameter")
        problem_in(writer.post("/v1/uuids", data="{", content_type="text/plain"), 415, "unsupported-media-type")

    def test_the_body_is_judged_before_what_the_path_names(self, writer: FlaskClient) -> None:
        problem_in(writer.post("/v1/namespaces/nowhere/records", json={}), 422, "invalid-body")


class TestFailure:
    @pytest.fixture
    def broken(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A fault that nobody expects, with a message that is nobody's business."""

        def fail(*arguments: object) -> None:
            raise RuntimeError("password=hunter2")

        monkeypatch.setattr(namespaces, "list_page", fail)

    @pytest.mark.usefixtures("broken")
    def test_a_failure_tells_nothing_of_the_inside(self, reader: FlaskClient) -> None:
        answer = reader.get("/v1/namespaces")
        problem_in(answer, 500, "internal-error")
        for internal in ("hunter2", "RuntimeError", "Traceback", ".py"):
            assert internal not in answer.text

    @pytest.mark.usefixtures("broken")
    def test_the_log_has_the_failure_under_the_same_name(
        self, reader: FlaskClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.ERROR, logger="uuid_service"):
            answer = reader.get("/v1/namespaces", headers={"X-Request-ID": "order-4711"})
        assert problem_in(answer, 500, "internal-error")["correlation_id"] == "order-4711"
        [line] = [record for record in caplog.records if record.levelno == logging.ERROR]
        assert line.__dict__["fields"] == {"correlation_id": "order-4711"}
        assert line.exc_info is not None
        assert "hunter2" in str(line.exc_info[1])

    @pytest.mark.usefixtures("broken")
    def test_the_service_works_on_after_a_failure(self, editor: FlaskClient, payments: str) -> None:
        problem_in(editor.get("/v1/namespaces"), 500, "internal-error")
        document_in(editor.get(f"/v1/namespaces/{payments}"))

    def test_a_change_that_fails_half_way_leaves_nothing(
        self, editor: FlaskClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(namespaces, "NamespaceUse", None)
            problem_in(editor.post("/v1/namespaces", json={"name": "payments"}), 500, "internal-error")
        assert document_in(editor.get("/v1/namespaces"))["items"] == []
