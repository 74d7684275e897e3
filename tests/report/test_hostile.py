"""Hostile text in every text field of a report, through every output."""

from __future__ import annotations

import enum
import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any, get_type_hints

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from orchestrator import codec, report, text
from orchestrator.model.mutation import (
    Amendment,
    DocumentMutant,
    InputGap,
    MutantStatus,
    Mutation,
    Notice,
    Proposal,
    ResponseDifference,
    Step,
)
from orchestrator.model.run import Change, Comparison, Difference, Gate, GateVerdict, Report, Verdict, Waiver
from orchestrator.report import OUTPUTS
from tests import builders
from tests.builders import mutant, oracle_gap
from tests.report.hostile import STRINGS
from tests.report.schemas import hold
from tests.report.test_html import Page


def whole() -> Report:
    """A report in which every field that can hold text does."""
    run = builders.full_run()
    difference = ResponseDifference(place="$.a", before="1", after="2")
    proposal = Proposal(path="t.py", line=1, assertion="assert a", diff="-a\n+b")
    gap = msgspec.structs.replace(
        oracle_gap(),
        operation="GET /a",
        through="a matcher",
        proposal=proposal,
        amendment=Amendment(at="#/a", update="{}", seen=3),
    )
    told = mutant(
        MutantStatus.SURVIVED,
        "told",
        reason="why",
        killer="who",
        killers=("who",),
        message="what",
        layers={"unit": Step.PROPAGATED, "property": Step.REACHED, "contract": Step.NOT_REACHED},
        noticed=(Notice(layer="property", by="a", what="b", message="c", operation="d", reproduce="e"),),
        gaps=(gap, gap),
        input_gap=InputGap(
            tried=3,
            test="t",
            request="GET /a",
            call="c.get()",
            operation="GET /a",
            differences=(difference,),
            proposal=proposal,
        ),
        condition="a > b",
        changed=True,
    )
    stages = tuple(
        msgspec.structs.replace(
            stage,
            data=msgspec.structs.replace(
                stage.data,
                mutants=(told, *stage.data.mutants),
                all_tests=True,
                sources={"a.py": "def a(): ..."},
                changed_since="main",
                document=(DocumentMutant(at="#/a", change="b"),),
                shard="1/2",
            ),
        )
        if isinstance(stage.data, Mutation)
        else stage
        for stage in run.stages
    )
    run = msgspec.structs.replace(run, stages=stages)
    waiver = Waiver(waives="finding-1", owner="ann", reason="r", until="2027-01-01", used=True)
    kinds = ("finding", "interaction", "survivor", "test")
    return Report(
        schema=3,
        run=run,
        verdict=Verdict(
            gates=tuple(
                Gate(
                    id=f"g{n}",
                    title="t",
                    threshold="1",
                    value="2",
                    hint="h",
                    evidence="gates",
                    verdict=v,
                    waiver=waiver,
                )
                for n, v in enumerate(GateVerdict)
            ),
            exit_code=1,
            headline="headline",
            waivers=(waiver,),
        ),
        comparison=Comparison(
            label="baseline",
            started="2026-01-01T00:00:00Z",
            commit="c",
            differences=tuple(
                Difference(kind=kind, fingerprint=f"{kind}-{change}", change=change, title="t", was="w")
                for kind in kinds
                for change in Change
            ),
            measured={"mutation-score": 1.0},
            seconds={"mutation": 1.0},
            not_compared=("a",),
        ),
        history=(builders.report(run).point, builders.report().point),
    )


def poisoned(report: Report, said: str) -> Report:
    """Return the report with `said` in place of each text that is not a name of ours; fingerprints stay apart."""
    numbers = count()

    def of(value: Any, name: str = "") -> Any:
        if isinstance(value, enum.Enum):
            return value
        if isinstance(value, str):
            return f"{said}{next(numbers)}" if name in ("fingerprint", "id") else said
        if isinstance(value, msgspec.Struct):
            kinds = get_type_hints(type(value))
            fields = {
                f: of(getattr(value, f), f) for f in value.__struct_fields__ if kinds[f] not in (int, float, bool)
            }
            return msgspec.structs.replace(value, **fields)
        if isinstance(value, tuple):
            return tuple(of(inner) for inner in value)
        if isinstance(value, dict):
            keep = name in ("layers", "strengths", "measured", "seconds", "stages")
            return {key if keep else of(key): of(inner) for key, inner in value.items()}
        return value

    made = of(report)
    assert isinstance(made, Report)
    return made


