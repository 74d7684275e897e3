"""A pair of documents for each rule: the smallest in which nothing else has changed."""

from __future__ import annotations

import copy
from typing import Any

from orchestrator.contracts.evolution.rules import RULES, SUBJECTS

Json = dict[str, Any]
Pair = tuple[Json, Json]

STRING: Json = {"type": "string"}
OBJECT: Json = {"type": "object"}
OLD, FUTURE, LATER, PAST = "2020-01-01", "2050-01-01", "2060-01-01", "2010-01-01"  # today is 2030-01-01


def document(operation: Json | None = None, **more: Any) -> Json:
    """A document with one operation, `GET /a`."""
    about = {"openapi": "3.1.0", "info": {"title": "A", "version": "1"}}
    get = {"responses": {"200": {"description": "ok"}}, **(operation or {})}
    return copy.deepcopy({**about, "paths": {"/a": {"get": get}}, **more})


def with_request(schema: Any, media: str = "application/json") -> Json:
    content = {"schema": schema} if schema is not None else {}
    return document({"requestBody": {"content": {media: content}}})


def with_response(schema: Any, media: str = "application/json", status: str = "200") -> Json:
    content = {"schema": schema} if schema is not None else {}
    return document({"responses": {status: {"description": "ok", "content": {media: content}}}})


def with_parameter(schema: Json, place: str = "query", **more: Any) -> Json:
    return document({"parameters": [{"name": "p", "in": place, "schema": schema, **more}]})


def with_header(schema: Json, **more: Any) -> Json:
    return document({"responses": {"200": {"description": "ok", "headers": {"X-H": {"schema": schema, **more}}}}})


def around(schema: Json, **more: Any) -> Json:
    """An object with one property."""
    return {"type": "object", "properties": {"p": {**schema, **more}}}


def required(schema: Json | None = None, **more: Any) -> Json:
    """An object with one property that has to be there."""
    return {**around(schema or STRING, **more), "required": ["p"]}


def put(prefix: str, schema: Json, aspect: str) -> Json:
    """A document with a schema where rules of that beginning look."""
    media = "text/csv" if aspect == "type-compatible" else "application/json"
    return {
        "request-body": lambda: with_request(schema, media),
        "request-property": lambda: with_request(around(schema), media),
        "request-read-only-property": lambda: with_request(around(schema, readOnly=True)),
        "request-parameter": lambda: with_parameter(schema),
        "request-parameter-property": lambda: with_parameter(around(schema)),
        "response-body": lambda: with_response(schema, media),
        "response-property": lambda: with_response(around(schema), media),
        "response-write-only-property": lambda: with_response(around(schema, writeOnly=True)),
        "response-header": lambda: with_header(schema),
    }[prefix]()


def words(kind: str | None, before: Json, after: Json) -> Pair:
    """Two schemas of one type."""
    about = {"type": kind} if kind else {}
    return {**about, **before}, {**about, **after}


def bound(kind: str, word: str, *, low: int = 1, high: int = 2) -> dict[str, Pair]:
    """What may become of a bound."""
    return {
        "set": words(kind, {}, {word: high}),
        "unset": words(kind, {word: high}, {}),
        "increased": words(kind, {word: low}, {word: high}),
        "decreased": words(kind, {word: high}, {word: low}),
    }


BOUNDS = {
    "min": ("integer", "minimum"),
    "max": ("integer", "maximum"),
    "exclusive-min": ("integer", "exclusiveMinimum"),
    "exclusive-max": ("integer", "exclusiveMaximum"),
    "min-length": ("string", "minLength"),
    "max-length": ("string", "maxLength"),
    "min-items": ("array", "minItems"),
    "max-items": ("array", "maxItems"),
    "min-properties": ("object", "minProperties"),
    "max-properties": ("object", "maxProperties"),
}


def existing(name: str, word: str, value: Any, **beside: Any) -> dict[str, Pair]:
    """A keyword that comes or goes."""
    without, with_it = beside, {**beside, word: value}
    return {f"{name}-added": (without, with_it), f"{name}-removed": (with_it, without)}


def changing(name: str, word: str, one: Any, other: Any, **beside: Any) -> dict[str, Pair]:
    """A keyword that comes, goes, or is another one."""
    changed = {**beside, word: one}, {**beside, word: other}
    return {**existing(name, word, one, **beside), f"{name}-changed": changed}


