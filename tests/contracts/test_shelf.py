"""A broker that is nothing but files decides as a broker does."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.adapters.broker import DEFAULT_SELECTORS, Checked, Offered, Outcome, Version, Wanted
from orchestrator.adapters.git_branch import Branch
from orchestrator.config import Selector
from orchestrator.contracts import shelf as shelves
from orchestrator.contracts.deployable import answered
from orchestrator.contracts.shelf import Published, Record, Shelf, chosen, digest, names_of, path
from orchestrator.contracts.stores import Folder, GitBranch
from orchestrator.errors import Code, OrchestratorError
from tests.adapters.test_broker import made
from tests.adapters.test_git import run as git

HOSTILE = [
    "../../x",
    "/etc/passwd",
    "..",
    ".",
    ".git",
    "a/b\\c",
    "ü\u202e\U0001f4a5",
    "\ud800",
    "a\nb\0",
    "-rf",
    "%2e%2e",
    "*?",
]


def data(*about: str) -> bytes:
    return json.dumps(made(*about)).encode()


def folder(root: Path) -> Shelf:
    return Shelf(Folder(root / "shelf"))


def local_branch(root: Path) -> Shelf:
    if not (root / ".git").exists():
        git(root, "init", "-q", "-b", "main")
        git(root, "commit", "-q", "--allow-empty", "-m", "first")
        git(root, "config", "core.autocrlf", "true")  # bytes are bytes all the same
    return Shelf(GitBranch(Branch(root, "contracts")))


def remote_branch(root: Path) -> Shelf:
    origin, clone = root / "origin.git", root / "clone"
    if not origin.exists():
        git(root, "init", "-q", "--bare", str(origin))
        git(root, "clone", "-q", str(origin), str(clone))
    return Shelf(GitBranch(Branch(clone, "origin/contracts")))


@pytest.fixture(params=[folder, local_branch, remote_branch], ids=lambda make: make.__name__)
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Shelf]:
    make: Callable[[Path], Shelf] = request.param
    return lambda: make(tmp_path)


def wanted(*selectors: Selector, **more: Any) -> Wanted:
    return Wanted(**{"provider": "shop", "selectors": selectors or DEFAULT_SELECTORS, **more})


def names(offered: list[Offered]) -> list[str]:
    return [one.name for one in offered]


def keep(shelf: Shelf, version: str, *offered: Offered, branch: str = "main", success: bool = True) -> None:
    tests = (Checked(description="read /a", success=success),)
    shelf.keep(Version(of="shop", number=version, branch=branch), [Outcome(one, tests) for one in offered])


def test_what_was_published_is_fetched_byte_for_byte(opened: Callable[[], Shelf]) -> None:
    pact = b'{ "provider":{"name":"shop"},\r\n"consumer":{"name":"web"}, "interactions":[], "x":"\xc3\xbc" }  \n'
    opened().publish([pact], "1", "main")
    (found,) = opened().offered(wanted())
    assert found.data == pact


def test_from_pact_to_deployment(opened: Callable[[], Shelf]) -> None:
    opened().publish([data("web", "shop")], "w1", "main")
    web, shop = Version(of="web", number="w1"), Version(of="shop", number="s1")
    assert not answered(opened().catalogue, web, "production").deployable
    (found,) = opened().offered(wanted())
    keep(opened(), "s1", found)
    assert answered(opened().catalogue, shop, "production").deployable  # nobody relies on it there yet
    opened().deploy(shop, "production")
    answer = answered(opened().catalogue, web, "production")
    assert (answer.deployable, [row.provider_version for row in answer.rows]) == (True, ["s1"])
    opened().deploy(web, "production")
    keep(opened(), "s2", found, success=False)
    answer = answered(opened().catalogue, Version(of="shop", number="s2"), "production")
    assert (answer.deployable, answer.rows[0].why) == (False, "1 interaction failed, first 'read /a'")


def test_publishing_the_same_again_changes_nothing_and_something_else_is_refused(opened: Callable[[], Shelf]) -> None:
    opened().publish([data("web", "shop")], "1", "main")
    opened().publish([data("web", "shop")], "1", "feature", ["beta"])
    with pytest.raises(OrchestratorError, match="says something else") as caught:
        opened().publish([data("web", "shop", "/other")], "1")
    assert caught.value.problem.code == Code.PACT_CONFLICT
    (pact,) = opened().catalogue.pacts()
    assert (pact.record.branches, pact.record.tags) == (("main", "feature"), ("beta",))
    assert opened().catalogue.data(pact) == data("web", "shop")


def test_two_pacts_of_one_version_with_one_provider_are_refused(opened: Callable[[], Shelf]) -> None:
    with pytest.raises(OrchestratorError) as caught:
        opened().publish([data("web", "shop", "/a"), data("web", "shop", "/b")], "1")
    assert caught.value.problem.code == Code.PACT_CONFLICT
    assert opened().catalogue.pacts() == []


def test_many_who_publish_at_once_all_succeed(opened: Callable[[], Shelf]) -> None:
    opened()
    failures: list[BaseException] = []

    def publish(number: int) -> None:
        try:
            opened().publish([data(f"web{number}", "shop")], "1", "main")
        except BaseException as error:  # noqa: BLE001 - told below
            failures.append(error)

    threads = [threading.Thread(target=publish, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert [p.consumer for p in opened().catalogue.pacts()] == [f"web{n}" for n in range(5)]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_stays_in_its_place(opened: Callable[[], Shelf], tmp_path: Path, name: str) -> None:
    pact = json.dumps(made(name, name)).encode()
    opened()
    before = {p for p in tmp_path.rglob("*") if not {"shelf", ".git", "origin.git"} & set(p.parts)}
    opened().publish([pact], name, name, [name])
    opened().deploy(Version(of=name, number=name), name)
    (found,) = opened().offered(wanted(Selector(latest=True), provider=name))
    opened().keep(Version(of=name, number=name), [Outcome(found, ())])
    assert found.data == pact
    answer = answered(opened().catalogue, Version(of=name, number=name), name)
    assert answer.deployable
    after = {p for p in tmp_path.rglob("*") if not {"shelf", ".git", "origin.git"} & set(p.parts)}
    assert after == before


@pytest.mark.parametrize("name", ["", "x" * 300, "ü" * 100])
def test_a_name_that_no_file_can_have_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(OrchestratorError) as caught:
        folder(tmp_path).publish([json.dumps(made(name)).encode()], "1")
    assert caught.value.problem.code == Code.SHELF_FAILED


@given(st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=3))
def test_a_path_has_one_segment_a_name_and_gives_the_names_back(many: list[str]) -> None:
    found = path("pacts", *many)
    assert names_of(found) == ("pacts", *many)
    assert found.isascii()
    assert not {"", ".", ".."} & set(found.split("/"))
    assert not any(part.startswith(".") for part in found.split("/"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3)
)
INTERACTION = st.fixed_dictionaries({"description": st.text(max_size=8), "response": JSON})


@given(st.lists(INTERACTION, max_size=4), st.randoms())
def test_the_order_of_interactions_and_who_wrote_it_do_not_matter(interactions: list[Any], random: Any) -> None:
    raw = {"consumer": {"name": "web"}, "provider": {"name": "shop"}, "interactions": interactions}
    mixed = list(interactions)
    random.shuffle(mixed)
    by_another = dict(reversed(list({**raw, "interactions": mixed, "metadata": {"client": "x"}}.items())))
    assert digest(json.dumps(raw).encode()) == digest(json.dumps(by_another, indent=3).encode())


@given(st.lists(INTERACTION, min_size=1, max_size=3), INTERACTION)
def test_another_interaction_is_another_content(interactions: list[Any], more: Any) -> None:
    def of(*all_of: Any) -> str:
        raw = {"consumer": {"name": "web"}, "provider": {"name": "shop"}, "interactions": all_of}
        return digest(json.dumps(raw).encode())

    assert of(*interactions) != of(*interactions, more)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(st.dictionaries(st.text(min_size=1, max_size=8), st.binary(max_size=20), min_size=1, max_size=4))
def test_publish_then_fetch_gives_the_same_bytes(tmp_path_factory: pytest.TempPathFactory, consumers: Any) -> None:
    root = tmp_path_factory.mktemp("law")
    pacts = {json.dumps({**made(name), "padding": padding.hex()}).encode() for name, padding in consumers.items()}
    folder(root).publish(sorted(pacts), "1", "main")
    assert {one.data for one in folder(root).offered(wanted())} == pacts


# Which pacts are to be verified


def published(consumer: str, version: str, *branches: str, tags: tuple[str, ...] = ()) -> Published:
    record = Record(published=f"2026-01-0{version}", branches=branches, tags=tags)
    return Published(provider="shop", consumer=consumer, version=version, file=f"{consumer}{version}", record=record)


PACTS = [
    published("till", "1", "main"),
    published("till", "2", "next", tags=("beta",)),
    published("web", "1", "master", tags=("beta",)),
    published("web", "2", "master", "next"),
    published("web", "3", tags=("beta",)),
]
DEPLOYED = {("production", "web"): "1", ("test", "till"): "2", ("test", "shop"): "9"}


@pytest.mark.parametrize(
    ("selectors", "expected"),
    [
        ([Selector(main_branch=True)], ["till1", "web2"]),
        ([Selector(branch="next")], ["till2", "web2"]),
        ([Selector(matching_branch=True)], ["till2", "web2"]),
        ([Selector(latest=True)], ["till2", "web3"]),
        ([Selector(tag="beta")], ["till2", "web1", "web3"]),
        ([Selector(tag="beta", latest=True)], ["till2", "web3"]),
        ([Selector(deployed_or_released=True)], ["till2", "web1"]),
        ([Selector(environment="production")], ["web1"]),
        ([Selector(environment="nowhere")], []),
        ([Selector(latest=True, consumer="web")], ["web3"]),
        ([Selector(latest=True, consumer="nobody")], []),
        (DEFAULT_SELECTORS, ["till1", "web2", "till2", "web1"]),
        ([Selector(latest=True), Selector(branch="next")], ["till2", "web3", "web2"]),
    ],
)
def test_selectors_choose_as_a_broker_does(selectors: list[Selector], expected: list[str]) -> None:
    assert [p.file for p in chosen(PACTS, selectors, DEPLOYED, "next")] == expected


def test_without_a_branch_no_branch_matches() -> None:
    assert chosen(PACTS, [Selector(matching_branch=True)], DEPLOYED, "") == []


def test_the_same_content_is_verified_once(tmp_path: Path) -> None:
    shelf = folder(tmp_path)
    shelf.publish([data("web", "shop")], "1", "main")
    shelf.deploy(Version(of="web", number="1"), "production")
    shelf.publish([data("web", "shop")], "2", "main")
    assert names(shelf.offered(wanted())) == ["web (2)"]


def test_a_pact_is_pending_until_the_providers_branch_fulfilled_it(tmp_path: Path) -> None:
    shelf = folder(tmp_path)
    shelf.publish([data("web", "shop")], "1", "main")

    def pending(**more: Any) -> bool:
        (found,) = shelf.offered(wanted(branch="main", **more))
        return found.pending

    assert (pending(), pending(pending=True)) == (False, True)
    (found,) = shelf.offered(wanted())
    keep(shelf, "1", found, branch="feature")
    keep(shelf, "2", found, success=False)
    assert pending(pending=True)
    keep(shelf, "3", found)
    keep(shelf, "4", found, success=False)
    assert not pending(pending=True)


def test_work_in_progress_is_what_is_new_on_a_branch_and_was_never_fulfilled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = folder(tmp_path)
    for day, version, where, branch in (
        ("01", "1", "/old", "old"),
        ("03", "2", "/new", "new"),
        ("04", "3", "/m", "main"),
    ):
        monkeypatch.setattr(shelves, "now", lambda day=day: f"2026-02-{day}T00:00:00.000000+00:00")
        shelf.publish([data("web", "shop", where)], version, branch)
    found = shelf.offered(wanted(wip_since="2026-02-02"))
    assert [(o.name, o.pending, o.wip) for o in found] == [("web (3)", False, False), ("web (2)", True, True)]
    keep(shelf, "1", found[1])
    assert names(shelf.offered(wanted(branch="main", wip_since="2026-02-02"))) == ["web (3)"]


def test_a_pact_that_was_copied_there_by_hand_is_found(tmp_path: Path) -> None:
    file = tmp_path / "shelf" / "pacts" / "shop" / "web" / "1.json"
    file.parent.mkdir(parents=True)
    file.write_bytes(data("web", "shop"))
    assert names(folder(tmp_path).offered(wanted(Selector(latest=True)))) == ["web (1)"]


def test_files_that_are_none_of_ours_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "shelf" / "pacts").mkdir(parents=True)
    for name in ("README.md", "pacts/a.json", "other.json", "pacts/%FF%FF.json"):
        (tmp_path / "shelf" / name).write_text("nothing")
    assert folder(tmp_path).offered(wanted()) == []


@pytest.mark.parametrize(
    ("file", "code"),
    [
        ("pacts/shop/web/1.json", Code.PACT_UNREADABLE),
        ("versions/web/1.json", Code.SHELF_FAILED),
        ("deployments/production/web.json", Code.SHELF_FAILED),
    ],
)
@pytest.mark.parametrize("content", [b"<<<<<<< HEAD", b"[]", b'{"consumer": 3}', b""])
def test_a_broken_file_is_told_by_its_name(tmp_path: Path, file: str, code: Code, content: bytes) -> None:
    folder(tmp_path).publish([data("web", "shop")], "1", "main")
    (tmp_path / "shelf" / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "shelf" / file).write_bytes(content)
    if (file, content) == ("versions/web/1.json", b'{"consumer": 3}'):
        assert folder(tmp_path).catalogue.record("web", "1") == Record()  # a later version may tell more
        return
    with pytest.raises(OrchestratorError, match=file) as caught:
        folder(tmp_path).offered(wanted(Selector(latest=True)))
    assert caught.value.problem.code == code


def test_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "shelf").write_text("a file")
    with pytest.raises(OrchestratorError) as caught:
        folder(tmp_path).publish([data("web", "shop")], "1")
    assert caught.value.problem.code == Code.SHELF_FAILED


# On a branch of git


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    local_branch(tmp_path)
    (tmp_path / "work.txt").write_text("changed")
    git(tmp_path, "add", "work.txt")
    return tmp_path


def seen(repository: Path) -> tuple[str, str, list[Path]]:
    """What a user sees of a work tree: what is staged and changed, what is checked out, which files there are."""
    status, head = git(repository, "status", "--porcelain"), git(repository, "rev-parse", "HEAD")
    return status, head, sorted(repository.iterdir())


def test_each_change_is_a_commit_and_the_work_tree_and_the_index_stay(repository: Path) -> None:
    before = seen(repository)
    local_branch(repository).publish([data("web", "shop")], "1", "main")
    local_branch(repository).publish([data("web", "shop")], "1", "main")  # nothing new: no commit
    local_branch(repository).deploy(Version(of="web", number="1"), "production")
    after = seen(repository)
    assert after == before
    assert git(repository, "log", "--format=%s", "contracts").splitlines() == [
        "Deploy web 1 to production",
        "Publish pacts of version 1",
    ]


def test_a_machine_without_a_name_commits_all_the_same(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", "EMAIL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
    git(repository, "config", "user.useConfigOnly", "true")
    local_branch(repository).publish([data("web", "shop")], "1")
    assert git(repository, "log", "--format=%an", "contracts") == "quality-orchestrator"


def test_a_branch_that_is_checked_out_is_refused(repository: Path) -> None:
    with pytest.raises(OrchestratorError, match="is checked out") as caught:
        Shelf(GitBranch(Branch(repository, "main")))
    assert caught.value.problem.code == Code.SHELF_FAILED


@pytest.mark.parametrize("name", ["", "a..b", "a b", "x.lock"])
def test_a_name_that_no_branch_can_have_is_refused(repository: Path, name: str) -> None:
    with pytest.raises(OrchestratorError, match="no such name"):
        Branch(repository, name)


def test_outside_git_there_is_no_branch(tmp_path: Path) -> None:
    with pytest.raises(OrchestratorError, match="no git repository"):
        Branch(tmp_path, "contracts")


def test_a_remote_that_can_not_be_asked_is_told_without_its_password(repository: Path) -> None:
    git(repository, "remote", "add", "origin", "https://me:s3cret-word@127.0.0.1:1/x.git")
    with pytest.raises(OrchestratorError) as caught:
        Shelf(GitBranch(Branch(repository, "origin/contracts")))
    assert caught.value.problem.code == Code.SHELF_FAILED
    assert "s3cret-word" not in str(caught.value.problem)


def test_a_remote_that_refuses_is_told_and_not_asked_for_ever(tmp_path: Path) -> None:
    remote_branch(tmp_path)
    hook = tmp_path / "origin.git" / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho protected branch >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(OrchestratorError) as caught:
        remote_branch(tmp_path).publish([data("web", "shop")], "1")
    assert caught.value.problem.code == Code.SHELF_FAILED


def test_another_clone_sees_what_was_pushed(tmp_path: Path) -> None:
    remote_branch(tmp_path).publish([data("web", "shop")], "1", "main")
    git(tmp_path, "clone", "-q", str(tmp_path / "origin.git"), str(tmp_path / "other"))
    other = Shelf(GitBranch(Branch(tmp_path / "other", "origin/contracts")))
    assert names(other.offered(wanted())) == ["web (1)"]
    other.deploy(Version(of="web", number="1"), "test")
    assert remote_branch(tmp_path).catalogue.deployed() == {("test", "web"): "1"}
