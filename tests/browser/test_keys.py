from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from orchestrator.model.run import Report
from tests.browser.pages import Pages, is_in_view

pytestmark = pytest.mark.browser


def current(page: Page) -> str | None:
    """The id of the card that the keys are about."""
    marked = page.locator("[aria-current]")
    assert marked.count() <= 1
    return marked.get_attribute("id") if marked.count() else None


def visible_cards(page: Page) -> list[str]:
    found = page.eval_on_selector_all("article.card", "all => all.filter(e => e.checkVisibility()).map(e => e.id)")
    return list(found)


def test_a_slash_leads_to_the_filter(pages: Pages, report: Report) -> None:
    page = pages.open(report)
    page.keyboard.press("/")
    expect(page.locator("#filter")).to_be_focused()
    expect(page.locator("#filter")).to_have_value("")


def test_j_and_k_walk_the_cards_that_are_seen_and_stop_at_both_ends(pages: Pages, crowd: Report) -> None:
    page = pages.open(crowd)
    cards = visible_cards(page)
    assert len(cards) == 12 + 20 + 10
    for card in cards:
        page.keyboard.press("j")
        assert current(page) == card
        assert is_in_view(page.locator(f"[id='{card}']"))
        expect(page.locator(f"[id='{card}']")).to_be_focused()
    page.keyboard.press("j")
    assert current(page) == cards[-1]
    page.keyboard.press("k")
    assert current(page) == cards[-2]
    for _ in cards:
        page.keyboard.press("k")
    assert current(page) == cards[0]


def test_they_walk_what_the_filter_leaves(pages: Pages, crowd: Report) -> None:
    page = pages.open(crowd)
    page.keyboard.press("j")
    page.locator("#filter").fill("cancel orders")
    page.wait_for_timeout(300)
    page.locator("h1").click()
    cards = visible_cards(page)
    assert 1 < len(cards) < 42
    for card in cards:
        page.keyboard.press("j")
        assert current(page) == card
    page.keyboard.press("Escape")
    assert current(page) == cards[-1]


def test_o_opens_and_closes_what_the_card_hides(pages: Pages, report: Report) -> None:
    page = pages.open(report)
    page.keyboard.press("o")
    expect(page.locator("article details[open]")).to_have_count(0)
    page.keyboard.press("j")
    hidden = page.locator("[aria-current] details")
    assert hidden.count() >= 1
    page.keyboard.press("o")
    expect(page.locator("[aria-current] details[open]")).to_have_count(hidden.count())
    expect(page.locator("article:not([aria-current]) details[open]")).to_have_count(0)
    page.keyboard.press("o")
    expect(page.locator("[aria-current] details[open]")).to_have_count(0)


def test_c_copies_the_first_command_of_the_card(pages: Pages, report: Report) -> None:
    page = pages.open(report, permissions=("clipboard-read", "clipboard-write"))
    page.keyboard.press("j")
    page.keyboard.press("c")
    expect(page.locator("#said")).to_have_text("Copied")
    command = page.locator("[aria-current] .copyable pre").first.text_content()
    assert command
    assert page.evaluate("navigator.clipboard.readText()") == command


def test_a_question_mark_tells_the_keys_and_escape_closes_that(pages: Pages, report: Report) -> None:
    page = pages.open(report)
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("j")
    assert current(page) is None
    page.keyboard.press("Escape")
    expect(page.locator("#help")).to_be_hidden()
    page.locator("#help-button").click()
    expect(page.locator("#help")).to_be_visible()
    page.locator("#help button").click()
    expect(page.locator("#help")).to_be_hidden()


def test_escape_in_the_dialog_leaves_the_filter_as_it_is(pages: Pages, report: Report) -> None:
    page = pages.open(report, "#filter=total")
    page.keyboard.press("?")
    page.keyboard.press("Escape")
    expect(page.locator("#help")).to_be_hidden()
    expect(page.locator("#filter")).to_have_value("total")


def test_keys_do_nothing_while_somebody_types_or_holds_another_key(pages: Pages, report: Report) -> None:
    page = pages.open(report)
    page.locator("#filter").press_sequentially("jkoc?/")
    expect(page.locator("#filter")).to_have_value("jkoc?/")
    expect(page.locator("#help")).to_be_hidden()
    assert current(page) is None
    page.locator("#filter").press("Escape")
    page.keyboard.press("Control+j")
    page.keyboard.press("Alt+j")
    assert current(page) is None
