from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from orchestrator.model.run import Report
from tests.browser import chromium
from tests.browser.pages import Pages, Scheme

pytestmark = pytest.mark.browser

# What is not seen, or is wider or higher than the box that cuts it off.
CUT = """
() => [...document.querySelectorAll("main *")]
  .filter(e => !e.closest("[hidden], .live-only, .sr, .copy, thead, svg"))
  .filter(e => {
    const { overflowX, overflowY } = getComputedStyle(e);
    return !e.checkVisibility() || (e.scrollWidth > e.clientWidth + 1 && overflowX !== "visible")
      || (e.scrollHeight > e.clientHeight + 1 && overflowY !== "visible");
  })
  .map(e => e.outerHTML.slice(0, 120))
"""


def printed(pages: Pages, report: Report, scheme: Scheme = "light", *, scripts: bool = True) -> Page:
    page = pages.open(report, scheme=scheme, scripts=scripts, width=794)  # A4
    page.emulate_media(media="print", color_scheme=scheme)
    return page


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_on_paper_nothing_is_hidden_and_nothing_is_cut(pages: Pages, crowd: Report, scripts: bool) -> None:
    page = printed(pages, crowd, scripts=scripts)
    assert page.evaluate(CUT) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 794


def test_on_paper_there_is_no_bar_and_no_button(pages: Pages, crowd: Report) -> None:
    page = printed(pages, crowd)
    for what in (".bar", ".copy", "#show-rest", "iframe", "dialog", "footer"):
        for place in page.locator(what).all():
            expect(place).to_be_hidden()
    expect(page.locator(".static-only").first).to_be_visible()  # says that there are more


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_paper_text_is_black_on_white(pages: Pages, report: Report, scheme: Scheme) -> None:
    page = printed(pages, report, scheme)
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator(".card").first.evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(255, 255, 255)"
    found = chromium.accessibility(page)
    assert [line for lines in found.values() for line in lines if "color-contrast" in line] == []


def test_it_can_be_printed(pages: Pages, report: Report) -> None:
    page = pages.open(report)
    assert page.pdf().startswith(b"%PDF")
    expect(page.locator("details:not([open]):not(#browser)")).to_have_count(0)
