"""Small runs and reports, put together by hand. Every part has a default; a test names what it is about."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from orchestrator import config, gates
from orchestrator.model.contracts import (
    Broken,
    Contracts,
    DocumentChange,
    Incompatibility,
    Interaction,
    Level,
    Mismatch,
    Verification,
)
from orchestrator.model.description import Description, Drift, FieldUse, NotCompared, ResponseUse
from orchestrator.model.mutation import (
    Disagreement,
    Mutant,
    MutantKind,
    MutantStatus,
    Mutation,
    Notice,
    OracleGap,
    Proposal,
    ResponseDifference,
    SelfCheck,
    Step,
    Unmutated,
)
from orchestrator.model.operations import Operation
from orchestrator.model.problem import Problem
from orchestrator.model.properties import Cases, Finding, Phase, Properties, Request, Response
from orchestrator.model.run import (
    SCHEMA_VERSION,
    Comparison,
    OperationRow,
    Provenance,
    Report,
    Run,
    Subject,
)
from orchestrator.model.stage import Generated, GeneratedModule, StageData, StageResult, StageStatus
from orchestrator.model.suite import Exchange, FileCoverage, Outcome, Suite, Test

STAGE_OF: Mapping[type[msgspec.Struct], str] = {
    Generated: "generate",
    Suite: "suite",
    Properties: "properties",
    Contracts: "contracts",
    Description: "description",
    Mutation: "mutation",
}


def project(root: Path, **settings: Any) -> config.Project:
    """A project with these settings (nested tables as dicts, kebab-case keys) on top of an app's target."""
    file = root / "orchestrator.toml"
    table = {"app": {"target": "shop.app:app"}, **settings}
    return config.Project(root=root, file=file, settings=config.parse(table, file))


def item(name: str = "tests/test_a.py::test_a", outcome: Outcome = Outcome.PASSED, **more: Any) -> Test:
    return Test(id=name, outcome=outcome, **{"seconds": 0.25, **more})


def suite(*outcomes: Outcome, **more: Any) -> Suite:
    """A suite whose tests ended in these ways."""
    return Suite(tests=tuple(item(f"tests/test_a.py::test_{n}", o) for n, o in enumerate(outcomes)), **more)


def exchange(operation: str = "", **more: Any) -> Exchange:
    return Exchange(**{"method": "GET", "path": "/", "status": 200, "operation": operation, **more})


def finding(operation: str = "GET /a", check: str = "not_a_server_error", **more: Any) -> Finding:
    defaults: dict[str, Any] = {
        "fingerprint": f"f-{operation}-{check}",
        "title": "Server error",
        "message": "It answered 500",
        "severity": "critical",
        "phases": (Phase.FUZZING,),
        "cases": 2,
        "request": Request(method="GET", url="http://127.0.0.1:1/a"),
        "response": Response(status=500, body="oops"),
        "curl": "curl -X GET http://127.0.0.1:1/a",
        "test": "tests/generated/test_a.py::test_a_with_random_data",
    }
    return Finding(operation=operation, check=check, **{**defaults, **more})


def cases(operation: str = "GET /a", sent: int = 3, phase: Phase = Phase.FUZZING) -> Cases:
    return Cases(operation=operation, phase=phase, sent=sent, statuses={"200": sent} if sent else {})


def properties(*findings: Finding, sent: tuple[Cases, ...] | None = None, **more: Any) -> Properties:
    return Properties(cases=(cases(),) if sent is None else sent, findings=findings, **{"tests": 3, "seed": 1, **more})


def interaction(description: str = "read a", result: Verification = Verification.VERIFIED, **more: Any) -> Interaction:
    defaults: dict[str, Any] = {
        "fingerprint": f"i-{description}",
        "consumer": "web",
        "states": (),
        "pact": "contracts/web.json",
    }
    return Interaction(description=description, result=result, **{**defaults, **more})


def contracts(*results: Verification) -> Contracts:
    """Contracts whose interactions ended in these ways."""
    return Contracts(interactions=tuple(interaction(f"interaction {n}", r) for n, r in enumerate(results)))


def mutant(status: MutantStatus = MutantStatus.SURVIVED, name: str = "1", **more: Any) -> Mutant:
    defaults: dict[str, Any] = {
        "fingerprint": f"m-{name}",
        "id": f"shop.prices.x_total__mutmut_{name}",
        "path": "shop/prices.py",
        "function": "total",
        "line": 7,
        "diff": "--- a/shop/prices.py\n+++ b/shop/prices.py\n@@ -7 +7 @@\n-    return 1\n+    return 2",
    }
    return Mutant(status=status, **{**defaults, **more})


