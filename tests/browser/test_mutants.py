from __future__ import annotations

from typing import Any

import msgspec
import pytest
from playwright.sync_api import FrameLocator, Page, expect

from orchestrator.model.run import Report
from orchestrator.report import stryker
from tests.browser.pages import Pages, overlap

pytestmark = pytest.mark.browser


def viewer(page: Page) -> FrameLocator:
    """Open the mutants by file, and return the frame in which they are."""
    page.locator("#browser > summary").click()
    page.locator("#browser-frame iframe[data-shown]").wait_for()
    return page.frame_locator("#browser-frame iframe")


def test_the_mutants_by_file_are_shown_in_a_frame_that_can_reach_nothing(pages: Pages, report: Report) -> None:
    page = pages.open(report)
    expect(page.locator("iframe")).to_have_count(0)
    frame = viewer(page)
    assert page.locator("iframe").get_attribute("sandbox") == "allow-scripts"
    assert page.locator("iframe").get_attribute("title")
    expect(page.locator("#browser-said")).to_be_hidden()
    expect(frame.locator("mte-metrics-table")).to_contain_text("prices.py")
    assert frame.locator("body").evaluate("() => origin") == "null"
    assert overlap(page) == 0


def test_a_file_can_be_opened_there_and_a_mutant_in_it(pages: Pages, report: Report) -> None:
    frame = viewer(pages.open(report))
    frame.get_by_role("link", name="prices.py").click()
    expect(frame.locator("mte-file")).to_contain_text("def total")
    frame.locator("mte-file svg.mutant-dot.Survived").first.click()
    drawer = frame.locator("mte-drawer-mutant")
    expect(drawer).to_contain_text("Survived")
    expect(drawer).to_contain_text("becomes")


def test_one_that_a_test_kills_names_it(pages: Pages, report: Report) -> None:
    frame = viewer(pages.open(report))
    frame.get_by_role("link", name="prices.py").click()
    frame.locator("mte-file label", has_text="Killed").click()
    frame.locator("mte-file svg.mutant-dot.Killed").first.click()
    drawer = frame.locator("mte-drawer-mutant")
    expect(drawer).to_contain_text("Killed by")
    expect(drawer).to_contain_text("tests/test_shop.py::")


def test_the_viewer_gets_what_the_file_beside_the_page_has(pages: Pages, report: Report, crowd: Report) -> None:
    for of in (report, crowd):
        page = pages.open(of)
        viewer(page)
        shown = page.frames[-1].evaluate("document.querySelector('mutation-test-report-app').report")
        written = msgspec.to_builtins(stryker.document(of))
        ids = [mutant["id"] for file in shown["files"].values() for mutant in file["mutants"]]
        assert len(ids) == len(set(ids)) > 30
        assert without_names(shown) == without_names(written)


def without_names(document: dict[str, Any]) -> dict[str, Any]:
    """A document without what the viewer does not show."""
    files = {
        path: {
            **file,
            "mutants": [{k: v for k, v in m.items() if k not in ("id", "duration") and v} for m in file["mutants"]],
        }
        for path, file in document["files"].items()
    }
    return {
        **msgspec.json.decode(msgspec.json.encode(document)),
        "files": msgspec.json.decode(msgspec.json.encode(files)),
    }


def test_they_are_loaded_once(pages: Pages, report: Report) -> None:
    page = pages.open(report)
    viewer(page)
    page.locator("#browser > summary").click()
    page.locator("#browser > summary").click()
    expect(page.locator("iframe")).to_have_count(1)
    expect(page.locator("iframe")).to_be_visible()


def test_where_they_can_not_be_unpacked_the_page_says_where_they_are(pages: Pages, report: Report) -> None:
    page = pages.open(report)
    page.evaluate("delete window.DecompressionStream")
    page.locator("#browser > summary").click()
    expect(page.locator("#browser-said")).to_have_text(
        "This browser can't show it; mutation.json beside this page has the same."
    )
    expect(page.locator("iframe")).to_have_count(0)
