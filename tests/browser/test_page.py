"""The page in headless Chromium: run with `nox -s browser`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from orchestrator import report as reports
from orchestrator.model.contracts import Contracts
from orchestrator.model.mutation import Mutation
from orchestrator.model.properties import Properties
from orchestrator.model.run import Report
from orchestrator.model.stage import StageResult
from tests.acceptance import support
from tests.acceptance.support import edit, orchestrator, report_of

pytestmark = pytest.mark.browser

HOSTILE = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">'\"`{{7*7}}"
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """A real run of the small project, with something to show in every section."""
    shop = support.copy_of(support.SHOP, tmp_path_factory.mktemp("browser"))
    edit(shop / "shop" / "app.py", "not 1 <= count <= 99", "not 1 <= count <= 98")
    pact = shop / "pacts" / "till-shop.json"
    pact.write_text(pact.read_text().replace('"error": "Not Found"', '"error": "Gone"'))
    ended = orchestrator(shop, "run")
    assert ended.code == 1, ended.output
    return report_of(shop)


def hostile(report: Report) -> Report:
    """Return the report with hostile text in what came from outside."""

    def poisoned(stage: StageResult) -> StageResult:
        data = stage.data
        if isinstance(data, Properties):
            findings = [
                msgspec.structs.replace(f, title=HOSTILE, message=HOSTILE, curl=HOSTILE, operation=HOSTILE)
                for f in data.findings
            ]
            data = msgspec.structs.replace(data, findings=tuple(findings))
        elif isinstance(data, Contracts):
            interactions = [msgspec.structs.replace(i, description=HOSTILE, error=HOSTILE) for i in data.interactions]
            data = msgspec.structs.replace(data, interactions=tuple(interactions))
        elif isinstance(data, Mutation):
            data = msgspec.structs.replace(
                data, mutants=tuple(msgspec.structs.replace(m, diff=HOSTILE, function=HOSTILE) for m in data.mutants)
            )
        return msgspec.structs.replace(stage, data=data, summary=HOSTILE)

    run = msgspec.structs.replace(report.run, stages=tuple(map(poisoned, report.run.stages)))
    return msgspec.structs.replace(report, run=run)


def opened(browser: Browser, report: Report, folder: Path, *, width: int = 1280, scheme: str = "light") -> Page:
    """Open the report's page; every error, refused style and request that leaves the page is a failure."""
    path = reports.write(report, folder)
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda sent: problems.append(sent.url) if not sent.url.startswith("file:") else None)
    page.goto(path.as_uri())
    page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
    assert problems == []
    return page


@pytest.mark.parametrize("width", [320, 400, 1280, 2560])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_sticks_out_at_any_width(
    browser: Browser, report: Report, tmp_path: Path, width: int, scheme: str
) -> None:
    page = opened(browser, report, tmp_path, width=width, scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


def test_the_verdict_and_the_failing_gates_are_seen_without_scrolling(
    browser: Browser, report: Report, tmp_path: Path
) -> None:
    page = opened(browser, report, tmp_path)
    for gate in report.verdict.failing:
        link = page.locator(".verdict a", has_text=gate.title)
        box = link.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] < 900
    page.close()


def test_every_link_leads_somewhere_on_the_page(browser: Browser, report: Report, tmp_path: Path) -> None:
    page = opened(browser, report, tmp_path)
    targets = page.evaluate("[...document.querySelectorAll('a')].map(a => a.getAttribute('href'))")
    assert targets
    for target in targets:
        assert target.startswith("#")
        assert page.locator(f"[id='{target[1:]}']").count() == 1, target
    page.close()


def test_hostile_text_is_shown_and_does_nothing(browser: Browser, report: Report, tmp_path: Path) -> None:
    page = opened(browser, hostile(report), tmp_path)
    assert "owned" not in page.title()
    assert HOSTILE in page.inner_text("main")
    assert page.locator("script, img, iframe").count() == 0
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_enough_contrast(browser: Browser, report: Report, tmp_path: Path, scheme: str) -> None:
    page = opened(browser, report, tmp_path, scheme=scheme)
    worst = page.evaluate(CONTRAST)
    assert worst["ratio"] >= 4.5, worst
    page.close()


# WCAG 2.1, relative luminance and contrast ratio: https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio
CONTRAST = """
() => {
  const parse = c => c.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = e => {
    for (; e; e = e.parentElement) {
      const c = parse(getComputedStyle(e).backgroundColor);
      if (c.length < 4 || c[3] > 0) return c;
    }
    return [255, 255, 255];
  };
  let worst = {ratio: 21, text: ""};
  for (const e of document.querySelectorAll("main *, header *, footer *")) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own) continue;
    const [a, b] = [light(parse(getComputedStyle(e).color)), light(ground(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < worst.ratio) worst = {ratio, text: e.textContent.trim().slice(0, 60)};
  }
  return worst;
}
"""
