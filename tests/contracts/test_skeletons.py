"""Consumer tests to begin with: made from documents, and run."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orchestrator.adapters import openapi
from orchestrator.adapters.walker import Walker
from orchestrator.contracts.samples import sample
from orchestrator.contracts.skeletons import skeleton

ROOT = Path(__file__).parents[2]


def of(schema: Any) -> Any:
    return sample(Walker({"schema": schema}), ("schema",))


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "minLength": 9},
        {"type": "string", "maxLength": 2},
        {"type": "string", "format": "uuid"},
        {"type": "integer", "minimum": 5},
        {"type": "integer", "maximum": -3},
        {"type": "number", "exclusiveMinimum": 2},
        {"type": ["null", "boolean"]},
        {"enum": ["a", "b"]},
        {"const": 3},
        {"type": "array", "items": {"type": "integer"}, "minItems": 2},
        {"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}, "b": {"type": "integer"}}},
        {"oneOf": [{"type": "integer"}, {"type": "string"}]},
        {"allOf": [{"type": "object", "properties": {"a": {"type": "integer"}}}, {"required": ["a"]}]},
    ],
)
def test_a_sample_fits_its_schema(schema: dict[str, Any]) -> None:
    jsonschema.validate(of(schema), schema)


def test_the_documents_own_example_comes_first() -> None:
    assert of({"type": "integer", "example": 42, "minimum": 1}) == 42
    assert of({"type": "string", "examples": ["a", "b"]}) == "a"


def test_a_schema_that_contains_itself_ends() -> None:
    node: dict[str, Any] = {"type": "object", "properties": {"next": {"$ref": "#/schema"}}}
    assert of(node)["next"]["next"] is not None


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=4),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "type",
                        "enum",
                        "allOf",
                        "oneOf",
                        "properties",
                        "items",
                        "required",
                        "minLength",
                        "minimum",
                        "default",
                    ]
                )
                | st.text(max_size=3),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
@example({"properties": {}, "required": [[]]})
def test_whatever_a_schema_holds_is_no_fault(schema: Any) -> None:
    of(schema)


def test_of_every_operation_of_the_service_a_test_is_begun_that_runs_and_writes_a_pact(tmp_path: Path) -> None:
    file = ROOT / "openapi" / "uuid-service.yaml"
    document = openapi.parse(file.read_bytes(), file.name)
    module = skeleton(document, "new-consumer", document.operations)
    names = [node.name for node in ast.parse(module).body if isinstance(node, ast.FunctionDef)]
    assert len([name for name in names if name.startswith("test_")]) == len(document.operations)
    (tmp_path / "test_consumer.py").write_text(module)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_consumer.py"],
        cwd=tmp_path,
        env={**os.environ, "PACT_DO_NOT_TRACK": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    (written,) = (tmp_path / "pacts").glob("*.json")
    assert len(json.loads(written.read_text())["interactions"]) == len(document.operations)
