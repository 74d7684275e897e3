"""Every number of the report is the number that the tool itself gives when it is run on its own."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.model.mutation import MutantKind, MutantStatus, Step
from orchestrator.model.run import Run
from orchestrator.model.suite import Outcome
from tests.acceptance import support
from tests.acceptance.support import edit, environment, orchestrator, report_of

COUNTING_PLUGIN = """
import collections, json, os, schemathesis
sent = collections.Counter()
failed = set()

@schemathesis.hook
def after_call(context, case, response):
    sent[case.operation.label] += 1

@schemathesis.hook
def after_validate(context, case, response, results):
    failed.update((case.operation.label, r.name) for r in results if r.failure is not None)

def pytest_sessionfinish(session):
    with open(os.environ["COUNTED"], "w") as file:
        json.dump({"sent": sent, "failed": sorted(failed)}, file)
"""


@pytest.fixture(scope="module")
def analysed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop with a fault for each layer, after a run."""
    shop = support.copy_of(support.SHOP, tmp_path_factory.mktemp("numbers"))
    edit(shop / "tests" / "test_shop.py", '== "12.05"', '== "12.5"')
    edit(shop / "shop" / "app.py", "not 1 <= count <= 99", "not 1 <= count <= 98")
    pact = shop / "pacts" / "till-shop.json"
    pact.write_text(pact.read_text().replace('"error": "Not Found"', '"error": "Gone"'))
    orchestrator(shop, "run")
    return shop


@pytest.fixture(scope="module")
def run(analysed: Path) -> Run:
    return report_of(analysed).run


def python(project: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=project,
        env=environment(PYTHONPATH=str(project), **variables),
        capture_output=True,
        text=True,
        check=False,
    )


