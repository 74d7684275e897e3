from __future__ import annotations

import base64
import gzip
import hashlib
import re
from html.parser import HTMLParser

import msgspec
import pytest

from orchestrator import codec, history
from orchestrator.config import Gates
from orchestrator.model.contracts import Verification
from orchestrator.model.description import Description, FieldUse, NotCompared, ResponseUse
from orchestrator.model.mutation import Checked, Disagreement, MutantKind, MutantStatus, Mutation, SelfCheck, Unmutated
from orchestrator.model.problem import Problem
from orchestrator.model.run import OperationRow, Report
from orchestrator.model.stage import StageStatus
from orchestrator.model.suite import Outcome
from orchestrator.report import html
from tests import builders
from tests.builders import finding, mutation, properties, run, stage, suite
from tests.report.hostile import STRINGS

VOID = {"meta", "br", "img", "hr", "link", "input"}


class Page(HTMLParser):
    """A page, parsed; elements that are not closed in order are an error."""

    def __init__(self, source: bytes) -> None:
        super().__init__()
        self.text = ""
        self.elements: list[tuple[str, dict[str, str]]] = []
        self._open: list[str] = []
        self.feed(source.decode("utf-8"))
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs)
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag == "p" and self._open[-1] != "p":  # an empty paragraph
            return
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open[-1:] not in (["style"], ["script"]):
            self.text += data

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


def page_of(report: Report) -> Page:
    return Page(html.render(report))


def hostile_report(said: str) -> Report:
    now = builders.full_run(said)
    return builders.report(now, history.compare(now, run(properties(), suite(Outcome.PASSED)), "baseline"))


@pytest.mark.parametrize("said", STRINGS)
def test_whatever_foreign_text_holds_only_the_page_itself_acts(said: str) -> None:
    page = Page(html.render(hostile_report(said)))
    tags = {name for name, _ in page.elements}
    assert tags.isdisjoint({"img", "iframe", "object", "link", "x", "base"})
    assert [script.get("type", "") for script in page.all("script")] == ["application/octet-stream"] * 3 + [""]
    assert (len(page.all("style")), page.all("form")) == (1, [{"method": "dialog"}])
    for _, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        assert attributes.get("href", "#").startswith("#")


@pytest.mark.parametrize("said", STRINGS)
def test_foreign_text_changes_nothing_in_the_structure_of_the_page(said: str) -> None:
    def skeleton(report: Report) -> list[str]:
        return [name for name, _ in page_of(report).elements if name != "span"]  # a span for each line of a diff

    assert skeleton(hostile_report(said)) == skeleton(hostile_report("text"))


@pytest.mark.parametrize("said", [s for s in STRINGS if s.isprintable()])
def test_foreign_text_is_shown_as_it_is(said: str) -> None:
    shown = said if len(said) <= html.LONGEST else said[: html.LONGEST]
    assert page_of(hostile_report(said)).text.count(shown) >= 20


def test_the_policy_allows_the_page_s_own_style_and_scripts_and_nothing_else() -> None:
    source = html.render(builders.report(builders.full_run())).decode()
    (style,) = re.findall(r"<style>(.*?)</style>", source, re.DOTALL)
    (script,) = re.findall(r"<script>(.*?)</script>", source, re.DOTALL)
    packed = dict(re.findall(r'<script type="application/octet-stream" id="([\w-]+)">(.*?)</script>', source))
    inner = [gzip.decompress(base64.b64decode(packed[f"packed-{name}"])).decode() for name in ("frame", "viewer")]

    def digest(code: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()}'"

    (policy,) = (m["content"] for m in Page(source.encode()).all("meta") if "http-equiv" in m)
    assert policy == (
        f"default-src 'none'; script-src {digest(script)} {digest(inner[0])} {digest(inner[1])}; "
        f"style-src {digest(style)}; img-src data:; base-uri 'none'; form-action 'none'"
    )
    assert "url(" not in style
    assert "@import" not in style
    assert len(style) + len(script) + len(inner[0]) < 40_000


def test_a_page_without_mutants_has_no_viewer_and_a_stricter_policy() -> None:
    source = html.render(builders.report(run(properties()))).decode()
    assert 'id="packed-' not in source
    assert "img-src" not in source


