from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import orchestrator
from orchestrator.cli import main
from orchestrator.errors import ExitCode
from tests.acceptance import support
from tests.acceptance.support import report_of


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A copy of the small project."""
    return support.copy_of(support.SHOP, tmp_path)


@pytest.fixture(scope="module")
def analysed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small project after a run of its quickest stages that has survivors and a matrix."""
    shop = support.copy_of(support.SHOP, tmp_path_factory.mktemp("cli"))
    support.setting(shop, 'mutation.critical = ["shop/prices.py"]')
    ended = support.orchestrator(shop, "run", "--stage", "mutation")
    assert ended.code == ExitCode.PASSED, ended.output
    return shop


def test_the_version_is_that_of_the_distribution(tmp_path: Path) -> None:
    assert orchestrator.__version__ in support.orchestrator(tmp_path, "--version").output


@pytest.mark.parametrize("command", ["run", "report", "mutant", "serve"])
def test_help_has_an_example(tmp_path: Path, command: str) -> None:
    ended = support.orchestrator(tmp_path, command, "--help")
    assert ended.code == 0
    assert f"orchestrator {command}" in ended.output or "orchestrator serve" in ended.output


def test_without_settings_it_says_what_to_do(tmp_path: Path) -> None:
    ended = support.orchestrator(tmp_path, "run")
    assert ended.code == ExitCode.USAGE
    assert "QO101 no [tool.orchestrator]" in ended.output
    assert "orchestrator init" in ended.output


def test_a_word_that_is_no_option_is_a_usage_error(shop: Path) -> None:
    assert support.orchestrator(shop, "run", "--fial-under", "3").code == ExitCode.USAGE


def test_output_that_is_no_terminal_has_no_colour_and_moves_nothing(analysed: Path) -> None:
    ended = support.orchestrator(analysed, "run", "--stage", "report")
    assert "\x1b" not in ended.output
    assert "\r" not in ended.output


def test_the_last_line_is_the_path_of_the_page(analysed: Path) -> None:
    ended = support.orchestrator(analysed, "run", "--stage", "report")
    assert ended.output.rstrip().splitlines()[-1].strip() == "reports/quality.html"


def test_fail_under_is_the_gate_on_the_score(analysed: Path) -> None:
    score = report_of(analysed).run.mutation.score  # type: ignore[union-attr]
    assert score is not None
    assert score < 100
    ended = support.orchestrator(analysed, "run", "--stage", "mutation", "--fail-under", "100")
    assert ended.code == ExitCode.GATE_FAILED
    assert "asked: ≥ 100 %" in ended.output


def test_nothing_changed_is_judged_again_without_running_a_mutant(analysed: Path) -> None:
    before = report_of(analysed).run.mutation
    ended = support.orchestrator(analysed, "run", "--stage", "mutation")
    assert "nothing has changed since the last run" in ended.output
    after = report_of(analysed).run.mutation
    assert before is not None
    assert after is not None
    assert after.mutants == before.mutants
    assert after.reused == len(after.mutants)


def test_nothing_changed_the_suite_is_run_again_only_for_who_asks_for_it(analysed: Path) -> None:
    needed = support.orchestrator(analysed, "run", "--stage", "mutation")
    assert "covered: nothing has changed since" in needed.output
    report = report_of(analysed)
    assert report.run.suite is not None
    assert report.run.suite.reused
    assert {g.id: g.verdict for g in report.verdict.gates}["suite-seconds"] == "not computed"
    asked = support.orchestrator(analysed, "run", "--stage", "mutation", "--stage", "suite")
    suite = report_of(analysed).run.suite
    assert suite is not None
    assert not suite.reused, asked.output
    assert suite.tests != ()


def test_a_new_test_has_every_mutant_judged_again(shop: Path) -> None:
    support.setting(shop, 'mutation.critical = ["shop/prices.py"]')
    support.orchestrator(shop, "run", "--stage", "mutation")
    before = report_of(shop).run.mutation
    assert before is not None
    survivor = next(m for m in before.mutants if m.status == "survived")
    with (shop / "tests" / "test_shop.py").open("a") as file:
        file.write("\n\ndef test_discounts() -> None:\n")
        file.write("    assert [prices.total(7, n) for n in (1, 9, 10, 11, 99)] == [7, 63, 63, 70, 624]\n")
    ended = support.orchestrator(shop, "run", "--stage", "mutation")
    assert "nothing has changed" not in ended.output
    after = report_of(shop).run.mutation
    assert after is not None
    assert next(m for m in after.mutants if m.fingerprint == survivor.fingerprint).status == "killed"
    assert "since the previous run" in ended.output
    assert re.search(r"0 new, [1-9]\d* fixed", ended.output)


def test_a_mutant_can_be_put_into_the_source_and_taken_out_again(analysed: Path) -> None:
    mutation = report_of(analysed).run.mutation
    assert mutation is not None
    mutant = next(m for m in mutation.mutants if m.status == "survived")
    source = analysed / mutant.path
    original = source.read_bytes()
    assert mutant.diff in support.orchestrator(analysed, "mutant", mutant.fingerprint).output
    assert support.orchestrator(analysed, "mutant", mutant.fingerprint, "--apply").code == 0
    assert source.read_bytes() != original
    assert support.orchestrator(analysed, "mutant", mutant.fingerprint, "--undo").code == 0
    assert source.read_bytes() == original


def test_a_mutant_that_does_not_exist_is_told(analysed: Path) -> None:
    ended = support.orchestrator(analysed, "mutant", "ffffffffffff")
    assert ended.code == ExitCode.USAGE
    assert "0 mutants of the last run match" in ended.output


def test_a_run_that_can_not_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"schema": 99}')
    ended = support.orchestrator(tmp_path, "report", "run.json", "-o", "out")
    assert ended.code == ExitCode.USAGE
    assert "QO106 run.json has schema 99" in ended.output
    assert not (tmp_path / "out").exists()


def test_a_report_that_can_not_be_written_leaves_the_earlier_one(analysed: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file where the folder should be")
    ended = support.orchestrator(analysed, "report", "reports/run.json", "-o", str(tmp_path / "out"))
    assert ended.code in {ExitCode.STAGE_FAILED, ExitCode.USAGE}
    assert "Traceback" not in ended.output


def test_windows_is_refused_with_a_word_about_wsl(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setattr("sys.argv", ["orchestrator", "run"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == ExitCode.USAGE
    assert "QO104 Windows is not supported" in capsys.readouterr().err


def test_nothing_in_the_package_knows_the_subject_of_this_repository() -> None:
    package = Path(orchestrator.__file__).parent
    for file in package.rglob("*.*"):
        if file.suffix in {".py", ".jinja", ".css"}:
            assert not re.search(r"\bbackend\b|uuid-service", file.read_text("utf-8")), file


def test_a_terminated_server_leaves_nothing_behind(shop: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "orchestrator", "serve"],
        cwd=shop,
        env=support.environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert "API_URL=http://127.0.0.1:" in process.stdout.readline()
        process.terminate()
        process.wait(timeout=20)
    assert not list((shop / ".orchestrator").glob("app-*"))
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout  # noqa: S607
    assert str(shop) not in listed
