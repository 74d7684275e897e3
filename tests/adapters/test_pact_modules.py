"""The generated contract tests, and running them with plain pytest against a served app."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator import config
from orchestrator.adapters import agent, generated, pact, pact_modules
from orchestrator.adapters.pact import Described, Pact
from orchestrator.config import Project
from tests import builders
from tests.acceptance import support
from tests.report.hostile import STRINGS


def of(*interactions: tuple[str, tuple[str, ...]], consumer: str = "web", root: Path = Path("/p")) -> Pact:
    described = tuple(
        Described(description=name, states=tuple((s, {}) for s in states), method="GET", path="/")
        for name, states in interactions
    )
    return Pact(
        file=root / "pacts" / "web.json", consumer=consumer, provider="api", specification="3", interactions=described
    )


def rendered(*pacts: Pact, root: Path = Path("/p")) -> dict[str, str]:
    return pact_modules.render(pacts, builders.project(root))


def names_in(module: str) -> list[str]:
    return [node.name for node in ast.parse(module).body if isinstance(node, ast.FunctionDef)]


def test_there_is_a_module_a_consumer_and_a_test_an_interaction() -> None:
    files = rendered(of(("a request for an order", ("an order exists",)), ("list orders", ())), of(consumer="The App"))
    assert set(files) == {"__init__.py", "pacts.py", "test_web.py", "test_the_app.py"}
    assert names_in(files["test_web.py"]) == [
        "test_a_request_for_an_order_given_an_order_exists",
        "test_list_orders",
    ]
    assert 'holds(PACT, "a request for an order", "an order exists")' in files["test_web.py"]


def test_names_that_would_be_the_same_have_a_number() -> None:
    module = rendered(of(("list!", ()), ("list?", ()), ("日本", ())))["test_web.py"]
    assert names_in(module) == ["test_list", "test_list_2", "test_interaction"]


@pytest.mark.parametrize("said", [s for s in STRINGS if "\ud800" not in s and "\udc80" not in s])
def test_whatever_a_pact_says_the_module_is_python_and_says_it_too(said: str) -> None:
    module = rendered(of((said, (said,)), consumer=said))
    (name,) = set(module) - {"__init__.py", "pacts.py"}
    (call,) = [n for n in ast.walk(ast.parse(module[name])) if isinstance(n, ast.Call)]
    assert [ast.literal_eval(argument) for argument in call.args[1:]] == [said, said]
    assert re.fullmatch(r"test_\w+\.py", name)


def with_modules(folder: Path) -> config.Project:
    """Write the modules of a project's pacts; return it."""
    project = config.load(folder)
    pacts, _ = pact.read_all(pact.find(project), project)
    generated.write(pact_modules.render(pacts, project), "0" * 12, pact_modules.folder(project), project.root)
    return project


def run_against(project: Project, app: agent.Agent | None) -> tuple[int, str]:
    """Run the generated contract tests as a person would."""
    served = {"API_URL": app.url, "API_CONTROL": app.control} if app else {}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(pact_modules.folder(project))],
        cwd=project.root,
        env={**os.environ, "PACT_DO_NOT_TRACK": "true", **served},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_they_find_with_plain_pytest_what_the_stage_finds(tmp_path: Path) -> None:
    shop = support.copy_of(support.SHOP, tmp_path)
    project = with_modules(shop)
    (till,), _ = pact.read_all(pact.find(project), project)
    names = [interaction.description for interaction in till.interactions]
    code, said = run_against(project, None)
    assert "no tests ran" in said or "skipped" in said
    with agent.running(project) as app:
        code, said = run_against(project, app)
        assert (code, f"{len(names)} passed" in said) == (0, True), said
    support.edit(shop / "pacts" / "till-shop.json", '"error": "Not Found"', '"error": "Gone"')
    with agent.running(project) as app:
        code, said = run_against(project, app)
    assert code == 1
    assert "1 failed" in said
    assert "Gone" in said


def test_they_find_interactions_as_the_core_names_them_and_hold_all_of_one_name(tmp_path: Path) -> None:
    shop = support.copy_of(support.SHOP, tmp_path)
    wrong, right = ({"request": {"path": "/nowhere"}, "response": {"status": status}} for status in (200, 404))
    interactions = [
        {"description": "nothing", "provider_state": "no orders", **right},
        {"description": "something", **right},
        {"description": "something", **wrong},
        right,
    ]
    raw = {"consumer": {"name": "till"}, "provider": {"name": "shop"}, "interactions": interactions}
    for file in (shop / "pacts").glob("*.json"):
        file.unlink()
    (shop / "pacts" / "till-shop.json").write_text(json.dumps(raw))
    hooks = shop / "tests" / "hooks.py"
    hooks.write_text(hooks.read_text() + '\nprovider_states = {"no orders": lambda: None}\n')
    project = with_modules(shop)
    with agent.running(project) as app:
        _, said = run_against(project, app)
    failed = set(re.findall(r"FAILED \S+::(\w+)", said))
    assert (failed, "2 passed" in said) == ({"test_something", "test_something_2"}, True), said


def test_a_provider_state_that_fails_is_told_apart(tmp_path: Path) -> None:
    shop = support.copy_of(support.SHOP, tmp_path)
    hooks = shop / "tests" / "hooks.py"
    hooks.write_text(hooks.read_text() + "\nprovider_states = {}\n")
    project = with_modules(shop)
    with agent.running(project) as app:
        code, said = run_against(project, app)
    assert code == 1
    assert "unknown provider state" in said
