"""How big is the page of a large run, and how quick is it?

    python benchmarks/report.py [--operations 500] [--mutants 10000] [--json FILE] [--folder DIR]

A run of that size is made up (`tests/browser/large.py`: the same sizes give the same run), its report is written, and
its page is opened in Chromium without a window. Measured are:

- `render_seconds`: making the page, the best of three; `write_seconds`: all outputs, made and written
- `bytes`: the page
- `load_ms`: from the start of the navigation until the page has both ended loading and been painted; the median of
  five, each in a context of its own
- `filter_ms`: from the event of typing a word until what it leaves is painted, the median of several words;
  `filter_cold_ms`: the first word, for which what lies packed in the page is unpacked
- `browser_open_ms`: from opening the mutants by file until their table is drawn
- `axe_violations` with everything open in light and dark, `csp_violations`, `requests` other than the page, `errors`

The figures are printed beside the goals of that size. The exit status is 1 if one is missed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, Page

from orchestrator import report as reports
from orchestrator.report import html
from tests.browser import chromium, large

PAGES: Final = 5
WORDS: Final = ("order", "new", "propagated", "POST", "total", "parcels not reached", "zzz")
NOTHING: Final = {"axe_violations": 0, "csp_violations": 0, "requests": 0, "errors": 0}
# By operations and mutants: what no figure may be above.
GOALS: Final[dict[tuple[int, int], dict[str, float]]] = {
    (500, 10_000): {
        "render_seconds": 1,
        "bytes": 1_500_000,
        "load_ms": 600,
        "filter_ms": 60,
        "browser_open_ms": 1_000,
        **NOTHING,
    },
    (2_000, 50_000): {"bytes": 8_000_000, "load_ms": 2_000, **NOTHING},
}

WATCH: Final = """
window.violations = 0;
addEventListener("securitypolicyviolation", () => { window.violations++; });
"""
LOADED: Final = """
() => {
  const [navigation] = performance.getEntriesByType("navigation");
  const painted = performance.getEntriesByName("first-contentful-paint")[0]?.startTime;
  return navigation.loadEventEnd && painted ? Math.max(navigation.loadEventEnd, painted) : 0;
}
"""
# A frame is painted before the message is received that was sent at its start. What comes out of the packed cards
# changes the page later than the rest of it, where they have to be unpacked first.
TYPED: Final = """
async ([word, cold]) => {
  const box = document.querySelector("#filter"), rest = document.querySelector("#rest");
  const unpacked = new Promise(done => new MutationObserver(done).observe(rest, { childList: true }));
  const painted = () => new Promise(done => requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = done;
    port2.postMessage("");
  }));
  const start = performance.now();
  box.value = word;
  box.dispatchEvent(new InputEvent("input", { bubbles: true }));
  if (cold) await unpacked;
  await painted();
  return performance.now() - start;
}
"""


def main() -> None:
    """Measure, print the figures beside the goals, and write them if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--operations", type=int, default=500)
    parser.add_argument("--mutants", type=int, default=10_000)
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "orchestrator-report")
    arguments = parser.parse_args()
    figures = made(arguments.operations, arguments.mutants, arguments.folder)
    with chromium.started() as browser:
        figures |= seen(browser, arguments.folder / reports.PAGE)
    goals = GOALS.get((arguments.operations, arguments.mutants), {})
    print(f"{'':<18}{'measured':>12}{'goal':>14}")
    for name, value in figures.items():
        goal = f"≤ {goals[name]:,}" if name in goals else ""
        print(f"{name:<18}{value:>12,}{goal:>14}{'  missed' if is_missed(name, value, goals) else ''}")
    if arguments.json:
        sizes = {"operations": arguments.operations, "mutants": arguments.mutants}
        arguments.json.write_text(json.dumps({**sizes, **figures}, indent=1) + "\n", "utf-8")
    sys.exit(any(is_missed(name, value, goals) for name, value in figures.items()))


def is_missed(name: str, value: float, goals: dict[str, float]) -> bool:
    """Return whether a figure is above its goal."""
    return name in goals and value > goals[name]


def made(operations: int, mutants: int, folder: Path) -> dict[str, Any]:
    """Make the run, write its report into the folder, and return how long that took and how big the page is."""
    report = large.report(operations, mutants)
    render = min(seconds(lambda: html.render(report)) for _ in range(3))
    write = seconds(lambda: reports.write(report, folder))
    size = (folder / reports.PAGE).stat().st_size
    return {"render_seconds": round(render, 3), "write_seconds": round(write, 3), "bytes": size}


def seconds(work: Callable[[], object]) -> float:
    """Return how long something takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def seen(browser: Browser, path: Path) -> dict[str, Any]:
    """Open the page, use it, and return what was measured."""
    loads = []
    for _ in range(PAGES):
        page = browser.new_page()
        loads.append(loaded(page, path))
        page.close()
    page = browser.new_page()
    requests: list[str] = []
    errors: list[str] = []
    page.on("request", lambda sent: requests.append(sent.url))
    page.on("console", lambda message: errors.append(message.text))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.add_init_script(WATCH)
    loaded(page, path)
    cold = page.evaluate(TYPED, [WORDS[0], page.locator("#packed-cards").count() > 0])
    typed = [page.evaluate(TYPED, [word, False]) for word in WORDS[1:]]
    page.evaluate(TYPED, ["", False])
    opened = browser_opened(page)
    violations = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.evaluate(chromium.OPEN_ALL)
        violations += chromium.accessibility(page)["violations"]
    for line in (*violations, *errors, *requests[1:]):
        print(line, file=sys.stderr)
    return {
        "load_ms": round(statistics.median(loads)),
        "filter_ms": round(statistics.median(typed)),
        "filter_most_ms": round(max(typed)),
        "filter_cold_ms": round(cold),
        "browser_open_ms": round(opened),
        "axe_violations": len(violations),
        "csp_violations": page.evaluate("violations"),
        "requests": len(requests) - 1,
        "errors": len(errors),
    }


def loaded(page: Page, path: Path) -> float:
    """Open a page and return the milliseconds until it has ended loading and been painted."""
    page.goto(path.as_uri())
    page.wait_for_function(LOADED)
    return float(page.evaluate(LOADED))


def browser_opened(page: Page) -> float:
    """Open the mutants by file and return the milliseconds until the viewer has drawn its table."""
    started = time.perf_counter()
    page.locator("#browser > summary").click()
    page.frame_locator("#browser-frame iframe").locator("mte-metrics-table tbody tr").first.wait_for()
    return 1_000 * (time.perf_counter() - started)


if __name__ == "__main__":
    main()
