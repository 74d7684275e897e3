from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from orchestrator import history, text
from orchestrator.model.contracts import Contracts, Mismatch, Verification
from orchestrator.model.mutation import Disagreement, MutantStatus, SelfCheck
from orchestrator.model.problem import Problem
from orchestrator.model.run import Report
from orchestrator.model.stage import StageStatus
from orchestrator.report import markdown, summary
from tests import builders
from tests.builders import contracts, finding, interaction, mutation, properties, run, stage
from tests.report.hostile import STRINGS

MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
hostile = st.lists(
    st.sampled_from([*"`*_[]()<>#|!~&\\-+.:/@ \n\t\x1b", "\x1b[0m", "a", "1", "```", "\r\n", "\u2028", "\ud800"])
).map("".join)


def structure(report: Report) -> list[str]:
    """What a Markdown reader makes of the summary, the text left out."""
    return tokens(summary.render(report).decode())


def tokens(markdown: str) -> list[str]:
    kinds = []
    for token in MARKDOWN.parse(markdown):
        kinds.append(token.type)
        kinds += [child.type for child in token.children or () if child.type != "text"]
    return kinds


@pytest.mark.parametrize("said", STRINGS)
def test_foreign_text_changes_nothing_in_the_structure(said: str) -> None:
    assert structure(builders.report(builders.full_run(said))) == structure(builders.report(builders.full_run()))


@given(hostile)
def test_escaped_text_is_nothing_but_text(value: str) -> None:
    assert tokens(f"{summary.escape(value)} b") == ["paragraph_open", "inline", "paragraph_close"]


@given(hostile)
def test_escaped_text_stays_within_its_table_cell(value: str) -> None:
    table = f"| a | b |\n|---|---|\n| {summary.escape(value)} | c |\n"
    assert tokens(table).count("td_open") == 2


@given(hostile)
def test_a_code_block_holds(value: str) -> None:
    parsed = MARKDOWN.parse(f"{markdown.code(value)}\n\nafter")
    assert [t.type for t in parsed] == ["fence", "paragraph_open", "inline", "paragraph_close"]
    assert text.visible(value) == parsed[0].content.removesuffix("\n")


@pytest.mark.parametrize("value", ["@somebody", "a@b.test", "#1"])
def test_marks_of_mentions_are_escaped(value: str) -> None:
    assert not re.search(r"(?<!\\)[@#]", summary.escape(value))


def test_the_first_line_says_the_verdict() -> None:
    good, bad = builders.report(), builders.report(run(mutation(MutantStatus.SURVIVED)))
    assert summary.render(good).decode().startswith("## ✅ shop: nothing was judged\n")
    assert summary.render(bad).decode().startswith("## ❌ shop: 1 of 10 gates failed\n")


def test_what_is_missing_is_not_computed() -> None:
    lines = summary.render(builders.report()).decode().splitlines()
    gates = [line for line in lines if line.startswith("| ➖ |")]
    assert len(gates) == 10
    assert all(line.endswith("| not computed |") for line in gates)


def test_each_finding_has_its_curl_line() -> None:
    of = run(properties(finding(curl="curl 'http://x/?a=`b`'")))
    assert "```\ncurl 'http://x/?a=`b`'\n```" in summary.render(builders.report(of)).decode()


def test_long_lists_are_cut_and_say_so() -> None:
    now = run(
        properties(*(finding(check=str(n)) for n in range(30))),
        contracts(*[Verification.MISMATCH] * 30),
        mutation(*[MutantStatus.SURVIVED] * 30),
    )
    then = run(properties(), contracts(), mutation())
    shown = summary.render(builders.report(now, history.compare(now, then, "baseline"))).decode()
    assert "90 new, 0 fixed" in shown
    assert "- and 70 more" in shown
    assert shown.count("- and 10 more") == 3
    assert len(shown) < 20_000


def test_a_verdict_that_plain_pytest_does_not_share_is_told() -> None:
    found = Disagreement(mutant="total_1", ours=MutantStatus.SURVIVED, plain=MutantStatus.KILLED, detail="it failed")
    check = SelfCheck(checked=30, disagreements=(found,) * 30)
    shown = summary.render(builders.report(run(mutation(MutantStatus.KILLED, self_check=check)))).decode()
    assert "### 30 verdicts that plain pytest does not share\n" in shown
    assert shown.count("- total\\_1: survived here, killed there (it failed)\n") == 20
    assert "- and 10 more" in shown


def test_a_run_without_problems_has_no_lists() -> None:
    of = run(
        properties(),
        contracts(Verification.VERIFIED),
        mutation(MutantStatus.KILLED, self_check=SelfCheck(checked=1)),
    )
    assert "###" not in summary.render(builders.report(of)).decode()


def test_the_same_report_gives_the_same_bytes() -> None:
    assert summary.render(builders.report(builders.full_run())) == summary.render(builders.report(builders.full_run()))


def test_each_stage_says_what_it_found_or_why_it_did_not() -> None:
    problem = Problem(code="QO701", message="too slow")
    of = run(
        stage(name="suite", summary="3 tests pass"),
        stage(name="contracts", status=StageStatus.SKIPPED, reason="no pacts"),
        stage(name="mutation", status=StageStatus.TIMED_OUT, summary="3 mutants", error=problem),
        stage(name="other"),
    )
    lines = summary.render(builders.report(of)).decode().splitlines()
    assert [line for line in lines if line.startswith("- **")] == [
        "- **suite** (completed, 2.0 s): 3 tests pass",
        "- **contracts** (skipped, 2.0 s): no pacts",
        "- **mutation** (timed out, 2.0 s): QO701 too slow",
        "- **other** (completed, 2.0 s): completed",
    ]


def test_a_mismatch_says_what_does_not_fit_or_why_nothing_is_known() -> None:
    places = tuple(Mismatch(kind="Body", path="$", message=f"m{n}") for n in range(5))
    of = Contracts(
        interactions=(
            interaction("a", Verification.MISMATCH, mismatches=places),
            interaction("b", Verification.STATE_FAILED, error="nobody can"),
        )
    )
    shown = summary.render(builders.report(run(of))).decode()
    assert "- **web**, a: m0; m1; m2\n" in shown
    assert "- **web**, b: nobody can\n" in shown


@pytest.mark.parametrize("said", ["x" * 5_000_000, "`" * 100_000, "é" * 200_000])
def test_a_summary_fits_a_comment_whatever_it_holds(said: str) -> None:
    assert len(summary.render(builders.report(builders.full_run(said)))) <= summary.LIMIT


def test_a_summary_of_many_things_fits_and_says_what_is_left_out() -> None:
    long = "word " * 400
    of = run(
        properties(*(finding(check=str(n), curl=long, title=long) for n in range(300))),
        *(stage(name=f"stage-{n}", summary=long) for n in range(150)),
    )
    shown = summary.render(builders.report(of))
    assert len(shown) <= summary.LIMIT
    assert "The rest is in `quality.html`." in shown.decode()
