"""`orchestrator contracts`, as a user types it, on a folder, a branch and a Pact broker."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.errors import ExitCode
from tests import hal
from tests.acceptance.support import Ended, orchestrator
from tests.adapters.test_broker import made
from tests.adapters.test_git import run as git
from tests.adapters.test_official_client import needs_client

TOKEN = "t0ken-of-the-broker"


@pytest.fixture
def consumer(tmp_path: Path) -> Path:
    """A consumer's repository: it has a pact, and no settings of ours."""
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "pacts").mkdir()
    (tmp_path / "pacts" / "web-shop.json").write_text(json.dumps(made("web", "shop")))
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "first")
    return tmp_path


@pytest.fixture
def broker() -> Iterator[hal.Broker]:
    with hal.running() as found:
        found.authorization = f"Bearer {TOKEN}"
        yield found


def contracts(folder: Path, *arguments: str) -> Ended:
    return orchestrator(folder, "contracts", *arguments, PACT_BROKER_TOKEN=TOKEN)


def provider(folder: Path, url: str) -> None:
    (folder / "orchestrator.toml").write_text(
        f'[app]\ntarget = "shop:app"\n[contracts]\nprovider = "shop"\nbroker.url = "{url}"\n'
    )


@pytest.mark.parametrize("url", ["shelf", "file:shelf", "git:contracts"])
def test_a_team_without_a_broker_asks_before_it_deploys(consumer: Path, url: str) -> None:
    ended = contracts(consumer, "publish", "pacts", "--version", "w1", "--broker", url)
    assert (ended.code, ended.output) == (ExitCode.PASSED, "pacts/shop/web/w1.json\n")

    web = ("--pacticipant", "web", "--version", "w1", "--to", "production", "--broker", url)
    ended = contracts(consumer, "can-i-deploy", *web)
    assert ended.code == ExitCode.GATE_FAILED
    assert [line.split() for line in ended.output.splitlines()] == [
        ["consumer", "version", "provider", "version", "fulfilled"],
        ["web", "w1", "shop", "none", "unknown", "no", "version", "of", "shop", "is", "deployed", "in", "production"],
        ["web", "w1", "may", "not", "be", "deployed", "to", "production"],
    ]
    ended = contracts(consumer, "record-deployment", *web)
    assert (ended.code, ended.output) == (ExitCode.PASSED, "web w1 is deployed in production\n")

    provider(consumer, url)
    ended = contracts(consumer, "fetch")
    assert ended.code == ExitCode.PASSED, ended.output
    (file,) = (consumer / ".orchestrator" / "contracts" / "fetched").iterdir()
    assert file.read_bytes() == (consumer / "pacts" / "web-shop.json").read_bytes()
    assert ended.output == f".orchestrator/contracts/fetched/{file.name}: web (w1)\n"


def test_version_and_branch_are_those_of_git_and_the_usual_folder_is_the_broker(consumer: Path) -> None:
    ended = contracts(consumer, "publish", "pacts", "--broker", "contracts")
    commit = git(consumer, "rev-parse", "HEAD")
    assert ended.output == f"pacts/shop/web/{commit}.json\n"
    record = json.loads((consumer / "contracts" / "versions" / "web" / f"{commit}.json").read_text())
    assert record["branches"] == ["main"]

    (consumer / "orchestrator.toml").write_text('[app]\ntarget = "shop:app"\n')
    ended = contracts(consumer, "publish", "pacts/web-shop.json", "--version", "2", "--branch", "", "--tag", "beta")
    assert '  → name the folder in the settings: contracts.broker.url = "contracts"' in ended.output
    record = json.loads((consumer / "contracts" / "versions" / "web" / "2.json").read_text())
    assert (record.get("branches"), record["tags"]) == (None, ["beta"])


def test_fetching_into_a_folder_leaves_what_is_there(consumer: Path) -> None:
    provider(consumer, "shelf")
    contracts(consumer, "publish", "pacts")
    ended = contracts(consumer, "fetch", "--output", "pacts")
    assert ended.code == ExitCode.PASSED, ended.output
    assert len(list((consumer / "pacts").iterdir())) == 2


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("publish", "pacts"), ExitCode.USAGE, "QO101"),
        (("publish", "nowhere", "--broker", "shelf"), ExitCode.USAGE, "does not exist"),
        (("publish", ".git/hooks", "--broker", "shelf"), ExitCode.STAGE_FAILED, "QO501 .git/hooks has no *.json"),
        (("publish", "broken.json", "--broker", "shelf"), ExitCode.STAGE_FAILED, "QO502 broken.json is not JSON"),
        (("can-i-deploy", "--to", "test", "--broker", "shelf"), ExitCode.USAGE, "--pacticipant"),
        (("can-i-deploy", "--broker", "shelf"), ExitCode.USAGE, "--to"),
        (("fetch", "--broker", "https://a:secret@b.example"), ExitCode.USAGE, "QO102 --broker: `contracts.broker.url`"),
        (("fetch", "--broker", "git:main"), ExitCode.STAGE_FAILED, "QO511 the branch main can't be used"),
    ],
)
def test_what_is_wrong_is_told(consumer: Path, arguments: tuple[str, ...], code: ExitCode, said: str) -> None:
    (consumer / "broken.json").write_text("{")
    ended = contracts(consumer, *arguments)
    assert (ended.code, said in ended.output) == (code, True), ended.output
    assert not (consumer / "shelf").exists()


def test_foreign_names_are_shown_and_do_not_act(consumer: Path) -> None:
    (consumer / "pacts" / "b.json").write_text(json.dumps(made("\x1b[31mweb\u202e[bold]", "shop")))
    contracts(consumer, "publish", "pacts", "--version", "1", "--broker", "shelf")
    who = ("--pacticipant", "\x1b[31mweb\u202e[bold]", "--version", "1", "--to", "test", "--broker", "shelf")
    ended = contracts(consumer, "can-i-deploy", *who)
    assert ended.code == ExitCode.GATE_FAILED
    assert "\x1b" not in ended.output
    assert "web\\u202e[bold]" in ended.output


def test_a_providers_pacts_are_fetched_from_a_broker(consumer: Path, broker: hal.Broker) -> None:
    broker.publish(made("web", "shop"), "w1")
    provider(consumer, broker.url)
    ended = contracts(consumer, "fetch")
    assert ended.output.endswith(": Pact between web (w1) and shop\n")
    broker.fault = {"/pacts": 401}
    ended = contracts(consumer, "fetch")
    assert (ended.code, "QO507" in ended.output, TOKEN in ended.output) == (ExitCode.STAGE_FAILED, True, False)


@needs_client
def test_the_same_words_have_the_official_client_speak_to_a_broker(consumer: Path, broker: hal.Broker) -> None:
    at = ("--version", "w1", "--broker", broker.url)
    ended = contracts(consumer, "publish", "pacts", *at)
    assert (ended.code, [p.branch for p in broker.pacts]) == (ExitCode.PASSED, ["main"]), ended.output
    web = ("--pacticipant", "web", "--to", "test", *at)
    ended = contracts(consumer, "can-i-deploy", *web)
    assert ended.code == ExitCode.GATE_FAILED, ended.output
    assert "web w1 may not be deployed to test" in ended.output
    assert contracts(consumer, "record-deployment", *web).code == ExitCode.PASSED
    assert broker.deployed == {("web", "test"): "w1"}
    broker.fault = {"/": 500}
    ended = contracts(consumer, "can-i-deploy", *web)
    assert (ended.code, "QO509" in ended.output, TOKEN in ended.output) == (ExitCode.STAGE_FAILED, True, False)