def test_the_same_report_gives_the_same_bytes() -> None:
    report = hostile_report("text")
    assert html.render(report) == html.render(report)
    again = codec.from_json(codec.to_json(report), Report)
    assert html.render(again) == html.render(report)


def test_every_link_within_the_page_leads_somewhere() -> None:
    for report in (hostile_report("text"), builders.report()):
        page = page_of(report)
        ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
        assert len(ids) == len(set(ids))
        assert {a["href"].removeprefix("#") for a in page.all("a")} <= set(ids)
        assert {b["aria-describedby"] for b in page.all("button") if "aria-describedby" in b} <= set(ids)


def test_the_page_shows_what_each_stage_found() -> None:
    shown = page_of(hostile_report("text")).text
    for part in (
        "shop/prices.py:7",
        "Server error",
        "curl -X GET http://127.0.0.1:1/a",
        "No response",
        "known red",
        "7 of 10 statements",
        "excluded: text",
        "1 of 3",
        "not compared",
    ):
        assert part in shown


def section_of(report: Report) -> str:
    """What the section of mutants says."""
    return page_of(report).text.partition("What nobody would notice")[2].partition("Where the API does not keep")[0]


def test_mutants_are_counted_by_kind_and_those_that_were_not_judged_by_status() -> None:
    of = mutation(*[MutantStatus.EQUIVALENT] * 3, MutantStatus.TRIVIAL, MutantStatus.NOT_RUN, reused=1)
    judged = (
        builders.mutant(MutantStatus.KILLED, "a"),
        builders.mutant(MutantStatus.SURVIVED, "b"),
        builders.mutant(MutantStatus.TIMEOUT, "c", kind=MutantKind.HANDLER),
        builders.mutant(MutantStatus.NO_TESTS, "d", kind=MutantKind.MODULE, message="no test imports its module"),
    )
    shown = section_of(builders.report(run(msgspec.structs.replace(of, mutants=(*of.mutants, *judged)))))
    assert "functions 1 of 2 detected, decorated functions 1 of 1 detected, modules 0 of 1 detected." in shown
    assert "1 verdict of an earlier run holds: nothing has changed on which it depends." in shown
    assert "Not judged, and not in the score: 3 equivalent (compiled it is the original), 1 trivial (" in shown
    assert "1 not run (no time was left, or it was not asked for)." in shown
    assert "no tests no test imports its module" in " ".join(shown.split())


def test_the_reason_of_a_mutant_that_is_suppressed_is_shown() -> None:
    suppressed = builders.mutant(MutantStatus.SUPPRESSED, reason="ticket 7")
    shown = section_of(builders.report(run(msgspec.structs.replace(mutation(), mutants=(suppressed,)))))
    assert "1 mutant suppressed" in shown
    assert "shop/prices.py:7 total: ticket 7" in shown


def test_each_status_of_a_mutant_that_was_not_judged_has_its_reason() -> None:
    statuses = [s for s in MutantStatus if not (s.is_detected or s.is_undetected)]
    shown = section_of(builders.report(run(mutation(*statuses))))
    assert all(f"1 {status.value} (" in shown for status in statuses)
    assert "Judged: none." in shown


def test_the_self_check_says_how_many_verdicts_are_confirmed_and_which_are_not() -> None:
    found = Disagreement(mutant="total_1", ours=MutantStatus.SURVIVED, plain=MutantStatus.KILLED, detail="1 failed")
    check = SelfCheck(checked=10, seconds=3.7, disagreements=(found,))
    shown = section_of(builders.report(run(mutation(MutantStatus.SURVIVED, self_check=check))))
    assert "Self-check: 9 of 10 verdicts confirmed by plain pytest, in 3.7 s." in shown
    assert "✗ error total_1 is survived here, and killed by plain pytest1 failed" in shown


def test_a_self_check_that_was_not_done_is_not_shown_as_one() -> None:
    impossible = SelfCheck(checked=0, reason="the unchanged suite does not pass")
    for more, said in (
        ({"self_check": impossible}, "Self-check: not possible: the unchanged suite does not pass"),
        ({}, "Self-check: not done."),
        ({"reused": 1}, "Self-check: not done, for no verdict is new."),
        ({"mode": "fresh"}, "Each mutant was judged by plain pytest in an interpreter of its own."),
    ):
        shown = section_of(builders.report(run(mutation(MutantStatus.KILLED, **more))))
        assert said in shown
        assert "confirmed" not in shown


