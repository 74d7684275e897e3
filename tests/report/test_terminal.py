from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from orchestrator import history
from orchestrator.model.contracts import Verification
from orchestrator.model.mutation import MutantStatus
from orchestrator.model.run import Report, Subject
from orchestrator.report import terminal
from tests import builders
from tests.builders import contracts, finding, mutation, properties, run
from tests.report.hostile import STRINGS


def said(report: Report, page: Path = Path("reports/quality.html"), *, colours: bool = False) -> str:
    output = io.StringIO()
    console = Console(
        file=output, emoji=False, width=200, force_terminal=colours, color_system="standard" if colours else None
    )
    terminal.say(report, page, console)
    return output.getvalue()


@pytest.mark.parametrize("value", STRINGS)
@pytest.mark.parametrize("colours", [False, True])
def test_foreign_text_neither_acts_nor_is_taken_for_markup(value: str, colours: bool) -> None:
    of = run(
        properties(finding(value, title=value, curl=value)),
        contracts(Verification.MISMATCH),
        subject=Subject(name=value),
    )
    report = builders.report(of, history.compare(of, run(properties()), value))
    shown = said(report, Path(f"reports/{value[:40]}".replace("\x00", "")), colours=colours)
    assert shown.encode("utf-8")
    assert not set("\x00\x07\x08\x7f\u202e\u2066\u200b\u2028") & set(shown)
    assert "\x1b]" not in shown
    assert colours or "\x1b" not in shown
    if value.isprintable() and len(value) < 200 and not colours:
        assert shown.count(value) >= 3


def test_the_verdict_comes_first() -> None:
    assert said(builders.report()).lstrip().startswith("PASS  shop: nothing was judged")
    assert said(builders.report(run(mutation(MutantStatus.SURVIVED)))).lstrip().startswith("FAIL  shop: 1 of 10")


def test_failing_gates_come_before_the_others() -> None:
    lines = said(builders.report(run(mutation(MutantStatus.SURVIVED), properties()))).splitlines()
    signs = [line.strip()[0] for line in lines if line.strip()[:1] in "✗✓–" and line.strip()]
    assert signs[0] == "✗"
    assert "✗" not in signs[1:]
    assert len(signs) == 10


def test_the_worst_of_each_kind_is_shown() -> None:
    of = run(properties(finding("GET /a", title="Server error")), contracts(Verification.MISMATCH))
    shown = said(builders.report(of))
    assert "worst finding: GET /a: Server error" in shown
    assert "curl -X GET http://127.0.0.1:1/a" in shown
    assert "first mismatch: web: interaction 0" in shown


def test_a_comparison_is_counted() -> None:
    now = run(properties(finding()))
    report = builders.report(now, history.compare(now, run(properties(finding(check="gone"))), "previous run"))
    assert "since the previous run: 1 new, 1 fixed" in said(report)


def test_the_last_line_is_the_page_and_stays_whole(tmp_path: Path) -> None:
    page = tmp_path / ("long" * 60) / "quality.html"
    assert said(builders.report(), page).splitlines()[-1].strip().endswith("long/quality.html")


def test_what_others_wrote_is_never_read_as_the_name_of_an_emoji() -> None:
    assert terminal.console().render_str("test_it[:bug:]").plain == "test_it[:bug:]"
