from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.adapters import bundle, openapi
from orchestrator.references import Tree

Files = dict[str, Any]


def bundled(raw: dict[str, Any], files: Files, name: str = "api.yaml") -> Tree:
    """The document with what it refers to, as a tree."""
    whole, beside = copy.deepcopy(raw), copy.deepcopy(files)
    bundle.bundle(whole, name, beside.get)
    return Tree(whole)


def what(raw: dict[str, Any], files: Files) -> Any:
    """What the reference at `a` leads to."""
    return bundled(raw, files).resolved(("a",))[1]


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ("m.yaml#/Thing", "thing"),
        ("./m.yaml#/Thing", "thing"),
        ("sub/../m.yaml#/Thing", "thing"),
        ("m%2Eyaml#/Th%69ng", "thing"),
        ("m.yaml#/x~1y", "slash"),
        ("api.yaml#/b", "own"),
        ("#/b", "own"),
        ("m.yaml#/Nowhere", None),
    ],
)
def test_a_reference_leads_to_the_file_beside(told: str, found: Any) -> None:
    files = {"m.yaml": {"Thing": "thing", "x/y": "slash"}}
    assert what({"a": {"$ref": told}, "b": "own"}, files) == found


def test_a_whole_file_may_be_meant() -> None:
    assert what({"a": {"$ref": "m.yaml"}}, {"m.yaml": {"type": "string"}}) == {"type": "string"}


@pytest.mark.parametrize(
    "told",
    [
        "https://example.org/m.yaml#/Thing",
        "//example.org/m.yaml#/Thing",
        "file:///m.yaml#/Thing",
        "/m.yaml#/Thing",
        "m.yaml#Thing",
        "missing.yaml#/Thing",
        "list.yaml#/0",
        "http://[oops#/a",
    ],
)
def test_what_is_elsewhere_stays_a_reference_out_of_the_document(told: str) -> None:
    thing = {"Thing": "thing"}
    files = {"m.yaml": thing, "/m.yaml": thing, "file:/m.yaml": thing, "list.yaml": ["no mapping"]}
    assert what({"a": {"$ref": told}}, files) == {"$ref": told}


def test_files_refer_to_each_other_and_to_where_they_are() -> None:
    files = {
        "models/thing.yaml": {"One": {"$ref": "#/Two"}, "Two": {"$ref": "part.yaml#/Part"}},
        "models/part.yaml": {"Part": {"$ref": "../api.yaml#/b"}, "Back": {"$ref": "thing.yaml#/One"}},
    }
    tree = bundled({"a": {"$ref": "models/thing.yaml#/One"}, "b": 5}, files)
    assert tree.resolved(("a",)) == (("b",), 5)
    assert tree.raw[bundle.KEY].keys() == files.keys()
    assert tree.resolved((bundle.KEY, "models/part.yaml", "Back")) == (("b",), 5)


def test_a_discriminator_names_schemas_by_reference_too() -> None:
    mapping = {"cat": "m.yaml#/Cat", "dog": "Dog", "cow": "cow.yaml", "hen": "https://example.org/hen.yaml"}
    raw = {"oneOf": [{"$ref": "m.yaml#/Cat"}], "discriminator": {"propertyName": "kind", "mapping": mapping}}
    tree = bundled(raw, {"m.yaml": {"Cat": {}}, "cow.yaml": {}})
    assert tree.raw["discriminator"]["mapping"] == {
        "cat": f"#/{bundle.KEY}/m.yaml/Cat",
        "dog": "Dog",
        "cow": f"#/{bundle.KEY}/cow.yaml",
        "hen": "https://example.org/hen.yaml",
    }


def test_what_yaml_has_in_several_places_is_changed_once() -> None:
    shared: Any = {"$ref": "#/Thing", "discriminator": {"mapping": {"a": "#/Thing"}}}
    shared["self"] = [shared]
    other = {"discriminator": {"mapping": shared["discriminator"]["mapping"]}}
    whole = {"a": {"$ref": "m.yaml"}}
    bundle.bundle(whole, "api.yaml", lambda _: {"x": shared, "y": shared, "z": other, "Thing": "thing"})
    assert shared["$ref"] == shared["discriminator"]["mapping"]["a"] == f"#/{bundle.KEY}/m.yaml/Thing"


@given(st.lists(st.text("ab/.~%#\n é", min_size=1, max_size=6), max_size=5))
def test_no_text_of_a_reference_is_a_crash(told: list[str]) -> None:
    raw = {str(k): {"$ref": one} for k, one in enumerate(told)}
    tree = bundled(raw, {"a": {"b": 1}, "b": {"$ref": "a"}})
    for name in raw:
        tree.resolved((name,))


def test_a_place_is_shown_behind_the_name_of_its_file() -> None:
    assert bundle.shown(("paths", "/a")) == "/paths/~1a"
    assert bundle.shown((bundle.KEY, "models/a.yaml", "Thing", "x/y")) == "models/a.yaml#/Thing/x~1y"
    assert bundle.shown((bundle.KEY, "a\u202e.yaml")) == "a\\u202e.yaml#"
    assert bundle.shown(()) == ""


def api(**things: Any) -> dict[str, Any]:
    return {"openapi": "3.0.3", "info": {"title": "A", "version": "1"}, **things}


def parsed(folder: Path, raw: dict[str, Any], files: Files, root: Path | None = None) -> openapi.Document:
    for name, content in {"api.json": raw, **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    file = folder / "api.json"
    return openapi.parse(file.read_bytes(), "docs/api.json", beside=openapi.beside(file, root or folder))


def test_operations_of_a_path_in_another_file_are_known(tmp_path: Path) -> None:
    raw = api(paths={"/a": {"$ref": "paths/a.yaml"}, "/b": {"$ref": "#/x-paths/b"}, "/c": {"$ref": "#/nowhere"}})
    raw["x-paths"] = {"b": {"post": {}}}
    read = parsed(tmp_path, raw, {"paths/a.yaml": "get: {operationId: readA}"})
    assert [(o.label, o.operation_id) for o in read.operations] == [("GET /a", "readA"), ("POST /b", "")]
    assert bundle.KEY not in read.raw


def test_a_document_in_one_file_is_read_once(tmp_path: Path) -> None:
    read = parsed(tmp_path, api(paths={"/a": {"get": {"x": {"$ref": "#/x"}}}}), {})
    assert read.whole is read.raw


def test_files_outside_of_the_project_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text('{"Thing": {}}', "utf-8")
    folder = tmp_path / "project" / "docs"
    (tmp_path / "project").mkdir()
    raw = api(paths={"/a": {"get": {"x": {"$ref": "../../secret.json#/Thing"}, "y": {"$ref": "../beside.json"}}}})
    (tmp_path / "project" / "beside.json").write_text("{}", "utf-8")
    read = parsed(folder, raw, {}, root=tmp_path / "project")
    assert list(read.whole[bundle.KEY]) == ["../beside.json"]
    assert read.whole["paths"]["/a"]["get"]["x"] == {"$ref": "../../secret.json#/Thing"}


@pytest.mark.parametrize("content", ["{", "[]", "a: [", "\x00", "12"])
def test_a_file_that_is_no_mapping_is_as_if_it_were_not_there(tmp_path: Path, content: str) -> None:
    read = parsed(tmp_path, api(paths={"/a": {"get": {"x": {"$ref": "m.json"}}}}), {"m.json": content})
    assert read.whole[bundle.KEY] == {}