NUMBER_CHOICE: Json = {"title": "N", "type": "object", "minProperties": 1}
TEXT_CHOICE: Json = {"title": "T", "type": "object", "maxProperties": 1}
OTHER_CHOICE: Json = {"title": "O", "type": "object", "maxProperties": 2}


def choices(name: str, word: str) -> dict[str, Pair]:
    few, many = {word: [NUMBER_CHOICE, TEXT_CHOICE]}, {word: [OTHER_CHOICE, NUMBER_CHOICE, TEXT_CHOICE]}
    return {f"{name}-added": (few, many), f"{name}-removed": (many, few)}


def discriminator(name: str = "kind", **mapping: str) -> Json:
    return {"type": "object", "discriminator": {"propertyName": name, "mapping": mapping}}


def contains(**counts: int) -> Json:
    return {"type": "array", "contains": STRING, **counts}


SCHEMAS: dict[str, Pair] = {
    "type-generalized": ({"type": "integer"}, {"type": "number"}),
    "type-specialized": ({"type": "number"}, {"type": "integer"}),
    "type-changed": ({"type": "boolean"}, {"type": "integer"}),
    "list-of-types-widened": ({"type": "string"}, {"oneOf": [{"type": "string"}, {"type": "boolean"}]}),
    "list-of-types-narrowed": ({"anyOf": [{"type": "string"}, {"type": "boolean"}]}, {"type": "string"}),
    "became-nullable": ({"type": "string"}, {"type": ["string", "null"]}),
    "became-not-nullable": ({"type": "string", "nullable": True}, {"type": "string"}),
    "became-enum": ({"type": "string"}, {"type": "string", "enum": ["a"]}),
    "enum-opened": ({"type": "string", "enum": ["a"]}, {"type": "string"}),
    "enum-value-added": ({"enum": ["a"]}, {"enum": ["b", "a"]}),
    "enum-value-removed": ({"enum": ["a", "b"]}, {"enum": ["b"]}),
    "x-extensible-enum-value-removed": ({"x-extensible-enum": ["a", "b"]}, {"x-extensible-enum": ["b"]}),
    **changing("const", "const", "a", "b"),
    **changing("default-value", "default", "a", "b"),
    **changing("pattern", "pattern", "^a$", "^b$", type="string"),
    "pattern-generalized": words("string", {"pattern": "^a$"}, {"pattern": ".*"}),
    **{f"{name}-{ending}": pair for name, (kind, word) in BOUNDS.items() for ending, pair in bound(kind, word).items()},
    "multiple-of-set": words("integer", {}, {"multipleOf": 2}),
    "multiple-of-changed": words("integer", {"multipleOf": 2}, {"multipleOf": 3}),
    "multiple-of-unset": words("integer", {"multipleOf": 2}, {}),
    "unique-items-set": words("array", {}, {"uniqueItems": True}),
    "unique-items-unset": words("array", {"uniqueItems": True}, {}),
    "additional-properties-denied": words("object", {}, {"additionalProperties": False}),
    "additional-properties-allowed": words("object", {"additionalProperties": False}, {}),
    **choices("one-of", "oneOf"),
    **choices("any-of", "anyOf"),
    "wrapped-in-one-of": (around(STRING), {"oneOf": [around(STRING), around({"type": "integer"})]}),
    "discriminator-added": (OBJECT, discriminator()),
    "discriminator-removed": (discriminator(), OBJECT),
    "discriminator-property-name-changed": (discriminator(), discriminator("sort")),
    "discriminator-mapping-added": (discriminator(a="#/A"), discriminator(a="#/A", b="#/B")),
    "discriminator-mapping-deleted": (discriminator(a="#/A", b="#/B"), discriminator(a="#/A")),
    "discriminator-mapping-changed": (discriminator(a="#/A"), discriminator(a="#/B")),
    "prefix-items-added": ({"prefixItems": [STRING]}, {"prefixItems": [STRING, STRING]}),
    "prefix-items-removed": ({"prefixItems": [STRING, STRING]}, {"prefixItems": [STRING]}),
    **existing("if", "if", OBJECT),
    **existing("then", "then", OBJECT, **{"if": OBJECT}),
    **existing("else", "else", OBJECT, **{"if": OBJECT}),
    **existing("contains", "contains", STRING, type="array"),
    "min-contains-increased": (contains(), contains(minContains=2)),
    "min-contains-decreased": (contains(minContains=2), contains(minContains=1)),
    "max-contains-increased": (contains(maxContains=2), contains()),
    "max-contains-decreased": (contains(), contains(maxContains=2)),
    **changing("dependent-required", "dependentRequired", {"a": ["b"]}, {"a": ["c"]}),
    **existing("dependent-schema", "dependentSchemas", {"a": OBJECT}),
    **existing("pattern-property", "patternProperties", {"^a": STRING}),
    **existing("property-names", "propertyNames", STRING),
    **existing("unevaluated-items", "unevaluatedItems", STRING),
    **existing("unevaluated-properties", "unevaluatedProperties", STRING),
    **existing("content-schema", "contentSchema", OBJECT),
    "content-media-type-changed": ({"contentMediaType": "image/png"}, {"contentMediaType": "image/gif"}),
    "content-encoding-changed": ({"contentEncoding": "base64"}, {"contentEncoding": "base32"}),
    "deprecated": (STRING, {**STRING, "deprecated": True}),
    "deprecated-with-sunset": (STRING, {**STRING, "deprecated": True, "x-sunset": FUTURE}),
    "deprecated-sunset-invalid": (STRING, {**STRING, "deprecated": True, "x-sunset": "soon"}),
    "sunset-date-too-small": (STRING, {**STRING, "deprecated": True, "x-sunset": OLD}),
    "reactivated": ({**STRING, "deprecated": True}, STRING),
}


