"""Minimal pairs of a document and an interaction: one fits, the other does not, for one reason."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Final

import msgspec

TEXT: Final = {"type": "string"}
NUMBER: Final = {"type": "integer"}
FORM: Final = "application/x-www-form-urlencoded"


def content(schema: Any, media: str = "application/json") -> dict[str, Any]:
    """The content of a body with a schema."""
    return {media: {"schema": schema}}


def thing(**properties: Any) -> dict[str, Any]:
    """The schema of an object with these properties."""
    return {"type": "object", "properties": properties}


def parameter(name: str, place: str, schema: Any, **more: Any) -> dict[str, Any]:
    """A parameter."""
    return {"name": name, "in": place, "schema": schema, **({"required": True} if place == "path" else {}), **more}


def api(operation: Mapping[str, Any] | None = None, label: str = "POST /things", **more: Any) -> dict[str, Any]:
    """A document with one operation, whose response 200 has no body if nothing else is said."""
    method, _, path = label.partition(" ")
    described = {"responses": {"200": {"description": "done"}}, **(operation or {})}
    raw = {
        "openapi": "3.0.3",
        "info": {"title": "Things", "version": "1"},
        "paths": {path: {method.lower(): described}},
    }
    return {**raw, **more}


def answering(schema: Any, **more: Any) -> dict[str, Any]:
    """A document whose operation answers with a body of a schema."""
    return api({"responses": {"200": {"description": "done", "content": content(schema)}}}, **more)


def taking(schema: Any, media: str = "application/json", *, required: bool = False, **more: Any) -> dict[str, Any]:
    """A document whose operation takes a body of a schema."""
    return api({"requestBody": {"required": required, "content": content(schema, media)}}, **more)


def asking(*parameters: dict[str, Any], label: str = "POST /things", **more: Any) -> dict[str, Any]:
    """A document whose operation has parameters."""
    return api({"parameters": list(parameters)}, label, **more)


def secured(*alternatives: dict[str, list[str]], **schemes: Any) -> dict[str, Any]:
    """A document whose operation needs credentials."""
    return api({"security": list(alternatives)}, components={"securitySchemes": schemes})


def swagger(operation: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A document of Swagger 2 with one operation."""
    described = {"responses": {"200": {"description": "done"}}, **operation}
    return {
        "swagger": "2.0",
        "info": {"title": "Things", "version": "1"},
        "paths": {"/things": {"post": described}},
        **more,
    }


def exchange(path: str = "/things", method: str = "POST", status: int = 200, **more: Any) -> dict[str, Any]:
    """An interaction.

    Args:
        path: The request's.
        method: The request's.
        status: The response's.
        **more: `headers`, `query`, `body`, `rules` of the request; with `answer_` in front, of the response.
    """
    request: dict[str, Any] = {"method": method, "path": path}
    response: dict[str, Any] = {"status": status}
    for name, value in more.items():
        side = response if name.startswith("answer_") else request
        key = name.removeprefix("answer_")
        side["matchingRules" if key == "rules" else key] = value
    return {"description": "one asks for a thing", "request": request, "response": response}


def pact(*interactions: Any, version: str = "3.0.0") -> dict[str, Any]:
    """A pact."""
    metadata = {"pactSpecification": {"version": version}}
    parties = {"consumer": {"name": "shop"}, "provider": {"name": "things"}}
    return {**parties, "interactions": list(interactions), "metadata": metadata}


def sent(body: Any, media: str = "application/json", **more: Any) -> dict[str, Any]:
    """An interaction whose request has a body."""
    return exchange(headers={"Content-Type": media}, body=body, **more)


def answered(body: Any, **more: Any) -> dict[str, Any]:
    """An interaction whose response has a body."""
    return exchange(answer_body=body, **more)


