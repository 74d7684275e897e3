"""Consumer tests to begin with: a module with a test for each operation that a consumer uses."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from orchestrator.adapters import generated
from orchestrator.adapters.openapi import Document
from orchestrator.adapters.walker import Walker
from orchestrator.contracts.samples import sample
from orchestrator.model.operations import Operation
from orchestrator.references import Pointer

_BODIES: Final = ("POST", "PUT", "PATCH")


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """A test to begin with.

    Attributes:
        name: Of the test.
        description: Of the interaction.
        method: Of the request.
        path: Of the request, with values for its parameters.
        body: Of the request, as Python; empty: none.
        status: Of the response.
        answer: The response's body, as Python; empty: none.
    """

    name: str
    description: str
    method: str
    path: str
    body: str
    status: int
    answer: str


def skeleton(document: Document, consumer: str, operations: Sequence[Operation]) -> str:
    """Return a pytest module with pact-python that a consumer's team can go on with.

    Args:
        document: What describes the operations.
        consumer: The consumer's name.
        operations: Those that it uses.
    """
    walker = Walker(document.whole)
    begun = [_begun(walker, document, operation) for operation in operations]
    names = generated.apart(one.name for one in begun)
    tests = [msgspec.structs.replace(one, name=name) for one, name in zip(begun, names, strict=True)]
    return (
        generated.environment()
        .get_template("consumer.py.jinja")
        .render(consumer=consumer, provider=document.title, tests=tests)
    )


def _begun(walker: Walker, document: Document, operation: Operation) -> Begun:
    status, answer = _answer(walker, operation)
    summary = operation.summary.rstrip(".") or operation.label
    return Begun(
        name=generated.snake_case(operation.operation_id or operation.label) or "operation",
        description=f"a request to {summary[:1].lower()}{summary[1:]}" if operation.summary else operation.label,
        method=operation.method,
        path=document.base_path + _path(walker, operation),
        body=_python(_body(walker, operation)) if operation.method in _BODIES else "",
        status=status,
        answer=_python(answer),
    )


def _python(value: Any) -> str:
    """Return a value as Python, laid out in lines; empty: there is none."""
    if value is None:
        return ""
    shown = json.dumps(value, indent=4, ensure_ascii=False)
    return re.sub(
        r'("(?:[^"\\]|\\.)*")|\b(true|false|null)\b',
        lambda found: found[1] or {"true": "True", "false": "False", "null": "None"}[found[2]],
        shown,
    )


def _path(walker: Walker, operation: Operation) -> str:
    values = {}
    at = walker.operation(operation.label)
    for owner in (at[:-1], at):
        parameters = walker.at((*owner, "parameters"))
        for k in range(len(parameters) if isinstance(parameters, list) else 0):
            at, parameter = walker.resolved((*owner, "parameters", str(k)))
            if isinstance(parameter, dict) and parameter.get("in") == "path":
                example = parameter.get("example")
                schema = (*at, "schema") if "schema" in parameter else at
                values[str(parameter.get("name"))] = sample(walker, schema) if example is None else example
    return re.sub(r"\{([^}]*)\}", lambda found: str(values.get(found[1]) or "1"), operation.path)


def _body(walker: Walker, operation: Operation) -> Any:
    at, body = walker.resolved((*walker.operation(operation.label), "requestBody"))
    return _json(walker, at, body)


def _answer(walker: Walker, operation: Operation) -> tuple[int, Any]:
    """Return the first good status that the document has, and its body."""
    responses = walker.at((*walker.operation(operation.label), "responses"))
    statuses = sorted(str(status) for status in responses) if isinstance(responses, dict) else []
    good = next((status for status in statuses if re.fullmatch(r"2\d\d", status)), None)
    if good is None:
        return 200, None
    at, response = walker.resolved((*walker.operation(operation.label), "responses", good))
    return int(good), _json(walker, at, response)


def _json(walker: Walker, at: Pointer, described: Any) -> Any:
    contents: Mapping[str, Any] = described.get("content") if isinstance(described, dict) else None  # type: ignore[assignment] # whatever a document has there
    for media in contents if isinstance(contents, dict) else ():
        if "json" in str(media):
            return sample(walker, (*at, "content", str(media), "schema"))
    return None
