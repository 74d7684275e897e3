"""An API that already runs, credentials that are revoked, and a project whose own pytest must not notice us."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.errors import ExitCode
from tests.acceptance.support import edit, environment, orchestrator, report_of, setting

SERVER = """
import os, sys
from werkzeug.serving import make_server
from shop.app import create_app
server = make_server("127.0.0.1", 0, create_app(), threaded=True)
print(server.port, flush=True)
server.serve_forever()
"""


@pytest.fixture
def url(shop: Path) -> Iterator[str]:
    """The shop, served by somebody else."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVER],
        cwd=shop,
        env=environment(SHOP_KEY="key-of-the-shop"),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        process.terminate()


def without(project: Path, *keys: str) -> None:
    lines = (project / "pyproject.toml").read_text().splitlines()
    kept = [line for line in lines if not line.startswith(tuple(f"{key} = " for key in keys))]
    (project / "pyproject.toml").write_text("\n".join(kept) + "\n")


def test_an_api_that_already_runs_is_analysed_by_its_url(shop: Path, url: str) -> None:
    without(shop, "app.target", "app.reset", "contracts.states")
    setting(shop, f'app.url = "{url}"')
    ended = orchestrator(shop, "run", "--stage", "contracts")
    contracts = report_of(shop).run.contracts
    assert contracts is not None
    assert [i.result.value for i in contracts.interactions] == ["state failed", "verified"]
    assert "`contracts.states` is not set" in ended.output
    orchestrator(shop, "run", "--stage", "properties")
    run = report_of(shop).run
    assert run.properties is not None
    assert len({c.operation for c in run.properties.cases}) == 3
    assert not run.properties.findings


def test_an_api_that_does_not_answer_is_told(shop: Path) -> None:
    without(shop, "app.target", "app.reset")
    setting(shop, 'app.url = "http://127.0.0.1:9"')
    ended = orchestrator(shop, "run", "--stage", "properties")
    assert ended.code == ExitCode.NOTHING_WORKS
    assert "QO205 http://127.0.0.1:9 does not answer" in ended.output


def test_a_revoked_credential_is_minted_again(shop: Path) -> None:
    edit(
        shop / "shop" / "app.py",
        '        if request.endpoint not in (None, "health") and request.headers.get("X-Shop-Key") != key:\n',
        '        uses = app.extensions.setdefault("uses", {})\n'
        '        given = request.headers.get("X-Shop-Key", "")\n'
        "        uses[given] = uses.get(given, 0) + 1\n"
        '        known = given in app.extensions.get("keys", ()) and uses[given] <= 5\n'
        '        if request.endpoint not in (None, "health") and not known:\n',
    )
    with (shop / "tests" / "hooks.py").open("a") as file:
        file.write(
            "\n\ndef key(app: Flask) -> str:\n"
            '    keys = app.extensions.setdefault("keys", [])\n'
            '    keys.append(f"shop-key-{len(keys)}")\n'
            "    return keys[-1]\n"
        )
    edit(shop / "pyproject.toml", 'environment = "SHOP_KEY"', 'callable = "tests.hooks:key"')
    ended = orchestrator(shop, "run", "--stage", "properties")
    assert ended.code == ExitCode.PASSED, ended.output
    run = report_of(shop).run
    assert run.properties is not None
    ordered = next(c for c in run.properties.cases if (c.operation, c.phase) == ("POST /orders", "coverage"))
    assert ordered.statuses["201"] > 5
    assert "shop-key-" not in (shop / "reports" / "run.json").read_text()


def test_no_credential_is_in_any_output(shop: Path) -> None:
    edit(shop / "shop" / "app.py", 'return jsonify(error="Unauthorized"), 401', "return jsonify(error=key), 418")
    ended = orchestrator(shop, "run", "--stage", "properties", "--stage", "contracts")
    assert ended.code == ExitCode.GATE_FAILED, ended.output
    for file in (shop / "reports").iterdir():
        assert "key-of-the-shop" not in file.read_text("utf-8"), file.name
    assert "key-of-the-shop" not in ended.output


def test_the_project_s_own_pytest_does_not_notice_the_generated_tests(shop: Path, tmp_path: Path) -> None:
    orchestrator(shop, "run", "--stage", "generate")
    assert (shop / "tests" / "generated" / "test_orders.py").exists()
    (tmp_path / "empty" / "schemathesis").mkdir(parents=True)
    hide = (
        "import sys, importlib.util as u; real = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name == 'schemathesis' else real(name, *a)\n"
        "sys.modules['schemathesis'] = None\n"
        "import pytest; sys.exit(pytest.main(['-q', '-p', 'no:schemathesis', '-p', 'no:cacheprovider']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", hide],
        cwd=shop,
        env=environment(PYTHONPATH=os.fspath(shop), PYTEST_DISABLE_PLUGIN_AUTOLOAD="1"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 passed" in done.stdout
