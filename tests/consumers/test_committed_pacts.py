"""The committed pacts are what the consumers' tests write, and ask for nothing that the service can't have."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from flask import Flask
from jsonschema import Draft202012Validator

from backend.app import create_app, seed
from backend.app.settings import Settings
from backend.app.utils.state import service_of
from tests.consumers.provider_states import provider_states
from tests.consumers.write import CONTRACTS, ROOT, write_pacts

Json = dict[str, Any]


def read_pacts(folder: Path) -> dict[str, Json]:
    """Read the pacts of a folder, without the versions of the programs that wrote them."""
    pacts = {file.name: json.loads(file.read_text("utf-8")) for file in sorted(folder.glob("*.json"))}
    for pact in pacts.values():
        pact["metadata"] = {"pactSpecification": pact["metadata"]["pactSpecification"]}
        pact["interactions"].sort(key=lambda interaction: json.dumps(interaction, sort_keys=True))
    return pacts


INTERACTIONS: Final = [
    pytest.param(interaction, id=f"{pact['consumer']['name']}: {interaction['description']}")
    for pact in read_pacts(CONTRACTS).values()
    for interaction in pact["interactions"]
]


@pytest.fixture
def app() -> Iterator[Flask]:
    app = create_app(Settings(database_url="sqlite://"))
    seed.seed(app)
    yield app
    service_of(app).database.dispose()


def test_the_committed_pacts_are_what_the_consumer_tests_write(tmp_path: Path) -> None:
    write_pacts(tmp_path)
    assert read_pacts(CONTRACTS) == read_pacts(tmp_path), "write them again: python -m tests.consumers.write"


@pytest.mark.parametrize("interaction", INTERACTIONS)
def test_an_interaction_finds_the_states_that_it_needs(interaction: Json, app: Flask) -> None:
    values: Json = {}
    for state in interaction.get("providerStates", ()):
        values |= provider_states[state["name"]](app=app, **state.get("params", {})) or {}
    generated = [
        generator["expression"]
        for generators in interaction["request"].get("generators", {}).values()
        for generator in generators.values()
    ]
    assert generated == [f"${{{name}}}" for name in values]


@pytest.mark.parametrize("interaction", INTERACTIONS)
def test_an_interaction_uses_an_operation_as_the_document_describes_it(interaction: Json) -> None:
    request, response = interaction["request"], interaction["response"]
    operation = find_operation(request["method"], request["path"])
    described = resolved(operation["responses"][str(response["status"])])

    known = {parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "query"}
    assert set(request.get("query", {})) <= known
    if "body" in request:
        body = operation["requestBody"]["content"][request["body"]["contentType"]]
        assert is_valid(request["body"]["content"], body["schema"]) == (response["status"] != 422)
    if "body" in response:
        # A consumer need not name all that it gets, but what it names must be there.
        body = described["content"][response["body"]["contentType"]]
        assert is_valid(response["body"]["content"], body["schema"], partly=response["status"] < 400)
    assert {*response.get("headers", ())} <= {"Content-Type", *described["headers"]}


@cache
def document() -> Json:
    """Read the service's OpenAPI document."""
    loaded: Json = yaml.safe_load((ROOT / "openapi/uuid-service.yaml").read_text("utf-8"))
    return loaded


def resolved(node: Json) -> Json:
    """Follow a reference into the document."""
    if "$ref" not in node:
        return node
    found = document()
    for name in node["$ref"].removeprefix("#/").split("/"):
        found = found[name]
    return found


def find_operation(method: str, path: str) -> Json:
    """Find the operation that a request is for, with the parameters of its path."""
    for template, item in document()["paths"].items():
        if method.lower() in item and re.fullmatch(re.sub(r"\{[a-z]+\}", "[^/]+", template), path):
            operation: Json = item[method.lower()]
            parameters = [*item.get("parameters", ()), *operation.get("parameters", ())]
            return {**operation, "parameters": [resolved(parameter) for parameter in parameters]}
    raise LookupError(f"the document has no operation {method} {path}")


def is_valid(value: object, schema: Json, *, partly: bool = False) -> bool:
    """Say whether a value is as a schema of the document wants it.

    Args:
        value: The value.
        schema: The schema.
        partly: Members that the schema requires may be missing.
    """
    whole = {"components": document()["components"], **schema}
    return Draft202012Validator(without_required(whole) if partly else whole).is_valid(value)


def without_required(node: Any) -> Any:
    """Copy a schema that requires no member."""
    if isinstance(node, dict):
        return {
            name: without_required(value)
            for name, value in node.items()
            if not (name == "required" and isinstance(value, list))
        }
    return [without_required(value) for value in node] if isinstance(node, list) else node
