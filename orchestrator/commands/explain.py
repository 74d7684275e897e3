"""`orchestrator explain`: what became of one mutant, and how far its damage got."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path

import click
from rich.console import Console

from orchestrator import config
from orchestrator.commands import CONFIG, mutant_of_last_run
from orchestrator.errors import ExitCode
from orchestrator.model.mutation import LAYERS, InputGap, Mutant, OracleGap, ResponseDifference, Step
from orchestrator.report import terminal


@click.command("explain")
@CONFIG
@click.argument("mutant", metavar="MUTANT")
def command(*, settings_file: Path | None, mutant: str) -> int:
    """Tell the whole story of a mutant of the last run: what is changed, who executes it, who sees it, who notices.

    MUTANT is its fingerprint, as the report gives it (the beginning is enough), or the name that mutmut gives it.

    \b
    Examples:
      orchestrator explain 3fa29c01d2b4
      orchestrator explain shop.prices.x_total__mutmut_3
    """
    project = config.load(Path.cwd(), settings_file)
    found = mutant_of_last_run(project, mutant)
    console = terminal.console()
    for line in _story(found):
        _say(console, line)
    return ExitCode.PASSED


def _say(console: Console, line: str) -> None:
    style = {"+": "green", "-": "red"}.get(line[:1], "")
    console.print(terminal.escape(line), style=style, highlight=False, soft_wrap=True)


def _story(mutant: Mutant) -> Iterator[str]:
    yield f"{mutant.id} ({mutant.fingerprint}): {mutant.status.value}"
    yield f"{mutant.path}:{mutant.line} {mutant.function}, {mutant.kind.value}"
    if mutant.operations:
        yield f"executed by {', '.join(mutant.operations)}"
    yield ""
    yield from mutant.diff.splitlines()
    yield ""
    yield f"unit layer: {_unit(mutant)}"
    for layer in LAYERS[1:]:
        step = mutant.layers.get(layer)
        yield f"{layer} layer: {f'{step.value}: {step.meaning(layer)}' if step else 'not computed'}"
        yield from _noticed(mutant, layer)
    for gap in mutant.gaps:
        yield ""
        yield from _gap(gap)
    if mutant.input_gap:
        yield ""
        yield from _input_gap(mutant.input_gap)
    yield ""
    yield "See it:"
    yield f"  orchestrator mutant {mutant.fingerprint} --apply"
    seen_by = [gap.test for gap in mutant.gaps if gap.layer == "unit"]
    killed_by = [mutant.killer] if mutant.layers.get("unit") is Step.REVEALED and "::" in mutant.killer else []
    yield f"  {shlex.join(['pytest', *(seen_by or killed_by)])}"
    yield f"  orchestrator mutant {mutant.fingerprint} --undo"
    if mutant.status.is_undetected and mutant.proposals:
        yield "Have a test that notices it:"
        yield f"  orchestrator propose --mutant {mutant.fingerprint} --write tests/"


def _noticed(mutant: Mutant, layer: str) -> Iterator[str]:
    for notice in (n for n in mutant.noticed if n.layer == layer):
        yield f"  {notice.by}: {notice.what}"
        yield f"  {notice.message}"
        if notice.reproduce:
            yield f"  {notice.reproduce}"


def _unit(mutant: Mutant) -> str:
    step = mutant.layers.get("unit")
    told = f"{step.value}: {step.meaning('unit')}" if step else "not computed"
    if mutant.killer and step is Step.REVEALED:
        told += f" ({mutant.killer}{f': {mutant.message}' if mutant.message else ''})"
    elif mutant.reason or mutant.message:
        told += f" ({mutant.reason or mutant.message})"
    if mutant.condition:
        told += f"; {mutant.condition}"
    if mutant.tests is not None:
        told += f"; tests that execute it: {mutant.tests:,}"
    return told


def _input_gap(gap: InputGap) -> Iterator[str]:
    yield gap.meaning
    if gap.request:
        yield f"  {gap.request}: {gap.call}"
        yield from _differences(gap.differences)
    if gap.proposal:
        yield "With it the test fails under the mutant, and passes without it (both were run three times):"
        yield from gap.proposal.diff.splitlines()


def _differences(found: Iterable[ResponseDifference]) -> Iterator[str]:
    yield from (f"    {one.place}: {one.before} → {one.after}" for one in found)


def _gap(gap: OracleGap) -> Iterator[str]:
    yield f"{gap.layer} layer: {gap.test} passes, though request {gap.number} of it is answered differently:"
    yield f"  {gap.request}"
    yield from _differences(gap.differences)
    if gap.through:
        yield f"What let it through: {gap.through}"
    if gap.amendment:
        yield f"What the document would have to say: {gap.amendment.told}"
    if gap.proposal:
        yield "With this line it fails under the mutant, and passes without it (both were run three times):"
        yield from gap.proposal.diff.splitlines()
