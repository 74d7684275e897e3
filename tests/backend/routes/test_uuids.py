from __future__ import annotations

from uuid import UUID

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.backend.routes.steps import document_in
from tests.backend.support import FakeClock, only_error_in, problem_in

KEY = "order-4711"
WWW_EXAMPLE_COM = "2ed6657d-e927-568b-95e1-2665a8aea6a2"  # RFC 9562, appendix A.4


def mint(client: FlaskClient, key: str | None = None, **body: object) -> TestResponse:
    return client.post("/v1/uuids", json=body, headers={} if key is None else {"Idempotency-Key": key})


class TestMint:
    @pytest.mark.parametrize("version", [1, 4, 7])
    def test_as_many_uuids_are_minted_as_wanted(self, writer: FlaskClient, version: int) -> None:
        answer = mint(writer, version=version, count=3)
        minted = document_in(answer, 201)
        assert set(minted) == {"version", "count", "uuids"}
        assert (minted["version"], minted["count"]) == (version, 3)
        assert len(set(minted["uuids"])) == 3
        for text in minted["uuids"]:
            assert str(UUID(text)) == text
            assert int(text[14], 16) == version
        assert answer.headers["Idempotency-Replayed"] == "false"

    def test_one_uuid_is_minted_by_default(self, writer: FlaskClient) -> None:
        minted = document_in(mint(writer, version=4), 201)
        assert (minted["count"], len(minted["uuids"])) == (1, 1)

    def test_a_thousand_uuids_are_minted_in_order(self, writer: FlaskClient) -> None:
        uuids = document_in(mint(writer, version=7, count=1000), 201)["uuids"]
        assert len(uuids) == 1000
        assert uuids == sorted(set(uuids))

    @pytest.mark.parametrize("namespace", ["dns", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"])
    def test_a_name_has_one_uuid(self, writer: FlaskClient, namespace: str) -> None:
        minted = document_in(mint(writer, version=5, namespace=namespace, name="www.example.com"), 201)
        assert minted == {"version": 5, "count": 1, "uuids": [WWW_EXAMPLE_COM]}

    def test_a_whole_number_with_a_fraction_is_an_integer(self, writer: FlaskClient) -> None:
        assert document_in(mint(writer, version=4.0, count=2.0), 201)["count"] == 2

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ([4], ""),
            ({}, "/version"),
            ({"version": 3}, "/version"),
            ({"version": 8}, "/version"),
            ({"version": "4"}, "/version"),
            ({"version": True}, "/version"),
            ({"version": 4, "count": 0}, "/count"),
            ({"version": 4, "count": 1001}, "/count"),
            ({"version": 4, "count": None}, "/count"),
            ({"version": 4, "name": "x"}, "/name"),
            ({"version": 5, "name": "x"}, "/namespace"),
            ({"version": 5, "namespace": "dns"}, "/name"),
            ({"version": 5, "namespace": "DNS", "name": "x"}, "/namespace"),
            ({"version": 5, "namespace": "dns", "name": ""}, "/name"),
            ({"version": 5, "namespace": "dns", "name": "x" * 256}, "/name"),
            ({"version": 5, "namespace": "dns", "name": "x", "count": 1}, "/count"),
        ],
    )
    def test_a_body_that_breaks_its_schema_is_refused_with_a_pointer(
        self, writer: FlaskClient, body: object, pointer: str
    ) -> None:
        wrong = only_error_in(writer.post("/v1/uuids", json=body), 422, "invalid-body")
        assert (wrong["in"], wrong["name"]) == ("body", pointer)


