"""The Pact core and the official command line work with the double, and ask as we do."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from orchestrator import process
from orchestrator.adapters import broker_client, pact
from orchestrator.adapters.broker import DEFAULT_SELECTORS, PactBroker, Version, Wanted, question
from orchestrator.adapters.hal import Credential, Server
from orchestrator.config import Project
from orchestrator.contracts import deployable, shelf
from orchestrator.contracts.supply import Supply
from orchestrator.errors import Code, OrchestratorError
from orchestrator.model.contracts import Interaction, Verification
from tests import builders, hal
from tests.acceptance.support import environment
from tests.adapters.test_broker import made

TOKEN = "t0ken-of-the-broker"
CLIENT = shutil.which("pact", path=str(Path(sys.executable).parent)) or shutil.which("pact")
needs_client = pytest.mark.skipif(CLIENT is None, reason="pact-python-cli is not installed")

# The core is held in a process of its own here too: it can't be loaded where tests fork.
CORE = """
import sys
from pact import Verifier
broker, token, app = sys.argv[1:]
verifier = Verifier("shop", "127.0.0.1").add_transport(url=app)
source = verifier.broker_source(broker, token=token, selector=True).include_pending().provider_branch("main")
source = source.include_wip_since("2026-01-01").consumer_version(main_branch=True)
source.consumer_version(deployed_or_released=True).build().set_publish_options("p1", None, "main")
try:
    verifier.verify()
except RuntimeError:
    pass