def test_which_tests_kill_nothing_that_others_do_not_is_shown_where_all_were_asked() -> None:
    mutants = (
        builders.mutant(MutantStatus.KILLED, "1", killers=("t::both", "t::alone")),
        builders.mutant(MutantStatus.KILLED, "2", killers=("t::alone",)),
    )
    asked = msgspec.structs.replace(mutation(all_tests=True), mutants=mutants)
    shown = section_of(builders.report(run(asked)))
    assert "2 tests kill mutants, 1 of them none that others don't" in shown
    assert "kill mutants" not in section_of(builders.report(run(mutation(MutantStatus.KILLED))))


def test_a_quick_look_is_called_one() -> None:
    assert (
        "A quick look: each mutant" in page_of(builders.report(run(mutation(MutantStatus.SURVIVED, quick=True)))).text
    )
    assert "A quick look" not in page_of(builders.report(run(mutation(MutantStatus.SURVIVED)))).text


def test_a_file_without_a_mutant_has_no_function() -> None:
    of = mutation(MutantStatus.KILLED, unmutated=(Unmutated(path="shop/a.py", function="", line=1, reason="why"),))
    shown = section_of(builders.report(run(of)))
    assert "1 critical function or file without a mutant: nothing is known about it" in shown
    assert "shop/a.py: why" in shown


def test_what_is_not_known_is_not_shown_as_a_number() -> None:
    of = run(builders.generated("GET /a"), operations=(OperationRow(operation="GET /a"),))
    row = page_of(builders.report(of)).text.partition("GET /a")[2].partition("The bars are")[0]
    assert row.count("not computed") == 5
    assert not re.search(r"\d", row)


def test_a_page_of_a_run_without_stages_says_what_to_do() -> None:
    page = page_of(builders.report())
    assert "The OpenAPI document was not read: set openapi.path" in page.text
    assert page.text.count("Not computed.") == 6
    for name in ("mutation", "properties", "contracts", "suite"):
        assert f"were not asked for: orchestrator run --stage {name}" in page.text.replace("testing was", "tests were")


def test_a_stage_that_broke_off_says_so_where_its_findings_would_be() -> None:
    error = Problem(code="QO505", message="the core died", hint="run it again", detail="its last words")
    broken = stage(name="contracts", status=StageStatus.ERROR, error=error)
    shown = page_of(builders.report(run(broken))).text.partition("Pact mismatches")[2]
    for part in ("contracts ended with an error", "QO505", "the core died", "run it again", "its last words"):
        assert part in shown


def test_a_page_on_which_nothing_is_wrong_says_so() -> None:
    of = run(
        builders.generated(),
        suite(Outcome.PASSED),
        properties(),
        builders.contracts(Verification.VERIFIED),
        mutation(MutantStatus.KILLED),
    )
    shown = page_of(builders.report(of)).text
    assert "None: every response was as the OpenAPI document describes." in shown
    assert "None: every interaction holds." in shown
    assert "No test is red." in shown


def test_what_was_not_compared_is_said_where_nothing_was_found() -> None:
    left = NotCompared(consumer="web", pact="contracts/web.json", count=3, reason="they are messages")
    shown = page_of(builders.report(run(stage(Description(incompatibilities=(), not_compared=(left,)))))).text
    assert "None: whatever a pact asks for, as far as it was compared, the document promises." in shown
    assert "web: 3 interactions of contracts/web.json: they are messages." in shown
    shown = page_of(builders.report(run(stage(Description(incompatibilities=()))))).text
    assert "None: whatever a pact asks for, the document promises." in shown


def test_a_page_without_gates_says_so() -> None:
    off = dict.fromkeys(Gates.__struct_fields__, False)
    assert "No gate is set: see" in page_of(builders.report(run(), None, **off)).text


def test_a_stage_that_did_not_run_says_why() -> None:
    skipped = stage(name="contracts", status=StageStatus.SKIPPED, reason="no pacts: none exists")
    assert "no pacts: none exists" in page_of(builders.report(run(skipped))).text


def test_failing_gates_come_first_and_then_the_unknown() -> None:
    page = page_of(builders.report(run(mutation(MutantStatus.SURVIVED), properties())))
    tags = re.findall(r"✗ fail|– not computed|✓ pass", page.text.partition("Asked")[2].partition("What changed")[0])
    assert tags == sorted(tags, key=["✗ fail", "– not computed", "✓ pass"].index)
    assert len(tags) == 10