def is_json(data: bytes) -> None:
    json.loads(data)


def is_a_page(data: bytes) -> None:
    page = Page(data)
    tags = {name for name, _ in page.elements}
    assert tags.isdisjoint({"img", "iframe", "object", "link", "base", "embed"})
    assert [script.get("type", "") for script in page.all("script")] == ["application/octet-stream"] * 3 + [""]
    for _, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        assert attributes.get("href", "#").startswith("#")


def is_xml(data: bytes) -> None:
    ET.fromstring(data)  # noqa: S314 - we have just written it


def is_text_exposition(data: bytes) -> None:
    assert list(text_string_to_metric_families(data.decode()))


def is_lines_of_json(data: bytes) -> None:
    assert [json.loads(line) for line in data.splitlines()]


def is_workflow_commands(data: bytes) -> None:
    for line in data.decode().splitlines():
        assert line.startswith(("::error ", "::warning ", "::notice ", "::notice::"))


def is_text(data: bytes) -> None:
    assert len(data) <= 60_000


FORMATS: dict[str, Callable[[bytes], None]] = {
    "quality.html": is_a_page,
    "run.json": is_json,
    "mutation.json": lambda data: hold(json.loads(data), "mutation-testing-report-schema.json"),
    "quality.sarif": lambda data: hold(json.loads(data), "sarif-schema-2.1.0.json"),
    "codequality.json": is_json,
    "annotations.txt": is_workflow_commands,
    "junit.xml": is_xml,
    "badge.svg": is_xml,
    "badge.json": is_json,
    "metrics.prom": is_text_exposition,
    "summary.md": is_text,
    "history.jsonl": is_lines_of_json,
}
REPORT = whole()


def test_every_output_has_its_format_here() -> None:
    assert FORMATS.keys() == OUTPUTS.keys()


def test_every_text_field_of_a_report_is_reached() -> None:
    shown = json.loads(codec.to_json(poisoned(REPORT, "POISON")))
    kept: set[str] = set()

    def walk(value: Any, path: str) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                walk(inner, f"{path}.{key}")
        elif isinstance(value, list):
            for inner in value:
                walk(inner, path)
        elif isinstance(value, str) and "POISON" not in value:
            kept.add(path.rpartition(".")[2])

    walk(shown, "")
    # Words of ours, from a fixed list each; and the tag that says which kind of data it is.
    words = {
        "level",
        "status",
        "outcome",
        "result",
        "kind",
        "phase",
        "phases",
        "change",
        "verdict",
        "scope",
        "type",
        "ours",
        "plain",
    }
    assert kept - words <= {"unit", "property", "contract"}


@pytest.mark.parametrize("said", STRINGS)
def test_no_output_breaks(tmp_path: Path, said: str) -> None:
    report.write(poisoned(REPORT, said), tmp_path)
    for name, check in FORMATS.items():
        check((tmp_path / name).read_bytes())


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=200))
def test_no_output_breaks_whatever_the_text(said: str) -> None:
    saved = codec.from_json(codec.to_json(poisoned(REPORT, said)), Report)
    for name, check in FORMATS.items():
        check(OUTPUTS[name](saved))


@pytest.mark.parametrize("said", ["x" * 5_000_000, "<" * 200_000])
def test_long_text_is_cut_where_it_must_be_and_run_json_has_it_whole(said: str) -> None:
    made = builders.report(builders.run(builders.properties(builders.finding(message=said, curl=said))))
    assert len(OUTPUTS["quality.html"](made)) < 300_000
    assert len(OUTPUTS["quality.sarif"](made)) < 1_000_000
    assert b"more characters" in OUTPUTS["quality.html"](made)
    assert said.encode() in OUTPUTS["run.json"](made)


@pytest.mark.parametrize("said", [s for s in STRINGS if len(s) < 200 and s.strip()])
def test_nothing_is_lost_silently(said: str) -> None:
    """What can't be shown as it is, is shown as an escape: in the page, and in JSON as what it is."""
    made = poisoned(REPORT, said)
    saved = codec.from_json(codec.to_json(made), Report)
    assert text.visible(saved.run.subject.name) == text.visible(said)
    assert text.visible(said).strip() in Page(OUTPUTS["quality.html"](saved)).text
