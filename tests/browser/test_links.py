from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from orchestrator import history
from orchestrator.model.run import Report
from orchestrator.report import view
from orchestrator.report.ranking import ranked
from tests.browser import large, runs
from tests.browser.pages import Pages, is_in_view, packed_survivors
from tests.report.runs import compared

pytestmark = pytest.mark.browser


def targets(page: Page) -> set[str]:
    """Where the links of a page lead, which is on the page."""
    found = page.evaluate("[...document.querySelectorAll('a')].map(a => a.getAttribute('href'))")
    assert found
    assert all(target.startswith("#") for target in found)
    return {target[1:] for target in found}


def ids(page: Page) -> list[str]:
    found = page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(found) == len(set(found))
    return list(found)


def test_every_link_leads_somewhere_on_the_page_or_to_a_survivor_that_lies_packed(
    pages: Pages, report: Report, crowd: Report
) -> None:
    for shown in (report, crowd, runs.empty(), runs.errors(), runs.gates_of_all_kinds(), runs.full(), compared()):
        page = pages.open(shown)
        packed = {f"mutant-{fingerprint}" for fingerprint in packed_survivors(page)}
        assert targets(page) <= {*ids(page), *packed}
        described = page.evaluate(
            "[...document.querySelectorAll('[aria-describedby]')].map(e => e.getAttribute('aria-describedby'))"
        )
        labelled = page.evaluate(
            "[...document.querySelectorAll('[aria-labelledby]')].map(e => e.getAttribute('aria-labelledby'))"
        )
        assert {*described, *labelled} <= set(ids(page))


def test_a_link_to_a_survivor_that_lies_packed_shows_it(pages: Pages, crowd: Report) -> None:
    page = pages.open(crowd)
    packed = {f"mutant-{fingerprint}" for fingerprint in packed_survivors(page)}
    target = min(targets(page) & packed)
    expect(page.locator(f"[id='{target}']")).to_have_count(0)
    page.locator(f"a[href='#{target}']").first.click()
    expect(page.locator(f"[id='{target}']")).to_be_visible()
    assert is_in_view(page.locator(f"[id='{target}']"))


def of_all_kinds(report: Report) -> dict[str, str]:
    """A place of every kind that a link can lead to: its id."""
    run, cards = report.run, ranked(report)
    assert run.properties
    assert run.contracts
    assert run.suite
    like = next(card.like[0] for card in (*cards.first, *cards.more) if card.like)
    folded = next((card.like[-1] for card in cards.rest if card.like), None)
    assert folded
    return {
        "a card": f"mutant-{cards.first[0].mutant.fingerprint}",
        "one like it": f"mutant-{like.fingerprint}",
        "one of more": f"mutant-{cards.more[-1].mutant.fingerprint}",
        "a packed one": f"mutant-{cards.rest[-1].mutant.fingerprint}",
        "a packed one like another": f"mutant-{folded.fingerprint}",
        "a finding": f"finding-{run.properties.findings[-1].fingerprint}",
        "a mismatch": f"interaction-{run.contracts.failures[-1].fingerprint}",
        "a red test": view.test_id(next(test.id for test in run.suite.tests if test.outcome.is_red)),
        "an operation": view.operation_id(run.operations[-1].operation),
        "a gate": f"gate-{report.verdict.gates[-1].id}",
        "a section": "history",
    }


@pytest.mark.parametrize("at_start", [True, False], ids=["opened there", "gone there later"])
def test_a_deep_link_shows_its_place_and_opens_what_hides_it(pages: Pages, crowd: Report, at_start: bool) -> None:
    for name, target in of_all_kinds(crowd).items():
        page = pages.open(crowd, f"#{target}" if at_start else "")
        if not at_start:
            page.evaluate("id => { location.hash = id; }", target)
        place = page.locator(f"[id='{target}']")
        expect(place, name).to_be_visible()
        page.wait_for_timeout(100)  # where it has come to rest
        assert is_in_view(place), name


def test_a_deep_link_shows_what_the_filter_hides(pages: Pages, crowd: Report) -> None:
    target = of_all_kinds(crowd)["a finding"]
    page = pages.open(crowd, "#filter=zzz")
    expect(page.locator(f"[id='{target}']")).to_be_hidden()
    page.evaluate("id => { location.hash = id; }", target)
    expect(page.locator(f"[id='{target}']")).to_be_visible()


def test_a_survivor_that_a_link_has_shown_stays_when_more_are_shown(pages: Pages, crowd: Report) -> None:
    target = of_all_kinds(crowd)["a packed one"]
    page = pages.open(crowd, f"#{target}")
    expect(page.locator(f"[id='{target}']")).to_be_visible()
    while page.locator("#show-rest").is_visible():
        page.locator("#show-rest").press("Enter")
        expect(page.locator(f"[id='{target}']")).to_have_count(1)
    assert set(packed_survivors(page)) <= {name.removeprefix("mutant-") for name in ids(page)}


def test_a_link_to_what_is_not_there_any_more_does_nothing(pages: Pages, crowd: Report) -> None:
    page = pages.open(crowd, "#mutant-ffffffffffff")
    expect(page.locator(".verdict")).to_be_visible()
    pages.open(crowd, "#%E0%A4%A&filter=%E0%A4%A")


def test_the_same_things_have_the_same_ids_in_another_run(pages: Pages, crowd: Report) -> None:
    other = large.report(60, 2_400)  # with other numbers, of the same operations and tests
    for report in (crowd, other):
        page = pages.open(report)
        known = {*ids(page), *(f"mutant-{fingerprint}" for fingerprint in packed_survivors(page))}
        wrong = history.compare(report.run, report.run, "itself").differences
        assert {difference.kind for difference in wrong} == {"finding", "interaction", "survivor", "test"}
        assert {view.target(difference) for difference in wrong} <= known
        assert {view.operation_id(row.operation) for row in crowd.run.operations} <= known
