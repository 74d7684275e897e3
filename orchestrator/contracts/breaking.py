"""What has changed in an OpenAPI document that consumers may feel."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from orchestrator.contracts.evolution import operations, security
from orchestrator.contracts.evolution.comparison import Comparison
from orchestrator.contracts.evolution.documents import Document
from orchestrator.contracts.evolution.found import told
from orchestrator.model.contracts import DocumentChange


def changes(
    before: Mapping[str, Any], after: Mapping[str, Any], *, today: datetime.date | None = None
) -> tuple[DocumentChange, ...]:
    """Return what has changed from one document to the next, by operation.

    Whatever is not as the specification has it is as if it were not there: only what is understood is compared.

    Args:
        before: The older document: OpenAPI 3.0 or 3.1, or Swagger 2.0.
        after: The newer one; it may be of another version of the specification.
        today: The day on which it is asked whether a sunset date has passed; None: the day that it is.
    """
    today = today or datetime.datetime.now(datetime.UTC).date()
    comparison = Comparison(Document(before), Document(after), today)
    found = [
        *operations.changes(comparison),
        *((change, "") for change in operations.webhooks(comparison)),
        *((change, "") for change in security.of_api(comparison)),
    ]
    return tuple(told(change, label) for change, label in found)
