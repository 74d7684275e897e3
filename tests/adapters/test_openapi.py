from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.adapters import openapi
from orchestrator.config import Exclusion
from orchestrator.errors import Code, OrchestratorError

OK: dict[str, Any] = {"responses": {"200": {"description": "ok"}}}


def document(*labels: str, **more: Any) -> openapi.Document:
    """A document with these operations: `GET /a`."""
    paths: dict[str, Any] = {}
    for label in labels or ("GET /a",):
        method, _, path = label.partition(" ")
        paths.setdefault(path, {})[method.lower()] = OK
    raw = {"openapi": "3.1.0", "info": {"title": "A", "version": "1"}, "paths": paths, **more}
    return openapi.parse(json.dumps(raw).encode(), "api.json")


def problem_of(data: bytes, **more: Any) -> tuple[str, str, str]:
    """The code, the message and the hint with which a document is refused."""
    with pytest.raises(OrchestratorError) as caught:
        openapi.parse(data, "api.yaml", **more)
    found = caught.value.problem
    assert found.hint
    assert "\n" not in found.message
    return found.code, found.message, found.hint


@pytest.mark.parametrize(
    ("version", "called"),
    [
        ("openapi: 3.0.3", "OpenAPI 3.0"),
        ("openapi: 3.1.0", "OpenAPI 3.1"),
        ("openapi: 3.1", "OpenAPI 3.1"),
        ("swagger: '2.0'", "Swagger 2.0"),
        ("swagger: 2.0", "Swagger 2.0"),
    ],
)
def test_each_supported_version_is_read(version: str, called: str) -> None:
    read = openapi.parse(
        f"{version}\ninfo: {{title: Shop, version: '1.0'}}\npaths: {{/a: {{get: {{}}}}}}".encode(), "x"
    )
    assert read.specification == called
    assert (read.title, read.version) == ("Shop", "1.0")
    assert [o.label for o in read.operations] == ["GET /a"]


def test_json_and_yaml_say_the_same() -> None:
    yaml = b"openapi: 3.0.0\ninfo: {title: A}\npaths:\n  /a: {get: {operationId: readA, tags: [x, y], summary: Read}}\n"
    raw = {
        "openapi": "3.0.0",
        "info": {"title": "A"},
        "paths": {"/a": {"get": {"operationId": "readA", "tags": ["x", "y"], "summary": "Read"}}},
    }
    from_yaml = openapi.parse(yaml, "api")
    assert from_yaml == openapi.parse(json.dumps(raw).encode(), "api")
    assert from_yaml == openapi.parse(b"\xef\xbb\xbf" + json.dumps(raw, indent=2).encode(), "api")
    (operation,) = from_yaml.operations
    assert (operation.operation_id, operation.tag, operation.summary) == ("readA", "x", "Read")


def test_operations_keep_the_order_of_the_document() -> None:
    assert [o.label for o in document("POST /b", "GET /b", "GET /a").operations] == ["GET /b", "POST /b", "GET /a"]


def test_extensions_and_path_parameters_are_no_operations() -> None:
    raw = b"openapi: 3.0.0\npaths:\n  x-note: {get: {}}\n  /a: {parameters: [], summary: s, x-get: {}, get: {}}\n"
    assert [o.label for o in openapi.parse(raw, "api").operations] == ["GET /a"]


def test_a_document_without_a_title_is_called_by_its_source() -> None:
    assert openapi.parse(b"openapi: 3.0.0\npaths: {/a: {get: {}}}", "openapi/api.yaml").title == "openapi/api.yaml"


def test_yaml_timestamps_stay_text() -> None:
    raw = b"openapi: 3.0.0\ninfo: {version: 2024-05-06, title: 2001-12-14t21:59:43.10-05:00}\npaths: {/a: {get: {}}}\n"
    read = openapi.parse(raw, "api")
    assert read.raw["info"]["version"] == "2024-05-06"
    assert read.version == "2024-05-06"
    assert read.title == "2001-12-14t21:59:43.10-05:00"


