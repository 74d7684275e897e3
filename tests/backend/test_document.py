from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from flask import Flask

from backend import document

METHODS = {"get", "post", "put", "patch", "delete"}


def test_a_check_finds_the_json_document_up_to_date() -> None:
    assert document.main(["--check"]) == 0


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An old JSON document, and a small YAML document that it should be like."""
    source = tmp_path / "service.yaml"
    source.write_text("info:\n  title: Größe\n  version: 1.0.0\n", encoding="utf-8")
    target = tmp_path / "openapi.json"
    target.write_text("{}", encoding="utf-8")
    monkeypatch.setattr(document, "SOURCE", source)
    monkeypatch.setattr(document, "TARGET", target)
    return target


def test_a_check_finds_an_old_document_and_leaves_it(target: Path) -> None:
    assert document.main(["--check"]) == 1
    assert target.read_text(encoding="utf-8") == "{}"


def test_a_run_writes_the_document(target: Path) -> None:
    assert document.main([]) == 0
    assert target.read_text(encoding="utf-8") == ('{\n "info": {\n  "title": "Größe",\n  "version": "1.0.0"\n }\n}\n')
    assert document.main(["--check"]) == 0


def test_the_service_has_the_operations_of_its_document_and_no_others(app: Flask) -> None:
    paths = json.loads(document.TARGET.read_text(encoding="utf-8"))["paths"]
    documented = {(path, method.upper()) for path, item in paths.items() for method in item.keys() & {*METHODS}}

    served = {
        (re.sub(r"<(\w+)>", r"{\1}", rule.rule), method)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }

    assert served == documented