def matched(**matchers: Any) -> dict[str, Any]:
    """Matching rules of a body, as version 3 writes them: one a property."""
    return {"body": {f"$.{name}": {"combine": "AND", "matchers": [matcher]} for name, matcher in matchers.items()}}


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """Two cases that differ in one thing.

    Attributes:
        name: What is looked at.
        code: What the second one has, once, and the first one has not.
        document: The document of both.
        fits: An interaction.
        breaks: Another one.
        broken: The document of the second one, where that is what differs.
        also: What both have besides.
        version: Of the Pact specification.
        exception: Why the reference says something else; empty: it does not.
    """

    name: str
    code: str
    document: dict[str, Any]
    fits: Any
    breaks: Any = None
    broken: dict[str, Any] | None = None
    also: tuple[str, ...] = ()
    version: str = "3.0.0"
    exception: str = ""

    def cases(self) -> tuple[tuple[dict[str, Any], dict[str, Any]], tuple[dict[str, Any], dict[str, Any]]]:
        """The document and the pact of each."""
        second = self.fits if self.breaks is None else self.breaks
        return (
            (copy.deepcopy(self.document), pact(copy.deepcopy(self.fits), version=self.version)),
            (copy.deepcopy(self.broken or self.document), pact(copy.deepcopy(second), version=self.version)),
        )


