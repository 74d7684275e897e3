from __future__ import annotations

import pytest
from playwright.sync_api import expect

from orchestrator.model.replacement import replaced
from orchestrator.model.run import Report
from orchestrator.report import html, originals
from tests.browser import chromium, large
from tests.browser.pages import Pages

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def big() -> Report:
    return large.report(500, 10_000)


def test_the_page_of_a_large_run_is_small_and_works(pages: Pages, big: Report) -> None:
    assert len(html.render(big)) <= 1_500_000
    page = pages.open(big)
    expect(page.locator(".matrix tbody tr")).to_have_count(500)
    page.locator("#filter").fill("audit")
    expect(page.locator("#matches")).to_have_text("no matches")
    page.locator("#filter").fill("propagated")
    expect(page.locator("#matches")).to_contain_text("of the last")
    expect(page.locator("#rest article")).to_have_count(100)
    page.locator("#filter").fill("")
    page.locator("#browser > summary").click()
    page.locator("#browser-frame iframe[data-shown]").wait_for(timeout=30_000)
    expect(page.frame_locator("#browser-frame iframe").locator("mte-metrics-table")).to_contain_text("catalog")
    assert chromium.accessibility(page)["violations"] == []


def test_the_large_run_could_be_real(big: Report) -> None:
    run, mutation = big.run, big.run.mutation
    assert mutation
    assert run.properties
    assert run.contracts
    assert run.suite
    assert (len(run.operations), len(mutation.mutants), len(run.suite.tests)) == (500, 10_000, 1_000)
    assert (len(run.properties.findings), len(run.contracts.failures), len(big.history)) == (20, 10, 60)
    assert 0.10 <= sum(m.status.is_undetected for m in mutation.mutants) / 10_000 <= 0.14
    assert len({m.fingerprint for m in mutation.mutants}) == 10_000
    assert sum(bool(m.proposals) for m in mutation.mutants) > 300
    for mutant in mutation.mutants:
        change = replaced(mutant.diff)
        lines = originals.shown(mutation.sources[mutant.path])
        assert mutant.line == change.line
        assert lines[change.line - 1][change.column - 1 :].startswith(change.before)
        assert change.before != change.after


def test_the_same_sizes_give_the_same_run() -> None:
    assert large.report(30, 300) == large.report(30, 300)
