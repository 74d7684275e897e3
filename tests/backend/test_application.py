from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from backend.app import create_app
from backend.app.clock import utc_now
from backend.app.settings import Settings, SettingsError
from backend.app.utils.state import service_of


def test_an_application_reads_its_settings_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UUID_SERVICE_DATABASE_URL", "sqlite://")
    monkeypatch.setenv("UUID_SERVICE_API_KEYS", "web:read:hush")
    monkeypatch.setenv("UUID_SERVICE_DEMO_DATA", "yes")

    app = create_app()

    response = app.test_client().get("/v1/namespaces/payments", headers={"X-API-Key": "hush"})
    assert response.status_code == 200
    service_of(app).database.dispose()


def test_an_application_has_the_clock_of_the_system_unless_it_gets_another(app: Flask) -> None:
    ordinary = create_app(Settings(database_url="sqlite://"))

    assert service_of(ordinary).clock is utc_now
    assert service_of(app).clock is not utc_now
    service_of(ordinary).database.dispose()


def test_an_unusable_setting_stops_the_start() -> None:
    with pytest.raises(SettingsError, match="UUID_SERVICE_DATABASE_URL"):
        create_app(Settings(database_url="nonsense"))


def test_two_applications_share_no_data(settings: Settings, editor: FlaskClient) -> None:
    other = create_app(settings)
    editor.post("/v1/namespaces", json={"name": "payments"})

    response = other.test_client().get("/v1/namespaces", headers={"X-API-Key": "reader-secret"})

    assert response.get_json()["items"] == []
    service_of(other).database.dispose()


def test_without_keys_nobody_may_call() -> None:
    app = create_app(Settings(database_url="sqlite://"))

    assert app.test_client().get("/v1/namespaces", headers={"X-API-Key": ""}).status_code == 401
    service_of(app).database.dispose()
