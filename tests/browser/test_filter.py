from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from orchestrator.model.run import Report
from orchestrator.report.ranking import ranked
from tests.browser import runs
from tests.browser.pages import Pages

pytestmark = pytest.mark.browser


def asked(page: Page, text: str) -> int:
    """Type into the filter, wait until all is found, and return how many matches are announced."""
    page.locator("#filter").fill(text)
    page.wait_for_function("document.querySelector('#packed-cards') === null || document.querySelector('#rest')")
    page.wait_for_timeout(300)  # what lies packed comes later
    found = re.match(r"\d+", page.locator("#matches").inner_text())
    return int(found[0]) if found else 0


def shown(page: Page) -> dict[str, list[str]]:
    """What is seen of each group that is filtered: its text."""
    return {
        name: page.eval_on_selector_all(
            f"[data-filtered={name}] :is(tbody > tr, [data-find])",
            "all => all.filter(e => e.checkVisibility() && !e.closest('table.pair')).map(e => e.textContent)",
        )
        for name in ("operations", "survivors", "findings", "mismatches", "tests")
    }


def test_words_narrow_all_that_is_listed_and_the_number_of_matches_is_announced(pages: Pages, crowd: Report) -> None:
    page = pages.open(crowd)
    before = shown(page)
    count = asked(page, "GET orders")
    after = shown(page)
    assert page.locator("#matches").get_attribute("role") == "status"
    assert count == sum(map(len, after.values()))
    for name in ("operations", "survivors", "findings", "mismatches"):
        assert after[name], name
        assert len(after[name]) < len(before[name]) or name == "survivors"  # where those behind a click are shown too
    assert after["tests"] == []
    assert crowd.run.suite
    red = next(test.id for test in crowd.run.suite.tests if test.outcome.is_red)
    assert asked(page, red) == 1
    assert [red in text for text in shown(page)["tests"]] == [True]


def test_every_word_must_be_there_in_any_order_and_in_any_case(pages: Pages, crowd: Report) -> None:
    page = pages.open(crowd)
    count = asked(page, "orders get")
    assert count == asked(page, "  GET   Orders ")
    assert count < asked(page, "orders")
    assert asked(page, "get zzz") == 0


def test_survivors_that_lie_packed_are_found_too(pages: Pages, crowd: Report) -> None:
    page = pages.open(crowd)
    packed = ranked(crowd).rest[-1]
    assert asked(page, packed.mutants[-1].fingerprint) == 1
    assert packed.mutant.fingerprint in shown(page)["survivors"][0]
    cards = [card for part in (ranked(crowd).first, ranked(crowd).more, ranked(crowd).rest) for card in part]
    assert asked(page, "survived reached") == sum("survived" in card.find for card in cards) > 100


def test_what_was_shown_before_changes_nothing_in_what_is_found(pages: Pages, crowd: Report) -> None:
    page, other = pages.open(crowd), pages.open(crowd)
    other.locator("#show-rest").press("Enter")
    expect(other.locator("#rest article").first).to_be_attached()
    for words in ("get survived", "orders not reached", "zzz"):
        assert asked(other, words) == asked(page, words)
        assert shown(other) == shown(page)


def test_where_nothing_matches_each_list_says_so(pages: Pages, report: Report, crowd: Report) -> None:
    for of in (report, crowd):
        page = pages.open(of)
        notes = page.locator("[data-none]")
        assert notes.count() >= 5
        assert asked(page, "zzz") == 0
        assert page.locator("#matches").inner_text() == "no matches"
        for note in notes.all():
            expect(note).to_be_visible()
        asked(page, "")
        for note in notes.all():
            expect(note).to_be_hidden()


def test_a_list_that_has_a_match_does_not_say_that_it_has_none(pages: Pages, crowd: Report) -> None:
    page = pages.open(crowd)
    asked(page, ranked(crowd).rest[-1].mutant.fingerprint)
    expect(page.locator("[data-none=survivors]")).to_be_hidden()
    expect(page.locator("[data-none=findings]")).to_be_visible()


def test_the_filter_goes_into_the_address_which_brings_it_back(pages: Pages, crowd: Report) -> None:
    page = pages.open(crowd)
    count = asked(page, "post orders & 100 %")
    assert page.url.endswith("#filter=post%20orders%20%26%20100%20%25")
    count = asked(page, "post orders")
    fragment = page.url.partition("#")[2]
    again = pages.open(crowd, f"#{fragment}")
    expect(again.locator("#filter")).to_have_value("post orders")
    expect(again.locator("#matches")).to_have_text(f"{count} matches")
    assert shown(again) == shown(page)
    again.go_back()


def test_a_link_on_the_page_leaves_the_filter_as_it_is(pages: Pages, crowd: Report) -> None:
    page = pages.open(crowd)
    asked(page, "post orders")
    page.locator("nav a", has_text="Findings").click()
    expect(page.locator("#filter")).to_have_value("post orders")
    assert page.url.endswith("#findings&filter=post%20orders")
    page.evaluate("location.hash = '#filter=get'")
    expect(page.locator("#filter")).to_have_value("get")


def test_escape_clears_it_and_shows_everything_again(pages: Pages, crowd: Report) -> None:
    page = pages.open(crowd)
    before = shown(page)
    address = page.url
    asked(page, "zzz")
    page.locator("#filter").press("Escape")
    expect(page.locator("#filter")).to_have_value("")
    expect(page.locator("#matches")).to_have_text("")
    assert shown(page) == before
    assert page.url == address
    asked(page, "zzz")
    page.locator("h1").click()
    page.keyboard.press("Escape")
    assert shown(page) == before


def test_it_works_where_there_is_nothing_to_find(pages: Pages) -> None:
    for of in (runs.empty(), runs.errors()):
        page = pages.open(of)
        assert asked(page, "anything") == 0
