"""The operations of the API; each handler names its operationId."""

from __future__ import annotations

from flask import Flask

from backend.app.routes import namespaces, records, service, uuids


def register_routes(app: Flask) -> None:
    """Gives an application all operations."""
    for module in (uuids, namespaces, records, service):
        app.register_blueprint(module.blueprint)
