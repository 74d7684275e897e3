"""The pacts that a run gets from a broker, and the results that it gives back."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from orchestrator import doctor, progress
from orchestrator.adapters import pact
from orchestrator.adapters.broker import Offered, Outcome, Version, Wanted
from orchestrator.config import Project
from orchestrator.contracts import supply
from orchestrator.contracts.supply import Supply
from orchestrator.doctor import Sign
from orchestrator.errors import Code, OrchestratorError
from orchestrator.model.contracts import Interaction, Verification
from tests import builders, hal
from tests.adapters.test_broker import made
from tests.adapters.test_git import run as git


class Kept:
    """A broker that keeps what it is told, or fails."""

    def __init__(self, failure: OrchestratorError | None = None) -> None:
        self.told: list[tuple[Version, list[Outcome]]] = []
        self._failure = failure

    def offered(self, wanted: Wanted) -> list[Offered]:
        return []

    def keep(self, version: Version, outcomes: Any) -> None:
        if self._failure:
            raise self._failure
        self.told.append((version, list(outcomes)))


def project(root: Path, **broker: Any) -> Project:
    return builders.project(root, contracts={"provider": "shop", "broker": {"url": "shelf", "timeout": 5, **broker}})


def published(root: Path, *consumers: str, branch: str = "main") -> None:
    pacts = [json.dumps(made(consumer)).encode() for consumer in consumers]
    supply.opened_shelf(project(root)).publish(pacts, "1", branch)


def ended(result: Verification, file: str = "p", description: str = "read /a") -> Interaction:
    return builders.interaction(description, result, pact=file)


def repository(root: Path) -> str:
    git(root, "init", "-q", "-b", "trunk")
    (root / "a.txt").write_text("1")
    git(root, "add", "a.txt")
    git(root, "commit", "-q", "-m", "first")
    return git(root, "rev-parse", "HEAD")


@pytest.mark.parametrize(
    ("url", "sign", "said"), [("shelf", Sign.GOOD, "1 pact, 1 interaction"), ("nowhere", Sign.BAD, "has no pact")]
)
def test_the_doctor_tries_the_broker(tmp_path: Path, url: str, sign: Sign, said: str) -> None:
    published(tmp_path, "web")
    (check,) = doctor.examine(project(tmp_path, url=url), progress.PlainTeller(Console(quiet=True)), only=["pacts"])
    assert (check.sign, said in check.message) == (sign, True), check.message


def test_without_a_broker_nothing_is_fetched_and_nothing_changes(tmp_path: Path) -> None:
    plain = builders.project(tmp_path)
    given = supply.fetched(plain)
    interactions = (ended(Verification.MISMATCH),)
    assert (given.judged(interactions), given.published(plain, interactions)) == (interactions, [])
    assert not (tmp_path / ".orchestrator").exists()


def test_what_is_fetched_is_among_the_projects_pacts_and_replaces_what_was_fetched_before(tmp_path: Path) -> None:
    published(tmp_path, "web", "till")
    of = project(tmp_path)
    given = supply.fetched(of)
    first = pact.find(of)
    assert [of.shown(file) for file in first] == sorted(given.pacts)
    assert [file.name.rpartition("-")[0] for file in first] == ["till-shop", "web-shop"]
    published(tmp_path / "other", "web")
    supply.fetched(project(tmp_path, url="other/shelf"))
    assert [file.name for file in pact.find(of)] == [first[1].name]  # by content: the name stays


def test_files_are_verified_beside_a_brokers_pacts_only_if_the_settings_name_them(tmp_path: Path) -> None:
    (tmp_path / "pacts").mkdir()
    (tmp_path / "pacts" / "own.json").write_text(json.dumps(made("own")))
    published(tmp_path, "web")
    of = project(tmp_path)
    supply.fetched(of)
    assert len(pact.find(of)) == 1
    settings = {"provider": "shop", "pacts": ["pacts/*.json"], "broker": {"url": "shelf"}}
    assert len(pact.find(builders.project(tmp_path, contracts=settings))) == 2


def test_no_pact_is_an_error(tmp_path: Path) -> None:
    published(tmp_path, "web", branch="feature")
    with pytest.raises(OrchestratorError, match="has no pact for 'shop'") as caught:
        supply.fetched(project(tmp_path))
    assert caught.value.problem.code == Code.NO_PACTS


def test_a_broker_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with hal.running() as gone:
        pass
    with pytest.raises(OrchestratorError) as caught:
        supply.fetched(project(tmp_path, url=gone.url))
    assert caught.value.problem.code == Code.BROKER_UNREACHABLE


def test_a_provider_without_a_name_can_ask_for_nothing(tmp_path: Path) -> None:
    nameless = builders.project(tmp_path, contracts={"broker": {"url": "shelf"}})
    with pytest.raises(OrchestratorError, match=r"`contracts\.provider` is not set"):
        supply.fetched(nameless)


def test_what_is_no_pact_is_written_all_the_same_for_whoever_reads_it_to_say(tmp_path: Path) -> None:
    offered = [Offered(data=data, name="n") for data in (b"{}", b"[", b"{}")]
    files = supply.written(offered, tmp_path / "pacts", project(tmp_path))
    assert [(tmp_path / file).read_bytes() for file in files] == [b"{}", b"[", b"{}"]


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (Verification.VERIFIED, Verification.VERIFIED),
        (Verification.MISMATCH, Verification.PENDING),
        (Verification.STATE_FAILED, Verification.PENDING),
        (Verification.NOT_RUN, Verification.NOT_RUN),
    ],
)
def test_what_fails_in_a_pending_pact_is_pending(result: Verification, expected: Verification) -> None:
    given = Supply({"p": Offered(data=b"", name="", pending=True), "q": Offered(data=b"", name="")})
    judged = given.judged([ended(result, "p"), ended(result, "q"), ended(result, "file.json")])
    assert [i.result for i in judged] == [expected, result, result]


def supplied(source_of: Kept, *names: str) -> Supply:
    data = json.dumps(made("web", "shop", "/a", "/b")).encode()
    return Supply({name: Offered(data=data, name=name) for name in names}, source_of)


def test_results_are_told_of_each_pact_of_which_all_was_run(tmp_path: Path) -> None:
    broker = Kept()
    found = [
        ended(Verification.VERIFIED, "p"),
        ended(Verification.PENDING, "p", "read /b"),
        ended(Verification.VERIFIED, "q"),
        ended(Verification.VERIFIED, "q", "read /b"),
        ended(Verification.VERIFIED, "r"),
        ended(Verification.NOT_RUN, "r", "read /b"),
        ended(Verification.VERIFIED, "own.json"),
    ]
    of = project(tmp_path, publish=True, version="7", branch="main")
    assert supplied(broker, "p", "q", "r", "s").published(of, found) == []
    ((version, outcomes),) = broker.told
    assert version == Version(of="shop", number="7", branch="main")
    assert [(o.pact.name, o.success, len(o.tests)) for o in outcomes] == [("p", False, 2), ("q", True, 2)]


def test_nothing_is_told_if_nobody_said_so(tmp_path: Path) -> None:
    broker = Kept()
    assert supplied(broker, "p").published(project(tmp_path, version="7"), [ended(Verification.VERIFIED)]) == []
    assert not broker.told


def test_a_changed_work_tree_tells_nothing_and_says_why(tmp_path: Path) -> None:
    broker = Kept()
    commit = repository(tmp_path)
    given, of = supplied(broker, "p"), project(tmp_path, publish=True)
    assert given.published(of, [ended(Verification.VERIFIED)]) == []
    (tmp_path / "a.txt").write_text("2")
    (problem,) = given.published(of, [ended(Verification.VERIFIED)])
    assert problem.code == Code.RESULTS_NOT_PUBLISHED
    assert [version for version, _ in broker.told] == [Version(of="shop", number=commit, branch="trunk")]


def test_what_the_broker_does_not_take_is_a_problem(tmp_path: Path) -> None:
    broker = Kept(OrchestratorError(Code.BROKER_REFUSED, "no"))
    (problem,) = supplied(broker, "p").published(project(tmp_path, publish=True, version="7"), [])
    assert (problem.code, problem.message) == (Code.BROKER_REFUSED, "no")


def test_without_a_version_nothing_can_be_told(tmp_path: Path) -> None:
    (problem,) = supplied(Kept(), "p").published(project(tmp_path, publish=True), [])
    assert problem.code == Code.SETTINGS_INVALID
    with pytest.raises(OrchestratorError, match="names a variable that is not set"):
        supply.version(project(tmp_path, version="$SURELY_NOT_SET"), "shop")


def test_version_and_branch_may_come_from_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUILD", "42")
    of = project(tmp_path, version="1.0.$BUILD", branch="b-${BUILD}")
    assert supply.version(of, "shop") == Version(of="shop", number="1.0.42", branch="b-42")
    assert supply.branch(project(tmp_path, branch="$SURELY_NOT_SET")) == ""


def test_where_ci_checks_out_a_commit_its_variables_tell_the_branch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in supply._BRANCH_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CI_COMMIT_REF_NAME", "feature")
    assert supply.branch(project(tmp_path)) == ""  # no git: no branch
    repository(tmp_path)
    assert supply.branch(project(tmp_path)) == "trunk"
    git(tmp_path, "checkout", "-q", "--detach")
    assert supply.branch(project(tmp_path)) == "feature"


class _Served(BaseHTTPRequestHandler):
    """Answers every path with a pact, or with 404."""

    def do_GET(self) -> None:
        data = json.dumps(made(self.path.strip("/"))).encode()
        self.send_response(404 if "nowhere" in self.path else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Served) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_pact_with_an_address_is_fetched_and_verified_beside_files(tmp_path: Path, address: str) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "till.json").write_text(json.dumps(made("till")))
    of = builders.project(tmp_path, contracts={"pacts": ["own", f"{address}/web"]})
    given = supply.fetched(of)
    assert sorted(pact.read(file, tmp_path).consumer for file in pact.find(of)) == ["till", "web"]
    assert (given.pacts, given.source) == ({}, None)


def test_an_address_that_has_no_pact_is_an_error(tmp_path: Path, address: str) -> None:
    of = builders.project(tmp_path, contracts={"pacts": [f"{address}/nowhere"]})
    with pytest.raises(OrchestratorError) as caught:
        supply.fetched(of)
    assert "/nowhere" in caught.value.problem.message