KEY: Final = {"type": "apiKey", "in": "header", "name": "X-Key"}
REFUSALS: Final = {"400": {"description": "wrong"}, "415": {"description": "no such media type"}}
PETS: Final = {
    "Cat": {**thing(kind={"type": "string", "enum": ["cat"]}, lives=NUMBER), "required": ["kind"]},
    "Dog": {**thing(kind={"type": "string", "enum": ["dog"]}, tricks=NUMBER), "required": ["kind"]},
}
EITHER: Final = {"oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}]}
NODE: Final = {"Node": thing(name=TEXT, next={"$ref": "#/components/schemas/Node"})}
COLOUR: Final = {"type": "string", "enum": ["red", "blue"]}
OK: Final = {"responses": {"200": {"description": "done"}}}
FIELDS: Final = [
    {"name": "size", "in": "formData", "required": True, **NUMBER},
    {"name": "tags", "in": "formData", "type": "array", "items": TEXT},
]
PAIRS: Final = (
    # Paths
    Pair(
        name="path",
        code="request.path-or-method.unknown",
        document=api(),
        fits=exchange(),
        breaks=exchange("/thing"),
    ),
    Pair(
        name="method",
        code="request.path-or-method.unknown",
        document=api(),
        fits=exchange(),
        breaks=exchange(method="PUT"),
    ),
    Pair(
        name="typed path parameter",
        code="request.path-or-method.unknown",
        document=asking(parameter("id", "path", NUMBER), label="GET /things/{id}"),
        fits=exchange("/things/7", "GET"),
        breaks=exchange("/things/seven", "GET"),
    ),
    Pair(
        name="array in the path",
        code="request.path-or-method.unknown",
        document=asking(
            parameter("ids", "path", {"type": "array", "items": NUMBER}, style="label", explode=True),
            label="GET /things/{.ids*}",
        ),
        fits=exchange("/things/.1.2", "GET"),
        breaks=exchange("/things/.1.b", "GET"),
    ),
    Pair(
        name="base path of Swagger 2",
        code="request.path-or-method.unknown",
        document=swagger({}, basePath="/v2"),
        fits=exchange("/v2/things"),
        breaks=exchange("/things"),
    ),
    # Queries
    Pair(
        name="type in the query",
        code="request.query.incompatible",
        document=asking(parameter("page", "query", NUMBER)),
        fits=exchange(query="page=2"),
        breaks=exchange(query="page=two"),
    ),
    Pair(
        name="required query parameter",
        code="request.query.incompatible",
        document=asking(parameter("page", "query", NUMBER, required=True)),
        fits=exchange(query={"page": ["2"]}),
        breaks=exchange(),
    ),
    Pair(
        name="exploded array in the query",
        code="request.query.incompatible",
        document=asking(parameter("ids", "query", {"type": "array", "items": NUMBER})),
        fits=exchange(query="ids=1&ids=2"),
        breaks=exchange(query="ids=1&ids=b"),
    ),
    Pair(
        name="array in one query parameter",
        code="request.query.incompatible",
        document=asking(parameter("ids", "query", {"type": "array", "items": NUMBER}, explode=False)),
        fits=exchange(query="ids=1,2"),
        breaks=exchange(query="ids=1,b"),
    ),
    Pair(
        name="deep object in the query",
        code="request.query.incompatible",
        document=asking(parameter("by", "query", {**thing(age=NUMBER), "required": ["age"]}, style="deepObject")),
        fits=exchange(query="by[age]=4"),
        breaks=exchange(query="by[age]=four"),
    ),
    Pair(
        name="array of Swagger 2 in the query",
        code="request.query.incompatible",
        document=swagger(
            {
                "parameters": [
                    {"name": "ids", "in": "query", "type": "array", "items": NUMBER, "collectionFormat": "pipes"}
                ]
            }
        ),
        fits=exchange(query="ids=1|2"),
        breaks=exchange(query="ids=1|b"),
    ),
    Pair(
        name="query parameter that is not described",
        code="request.query.unknown",
        document=asking(parameter("page", "query", NUMBER)),
        fits=exchange(query="page=2"),
        breaks=exchange(query="page=2&size=3"),
    ),
    Pair(
        name="query parameter that is JSON",
        code="parameter.content.incompatible",
        document=asking({"name": "by", "in": "query", "content": content(thing(size=NUMBER))}),
        fits=exchange(query={"by": ['{"size": 2, "more": [1, 2]}']}),
        breaks=exchange(query={"by": ['{"size": "two"}']}),
    ),
    Pair(
        name="required query parameter that is JSON",
        code="parameter.content.incompatible",
        document=asking({"name": "by", "in": "query", "required": True, "content": content(thing(size=NUMBER))}),
        fits=exchange(query={"by": ['{"size": 2}']}),
        breaks=exchange(),
    ),
    Pair(
        name="servers of a path",
        code="request.path-or-method.unknown",
        document={**api(), "paths": {"/things": {"servers": [{"url": "/v2"}], "post": OK}}},
        fits=exchange(),
        breaks=exchange("/v1/things"),
    ),
    # Headers and cookies
    Pair(
        name="type of a header",
        code="request.header.incompatible",
        document=asking(parameter("X-Depth", "header", NUMBER)),
        fits=exchange(headers={"x-depth": "2"}),
        breaks=exchange(headers={"x-depth": "deep"}),
    ),
    Pair(
        name="required header",
        code="request.header.incompatible",
        document=asking(parameter("X-Depth", "header", NUMBER, required=True)),
        fits=exchange(headers={"X-Depth": "2"}),
        breaks=exchange(),
    ),
    Pair(
        name="header that is not described",
        code="request.header.unknown",
        document=api(),
        fits=exchange(headers={"User-Agent": "shop"}),
        breaks=exchange(headers={"X-Depth": "2"}),
    ),
    Pair(
        name="required cookie",
        code="request.cookie.incompatible",
        document=asking(parameter("seen", "cookie", NUMBER, required=True)),
        fits=exchange(headers={"Cookie": "other=1; seen=2"}),
        breaks=exchange(headers={"Cookie": "other=1"}),
    ),
    Pair(
        name="type of a cookie",
        code="request.cookie.incompatible",
        document=asking(parameter("seen", "cookie", NUMBER)),
        fits=exchange(headers={"Cookie": "seen=2"}),
        breaks=exchange(headers={"Cookie": "seen=twice"}),
    ),
    # Media types
    Pair(
        name="media type that is accepted",
        code="request.accept.incompatible",
        document=answering(TEXT),
        fits=exchange(headers={"Accept": "application/*"}),
        breaks=exchange(headers={"Accept": "text/html"}),
    ),
    Pair(
        name="media type whose refusal is expected",
        code="request.content-type.incompatible",
        document=api({"requestBody": {"content": content(thing())}, "responses": REFUSALS}),
        fits=sent({}, "text/plain", status=415),
        breaks=sent({}, "text/plain", status=400),
        exception="the reference does not care which status is expected",
    ),
    Pair(
        name="accept without a media type in the document",
        code="request.accept.unknown",
        document=answering(TEXT),
        broken=api(),
        fits=exchange(headers={"Accept": "application/json"}),
    ),
    Pair(
        name="media type of the request",
        code="request.content-type.incompatible",
        document=taking(thing()),
        fits=sent({}, "application/json; charset=utf-8"),
        breaks=sent({}, "text/plain"),
    ),
    Pair(
        name="media type of a family",
        code="request.content-type.incompatible",
        document=taking(thing(), "application/json"),
        fits=sent({}, "application/vnd.things+json"),
        breaks=sent({}, "application/vnd.things+xml"),
    ),
    Pair(
        name="request that does not say what it is",
        code="request.content-type.missing",
        document=taking(thing()),
        fits=sent({}),
        breaks=exchange(body={}),
    ),
    Pair(
        name="request of a media type where none is described",
        code="request.content-type.unknown",
        document=api(),
        fits=exchange(),
        breaks=exchange(headers={"Content-Type": "text/plain"}),
    ),
    Pair(
        name="media type of the response",
        code="response.content-type.incompatible",
        document=answering(TEXT),
        fits=exchange(answer_headers={"Content-Type": "application/problem+json"}),
        breaks=exchange(answer_headers={"Content-Type": "text/html"}),
    ),
    Pair(
        name="response of a media type where none is described",
        code="response.content-type.unknown",
        document=answering(TEXT),
        broken=api(),
        fits=exchange(answer_headers={"Content-Type": "application/json"}),
    ),
    # Bodies of requests
    Pair(
        name="type in a request",
        code="request.body.incompatible",
        document=taking(thing(size=NUMBER)),
        fits=sent({"size": 2}),
        breaks=sent({"size": "2"}),
    ),
    Pair(
        name="required body",
        code="request.body.incompatible",
        document=taking(thing(), required=True),
        fits=sent({}),
        breaks=exchange(headers={"Content-Type": "application/json"}),
    ),
    Pair(
        name="required property in a request",
        code="request.body.incompatible",
        document=taking({**thing(size=NUMBER), "required": ["size"]}),
        fits=sent({"size": 2}),
        breaks=sent({}),
    ),
    Pair(
        name="body of Swagger 2",
        code="request.body.incompatible",
        document=swagger(
            {"consumes": ["application/json"], "parameters": [parameter("body", "body", thing(size=NUMBER))]}
        ),
        fits=sent({"size": 2}),
        breaks=sent({"size": "2"}),
    ),
    Pair(
        name="form",
        code="request.body.incompatible",
        document=taking({**thing(name=TEXT), "required": ["name"]}, FORM),
        fits=sent("name=lamp", FORM),
        breaks=sent("title=lamp", FORM),
    ),
    Pair(
        name="numbers in a form",
        code="request.body.incompatible",
        document=taking(thing(size=NUMBER), FORM),
        fits=sent("size=2", FORM),
        breaks=sent("size=two", FORM),
        exception="the reference takes the fields of forms for texts, whatever their schemas say",
    ),
    Pair(
        name="commas in a form",
        code="request.body.incompatible",
        document=taking(thing(name=TEXT), FORM),
        broken=taking(thing(name={**TEXT, "maxLength": 3}), FORM),
        fits=sent("name=aa,b", FORM),
        exception="the reference makes a list of a text with commas in it",
    ),
    Pair(
        name="parts",
        code="request.body.incompatible",
        document=taking({**thing(name=TEXT), "required": ["name"]}, "multipart/form-data"),
        fits=sent(
            '--edge\r\nContent-Disposition: form-data; name="name"\r\n\r\nlamp\r\n--edge--',
            "multipart/form-data; boundary=edge",
        ),
        breaks=sent(
            '--edge\r\nContent-Disposition: form-data; name="title"\r\n\r\nlamp\r\n--edge--',
            "multipart/form-data; boundary=edge",
        ),
    ),
    Pair(
        name="discriminator in a request",
        code="request.body.incompatible",
        document=taking(
            {**EITHER, "discriminator": {"propertyName": "kind"}, "type": "object"}, components={"schemas": PETS}
        ),
        fits=sent({"kind": "cat", "lives": 9}),
        breaks=sent({"kind": "cow"}),
    ),
    Pair(
        name="exclusive bound of 3.0",
        code="request.body.incompatible",
        document=taking(thing(size={"type": "integer", "minimum": 1, "exclusiveMinimum": True})),
        fits=sent({"size": 2}),
        breaks=sent({"size": 1}),
    ),
    Pair(
        name="exclusive bound of 3.1",
        code="request.body.incompatible",
        document=taking(thing(size={"type": "integer", "exclusiveMinimum": 1}), openapi="3.1.0"),
        fits=sent({"size": 2}),
        breaks=sent({"size": 1}),
    ),
    Pair(
        name="null in 3.0",
        code="request.body.incompatible",
        document=taking(thing(size={"type": "integer", "nullable": True})),
        broken=taking(thing(size={"type": "integer"})),
        fits=sent({"size": None}),
    ),
    Pair(
        name="null in 3.1",
        code="request.body.incompatible",
        document=taking(thing(size={"type": ["integer", "null"]}), openapi="3.1.0"),
        broken=taking(thing(size={"type": "integer"}), openapi="3.1.0"),
        fits=sent({"size": None}),
    ),
    Pair(
        name="null where a reference may be",
        code="request.body.incompatible",
        document=taking(
            thing(cat={"$ref": "#/components/schemas/Cat", "nullable": True}), components={"schemas": PETS}
        ),
        broken=taking(thing(cat={"$ref": "#/components/schemas/Cat"}), components={"schemas": PETS}),
        fits=sent({"cat": None}),
        exception="the reference asks the schema that is referred to, which does not know that it may be null",
    ),
    Pair(
        name="property that only responses require",
        code="request.body.incompatible",
        document=taking({**thing(id={**TEXT, "readOnly": True}), "required": ["id"]}),
        broken=taking({**thing(id=TEXT), "required": ["id"]}),
        fits=sent({}),
        exception="the reference requires of requests what is read-only",
    ),
    Pair(
        name="properties that two parts require",
        code="request.body.incompatible",
        document=taking({"allOf": [{**thing(a=TEXT), "required": ["a"]}, {**thing(b=TEXT), "required": ["b"]}]}),
        fits=sent({"a": "x", "b": "x"}),
        breaks=sent({"b": "x"}),
        exception="the reference joins `required` of two parts place by place, so that `a` is lost",
    ),
    Pair(
        name="body in version 4",
        code="request.body.incompatible",
        document=taking(thing(size=NUMBER)),
        fits=sent({"content": {"size": 2}, "contentType": "application/json", "encoded": False}),
        breaks=sent({"content": {"size": "2"}, "contentType": "application/json", "encoded": False}),
        version="4.0",
    ),
    Pair(
        name="property that only responses have",
        code="request.body.read-only",
        document=taking(thing(id={**TEXT, "readOnly": True}, name=TEXT)),
        fits=sent({"name": "lamp"}),
        breaks=sent({"id": "7", "name": "lamp"}),
    ),
    Pair(
        name="request body without a schema",
        code="request.body.unknown",
        document=api({"requestBody": {"content": content(thing())}}),
        broken=api({"requestBody": {"content": {"application/json": {}}}}),
        fits=sent({}),
    ),
    Pair(
        name="request body that can't be read",
        code="request.body.unvalidatable",
        document=taking(TEXT, "text/plain"),
        fits=exchange(headers={"Content-Type": "text/plain"}),
        breaks=sent("lamp", "text/plain"),
    ),
    # Credentials
    Pair(
        name="key in a header",
        code="request.authorization.missing",
        document=secured({"key": []}, key=KEY),
        fits=exchange(headers={"X-Key": "k"}),
        breaks=exchange(),
    ),
    Pair(
        name="key in the query",
        code="request.authorization.missing",
        document=secured({"key": []}, key={**KEY, "in": "query", "name": "key"}),
        fits=exchange(query="key=k"),
        breaks=exchange(),
    ),
    Pair(
        name="basic credentials",
        code="request.authorization.missing",
        document=secured({"basic": []}, basic={"type": "http", "scheme": "basic"}),
        fits=exchange(headers={"Authorization": "Basic abc"}),
        breaks=exchange(headers={"Authorization": "Bearer abc"}),
    ),
    Pair(
        name="bearer credentials",
        code="request.authorization.missing",
        document=secured({"bearer": []}, bearer={"type": "http", "scheme": "bearer"}),
        fits=exchange(headers={"Authorization": "Bearer abc"}),
        breaks=exchange(headers={"Authorization": "Basic abc"}),
    ),
    Pair(
        name="credentials that nobody has to have",
        code="request.authorization.missing",
        document=secured({}, {"key": []}, key=KEY),
        broken=secured({"key": []}, key=KEY),
        fits=exchange(),
    ),
    Pair(
        name="key in a cookie",
        code="request.credentials.missing",
        document=secured({"key": []}, key={**KEY, "in": "cookie", "name": "key"}),
        fits=exchange(headers={"Cookie": "key=k"}),
        breaks=exchange(),
    ),
    Pair(
        name="token",
        code="request.credentials.missing",
        document=secured({"login": []}, login={"type": "oauth2", "flows": {}}),
        fits=exchange(headers={"Authorization": "Bearer abc"}),
        breaks=exchange(),
    ),
    Pair(
        name="two credentials together",
        code="request.credentials.missing",
        document=secured({"key": [], "basic": []}, key=KEY, basic={"type": "http", "scheme": "basic"}),
        fits=exchange(headers={"X-Key": "k", "Authorization": "Basic abc"}),
        breaks=exchange(headers={"X-Key": "k"}),
    ),
    # Responses
    Pair(
        name="status",
        code="response.status.unknown",
        document=api(),
        fits=exchange(),
        breaks=exchange(status=201),
    ),
    Pair(
        name="range of statuses",
        code="response.status.unknown",
        document=api({"responses": {"2XX": {"description": "done"}}}),
        fits=exchange(status=204),
        breaks=exchange(status=304),
    ),
    Pair(
        name="status that only the default covers",
        code="response.status.default",
        document=api({"responses": {"200": {"description": "done"}, "default": {"description": "not"}}}),
        fits=exchange(),
        breaks=exchange(status=500),
    ),
    Pair(
        name="type of a response header",
        code="response.header.incompatible",
        document=api({"responses": {"200": {"description": "done", "headers": {"X-Left": {"schema": NUMBER}}}}}),
        fits=exchange(answer_headers={"X-Left": "3"}),
        breaks=exchange(answer_headers={"X-Left": "few"}),
    ),
    Pair(
        name="response header that is not described",
        code="response.header.unknown",
        document=api(),
        fits=exchange(),
        breaks=exchange(answer_headers={"X-Left": "3"}),
    ),
    Pair(
        name="usual response header that is not described",
        code="response.header.undefined",
        document=api(),
        fits=exchange(),
        breaks=exchange(answer_headers={"ETag": "3"}),
    ),
    Pair(
        name="type in a response",
        code="response.body.incompatible",
        document=answering({**thing(size=NUMBER), "required": ["size", "name"]}),
        fits=answered({"size": 2}),
        breaks=answered({"size": "2"}),
    ),
    Pair(
        name="property that the response has not",
        code="response.body.incompatible",
        document=answering(thing(size=NUMBER)),
        fits=answered({"size": 2}),
        breaks=answered({"sise": 2}),
    ),
    Pair(
        name="property that no part has",
        code="response.body.incompatible",
        document=answering(
            {"allOf": [thing(a=TEXT), {"$ref": "#/components/schemas/B"}]}, components={"schemas": {"B": thing(b=TEXT)}}
        ),
        fits=answered({"a": "x", "b": "x"}),
        breaks=answered({"a": "x", "c": "x"}),
    ),
    Pair(
        name="property deep in a circle",
        code="response.body.incompatible",
        document=answering({"$ref": "#/components/schemas/Node"}, components={"schemas": NODE}),
        fits=answered({"next": {"next": {"name": "x"}}}),
        breaks=answered({"next": {"next": {"nome": "x"}}}),
    ),
    Pair(
        name="object that is open to texts",
        code="response.body.incompatible",
        document=answering({**thing(size=NUMBER), "additionalProperties": TEXT}),
        fits=answered({"colour": "red"}),
        breaks=answered({"colour": 3}),
    ),
    Pair(
        name="format in a response",
        code="response.body.incompatible",
        document=answering(thing(made={**TEXT, "format": "date-time"})),
        fits=answered({"made": "2024-05-06T07:08:09Z"}),
        breaks=answered({"made": "yesterday"}),
    ),
    Pair(
        name="whole numbers by format, or nothing",
        code="response.body.incompatible",
        document=answering(thing(size={"type": ["number", "null"], "format": "int32"}), openapi="3.1.0"),
        fits=answered({"size": 2}),
        breaks=answered({"size": 2.5}),
    ),
    Pair(
        name="discriminator in a response",
        code="response.body.incompatible",
        document=answering({**EITHER, "discriminator": {"propertyName": "kind"}}, components={"schemas": PETS}),
        fits=answered({"kind": "dog"}),
        breaks=answered({"kind": "cow"}),
    ),
    Pair(
        name="property of an object that may be null",
        code="response.body.undescribed",
        document=answering({**thing(size=NUMBER), "nullable": True}),
        fits=answered({"size": 2}),
        breaks=answered({"sise": 2}),
    ),
    Pair(
        name="property that only requests have",
        code="response.body.write-only",
        document=answering(thing(name=TEXT, pin={**TEXT, "writeOnly": True})),
        fits=answered({"name": "lamp"}),
        breaks=answered({"name": "lamp", "pin": "1234"}),
    ),
    Pair(
        name="response body without a schema",
        code="response.body.unknown",
        document=answering(thing()),
        broken=api({"responses": {"200": {"description": "done", "content": {"application/json": {}}}}}),
        fits=answered({}),
    ),
    Pair(
        name="response body that can't be read",
        code="response.body.unvalidatable",
        document=api({"responses": {"200": {"description": "done", "content": content(TEXT, "text/plain")}}}),
        fits=exchange(),
        breaks=answered("lamp"),
    ),
    Pair(
        name="field of a form of Swagger 2",
        code="request.form.incompatible",
        document=swagger({"parameters": FIELDS}, consumes=[FORM]),
        fits=sent("size=2&tags=a,b", FORM),
        breaks=sent("size=two&tags=a,b", FORM),
        also=("request.body.unknown",),
    ),
    Pair(
        name="required field of a form of Swagger 2",
        code="request.form.incompatible",
        document=swagger({"parameters": FIELDS}, consumes=[FORM]),
        fits=sent({"size": 2}, FORM),
        breaks=sent({"tags": ["a"]}, FORM),
        also=("request.body.unknown",),
    ),
    # Matchers
    Pair(
        name="matcher of a type on a list of values",
        code="request.matcher.wider",
        document=taking(thing(colour=COLOUR)),
        fits=sent({"colour": "red"}, rules=matched(colour={"match": "regex", "regex": "red|blue"})),
        breaks=sent({"colour": "red"}, rules=matched(colour={"match": "type"})),
    ),
    Pair(
        name="matcher of fractions on whole numbers",
        code="request.matcher.wider",
        document=taking(thing(size=NUMBER)),
        fits=sent({"size": 2}, rules=matched(size={"match": "integer"})),
        breaks=sent({"size": 2}, rules=matched(size={"match": "number"})),
    ),
    Pair(
        name="matcher of more items",
        code="request.matcher.wider",
        document=taking(thing(sizes={"type": "array", "items": NUMBER, "maxItems": 3})),
        fits=sent({"sizes": [1]}, rules=matched(sizes={"match": "type", "min": 1, "max": 3})),
        breaks=sent({"sizes": [1]}, rules=matched(sizes={"match": "type", "min": 1})),
    ),
    Pair(
        name="matcher of times in another format",
        code="request.matcher.wider",
        document=taking(thing(made={**TEXT, "format": "date-time"})),
        fits=sent(
            {"made": "2024-05-06T07:08:09Z"},
            rules=matched(made={"match": "timestamp", "timestamp": "yyyy-MM-dd'T'HH:mm:ssXXX"}),
        ),
        breaks=sent(
            {"made": "2024-05-06T07:08:09Z"},
            rules=matched(made={"match": "timestamp", "timestamp": "yyyy-MM-dd HH:mm:ss"}),
        ),
    ),
    Pair(
        name="matcher that refuses a value of a list",
        code="response.matcher.narrower",
        document=answering(thing(colour=COLOUR)),
        fits=answered({"colour": "red"}, answer_rules=matched(colour={"match": "regex", "regex": "^(red|blue)$"})),
        breaks=answered({"colour": "red"}, answer_rules=matched(colour={"match": "regex", "regex": "^red$"})),
    ),
    Pair(
        name="matcher that refuses fractions",
        code="response.matcher.narrower",
        document=answering(thing(size={"type": "number"})),
        fits=answered({"size": 2}, answer_rules=matched(size={"match": "number"})),
        breaks=answered({"size": 2}, answer_rules=matched(size={"match": "integer"})),
    ),
    Pair(
        name="matcher of more paths",
        code="request.matcher.wider",
        document=asking(parameter("id", "path", NUMBER), label="GET /things/{id}"),
        fits=exchange("/things/7", "GET", rules={"path": {"matchers": [{"match": "regex", "regex": "/things/[1-9]"}]}}),
        breaks=exchange(
            "/things/7", "GET", rules={"path": {"matchers": [{"match": "regex", "regex": r"/things/\w+"}]}}
        ),
    ),
    Pair(
        name="matcher of more paths, as version 2 writes it",
        code="request.matcher.wider",
        document=asking(parameter("id", "path", NUMBER), label="GET /things/{id}"),
        fits=exchange("/things/7", "GET", rules={"$.path": {"match": "regex", "regex": r"^/things/\d+$"}}),
        breaks=exchange("/things/7", "GET", rules={"$.path": {"match": "type"}}),
        version="2.0.0",
    ),
    Pair(
        name="matcher of other texts in the query",
        code="request.matcher.wider",
        document=asking(parameter("page", "query", NUMBER)),
        fits=exchange(query="page=2", rules={"query": {"page": {"matchers": [{"match": "regex", "regex": r"\d+"}]}}}),
        breaks=exchange(query="page=2", rules={"query": {"page": {"matchers": [{"match": "regex", "regex": ".+"}]}}}),
    ),
    Pair(
        name="matcher of other texts in a header",
        code="request.matcher.wider",
        document=asking(parameter("X-Id", "header", {**TEXT, "format": "uuid"})),
        fits=exchange(
            headers={"X-Id": "0b9a6b8e-2a53-4b4e-8d5c-0d7a0a9a9a9a"},
            rules={"$.headers.X-Id": {"regex": "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"}},
        ),
        breaks=exchange(
            headers={"X-Id": "0b9a6b8e-2a53-4b4e-8d5c-0d7a0a9a9a9a"}, rules={"$.headers.X-Id": {"regex": "[0-9a-f-]+"}}
        ),
        version="2.0.0",
    ),
    # Several files
    Pair(
        name="schema in a place that is not there",
        code="document.reference.unresolved",
        document=answering(thing(size={"$ref": "#/components/schemas/Nowhere"})),
        fits=answered({}),
        breaks=answered({"size": 2}),
    ),
    Pair(
        name="schema at another address",
        code="document.reference.unresolved",
        document=taking(thing(size=NUMBER)),
        broken=taking(thing(size={"$ref": "https://example.org/things.yaml#/Size"})),
        fits=sent({"size": 2}),
        exception="the reference gives up",
    ),
    Pair(
        name="parameter in a place that is not there",
        code="document.reference.unresolved",
        document=api(),
        broken=api({"parameters": [{"$ref": "#/components/parameters/nowhere"}]}),
        fits=exchange(),
    ),
    Pair(
        name="response in a place that is not there",
        code="document.reference.unresolved",
        document=api(),
        broken=api({"responses": {"200": {"$ref": "responses.yaml#/done"}}}),
        fits=exchange(),
    ),
    # What can't be read
    Pair(
        name="interaction without a response",
        code="interaction.unreadable",
        document=api(),
        fits=exchange(),
        breaks={"description": "half of one", "request": {"method": "POST", "path": "/things"}},
        exception="the reference refuses the whole pact",
    ),
    Pair(
        name="schema that is none",
        code="document.schema.unreadable",
        document=answering(thing()),
        broken=answering({"type": "thing"}),
        fits=answered({}),
        exception="the reference gives up",
    ),
)
