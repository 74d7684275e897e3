from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestrator import history, upgrades
from orchestrator.errors import Code, OrchestratorError
from orchestrator.model.run import SCHEMA_VERSION
from orchestrator.report import html, summary

RUNS = Path(__file__).parent / "data" / "runs"


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION))
def test_a_run_of_each_earlier_version_is_read_and_rendered(version: int) -> None:
    report = history.read(RUNS / f"schema-{version}.json")
    assert report.schema == SCHEMA_VERSION
    assert report.run.mutation is not None
    assert report.run.mutation.mutants[0].diff == "-text\n+text"
    assert b"text" in html.render(report)
    assert b"text" in summary.render(report)


def test_the_score_of_an_earlier_comparison_is_kept() -> None:
    document = {"schema": 2, "run": {"stages": []}, "comparison": {"label": "baseline", "score": 97.5}}
    upgraded = upgrades.upgraded(document)
    assert upgraded is not None
    assert upgraded["comparison"] == {"label": "baseline", "measured": {"mutation-score": 97.5}}


@pytest.mark.parametrize("version", [0, -1, SCHEMA_VERSION + 1, "1", None, 1.5])
def test_a_version_that_nobody_knows_is_refused(version: object) -> None:
    document = {"schema": version, "run": {"stages": []}}
    with pytest.raises(OrchestratorError, match="schema") as caught:
        history.from_bytes(json.dumps(document).encode(), "run.json")
    assert caught.value.problem.code == Code.RUN_UNREADABLE