@pytest.mark.parametrize(
    ("said", "base"),
    [
        ({"servers": [{"url": "https://shop.test/api/v2/"}, {"url": "/other"}]}, "/api/v2"),
        ({"servers": [{"url": "/v1"}]}, "/v1"),
        ({"servers": [{"url": "v1"}]}, "/v1"),
        ({"servers": [{"url": "./v1/"}]}, "/v1"),
        ({"servers": [{"url": "https://shop.test"}]}, ""),
        ({"servers": [{"url": "/"}]}, ""),
        ({"servers": []}, ""),
        ({"servers": [{"url": "https://{host}/{stage}/v1", "variables": {"stage": {"default": "eu"}}}]}, "/eu/v1"),
        ({"servers": [{"url": "{base}", "variables": {"base": {"default": "/deep/er"}}}]}, "/deep/er"),
        ({"servers": [{"url": "http://[oops/v1"}]}, ""),
        ({"servers": [{"url": "/v1", "variables": ["oops"]}]}, "/v1"),
        ({"servers": [{"url": "/{a}", "variables": {"a": "oops"}}]}, "/{a}"),
    ],
)
def test_the_base_path_is_that_of_the_first_server(said: dict[str, Any], base: str) -> None:
    assert document(**said).base_path == base


@pytest.mark.parametrize(("said", "base"), [("/v2/", "/v2"), ("v2", "/v2"), ("/", ""), ("", "")])
def test_the_base_path_of_swagger_2_is_its_own_key(said: str, base: str) -> None:
    raw = {"swagger": "2.0", "basePath": said, "paths": {"/a": {"get": OK}}}
    assert openapi.parse(json.dumps(raw).encode(), "api").base_path == base


@pytest.mark.parametrize(("said", "base"), [("/mine", "/mine"), ("mine/", "/mine"), ("", "")])
def test_the_settings_base_path_comes_first(said: str, base: str) -> None:
    raw = {"openapi": "3.1.0", "servers": [{"url": "/v1"}], "paths": {"/a": {"get": OK}}}
    assert openapi.parse(json.dumps(raw).encode(), "api", base_path=said).base_path == base


def found(read: openapi.Document, request: str) -> str:
    method, _, path = request.partition(" ")
    operation = read.match(method, path)
    return operation.path if operation else ""


@pytest.mark.parametrize(
    ("request_line", "path"),
    [
        ("GET /items", "/items"),
        ("get /items", "/items"),
        ("GET /items/7", "/items/{id}"),
        ("GET /items/mine", "/items/mine"),
        ("GET /items/mine/parts", "/items/{id}/parts"),
        ("GET /items/7/parts/8", "/items/{id}/parts/{part}"),
        ("GET /files/report.pdf", "/files/{name}.{ending}"),
        ("GET /items/a%20b", "/items/{id}"),
        ("GET /items/a%2Fb", "/items/{id}"),
        ("GET /items/%E2%82%AC", "/items/{id}"),
        ("GET /items/a\nb", "/items/{id}"),
        ("GET /caf%C3%A9/menu", "/café/menu"),
        ("GET /café/menu", "/café/menu"),
        ("GET /tea%20house", "/tea%20house"),
        ("GET /tea house", "/tea%20house"),
        ("POST /items", ""),
        ("GET /items/", ""),
        ("GET /", ""),
        ("GET /items/7/", ""),
        ("GET /files/report", ""),
        ("GET /item", ""),
        ("GET /a+b", "/a+b"),
        ("GET /aab", ""),
    ],
)
def test_a_request_belongs_to_the_operation_whose_template_it_fits(request_line: str, path: str) -> None:
    read = document(
        "GET /items/{id}",
        "GET /items/{id}/{kind}",
        "GET /items",
        "GET /items/mine",
        "GET /items/{id}/parts",
        "GET /items/{id}/parts/{part}",
        "GET /files/{name}.{ending}",
        "GET /café/menu",
        "GET /tea%20house",
        "GET /a+b",
    )
    assert found(read, request_line) == path


