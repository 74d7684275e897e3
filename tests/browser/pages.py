"""Pages in the browser, watched: whatever they say, ask for or try against their policy is a problem."""

from __future__ import annotations

import base64
import gzip
import re
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Locator, Page, Request

from orchestrator.model.run import Report
from orchestrator.report import html

Scheme = Literal["dark", "light"]
SERVER: Final = "https://ci.test"  # there is none: the browser is given files

# What the policy refuses and what hostile text would call ends up on the console, which has to stay empty.
WATCH: Final = """
addEventListener("securitypolicyviolation", event => {
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`);
});
for (const name of ["alert", "confirm", "prompt", "open", "fetch"]) {
  window[name] = () => console.error(`${name} was called`);
}
"""


_pages: dict[int, tuple[Report, bytes]] = {}


def _rendered(report: Report) -> bytes:
    """Return the report's page, rendered once for all tests that open it."""
    if id(report) not in _pages:
        _pages[id(report)] = (report, html.render(report))  # the report too, so that no other one gets its id
    return _pages[id(report)][1]


class Pages:
    """Opens pages, each in a context of its own, and keeps what is wrong with any in `problems`."""

    def __init__(self, browser: Browser, folder: Path) -> None:
        self.problems: list[str] = []
        self._browser = browser
        self._folder = folder
        self._contexts: list[BrowserContext] = []

    def open(
        self,
        report: Report,
        fragment: str = "",
        *,
        width: int = 1280,
        scheme: Scheme = "light",
        scripts: bool = True,
        permissions: tuple[str, ...] = (),
    ) -> Page:
        """Open the report's page, at a fragment: `#mutant-1`."""
        return self._opened(
            self.written(report) + fragment,
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            java_script_enabled=scripts,
            permissions=list(permissions),
        )

    def framed(self, report: Report, sandbox: str, fragment: str = "") -> FrameLocator:
        """Open a page of a server that shows the report's page in a frame, as CI servers do."""
        self.written(report)
        outer = self._folder / "outer.html"
        outer.write_text(
            '<!doctype html><title>outer</title><iframe width="1200" height="850" '
            f'sandbox="{sandbox}" src="quality.html{fragment}"></iframe>',
            "utf-8",
        )
        page = self._opened(f"{SERVER}/outer.html", viewport={"width": 1280, "height": 900})
        return page.frame_locator("iframe")

    def written(self, report: Report) -> str:
        """Write the report's page and return its address."""
        path = self._folder / "quality.html"
        path.write_bytes(_rendered(report))
        return path.as_uri()

    def close(self) -> None:
        """Close all."""
        for context in self._contexts:
            context.close()

    def _opened(self, url: str, **options: Any) -> Page:
        context = self._browser.new_context(**options)
        self._contexts.append(context)
        context.add_init_script(WATCH)
        context.on("page", self._watch)
        context.route(f"{SERVER}/**", lambda route: route.fulfill(path=self._folder / Path(route.request.url).name))
        context.set_default_timeout(5_000)
        page = context.new_page()
        page.goto(url)
        return page

    def _watch(self, page: Page) -> None:
        if len(page.context.pages) > 1:
            self.problems.append(f"another page: {page.url}")
        page.on("console", lambda message: self.problems.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        page.on("request", self._check)
        page.on("dialog", lambda dialog: self.problems.append(f"dialog: {dialog.message}"))
        page.on("download", lambda download: self.problems.append(f"download: {download.url}"))

    def _check(self, request: Request) -> None:
        if not request.url.startswith((f"{self._folder.as_uri()}/", f"{SERVER}/")):
            self.problems.append(f"request: {request.url}")


def packed_survivors(page: Page) -> list[str]:
    """Return the fingerprints of the survivors that lie packed in the page, in their order."""
    found = re.search(r'id="packed-cards">([^<]*)<', page.content())
    packed = msgspec.json.decode(gzip.decompress(base64.b64decode(found[1]))) if found else []
    return [fingerprint for fingerprints, _, _ in packed for fingerprint in fingerprints]


def is_in_view(place: Locator) -> bool:
    """Return whether the beginning of something is seen without scrolling."""
    top = place.evaluate("e => e.checkVisibility() ? e.getBoundingClientRect().top : -1")
    return bool(0 <= top < place.evaluate("() => innerHeight"))


def overlap(page: Page) -> int:
    """Return by how many pixels the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
