"""What `orchestrator doctor` says about settings that work, and about each that does not."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from rich.console import Console

from orchestrator import config, doctor
from orchestrator.doctor import Check, Sign
from orchestrator.errors import Code, ExitCode
from orchestrator.progress import PlainTeller
from tests.acceptance import support


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A copy of the small project, whose settings work."""
    return support.copy_of(support.SHOP, tmp_path)


def change(project: Path, before: str, after: str) -> None:
    support.edit(project / "pyproject.toml", before, after)


def examine(project: Path, *only: str) -> list[Check]:
    """Try every setting, or only some."""
    return list(doctor.examine(config.load(project), PlainTeller(Console(quiet=True)), only=only))


def failures(checks: list[Check]) -> dict[str, tuple[str, str]]:
    """Return code and message of each check that fails."""
    return {c.name: (c.problem.code, c.message) for c in checks if c.problem}


def signs(checks: list[Check]) -> dict[str, Sign]:
    return {c.name: c.sign for c in checks}


def test_when_all_is_well_each_check_says_what_it_found(shop: Path) -> None:
    checks = examine(shop)
    assert failures(checks) == {}
    assert doctor.exit_code(checks) is ExitCode.PASSED
    told = {c.name: c.message for c in checks}
    assert told["app"].startswith("shop.app:create_app is imported and served (")
    assert told["reset"] == "tests.hooks:reset works"
    assert told["identity clerk"] == "has a credential for `X-Shop-Key`"
    assert told["document"] == "openapi.yaml: OpenAPI 3.1, 3 operations"
    assert told["answers"] == "GET /health answers 200"
    assert told["tests"].endswith(" tests in tests")
    assert told["provider states"] == "1 state can be set up"
    assert "and what 1 operation will execute" in told["critical paths"]


def test_the_command_is_plain_where_nobody_watches(shop: Path) -> None:
    ended = support.orchestrator(shop, "doctor", CI="true")
    assert ended.code == 0
    assert ended.output.splitlines()[-1] == "All is well: `orchestrator run`"
    assert "\x1b" not in ended.output


def test_the_command_says_how_to_mend_what_fails_and_ends_with_the_worst(shop: Path) -> None:
    change(shop, "tests.hooks:reset", "tests.hooks:rest")
    (shop / "pacts" / "till-shop.json").write_text("{")
    ended = support.orchestrator(shop, "doctor")
    assert ended.code == ExitCode.NOTHING_WORKS
    assert "✗ app              QO202 " in ended.output
    assert "→ Check the name after the colon." in ended.output
    assert "✗ pacts            QO502 " in ended.output
    assert ended.output.splitlines()[-1].startswith("2 checks of ")


class TestTheInterpreter:
    def test_that_is_missing_is_told_once(self, shop: Path) -> None:
        change(shop, 'name = "Shop"', 'python = "nowhere/bin/python"')
        checks = examine(shop)
        assert failures(checks)["interpreter"][0] == Code.INTERPRETER_MISSING
        assert list(failures(checks)) == ["interpreter"]
        assert signs(checks)["tests"] is Sign.NOTHING
        assert doctor.exit_code(checks) is ExitCode.NOTHING_WORKS

    def test_that_is_too_old_is_refused(self, shop: Path) -> None:
        self.stand_in(shop, 'print(\'{"versions": {"pytest": "7.0"}, "python": "3.9.18"}\')')
        code, message = failures(examine(shop, "interpreter"))["interpreter"]
        assert code == Code.INTERPRETER_UNFIT
        assert "is Python 3.9.18" in message

    def test_that_does_not_run_is_refused(self, shop: Path) -> None:
        self.stand_in(shop, "raise SystemExit(1)")
        assert failures(examine(shop, "interpreter"))["interpreter"][0] == Code.INTERPRETER_UNFIT

    def test_without_the_tools_is_refused(self, shop: Path) -> None:
        self.stand_in(shop, 'print(\'{"versions": {}, "python": "3.12.1"}\')')
        checks = examine(shop)
        assert failures(checks)["pytest"][0] == Code.TOOL_NOT_INSTALLED
        assert "mutmut" not in signs(checks)
        assert signs(checks)["coverage"] is Sign.NOTHING
        assert signs(checks)["pytest-xdist"] is Sign.NOTHING

    def stand_in(self, shop: Path, code: str) -> None:
        """Have the settings name a program that answers like an interpreter with this code."""
        program = shop / "python"
        program.write_text(f"#!{sys.executable}\n{code}\n")
        program.chmod(0o755)
        change(shop, 'name = "Shop"', 'python = "python"')