def test_only_paths_below_the_base_path_match() -> None:
    read = document("GET /items", "GET /", servers=[{"url": "/v1"}])
    assert found(read, "GET /v1/items") == "/items"
    assert found(read, "GET /v1/") == "/"
    assert found(read, "GET /v1") == "/"
    assert not read.match("GET", "/items")
    assert not read.match("GET", "/v11/items")


def test_an_encoded_base_path_matches() -> None:
    read = document("GET /items", servers=[{"url": "/caf%C3%A9"}])
    assert found(read, "GET /caf%C3%A9/items") == "/items"
    assert found(read, "GET /café/items") == "/items"


segments = st.text(st.characters(exclude_characters="{}/", exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1)
names = st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=6)
templates = st.lists(segments.map(quote) | names.map(lambda n: f"{{{n}}}"), max_size=4).map(
    lambda parts: "/" + "/".join(parts)
)


@given(st.lists(st.tuples(st.sampled_from(openapi.METHODS), templates), min_size=1, max_size=8), st.booleans())
def test_every_label_of_a_document_matches_its_own_operation(labels: list[tuple[str, str]], based: bool) -> None:
    read = document(*(f"{m.upper()} {p}" for m, p in labels), servers=[{"url": "/base" if based else "/"}])
    for operation in read.operations:
        matched = read.match(operation.method, f"{read.base_path}{operation.path}")
        assert matched is not None
        # A template is a value for its own variables; where two templates differ in these names alone, or one fits
        # the other's literals, the one with fewer variables is the right answer.
        assert matched.path.count("{") <= operation.path.count("{")
        if "{" not in operation.path:
            assert matched == operation


@given(templates, st.data())
def test_whatever_fills_a_template_belongs_to_it(template: str, data: st.DataObject) -> None:
    read = document(f"GET {template}")
    filled = "/".join(
        quote(data.draw(segments | st.just("a/b")), safe="") if part.startswith("{") else part
        for part in template.split("/")
    )
    assert read.match("GET", filled) == read.operations[0]


def test_an_exclusion_keeps_its_reason() -> None:
    raw = b"openapi: 3.0.0\npaths: {/a: {get: {}, delete: {}}, /b: {delete: {}}}"
    exclude = (Exclusion(operation="DELETE *", reason="too dangerous"),)
    read = openapi.parse(raw, "api", exclude=exclude)
    assert {o.label: o.excluded for o in read.operations} == {
        "GET /a": "",
        "DELETE /a": "too dangerous",
        "DELETE /b": "too dangerous",
    }
    assert [o.label for o in read.tested] == ["GET /a"]


def test_an_exclusion_that_matches_nothing_is_refused() -> None:
    code, message, hint = problem_of(
        b"openapi: 3.0.0\npaths: {/a: {get: {}}}", exclude=[Exclusion(operation="GET /b", reason="r")]
    )
    assert code == Code.UNKNOWN_OPERATION
    assert "'GET /b'" in message
    assert "'GET /a'" in hint


