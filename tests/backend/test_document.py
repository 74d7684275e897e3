from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from flask import Flask

from backend import document

METHODS = {"get", "post", "put", "patch", "delete"}


def test_the_service_sends_what_the_yaml_document_says() -> None:
    sent = json.loads(document.TARGET.read_text(encoding="utf-8"))

    assert sent == yaml.safe_load(document.SOURCE.read_text(encoding="utf-8"))


def test_a_check_finds_the_json_document_up_to_date() -> None:
    assert document.main(["--check"]) == 0


def test_a_check_finds_an_old_document_and_leaves_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "openapi.json"
    target.write_text("{}", encoding="utf-8")
    monkeypatch.setattr(document, "TARGET", target)

    assert document.main(["--check"]) == 1
    assert target.read_text(encoding="utf-8") == "{}"


def test_a_run_writes_the_document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "openapi.json"
    monkeypatch.setattr(document, "TARGET", target)

    assert document.main([]) == 0
    assert target.read_text(encoding="utf-8") == document.render()
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
