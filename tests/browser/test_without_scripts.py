from __future__ import annotations

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from orchestrator.model.run import Report
from orchestrator.report.ranking import WITHOUT_SCRIPT, ranked
from tests.browser import runs
from tests.browser.pages import Pages, is_in_view

pytestmark = pytest.mark.browser


def check_that_all_is_there(page: Page | FrameLocator, report: Report) -> None:
    """What needs no script is seen, notes are in place of what does, and nothing is offered that can't be done."""
    run, comparison = report.run, report.comparison
    assert run.properties
    assert run.contracts
    assert comparison
    expect(page.locator(".verdict")).to_be_visible()
    expect(page.locator("tr[id^=gate-]")).to_have_count(len(report.verdict.gates))
    expect(page.locator("tr[id^=operation-]:visible")).to_have_count(len(run.operations))
    expect(page.locator("article[id^=finding-]:visible")).to_have_count(len(run.properties.findings))
    expect(page.locator("article[id^=interaction-]:visible")).to_have_count(len(run.contracts.failures))
    expect(page.locator("[aria-labelledby=changes] summary", has_text="new")).to_be_visible()
    for summary in page.locator("details:has([id^=mutant-]) > summary").all():
        summary.click()
    cards = [*ranked(report).first, *ranked(report).more]
    expect(page.locator("[id^=mutant-]:visible")).to_have_count(sum(len(card.mutants) for card in cards))
    assert WITHOUT_SCRIPT - 5 < sum(len(card.mutants) for card in cards) <= WITHOUT_SCRIPT
    expect(page.locator(".static-only:visible")).to_have_count(2)
    expect(page.locator(".live-only:visible")).to_have_count(0)
    expect(page.locator(":is(button, input, dialog, iframe):not(.term):visible")).to_have_count(0)


def test_without_javascript_the_page_shows_what_there_is_to_decide(pages: Pages, crowd: Report) -> None:
    check_that_all_is_there(pages.open(crowd, scripts=False), crowd)


def test_with_javascript_the_notes_for_those_without_are_hidden(pages: Pages, crowd: Report) -> None:
    page = pages.open(crowd)
    expect(page.locator(".static-only").first).to_be_hidden()
    expect(page.locator("#show-rest")).to_be_visible()


def test_a_link_opens_what_hides_its_place_without_javascript_or_leads_to_its_section(
    pages: Pages, crowd: Report
) -> None:
    page = pages.open(crowd, scripts=False)
    page.locator(".worst a").click()
    target = page.url.partition("#")[2]
    expect(page.locator(f"[id='{target}']")).to_be_visible()


def test_a_server_that_allows_no_scripts_shows_the_same(pages: Pages, crowd: Report) -> None:
    check_that_all_is_there(pages.framed(crowd, ""), crowd)
    assert pages.problems  # the browser says that it blocked our script
    assert all("Blocked script execution" in said for said in pages.problems)
    pages.problems.clear()


def test_in_a_frame_without_an_origin_filter_and_keys_work(pages: Pages, crowd: Report) -> None:
    frame = pages.framed(crowd, "allow-scripts")
    frame.locator("#filter").fill("not reached")
    expect(frame.locator("#matches")).to_contain_text("matches")
    expect(frame.locator("#rest article").first).to_be_attached()
    frame.locator("#filter").press("Escape")
    expect(frame.locator("#matches")).to_have_text("")
    frame.locator("h1").click()
    frame.locator("body").press("j")
    expect(frame.locator("article").first).to_have_attribute("aria-current", "true")
    frame.locator("body").press("?")
    expect(frame.locator("#help")).to_be_visible()


def test_in_a_frame_without_an_origin_deep_links_work(pages: Pages, crowd: Report) -> None:
    packed = f"mutant-{ranked(crowd).rest[-1].mutant.fingerprint}"
    frame = pages.framed(crowd, "allow-scripts", f"#{packed}")
    expect(frame.locator(f"#{packed}")).to_be_visible()
    assert is_in_view(frame.locator(f"#{packed}"))
    frame = pages.framed(crowd, "allow-scripts", "#filter=get")
    expect(frame.locator("#matches")).to_contain_text("matches")
    frame.locator("nav a", has_text="Findings").click()
    expect(frame.locator("#findings")).to_be_in_viewport()
    expect(frame.locator("#filter")).to_have_value("get")


def test_in_a_frame_without_an_origin_the_mutants_can_be_opened(pages: Pages, report: Report) -> None:
    frame = pages.framed(report, "allow-scripts")
    frame.locator("#browser > summary").click()
    frame.locator("#browser-frame iframe[data-shown]").wait_for()
    inner = frame.frame_locator("#browser-frame iframe")
    expect(inner.locator("mte-metrics-table")).to_contain_text("prices.py")


def test_without_javascript_a_page_with_nothing_on_it_is_whole(pages: Pages) -> None:
    for of in (runs.empty(), runs.errors()):
        page = pages.open(of, scripts=False)
        expect(page.locator(".verdict")).to_be_visible()
        expect(page.locator(":is(button, input):not(.term):visible")).to_have_count(0)