def test_what_is_new_is_marked() -> None:
    now = run(properties(finding(check="old"), finding(check="new one")))
    report = builders.report(now, history.compare(now, run(properties(finding(check="old"))), "baseline"))
    source = html.render(report).decode()
    for check, count in (("old", 0), ("new one", 1)):
        article = source.partition(f'id="finding-f-GET /a-{check}"')[2].partition("</article>")[0]
        assert article.count("</span> new</span>") == count


def test_a_long_list_of_changes_is_cut_and_says_so() -> None:
    now = run(properties(*(finding(check=str(n)) for n in range(60))))
    report = builders.report(now, history.compare(now, run(properties()), "baseline"))
    assert "and 10 more" in page_of(report).text


def test_it_is_told_of_each_response_who_sees_it_checks_it_and_reads_it() -> None:
    fields = (
        FieldUse(path="$.id", described=True, seen=3, consumers=("web",)),
        FieldUse(path="$.note", described=True, seen=3),
        FieldUse(path="$.extra", described=False, seen=1, consumers=("till",)),
    )
    responses = (
        ResponseUse(
            operation="GET /a", status="200", described=True, seen={"suite": 3}, consumers=("web",), fields=fields
        ),
        ResponseUse(operation="GET /a", status="404", described=False, seen={"property": 2}),
        ResponseUse(operation="GET /b", status="200", described=True),
    )
    checked = Checked(request="GET /a", status=200, place="$.id", operation="GET /a")
    killed = builders.mutant(MutantStatus.KILLED, killer="tests/test_a.py::test_a", checked=checked)
    found = page_of(
        builders.report(run(Description(responses=responses), Mutation(mutants=(killed,), critical=("a.py",))))
    ).text
    assert (
        "1 field read and not promised, 1 response seen and not described, 1 response described and never seen, "
        "1 operation never called, 1 field that no consumer reads"
    ) in found
    told = " ".join(found.split())
    assert "GET /a 200 seen 3 × by tests; read by web ✓ checked $.id – not known $.note, $.extra" in told
    assert "GET /a 404 ! not described seen 2 × by generated tests" in told
    assert "GET /b 200 seen by nobody" in told


def test_slow_tests_are_listed_slowest_first() -> None:
    of = suite(Outcome.PASSED)
    tests = tuple(builders.item(f"test-{s}", seconds=s) for s in (0.5, 3.0, 0.01, 1.0))
    shown = page_of(builders.report(run(msgspec.structs.replace(of, tests=tests)))).text
    assert shown.index("test-3.0") < shown.index("test-1.0") < shown.index("test-0.5")
    assert "test-0.01" not in shown


def test_survivors_after_the_first_hundred_lie_packed_in_the_page() -> None:
    mutants = tuple(
        builders.mutant(MutantStatus.SURVIVED, str(n), line=n + 1, function=f"f{n}", path=f"shop/m{n}.py")
        for n in range(130)
    )
    source = html.render(builders.report(run(Mutation(mutants=mutants, critical=("*",)))))
    page = Page(source)
    (packed,) = re.findall(rb'id="packed-cards">(.*?)</script>', source)
    rest = msgspec.json.decode(gzip.decompress(base64.b64decode(packed)))
    on_page = [a["id"] for a in page.all("article")]
    assert len(on_page) == 100
    assert sorted([*on_page, *(f"mutant-{name}" for names, _, _ in rest for name in names)]) == sorted(
        f"mutant-{m.fingerprint}" for m in mutants
    )
    for names, find, markup in rest:
        card = Page(markup.encode())
        assert card.elements[0][1]["id"] == f"mutant-{names[0]}"
        assert card.elements[0][1]["data-find"] == find
    assert "30 more survivors: they are shown with JavaScript only" in page.text


def test_long_text_is_cut_on_the_page_and_says_so() -> None:
    shown = page_of(builders.report(run(properties(finding(message="x" * 5_000_000))))).text
    assert "more characters]" in shown
    assert len(shown) < 40_000


def test_the_page_of_a_large_run_stays_small() -> None:
    of = run(mutation(*[MutantStatus.KILLED] * 5_000), suite(*[Outcome.PASSED] * 5_000))
    assert len(html.render(builders.report(of))) < 400_000