@pytest.mark.parametrize(
    ("data", "code", "said"),
    [
        (b'{"openapi": "3.0.0",\n  "paths": {,}}', Code.DOCUMENT_UNREADABLE, "line 2, column 13"),
        (b"openapi: 3.0.0\npaths:\n  /a: [unclosed\n", Code.DOCUMENT_UNREADABLE, "line 4, column 1"),
        (b"openapi: 3.0.0\npaths: &a\n  - *b\n", Code.DOCUMENT_UNREADABLE, "line 3, column 5"),
        (b"openapi: 3.0.0\nx: !python/object:os.system {}\n", Code.DOCUMENT_UNREADABLE, "line 2, column 4"),
        (b"openapi: 3.0.0\ninfo: a\x00b\n", Code.DOCUMENT_UNREADABLE, "line 2, column 8"),
        (b"openapi: 3.0.0\ninfo: 0x_\n", Code.DOCUMENT_UNREADABLE, "base 16"),
        (b"openapi: 3.0.0\ntitle: caf\xe9\n", Code.DOCUMENT_UNREADABLE, "UTF-8"),
        (b'{"a":' * 10_000, Code.DOCUMENT_UNREADABLE, "deep"),
        (b"", Code.DOCUMENT_INVALID, "not a mapping"),
        (b"- a\n", Code.DOCUMENT_INVALID, "not a mapping"),
        (b"just text", Code.DOCUMENT_INVALID, "not a mapping"),
        (b"info: {}\npaths: {}\n", Code.DOCUMENT_INVALID, "neither"),
        (b"openapi: 3.2.0\npaths: {}\n", Code.DOCUMENT_INVALID, "3.2.0"),
        (b"openapi: 3.10.0\npaths: {}\n", Code.DOCUMENT_INVALID, "3.10.0"),
        (b"swagger: '1.2'\npaths: {}\n", Code.DOCUMENT_INVALID, "neither"),
        (b"openapi: 3.0.0\npaths: []\n", Code.DOCUMENT_INVALID, "`paths`"),
        (b"openapi: 3.0.0\npaths: {/a: []}\n", Code.DOCUMENT_INVALID, "`paths./a`"),
        (b"openapi: 3.0.0\npaths: {/a: {get: x}}\n", Code.DOCUMENT_INVALID, "`paths./a.get`"),
        (b"openapi: 3.0.0\n", Code.NO_OPERATIONS, "no operation"),
        (b"openapi: 3.0.0\npaths: {/a: {}}\n", Code.NO_OPERATIONS, "no operation"),
    ],
)
def test_a_broken_document_is_refused_and_the_place_named(data: bytes, code: Code, said: str) -> None:
    found_code, message, _ = problem_of(data)
    assert found_code == code
    assert "api.yaml" in message
    assert said in message


def test_a_path_that_looks_like_a_credential_stays_whole() -> None:
    (operation,) = document("POST /users/{id}/password:rotate").operations
    assert operation.label == "POST /users/{id}/password:rotate"


def test_a_long_path_stays_whole() -> None:
    path = "/" + "a" * 500
    assert document(f"GET {path}").operations[0].path == path


def test_hostile_text_in_a_document_is_made_visible() -> None:
    raw = {
        "openapi": "3.0.0",
        "info": {"title": "a\x1b[31mb\u202e", "version": "1\n2"},
        "paths": {"/a": {"get": {"operationId": "x\ud800", "summary": "\x07", "tags": ["t\u200b"]}}},
    }
    read = openapi.parse(json.dumps(raw).encode(), "api")
    (operation,) = read.operations
    assert (read.title, read.version) == ("ab\\u202e", "1")
    assert (operation.operation_id, operation.summary, operation.tag) == ("x\\ud800", "\\x07", "t\\u200b")


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(OrchestratorError) as caught:
        openapi.read_file(tmp_path / "api.yaml", "api.yaml")
    assert caught.value.problem.code == Code.DOCUMENT_MISSING
    assert "No such file" in caught.value.problem.message


@pytest.fixture
def server() -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/openapi.json" else 404)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *arguments: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def test_the_document_is_fetched_from_the_running_app(server: str) -> None:
    assert openapi.fetch(f"{server}/openapi.json", "/openapi.json") == b"{}"


def test_an_app_without_that_document_is_told(server: str) -> None:
    with pytest.raises(OrchestratorError) as caught:
        openapi.fetch(f"{server}/docs.json", "/docs.json")
    assert caught.value.problem.code == Code.DOCUMENT_MISSING
    assert "404" in caught.value.problem.message


def test_an_app_that_does_not_answer_is_told() -> None:
    with pytest.raises(OrchestratorError) as caught:
        openapi.fetch("http://127.0.0.1:9/openapi.json", "/openapi.json")
    assert caught.value.problem.code == Code.APP_UNREACHABLE
