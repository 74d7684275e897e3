"""The app and its tests run in an environment of their own: neither the orchestrator nor schemathesis is there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.errors import ExitCode
from tests.acceptance.support import orchestrator, report_of, setting

# Each of these is older than, or not in the range of, what the orchestrator itself needs.
COLLIDING = ("flask==2.2.5", "werkzeug==2.2.3", "jinja2==3.0.3", "pytest==7.4.4", "pyyaml==6.0.1")


@pytest.fixture(scope="module")
def interpreter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with pins that collide with ours."""
    folder = tmp_path_factory.mktemp("isolated") / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = folder / "bin" / "python"
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", *COLLIDING], check=True)
    return python


@pytest.mark.slow
def test_an_app_whose_pins_collide_with_ours_is_analysed_all_the_same(shop: Path, interpreter: Path) -> None:
    for name in ("orchestrator", "schemathesis", "msgspec", "pact", "mutmut"):
        missing = subprocess.run([str(interpreter), "-c", f"import {name}"], capture_output=True, check=False, cwd="/")
        assert missing.returncode, f"{name} is in the app's environment"
    setting(shop, f'python = "{interpreter}"')
    (shop / "shop" / "__init__.py").write_text(
        "import sys\n\nfor name in ('orchestrator', 'schemathesis', 'msgspec', 'pact', 'hypothesis'):\n"
        "    assert name not in sys.modules, name\n"
    )
    ended = orchestrator(shop, "run")
    assert ended.code == ExitCode.PASSED, ended.output
    run = report_of(shop).run
    assert run.provenance.tools["flask (app)"] == "2.2.5"
    assert run.provenance.tools["pytest (app)"] == "7.4.4"
    assert run.suite is not None
    assert run.suite.success == 100
    assert run.contracts is not None
    assert not run.contracts.failures
    assert run.properties is not None
    assert run.properties.sent > 50
    assert run.mutation is not None
    assert run.mutation.score is not None
    assert run.mutation.self_check is not None
    assert run.mutation.self_check.checked >= 10
    assert run.mutation.self_check.disagreements == ()
