"""SARIF 2.1.0, as code hosts and editors read it: everything that is wrong, at its place in the code.

Source of the format: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html. What hosts make of it:
https://docs.github.com/en/code-security/reference/code-scanning/sarif-files/sarif-support-for-code-scanning.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

from orchestrator import codec, text
from orchestrator.model.replacement import Replacement
from orchestrator.model.run import Report, Run
from orchestrator.report.problems import Found, Kind, Rule, broke_off, document, found

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
MOST: Final = 5_000  # results that GitHub shows of a run
_ROOT: Final = "%SRCROOT%"
_FINGERPRINT: Final = "orchestrator/v1"

_Json = dict[str, Any]


def render(report: Report) -> bytes:
    """Return the document."""
    listed = found(report)
    told = listed[:MOST]
    rules = {one.rule.id: one.rule for one in reversed(told)}  # of several of one name, the first
    order = {name: number for number, name in enumerate(sorted(rules))}
    fallback = document(report.run) or next((one.file for one in listed if one.file), "")
    run = {
        "tool": {
            "driver": {
                "name": "quality-orchestrator",
                "version": text.visible(report.run.provenance.orchestrator),
                "rules": [_rule(rules[name]) for name in order],
            }
        },
        "invocations": [_invocation(report, len(listed) - len(told))],
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The project's folder."}}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(one, order[one.rule.id], fallback) for one in told],
        "properties": _verdict(report),
    }
    return codec.to_json({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(rule: Rule) -> _Json:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "help": {"text": rule.help},
        "defaultConfiguration": {"level": str(rule.level)},
        "properties": {"tags": ["api", rule.id.partition("/")[0]]},
    }


def _invocation(report: Report, left_out: int) -> _Json:
    said = [_notification("warning", f"{n.code} {n.message}") for stage in report.run.stages for n in stage.notices]
    if left_out:
        said.append(
            _notification("warning", f"{text.plural(left_out, 'result')} left out: {MOST:,} are told, worst first.")
        )
    return {
        "executionSuccessful": not any(broke_off(stage) for stage in report.run.stages),
        "exitCode": report.verdict.exit_code,
        "toolExecutionNotifications": said,
    }


def _notification(level: str, message: str) -> _Json:
    return {"level": level, "message": {"text": text.visible(message)}}


def _verdict(report: Report) -> _Json:
    """Return the verdict, so that nobody has to guess it from the results."""
    return {
        "exitCode": report.verdict.exit_code,
        "headline": text.visible(report.verdict.headline),
        "gates": [{"id": text.visible(g.id), "verdict": str(g.verdict)} for g in report.verdict.gates],
    } | _subject(report.run)


def _subject(run: Run) -> _Json:
    said = {"subject": run.subject.name, "commit": run.subject.commit, "branch": run.subject.branch}
    return {name: text.visible(value) for name, value in said.items() if value}


def _result(one: Found, rule: int, fallback: str) -> _Json:
    result: _Json = {
        "ruleId": one.rule.id,
        "ruleIndex": rule,
        "level": str(one.level),
        "message": {"text": _message(one)},
        "partialFingerprints": {_FINGERPRINT: one.fingerprint},
        "locations": _locations(one, fallback),
    }
    if one.new is not None:
        result["baselineState"] = "new" if one.new else "unchanged"
    if one.accepted is not None:
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": one.accepted}]
    return result


def _message(one: Found) -> str:
    """Return the whole, its first line for hosts that show no more."""
    said = f"{one.title}\n{one.message}" if one.message != one.title else one.title
    return said.replace("](", "] (")  # a message may hold links, and what others wrote shall be none


def _locations(one: Found, fallback: str) -> list[_Json]:
    """Return where it is. A host shows nothing that has no file, so what has none is put to one that is known."""
    location: _Json = {}
    if file := one.file or fallback:
        physical: _Json = {"artifactLocation": {"uri": quote(file, safe="/"), "uriBaseId": _ROOT}}
        if one.file and one.place:
            physical["region"] = _region(one.place)
        location["physicalLocation"] = physical
    if one.about:
        kind = {"kind": "function"} if one.kind in (Kind.SURVIVOR, Kind.SUPPRESSED) else {}
        location["logicalLocations"] = [{"fullyQualifiedName": one.about, **kind}]
    return [location] if location else []


def _region(place: Replacement) -> _Json:
    return {
        "startLine": place.line,
        "startColumn": place.column,
        "endLine": place.end_line,
        "endColumn": place.end_column,
    }
