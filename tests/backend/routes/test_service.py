from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask.testing import FlaskClient

from backend.app import create_app
from backend.app.settings import Settings
from backend.app.utils.state import service_of
from tests.backend.routes.steps import document_in
from tests.backend.support import problem_in

SOURCE = Path(__file__).parents[3] / "openapi" / "uuid-service.yaml"


@pytest.fixture(scope="module")
def source() -> dict[str, Any]:
    """The OpenAPI document as people write it."""
    document: dict[str, Any] = yaml.safe_load(SOURCE.read_text(encoding="utf-8"))
    return document


def test_a_living_process_says_its_version(anyone: FlaskClient, source: dict[str, Any]) -> None:
    assert document_in(anyone.get("/healthz")) == {"status": "ok", "version": source["info"]["version"]}


def test_the_service_is_ready_when_its_database_answers(anyone: FlaskClient) -> None:
    assert document_in(anyone.get("/readyz")) == {"status": "ready", "checks": {"database": "ok"}}


def test_the_service_is_not_ready_without_its_database_but_alive(tmp_path: Path) -> None:
    home = tmp_path / "data"
    home.mkdir()
    app = create_app(Settings(database_url=f"sqlite:///{home / 'service.sqlite3'}"))
    client = app.test_client()
    document_in(client.get("/readyz"))
    service_of(app).database.dispose()
    shutil.rmtree(home)

    problem = problem_in(client.get("/readyz"), 503, "not-ready")
    assert problem["detail"] == "The database does not answer."
    assert str(home) not in json.dumps(problem)
    document_in(client.get("/healthz"))
    service_of(app).database.dispose()


def test_the_openapi_document_is_the_one_that_people_write(anyone: FlaskClient, source: dict[str, Any]) -> None:
    assert document_in(anyone.get("/openapi.json")) == source
