from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from orchestrator.model.run import Report
from tests.browser.pages import Pages

pytestmark = pytest.mark.browser


def cells(page: Page, column: int) -> list[str]:
    found = page.eval_on_selector_all(f".matrix tbody td:nth-child({column + 1})", "all => all.map(e => e.textContent)")
    return list(found)


def number(text: str) -> float:
    """The first number of a cell; what has none is less than nothing."""
    found = re.search(r"\d[\d,]*", text)
    return float(found[0].replace(",", "")) if found else -1.0


def heads(page: Page) -> list[Locator]:
    return page.locator(".matrix thead th").all()


def test_a_click_on_a_head_sorts_by_its_column_and_another_one_the_other_way_round(pages: Pages, crowd: Report) -> None:
    page = pages.open(crowd)
    names = [head.inner_text() for head in heads(page)]
    assert names == [
        "Operation",
        "Suite",
        "Cases",
        "billing",
        "mobile-app",
        "web-frontend",
        "Mutants noticed",
        "By layer",
    ]
    for column, head in enumerate(heads(page)):
        for way, reverse in (("ascending", False), ("descending", True), ("ascending", False)):
            head.locator("button").click()
            found = cells(page, column)
            key = number if column else str
            assert [key(cell) for cell in found] == sorted((key(cell) for cell in found), reverse=reverse)
            assert [h.get_attribute("aria-sort") for h in heads(page)] == [
                way if other == column else None for other in range(len(names))
            ]
    assert len(cells(page, 0)) == 50


def test_it_is_sorted_with_the_keyboard_too(pages: Pages, crowd: Report) -> None:
    page = pages.open(crowd)
    page.locator(".matrix thead button").first.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.locator(".matrix thead th").first).to_have_attribute("aria-sort", "descending")
    assert cells(page, 0) == sorted(cells(page, 0), reverse=True)


def test_what_is_sorted_can_be_filtered_and_what_is_filtered_sorted(pages: Pages, crowd: Report) -> None:
    page = pages.open(crowd)
    page.locator(".matrix thead button").nth(6).click()
    page.locator("#filter").fill("delete")
    rows = page.locator(".matrix tbody tr:visible")
    expect(rows).to_have_count(5)
    page.locator(".matrix thead button").nth(6).click()
    expect(rows).to_have_count(5)
    found = [number(row.locator("td").nth(6).inner_text()) for row in rows.all()]
    assert found == sorted(found, reverse=True)
