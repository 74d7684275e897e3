from __future__ import annotations

import itertools
from typing import Any

import pytest

from orchestrator.contracts.description import Description
from orchestrator.contracts.operations import Operations
from tests.contracts.cases import NUMBER, TEXT, api, asking, parameter, swagger, thing

OK: dict[str, Any] = {"responses": {"200": {"description": "done"}}}


def operations(*paths: str, **more: Any) -> Operations:
    return Operations(Description({**api(), "paths": {path: {"get": OK} for path in paths}, **more}))


def found(known: Operations, path: str) -> tuple[str, dict[str, str]] | None:
    route = known.find("GET", path)
    return (route.operation.path, route.variables) if route else None


@pytest.mark.parametrize(
    ("path", "template", "variables"),
    [
        ("/a/b", "/a/b", {}),
        ("/a/c", "/a/{x}", {"x": "c"}),
        ("/a/c.json", "/a/{x}.json", {"x": "c"}),
        ("/a/1-2", "/a/{x}-{y}", {"x": "1", "y": "2"}),
        ("/a/b/c", "/a/{x}/c", {"x": "b"}),
        ("/a/x%2Fy", "/a/{x}", {"x": "x/y"}),
        ("/a/%E2%82%AC", "/a/{x}", {"x": "€"}),
        ("a/b", "/a/b", {}),
        ("/l/.1.2", "/l/{.x*}", {"x": "1.2"}),
        ("/m/;x=1", "/m/{;x}", {"x": "x=1"}),
        ("/files/deep/er", "/files/*", {}),
    ],
)
def test_a_path_finds_its_template(path: str, template: str, variables: dict[str, str]) -> None:
    templates = ("/a/{x}", "/a/{x}-{y}", "/a/{x}.json", "/a/b", "/a/{x}/c", "/l/{.x*}", "/m/{;x}", "/files/*")
    assert found(operations(*templates), path) == (template, variables)


@pytest.mark.parametrize("path", ["/a", "/a/", "/a/b/", "/A/b", "/a/b?c=1", "/a/%zz", "/a/%ff"])
def test_other_paths_find_nothing(path: str) -> None:
    assert found(operations("/a/b", "/a/{x}x"), path) is None


def test_settings_of_the_reference_in_the_document_hold_here_too() -> None:
    info = {"x-opc-config-case-insensitive": True, "x-opc-config-ignore-trailing-slash": True}
    more = {"x-opc-config-ignore-duplicate-slashes": True, "x-opc-config-base-path": "/v1"}
    known = operations("/a/b", info={**info, **more})
    assert found(known, "/v1//A/B/") == ("/a/b", {})
    assert found(known, "/a/b") is None


def test_the_base_path_of_the_settings_may_be_there_or_not() -> None:
    known = Operations(Description(api(label="GET /a")), "/base")
    assert found(known, "/base/a") == found(known, "/a") == ("/a", {})


def test_an_operation_has_its_paths_parameters_and_its_own_win() -> None:
    document = asking(parameter("page", "query", NUMBER))
    document["paths"]["/things"]["parameters"] = [parameter("page", "query", TEXT), parameter("size", "query", TEXT)]
    route = Operations(Description(document)).find("POST", "/things")
    assert route
    assert [(p.name, p.kind) for p in route.operation.parameters] == [("page", "integer"), ("size", "string")]


def test_references_to_parameters_bodies_and_responses_are_followed() -> None:
    document = api(
        {
            "parameters": [{"$ref": "#/components/parameters/page"}],
            "requestBody": {"$ref": "#/components/requestBodies/one"},
            "responses": {200: {"$ref": "#/components/responses/one"}},
        },
        components={
            "parameters": {"page": parameter("page", "query", NUMBER)},
            "requestBodies": {"one": {"content": {"application/json": {"schema": thing()}}, "required": True}},
            "responses": {"one": {"content": {"text/plain": {}}, "headers": {"X": {"schema": TEXT}}}},
        },
    )
    known = Operations(Description(document))
    route = known.find("POST", "/things")
    assert route
    assert route.operation.parameters[0].at == ("components", "parameters", "page")
    assert route.operation.body
    assert route.operation.body.required
    answer = known.answer(route.operation, 200)
    assert answer
    assert answer.produces == ("text/plain",)
    assert answer.headers == {"X": ("components", "responses", "one", "headers", "X", "schema")}


