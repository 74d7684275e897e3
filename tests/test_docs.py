"""The documentation says what the code does: what can be compared is compared."""

from __future__ import annotations

import re
import runpy
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import jsonschema
import msgspec
import pytest

from orchestrator import codec
from orchestrator.cli import commands
from orchestrator.contracts.findings import OURS
from orchestrator.errors import Code, ExitCode, exit_code_of
from orchestrator.model.contracts import Contracts, Interaction, Verification
from orchestrator.model.run import SCHEMA_VERSION, Provenance, Report, Run, Subject, Verdict
from orchestrator.model.stage import StageResult, StageStatus

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "DESIGN.md", ROOT / "CHANGELOG.md", *sorted(DOCS.glob("*.md"))]
WRITTEN: dict[str, Callable[[], str]] = runpy.run_path(str(DOCS / "generate_settings.py"))["FILES"]
ERRORS = (DOCS / "errors.md").read_text("utf-8")

NOTICES = {
    Code.EDITED_BY_HAND,
    Code.TESTS_QUARANTINED,
    Code.NOT_MUTATED,
    Code.FLAKY_TESTS,
    Code.SUPPRESSION_USELESS,
    Code.TYPE_CHECK_FAILED,
    Code.NOT_REPLAYABLE,
    Code.JUDGE_FAILED,
    Code.NOT_REPEATED,
    Code.RESULTS_NOT_PUBLISHED,
    Code.NAMED_TWICE,
}  # they end nothing
_FENCE = re.compile(r"^(```+)[^\n]*\n(.*?)^\1\s*$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")


def names(pages: list[Path]) -> list[str]:
    return [page.relative_to(ROOT).as_posix() for page in pages]


def prose(page: Path) -> str:
    """A page without its code blocks."""
    return _FENCE.sub("", page.read_text("utf-8"))


