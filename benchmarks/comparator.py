"""How long are pacts held against a document?

    python benchmarks/comparator.py [--interactions 1000] [--repeat 5]

The document has 40 operations whose schemas refer to each other, with `allOf`, alternatives and a circle; every
interaction has a path parameter, a query, headers, a key, a body each way and matching rules, and fits.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from typing import Any

from orchestrator.contracts import comparator


def document(operations: int = 40) -> dict[str, Any]:
    """Return a document with that many operations."""
    schemas: dict[str, Any] = {
        "Named": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string", "minLength": 1}}},
        "Part": {"type": "object", "properties": {"sku": {"type": "string"}, "parts": _list_of("Part")}},
        "Price": {
            "type": "object",
            "required": ["amount", "currency"],
            "properties": {"amount": {"type": "number", "minimum": 0}, "currency": {"enum": ["EUR", "GBP", "USD"]}},
        },
    }
    paths: dict[str, Any] = {}
    for number in range(operations):
        schemas[f"Thing{number}"] = {
            "allOf": [{"$ref": "#/components/schemas/Named"}],
            "type": "object",
            "properties": {
                "id": {"type": "string", "format": "uuid", "readOnly": True},
                "made": {"type": "string", "format": "date-time"},
                "price": {"oneOf": [{"$ref": "#/components/schemas/Price"}, {"type": "integer"}]},
                "parts": _list_of("Part"),
                "size": {"type": "integer", "nullable": True},
            },
        }
        content = {"application/json": {"schema": {"$ref": f"#/components/schemas/Thing{number}"}}}
        paths[f"/things{number}/{{id}}"] = {
            "put": {
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}},
                    {"name": "page", "in": "query", "schema": {"type": "integer", "minimum": 1}},
                    {"name": "tags", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}},
                    {"name": "X-Request", "in": "header", "required": True, "schema": {"type": "integer"}},
                ],
                "requestBody": {"required": True, "content": content},
                "responses": {"200": {"description": "as it is now", "content": content}},
            }
        }
    keys = {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}}
    return {
        "openapi": "3.0.3",
        "info": {"title": "Things", "version": "1"},
        "security": [{"key": []}],
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": keys},
    }


def _list_of(name: str) -> dict[str, Any]:
    return {"type": "array", "items": {"$ref": f"#/components/schemas/{name}"}}


def pact(interactions: int, operations: int = 40) -> dict[str, Any]:
    """Return a pact with that many interactions, spread over the operations."""
    body = {
        "name": "lamp",
        "made": "2024-05-06T07:08:09Z",
        "price": {"amount": 12.5, "currency": "EUR"},
        "parts": [{"sku": "a", "parts": [{"sku": "b"}, {"sku": "c", "parts": []}]} for _ in range(3)],
        "size": 4,
    }
    identifier = "0b9a6b8e-2a53-4b4e-8d5c-0d7a0a9a9a9a"
    rules = {"$": {"combine": "AND", "matchers": [{"match": "type"}]}}
    rules["$.made"] = {"combine": "AND", "matchers": [{"match": "timestamp", "timestamp": "yyyy-MM-dd'T'HH:mm:ssXXX"}]}
    one = [
        {
            "description": f"a thing is replaced ({number})",
            "request": {
                "method": "PUT",
                "path": f"/things{number % operations}/{identifier}",
                "query": {"page": ["2"], "tags": ["new", "old"]},
                "headers": {"Content-Type": "application/json", "X-Key": "k", "X-Request": str(number)},
                "body": body,
            },
            "response": {
                "status": 200,
                "headers": {"Content-Type": "application/json; charset=utf-8"},
                "body": {"id": identifier, **body},
                "matchingRules": {"body": rules},
            },
        }
        for number in range(interactions)
    ]
    metadata = {"pactSpecification": {"version": "3.0.0"}}
    return {"consumer": {"name": "shop"}, "provider": {"name": "things"}, "interactions": one, "metadata": metadata}


def openapi_seconds(interactions: int) -> float:
    """Return how long it takes to hold that many interactions against a document, its schemas compiled anew."""
    described, promised = document(), pact(interactions)
    begin = time.perf_counter()
    found = comparator.check(promised, described)
    seconds = time.perf_counter() - begin
    if found:
        raise SystemExit(f"the interactions should fit: {found[0]}")
    return seconds


def main() -> None:
    """Time it several times, print the medians: of the clock, and of the processor, which others don't slow down."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--interactions", type=int, default=1000)
    parser.add_argument("--repeat", type=int, default=5)
    arguments = parser.parse_args()
    times, processor = [], []
    for _ in range(arguments.repeat):
        begin = time.process_time()
        times.append(openapi_seconds(arguments.interactions))
        processor.append(time.process_time() - begin)
    result = {"interactions": arguments.interactions, "seconds": round(statistics.median(times), 3)}
    print(json.dumps({**result, "processor_seconds": round(statistics.median(processor), 3)}))


if __name__ == "__main__":
    main()
