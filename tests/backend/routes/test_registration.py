from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.backend.routes.steps import (
    OTHER,
    UUID,
    create_namespace,
    document_in,
    move,
    pages,
    read,
    register,
    register_batch,
)
from tests.backend.support import NOON_TEXT, only_error_in, problem_in, uuid_number

pytestmark = pytest.mark.usefixtures("payments")

RECORD = {
    "uuid": UUID,
    "namespace": "payments",
    "owner": "team-ledger",
    "label": "Order 4711",
    "metadata": {"region": "eu-west"},
    "state": "active",
    "revision": 1,
    "created_at": NOON_TEXT,
    "updated_at": NOON_TEXT,
}


class TestOne:
    def test_a_uuid_is_registered_and_can_be_read_at_its_location(self, editor: FlaskClient) -> None:
        answer = register(editor, UUID.upper(), label="Order 4711", metadata={"region": "eu-west"})
        assert document_in(answer, 201) == RECORD
        assert answer.headers["ETag"] == '"1"'
        assert answer.headers["Location"] == f"/v1/records/{UUID}"
        assert document_in(editor.get(answer.headers["Location"])) == RECORD

    def test_label_and_metadata_may_be_missing(self, editor: FlaskClient) -> None:
        made = document_in(register(editor), 201)
        assert (made["label"], made["metadata"]) == (None, {})

    def test_a_uuid_is_registered_only_once_whatever_its_case(self, editor: FlaskClient) -> None:
        register(editor)
        create_namespace(editor, "inventory")
        problem_in(register(editor, UUID.upper(), namespace="inventory"), 409, "uuid-taken")
        assert read(editor)["namespace"] == "payments"

    def test_the_uuid_of_a_deleted_record_stays_taken(self, editor: FlaskClient, deleted: str) -> None:
        problem_in(register(editor, deleted), 409, "uuid-deleted")

    def test_only_a_deleted_record_frees_its_place(self, editor: FlaskClient) -> None:
        for number in range(1, 4):
            document_in(register(editor, uuid_number(number)), 201)
        problem_in(register(editor, uuid_number(4)), 409, "quota-exceeded")
        move(editor, "retired", uuid_number(1))
        problem_in(register(editor, uuid_number(4)), 409, "quota-exceeded")
        editor.delete(f"/v1/records/{uuid_number(2)}")
        document_in(register(editor, uuid_number(4)), 201)
        problem_in(register(editor, uuid_number(5)), 409, "quota-exceeded")

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({"owner": "team"}, "/uuid"),
            ({"uuid": UUID}, "/owner"),
            ({"uuid": "00000000-0000-0000-0000-000000000000", "owner": "team"}, "/uuid"),
            ({"uuid": UUID, "owner": "t"}, "/owner"),
            ({"uuid": UUID, "owner": "team", "label": None}, "/label"),
            ({"uuid": UUID, "owner": "team", "label": "x" * 121}, "/label"),
            ({"uuid": UUID, "owner": "team", "metadata": {"region": 7}}, "/metadata/region"),
            ({"uuid": UUID, "owner": "team", "metadata": {"a/b": "x"}}, "/metadata/a~1b"),
            ({"uuid": UUID, "owner": "team", "metadata": {f"k{n}": "" for n in range(17)}}, "/metadata"),
            ({"uuid": UUID, "owner": "team", "state": "active"}, "/state"),
        ],
    )
    def test_a_body_that_breaks_its_schema_is_refused(self, editor: FlaskClient, body: object, pointer: str) -> None:
        answer = editor.post("/v1/namespaces/payments/records", json=body)
        assert only_error_in(answer, 422, "invalid-body")["name"] == pointer
        problem_in(editor.get(f"/v1/records/{UUID}"), 404, "record-not-found")