def oracle_gap(test: str = "tests/test_a.py::test_a", place: str = "$.total", said: str = "3") -> OracleGap:
    """A test that saw this value become another one."""
    return OracleGap(
        layer="unit",
        test=test,
        request=f"GET /{said}",
        number=2,
        differences=(ResponseDifference(place=place, before=said, after=f"{said}!"),),
        operation=f"GET /{{{said}}}",
        proposal=Proposal(path=said, line=3, assertion=said, diff=f"+{said}"),
    )


def notice(by: str = "till", said: str = "a request for an order", layer: str = "contract") -> Notice:
    """Somebody beside the project's own tests who noticed."""
    return Notice(layer=layer, by=by, what=said, message=said, operation=said, reproduce=said)


def mutation(*statuses: MutantStatus, **more: Any) -> Mutation:
    """A mutation result whose mutants ended in these ways."""
    mutants = tuple(mutant(s, str(n)) for n, s in enumerate(statuses))
    return Mutation(mutants=mutants, **{"critical": ("shop/prices.py",), **more})


def operation(label: str = "GET /a", **more: Any) -> Operation:
    method, _, path = label.partition(" ")
    return Operation(method=method, path=path, **more)


def generated(*labels: str, **more: Any) -> Generated:
    return Generated(
        **{
            "title": "Shop",
            "version": "1",
            "specification": "OpenAPI 3.1",
            "base_path": "",
            "operations": tuple(operation(label) for label in labels or ("GET /a",)),
            "modules": (GeneratedModule(path="tests/generated/test_a.py", tests=3, state="written"),),
            **more,
        }
    )


def incompatibility(name: str = "1", **more: Any) -> Incompatibility:
    """A place where a pact asks for what the document does not promise."""
    defaults: dict[str, Any] = {
        "fingerprint": f"incompatibility-{name}",
        "code": "response.body.incompatible",
        "level": Level.ERROR,
        "message": "it is not there",
        "consumer": "web",
        "description": f"asks {name}",
        "pact": "pacts/web.json",
        "at_pact": "/interactions/0",
    }
    return Incompatibility(**{**defaults, **more})


def document_change(name: str = "1", level: Level = Level.ERROR, **more: Any) -> DocumentChange:
    """A change of the document since the last release."""
    defaults: dict[str, Any] = {
        "fingerprint": f"change-{name}",
        "rule": "response-property-removed",
        "operation": "GET /a",
        "message": "a field is gone",
        "at": "/paths/~1a",
        "broken": (),
    }
    return DocumentChange(level=level, **{**defaults, **more})


def description(
    incompatibilities: tuple[Incompatibility, ...] = (), changes: tuple[DocumentChange, ...] = ()
) -> Description:
    """What the description stage found."""
    return Description(incompatibilities=incompatibilities, changes=changes, released="released.yaml", drift=())


def stage(data: StageData | None = None, name: str = "", **more: Any) -> StageResult:
    """A stage's result; the name follows from what it found."""
    return StageResult(
        name=name or STAGE_OF.get(type(data), "other"),  # type: ignore[arg-type] # None is no key
        **{"status": StageStatus.COMPLETED, "seconds": 2.0, "data": data, **more},
    )


def run(*parts: StageData | StageResult, **more: Any) -> Run:
    """A run of these stages, each given as its result or as what it found."""
    stages = tuple(p if isinstance(p, StageResult) else stage(p) for p in parts)
    defaults: dict[str, Any] = {
        "subject": Subject(name="shop", commit="0123456789abcdef", branch="main"),
        "started": "2026-01-02T03:04:05Z",
        "seconds": 12.5,
        "provenance": Provenance(command="orchestrator run", orchestrator="0.1.0", python="3.11", platform="Linux"),
    }
    return Run(stages=stages, **{**defaults, **more})


def report(of: Run | None = None, comparison: Comparison | None = None, **settings: Any) -> Report:
    """A report on a run, judged by gates with these settings."""
    judged = run() if of is None else of
    verdict = gates.evaluate(judged, comparison, config.Gates(**settings))
    return Report(schema=SCHEMA_VERSION, run=judged, verdict=verdict, comparison=comparison)


