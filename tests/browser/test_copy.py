from __future__ import annotations

import pytest
from playwright.sync_api import expect

from orchestrator.model.run import Report
from tests.browser.pages import Pages

pytestmark = pytest.mark.browser


def test_each_button_puts_exactly_its_command_on_the_clipboard(pages: Pages, report: Report) -> None:
    page = pages.open(report, permissions=("clipboard-read", "clipboard-write"))
    page.evaluate("for (const d of document.querySelectorAll('details:not(#browser)')) d.open = true")
    buttons = page.locator(".copy")
    assert buttons.count() > 15
    for button in buttons.all():
        command = button.locator("xpath=preceding-sibling::pre").text_content()
        button.click()
        expect(button).to_have_text("Copied")
        assert page.evaluate("navigator.clipboard.readText()") == command


def test_the_command_that_is_copied_is_one_that_can_be_run(pages: Pages, report: Report) -> None:
    assert report.run.properties
    page = pages.open(report, permissions=("clipboard-read", "clipboard-write"))
    page.locator("#findings ~ [data-filtered] .copy").first.click()
    assert page.evaluate("navigator.clipboard.readText()") == report.run.properties.findings[0].curl
    page.locator("[aria-labelledby=provenance] .copy").click()
    assert page.evaluate("navigator.clipboard.readText()") == "orchestrator run"


def test_where_the_clipboard_is_denied_the_command_is_copied_the_old_way_or_selected(
    pages: Pages, report: Report
) -> None:
    frame = pages.framed(report, "allow-scripts")
    button = frame.locator("#findings ~ [data-filtered] .copy").first
    command = button.locator("xpath=preceding-sibling::pre").text_content()
    button.click()
    expect(frame.locator("#said")).not_to_be_empty()
    done = button.text_content() == "Copied"
    assert done or frame.locator("body").evaluate("() => getSelection().toString()") == command
    expect(button).to_have_text("Copy", timeout=5_000)


def test_where_nothing_can_be_copied_the_command_is_selected(pages: Pages, report: Report) -> None:
    page = pages.open(report)
    page.evaluate("navigator.clipboard.writeText = () => Promise.reject(); document.execCommand = () => false")
    button = page.locator("#findings ~ [data-filtered] .copy").first
    button.click()
    expect(button).to_have_text("Select it")
    expect(page.locator("#said")).to_have_text("It can't be copied here: select it")
    command = button.locator("xpath=preceding-sibling::pre").text_content()
    assert page.evaluate("getSelection().toString()") == command
