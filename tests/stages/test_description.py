from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from orchestrator.model.description import Description
from orchestrator.model.stage import StageResult, StageStatus
from orchestrator.progress import PlainTeller
from orchestrator.stages import description
from orchestrator.stages.context import Context
from tests import builders
from tests.adapters.test_git import run as git
from tests.contracts.cases import NUMBER, TEXT, answered, answering, pact, thing

MESSAGE = {"type": "Asynchronous/Messages", "description": "news", "contents": {"content": "x"}}


def files(folder: Path, **contents: Any) -> None:
    """Write JSON files; two underscores in a name are a slash."""
    for name, content in contents.items():
        file = folder / f"{name.replace('__', '/')}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(content), "utf-8")


def ran(root: Path, **settings: Any) -> tuple[StageResult, Description]:
    """What the stage says of a project whose app runs somewhere else."""
    openapi = {"path": "docs/api.json", **settings}
    project = builders.project(root, app={"url": "http://127.0.0.1:1"}, openapi=openapi)
    with Context(project, PlainTeller(Console(quiet=True))) as context:
        result = description.run(context)
    assert isinstance(result.data, Description)
    return result, result.data


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A project whose document is in two files."""
    files(
        tmp_path,
        docs__api=answering({"$ref": "models/thing.json#/Thing"}),
        docs__models__thing={"Thing": thing(size=NUMBER, name=TEXT)},
        contracts__shop=pact(answered({"size": 2, "name": "lamp"})),
    )
    return tmp_path


def test_a_document_in_several_files_is_held_against_pacts_and_use(shop: Path) -> None:
    result, found = ran(shop)
    assert result.status is StageStatus.COMPLETED
    assert found.incompatibilities == ()
    assert [(field.path, field.described) for use in found.responses or () for field in use.fields] == [
        ("$.size", True),
        ("$.name", True),
    ]


def test_an_incompatibility_names_files_of_the_project(shop: Path) -> None:
    files(shop, contracts__shop=pact(answered({"size": "two"})))
    _, found = ran(shop)
    (one,) = found.incompatibilities or ()
    assert (one.pact, one.at_document) == ("contracts/shop.json", "models/thing.json#/Thing/properties/size/type")


def test_a_release_in_several_files_is_read_from_git(shop: Path) -> None:
    git(shop, "init", "-q", "-b", "main")
    git(shop, "add", ".")
    git(shop, "commit", "-q", "-m", "release")
    files(shop, docs__models__thing={"Thing": thing(size=NUMBER)})
    result, found = ran(shop, released="git:main")
    removed = [change for change in found.changes or () if change.broken]
    assert [(change.rule, change.at) for change in removed] == [
        ("response-optional-property-removed", "models/thing.json#/Thing/properties/name")
    ]
    assert "1 of them felt by a known consumer" in result.summary


def test_a_release_in_several_files_beside_is_read(shop: Path) -> None:
    files(
        shop,
        released__api=answering({"$ref": "models.json#/Thing"}),
        released__models={"Thing": thing(size=NUMBER, name=TEXT)},
    )
    _, found = ran(shop, released="released/api.json")
    assert found.changes == ()


def test_messages_are_counted_as_not_compared(shop: Path) -> None:
    old = {**pact(), "messages": [MESSAGE, {**MESSAGE, "description": "more"}]}
    del old["interactions"]
    files(shop, contracts__news=pact(MESSAGE, version="4.0"), contracts__old=old)
    result, found = ran(shop, released="docs/api.json")
    assert sum(one.count for one in found.not_compared) == 3
    assert "3 interactions not compared (they are messages, and OpenAPI describes none)" in result.summary


def test_where_everything_is_compared_nothing_is_said_of_it(shop: Path) -> None:
    result, found = ran(shop)
    assert found.not_compared == ()
    assert "not compared" not in result.summary
