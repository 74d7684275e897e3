"""The schemas that outputs are held against."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema

FOLDER = Path(__file__).parents[1] / "data" / "schemas"


def hold(document: Any, schema: str | dict[str, Any]) -> None:
    """Fail if a document is not what a schema says: one of `FOLDER` by name, or a given one."""
    rules = json.loads((FOLDER / schema).read_text("utf-8")) if isinstance(schema, str) else schema
    jsonschema.validators.validator_for(rules)(rules).validate(document)