@contextlib.contextmanager
def served(project: Path) -> Iterator[dict[str, str]]:
    """Serve the app as a user does, with `orchestrator serve`."""
    with subprocess.Popen(
        [sys.executable, "-m", "orchestrator", "serve"],
        cwd=project,
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        try:
            yield dict(re.findall(r"(API_\w+)=(\S+)", line))
        finally:
            process.terminate()


def test_the_suite_counts_what_pytest_counts(analysed: Path, run: Run) -> None:
    said = python(analysed, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_shop.py").stdout
    passed, failed = (int(re.findall(rf"(\d+) {word}", said)[-1]) for word in ("passed", "failed"))
    assert run.suite is not None
    assert run.suite.count(Outcome.PASSED) == passed == 4
    assert run.suite.count(Outcome.FAILED) == failed == 1


def test_coverage_is_what_coverage_py_reports(analysed: Path, run: Run) -> None:
    python(analysed, "-m", "coverage", "run", "--include=shop/*", "-m", "pytest", "-q", "tests/test_shop.py")
    python(analysed, "-m", "coverage", "json", "-o", "counted.json")
    totals = json.loads((analysed / "counted.json").read_text())["totals"]
    assert run.suite is not None
    assert run.suite.covered == pytest.approx(totals["percent_covered"])


def test_mutants_are_what_mutmut_says_of_them(analysed: Path, run: Run, tmp_path: Path) -> None:
    shop = support.copy_of(analysed, tmp_path)
    red = [f"--deselect={test.id}" for test in run.suite.tests if test.is_quarantined] if run.suite else []
    with (shop / "pyproject.toml").open("a") as settings:
        settings.write(f'\n[tool.mutmut]\nsource_paths = ["shop"]\npytest_add_cli_args = {json.dumps(red)}\n')
    code = "import sys; from mutmut.__main__ import cli; sys.argv[0] = 'mutmut'; cli()"
    python(shop, "-c", code, "run", "--max-children", "2")
    said = python(shop, "-c", code, "results", "--all", "true").stdout
    words = dict(line.strip().rsplit(": ", 1) for line in said.splitlines() if "__mutmut_" in line)
    assert run.mutation is not None
    judged = {m.id: m.layers["unit"] is Step.REVEALED for m in run.mutation.mutants if "unit" in m.layers}
    both = judged.keys() & words.keys()
    assert len(both) > 30
    assert {name: judged[name] for name in both} == {name: MutantStatus(words[name]).is_detected for name in both}
    ours = next(m for m in run.mutation.mutants if m.id in both)
    assert changes(python(shop, "-c", code, "show", ours.id).stdout) == changes(ours.diff)


def test_every_handler_has_mutants_too(run: Run) -> None:
    assert run.mutation is not None
    handlers = [m for m in run.mutation.mutants if m.kind is MutantKind.HANDLER]
    assert {m.status for m in handlers} <= {MutantStatus.KILLED, MutantStatus.SURVIVED, MutantStatus.TRIVIAL}
    assert all(m.killer.startswith("tests/test_shop.py::") for m in handlers if m.status is MutantStatus.KILLED)


def changes(diff: str) -> set[str]:
    """Return the changed lines of a diff, without their indentation: mutmut shows a method by itself."""
    return {re.sub(r"\s+", " ", line) for line in diff.splitlines() if re.match(r"[+-][^+-]", line)}


def test_each_diff_fits_the_source_at_its_true_line(analysed: Path, run: Run) -> None:
    assert run.mutation is not None
    for mutant in run.mutation.mutants:
        fits = subprocess.run(
            ["git", "apply", "--check", "-"],  # noqa: S607 - whichever git there is
            input=mutant.diff + "\n",
            text=True,
            cwd=analysed,
            capture_output=True,
            check=False,
        )
        assert not fits.returncode, fits.stderr
        line = (analysed / mutant.path).read_text().splitlines()[mutant.line - 1]
        assert f"-{line}" in mutant.diff.splitlines()


def test_interactions_are_what_the_verifier_says_of_them(analysed: Path, run: Run) -> None:
    script = """
import json, os, sys
from pact import Verifier
v = Verifier("shop", "127.0.0.1").add_transport(url=os.environ["API_URL"]).add_source("pacts/till-shop.json")
v.state_handler(os.environ["API_CONTROL"] + "/state", teardown=False, body=True)
try:
    v.verify()
except RuntimeError:
    pass
print("RESULTS " + json.dumps({r["description"]: r["result"] for r in v.results["interactionResults"]}))
"""
    with served(analysed) as where:
        done = python(analysed, "-c", script, **where)
    said = done.stdout + done.stderr
    assert "RESULTS " in said
    results = json.loads(said.partition("RESULTS ")[2].splitlines()[0])
    assert run.contracts is not None
    assert {i.description: "OK" if i.result == "verified" else "ERROR" for i in run.contracts.interactions} == {
        description: "OK" if result == "OK" else "ERROR" for description, result in results.items()
    }
    assert sorted(i.result.value for i in run.contracts.interactions) == ["mismatch", "verified"]


def test_cases_and_findings_are_those_of_plain_pytest_against_the_served_app(analysed: Path, run: Run) -> None:
    (analysed / "counting.py").write_text(COUNTING_PLUGIN)
    counted = analysed / "counted-cases.json"
    with served(analysed) as where:
        python(
            analysed, "-m", "pytest", "-q", "-p", "counting", "-p", "no:cacheprovider", "tests/generated",
            COUNTED=str(counted), **where,
        )  # fmt: skip
    plain = json.loads(counted.read_text())
    assert run.properties is not None
    sent: dict[str, int] = {}
    for cases in run.properties.cases:
        sent[cases.operation] = sent.get(cases.operation, 0) + cases.sent
    assert sent == plain["sent"]
    assert sorted([f.operation, f.check] for f in run.properties.findings) == plain["failed"]
    assert plain["failed"], "the planted fault was not found: this test would show nothing"


def test_the_page_and_its_siblings_show_the_same_numbers(analysed: Path, run: Run) -> None:
    page = (analysed / "reports" / "quality.html").read_text("utf-8")
    assert run.mutation is not None
    assert run.properties is not None
    undetected = sum(m.status.is_undetected for m in run.mutation.mutants)
    assert f"{undetected} survivors of {len(run.mutation.mutants)} mutants, score" in page
    assert f"{len(run.properties.findings)} in {run.properties.sent} cases" in page
    assert "1 of 2 interactions" in page
    assert page.count('id="finding-') == len(run.properties.findings)
    assert page.count('id="mutant-') == undetected
    again = analysed / "again"
    assert orchestrator(analysed, "report", "reports/run.json", "-o", str(again)).code == 0
    for name in ("quality.html", "run.json", "junit.xml", "summary.md"):
        assert (again / name).read_bytes() == (analysed / "reports" / name).read_bytes(), name