class TestBatch:
    def test_a_batch_is_registered_in_order(self, editor: FlaskClient) -> None:
        made = document_in(register_batch(editor, OTHER, UUID))
        assert (made["created"], made["failed"]) == (2, 0)
        assert [(result["index"], result["status"]) for result in made["results"]] == [(0, 201), (1, 201)]
        assert [result["record"] for result in made["results"]] == [read(editor, OTHER), read(editor, UUID)]

    def test_items_that_fail_do_not_stop_the_others(self, editor: FlaskClient, deleted: str) -> None:
        answer = register_batch(editor, deleted, OTHER, OTHER, *map(uuid_number, range(3, 6)))
        made = document_in(answer, 207)
        assert (made["created"], made["failed"]) == (3, 3)
        assert [result["status"] for result in made["results"]] == [409, 201, 409, 201, 201, 409]
        problems = {result["index"]: result["problem"] for result in made["results"] if "problem" in result}
        codes = {index: problem["code"] for index, problem in problems.items()}
        assert codes == {0: "uuid-deleted", 2: "uuid-taken", 5: "quota-exceeded"}
        assert {problem["correlation_id"] for problem in problems.values()} == {answer.headers["X-Request-ID"]}

    def test_a_batch_with_an_invalid_item_is_refused_whole(self, editor: FlaskClient) -> None:
        items = [{"uuid": UUID, "owner": "team-ledger"}, {"uuid": OTHER, "owner": "!"}]
        answer = editor.post("/v1/namespaces/payments/records/batch", json={"items": items})
        assert only_error_in(answer, 422, "invalid-body")["name"] == "/items/1/owner"
        problem_in(editor.get(f"/v1/records/{UUID}"), 404, "record-not-found")

    @pytest.mark.parametrize("count", [0, 51])
    def test_a_batch_has_one_to_fifty_items(self, editor: FlaskClient, count: int) -> None:
        answer = register_batch(editor, *map(uuid_number, range(count)))
        assert only_error_in(answer, 422, "invalid-body")["name"] == "/items"

    def test_fifty_records_are_listed_twenty_at_a_time_by_default(self, editor: FlaskClient) -> None:
        create_namespace(editor, "inventory")
        made = register_batch(editor, *map(uuid_number, range(50)), namespace="inventory")
        assert document_in(made)["created"] == 50
        assert [len(page) for page in pages(editor, "/v1/namespaces/inventory/records")] == [20, 20, 10]


class TestList:
    path = "/v1/namespaces/payments/records"

    @pytest.fixture
    def three(self, editor: FlaskClient, payments: str) -> None:
        """One active record and one suspended record of a team, and an active one of another."""
        register(editor, uuid_number(1), "team-ledger")
        register(editor, uuid_number(2), "team-ledger")
        register(editor, uuid_number(3), "team-disputes")
        move(editor, "suspended", uuid_number(2))

    @pytest.mark.usefixtures("three")
    @pytest.mark.parametrize(
        ("query", "numbers"),
        [
            ({}, [[1, 2], [3]]),
            ({"state": "active"}, [[1, 3]]),
            ({"state": "retired"}, [[]]),
            ({"owner": "team-ledger"}, [[1, 2]]),
            ({"owner": "team-ledger", "state": "active"}, [[1]]),
            ({"state": "active", "limit": 1}, [[1], [3]]),
        ],
    )
    def test_filters_are_combined_and_kept_from_page_to_page(
        self, reader: FlaskClient, query: dict[str, object], numbers: list[list[int]]
    ) -> None:
        found = pages(reader, self.path, **{"limit": 2, **query})
        assert [[item["uuid"] for item in page] for page in found] == [list(map(uuid_number, page)) for page in numbers]

    @pytest.mark.usefixtures("three")
    def test_a_cursor_survives_the_deletion_of_its_record(self, editor: FlaskClient) -> None:
        cursor = document_in(editor.get(self.path, query_string={"limit": 2}))["next_cursor"]
        editor.delete(f"/v1/records/{uuid_number(2)}")
        rest = document_in(editor.get(self.path, query_string={"cursor": cursor}))
        assert [item["uuid"] for item in rest["items"]] == [uuid_number(3)]

    def test_deleted_records_and_those_of_other_namespaces_are_not_listed(
        self, editor: FlaskClient, deleted: str
    ) -> None:
        create_namespace(editor, "inventory")
        register(editor, OTHER, namespace="inventory")
        assert document_in(editor.get(self.path))["items"] == []
