"""From what the services return to the documents that callers get."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from flask import Response

from backend.app.clock import timestamp
from backend.app.models import Event, Record
from backend.app.services.errors import ConflictError
from backend.app.services.inspection import Inspection
from backend.app.services.namespaces import NamespaceUse
from backend.app.services.paging import Page
from backend.app.utils.error_handling import problem_of

Document = dict[str, Any]
Item = TypeVar("Item")


def reply(document: Mapping[str, Any], status: int = 200, **headers: str) -> Response:
    """Makes a JSON response; `Location_x="…"` would be the header `Location-x`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(json.dumps(document), status, named, content_type="application/json")


def record_reply(record: Record, status: int = 200, **headers: str) -> Response:
    """Makes the response for a record, with its revision as the ETag."""
    return reply(record_document(record), status, ETag=f'"{record.revision}"', **headers)


def inspection_document(inspection: Inspection) -> Document:
    """Writes what a UUID says about itself."""
    moment = inspection.timestamp
    return {
        "uuid": str(inspection.uuid),
        "urn": inspection.uuid.urn,
        "variant": inspection.variant,
        "version": inspection.version,
        "timestamp": None if moment is None else timestamp(moment),
    }


def namespace_document(use: NamespaceUse) -> Document:
    """Writes a namespace."""
    namespace = use.namespace
    return {
        "name": namespace.name,
        "description": namespace.description,
        "quota": namespace.quota,
        "used": use.used,
        "remaining": use.remaining,
        "created_at": timestamp(namespace.created_at),
    }


def record_document(record: Record) -> Document:
    """Writes a record."""
    return {
        "uuid": record.uuid,
        "namespace": record.namespace.name,
        "owner": record.owner,
        "label": record.label,
        "metadata": record.entries,
        "state": record.state,
        "revision": record.revision,
        "created_at": timestamp(record.created_at),
        "updated_at": timestamp(record.updated_at),
    }


def event_document(event: Event) -> Document:
    """Writes an event."""
    return {
        "sequence": event.sequence,
        "type": event.type,
        "at": timestamp(event.at),
        "actor": event.actor,
        "reason": event.reason,
    }


def page_document(page: Page[Item], write: Callable[[Item], Document]) -> Document:
    """Writes a page of a list."""
    return {"items": [write(item) for item in page.items], "next_cursor": page.next_cursor}


def batch_document(results: Sequence[Record | ConflictError]) -> Document:
    """Writes the results of a batch, in the order of its items."""
    failed = sum(isinstance(result, ConflictError) for result in results)
    return {
        "created": len(results) - failed,
        "failed": failed,
        "results": [_item_document(index, result) for index, result in enumerate(results)],
    }


def _item_document(index: int, result: Record | ConflictError) -> Document:
    if isinstance(result, ConflictError):
        problem = problem_of(result)
        return {"index": index, "status": problem.status, "problem": problem.document()}
    return {"index": index, "status": 201, "record": record_document(result)}
