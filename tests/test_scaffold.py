"""What `orchestrator init` writes."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from orchestrator import cli, config, scaffold
from orchestrator.discovery import Findings, Guess, Question
from orchestrator.errors import Code, OrchestratorError
from tests.acceptance import support

TARGET = Guess(key="app.target", value="shop:app", because="it is there")
PYPROJECT = '[project]\nname = "shop"  # the shop\n\n[tool.ruff]\nline-length = 99\n'


def findings(*guesses: Guess, **more: Any) -> Findings:
    return Findings(framework="Flask", guesses=(TARGET, *guesses), **more)


def write(
    root: Path, found: Findings, given: Mapping[str, Any] | None = None, *, force: bool = False
) -> config.Project:
    """Write everything, and read the settings as a run does."""
    scaffold.write(root, scaffold.plan(root, found, given or {}, force=force))
    return config.load(root)


def init(root: Path, *arguments: str, monkeypatch: pytest.MonkeyPatch) -> Result:
    monkeypatch.chdir(root)
    return CliRunner().invoke(cli.commands, ["init", *arguments], standalone_mode=False)


@pytest.fixture
def bare_shop(tmp_path: Path) -> Path:
    """The small project without its settings."""
    shop = support.copy_of(support.SHOP, tmp_path)
    file = shop / "pyproject.toml"
    file.write_text(scaffold.without_settings(file.read_text()))
    return shop


class TestTheSettings:
    def test_are_appended_to_pyproject_and_leave_the_rest_as_it_was(self, tmp_path: Path) -> None:
        (tmp_path / "pyproject.toml").write_text(PYPROJECT)
        project = write(tmp_path, findings())
        assert project.file.name == "pyproject.toml"
        assert project.settings.app.target == "shop:app"
        assert project.file.read_text().startswith(PYPROJECT)

    def test_have_a_file_of_their_own_without_pyproject(self, tmp_path: Path) -> None:
        assert write(tmp_path, findings()).file.name == "orchestrator.toml"

    def test_are_written_with_the_line_ends_of_the_file(self, tmp_path: Path) -> None:
        (tmp_path / "pyproject.toml").write_bytes(PYPROJECT.replace("\n", "\r\n").encode())
        content = write(tmp_path, findings()).file.read_bytes()
        assert content.count(b"\n") == content.count(b"\r\n")

    def test_hold_what_was_guessed_and_what_was_answered_over_it(self, tmp_path: Path) -> None:
        identity = {"name": "tester", "header": "X-Key", "environment": "KEY"}
        found = findings(
            Guess(key="identities", value=[identity], because=""),
            Guess(key="tests.paths", value=["a", 'b "c"'], because=""),
            Guess(key="app.environment.A", value="{state}/ä", because=""),
        )
        given = {
            "app.target": "shop.web:make",
            "gates.no-worse": False,
            "openapi.exclude": [{"operation": "GET /a", "reason": "r"}],
        }
        settings = write(tmp_path, found, given).settings
        assert settings.identities[0].environment == "KEY"
        assert settings.tests.paths == ("a", 'b "c"')
        assert settings.app.environment == {"A": "{state}/ä"}
        assert settings.app.target == "shop.web:make"
        assert settings.gates.no_worse is False
        assert settings.openapi.exclude[0].reason == "r"

    @pytest.mark.parametrize("prefix", ["", "tool.orchestrator"])
    def test_keep_a_place_for_what_is_left_to_answer(self, prefix: str) -> None:
        question = Question(key="app.environment.KEY", about="the key", example="abc")
        written = scaffold.render({"name": "x", "app": {"target": "shop:app"}}, [question], prefix=prefix)
        assert '# TODO: the key\n# KEY = "abc"\n' in written
        answered = tomllib.loads(written.replace("# KEY", "KEY"))
        table = answered["tool"]["orchestrator"] if prefix else answered
        assert table["app"] == {"target": "shop:app", "environment": {"KEY": "abc"}}
        assert table["name"] == "x"

    def test_that_exist_are_not_replaced_unasked(self, tmp_path: Path) -> None:
        write(tmp_path, findings())
        with pytest.raises(OrchestratorError) as raised:
            write(tmp_path, findings())
        assert raised.value.problem.code == Code.SETTINGS_EXIST

    def test_that_exist_are_replaced_by_force(self, tmp_path: Path) -> None:
        between = '[tool.orchestrator]\napp.target = "old:app"\n\n[[tool.orchestrator.identities]]\nname = "old"\n'
        after = '[tool.orchestrator-like]\nx = 1\n\n[tool.mypy]\nstrict = true\nexclude = [\n  "a",\n]\n'
        (tmp_path / "pyproject.toml").write_text(f"{PYPROJECT}\n{between}\n{after}")
        project = write(tmp_path, findings(), force=True)
        assert (project.settings.identities, project.settings.app.target) == ((), "shop:app")
        assert project.file.read_text().startswith(f"{PYPROJECT}\n{after}")

    @pytest.mark.parametrize(
        "content",
        [
            '[tool]\norchestrator.app.target = "old:app"\n',
            'tool.orchestrator = {app = {target = "old:app"}}\n',
            "tool = {ruff = {line-length = 99}}\n",
        ],
    )
    def test_are_not_written_where_the_rest_would_suffer(self, tmp_path: Path, content: str) -> None:
        file = tmp_path / "pyproject.toml"
        file.write_text(content)
        with pytest.raises(OrchestratorError) as raised:
            write(tmp_path, findings(), force=True)
        assert raised.value.problem.code == Code.SETTINGS_EXIST
        assert file.read_text() == content

    def test_need_an_app(self, tmp_path: Path) -> None:
        with pytest.raises(OrchestratorError) as raised:
            write(tmp_path, Findings(framework="", guesses=()))
        assert raised.value.problem.code == Code.APP_NOT_FOUND
        assert list(tmp_path.iterdir()) == []

    def test_with_a_wrong_answer_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(OrchestratorError) as raised:
            write(tmp_path, findings(), {"app.targt": "shop:app"})
        assert raised.value.problem.code == Code.SETTINGS_UNKNOWN_KEY


class TestTheSession:
    def test_runs_the_orchestrator_in_an_environment_of_its_own(self, tmp_path: Path) -> None:
        write(tmp_path, findings(Guess(key="python", value=".venv/bin/python", because="")))
        content = (tmp_path / "noxfile.py").read_text()
        compile(content, "noxfile.py", "exec")
        assert 'session.install("quality-orchestrator")' in content

    def test_installs_the_app_beside_it_when_they_share_an_interpreter(self, tmp_path: Path) -> None:
        write(tmp_path, findings(install=("-e", ".")))
        content = (tmp_path / "noxfile.py").read_text()
        assert 'session.install("-e", ".")' in content
        assert '"pytest", "coverage", "pytest-xdist"' in content
        assert "mutmut" not in content

    def test_goes_beside_a_noxfile_that_exists(self, tmp_path: Path) -> None:
        (tmp_path / "noxfile.py").write_text("import nox\n")
        write(tmp_path, findings())
        assert (tmp_path / "noxfile.py").read_text() == "import nox\n"
        assert "def quality" in (tmp_path / "noxfile_quality.py").read_text()

    def test_is_not_written_twice(self, tmp_path: Path) -> None:
        (tmp_path / "noxfile.py").write_text('session.run("orchestrator", "run")\n')
        write(tmp_path, findings())
        assert not (tmp_path / "noxfile_quality.py").exists()


class TestTheWorkflow:
    def workflow(self, root: Path, found: Findings) -> tuple[dict[str, Any], str]:
        write(root, found)
        content = (root / scaffold.WORKFLOW).read_text()
        return yaml.safe_load(content)["jobs"]["quality"], content

    def test_installs_the_app_and_runs_the_stages(self, tmp_path: Path) -> None:
        python = Guess(key="python", value="venv/bin/python", because="")
        job, _ = self.workflow(tmp_path, findings(python, install=("-r", "requirements.txt"), secrets=("SHOP_KEY",)))
        install, cache, run = job["steps"][2:5]
        assert "reports/history.jsonl" in cache["with"]["path"]
        assert "uv venv venv\nuv pip install --python venv -r requirements.txt\n" in install["run"]
        assert run["run"] == "uvx --from quality-orchestrator orchestrator run"
        assert run["env"] == {"SHOP_KEY": "${{ secrets.SHOP_KEY }}"}

    def test_has_no_secret_that_the_settings_answer(self, tmp_path: Path) -> None:
        answer = Guess(key="app.environment.SHOP_KEY", value="x", because="")
        job, _ = self.workflow(tmp_path, findings(answer, secrets=("SHOP_KEY",)))
        assert "env" not in job["steps"][3]

    def test_that_exists_is_left_alone(self, tmp_path: Path) -> None:
        file = tmp_path / scaffold.WORKFLOW
        file.parent.mkdir(parents=True)
        file.write_text("on: push\n")
        write(tmp_path, findings(), force=True)
        assert file.read_text() == "on: push\n"

    def test_in_a_folder_of_a_repository_says_that_it_has_to_move(self, tmp_path: Path) -> None:
        (tmp_path / ".git").mkdir()
        (tmp_path / "api").mkdir()
        planned = scaffold.plan(tmp_path / "api", findings(), {})
        assert "at the top of the repository" in planned[-1].note


class TestTheCommand:
    def test_tells_what_it_guessed_and_what_is_left(self, bare_shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        result = init(bare_shop, "--yes", monkeypatch=monkeypatch)
        assert result.return_value == 0
        assert "app.target           shop.app:create_app (shop/app.py:14 makes the Flask app)" in result.output
        assert "Left for you, as comments in pyproject.toml:\n  app.environment.SHOP_KEY: " in result.output

    def test_prints_and_writes_nothing_on_a_dry_run(self, bare_shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        before = sorted(bare_shop.rglob("*"))
        result = init(bare_shop, "--dry-run", monkeypatch=monkeypatch)
        assert sorted(bare_shop.rglob("*")) == before
        assert "[tool.orchestrator.app]" in result.output
        assert "def quality" in result.output

    @pytest.mark.parametrize(
        ("key", "value", "expected"),
        [
            ("app.environment.PORT", "8000", {"app": {"environment": {"PORT": "8000"}}}),
            ("seed", "7", {"seed": 7}),
            ("tests.paths", '["a"]', {"tests": {"paths": ["a"]}}),
            ("name", "My shop = good", {"name": "My shop = good"}),
        ],
    )
    def test_takes_answers_as_toml_or_text(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, value: str, expected: dict[str, Any]
    ) -> None:
        init(tmp_path, "--set", "app.url=http://localhost", "--set", f"{key}={value}", monkeypatch=monkeypatch)
        written = tomllib.loads((tmp_path / "orchestrator.toml").read_text())
        assert expected.items() <= written.items() or expected["app"].items() <= written["app"].items()

    def test_refuses_an_answer_without_a_value(self, tmp_path: Path) -> None:
        ended = support.orchestrator(tmp_path, "init", "--set", "seed")
        assert ended.code == 2
        assert "KEY=VALUE" in ended.output

    def test_says_with_a_code_that_it_found_no_app(self, tmp_path: Path) -> None:
        ended = support.orchestrator(tmp_path, "init")
        assert ended.code == 2
        assert "QO110 no app was found" in ended.output
        assert "--set app.target=" in ended.output


@pytest.mark.slow
def test_after_init_and_one_answer_a_run_works(bare_shop: Path) -> None:
    answer = ("--set", "app.environment.SHOP_KEY=key-of-the-shop")
    quick = ("--set", "mutation.import-time-budget=1", "--set", "mutation.self-check=0")
    assert support.orchestrator(bare_shop, "init", "--yes", *answer, *quick).code == 0
    doctor = support.orchestrator(bare_shop, "doctor")
    assert doctor.code == 0, doctor.output
    run = support.orchestrator(bare_shop, "run")
    assert run.code in (0, 1), run.output  # what it finds is not the question here
    stages = support.report_of(bare_shop).run.stages
    assert {s.name: s.status.value for s in stages} == dict.fromkeys(
        ("generate", "suite", "properties", "contracts", "description", "mutation"), "completed"
    )
