"""Records, by their UUID."""

from __future__ import annotations

from flask import Blueprint, Response, request

from backend.app.routes import readers, writers
from backend.app.services import records
from backend.app.utils import requests
from backend.app.utils.auth import caller, requires
from backend.app.utils.error_handling import Problem
from backend.app.utils.state import current_service

blueprint = Blueprint("records", __name__, url_prefix="/v1/records")


@blueprint.get("/<uuid>")
@requires("read")
def get_record(uuid: str) -> Response:
    """Handles getRecord."""
    requests.only_query_parameters()
    name = requests.path_parameter("uuid", uuid, readers.canonical_uuid)
    with current_service().database.reading() as session:
        record = records.find(session, name)
    return writers.record_reply(record)


@blueprint.patch("/<uuid>")
@requires("write")
def update_record(uuid: str) -> Response:
    """Handles updateRecord."""
    requests.only_query_parameters()
    name = requests.path_parameter("uuid", uuid, readers.canonical_uuid)
    revision = _expected_revision()
    patch = requests.body(readers.record_patch, requests.MERGE_PATCH_MEDIA_TYPE)
    service = current_service()
    with service.database.writing() as session:
        record = records.update(session, service.clock, name, patch, expected_revision=revision, actor=caller())
    return writers.record_reply(record)


@blueprint.delete("/<uuid>")
@requires("write")
def delete_record(uuid: str) -> Response:
    """Handles deleteRecord."""
    requests.only_query_parameters()
    name = requests.path_parameter("uuid", uuid, readers.canonical_uuid)
    service = current_service()
    with service.database.writing() as session:
        records.delete(session, service.clock, name)
    return Response(status=204)


@blueprint.post("/<uuid>/transitions")
@requires("write")
def transition_record(uuid: str) -> Response:
    """Handles transitionRecord."""
    requests.only_query_parameters()
    name = requests.path_parameter("uuid", uuid, readers.canonical_uuid)
    wanted = requests.body(readers.transition)
    service = current_service()
    with service.database.writing() as session:
        record = records.transition(session, service.clock, name, wanted, caller())
    return writers.record_reply(record)


@blueprint.get("/<uuid>/events")
@requires("read")
def list_record_events(uuid: str) -> Response:
    """Handles listRecordEvents."""
    name = requests.path_parameter("uuid", uuid, readers.canonical_uuid)
    wanted = readers.page_request()
    with current_service().database.reading() as session:
        page = records.list_events(session, name, wanted)
    return writers.reply(writers.page_document(page, writers.event_document))


def _expected_revision() -> int | None:
    if "If-Match" not in request.headers:
        raise Problem(428, "precondition-required", "Precondition required", "A change needs If-Match.")
    return requests.header("If-Match", readers.expected_revision, None)
