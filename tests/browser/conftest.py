"""What the tests of the page share: a browser, reports, and pages that are watched while they are open."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from orchestrator.model.run import Report
from tests.acceptance import support
from tests.acceptance.support import edit, orchestrator, report_of
from tests.browser import chromium, large
from tests.browser.pages import Pages


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium.started() as browser:
        yield browser


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """A real run of the small project, with something to show in every section."""
    shop = support.copy_of(support.SHOP, tmp_path_factory.mktemp("browser"))
    edit(shop / "shop" / "app.py", "not 1 <= count <= 99", "not 1 <= count <= 98")
    pact = shop / "pacts" / "till-shop.json"
    pact.write_text(pact.read_text().replace('"error": "Not Found"', '"error": "Gone"'))
    support.setting(shop, "mutation.self-check = 0")  # it shows nothing here, and takes its time
    ended = orchestrator(shop, "run")
    assert ended.code == 1, ended.output
    return report_of(shop)


@pytest.fixture(scope="session")
def crowd() -> Report:
    """A run with so many survivors that not all are on the page as such, and with all that can be new."""
    return large.report(50, 2_000)


@pytest.fixture
def pages(browser: Browser, tmp_path: Path) -> Iterator[Pages]:
    """Open pages; what they do that no page may do is a failure at the end."""
    pages = Pages(browser, tmp_path)
    yield pages
    pages.close()
    assert pages.problems == []
