from __future__ import annotations

from pathlib import Path

import msgspec

from orchestrator import history
from orchestrator.model.mutation import MutantStatus
from orchestrator.report import past
from tests import builders
from tests.builders import mutation, run


def test_a_history_grows_by_a_line_a_run_and_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / history.HISTORY
    for count in range(1, 4):
        report = builders.report(run(seconds=float(count)))
        report = msgspec.structs.replace(report, history=history.points(tmp_path))
        path.write_bytes(past.render(report))
        assert [point.seconds for point in history.points(tmp_path)] == [float(n + 1) for n in range(count)]


def test_rendering_a_saved_report_again_adds_nothing() -> None:
    report = builders.report(builders.full_run())
    assert past.render(report) == past.render(report)
    assert len(past.render(report).splitlines()) == 1


def test_a_quick_look_has_no_place_in_the_history_of_the_score() -> None:
    point = builders.report(run(mutation(MutantStatus.KILLED, quick=True))).point
    assert (point.score, point.survivors) == (None, None)
    whole = builders.report(run(mutation(MutantStatus.KILLED))).point
    assert (whole.score, whole.survivors) == (100.0, 0)