class TestTheApp:
    def test_that_does_not_start_leaves_out_what_needs_it(self, shop: Path) -> None:
        change(shop, "shop.app:create_app", "shop.app:missing")
        checks = examine(shop)
        assert list(failures(checks)) == ["app"]
        assert {name for name, sign in signs(checks).items() if sign is Sign.NOTHING} >= {
            *("reset", "identities", "answers", "provider states"),
        }

    def test_that_serves_its_document_and_does_not_start_is_told_once(self, shop: Path) -> None:
        change(shop, "shop.app:create_app", "shop.app:missing")
        change(shop, '"openapi.yaml"', '"/openapi.json"')
        assert list(failures(examine(shop))) == ["app"]

    def test_whose_reset_fails_is_told(self, shop: Path) -> None:
        support.edit(shop / "tests" / "hooks.py", 'app.extensions["orders"].clear()', "raise OSError('no disk')")
        code, message = failures(examine(shop, "reset"))["reset"]
        assert code == Code.HOOK_FAILED
        assert "OSError: no disk" in message

    def test_whose_caller_has_no_credential_is_told(self, shop: Path) -> None:
        change(shop, 'environment = "SHOP_KEY"', 'environment = "OTHER_KEY"')
        code, message = failures(examine(shop, "identities"))["identity clerk"]
        assert code == Code.IDENTITY_FAILED
        assert "OTHER_KEY is not set" in message

    def test_that_knows_none_of_the_operations_has_another_base_path(self, shop: Path) -> None:
        change(shop, 'openapi.path = "openapi.yaml"', 'openapi.path = "openapi.yaml"\nopenapi.base-path = "/v9"')
        assert failures(examine(shop, "answers"))["answers"][0] == Code.WRONG_BASE_PATH

    def test_that_lets_nobody_in_is_told(self, shop: Path) -> None:
        support.edit(shop / "shop" / "app.py", '(None, "health")', "(None,)")
        change(shop, 'header = "X-Shop-Key"', 'header = "X-Other"')
        code, message = failures(examine(shop, "answers"))["answers"]
        assert code == Code.IDENTITY_FAILED
        assert message == "no operation lets the caller in: GET /health 401"

    def test_that_breaks_down_is_told(self, shop: Path) -> None:
        support.edit(shop / "shop" / "app.py", 'return jsonify(status="ok")', "raise OSError('no table')")
        code, message = failures(examine(shop, "answers"))["answers"]
        assert code == Code.APP_UNREACHABLE
        assert "GET /health 500" in message


class TestTheDocument:
    def test_that_is_missing_is_told(self, shop: Path) -> None:
        (shop / "openapi.yaml").unlink()
        checks = examine(shop, "answers")
        assert failures(checks)["document"][0] == Code.DOCUMENT_MISSING
        assert signs(checks)["answers"] is Sign.NOTHING


class TestTheTests:
    @pytest.mark.parametrize(
        ("file", "content", "code"),
        [
            ("test_shop.py", "import nothing_like_it", Code.COLLECTION_FAILED),
            ("test_shop.py", "", Code.NO_TESTS),
            ("conftest.py", "raise OSError('no browser')", Code.COLLECTION_FAILED),
        ],
    )
    def test_that_are_not_collected_are_told(self, shop: Path, file: str, content: str, code: Code) -> None:
        (shop / "tests" / file).write_text(content)
        assert failures(examine(shop, "tests"))["tests"][0] == code

    def test_that_do_not_exist_are_told(self, shop: Path) -> None:
        change(shop, "tests.workers = 1", 'tests.paths = ["checks"]')
        assert failures(examine(shop, "tests"))["tests"] == (Code.NO_TESTS, "checks does not exist")

    def test_in_the_generated_folder_are_nobodys_own(self, shop: Path) -> None:
        change(shop, "tests.workers = 1", 'properties.directory = "tests"')
        assert failures(examine(shop, "generated tests"))["generated tests"][0] == Code.SETTINGS_INVALID


class TestPacts:
    def test_that_are_asked_for_and_missing_are_told(self, shop: Path) -> None:
        change(shop, "tests.workers = 1", 'contracts.pacts = ["agreements/*.json"]')
        assert failures(examine(shop, "pacts"))["pacts"][0] == Code.NO_PACTS

    def test_of_another_provider_are_told(self, shop: Path) -> None:
        change(shop, "tests.workers = 1", 'contracts.provider = "bank"')
        assert failures(examine(shop, "pacts"))["pacts"] == (Code.NO_PACTS, "no pacts are about 'bank'")

    def test_with_a_state_that_nobody_wrote_are_told(self, shop: Path) -> None:
        support.edit(shop / "tests" / "hooks.py", '"an order":', '"another":')
        code, message = failures(examine(shop, "provider states"))["provider states"]
        assert code == Code.UNKNOWN_STATE
        assert message.startswith("'an order': ")

    def test_with_a_state_that_fails_are_told(self, shop: Path) -> None:
        support.edit(shop / "tests" / "hooks.py", "item: str, count: int", "item: str")
        assert failures(examine(shop, "provider states"))["provider states"][0] == Code.STATE_FAILED


class TestCriticalPaths:
    @pytest.mark.parametrize("path", ["shop/missing.py", "POST /missing"])
    def test_that_name_nothing_are_told(self, shop: Path, path: str) -> None:
        change(shop, "POST /orders", path)
        code, message = failures(examine(shop, "critical paths"))["critical paths"]
        assert code == Code.NO_CRITICAL_PATH
        assert repr(path) in message


class TestWhereItAllGoes:
    def test_a_folder_that_is_a_file_is_told(self, shop: Path) -> None:
        (shop / "reports").write_text("")
        assert failures(examine(shop, "reports"))["reports"][0] == Code.NOT_WRITABLE

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
    def test_a_folder_without_permission_is_told(self, shop: Path) -> None:
        (shop / "reports").mkdir(mode=0o500)
        assert failures(examine(shop, "reports"))["reports"][0] == Code.NOT_WRITABLE

    def test_a_baseline_that_is_missing_is_told(self, shop: Path) -> None:
        change(shop, 'name = "Shop"', 'baseline = "baseline.json"')
        assert failures(examine(shop, "baseline"))["baseline"][0] == Code.BASELINE_UNREADABLE

    def test_nothing_is_left_behind_beside_the_state(self, shop: Path) -> None:
        before = {p.name for p in shop.iterdir()}
        examine(shop)
        assert {p.name for p in shop.iterdir()} - before <= {".orchestrator", ".pytest_cache", "__pycache__"}
