"""What bad input gets: a coded line with file, key and a way out; the other stages' results; a report all the same."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from orchestrator.errors import ExitCode
from orchestrator.model.stage import StageStatus
from tests.acceptance.support import edit, environment, orchestrator, report_of, setting, stage

LIGHT = ("--stage", "properties", "--stage", "contracts")


def has_report(project: Path) -> bool:
    return (project / "reports" / "quality.html").read_text("utf-8").startswith("<!doctype html>")


def test_a_missing_document_costs_only_what_needs_it(shop: Path) -> None:
    (shop / "openapi.yaml").unlink()
    ended = orchestrator(shop, "run", "--stage", "properties", "--stage", "contracts", "--stage", "suite")
    assert ended.code == ExitCode.STAGE_FAILED
    assert "QO301 `openapi.path` = 'openapi.yaml': No such file" in ended.output
    assert stage(shop, "contracts").status is StageStatus.COMPLETED
    assert stage(shop, "suite").status is StageStatus.COMPLETED
    assert stage(shop, "properties").status is StageStatus.SKIPPED
    assert has_report(shop)


def test_a_broken_document_is_told_with_line_and_column(shop: Path) -> None:
    edit(shop / "openapi.yaml", "  /orders:\n", "  /orders: [\n")
    ended = orchestrator(shop, "run", *LIGHT)
    assert ended.code == ExitCode.STAGE_FAILED
    assert "QO302 openapi.yaml is not YAML" in ended.output
    assert "line 1" in ended.output
    assert stage(shop, "contracts").status is StageStatus.COMPLETED


def test_an_app_that_does_not_import_is_told_with_its_own_error(shop: Path) -> None:
    edit(shop / "shop" / "app.py", "import os\n", "import os\nimport not_installed_anywhere\n")
    ended = orchestrator(shop, "run", *LIGHT)
    assert ended.code == ExitCode.NOTHING_WORKS
    assert "QO202 `app.target` = 'shop.app:create_app': importing shop.app failed" in ended.output
    assert "not_installed_anywhere" in ended.output
    assert stage(shop, "generate").status is StageStatus.COMPLETED
    assert has_report(shop)


def test_red_tests_are_quarantined_and_shown_and_the_rest_is_judged(shop: Path) -> None:
    edit(shop / "tests" / "test_shop.py", '== "12.05"', '== "12.5"')
    ended = orchestrator(shop, "run", "--stage", "suite", "--stage", "mutation")
    assert ended.code == ExitCode.GATE_FAILED
    assert "QO403" in ended.output
    assert "test_amounts_are_shown_with_two_digits" in ended.output
    found = report_of(shop).run.mutation
    assert found is not None
    assert found.mutants
    assert stage(shop, "mutation").status is StageStatus.COMPLETED


def test_a_suite_with_only_red_tests_says_nothing_about_mutants(shop: Path) -> None:
    (shop / "tests" / "test_shop.py").write_text("def test_red() -> None:\n    assert False\n")
    ended = orchestrator(shop, "run", "--stage", "suite", "--stage", "mutation", "--stage", "contracts")
    assert ended.code == ExitCode.NOTHING_WORKS
    assert "QO402 no test of the unmutated code passes (of 1)" in ended.output
    assert stage(shop, "mutation").status is StageStatus.SKIPPED
    assert stage(shop, "contracts").status is StageStatus.COMPLETED


def test_a_test_file_that_does_not_import_is_named(shop: Path) -> None:
    (shop / "tests" / "test_more.py").write_text("import nothing_like_it\n")
    ended = orchestrator(shop, "run", "--stage", "suite")
    assert ended.code == ExitCode.STAGE_FAILED
    assert "QO404 1 test file can't be collected, first tests/test_more.py" in ended.output


def test_no_pacts_are_no_fault_where_none_are_asked_for(shop: Path) -> None:
    (shop / "pacts" / "till-shop.json").unlink()
    ended = orchestrator(shop, "run", "--stage", "contracts", "--stage", "suite")
    assert ended.code == ExitCode.PASSED
    assert "no pacts: none of contracts/*.json, pacts/*.json exists" in ended.output


def test_a_run_that_judges_nothing_does_not_pass(shop: Path) -> None:
    (shop / "pacts" / "till-shop.json").unlink()
    ended = orchestrator(shop, "run", "--stage", "contracts")
    assert ended.code == ExitCode.GATE_FAILED
    assert "FAIL  Shop: nothing was judged" in ended.output


def test_no_pacts_are_a_fault_where_some_are_asked_for(shop: Path) -> None:
    setting(shop, 'contracts.pacts = ["somewhere/*.json"]')
    ended = orchestrator(shop, "run", "--stage", "contracts")
    assert ended.code == ExitCode.STAGE_FAILED
    assert "QO501 `contracts.pacts` = somewhere/*.json matches no file" in ended.output


def test_a_pact_that_is_not_json_is_told_and_the_others_are_verified(shop: Path) -> None:
    (shop / "pacts" / "broken.json").write_text('{"consumer": ')
    ended = orchestrator(shop, "run", "--stage", "contracts")
    assert ended.code == ExitCode.STAGE_FAILED
    assert "QO502 pacts/broken.json is not JSON" in ended.output
    found = report_of(shop).run.contracts
    assert found is not None
    assert len(found.interactions) == 2


def test_a_pact_without_interactions_is_no_success(shop: Path) -> None:
    pact = shop / "pacts" / "till-shop.json"
    pact.write_text(json.dumps(json.loads(pact.read_text()) | {"interactions": []}))
    ended = orchestrator(shop, "run", "--stage", "contracts")
    assert ended.code == ExitCode.STAGE_FAILED
    assert "QO502 pacts/till-shop.json has no interaction: an empty pact proves nothing" in ended.output


def test_a_provider_state_that_hangs_ends_with_the_stages_time(shop: Path) -> None:
    edit(shop / "tests" / "hooks.py", "].add(item, count)", "].add(item, __import__('time').sleep(3600))")
    setting(shop, "contracts.timeout = 6")
    started = time.monotonic()
    ended = orchestrator(shop, "run", "--stage", "contracts")
    assert time.monotonic() - started < 60
    assert ended.code == ExitCode.STAGE_FAILED
    assert "QO701 contracts was ended after 6 s" in ended.output


def test_an_app_that_dies_while_pacts_are_verified_is_told(shop: Path) -> None:
    edit(shop / "tests" / "hooks.py", "].add(item, count)", "].add(item, __import__('os')._exit(7))")
    ended = orchestrator(shop, "run", "--stage", "contracts")
    assert ended.code == ExitCode.STAGE_FAILED
    assert "QO206" in ended.output
    assert "exit status 7" in ended.output


def test_an_unknown_provider_state_is_told_and_stalls_nothing(shop: Path) -> None:
    edit(shop / "tests" / "hooks.py", '{"an order": an_order}', '{"a till": an_order}')
    started = time.monotonic()
    ended = orchestrator(shop, "run", "--stage", "contracts")
    assert time.monotonic() - started < 30
    assert ended.code == ExitCode.STAGE_FAILED
    assert "QO503" in ended.output
    assert "unknown provider state 'an order'" in ended.output
    assert "'a till'" in ended.output


def test_a_provider_state_that_raises_is_told_and_is_no_mismatch(shop: Path) -> None:
    edit(shop / "tests" / "hooks.py", "].add(item, count)", "].add(item, count / 0)")
    started = time.monotonic()
    ended = orchestrator(shop, "run", "--stage", "contracts")
    assert time.monotonic() - started < 30
    assert ended.code == ExitCode.STAGE_FAILED
    assert "QO504" in ended.output
    assert "ZeroDivisionError" in ended.output
    results = [i.result.value for i in report_of(shop).run.contracts.interactions]  # type: ignore[union-attr]
    assert results == ["state failed", "verified"]


def test_a_stage_whose_time_is_up_keeps_what_it_knew(shop: Path) -> None:
    setting(shop, "tests.timeout = 10")
    with (shop / "tests" / "test_shop.py").open("a") as file:
        file.write("\n\ndef test_that_never_ends() -> None:\n    while True:\n        pass\n")
    ended = orchestrator(shop, "run", "--stage", "suite", "--stage", "contracts")
    assert ended.code == ExitCode.STAGE_FAILED
    assert "QO701 suite was ended after 10 s" in ended.output
    assert len(report_of(shop).run.suite.tests) == 5  # type: ignore[union-attr]
    assert stage(shop, "contracts").status is StageStatus.COMPLETED


def test_a_critical_path_that_is_not_there_is_told(shop: Path) -> None:
    setting(shop, 'mutation.critical = ["shop/taxes.py"]')
    ended = orchestrator(shop, "run", "--stage", "mutation")
    assert ended.code == ExitCode.STAGE_FAILED
    assert "QO601 `mutation.critical`: 'shop/taxes.py' matches no function of shop" in ended.output
    assert stage(shop, "suite").status is StageStatus.COMPLETED


def test_a_wrong_base_path_is_told_as_such(shop: Path) -> None:
    setting(shop, 'openapi.base-path = "/api/v2"')
    ended = orchestrator(shop, "run", "--stage", "properties")
    assert ended.code == ExitCode.NOTHING_WORKS
    assert "QO208 every operation answers 404 under '/api/v2': the base path is wrong" in ended.output


def test_an_identity_without_its_variable_is_told(shop: Path) -> None:
    edit(shop / "pyproject.toml", 'SHOP_KEY = "key-of-the-shop"', 'OTHER = "x"')
    ended = orchestrator(shop, "run", "--stage", "properties")
    assert ended.code == ExitCode.NOTHING_WORKS
    assert "QO207 identity 'clerk': the environment variable SHOP_KEY is not set" in ended.output


def test_an_app_that_dies_in_the_middle_is_told_and_earlier_results_stay(shop: Path) -> None:
    edit(
        shop / "shop" / "app.py",
        "        order = orders.get(number)\n",
        "        if number > 1:\n            os._exit(7)\n        order = orders.get(number)\n",
    )
    ended = orchestrator(shop, "run", "--stage", "suite", "--stage", "properties")
    assert ended.code == ExitCode.STAGE_FAILED
    assert "QO206 the app's process ended in the middle of the run (exit status 7)" in ended.output
    assert stage(shop, "suite").status is StageStatus.COMPLETED
    assert report_of(shop).run.properties is not None


def test_a_missing_interpreter_is_told(shop: Path) -> None:
    setting(shop, 'python = ".venv/bin/python"')
    ended = orchestrator(shop, "run", "--stage", "suite")
    assert ended.code == ExitCode.NOTHING_WORKS
    assert "QO201 pyproject.toml: `python` = '.venv/bin/python' does not exist" in ended.output


def test_an_unknown_key_is_refused_with_a_suggestion_before_anything_runs(shop: Path) -> None:
    setting(shop, "properties.max-exmples = 5")
    ended = orchestrator(shop, "run")
    assert ended.code == ExitCode.USAGE
    assert "QO103 pyproject.toml: unknown key `tool.orchestrator.properties.max-exmples`" in ended.output
    assert "Did you mean `max-examples`?" in ended.output
    assert not (shop / "reports").exists()


def test_a_baseline_that_can_not_be_read_is_told_before_anything_runs(shop: Path) -> None:
    ended = orchestrator(shop, "run", "--baseline", "nowhere.json")
    assert ended.code == ExitCode.USAGE
    assert "QO703" in ended.output
    assert not (shop / "reports").exists()


def test_an_unknown_stage_is_told_with_those_there_are(shop: Path) -> None:
    ended = orchestrator(shop, "run", "--stage", "contract")
    assert ended.code == ExitCode.USAGE
    assert "QO105 no stage is called 'contract'" in ended.output
    assert "contracts" in ended.output


# What makes a stage take long: a file, a place in it, what stands there instead.
SLOW = {
    "generate": ("shop/app.py", 'status="ok"', 'status=__import__("time").sleep(60)'),
    "suite": ("tests/test_shop.py", "prices.shown(1205)", 'prices.shown(__import__("time").sleep(60))'),
    "properties": ("shop/app.py", 'status="ok"', 'status=__import__("time").sleep(60)'),
    "contracts": ("tests/hooks.py", "].add(item, count)", '].add(item, __import__("time").sleep(60))'),
    "mutation": ("shop/prices.py", "    return f", '    __import__("time").sleep(0.5)\n    return f'),
}


@pytest.mark.parametrize("name", SLOW)
def test_ctrl_c_ends_the_stage_keeps_the_others_and_leaves_nothing_behind(shop: Path, name: str) -> None:
    file, before, after = SLOW[name]
    edit(shop / file, before, after)
    if name == "generate":
        setting(shop, 'openapi.path = "/health"')
    with subprocess.Popen(
        [sys.executable, "-m", "orchestrator", "run", "--stage", name, "--stage", "contracts"],
        cwd=shop,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith(f"{name}:"):
                break
        time.sleep(4 if name == "mutation" else 2)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
    assert process.returncode == ExitCode.INTERRUPTED, output
    assert stage(shop, name).status is StageStatus.INTERRUPTED
    assert "interrupted" in output
    assert has_report(shop)
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout  # noqa: S607
    assert str(shop) not in listed
    assert not list((shop / ".orchestrator").glob("app-*"))
