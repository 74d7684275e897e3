"""Fixtures: a namespace and a record that were made over HTTP."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.backend.routes.steps import UUID, create_namespace, document_in, register


@pytest.fixture
def payments(editor: FlaskClient) -> str:
    """A namespace with room for three records."""
    document_in(create_namespace(editor, "payments", quota=3), 201)
    return "payments"


@pytest.fixture
def record(editor: FlaskClient, payments: str) -> str:
    """The UUID of an active record with a label and metadata, at its first revision."""
    answer = register(editor, UUID, namespace=payments, label="Order 4711", metadata={"region": "eu-west"})
    document_in(answer, 201)
    return UUID


@pytest.fixture
def deleted(editor: FlaskClient, record: str) -> str:
    """The UUID of a record that was deleted."""
    assert editor.delete(f"/v1/records/{record}").status_code == 204
    return record
