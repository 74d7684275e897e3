"""The operations of an API, as its OpenAPI document names them."""

from __future__ import annotations

import msgspec


class Operation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One method on one path.

    Attributes:
        method: In capitals: `POST`.
        path: The template, with the document's base path left out: `/v1/records/{record_id}`.
        operation_id: The document's `operationId`; empty if it has none.
        tag: The first tag; empty if it has none.
        summary: The document's one-line summary.
        excluded: Why the settings exclude it; empty: it is tested.
    """

    method: str
    path: str
    operation_id: str = ""
    tag: str = ""
    summary: str = ""
    excluded: str = ""

    @property
    def label(self) -> str:
        """The name that settings and reports use: `POST /v1/records`."""
        return f"{self.method} {self.path}"
