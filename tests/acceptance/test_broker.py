"""A run that gets its pacts from a broker and tells it what it found."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.errors import ExitCode
from orchestrator.model.contracts import Contracts, Verification
from orchestrator.model.stage import StageStatus
from tests import hal
from tests.acceptance.support import Ended, edit, orchestrator, setting, stage
from tests.adapters.test_git import run as git

TOKEN = "t0ken-of-the-broker"


@pytest.fixture
def broker() -> Iterator[hal.Broker]:
    with hal.running() as found:
        found.authorization = f"Bearer {TOKEN}"
        yield found


@pytest.fixture
def provider(shop: Path, broker: hal.Broker) -> Path:
    """The shop, its pacts with a broker."""
    broker.publish(json.loads((shop / "pacts" / "till-shop.json").read_text()), "t1")
    settings(shop, provider="shop")
    settings(shop, "broker.", url=broker.url, timeout=5)
    return shop


def settings(project: Path, prefix: str = "", **values: str | bool | int) -> None:
    """Put settings of the contracts in place; JSON's values are TOML's."""
    for key, value in values.items():
        setting(project, f"contracts.{prefix}{key} = {json.dumps(value)}")


def run(project: Path) -> Ended:
    return orchestrator(project, "run", "--stage", "contracts", PACT_BROKER_TOKEN=TOKEN)


def committed(project: Path) -> str:
    (project / ".gitignore").write_text(".orchestrator\nreports\n__pycache__\n")
    git(project, "init", "-q", "-b", "main")
    git(project, "add", ".")
    git(project, "commit", "-q", "-m", "all")
    return git(project, "rev-parse", "HEAD")


def found(project: Path) -> Contracts:
    data = stage(project, "contracts").data
    assert isinstance(data, Contracts)
    return data


def changed(pact: dict[str, Any]) -> dict[str, Any]:
    """A pact that asks for a status that nobody gives."""
    changed = json.loads(json.dumps(pact))
    changed["interactions"][0]["response"]["status"] = 418
    return dict(changed)


def test_pacts_are_fetched_verified_and_their_results_published(provider: Path, broker: hal.Broker) -> None:
    settings(provider, "broker.", publish=True)
    commit = committed(provider)
    ended = run(provider)
    assert ended.code == ExitCode.PASSED, ended.output
    interactions = found(provider).interactions
    assert {i.result for i in interactions} == {Verification.VERIFIED}
    assert all(i.pact.startswith(".orchestrator/contracts/fetched/till-shop-") for i in interactions)
    ((sha, _, sent),) = broker.results
    assert (sha, sent["success"], sent["providerApplicationVersion"]) == (broker.pacts[0].sha, True, commit)
    assert [test["interactionId"] for test in sent["testResults"]] == [f"id-{n}" for n in range(len(interactions))]
    assert broker.branches == {("shop", commit): "main"}


def test_a_pact_that_does_not_hold_fails_the_run_and_is_told(provider: Path, broker: hal.Broker) -> None:
    broker.publish(changed(broker.pacts[0].content), "t2")
    settings(provider, "broker.", publish=True, version="7")
    ended = run(provider)
    assert ended.code == ExitCode.GATE_FAILED, ended.output
    ((_, _, sent),) = broker.results
    first = sent["testResults"][0]
    assert (sent["success"], first["success"], first["mismatches"][0]["attribute"]) == (False, False, "status")


def test_a_pending_pact_that_does_not_hold_fails_nothing_and_is_told(provider: Path, broker: hal.Broker) -> None:
    broker.publish(changed(broker.pacts[0].content), "t2")
    settings(provider, "broker.", pending=True, publish=True, version="7")
    ended = run(provider)
    assert ended.code == ExitCode.PASSED, ended.output
    assert Verification.PENDING in {i.result for i in found(provider).interactions}
    assert [sent["success"] for _, _, sent in broker.results] == [False]


def test_a_changed_work_tree_is_verified_and_not_told(provider: Path, broker: hal.Broker) -> None:
    settings(provider, "broker.", publish=True)
    committed(provider)
    edit(provider / "pyproject.toml", 'name = "Shop"', 'name = "Changed"')
    ended = run(provider)
    assert ended.code == ExitCode.PASSED, ended.output
    assert "QO512" in [notice.code for notice in stage(provider, "contracts").notices]
    assert not broker.results


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (401, "QO507"),
        ("broken", "QO508"),
        ("hangs_up", "QO506"),
        ("nothing", "QO501"),
        ("slow", "QO506"),
    ],
)
def test_a_broker_that_fails_fails_the_stage(provider: Path, broker: hal.Broker, fault: int | str, code: str) -> None:
    settings(provider, "broker.", timeout=1)
    broker.fault = {"/pacts": fault}
    ended = run(provider)
    assert ended.code == ExitCode.STAGE_FAILED, ended.output
    result = stage(provider, "contracts")
    assert result.status is StageStatus.ERROR
    assert result.error is not None
    assert result.error.code == code
    reports = b"".join(p.read_bytes() for p in (provider / "reports").rglob("*") if p.is_file())
    assert TOKEN.encode() not in reports
    assert TOKEN not in ended.output


def test_results_that_the_broker_does_not_take_fail_the_stage_and_are_reported(
    provider: Path, broker: hal.Broker
) -> None:
    settings(provider, "broker.", publish=True, version="7", branch="main")
    broker.fault = {"/pacticipants": 500}
    assert run(provider).code == ExitCode.STAGE_FAILED
    error = stage(provider, "contracts").error
    assert error is not None
    assert error.code == "QO508"
    assert found(provider).interactions


def test_a_run_tells_a_shelf_what_can_be_deployed(shop: Path) -> None:
    settings(shop, provider="shop")
    settings(shop, "broker.", url="git:contracts", publish=True)
    commit = committed(shop)
    published = orchestrator(shop, "contracts", "publish", "pacts", "--version", "t1")
    assert published.code == ExitCode.PASSED, published.output
    till = ("--pacticipant", "till", "--version", "t1", "--to", "production")
    assert orchestrator(shop, "contracts", "record-deployment", *till).code == ExitCode.PASSED
    asked = ("contracts", "can-i-deploy", "--to", "production")
    assert orchestrator(shop, *asked).code == ExitCode.GATE_FAILED
    ended = run(shop)
    assert ended.code == ExitCode.PASSED, ended.output
    ended = orchestrator(shop, *asked)
    assert (ended.code, f"shop {commit} may be deployed to production" in ended.output) == (ExitCode.PASSED, True)