@pytest.mark.parametrize(("status", "key"), [(200, "200"), (204, "2XX"), (301, "3xx"), (500, "default")])
def test_the_nearest_response_is_found(status: int, key: str) -> None:
    responses = {name: {"description": name} for name in ("default", "2XX", "3xx", "200")}
    known = Operations(Description(api({"responses": responses})))
    route = known.find("POST", "/things")
    assert route
    answer = known.answer(route.operation, status)
    assert answer
    assert answer.key == key


def test_the_nearest_servers_come_before_a_path() -> None:
    of_path = {"servers": [{"url": "/path"}], "get": OK, "put": {**OK, "servers": [{"url": "/own"}, {"url": "/other"}]}}
    raw = {**api(), "servers": [{"url": "/all/"}], "paths": {"/a": of_path, "/b": {"get": OK, "servers": []}}}
    known = Operations(Description(raw), "/all")
    served = {
        (method, path)
        for method, path in itertools.product(
            ("GET", "PUT"), ("/a", "/path/a", "/own/a", "/other/a", "/all/a", "/b", "/all/b", "/path/b")
        )
        if known.find(method, path)
    }
    assert served == {
        *[("GET", "/a"), ("GET", "/path/a"), ("PUT", "/a"), ("PUT", "/own/a"), ("PUT", "/other/a")],
        *[("GET", "/b"), ("GET", "/all/b")],
    }


def test_a_base_path_of_the_settings_comes_before_every_path() -> None:
    raw = {**api(), "servers": [{"url": "/all"}], "paths": {"/a": {"servers": [{"url": "/path"}], "get": OK}}}
    known = Operations(Description(raw), "/set")
    assert [path for path in ("/set/a", "/path/a", "/all/a") if known.find("GET", path)] == ["/set/a", "/path/a"]


def test_variables_of_a_servers_url_are_as_they_are_by_default() -> None:
    server = {"url": "https://{host}/{version}", "variables": {"version": {"default": "v3"}, "host": {"default": "x"}}}
    assert found(operations("/a", servers=[server]), "/v3/a") == ("/a", {})


def test_a_path_that_refers_to_nowhere_is_known_as_such() -> None:
    raw = {**api(), "paths": {"/a/{x}": {"$ref": "a.yaml"}, "/b": {"$ref": "#/nowhere"}, "/c": {"get": OK}}}
    known = Operations(Description(raw))
    assert known.find("GET", "/a/1") is None
    assert [known.unread(path) for path in ("/a/1", "/b", "/c", "/d")] == ["a.yaml", "#/nowhere", "", ""]


@pytest.mark.parametrize("url", ["http://[oops/v1", "{server}/v1", "/v1/", "https://things.test/v1"])
def test_servers_of_all_kinds_come_before_a_path(url: str) -> None:
    assert found(operations("/a", servers=[{"url": url}, "oops"]), "/v1/a") == (None if "[" in url else ("/a", {}))


def test_a_percent_sign_may_stand_for_itself_where_the_document_says_so() -> None:
    assert found(operations("/a/{x}", info={"x-opc-config-no-percent-encoding": True}), "/a/5%") == (
        "/a/{x}",
        {"x": "5%"},
    )


@pytest.mark.parametrize(
    ("said", "kind"),
    [("array", "array"), (["array", "null"], "array"), (["array", "string"], ""), ([[]], ""), (None, "")],
)
def test_the_one_type_beside_null_is_a_parameters_kind(said: Any, kind: str) -> None:
    route = Operations(Description(asking(parameter("it", "query", {"type": said})))).find("POST", "/things")
    assert route
    assert route.operation.parameters[0].kind == kind


def test_swagger_2_says_media_types_for_all() -> None:
    known = Operations(Description(swagger({"produces": ["text/plain"]}, consumes=["a/b"], produces=["c/d"])))
    route = known.find("POST", "/things")
    assert route
    assert (route.operation.consumes, route.operation.produces) == (("a/b",), ("text/plain",))


def test_no_security_at_an_operation_takes_the_documents_away() -> None:
    for own, expected in (([], ()), (None, (("key",),))):
        document = api({} if own is None else {"security": own}, security=[{"key": []}])
        route = Operations(Description(document)).find("POST", "/things")
        assert route
        assert route.operation.security == expected