def of_schemas() -> dict[str, Pair]:
    """Examples of the rules about schemas."""
    found: dict[str, Pair] = {}
    for aspect, (before, after) in SCHEMAS.items():
        for prefix in SUBJECTS:
            found[f"{prefix}-{aspect}"] = put(prefix, before, aspect), put(prefix, after, aspect)
    for prefix, (was, now) in {
        "request-body": ("boolean", "string"),
        "request-property": ("boolean", "string"),
        "response-body": ("string", "boolean"),
        "response-property": ("string", "boolean"),
        "response-header": ("string", "boolean"),
    }.items():
        aspect = "type-compatible"
        found[f"{prefix}-{aspect}"] = put(prefix, {"type": was}, aspect), put(prefix, {"type": now}, aspect)
    integer, text = with_parameter(around({"type": "integer"})), with_parameter(around(STRING))
    found["request-parameter-property-type-changed"] = integer, text
    found["response-mediatype-enum-value-removed"] = found["response-body-enum-value-removed"]
    return {rule: pair for rule, pair in found.items() if rule in RULES}


def in_properties() -> dict[str, Pair]:
    """Examples of the rules about properties that come, go, and are needed or not."""
    optional, needed, none = around(STRING), required(), OBJECT
    found: dict[str, Pair] = {
        "request-property-removed": (with_request(optional), with_request(none)),
        "new-required-request-property": (with_request(none), with_request(required())),
        "new-required-request-property-with-default": (with_request(none), with_request(required(default="a"))),
        "new-optional-request-property": (with_request(none), with_request(optional)),
        "request-property-became-required": (with_request(optional), with_request(needed)),
        "request-property-became-required-with-default": (
            with_request(around(STRING, default="a")),
            with_request(required(default="a")),
        ),
        "request-property-became-optional": (with_request(needed), with_request(optional)),
        "response-property-became-optional": (with_response(needed), with_response(optional)),
        "response-property-became-required": (with_response(optional), with_response(needed)),
        "response-write-only-property-became-optional": (
            with_response(required(writeOnly=True)),
            with_response(around(STRING, writeOnly=True)),
        ),
        "response-write-only-property-became-required": (
            with_response(around(STRING, writeOnly=True)),
            with_response(required(writeOnly=True)),
        ),
        "new-required-request-header-property": (with_parameter(none, "header"), with_parameter(needed, "header")),
        "request-header-property-became-required": (
            with_parameter(optional, "header"),
            with_parameter(needed, "header"),
        ),
        "request-header-property-became-enum": (
            with_parameter(optional, "header"),
            with_parameter(around(STRING, enum=["a"]), "header"),
        ),
    }
    for kind, make in (("required", required), ("optional", around)):
        for side, put_in in (("request", with_request), ("response", with_response)):
            for word, name in (("readOnly", "read-only"), ("writeOnly", "write-only")):
                plain, marked = put_in(make(STRING)), put_in(make(STRING, **{word: True}))
                found[f"{side}-{kind}-property-became-{name}"] = plain, marked
                found[f"{side}-{kind}-property-became-not-{name}"] = marked, plain
        for more, infix in (({}, ""), ({"writeOnly": True}, "-write-only")):
            there, gone = with_response(make(STRING, **more)), with_response({**make(STRING), "properties": {}})
            found[f"response-{kind}{infix}-property-added"] = gone, there
            found[f"response-{kind}{infix}-property-removed"] = there, gone
    return found


