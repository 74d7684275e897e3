"""Namespaces, and the records in them."""

from __future__ import annotations

from flask import Blueprint, Response

from backend.app.routes import readers, writers
from backend.app.services import namespaces, records
from backend.app.utils import requests
from backend.app.utils.auth import caller, requires
from backend.app.utils.state import current_service

blueprint = Blueprint("namespaces", __name__, url_prefix="/v1/namespaces")


@blueprint.get("")
@requires("read")
def list_namespaces() -> Response:
    """Handles listNamespaces."""
    wanted = readers.page_request()
    with current_service().database.reading() as session:
        page = namespaces.list_page(session, wanted)
    return writers.reply(writers.page_document(page, writers.namespace_document))


@blueprint.post("")
@requires("write")
def create_namespace() -> Response:
    """Handles createNamespace."""
    requests.only_query_parameters()
    draft = requests.body(readers.namespace_draft)
    service = current_service()
    with service.database.writing() as session:
        created = namespaces.create(session, service.clock, draft)
    return writers.reply(writers.namespace_document(created), 201, Location=f"/v1/namespaces/{draft.name}")


@blueprint.get("/<namespace>")
@requires("read")
def get_namespace(namespace: str) -> Response:
    """Handles getNamespace."""
    requests.only_query_parameters()
    name = requests.path_parameter("namespace", namespace, readers.namespace_name)
    with current_service().database.reading() as session:
        use = namespaces.use_of(session, namespaces.find(session, name))
    return writers.reply(writers.namespace_document(use))


@blueprint.get("/<namespace>/records")
@requires("read")
def list_records(namespace: str) -> Response:
    """Handles listRecords."""
    name = requests.path_parameter("namespace", namespace, readers.namespace_name)
    wanted = readers.page_request("state", "owner")
    only = readers.record_filter()
    with current_service().database.reading() as session:
        page = records.list_page(session, name, only, wanted)
    return writers.reply(writers.page_document(page, writers.record_document))


@blueprint.post("/<namespace>/records")
@requires("write")
def register_record(namespace: str) -> Response:
    """Handles registerRecord."""
    requests.only_query_parameters()
    name = requests.path_parameter("namespace", namespace, readers.namespace_name)
    draft = requests.body(readers.record_draft)
    service = current_service()
    with service.database.writing() as session:
        record = records.register(session, service.clock, name, draft, caller())
    return writers.record_reply(record, 201, Location=f"/v1/records/{record.uuid}")


@blueprint.post("/<namespace>/records/batch")
@requires("write")
def register_records(namespace: str) -> Response:
    """Handles registerRecords."""
    requests.only_query_parameters()
    name = requests.path_parameter("namespace", namespace, readers.namespace_name)
    drafts = requests.body(readers.record_drafts)
    service = current_service()
    with service.database.writing() as session:
        results = records.register_batch(session, service.clock, name, drafts, caller())
    document = writers.batch_document(results)
    return writers.reply(document, 207 if document["failed"] else 200)
