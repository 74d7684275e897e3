"""Shards run apart, and made one report of."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestrator.errors import ExitCode
from tests.acceptance import support
from tests.acceptance.support import report_of


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three copies of the small project, as many machines: on the first the whole was run, on the others a half."""
    found = []
    for shard in ("", "1/2", "2/2"):
        shop = support.copy_of(support.SHOP, tmp_path_factory.mktemp("machine"))
        support.setting(shop, 'mutation.critical = ["shop.prices.total"]')
        support.setting(shop, "mutation.self-check = 0")
        support.setting(shop, "tests.coverage = false")
        ended = support.orchestrator(shop, "run", "--stage", "mutation", *(["--shard", shard] if shard else []))
        assert ended.code == ExitCode.PASSED, ended.output
        found.append(shop)
    return found


def test_the_verdicts_of_all_shards_are_those_of_one_run(machines: list[Path], tmp_path: Path) -> None:
    whole, *halves = machines
    saved = [str(shop / "reports" / "run.json") for shop in halves]
    ended = support.orchestrator(whole, "merge", *saved, "-o", str(tmp_path / "joined"))
    assert ended.code == ExitCode.PASSED, ended.output
    joined = json.loads((tmp_path / "joined" / "run.json").read_bytes())
    one = json.loads((whole / "reports" / "run.json").read_bytes())

    def verdicts(report: object) -> dict[str, str]:
        (stage,) = [s for s in report["run"]["stages"] if s["name"] == "mutation"]  # type: ignore[index]
        return {m["fingerprint"]: m["status"] for m in stage["data"]["mutants"]}

    assert verdicts(joined) == verdicts(one)
    assert [s["name"] for s in joined["run"]["stages"]] == [s["name"] for s in one["run"]["stages"]]
    assert (tmp_path / "joined" / "quality.html").exists()
    assert "0 new, 0 fixed" in ended.output


def test_a_shard_alone_computes_no_score(machines: list[Path]) -> None:
    for shop in machines[1:]:
        (gate,) = [g for g in report_of(shop).verdict.gates if g.id == "mutation-score"]
        assert gate.verdict == "not computed"


def test_a_shard_that_is_missing_is_told(machines: list[Path]) -> None:
    whole, half, _ = machines
    ended = support.orchestrator(whole, "merge", str(half / "reports" / "run.json"))
    assert ended.code == ExitCode.USAGE
    assert "QO616 1 shard missing: 2 of 2" in ended.output


def test_what_is_no_shard_is_refused_before_anything_runs(machines: list[Path]) -> None:
    ended = support.orchestrator(machines[0], "run", "--shard", "3/2")
    assert ended.code == ExitCode.USAGE
    assert "QO615 '3/2' is no shard" in ended.output
