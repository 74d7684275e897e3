from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from backend.app.seed import ACTIVE, DELETED, RETIRED, SUSPENDED, TO_DELETE
from tests.backend.support import MERGE_PATCH, NOON_TEXT, only_error_in, problem_in, uuid_number

UNKNOWN = uuid_number(1)

pytestmark = pytest.mark.usefixtures("seeded_app")


def patch(client: FlaskClient, uuid: str, change: object, if_match: str | None = '"1"') -> TestResponse:
    headers = {} if if_match is None else {"If-Match": if_match}
    return client.patch(f"/v1/records/{uuid}", json=change, headers=headers, content_type=MERGE_PATCH)


def transition(client: FlaskClient, uuid: str, **wanted: object) -> TestResponse:
    return client.post(f"/v1/records/{uuid}/transitions", json=wanted)


def send(client: FlaskClient, operation: str, uuid: str) -> TestResponse:
    """Calls an operation on a record with a request that is fine but for the record."""
    if operation == "read":
        return client.get(f"/v1/records/{uuid}")
    if operation == "events":
        return client.get(f"/v1/records/{uuid}/events")
    if operation == "update":
        return patch(client, uuid, {"label": "x"})
    if operation == "transition":
        return transition(client, uuid, to="suspended")
    return client.delete(f"/v1/records/{uuid}")


OPERATIONS = ["read", "events", "update", "transition", "delete"]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_uuid_that_was_never_registered_is_a_404(editor: FlaskClient, operation: str) -> None:
    problem_in(send(editor, operation, UNKNOWN), 404, "record-not-found")


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_deleted_record_is_a_410(editor: FlaskClient, operation: str) -> None:
    problem_in(send(editor, operation, DELETED), 410, "record-deleted")


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_is_no_uuid_is_a_400(editor: FlaskClient, operation: str) -> None:
    error = only_error_in(send(editor, operation, "no-uuid"), 400, "invalid-parameter")

    assert (error["in"], error["name"]) == ("path", "uuid")


class TestGetRecord:
    def test_a_record_comes_with_its_revision_as_the_etag(self, reader: FlaskClient) -> None:
        response = reader.get(f"/v1/records/{SUSPENDED}")

        assert response.status_code == 200
        assert response.headers["ETag"] == '"2"'
        document = response.get_json()
        assert (document["state"], document["revision"]) == ("suspended", 2)

    def test_a_record_is_found_in_upper_case_too(self, reader: FlaskClient) -> None:
        assert reader.get(f"/v1/records/{ACTIVE.upper()}").get_json()["uuid"] == ACTIVE


class TestUpdateRecord:
    def test_a_patch_sets_and_removes(self, editor: FlaskClient) -> None:
        change = {"owner": "team-b", "label": None, "metadata": {"region": None, "ticket": "PAY-42"}}

        response = patch(editor, ACTIVE, change)

        assert response.status_code == 200
        assert response.headers["ETag"] == '"2"'
        document = response.get_json()
        assert (document["owner"], document["label"], document["metadata"]) == ("team-b", None, {"ticket": "PAY-42"})
        assert (document["revision"], document["updated_at"]) == (2, NOON_TEXT)
        assert editor.get(f"/v1/records/{ACTIVE}").get_json() == document

    def test_null_removes_all_metadata(self, writer: FlaskClient) -> None:
        assert patch(writer, ACTIVE, {"metadata": None}).get_json()["metadata"] == {}

    def test_a_stale_revision_is_refused_with_412(self, editor: FlaskClient) -> None:
        patch(editor, ACTIVE, {"label": "first"})

        response = patch(editor, ACTIVE, {"label": "second"}, if_match='"1"')

        problem_in(response, 412, "stale-revision")
        assert response.headers["ETag"] == '"2"'
        assert editor.get(f"/v1/records/{ACTIVE}").get_json()["label"] == "first"

    def test_a_star_matches_any_revision(self, writer: FlaskClient) -> None:
        patch(writer, ACTIVE, {"label": "first"})

        assert patch(writer, ACTIVE, {"label": "second"}, if_match="*").get_json()["revision"] == 3

    def test_a_change_without_if_match_is_refused_with_428(self, writer: FlaskClient) -> None:
        problem_in(patch(writer, ACTIVE, {"label": "x"}, if_match=None), 428, "precondition-required")

    @pytest.mark.parametrize("if_match", ["", "1", '"0"', '"01"', 'W/"1"', '"1", "2"', '"1000000000"'])
    def test_an_if_match_that_no_revision_has_is_refused(self, writer: FlaskClient, if_match: str) -> None:
        error = only_error_in(patch(writer, ACTIVE, {"label": "x"}, if_match=if_match), 400, "invalid-parameter")

        assert (error["in"], error["name"]) == ("header", "If-Match")

    def test_a_patch_that_changes_nothing_keeps_the_revision(self, writer: FlaskClient) -> None:
        response = patch(writer, ACTIVE, {"label": "Order 4711", "metadata": {}})

        assert (response.status_code, response.headers["ETag"]) == (200, '"1"')

    def test_a_retired_record_is_refused_with_409(self, writer: FlaskClient) -> None:
        problem_in(patch(writer, RETIRED, {"label": "x"}, if_match="*"), 409, "record-retired")

    def test_too_much_metadata_is_refused_with_409(self, writer: FlaskClient) -> None:
        sixteen_more = {f"key{number}": "" for number in range(16)}

        problem_in(patch(writer, ACTIVE, {"metadata": sixteen_more}), 409, "metadata-limit")

    def test_plain_json_is_no_merge_patch(self, writer: FlaskClient) -> None:
        response = writer.patch(f"/v1/records/{ACTIVE}", json={"label": "x"}, headers={"If-Match": "*"})

        assert MERGE_PATCH in problem_in(response, 415, "unsupported-media-type")["detail"]

    @pytest.mark.parametrize(
        ("change", "place"),
        [
            ({}, ""),
            ([], ""),
            ({"state": "retired"}, "/state"),
            ({"owner": None}, "/owner"),
            ({"label": ""}, "/label"),
            ({"metadata": {"region": 1}}, "/metadata/region"),
            ({"metadata": {f"key{number}": None for number in range(17)}}, "/metadata"),
        ],
    )
    def test_a_patch_that_breaks_its_schema_is_refused(self, writer: FlaskClient, change: Any, place: str) -> None:
        assert only_error_in(patch(writer, ACTIVE, change), 422, "invalid-body")["name"] == place