def deprecated(sunset: str | None = None, **more: Any) -> Json:
    about: Json = {"deprecated": True, **({"x-sunset": sunset} if sunset else {})}
    return {**about, **more}


def gone(words: Json, *, path: bool) -> Pair:
    """An operation that is gone, with its path or without it."""
    before = document()
    before["paths"]["/b"] = {"get": {**words}, **({} if path else {"put": {}})}
    after = copy.deepcopy(before)
    if path:
        del after["paths"]["/b"]
    else:
        del after["paths"]["/b"]["get"]
    return before, after


def of_operations() -> dict[str, Pair]:
    """Examples of the rules about operations."""
    found: dict[str, Pair] = {}
    for path, prefix in ((True, "api-path"), (False, "api")):
        found[f"{prefix}-removed-without-deprecation"] = gone({}, path=path)
        found[f"{prefix}-removed-with-deprecation"] = gone(deprecated(), path=path)
        found[f"{prefix}-removed-before-sunset"] = gone(deprecated(FUTURE), path=path)
    before, after = gone({}, path=False)
    return found | {
        "api-path-sunset-parse": gone(deprecated("soon"), path=True),
        "endpoint-added": (after, before),
        "endpoint-deprecated": (document(), document(deprecated())),
        "endpoint-deprecated-with-sunset": (document(), document(deprecated(FUTURE))),
        "endpoint-reactivated": (document(deprecated()), document()),
        "api-deprecated-sunset-parse": (document(), document(deprecated("soon"))),
        "api-sunset-date-too-small": (document(), document(deprecated(OLD))),
        "sunset-deleted": (document(deprecated(FUTURE)), document(deprecated())),
        "api-sunset-date-changed-too-small": (document(deprecated(OLD)), document(deprecated(PAST))),
        "api-operation-id-added": (document(), document({"operationId": "a"})),
        "api-operation-id-removed": (document({"operationId": "a"}), document({"operationId": "b"})),
        "api-tag-added": (document({"tags": ["a"]}), document({"tags": ["b", "a"]})),
        "api-tag-removed": (document({"tags": ["a", "b"]}), document({"tags": ["b"]})),
        "webhook-added": (document(), document(webhooks={"new": {"post": {}}})),
        "webhook-removed": (document(webhooks={"new": {"post": {}}}), document()),
    }


def scheme(**more: Any) -> Json:
    return document(components={"securitySchemes": {"s": {"type": "oauth2", **more}}})


def flow(**more: Any) -> Json:
    return scheme(flows={"implicit": more})


def of_security() -> dict[str, Pair]:
    """Examples of the rules about security."""
    found: dict[str, Pair] = {}
    values: list[list[Json]] = [[{"a": []}], [{"b": []}, {"a": []}], [{"a": ["read"]}]]
    for prefix, (one, two, scoped) in {
        "api-security": [document({"security": value}) for value in values],
        "api-global-security": [document(security=value) for value in values],
    }.items():
        found[f"{prefix}-added"] = one, two
        found[f"{prefix}-removed"] = two, one
        found[f"{prefix}-scope-added"] = one, scoped
        found[f"{prefix}-scope-removed"] = scoped, one
    prefix = "api-security-component"
    return found | {
        f"{prefix}-added": (document(), scheme()),
        f"{prefix}-removed": (scheme(), document()),
        f"{prefix}-type-changed": (scheme(), scheme(type="http")),
        f"{prefix}-oauth-url-changed": (flow(authorizationUrl="/a"), flow(authorizationUrl="/b")),
        f"{prefix}-oauth-token-url-changed": (flow(tokenUrl="/a"), flow(tokenUrl="/b")),
        f"{prefix}-oauth-scope-added": (flow(scopes={"a": ""}), flow(scopes={"a": "", "b": ""})),
        f"{prefix}-oauth-scope-removed": (flow(scopes={"a": "", "b": ""}), flow(scopes={"a": ""})),
        f"{prefix}-oauth-scope-changed": (flow(scopes={"a": "x"}), flow(scopes={"a": "y"})),
    }


