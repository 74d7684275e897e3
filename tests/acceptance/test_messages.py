"""Asynchronous messages and states with a tear-down, with the real Pact core."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orchestrator.model.contracts import Contracts, Interaction, Verification
from tests.acceptance import support

HOOKS = """

def order_placed():
    return {"id": 7, "state": "placed"}, {"topic": "orders"}


def broken():
    raise ValueError("no broker here")


messages = {"an order was placed": order_placed, "an order was lost": broken}
"""


def message(description: str, contents: Any, **more: Any) -> dict[str, Any]:
    return {
        "type": "Asynchronous/Messages",
        "description": description,
        "contents": {"content": contents, "contentType": "application/json", "encoded": False},
        "metadata": {"contentType": "application/json", "topic": "orders"},
        **more,
    }


def verified(folder: Path, *interactions: dict[str, Any]) -> dict[str, Interaction]:
    """Verify a pact of these interactions, and return what became of each."""
    shop = support.copy_of(support.SHOP, folder)
    hooks = shop / "tests" / "hooks.py"
    hooks.write_text(hooks.read_text() + HOOKS)
    support.setting(shop, 'contracts.messages = "tests.hooks:messages"')
    support.setting(shop, 'contracts.pacts = ["pacts/stock-shop.json"]')
    pact = {
        "consumer": {"name": "stock"},
        "provider": {"name": "shop"},
        "interactions": list(interactions),
        "metadata": {"pactSpecification": {"version": "4.0"}},
    }
    (shop / "pacts" / "stock-shop.json").write_text(json.dumps(pact))
    support.orchestrator(shop, "run", "--stage", "contracts")
    data = support.stage(shop, "contracts").data
    assert isinstance(data, Contracts)
    return {i.description: i for i in data.interactions}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Interaction]:
    rules = {"body": {"$.id": {"combine": "AND", "matchers": [{"match": "integer"}]}}}
    return verified(
        tmp_path_factory.mktemp("messages"),
        message("an order was placed", {"id": 1, "state": "placed"}, matchingRules=rules),
        message("an order was lost", {"id": 1}),
        message("nobody makes it", {"id": 1}),
    )


def test_a_message_that_fits_is_verified(found: dict[str, Interaction]) -> None:
    assert found["an order was placed"].result is Verification.VERIFIED


def test_a_message_that_can_not_be_made_is_told_apart_from_one_that_does_not_fit(
    found: dict[str, Interaction],
) -> None:
    lost = found["an order was lost"]
    assert lost.result is Verification.NOT_RUN
    assert "the message can't be made: ValueError: no broker here" in lost.error
    assert "unknown message 'nobody makes it'" in found["nobody makes it"].error


def test_a_message_that_does_not_fit_says_where(tmp_path: Path) -> None:
    placed = verified(tmp_path, message("an order was placed", {"id": 1, "state": "paid"}))["an order was placed"]
    assert placed.result is Verification.MISMATCH
    assert [(m.path, m.expected, m.actual) for m in placed.mismatches if m.path == "$.state"] == [
        ("$.state", '"paid"', '"placed"')
    ]
