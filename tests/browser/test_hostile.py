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
# What acts in the viewer's frame and is not its own: its two scripts, pictures that it has in itself.
FOREIGN = """
() => {
  const all = root => [...root.querySelectorAll("*")].flatMap(e => [e, ...(e.shadowRoot ? all(e.shadowRoot) : [])]);
  return all(document).filter((e, _, found) =>
    e.matches("iframe, object, embed, base, form, meta, link, img:not([src^='data:'])")
      || (e.localName === "script" && found.filter(other => other.localName === "script").length > 2)
      || e.getAttributeNames().some(name => name.startsWith("on"))
  ).map(e => e.outerHTML.slice(0, 200));
}
"""


def used(page: Page, said: str) -> dict[str, int]:
    """Open everything, look at everything, and return which elements the page has then."""
    page.locator("#show-rest").press("Enter")
    expect(page.locator("#rest article").first).to_be_attached()
    page.evaluate(chromium.OPEN_ALL)
    page.locator("#browser-frame iframe[data-shown]").wait_for()
    elements: dict[str, int] = page.evaluate(ELEMENTS)
    look_into_its_file(page)
    page.locator("#filter").fill(said)
    page.locator("#filter").fill("")
    page.keyboard.press("Tab")
    page.keyboard.press("j")
    page.keyboard.press("o")
    return elements


def look_into_its_file(page: Page) -> None:
    """Open the file that is called so in the viewer, which finds it unless its name has signs that addresses need."""
    frame = page.frames[-1]
    link = frame.locator("mte-metrics-table tbody a").filter(has_not_text="prices.py").first
    link.click()
    frame.evaluate("() => document.querySelector('mutation-test-report-app').updateComplete")
    for dot in frame.locator("mte-file svg.mutant-dot").all()[:1]:
        dot.click()
    assert frame.evaluate(FOREIGN) == []


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
    if "%" in said:  # the viewer, which others made, can't decode the name of such a file
        pages.problems = [problem for problem in pages.problems if problem != "error: URI malformed"]
    for part in ("main", "#rest"):
        assert (
            page.evaluate(
                "([part, said]) => document.querySelector(part).textContent.split(said).length", [part, shown]
            )
            > 20
        )


def test_hostile_text_in_the_address_is_shown_in_the_filter_and_does_nothing(pages: Pages) -> None:
    page = pages.open(runs.empty())
    for said in (s for s in STRINGS if s.strip() and "\x00" not in s):
        page.evaluate("said => { location.hash = '#filter=' + said; }", text.visible(said))
        page.evaluate("said => { location.hash = said; }", text.visible(said))
        expect(page.locator("script")).to_have_count(1)
        expect(page.locator("img, iframe")).to_have_count(0)
