from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from backend.app import create_app, seed
from backend.app.models import Base
from backend.app.settings import Settings
from backend.app.utils.state import service_of
from tests.backend.support import problem_in, uuid_number


def contents(app: Flask) -> dict[str, list[dict[str, Any]]]:
    """Returns all rows of all tables."""
    with service_of(app).database.reading() as session:
        return {
            table.name: [dict(row) for row in session.execute(select(table)).mappings()]
            for table in Base.metadata.sorted_tables
        }


def test_the_demo_data_has_room_and_a_full_namespace(seeded_app: Flask, reader: FlaskClient) -> None:
    namespaces = reader.get("/v1/namespaces").get_json()["items"]

    assert [(item["name"], item["used"], item["remaining"]) for item in namespaces] == [
        ("payments", 3, 97),
        ("inventory", 2, 48),
        ("archive", 2, 0),
    ]


@pytest.mark.parametrize(
    ("uuid", "state"),
    [(seed.ACTIVE, "active"), (seed.TO_UPDATE, "active"), (seed.SUSPENDED, "suspended"), (seed.RETIRED, "retired")],
)
def test_the_demo_data_has_a_record_in_each_state(
    seeded_app: Flask, reader: FlaskClient, uuid: str, state: str
) -> None:
    assert reader.get(f"/v1/records/{uuid}").get_json()["state"] == state


def test_the_demo_data_has_a_deleted_record(seeded_app: Flask, reader: FlaskClient) -> None:
    problem_in(reader.get(f"/v1/records/{seed.DELETED}"), 410, "record-deleted")


def test_the_demo_data_has_times_of_its_own(seeded_app: Flask, reader: FlaskClient) -> None:
    assert reader.get("/v1/namespaces/payments").get_json()["created_at"] == "2026-01-05T08:00:00.000000Z"
    assert reader.get("/v1/namespaces/inventory").get_json()["created_at"] == "2026-01-05T08:01:00.000000Z"


def test_a_reset_brings_back_the_demo_data_and_nothing_else(seeded_app: Flask, editor: FlaskClient) -> None:
    before = contents(seeded_app)
    editor.post("/v1/namespaces", json={"name": "shipping"})
    editor.post("/v1/namespaces/payments/records", json={"uuid": uuid_number(1), "owner": "team-a"})
    editor.post(f"/v1/records/{seed.ACTIVE}/transitions", json={"to": "retired"})
    editor.delete(f"/v1/records/{seed.TO_DELETE}")
    editor.post("/v1/uuids", json={"version": 4}, headers={"Idempotency-Key": "a-used-key"})
    assert contents(seeded_app) != before

    seed.reset(seeded_app)

    assert contents(seeded_app) == before


def test_a_reset_fills_an_empty_database_too(app: Flask) -> None:
    seed.reset(app)

    assert len(contents(app)["namespaces"]) == 3


def test_a_database_that_is_not_empty_is_left_alone(app: Flask, editor: FlaskClient) -> None:
    editor.post("/v1/namespaces", json={"name": "shipping"})

    seed.seed_when_empty(app)

    assert [row["name"] for row in contents(app)["namespaces"]] == ["shipping"]


@pytest.mark.parametrize(("demo_data", "expected"), [(True, 3), (False, 0)])
def test_demo_data_is_there_at_start_up_when_the_settings_want_it(*, demo_data: bool, expected: int) -> None:
    app = create_app(Settings(database_url="sqlite://", demo_data=demo_data))

    assert len(contents(app)["namespaces"]) == expected
    service_of(app).database.dispose()