class TestIdempotency:
    def test_a_repeated_request_gets_the_first_answer(self, writer: FlaskClient) -> None:
        first, second = mint(writer, KEY, version=4), mint(writer, KEY, version=4)
        assert document_in(second, 201) == document_in(first, 201)
        assert first.headers["Idempotency-Replayed"] == "false"
        assert second.headers["Idempotency-Replayed"] == "true"

    def test_a_body_that_means_the_same_is_the_same(self, writer: FlaskClient) -> None:
        first, second = mint(writer, KEY, version=4), mint(writer, KEY, count=1, version=4)
        assert document_in(second, 201) == document_in(first, 201)

    @pytest.mark.parametrize(
        "body",
        [{"version": 4, "count": 2}, {"version": 7}, {"version": 5, "namespace": "dns", "name": "www.example.com"}],
    )
    def test_another_body_under_the_same_key_is_a_conflict(self, writer: FlaskClient, body: dict[str, object]) -> None:
        first = mint(writer, KEY, version=4)
        problem_in(mint(writer, KEY, **body), 409, "idempotency-conflict")
        assert document_in(mint(writer, KEY, version=4), 201) == document_in(first, 201)

    def test_two_callers_may_use_the_same_key(self, writer: FlaskClient, editor: FlaskClient) -> None:
        mint(writer, KEY, version=4)
        other = mint(editor, KEY, version=7)
        assert document_in(other, 201)["version"] == 7
        assert other.headers["Idempotency-Replayed"] == "false"

    def test_another_key_is_another_request(self, writer: FlaskClient) -> None:
        first, second = mint(writer, KEY, version=4), mint(writer, "order-4712", version=4)
        assert document_in(second, 201) != document_in(first, 201)

    def test_without_a_key_nothing_is_repeated(self, writer: FlaskClient) -> None:
        assert document_in(mint(writer, version=4), 201) != document_in(mint(writer, version=4), 201)

    @pytest.mark.parametrize(("seconds", "replayed"), [(24 * 60 * 60 - 1, "true"), (24 * 60 * 60, "false")])
    def test_a_key_is_remembered_for_a_day(
        self, writer: FlaskClient, clock: FakeClock, seconds: int, replayed: str
    ) -> None:
        mint(writer, KEY, version=4)
        clock.advance(seconds=seconds)
        assert mint(writer, KEY, version=4).headers["Idempotency-Replayed"] == replayed

    def test_a_refused_request_does_not_use_its_key_up(self, writer: FlaskClient) -> None:
        problem_in(mint(writer, KEY, version=9), 422, "invalid-body")
        assert mint(writer, KEY, version=4).headers["Idempotency-Replayed"] == "false"

    @pytest.mark.parametrize("key", ["", "a" * 7, "a" * 65, "order 4711", "order/4711"])
    def test_a_key_that_breaks_its_schema_is_refused(self, writer: FlaskClient, key: str) -> None:
        wrong = only_error_in(mint(writer, key, version=4), 400, "invalid-parameter")
        assert (wrong["in"], wrong["name"]) == ("header", "Idempotency-Key")

    @pytest.mark.parametrize("key", ["a" * 8, "a" * 64])
    def test_the_shortest_and_the_longest_key_are_taken(self, writer: FlaskClient, key: str) -> None:
        document_in(mint(writer, key, version=4), 201)


class TestInspect:
    @pytest.mark.parametrize(
        ("uuid", "variant", "version", "timestamp"),
        [
            ("c232ab00-9414-11ec-b3c8-9f6bdeced846", "rfc9562", 1, "2022-02-22T19:22:22.000000Z"),
            ("919108f7-52d1-4320-9bac-f847db4148a8", "rfc9562", 4, None),
            (WWW_EXAMPLE_COM, "rfc9562", 5, None),
            ("1ec9414c-232a-6b00-b3c8-9f6bdeced846", "rfc9562", 6, "2022-02-22T19:22:22.000000Z"),
            ("017f22e2-79b0-7cc3-98c4-dc0c0c07398f", "rfc9562", 7, "2022-02-22T19:22:22.000000Z"),
            ("ffffffff-ffff-7fff-bfff-ffffffffffff", "rfc9562", 7, None),
            ("00000000-0000-0000-0000-000000000000", "ncs", None, None),
            ("00000000-0000-4000-c000-000000000000", "microsoft", None, None),
            ("ffffffff-ffff-ffff-ffff-ffffffffffff", "future", None, None),
        ],
    )
    def test_a_uuid_is_explained(
        self, reader: FlaskClient, uuid: str, variant: str, version: int | None, timestamp: str | None
    ) -> None:
        assert document_in(reader.get(f"/v1/uuids/{uuid}")) == {
            "uuid": uuid,
            "urn": f"urn:uuid:{uuid}",
            "variant": variant,
            "version": version,
            "timestamp": timestamp,
        }

    def test_a_uuid_in_upper_case_is_written_in_lower_case(self, reader: FlaskClient) -> None:
        assert document_in(reader.get(f"/v1/uuids/{WWW_EXAMPLE_COM.upper()}"))["uuid"] == WWW_EXAMPLE_COM

    def test_a_minted_uuid_tells_when_it_was_minted(self, editor: FlaskClient, clock: FakeClock) -> None:
        clock.advance(milliseconds=250)
        [uuid] = document_in(mint(editor, version=7), 201)["uuids"]
        assert document_in(editor.get(f"/v1/uuids/{uuid}"))["timestamp"] == "2026-03-01T12:00:00.250000Z"

    @pytest.mark.parametrize(
        "text",
        [
            "4711",
            WWW_EXAMPLE_COM.replace("-", ""),
            f"{{{WWW_EXAMPLE_COM}}}",
            f"urn:uuid:{WWW_EXAMPLE_COM}",
            f"{WWW_EXAMPLE_COM}%0A",
            "gggggggg-e927-568b-95e1-2665a8aea6a2",
        ],
    )
    def test_another_form_of_a_uuid_is_refused(self, reader: FlaskClient, text: str) -> None:
        wrong = only_error_in(reader.get(f"/v1/uuids/{text}"), 400, "invalid-parameter")
        assert (wrong["in"], wrong["name"]) == ("path", "uuid")
