"""Reports put together by hand, for what a run of the small project does not show."""

from __future__ import annotations

import datetime

import msgspec

from orchestrator import config, gates, history
from orchestrator.model.contracts import Contracts, Verification
from orchestrator.model.mutation import InputGap, Mutant, MutantStatus, Mutation, ResponseDifference, Step
from orchestrator.model.run import SCHEMA_VERSION, Report, Run
from orchestrator.model.suite import Outcome
from tests import builders
from tests.builders import finding, interaction, mutation, properties, run, suite
from tests.report.runs import broken

LATER = datetime.date(2026, 12, 31)


def empty() -> Report:
    """Nothing was asked for."""
    return builders.report()


def errors() -> Report:
    """No stage came to its end."""
    return builders.report(broken())


def gates_of_all_kinds() -> Report:
    """Gates that hold, fail, are waived and are not computed; waivers in use, expired and without need."""
    of = run(
        suite(Outcome.PASSED, Outcome.FAILED),
        properties(finding(fingerprint="0123456789ab")),
        Contracts(interactions=(interaction("read b", Verification.MISMATCH, fingerprint="ba9876543210"),)),
        mutation(MutantStatus.KILLED, MutantStatus.SURVIVED),
    )
    waivers = tuple(
        config.Waiver(waives=waives, owner="A. Person", reason="ticket 7", until=until)
        for waives, until in (
            ("contract-failures", LATER),
            ("0123456789ab", LATER),
            ("mutants", LATER),
            ("operations", datetime.date(2025, 1, 1)),
        )
    )
    asked = config.Gates(mutation_score=90.0, changed_score=80.0)
    return Report(schema=SCHEMA_VERSION, run=of, verdict=gates.evaluate(of, None, asked, waivers))


def full(said: str = "text") -> Report:
    """Something of every sort, beside a run in which nothing was wrong, with `said` wherever foreign text can be."""
    now = _with_more_survivors(builders.full_run(said), said)
    earlier = run(properties(), suite(Outcome.PASSED), mutation())
    return builders.report(now, history.compare(now, earlier, said))


def _with_more_survivors(of: Run, said: str) -> Run:
    """Return the run with so many survivors more that some lie packed in the page."""
    stages = tuple(
        msgspec.structs.replace(
            stage,
            data=msgspec.structs.replace(
                stage.data, mutants=(*stage.data.mutants, *(_survivor(n, said) for n in range(103)))
            ),
        )
        if isinstance(stage.data, Mutation)
        else stage
        for stage in of.stages
    )
    return msgspec.structs.replace(of, stages=stages)


def _survivor(number: int, said: str) -> Mutant:
    return builders.mutant(
        name=f"more-{number}",
        path=said,
        function=f"{said}{number}",
        line=100 + number,
        diff=f"@@ -{100 + number} +{100 + number} @@\n-{said}\n+{said}",
        operations=(said,),
        message=said,
        condition=said,
        layers={"unit": Step.REACHED},
        input_gap=InputGap(
            tried=3,
            test=said,
            request=said,
            call=said,
            operation=said,
            differences=(ResponseDifference(place=said, before=said, after=said),),
        ),
    )