def of_parameters() -> dict[str, Pair]:
    """Examples of the rules about parameters."""
    plain = with_parameter(STRING)

    def marked(sunset: str | None = None) -> Json:
        return with_parameter(STRING, **deprecated(sunset))

    array: Json = {"type": "array", "items": STRING}
    return {
        "new-required-request-parameter": (document(), with_parameter(STRING, required=True)),
        "new-optional-request-parameter": (document(), plain),
        "request-parameter-removed": (plain, document()),
        "request-parameter-removed-with-deprecation": (marked(), document()),
        "request-parameter-removed-before-sunset": (marked(FUTURE), document()),
        "request-parameter-sunset-parse": (marked("soon"), document()),
        "request-parameter-became-required": (plain, with_parameter(STRING, required=True)),
        "request-parameter-became-optional": (with_parameter(STRING, required=True), plain),
        "request-parameter-deprecated": (plain, marked(FUTURE)),
        "request-parameter-reactivated": (marked(), plain),
        "request-parameter-sunset-date-too-small": (plain, marked(OLD)),
        "request-parameter-sunset-deleted": (marked(FUTURE), marked()),
        "request-parameter-sunset-date-changed-too-small": (marked(OLD), marked(PAST)),
        "request-parameter-serialization-changed": (with_parameter(array), with_parameter(array, explode=False)),
    }


def of_bodies() -> dict[str, Pair]:
    """Examples of the rules about bodies, responses and headers."""
    content: Json = {"application/json": {}}
    two: Json = {"application/json": {}, "text/csv": {}}
    body: Json = document({"requestBody": {"content": content}})
    needed: Json = document({"requestBody": {"content": content, "required": True}})
    answer = document({"responses": {"200": {"content": content}}})
    header, needed_header = with_header(STRING), with_header(STRING, required=True)
    problem = "application/problem+json"

    def answers(*statuses: str) -> Json:
        return document({"responses": {status: {} for status in statuses}})

    return {
        "request-body-added-required": (document(), needed),
        "request-body-added-optional": (document(), body),
        "request-body-removed": (body, document()),
        "request-body-became-required": (body, needed),
        "request-body-became-optional": (needed, body),
        "request-body-media-type-added": (body, document({"requestBody": {"content": two}})),
        "request-body-media-type-removed": (document({"requestBody": {"content": two}}), body),
        "request-body-media-type-schema-added": (body, with_request(OBJECT)),
        "request-body-media-type-schema-removed": (with_request(OBJECT), body),
        "response-success-status-added": (answers("200"), answers("200", "201")),
        "response-success-status-removed": (answers("200", "201"), answers("201")),
        "response-non-success-status-added": (answers("200"), answers("200", "404")),
        "response-non-success-status-removed": (answers("200", "404"), answers("200")),
        "response-media-type-added": (answer, document({"responses": {"200": {"content": two}}})),
        "response-media-type-removed": (document({"responses": {"200": {"content": two}}}), answer),
        "response-media-type-name-changed": (with_response(OBJECT), with_response(OBJECT, "application/json;a=b")),
        "response-media-type-name-generalized": (with_response(OBJECT, problem), with_response(OBJECT)),
        "response-media-type-name-specialized": (with_response(OBJECT), with_response(OBJECT, problem)),
        "response-body-media-type-schema-added": (with_response(None), with_response(OBJECT)),
        "response-body-media-type-schema-removed": (with_response(OBJECT), with_response(None)),
        "response-header-added": (document(), header),
        "required-response-header-removed": (needed_header, document()),
        "optional-response-header-removed": (header, document()),
        "response-header-became-optional": (needed_header, header),
    }


EXAMPLES = of_schemas() | in_properties() | of_operations() | of_security() | of_parameters() | of_bodies()
