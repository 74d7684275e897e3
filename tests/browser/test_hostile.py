from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from orchestrator import text
from orchestrator.report import html
from tests.browser import chromium, runs
from tests.browser.pages import Pages
from tests.report.hostile import STRINGS

pytestmark = pytest.mark.browser

# How often each element is there; a diff has a span for each of its lines.
ELEMENTS = """
() => {
  const count = {};
  for (const element of document.querySelectorAll("*")) count[element.localName] = (count[element.localName] ?? 0) + 1;
  delete count.span;
  return count;
}
"""
# What acts in a frame and is not the viewer's: it has two scripts, and its styles are no elements.
FOREIGN = "document.querySelectorAll('script').length - 2 + document.querySelectorAll('img, iframe, object, base, form').length"


def used(page: Page, said: str) -> dict[str, int]:
    """Open everything, look at everything, and return which elements the page has then."""
    page.evaluate(chromium.OPEN_ALL)
    page.locator("#show-rest").click()
    expect(page.locator("#rest article").first).to_be_attached()
    page.evaluate(chromium.OPEN_ALL)
    page.locator("#browser-frame iframe[data-shown]").wait_for()
    frame = page.frames[-1]
    frame.locator("mte-metrics-table a").first.click()
    frame.locator("mte-file").first.wait_for()
    assert frame.evaluate(FOREIGN) == 0
    elements: dict[str, int] = page.evaluate(ELEMENTS)
    page.locator("#filter").fill(said)
    page.locator("#filter").fill("")
    page.keyboard.press("Tab")
    page.keyboard.press("j")
    page.keyboard.press("o")
    return elements


@pytest.fixture(scope="module")
def harmless(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, int]]:
    """Which elements the page has when nothing on it is hostile."""
    pages = Pages(browser, tmp_path_factory.mktemp("harmless"))
    yield used(pages.open(runs.full("text")), "text")
    pages.close()


@pytest.mark.parametrize("said", STRINGS)
def test_hostile_text_is_shown_and_does_nothing(pages: Pages, harmless: dict[str, int], said: str) -> None:
    shown = text.cut(text.visible(said), html.LONGEST)
    page = pages.open(runs.full(said))
    title = page.title()
    assert title == " ".join(f"✗ {shown} – API quality".split())
    assert used(page, said) == harmless
    assert page.title() == title
    assert page.url.startswith("file:")
    for part in ("main", "#rest"):
        assert page.evaluate("([part, said]) => document.querySelector(part).textContent.split(said).length", [part, shown]) > 20


@pytest.mark.parametrize("said", [s for s in STRINGS if s.strip() and "\x00" not in s])
def test_hostile_text_in_the_address_is_shown_in_the_filter_and_does_nothing(pages: Pages, said: str) -> None:
    page = pages.open(runs.empty())
    page.evaluate("said => { location.hash = '#filter=' + said; }", text.visible(said))
    page.evaluate("said => { location.hash = said; }", text.visible(said))
    expect(page.locator("script")).to_have_count(1)
    expect(page.locator("img, iframe")).to_have_count(0)
