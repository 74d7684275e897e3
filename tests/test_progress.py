from __future__ import annotations

import io

from rich.console import Console

from orchestrator import progress
from orchestrator.model.problem import Problem
from orchestrator.model.stage import StageResult, StageStatus

BROKEN = StageResult(
    name="contracts",
    status=StageStatus.ERROR,
    seconds=1.25,
    error=Problem(code="QO501", message="no [bold]pact[/bold]", hint="write one"),
)


def told(console: Console) -> str:
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


def test_plain_output_has_a_line_when_a_stage_begins_and_ends() -> None:
    console = Console(file=io.StringIO(), width=200)
    with progress.teller(console) as teller:
        teller.started("suite", "run the tests")
        teller.advanced(1, 10, "tests")
        teller.finished(StageResult(name="suite", status=StageStatus.COMPLETED, summary="10 pass", seconds=2))
    assert told(console).splitlines() == ["suite: run the tests", "✓ suite       10 pass (2.0 s)"]


def test_an_error_is_told_with_its_code_and_the_way_out_and_no_markup_of_its_own() -> None:
    console = Console(file=io.StringIO(), width=200)
    with progress.teller(console) as teller:
        teller.finished(BROKEN)
    assert told(console).splitlines() == [
        "✗ contracts   QO501 no [bold]pact[/bold] (1.2 s)",
        "              → write one",
    ]


def test_a_terminal_gets_a_bar_that_goes_away_again() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=120)
    with progress.teller(console) as teller:
        assert isinstance(teller, progress.LiveTeller)
        teller.started("suite", "run the tests")
        teller.advanced(3, 10, "tests")
        teller.finished(BROKEN)
    assert "QO501" in told(console)
