"""For those who run the service."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from flask import Blueprint, Response

from backend.app.routes import writers
from backend.app.utils import requests
from backend.app.utils.error_handling import Problem
from backend.app.utils.monitoring import database_answers
from backend.app.utils.state import current_service

blueprint = Blueprint("service", __name__)

# Made from openapi/uuid-service.yaml by `python -m backend.document`.
_DOCUMENT = Path(__file__).parents[1] / "openapi.json"


@blueprint.get("/healthz")
def get_health() -> Response:
    """Handles getHealth."""
    requests.only_query_parameters()
    return writers.reply({"status": "ok", "version": _version()})


@blueprint.get("/readyz")
def get_readiness() -> Response:
    """Handles getReadiness."""
    requests.only_query_parameters()
    if not database_answers(current_service().database):
        raise Problem(503, "not-ready", "Not ready", "The database does not answer.")
    return writers.reply({"status": "ready", "checks": {"database": "ok"}})


@blueprint.get("/openapi.json")
def get_openapi() -> Response:
    """Handles getOpenapi."""
    requests.only_query_parameters()
    return Response(_openapi(), content_type="application/json")


@cache
def _version() -> str:
    return str(json.loads(_openapi())["info"]["version"])


@cache
def _openapi() -> str:
    return _DOCUMENT.read_text(encoding="utf-8")
