"""JUnit XML, as CI systems read it: the gates, the suite, the property tests, the interactions, survivors, the stages.

Verdicts on mutants that plain pytest does not share are there too, if there are any. There is no standard; this keeps
to the schema that Jenkins and GitLab read (`testsuites`, `testsuite`, `testcase` with `failure`, `error` or `skipped`).
A survivor is a failed test case where a gate fails because of it, and else one that was skipped.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator

import msgspec

from orchestrator import text
from orchestrator.model.run import GateVerdict, Report, Run
from orchestrator.model.stage import StageStatus
from orchestrator.model.suite import Outcome
from orchestrator.report.blame import blamed_survivors


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One test case; `kind` is `failure`, `error`, `skipped`, or empty for one that passed."""

    classname: str
    name: str
    seconds: float = 0.0
    kind: str = ""
    message: str = ""
    detail: str = ""


def render(report: Report) -> bytes:
    """Return the XML document."""
    suites = {
        "gates": list(_gates(report)),
        "stages": list(_stages(report.run)),
        "suite": list(_suite(report.run)),
        "properties": list(_properties(report)),
        "contracts": list(_contracts(report)),
        "survivors": list(_survivors(report)),
        "self-check": list(_self_check(report.run)),
    }
    cases = [case for listed in suites.values() for case in listed]
    root = ET.Element("testsuites", {"name": _safe(report.run.subject.name), **_counts(cases)})
    for name, listed in suites.items():
        if not listed:
            continue
        about = {"name": name, "timestamp": _safe(report.run.started.rstrip("Z")), **_counts(listed)}
        suite = ET.SubElement(root, "testsuite", about)
        for case in listed:
            element = ET.SubElement(
                suite,
                "testcase",
                classname=_safe(case.classname),
                name=_safe(case.name),
                time=f"{case.seconds:.3f}",
            )
            if case.kind:
                ET.SubElement(element, case.kind, message=_safe(case.message)).text = _safe(case.detail)
    ET.indent(root, " ")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'.encode()


def _safe(value: str) -> str:
    # Text was cleaned by the adapter that read it; a run from elsewhere may hold what XML can't.
    return text.visible(value)


def _counts(cases: list[Case]) -> dict[str, str]:
    return {
        "tests": str(len(cases)),
        "failures": str(sum(c.kind == "failure" for c in cases)),
        "errors": str(sum(c.kind == "error" for c in cases)),
        "skipped": str(sum(c.kind == "skipped" for c in cases)),
        "time": f"{sum(c.seconds for c in cases):.3f}",
    }


def _gates(report: Report) -> Iterator[Case]:
    skipped = (GateVerdict.NOT_COMPUTED, GateVerdict.WAIVED)
    for gate in report.verdict.gates:
        said = f"{gate.value} (asked: {gate.threshold})" if gate.value else gate.hint
        said = f"{gate.waiver.told}: {said}" if gate.waiver else said
        kind = "failure" if gate.verdict is GateVerdict.FAIL else "skipped" if gate.verdict in skipped else ""
        yield Case(classname="gates", name=gate.title, kind=kind, message=said, detail=gate.hint)


def _stages(run: Run) -> Iterator[Case]:
    for stage in run.stages:
        kind = {StageStatus.COMPLETED: "", StageStatus.SKIPPED: "skipped"}.get(stage.status, "error")
        message = f"{stage.error.code} {stage.error.message}" if stage.error else stage.reason or stage.status.value
        detail = f"{stage.error.hint}\n{stage.error.detail}".strip() if stage.error else ""
        yield Case(
            classname="stages", name=stage.name, seconds=stage.seconds, kind=kind, message=message, detail=detail
        )


def _suite(run: Run) -> Iterator[Case]:
    kinds = {Outcome.FAILED: "failure", Outcome.ERROR: "error", Outcome.SKIPPED: "skipped", Outcome.XFAILED: "skipped"}
    for test in run.suite.tests if run.suite else ():
        module, _, name = test.id.partition("::")
        kind = "skipped" if test.known_red and test.outcome.is_red else kinds.get(test.outcome, "")
        message = f"known red: {test.known_red}" if kind == "skipped" and test.known_red else test.message
        yield Case(classname=module, name=name or module, seconds=test.seconds, kind=kind, message=message)


def _properties(report: Report) -> Iterator[Case]:
    properties = report.run.properties
    if properties is None:
        return
    called = [c.operation for c in properties.cases]
    for operation in dict.fromkeys([*called, *(f.operation for f in properties.findings)]):
        findings = [f for f in properties.findings if f.operation == operation]
        for finding in findings:
            waiver = report.verdict.waived(finding.fingerprint)
            yield Case(
                classname="properties",
                name=f"{operation} {finding.check}",
                kind="skipped" if waiver else "failure",
                message=f"{waiver.told}: {finding.title}" if waiver else finding.title,
                detail=f"{finding.message}\n\n{finding.curl}",
            )
        if not findings:
            yield Case(classname="properties", name=operation)


def _contracts(report: Report) -> Iterator[Case]:
    for interaction in report.run.contracts.interactions if report.run.contracts else ():
        lines = [f"{m.kind} {m.path}: {m.message}" for m in interaction.mismatches]
        waiver = report.verdict.waived(interaction.fingerprint)
        message = interaction.error or str(interaction.result)
        yield Case(
            classname=interaction.consumer,
            name=interaction.description,
            seconds=interaction.seconds or 0.0,
            kind=("skipped" if waiver else "failure") if interaction.result.is_failure else "",
            message=f"{waiver.told}: {message}" if waiver else message,
            detail="\n".join(lines),
        )


def _survivors(report: Report) -> Iterator[Case]:
    blamed = blamed_survivors(report)
    for mutant in report.run.mutation.mutants if report.run.mutation else ():
        if mutant.status.is_undetected:
            fails = mutant.fingerprint in blamed
            yield Case(
                classname=mutant.path,
                name=f"{mutant.function} {mutant.fingerprint}",
                kind="failure" if fails else "skipped",
                message=f"{mutant.status} at line {mutant.line}{'' if fails else ', and no gate fails because of it'}",
                detail=mutant.diff,
            )


def _self_check(run: Run) -> Iterator[Case]:
    check = run.mutation.self_check if run.mutation else None
    for found in check.disagreements if check else ():
        yield Case(
            classname="self-check",
            name=found.mutant,
            kind="error",
            message=f"{found.ours} here, {found.plain} by plain pytest",
            detail=found.detail,
        )
