from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.backend.routes.steps import create_namespace, document_in, pages, register
from tests.backend.support import NOON_TEXT, only_error_in, problem_in, uuid_number


class TestCreate:
    def test_a_namespace_is_created_empty(self, editor: FlaskClient) -> None:
        answer = create_namespace(editor, "billing", description="Invoices", quota=25)
        assert document_in(answer, 201) == {
            "name": "billing",
            "description": "Invoices",
            "quota": 25,
            "used": 0,
            "remaining": 25,
            "created_at": NOON_TEXT,
        }
        assert answer.headers["Location"] == "/v1/namespaces/billing"

    def test_the_location_leads_to_the_namespace(self, editor: FlaskClient) -> None:
        answer = create_namespace(editor, "billing")
        assert document_in(editor.get(answer.headers["Location"])) == document_in(answer, 201)

    def test_description_and_quota_may_be_missing(self, editor: FlaskClient) -> None:
        made = document_in(create_namespace(editor, "shipping"), 201)
        assert (made["description"], made["quota"], made["remaining"]) == (None, 100, 100)

    def test_a_name_is_taken_for_good(self, editor: FlaskClient, payments: str) -> None:
        before = document_in(editor.get(f"/v1/namespaces/{payments}"))
        problem_in(create_namespace(editor, payments, quota=9), 409, "namespace-taken")
        assert document_in(editor.get(f"/v1/namespaces/{payments}")) == before

    @pytest.mark.parametrize("body", [{"name": "abc", "quota": 1}, {"name": "a" * 40, "quota": 10_000}])
    def test_the_limits_themselves_are_allowed(self, editor: FlaskClient, body: dict[str, object]) -> None:
        document_in(editor.post("/v1/namespaces", json=body), 201)

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ([], ""),
            ({}, "/name"),
            ({"name": "ab"}, "/name"),
            ({"name": "a" * 41}, "/name"),
            ({"name": "Billing"}, "/name"),
            ({"name": "billing-"}, "/name"),
            ({"name": "billing\n"}, "/name"),
            ({"name": "billing", "quota": 0}, "/quota"),
            ({"name": "billing", "quota": 10_001}, "/quota"),
            ({"name": "billing", "quota": 2.5}, "/quota"),
            ({"name": "billing", "quota": True}, "/quota"),
            ({"name": "billing", "quota": "25"}, "/quota"),
            ({"name": "billing", "description": "x" * 201}, "/description"),
            ({"name": "billing", "description": "a\tb"}, "/description"),
            ({"name": "billing", "used": 3}, "/used"),
        ],
    )
    def test_a_body_that_breaks_its_schema_is_refused_with_a_pointer(
        self, editor: FlaskClient, body: object, pointer: str
    ) -> None:
        wrong = only_error_in(editor.post("/v1/namespaces", json=body), 422, "invalid-body")
        assert (wrong["in"], wrong["name"]) == ("body", pointer)
        assert document_in(editor.get("/v1/namespaces"))["items"] == []


class TestRead:
    def test_a_namespace_says_how_much_room_is_left(self, editor: FlaskClient, payments: str) -> None:
        register(editor, uuid_number(1))
        register(editor, uuid_number(2))
        editor.delete(f"/v1/records/{uuid_number(1)}")
        found = document_in(editor.get(f"/v1/namespaces/{payments}"))
        assert (found["quota"], found["used"], found["remaining"]) == (3, 1, 2)

    @pytest.mark.parametrize("name", ["Payments", "ab", "a_b", "4711"])
    def test_a_name_that_breaks_its_schema_is_refused(self, reader: FlaskClient, name: str) -> None:
        wrong = only_error_in(reader.get(f"/v1/namespaces/{name}"), 400, "invalid-parameter")
        assert (wrong["in"], wrong["name"]) == ("path", "namespace")

    @pytest.mark.parametrize(
        ("method", "tail", "body"),
        [
            ("GET", "", None),
            ("GET", "/records", None),
            ("POST", "/records", {"uuid": uuid_number(1), "owner": "team"}),
            ("POST", "/records/batch", {"items": [{"uuid": uuid_number(1), "owner": "team"}]}),
        ],
    )
    def test_a_namespace_that_does_not_exist_is_not_found(
        self, editor: FlaskClient, method: str, tail: str, body: object
    ) -> None:
        answer = editor.open(f"/v1/namespaces/nowhere{tail}", method=method, json=body)
        problem_in(answer, 404, "namespace-not-found")


class TestList:
    def test_without_namespaces_the_page_is_empty(self, reader: FlaskClient) -> None:
        assert document_in(reader.get("/v1/namespaces")) == {"items": [], "next_cursor": None}

    def test_items_are_the_namespaces_with_their_use(self, editor: FlaskClient, record: str) -> None:
        create_namespace(editor, "inventory")
        items = document_in(editor.get("/v1/namespaces"))["items"]
        assert items == [document_in(editor.get(f"/v1/namespaces/{name}")) for name in ("payments", "inventory")]
        assert [item["used"] for item in items] == [1, 0]

    def test_pages_have_every_namespace_once_in_order_of_creation(self, editor: FlaskClient) -> None:
        names = ["zebra", "yak", "ant", "bear", "cat"]
        for name in names:
            create_namespace(editor, name)
        found = pages(editor, "/v1/namespaces", limit=2)
        assert [[item["name"] for item in page] for page in found] == [names[:2], names[2:4], names[4:]]

    def test_a_cursor_beyond_the_end_leads_to_an_empty_page(self, reader: FlaskClient) -> None:
        page = document_in(reader.get("/v1/namespaces?cursor=7fffffffffffffff"))
        assert page == {"items": [], "next_cursor": None}