def anchors(page: Path) -> set[str]:
    """The anchors that the headings of a page give, as GitHub makes them."""
    found: set[str] = set()
    for heading in re.findall(r"^#{1,6} (.+)$", prose(page), re.MULTILINE):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        found.add(re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-"))
    return found


def sections() -> dict[str, str]:
    """The sections of the page of errors, by heading."""
    _, *parts = re.split(r"^## (.+)$", ERRORS, flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


@pytest.mark.parametrize("name", WRITTEN)
def test_what_is_written_from_the_code_is_up_to_date(name: str) -> None:
    assert (DOCS / name).read_text("utf-8") == WRITTEN[name](), "run: python docs/generate_settings.py"


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_relative_links_lead_somewhere(page: Path) -> None:
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path) if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert not broken


def test_each_error_has_its_section_in_order_and_no_other_is_there() -> None:
    assert list(sections()) == [code.value for code in Code]


@pytest.mark.parametrize("code", Code)
def test_the_section_of_an_error_says_what_to_do_how_it_ends_and_has_an_example(code: Code) -> None:
    section = sections()[code]
    ends = "unchanged" if code in NOTICES else str(int(exit_code_of(code)))
    assert "What to do: " in section
    assert f"Exit status: {ends}" in section
    assert f"\n    {code} " in section


def test_the_readme_tells_every_exit_status() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    told = [int(n) for n in re.findall(r"^\| (\d+) \|", readme, re.MULTILINE)]
    assert told == sorted(ExitCode)


def code_in(page: Path) -> Iterator[str]:
    """Each line of code on a page, in blocks and in between."""
    for _, block in _FENCE.findall(page.read_text("utf-8")):
        yield from block.splitlines()
    yield from _SPAN.findall(prose(page))


def commands_in(page: Path) -> Iterator[tuple[str, list[str]]]:
    """Each `orchestrator COMMAND --option …` and `nox -s quality -- --option …` of a page."""
    for line in code_in(page):
        for part in re.split(r"&&|;|#", line):
            started = re.search(r"(?:^|[\s/])orchestrator ([a-z]+)(.*)", part)
            passed_on = re.search(r"nox -s quality -- (.*)", part)
            if started:
                yield started[1], re.findall(r"(?<!\S)--?[a-z][a-z-]*", started[2])
            elif passed_on:
                yield "run", re.findall(r"(?<!\S)--?[a-z][a-z-]*", passed_on[1])


COMMANDS = commands.list_commands(click.Context(commands))


def options_of(name: str) -> set[str]:
    """The options of a command, as its help lists them."""
    command = commands.get_command(click.Context(commands), name)
    assert command, name
    page = command.get_help(click.Context(command, info_name=name, help_option_names=["-h", "--help"]))
    own = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", page.partition("Options:")[2]))
    parts = command.commands.values() if isinstance(command, click.Group) else ()
    return own.union(*({option for parameter in part.params for option in parameter.opts} for part in parts))


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_commands_and_options_that_are_named_exist(page: Path) -> None:
    for name, options in commands_in(page):
        assert name in COMMANDS
        assert set(options) <= options_of(name), name


def test_an_option_that_stands_alone_is_one_of_ours_or_of_another_tool() -> None:
    ours = set().union(*map(options_of, COMMANDS))
    others = {"--deselect", "--ignore"}  # pytest's
    for page in PAGES:
        named = {span.partition("=")[0].split()[0] for span in _SPAN.findall(prose(page)) if re.match(r"--\w", span)}
        assert named <= ours | others


def test_nox_sessions_that_are_named_exist() -> None:
    noxfile = (ROOT / "noxfile.py").read_text("utf-8")
    stages = re.search(r"^STAGES = \((.*)\)$", noxfile, re.MULTILINE)
    assert stages
    known = {*re.findall(r"^def (\w+)\(session:", noxfile, re.MULTILINE), *re.findall(r'"(\w+)"', stages[1])}
    named = {name for page in PAGES for line in code_in(page) for name in re.findall(r"nox -s (\w+)", line)}
    assert {"quality", "tests"} <= named <= known


def test_every_module_is_named_in_the_design() -> None:
    design = (ROOT / "DESIGN.md").read_text("utf-8")
    package = ROOT / "orchestrator"
    missing = []
    for module in sorted(package.rglob("*.py")):
        folder, name = module.parent.relative_to(package).as_posix(), module.name
        if name in ("__init__.py", "__main__.py"):
            continue
        paragraph = next((line for line in design.splitlines() if line.startswith(f"**`{folder}/`**")), "")
        if f"`{module.relative_to(package).as_posix()}`" not in design and f"`{name}`" not in paragraph:
            missing.append(module.relative_to(package).as_posix())
    assert not missing


def test_the_design_names_no_module_that_is_gone() -> None:
    design = (ROOT / "DESIGN.md").read_text("utf-8")
    known = {path.name for path in (ROOT / "orchestrator").rglob("*.py")}
    assert {Path(name).name for name in re.findall(r"`([\w/]+\.py)`", design)} <= known


def test_every_code_that_only_we_have_is_explained() -> None:
    stages = (DOCS / "stages.md").read_text("utf-8")
    assert not [code for code in OURS if f"`{code}`" not in stages]


def test_a_saved_run_is_as_the_published_schema_says() -> None:
    interaction = Interaction(
        fingerprint="0" * 12, consumer="till", description="an order", states=(), result=Verification.VERIFIED, pact="p"
    )
    stage = StageResult(
        name="contracts", status=StageStatus.COMPLETED, data=Contracts(interactions=(interaction,)), seconds=0.4
    )
    run = Run(
        subject=Subject(name="Shop"),
        started="2030-01-02T03:04:05Z",
        seconds=1.5,
        provenance=Provenance(command="orchestrator run", orchestrator="0.1.0", python="3.11.7", platform="Linux"),
        stages=(stage,),
    )
    report = Report(schema=SCHEMA_VERSION, run=run, verdict=Verdict(gates=(), exit_code=0, headline="0 gates hold"))
    published = msgspec.json.decode((DOCS / "run.schema.json").read_bytes())
    jsonschema.Draft202012Validator.check_schema(published)
    jsonschema.Draft202012Validator(published).validate(msgspec.json.decode(codec.to_json(report)))
