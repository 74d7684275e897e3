"""Writes `backend/app/openapi.json` from `openapi/uuid-service.yaml`, the source of truth.

The service needs no YAML parser this way. `python -m backend.document` writes the file, `--check` only compares.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "openapi" / "uuid-service.yaml"
TARGET = ROOT / "backend" / "app" / "openapi.json"


def render() -> str:
    """Returns the OpenAPI document as JSON."""
    document = yaml.safe_load(SOURCE.read_text(encoding="utf-8"))
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    """Writes the file, or says with its exit code whether it is up to date."""
    rendered = render()
    if "--check" in arguments:
        return int(rendered != TARGET.read_text(encoding="utf-8"))
    TARGET.write_text(rendered, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
