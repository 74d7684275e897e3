from __future__ import annotations

import pytest

from orchestrator import history
from orchestrator.model.mutation import MutantStatus
from orchestrator.model.run import Comparison, Run
from orchestrator.report import comparison
from tests.builders import finding, mutation, properties, run, stage
from tests.report.hostile import STRINGS
from tests.report.test_summary import tokens

THEN = run(properties(finding(check="gone")), mutation(MutantStatus.KILLED))
NOW = run(properties(finding(check="new")), mutation(MutantStatus.SURVIVED))


def of(now: Run = NOW, then: Run = THEN) -> tuple[Run, Comparison]:
    return now, history.compare(now, then, "baseline")


def test_markdown_says_what_is_new_and_fixed_and_how_the_score_has_moved() -> None:
    shown = comparison.render(*of())
    assert shown.startswith("### Since the baseline of 2026-01-02T03:04:05Z, 0123456789ab: 2 new, 1 fixed\n")
    assert "- mutation score 100 % → 0 %" in shown
    assert "<details><summary>2 new</summary>" in shown
    assert (
        "- not compared, because one of the runs has no complete result: interactions, incompatibilities, red tests"
        in shown
    )


def test_the_terminal_says_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    comparison.say(*of(), markdown=False)
    shown = capsys.readouterr().out
    assert "2 new, 1 fixed" in shown
    assert "+ new finding: GET /a: Server error" in shown
    assert "- fixed finding: GET /a: Server error" in shown


def test_stages_that_take_clearly_longer_or_less_are_told() -> None:
    def timed(seconds: float) -> Run:
        return run(stage(mutation(MutantStatus.KILLED), seconds=seconds))

    told = {
        (now, then): [name for name, _, _ in comparison.times(timed(now), {"mutation": then})]
        for now, then in ((10.0, 5.0), (5.0, 10.0), (10.0, 9.5), (0.4, 0.1))
    }
    assert told == {(10.0, 5.0): ["mutation"], (5.0, 10.0): ["mutation"], (10.0, 9.5): [], (0.4, 0.1): []}


@pytest.mark.parametrize("said", STRINGS)
def test_foreign_text_changes_nothing_in_the_structure(said: str) -> None:
    def structure(title: str) -> list[str]:
        return tokens(comparison.render(*of(run(properties(finding(title=title))), run(properties()))))

    assert structure(said) == structure("text")


def test_long_lists_are_cut_and_say_so() -> None:
    now = run(properties(*(finding(check=str(n)) for n in range(60))))
    assert "- and 10 more" in comparison.render(*of(now, run(properties())))
    assert comparison.render(*of(now, run(properties())), 5).count("- finding") == 5
