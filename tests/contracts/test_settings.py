"""The settings of the broker."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orchestrator.config import Broker, Selector
from orchestrator.errors import Code, UsageError
from tests import builders


def broker(**settings: Any) -> Broker:
    return builders.project(Path("/nowhere"), contracts={"broker": settings}).settings.contracts.broker


def refused(**settings: Any) -> str:
    with pytest.raises(UsageError) as caught:
        broker(**settings)
    assert caught.value.problem.code == Code.SETTINGS_INVALID
    return caught.value.problem.message


@pytest.mark.parametrize(
    ("url", "is_server"),
    [("https://a", True), ("http://a:1/b", True), ("git:contracts", False), ("file:../a", False), ("a/http:", False)],
)
def test_a_server_is_told_by_its_address(url: str, is_server: bool) -> None:
    assert broker(url=url).is_server is is_server


def test_an_address_with_a_credential_is_refused_and_not_repeated() -> None:
    said = refused(url="https://me:s3cret-word@pacts.example.org/a")
    assert "holds a credential" in said
    assert "s3cret-word" not in said
    assert broker(url="https://pacts.example.org/@me").url


@pytest.mark.parametrize("url", ["http://", "https:///a", "http://[", "http://a:b", "http://a:99999", "http://a:0"])
def test_an_address_that_names_no_server_is_refused(url: str) -> None:
    assert "names no server" in refused(url=url)


@pytest.mark.parametrize("key", ["token", "username", "password"])
@pytest.mark.parametrize("value", ["s3cret-word", "Bearer x", "", "1A", "a"])
def test_a_value_where_the_name_of_a_variable_belongs_is_refused_and_not_repeated(key: str, value: str) -> None:
    said = refused(**{key: value})
    assert f"contracts.broker.{key}" in said
    assert not value or f"'{value}'" not in said


@pytest.mark.parametrize(
    "selector",
    [
        {"branch": "a"},
        {"branch": "a", "latest": True, "consumer": "b"},
        {"main-branch": True},
        {"matching-branch": True},
        {"deployed-or-released": True},
        {"environment": "production"},
        {"environment": "production", "deployed-or-released": True},
        {"tag": "a"},
        {"tag": "a", "latest": True},
        {"latest": True},
    ],
)
def test_selectors_are_those_of_a_broker(selector: dict[str, Any]) -> None:
    assert len(broker(selectors=[selector]).selectors) == 1


@pytest.mark.parametrize(
    "selector",
    [
        {},
        {"consumer": "a"},
        {"branch": "a", "tag": "b"},
        {"main-branch": True, "branch": "a"},
        {"matching-branch": True, "latest": True},
        {"environment": "a", "branch": "b"},
        {"environment": "a", "latest": True},
    ],
)
def test_selectors_that_a_broker_refuses_are_refused(selector: dict[str, Any]) -> None:
    assert "contracts.broker.selectors[1]" in refused(selectors=[{"latest": True}, selector])


def test_nothing_is_set_by_default() -> None:
    assert broker() == Broker()
    assert (Broker().selectors, Selector().latest, Broker().publish, Broker().pending) == ((), False, False, False)
