from __future__ import annotations

import pytest

from orchestrator.model.run import Report
from tests.browser import chromium
from tests.browser.pages import Pages, Scheme, overlap

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    ("width", "scheme"), [(320, "light"), (320, "dark"), (400, "dark"), (768, "light"), (1280, "dark"), (2560, "light")]
)
@pytest.mark.parametrize("which", ["report", "crowd"])
def test_nothing_sticks_out_at_any_width(
    pages: Pages, request: pytest.FixtureRequest, which: str, width: int, scheme: Scheme
) -> None:
    page = pages.open(request.getfixturevalue(which), width=width, scheme=scheme)
    page.evaluate(chromium.OPEN_ALL)
    page.locator("#browser-frame iframe[data-shown]").wait_for()
    assert overlap(page) == 0


def test_the_verdict_the_failing_gates_what_is_new_and_the_worst_hole_are_seen_without_scrolling(
    pages: Pages, report: Report, crowd: Report
) -> None:
    for shown, tiles in ((report, ["Mutation score", "Property findings"]), (crowd, ["New", "Property findings"])):
        page = pages.open(shown)
        seen = [page.locator(".verdict"), page.locator(".worst")]
        seen += [page.locator(".tiles a", has_text=title) for title in tiles]
        seen += [page.locator(f"#gate-{gate.id}") for gate in shown.verdict.failing]
        assert shown.verdict.failing
        for place in seen:
            box = place.bounding_box()
            assert box is not None
            assert box["y"] >= 0
            assert box["y"] + box["height"] <= 900, place


def test_the_bar_stays_in_view_and_hides_nothing_that_is_linked_to(pages: Pages, crowd: Report) -> None:
    page = pages.open(crowd, "#findings")
    bar, head = page.locator(".bar").bounding_box(), page.locator("#findings").bounding_box()
    assert bar is not None
    assert head is not None
    assert bar["y"] == 0
    assert head["y"] >= bar["height"]


def test_a_word_is_explained_where_it_is_used(pages: Pages, report: Report) -> None:
    page = pages.open(report)
    word = page.locator(".term", has_text="oracle gap").first
    word.focus()
    shown = word.evaluate("e => getComputedStyle(e, '::after').content")
    assert "an assertion is missing" in shown
    assert "an assertion is missing" in page.locator(f"#{word.get_attribute('aria-describedby')}").inner_text()
