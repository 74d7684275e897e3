"""Chromium without a window, started so that it asks nobody for anything; and axe, which finds what bars people."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any, Final

from playwright.sync_api import Browser, Page, sync_playwright

ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# Opens everything, the mutants by file too, which are loaded then.
OPEN_ALL: Final = "for (const details of document.querySelectorAll('details')) details.open = true"
# axe looks at the contrast of words only, but ✗ and – have to be seen as well; and what is not laid out as long as
# nobody looks at it, it takes for something that lies below other things.
ALL_TEXT: Final = """
const id = "color-contrast";
const options = { ...axe._audit.checks[id].options, ignoreUnicode: false, ignoreLength: true };
axe.configure({ checks: [{ id, options }] });
document.styleSheets[0].insertRule("* { content-visibility: visible !important; }");
"""


@contextlib.contextmanager
def started() -> Iterator[Browser]:
    """Start it: the one that `CHROMIUM` names, or that of the machine."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser
        browser.close()


def accessibility(page: Page) -> dict[str, list[str]]:
    """Return what axe finds in a page, in lines: `violations`, and `incomplete`, what a person has to look at.

    The frame of the viewer, which others made, is left out.
    """
    page.evaluate(_axe())
    page.evaluate(ALL_TEXT)
    found = page.evaluate("axe.run(document, { iframes: false, resultTypes: ['violations', 'incomplete'] })")
    return {kind: [line for rule in found[kind] for line in _lines(rule)] for kind in ("violations", "incomplete")}


@cache
def _axe() -> str:
    return (resources.files("axe_playwright_python") / "axe.min.js").read_text("utf-8")


def _lines(rule: dict[str, Any]) -> Iterator[str]:
    for node in rule["nodes"]:
        yield f"{rule['id']}: {node['html'][:200]} ({node.get('failureSummary', '')[:300]})"
