from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator import codec, history, report
from orchestrator.errors import Code, OrchestratorError
from orchestrator.model.run import Report
from tests import builders
from tests.builders import properties, run
from tests.report.hostile import STRINGS


def written(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir()}


def test_every_output_is_written_and_nothing_else(tmp_path: Path) -> None:
    page = report.write(builders.report(builders.full_run()), tmp_path / "reports")
    assert page == tmp_path / "reports" / "quality.html"
    assert (
        set(written(tmp_path / "reports"))
        == set(report.OUTPUTS)
        == {
            "quality.html",
            "run.json",
            "junit.xml",
            "summary.md",
            "history.jsonl",
            "mutation.json",
            "quality.sarif",
            "codequality.json",
            "annotations.txt",
            "badge.svg",
            "badge.json",
            "metrics.prom",
        }
    )


@pytest.mark.parametrize("said", STRINGS)
def test_a_saved_run_gives_the_same_bytes_again(tmp_path: Path, said: str) -> None:
    now = builders.full_run(said)
    made = builders.report(now, history.compare(now, run(properties()), "baseline"))
    report.write(made, tmp_path / "first")
    report.write(history.read(tmp_path / "first" / "run.json"), tmp_path / "again")
    assert written(tmp_path / "again") == written(tmp_path / "first")


def test_the_same_run_gives_the_same_bytes_again(tmp_path: Path) -> None:
    for name in ("one", "other"):
        report.write(builders.report(builders.full_run()), tmp_path / name)
    assert written(tmp_path / "one") == written(tmp_path / "other")


def test_an_output_that_fails_leaves_the_earlier_report_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report.write(builders.report(), tmp_path)
    before = written(tmp_path)

    def fails(_: Report) -> bytes:
        raise RuntimeError("a fault in the last output")

    monkeypatch.setitem(report.OUTPUTS, "summary.md", fails)
    with pytest.raises(RuntimeError):
        report.write(builders.report(builders.full_run()), tmp_path)
    assert written(tmp_path) == before


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("a file")
    with pytest.raises(OrchestratorError) as caught:
        report.write(builders.report(), tmp_path / "reports")
    assert caught.value.problem.code == Code.NOT_WRITABLE


def test_what_is_saved_is_what_was_reported(tmp_path: Path) -> None:
    made = builders.report(builders.full_run())
    report.write(made, tmp_path)
    assert codec.from_json((tmp_path / "run.json").read_bytes(), Report) == made
