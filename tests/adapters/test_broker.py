"""Pacts from a Pact broker and results to it, against a double that speaks as the real one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from orchestrator.adapters import broker as adapter
from orchestrator.adapters.broker import Checked, Outcome, PactBroker, Version, Wanted, pact_broker
from orchestrator.adapters.hal import Credential, Server
from orchestrator.config import Broker, Selector
from orchestrator.errors import Code, OrchestratorError
from orchestrator.model.contracts import Mismatch
from tests import hal


def made(consumer: str = "web", provider: str = "shop", *paths: str) -> dict[str, Any]:
    return {
        "consumer": {"name": consumer},
        "provider": {"name": provider},
        "interactions": [
            {"description": f"read {p}", "request": {"method": "GET", "path": p}, "response": {"status": 200}}
            for p in paths or ("/a",)
        ],
        "metadata": {"pactSpecification": {"version": "3.0.0"}},
    }


def mismatch(kind: str, path: str, message: str) -> Mismatch:
    return Mismatch(kind=kind, path=path, message=message)


@pytest.fixture
def broker() -> Iterator[hal.Broker]:
    with hal.running() as found:
        yield found


def asked(broker: hal.Broker) -> PactBroker:
    return PactBroker(Server(broker.url, Credential(), timeout=5))


def wanted(*selectors: Selector, **more: Any) -> Wanted:
    return Wanted(provider="shop", selectors=selectors or adapter.DEFAULT_SELECTORS, **more)


def test_the_pacts_of_main_branches_and_of_what_is_deployed_are_fetched_if_nothing_else_is_said(
    broker: hal.Broker,
) -> None:
    broker.publish(made("web", "shop", "/old"), "1", "main")
    broker.publish(made("web", "shop", "/new"), "2", "main")
    broker.publish(made("web", "shop", "/branch"), "3", "feature")
    broker.publish(made("till", "shop", "/live"), "7", "")
    broker.deployed["till", "production"] = "7"
    broker.publish(made("web", "other"), "2", "main")
    found = asked(broker).offered(wanted())
    assert [json.loads(o.data)["interactions"][0]["request"]["path"] for o in found] == ["/new", "/live"]
    assert found[0].name == "Pact between web (2) and shop"


def test_a_fetched_pact_is_what_was_published_and_the_brokers_names_of_its_interactions(broker: hal.Broker) -> None:
    published = broker.publish(made("web", "shop", "/a", "/b"))
    (found,) = asked(broker).offered(wanted())
    content = json.loads(found.data)
    assert adapter.interaction_ids(found.data) == ["id-0", "id-1"]
    for interaction in content["interactions"]:
        del interaction["_id"]
    assert content == published.content


def test_what_was_never_fulfilled_is_pending_if_that_is_asked_for(broker: hal.Broker) -> None:
    broker.publish(made())
    assert [o.pending for o in asked(broker).offered(wanted())] == [False]
    (found,) = asked(broker).offered(wanted(pending=True, branch="main"))
    assert found.pending
    asked(broker).keep(Version(of="shop", number="1"), [Outcome(found, (Checked(description="a", success=True),))])
    assert [o.pending for o in asked(broker).offered(wanted(pending=True))] == [False]


def test_work_in_progress_is_pending_though_nothing_else_is(broker: hal.Broker) -> None:
    broker.publish(made("web", "shop", "/main"))
    broker.wip.add(broker.publish(made("web", "shop", "/wip"), "2", "feature").sha)
    first, second = asked(broker).offered(wanted(wip_since="2026-01-01"))
    assert (first.pending, first.wip, second.pending, second.wip) == (False, False, True, True)


def test_results_are_published_with_version_and_branch(broker: hal.Broker) -> None:
    pact = broker.publish(made("web", "shop", "/a", "/b"))
    (found,) = asked(broker).offered(wanted())
    tests = (
        Checked(description="read /a", success=True, id="id-0"),
        Checked(
            description="read /b",
            success=False,
            id="id-1",
            mismatches=(mismatch("BodyType", "$.a", "no number"), mismatch("Status", "", "404")),
            error="state: unknown",
        ),
    )
    asked(broker).keep(Version(of="shop", number="abc", branch="feature/ä"), [Outcome(found, tests)])
    assert broker.branches == {("shop", "abc"): "feature/ä"}
    ((sha, provider, sent),) = broker.results
    assert (sha, provider) == (pact.sha, "shop")
    assert (sent["success"], sent["providerApplicationVersion"]) == (False, "abc")
    assert sent["testResults"] == [
        {"interactionId": "id-0", "interactionDescription": "read /a", "success": True},
        {
            "interactionId": "id-1",
            "interactionDescription": "read /b",
            "success": False,
            "mismatches": [
                {"attribute": "body", "identifier": "$.a", "description": "no number"},
                {"attribute": "status", "description": "404"},
            ],
            "exceptions": [{"message": "state: unknown"}],
        },
    ]


def test_a_provider_that_the_broker_does_not_know_has_no_pacts(broker: hal.Broker) -> None:
    with pytest.raises(OrchestratorError, match="knows no provider 'shop'") as caught:
        asked(broker).offered(wanted())
    assert caught.value.problem.code == Code.NO_PACTS


def test_no_pact_that_selectors_choose_is_none(broker: hal.Broker) -> None:
    broker.publish(made())
    assert asked(broker).offered(wanted(Selector(tag="prod"))) == []


@pytest.mark.parametrize("fault", [401, 500, "broken", "array", "empty", "breaks_off", "hangs_up"])
@pytest.mark.parametrize(
    "place", ["/pacts/provider/shop/for-verification", "/pacts/provider/shop/consumer/web/pact-version"]
)
def test_a_fault_on_the_way_is_an_error_and_never_fewer_pacts(broker: hal.Broker, place: str, fault: int | str) -> None:
    broker.publish(made())
    broker.fault = {place: fault}
    if (place.endswith("pact-version"), fault) == (True, "empty"):
        (found,) = asked(broker).offered(wanted())
        assert found.data == b"{}"  # whoever reads it as a pact will say what is wrong
        return
    with pytest.raises(OrchestratorError) as caught:
        asked(broker).offered(wanted())
    assert caught.value.problem.code in (Code.BROKER_UNREACHABLE, Code.BROKER_REFUSED, Code.BROKER_UNCLEAR)


@pytest.mark.parametrize("place", ["/pacticipants", "/pacts/provider/shop/consumer"])
@pytest.mark.parametrize("fault", [403, 500, "empty", "hangs_up"])
def test_a_fault_when_results_are_published_is_an_error(broker: hal.Broker, place: str, fault: int | str) -> None:
    broker.publish(made())
    (found,) = asked(broker).offered(wanted())
    broker.fault = {place: fault}
    outcome = Outcome(found, (Checked(description="a", success=True),))
    if (place, fault) == ("/pacts/provider/shop/consumer", "empty"):
        asked(broker).keep(Version(of="shop", number="1", branch="main"), [outcome])  # it took it, without a word
        return
    with pytest.raises(OrchestratorError):
        asked(broker).keep(Version(of="shop", number="1", branch="main"), [outcome])


def test_a_pact_that_takes_no_results_is_told(broker: hal.Broker) -> None:
    broker.publish(made())
    outcome = Outcome(adapter.Offered(data=b"{}", name="a"), ())
    with pytest.raises(OrchestratorError, match="publish-verification-results"):
        asked(broker).keep(Version(of="shop", number="1"), [outcome])


def test_a_broker_without_pacts_for_verification_is_told(broker: hal.Broker) -> None:
    broker.fault = {"/": "empty"}
    with pytest.raises(OrchestratorError, match="has no link pb:provider-pacts-for-verification"):
        asked(broker).offered(wanted())


def test_hostile_names_stay_in_their_place(broker: hal.Broker) -> None:
    consumer, provider = "../../x/y?z#ü\u202e", "../shop"
    broker.publish(made(consumer, provider))
    (found,) = asked(broker).offered(Wanted(provider=provider))
    assert json.loads(found.data)["consumer"]["name"] == consumer
    asked(broker).keep(Version(of=provider, number="../1", branch="a/../b"), [Outcome(found, ())])
    assert broker.branches == {(provider, "../1"): "a/../b"}


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, ""),
        ({"PACT_BROKER_TOKEN": "abc"}, "Bearer abc"),
        ({"PACT_BROKER_TOKEN": "abc\n"}, "Bearer abc"),
        ({"PACT_BROKER_TOKEN": "\n", "PACT_BROKER_USERNAME": "a", "PACT_BROKER_PASSWORD": "b"}, "Basic YTpi"),
        ({"PACT_BROKER_USERNAME": "a", "PACT_BROKER_PASSWORD": "b"}, "Basic YTpi"),
        ({"PACT_BROKER_TOKEN": "abc", "PACT_BROKER_USERNAME": "a"}, "Bearer abc"),
    ],
)
def test_the_credential_is_in_the_variables_that_the_settings_name(
    broker: hal.Broker, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: str
) -> None:
    for name in ("PACT_BROKER_TOKEN", "PACT_BROKER_USERNAME", "PACT_BROKER_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    broker.publish(made())
    pact_broker(Broker(url=broker.url)).offered(wanted())
    assert {a.headers.get("Authorization", "") for a in broker.asked} == {expected}
