"""Fixtures: a new database, a new application and a clock of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from backend.app import create_app, seed
from backend.app.database_core import Database
from backend.app.settings import ApiKey, Settings
from backend.app.utils.monitoring import LOGGER
from backend.app.utils.state import service_of
from tests.backend.support import EDITOR, READER, WRITER, FakeClock


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still at noon."""
    return FakeClock()


@pytest.fixture
def database() -> Iterator[Database]:
    """An empty database in memory."""
    database = Database("sqlite://")
    database.create_tables()
    yield database
    database.dispose()


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """A session that writes to an empty database."""
    with database.writing() as session:
        yield session


@pytest.fixture
def settings() -> Settings:
    """Settings with a database in memory, and with a key for each combination of scopes."""
    return Settings(database_url="sqlite://", api_keys=(READER, WRITER, EDITOR), max_body_bytes=20_000)


@pytest.fixture
def app(settings: Settings, clock: FakeClock) -> Iterator[Flask]:
    """The application, without data."""
    level = LOGGER.level
    app = create_app(settings, clock)
    yield app
    service_of(app).database.dispose()
    LOGGER.setLevel(level)


@pytest.fixture
def seeded_app(app: Flask) -> Flask:
    """The application with the demo data."""
    seed.seed(app)
    return app


@pytest.fixture
def anyone(app: Flask) -> FlaskClient:
    """A client without a key."""
    return app.test_client()


@pytest.fixture
def reader(app: Flask) -> FlaskClient:
    """A client that may only read."""
    return _client(app, READER)


@pytest.fixture
def writer(app: Flask) -> FlaskClient:
    """A client that may only write."""
    return _client(app, WRITER)


@pytest.fixture
def editor(app: Flask) -> FlaskClient:
    """A client that may read and write."""
    return _client(app, EDITOR)


def _client(app: Flask, key: ApiKey) -> FlaskClient:
    client = app.test_client()
    client.environ_base["HTTP_X_API_KEY"] = key.secret
    return client
