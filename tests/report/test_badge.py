from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET

import msgspec
import pytest

from orchestrator.model.mutation import MutantStatus
from orchestrator.model.run import Gate, GateVerdict, Report
from orchestrator.model.stage import StageStatus
from orchestrator.report import badge, shields
from tests import builders
from tests.builders import mutation, properties, run, stage
from tests.report.hostile import STRINGS
from tests.report.runs import broken, small
from tests.report.schemas import hold

SVG = "{http://www.w3.org/2000/svg}"
# As https://shields.io/badges/endpoint-badge describes it; the one that passes leaves `isError` out.
ENDPOINT = {
    "type": "object",
    "required": ["schemaVersion", "label", "message"],
    "properties": {
        "schemaVersion": {"const": 1},
        "label": {"type": "string", "minLength": 1},
        "message": {"type": "string", "minLength": 1},
        "color": {"type": "string", "pattern": "^[0-9a-f]{6}$"},
        "isError": {"type": "boolean"},
    },
    "additionalProperties": False,
}
PASSING = run(mutation(*[MutantStatus.KILLED] * 30))


def said(report: Report) -> str:
    document = json.loads(shields.render(report))
    hold(document, ENDPOINT)
    image = ET.fromstring(badge.render(report))  # noqa: S314 - we wrote it
    assert image.findtext(f"{SVG}title") == image.get("aria-label") == f"API quality: {document['message']}"
    return str(document["message"])


def gate(verdict: GateVerdict) -> Gate:
    return Gate(id=verdict.name, title="A", threshold="1", verdict=verdict)


def with_gates(*verdicts: GateVerdict) -> Report:
    report = builders.report(PASSING)
    verdict = msgspec.structs.replace(report.verdict, gates=tuple(gate(v) for v in verdicts))
    return msgspec.structs.replace(report, verdict=verdict)


def test_a_run_that_passes_says_its_score() -> None:
    assert said(builders.report(PASSING)) == "passes, 100 %"


def test_a_score_is_rounded_down() -> None:
    of = run(mutation(*[MutantStatus.KILLED] * 299, MutantStatus.SURVIVED))
    assert said(builders.report(of, mutation_score=99)) == "passes, 99.6 %"


@pytest.mark.parametrize("more", [{"quick": True}, {"shard": "1/2"}])
def test_a_score_of_a_part_is_not_told(more: dict[str, object]) -> None:
    of = run(mutation(*[MutantStatus.KILLED] * 30, **more))
    assert said(builders.report(of)) == "passes"


def test_a_run_that_fails_says_by_how_many_gates() -> None:
    assert said(builders.report(run(mutation(MutantStatus.SURVIVED)))) == "fails: 1 gate"
    assert said(builders.report(small())) == "fails: 4 gates"


def test_what_was_not_judged_does_not_pass() -> None:
    assert said(builders.report()) == "nothing judged"
    assert said(builders.report(run(stage(name="suite", status=StageStatus.SKIPPED)))) == "nothing judged"


def test_a_run_that_broke_off_does_not_pass() -> None:
    assert said(builders.report(broken())) == "did not complete"


def test_gates_that_are_waived_are_told() -> None:
    assert said(with_gates(GateVerdict.PASS, GateVerdict.WAIVED)) == "passes, 100 %, 1 gate waived"
    assert said(with_gates(GateVerdict.WAIVED, GateVerdict.WAIVED)) == "passes, 100 %, 2 gates waived"


@pytest.mark.parametrize(
    ("report", "failing"),
    [
        (builders.report(), False),
        (builders.report(PASSING), False),
        (builders.report(small()), True),
        (builders.report(broken()), True),
        (builders.report(run(stage(name="suite", status=StageStatus.SKIPPED))), True),
    ],
)
def test_only_what_is_wrong_is_an_error(report: Report, failing: bool) -> None:
    assert json.loads(shields.render(report)).get("isError", False) is failing
    assert report.verdict.passed is not failing


@pytest.mark.parametrize("foreign", STRINGS)
def test_foreign_text_changes_nothing(foreign: str) -> None:
    said(builders.report(builders.full_run(foreign)))
    assert badge.render(builders.report(builders.full_run(foreign))) == badge.render(
        builders.report(builders.full_run())
    )


@pytest.mark.parametrize("report", [builders.report(), builders.report(PASSING), builders.report(small())])
def test_the_image_can_be_read_by_everybody(report: Report) -> None:
    image = ET.fromstring(badge.render(report))  # noqa: S314 - we wrote it
    assert image.get("role") == "img"
    assert not re.search(rb"https?://(?!www\.w3\.org/2000/svg)|@import|url\(", badge.render(report))
    for rectangle in image.iter(f"{SVG}rect"):
        assert contrast_with_white(rectangle.get("fill", "")) >= 4.5


def test_the_parts_of_the_image_fill_it() -> None:
    image = ET.fromstring(badge.render(builders.report(run(properties()))))  # noqa: S314 - we wrote it
    left, right = image.iter(f"{SVG}rect")
    assert int(left.get("width", "")) == int(right.get("x", ""))
    assert int(image.get("width", "")) == int(right.get("x", "")) + int(right.get("width", ""))


def contrast_with_white(color: str) -> float:
    """As https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio defines it."""
    parts = [int(color[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)