"""


@pytest.fixture
def broker() -> Iterator[hal.Broker]:
    with hal.running() as found:
        found.authorization = f"Bearer {TOKEN}"
        yield found


@pytest.fixture
def project(broker: hal.Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("SECRET_OF_THE_BROKER", TOKEN)
    contracts = {"provider": "shop", "broker": {"url": broker.url, "token": "SECRET_OF_THE_BROKER", "timeout": 20}}
    return builders.project(tmp_path, contracts=contracts)


def verified_by_the_core(broker: hal.Broker) -> list[hal.Asked]:
    """What the core asks when it verifies from the broker; the broker itself stands for an app that has nothing."""
    before = len(broker.asked)
    with hal.running() as app:
        command = [sys.executable, "-c", CORE, broker.url, TOKEN, app.url]
        subprocess.run(command, env=environment(), check=True, capture_output=True, timeout=60)
    return broker.asked[before:]


def test_the_core_asks_for_pacts_as_we_do(broker: hal.Broker) -> None:
    broker.publish(made())
    of_core = [(a.method, a.path, a.body) for a in verified_by_the_core(broker)]
    wanted = Wanted(provider="shop", branch="main", selectors=DEFAULT_SELECTORS, pending=True, wip_since="2026-01-01")
    before = len(broker.asked)
    PactBroker(Server(broker.url, Credential(token=TOKEN), timeout=5)).offered(wanted)
    ours = [(a.method, a.path, a.body) for a in broker.asked[before:]]
    assert ("POST", "/pacts/provider/shop/for-verification", question(wanted)) in of_core
    assert [ask for ask in of_core if ask in ours] == ours


def test_the_core_publishes_results_as_we_do(broker: hal.Broker, project: Project) -> None:
    broker.publish(made("web", "shop", "/", "/missing"))
    verified_by_the_core(broker)
    wanted = Wanted(provider="shop", branch="main")
    asked = PactBroker(Server(broker.url, Credential(token=TOKEN), timeout=5))
    given = Supply({"p": asked.offered(wanted)[0]}, asked)
    mismatch = pact._mismatch({"type": "StatusMismatch", "mismatch": "expected 200 but was 404"}, ())
    interactions = [
        Interaction(
            fingerprint=path,
            consumer="web",
            description=f"read {path}",
            states=(),
            pact="p",
            result=Verification.MISMATCH if path == "/missing" else Verification.VERIFIED,
            mismatches=(mismatch,) if path == "/missing" else (),
        )
        for path in ("/", "/missing")
    ]
    asked.keep(Version(of="shop", number="p1", branch="main"), given._outcomes(interactions))
    (first, _, of_core), (second, _, ours) = broker.results
    assert first == second
    by_core, by_us = of_core.pop("verifiedBy"), ours.pop("verifiedBy")
    assert (set(by_us) <= set(by_core), by_us["implementation"]) == (True, "quality-orchestrator")
    assert ours == of_core
    put = [a.path for a in broker.asked if a.method == "PUT"]
    assert put == ["/pacticipants/shop/branches/main/versions/p1"] * 2


@needs_client
def test_the_official_client_goes_the_whole_way(broker: hal.Broker, project: Project) -> None:
    file = project.root / "web-shop.json"
    file.write_text(json.dumps(made("web app", "shop", "/")))
    said = broker_client.publish(project, [file], "v1", "main", ["beta"])
    assert "successfully published" in said
    (published,) = broker.pacts
    # It writes its own name into the metadata; what counts is the same.
    assert shelf.digest(json.dumps(published.content).encode()) == shelf.digest(file.read_bytes())
    assert (published.version, published.branch, published.tags) == ("v1", "main", ("beta",))

    assert "Recorded deployment" in broker_client.record_deployment(project, Version(of="web app", number="v1"), "test")
    unknown = answer(project, "p1")
    assert (unknown.deployable, unknown.rows[0].success) == (False, None)

    verified_by_the_core(broker)
    known = answer(project, "p1")
    assert (known.deployable, known.rows[0].success) == (True, True)
    assert (known.rows[0].consumer, known.rows[0].consumer_version, known.rows[0].provider_version) == (
        "web app",
        "v1",
        "p1",
    )


def answer(project: Project, number: str) -> deployable.Answer:
    told = broker_client.can_i_deploy(project, Version(of="shop", number=number), "test")
    return deployable.understood(told)


@needs_client
@pytest.mark.parametrize("fault", [401, 404, "broken", "page"])
def test_what_the_official_client_can_not_do_is_told_without_the_credential(
    broker: hal.Broker, project: Project, fault: int | str
) -> None:
    broker.fault = {"/": fault}
    with pytest.raises(OrchestratorError) as caught:
        broker_client.record_deployment(project, Version(of="shop", number="1"), "test")
    problem = caught.value.problem
    assert problem.code == Code.BROKER_CLIENT_FAILED
    assert problem.message.startswith("`record-deployment` of the Pact broker's client failed: ")
    assert TOKEN not in str(problem)


@needs_client
def test_the_official_client_is_not_waited_for(broker: hal.Broker, tmp_path: Path) -> None:
    broker.fault = {"/": "slow"}
    slow = builders.project(tmp_path, contracts={"provider": "shop", "broker": {"url": broker.url, "timeout": 0.3}})
    with pytest.raises(OrchestratorError, match="not done within"):
        broker_client.record_deployment(slow, Version(of="shop", number="1"), "test")


@needs_client
def test_the_credential_is_no_argument_and_is_left_in_no_log(
    broker: hal.Broker, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    run = process.run

    def noted(command: Sequence[str], **more: Any) -> process.Finished:
        seen.append(command)
        return run(command, **more)

    monkeypatch.setattr(process, "run", noted)
    broker.fault = {"/": 500}
    with pytest.raises(OrchestratorError):
        broker_client.can_i_deploy(project, Version(of="shop", number="1"), "test")
    assert TOKEN not in str(seen)
    assert not list((project.state / "logs").iterdir())


def test_without_the_official_client_it_is_said_how_to_get_it(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    with pytest.raises(OrchestratorError, match="is not installed") as caught:
        broker_client.publish(project, [], "1", "")
    assert caught.value.problem.code == Code.BROKER_CLIENT_FAILED
    assert "quality-orchestrator[broker]" in caught.value.problem.hint
