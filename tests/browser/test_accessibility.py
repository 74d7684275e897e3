from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from orchestrator.model.run import Report
from tests.browser import chromium, runs
from tests.browser.pages import Pages, Scheme

pytestmark = pytest.mark.browser

MADE = {"empty": runs.empty, "errors": runs.errors, "gates": runs.gates_of_all_kinds, "full": runs.full}


@pytest.fixture
def shown(request: pytest.FixtureRequest) -> Report:
    """One of the reports, by its name."""
    made = MADE.get(request.param)
    return made() if made else request.getfixturevalue(request.param)


def everything_open(page: Page) -> Page:
    page.evaluate(chromium.OPEN_ALL)
    if page.locator("#show-rest:visible").count():
        page.locator("#show-rest").press("Enter")
        expect(page.locator("#rest article").first).to_be_attached()
    if page.locator("#browser").count():
        page.locator("#browser-frame iframe[data-shown]").wait_for()
    page.evaluate(chromium.OPEN_ALL)
    return page


@pytest.mark.parametrize(
    ("shown", "scheme", "width"),
    [
        *((shown, *how) for shown in ("report", *MADE) for how in (("light", 1280), ("dark", 400))),
        ("crowd", "light", 1280),
        ("crowd", "dark", 400),
    ],
    indirect=["shown"],
)
def test_axe_finds_nothing_wrong_with_everything_open(pages: Pages, shown: Report, scheme: Scheme, width: int) -> None:
    found = chromium.accessibility(everything_open(pages.open(shown, scheme=scheme, width=width)))
    assert found["violations"] == []
    assert [line for line in found["incomplete"] if "color-contrast" in line] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nor_while_it_is_used(pages: Pages, crowd: Report, scheme: Scheme) -> None:
    page = pages.open(crowd, "#filter=orders", scheme=scheme)
    page.keyboard.press("j")
    page.locator(".matrix thead button").first.click()
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    assert chromium.accessibility(page)["violations"] == []
    page.keyboard.press("Escape")
    page.locator("#filter").fill("zzz")
    assert chromium.accessibility(page)["violations"] == []


def test_the_first_thing_that_the_keyboard_reaches_leads_to_the_content(pages: Pages, report: Report) -> None:
    page = pages.open(report)
    page.keyboard.press("Tab")
    skip = page.locator(".skip")
    expect(skip).to_be_focused()
    box = skip.bounding_box()
    assert box is not None
    assert box["height"] > 20
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