def full_run(said: str = "text") -> Run:
    """A run in which every stage found something of every sort, with `said` wherever foreign text can be."""
    problem = Problem(code="QO403", message=said, hint=said, detail=said)
    return run(
        stage(
            generated(
                title=said,
                version=said,
                operations=(Operation(method="GET", path=f"/{said}", operation_id=said, tag=said, summary=said),),
            ),
            summary=said,
            notices=(problem,),
        ),
        stage(
            Suite(
                tests=(
                    item(f"tests/test_a.py::{said}", message=said),
                    item(f"tests/test_b.py::{said}", Outcome.FAILED, message=said, exchanges=(exchange(said),)),
                    item(f"tests/test_c.py::{said}", Outcome.ERROR, message=said, known_red=said),
                    item(f"tests/test_d.py::{said}", Outcome.SKIPPED, message=said),
                    item(f"tests/test_e.py::{said}", Outcome.XFAILED, message=said),
                ),
                coverage=(FileCoverage(path=said, statements=10, covered=7),),
            ),
            summary=said,
        ),
        stage(
            properties(
                finding(
                    said,
                    said,
                    fingerprint="finding-1",
                    title=said,
                    message=said,
                    curl=said,
                    test=said,
                    request=Request(method=said, url=said, headers=((said, said),), body=said),
                    response=Response(status=500, headers=((said, said),), body=said),
                ),
                finding("GET /b", fingerprint="finding-2", request=None, response=None),
                sent=(cases(said), cases("GET /b")),
            ),
            summary=said,
        ),
        stage(
            Contracts(
                interactions=(
                    interaction(said, consumer=said, states=(said,), operation=said),
                    interaction(
                        said,
                        Verification.MISMATCH,
                        fingerprint="interaction-1",
                        consumer=said,
                        states=(said,),
                        pact=said,
                        mismatches=(Mismatch(kind=said, path=said, message=said, expected=said, actual=said),),
                    ),
                    interaction(said, Verification.STATE_FAILED, fingerprint="interaction-2", error=said),
                )
            ),
            error=problem,
            status=StageStatus.ERROR,
        ),
        stage(
            Description(
                incompatibilities=(
                    incompatibility(
                        code=said,
                        message=said,
                        consumer=said,
                        description=said,
                        pact=said,
                        at_pact=said,
                        at_document=said,
                        operation=said,
                    ),
                    incompatibility("2", level=Level.WARNING),
                ),
                not_compared=(NotCompared(consumer=said, pact=said, count=2, reason=said),),
                released=said,
                changes=(
                    document_change(
                        rule=said,
                        operation=said,
                        message=said,
                        at=said,
                        before=said,
                        after=said,
                        broken=(Broken(consumer=said, description=said, pact=said, why=said),),
                    ),
                    document_change("2", Level.WARNING, broken=None),
                    document_change("3", Level.INFO),
                ),
                drift=(Drift(operation=said, routed=True), Drift(operation=said, routed=False)),
                responses=(
                    ResponseUse(
                        operation=said,
                        status=said,
                        described=False,
                        seen={said: 1},
                        consumers=(said,),
                        fields=(FieldUse(path=said, described=False, consumers=(said,)),),
                    ),
                    ResponseUse(
                        operation=said, status=said, described=True, fields=(FieldUse(path=said, described=True),)
                    ),
                ),
            ),
            summary=said,
        ),
        stage(
            Mutation(
                mutants=(
                    mutant(
                        path=said,
                        function=said,
                        diff=f"-{said}\n+{said}",
                        operations=(said,),
                        tests=1,
                        layers={"unit": Step.PROPAGATED},
                        gaps=(oracle_gap(said, said, said),),
                    ),
                    mutant(MutantStatus.KILLED, "2", killer=said, message=said),
                    mutant(
                        MutantStatus.NO_TESTS,
                        "3",
                        id=said,
                        path=said,
                        function=said,
                        kind=MutantKind.MODULE,
                        message=said,
                    ),
                    mutant(MutantStatus.SUPPRESSED, "4", reason=said),
                ),
                critical=(said,),
                unmutated=(
                    Unmutated(path=said, function=said, line=3, reason=said),
                    Unmutated(path=said, function="", line=1, reason=said),
                ),
                reused=2,
                seconds={"judging": 0.5, "self-check": 3.5},
                self_check=SelfCheck(
                    checked=10,
                    seconds=3.5,
                    disagreements=(
                        Disagreement(mutant=said, ours=MutantStatus.SURVIVED, plain=MutantStatus.KILLED, detail=said),
                    ),
                ),
            ),
            summary=said,
        ),
        stage(name=said, status=StageStatus.SKIPPED, reason=said),
        subject=Subject(name=said, commit="0123456789abcdef", branch=said, dirty=True),
        provenance=Provenance(
            command=said,
            orchestrator="0.1.0",
            python="3.11",
            platform=said,
            subject_python="3.12",
            tools={said: said},
            settings={said: said},
        ),
        operations=(
            OperationRow(
                operation=said,
                summary=said,
                tests=2,
                red_tests=1,
                cases=3,
                findings=("finding-1",),
                interactions={said: 2},
                failures=("interaction-1",),
                mutants=3,
                detected=1,
                survivors=("m-1",),
            ),
            OperationRow(operation="GET /excluded", excluded=said),
        ),
    )
