"""Minting and explaining UUIDs."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, Response

from backend.app.routes import readers, writers
from backend.app.services import inspection, minting
from backend.app.services.commands import MintCommand
from backend.app.services.idempotency import IdempotencyKey, answer_once
from backend.app.utils import requests
from backend.app.utils.auth import caller, requires
from backend.app.utils.state import current_service

blueprint = Blueprint("uuids", __name__, url_prefix="/v1/uuids")


@blueprint.post("")
@requires("write")
def mint() -> Response:
    """Handles mintUuids."""
    requests.only_query_parameters()
    key = requests.header("Idempotency-Key", readers.idempotency_key, "")
    command = requests.body(readers.mint_command)
    answer, replayed = _mint_once(key, command) if key else (_mint(command), False)
    return writers.reply(answer, 201, Idempotency_Replayed="true" if replayed else "false")


@blueprint.get("/<uuid>")
@requires("read")
def inspect(uuid: str) -> Response:
    """Handles inspectUuid."""
    requests.only_query_parameters()
    value = requests.path_parameter("uuid", uuid, readers.any_uuid)
    return writers.reply(writers.inspection_document(inspection.inspect(value)))


def _mint(command: MintCommand) -> writers.Document:
    minted = minting.mint(command, current_service().clock)
    return {
        "version": minting.version_of(command),
        "count": len(minted),
        "uuids": [str(value) for value in minted],
    }


def _mint_once(key: str, command: MintCommand) -> tuple[writers.Document, bool]:
    service = current_service()
    lifetime = timedelta(seconds=service.settings.idempotency_seconds)
    name = IdempotencyKey(actor=caller(), key=key, lifetime=lifetime)
    with service.database.writing() as session:
        return answer_once(session, service.clock, name, command, lambda: _mint(command))
