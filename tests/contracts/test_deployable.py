"""May this version be deployed? What nobody knows is a no."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orchestrator.adapters.broker import Checked, Outcome, Version, Wanted
from orchestrator.config import Selector
from orchestrator.contracts.deployable import Answer, answered, understood
from orchestrator.contracts.shelf import Shelf
from orchestrator.contracts.stores import Folder
from tests.adapters.test_broker import made


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """Two consumers of a shop, one of which relies on a bank too; the shop's version 1 fulfils both."""
    shelf = Shelf(Folder(tmp_path))
    shelf.publish([json.dumps(made("web", provider)).encode() for provider in ("shop", "bank")], "w1", "main")
    shelf.publish([json.dumps(made("till", "shop", "/till")).encode()], "t1", "main")
    told(shelf, "shop", "1", success=True)
    return shelf


def told(shelf: Shelf, provider: str, version: str, *, success: bool) -> None:
    offered = shelf.offered(Wanted(provider=provider, selectors=(Selector(latest=True),)))
    checked = (Checked(description="read", success=success),)
    shelf.keep(Version(of=provider, number=version), [Outcome(one, checked) for one in offered])


def asked(shelf: Shelf, of: str, number: str) -> Answer:
    return answered(shelf.catalogue, Version(of=of, number=number), "production")


def deployed(shelf: Shelf, of: str, number: str, where: str = "production") -> None:
    shelf.deploy(Version(of=of, number=number), where)


def test_a_consumer_needs_every_provider_to_be_there_and_to_fulfil_its_pact(shelf: Shelf) -> None:
    assert [row.why for row in asked(shelf, "web", "w1").rows] == [
        "no version of bank is deployed in production",
        "no version of shop is deployed in production",
    ]
    deployed(shelf, "shop", "1")
    deployed(shelf, "bank", "b1")
    answer = asked(shelf, "web", "w1")
    assert (answer.deployable, [row.success for row in answer.rows]) == (False, [None, True])
    told(shelf, "bank", "b1", success=True)
    assert asked(shelf, "web", "w1").deployable


def test_what_is_deployed_elsewhere_does_not_count(shelf: Shelf) -> None:
    deployed(shelf, "shop", "1", "test")
    assert not asked(shelf, "till", "t1").deployable
    deployed(shelf, "till", "t1", "test")
    assert asked(shelf, "shop", "1").rows == ()


def test_a_provider_needs_to_fulfil_the_pacts_of_all_who_are_there(shelf: Shelf) -> None:
    deployed(shelf, "web", "w1")
    deployed(shelf, "till", "t1")
    assert [row.success for row in asked(shelf, "shop", "1").rows] == [True, True]
    told(shelf, "shop", "2", success=False)
    answer = asked(shelf, "shop", "2")
    assert (answer.deployable, [row.success for row in answer.rows]) == (False, [False, False])
    assert not asked(shelf, "shop", "3").deployable  # nobody knows of it


def test_a_pact_that_a_deployed_version_has_not_is_no_matter(shelf: Shelf) -> None:
    shelf.publish([json.dumps(made("till", "shop", "/new")).encode()], "t2", "main")
    deployed(shelf, "till", "t1")
    assert asked(shelf, "shop", "1").deployable
    deployed(shelf, "till", "t2")
    assert not asked(shelf, "shop", "1").deployable


@pytest.mark.parametrize(("of", "number"), [("web", "w2"), ("nobody", "1"), ("shop", "w1"), ("web", "1")])
def test_a_version_of_which_nothing_was_told_may_not_be_deployed(shelf: Shelf, of: str, number: str) -> None:
    deployed(shelf, of, number)
    answer = asked(shelf, of, number)
    assert (answer.deployable, answer.rows) == (False, ())
    assert "nothing was ever told" in answer.why


def test_whoever_relies_on_itself_is_asked_about_itself(shelf: Shelf) -> None:
    shelf.publish([json.dumps(made("shop", "shop", "/self")).encode()], "1", "main")
    answer = asked(shelf, "shop", "1")
    assert [(row.consumer, row.provider_version, row.success) for row in answer.rows] == [("shop", "1", None)]


@pytest.mark.parametrize(
    ("deployable", "expected"), [(True, True), (False, False), (None, False), ("yes", False), (1, False)]
)
def test_only_a_yes_of_the_broker_is_a_yes(deployable: Any, expected: bool) -> None:
    assert understood({"summary": {"deployable": deployable, "reason": "r"}, "matrix": []}).deployable is expected


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"summary": {}},
        {"summary": {"deployable": True}},
        {"summary": {"deployable": True, "reason": ""}, "matrix": [{}]},
    ],
)
def test_what_is_no_answer_is_no_yes(told: Any) -> None:
    with pytest.raises(ValueError, match="no answer of a broker"):
        understood(told)