class TestTransitionRecord:
    def test_a_record_changes_its_state(self, writer: FlaskClient) -> None:
        response = transition(writer, SUSPENDED, to="active", reason="Dispute settled")

        assert response.status_code == 200
        assert response.headers["ETag"] == '"3"'
        assert response.get_json()["state"] == "active"

    def test_a_state_that_does_not_lead_there_is_refused_with_409(self, writer: FlaskClient) -> None:
        problem_in(transition(writer, RETIRED, to="active"), 409, "invalid-transition")

    @pytest.mark.parametrize(
        ("wanted", "place"),
        [
            ({}, "/to"),
            ({"to": "deleted"}, "/to"),
            ({"to": ["active"]}, "/to"),
            ({"to": "active", "reason": "x" * 201}, "/reason"),
            ({"to": "active", "reason": None}, "/reason"),
        ],
    )
    def test_a_transition_that_breaks_its_schema_is_refused(
        self, writer: FlaskClient, wanted: dict[str, Any], place: str
    ) -> None:
        assert only_error_in(transition(writer, SUSPENDED, **wanted), 422, "invalid-body")["name"] == place


class TestDeleteRecord:
    def test_a_record_is_deleted_once(self, editor: FlaskClient) -> None:
        response = editor.delete(f"/v1/records/{TO_DELETE}")

        assert (response.status_code, response.data) == (204, b"")
        problem_in(editor.delete(f"/v1/records/{TO_DELETE}"), 410, "record-deleted")

    def test_a_deleted_record_is_in_no_list(self, editor: FlaskClient) -> None:
        editor.delete(f"/v1/records/{TO_DELETE}")

        items = editor.get("/v1/namespaces/inventory/records").get_json()["items"]

        assert [item["uuid"] for item in items] == [RETIRED]


class TestListRecordEvents:
    def test_events_tell_what_happened_to_a_record(self, editor: FlaskClient) -> None:
        transition(editor, ACTIVE, to="suspended", reason="Dispute opened")

        document = editor.get(f"/v1/records/{ACTIVE}/events").get_json()

        assert document["next_cursor"] is None
        assert [(event["sequence"], event["type"]) for event in document["items"]] == [
            (1, "registered"),
            (2, "suspended"),
        ]
        assert document["items"][1] == {
            "sequence": 2,
            "type": "suspended",
            "at": NOON_TEXT,
            "actor": "editor",
            "reason": "Dispute opened",
        }

    def test_events_are_read_page_by_page(self, reader: FlaskClient) -> None:
        first = reader.get(f"/v1/records/{SUSPENDED}/events?limit=1").get_json()
        query = {"limit": 1, "cursor": first["next_cursor"]}
        second = reader.get(f"/v1/records/{SUSPENDED}/events", query_string=query).get_json()

        assert [event["sequence"] for event in first["items"] + second["items"]] == [1, 2]
        assert second["next_cursor"] is None

    def test_events_have_no_filters(self, reader: FlaskClient) -> None:
        problem_in(reader.get(f"/v1/records/{ACTIVE}/events?state=active"), 400, "invalid-parameter")
