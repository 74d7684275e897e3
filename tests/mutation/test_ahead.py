from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from orchestrator.adapters.session import MODULE
from orchestrator.config import Project
from orchestrator.errors import Code, OrchestratorError
from orchestrator.model.mutation import MutantStatus
from orchestrator.mutation import candidates, critical
from orchestrator.mutation.ahead import Ahead
from orchestrator.mutation.engine import Engine
from tests import builders
from tests.mutation.subjects import PLAIN, installed, write

FILES = {
    "pkg/__init__.py": "",
    "pkg/sums.py": "def plus(a, b):\n    return a + b\n",
    "tests/test_sums.py": """\
        from pkg.sums import plus

        def test_plus():
            assert plus(1, 2) == 3

        def test_red():
            assert plus(1, 2) == 4
        """,
}
RED = "tests/test_sums.py::test_red"


def project(root: Path, **settings: Any) -> Project:
    write(root, FILES)
    told = {"critical": ["pkg/*.py"], "self-check": 0, "workers": 1, **settings}
    return builders.project(root, source=["pkg"], tests={"options": PLAIN}, mutation=told)


def agents() -> list[psutil.Process]:
    """Return the agents that this process has started and that still run."""
    found = []
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.Error):
            if MODULE in child.cmdline():
                found.append(child)
    return found


@pytest.fixture
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)


@pytest.fixture
def ahead(tmp_path: Path) -> Iterator[Ahead]:
    begun = Ahead(project(tmp_path))
    yield begun
    begun.close()


@pytest.mark.usefixtures("two_cores")
def test_the_session_that_was_begun_is_the_one_that_is_given(ahead: Ahead) -> None:
    ahead.begin(installed())
    begun = agents()
    assert len(begun) == 1
    with ahead.session(installed(), []) as session:
        assert agents() == begun
        assert session.ready.ready == ("tests/test_sums.py::test_plus", RED)
        assert 0 < session.start < 60
    assert not agents()


@pytest.mark.usefixtures("two_cores")
def test_a_session_with_tests_that_turned_out_red_is_no_use(ahead: Ahead) -> None:
    ahead.begin(installed())
    begun = agents()
    with ahead.session(installed(), [RED]) as session:
        assert session.ready.ready == ("tests/test_sums.py::test_plus",)
        assert not set(agents()) & set(begun)
    assert not agents()


def test_a_session_is_begun_where_none_was(ahead: Ahead) -> None:
    with ahead.session(installed(), []) as session:
        assert len(session.ready.ready) == 2


@pytest.mark.usefixtures("two_cores")
def test_what_was_begun_and_not_used_is_ended(ahead: Ahead) -> None:
    ahead.begin(installed())
    assert agents()
    ahead.close()
    assert not agents()


@pytest.mark.usefixtures("two_cores")
def test_mutants_are_made_so_that_finding_them_asks_mutmut_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject = project(tmp_path)
    with contextlib.closing(Ahead(subject)) as ahead:
        ahead.begin(installed())
        ahead.wait_for_mutants()
        monkeypatch.setattr("orchestrator.adapters.mutmut._ask", lambda *_: pytest.fail("mutmut is asked again"))
        found, _ = candidates.find(subject, critical.select(subject, None), workers=1)
    assert [c.mutant.function for c in found] == ["plus"]


@pytest.mark.usefixtures("two_cores")
def test_mutants_are_judged_in_it(tmp_path: Path) -> None:
    subject = project(tmp_path)
    found, _ = candidates.find(subject, critical.select(subject, None), workers=1)
    with contextlib.closing(Ahead(subject)) as ahead:
        ahead.begin(installed())
        engine = Engine(
            subject, installed(), [RED], lambda *_: None, collect=partial(ahead.session, installed(), [RED])
        )
        result = engine.run(lambda: found)
    assert {v.status for v in result.verdicts.values()} == {MutantStatus.KILLED}
    assert {v.killer for v in result.verdicts.values()} == {"tests/test_sums.py::test_plus"}


@pytest.mark.parametrize(
    ("settings", "cores"),
    [({}, 1), ({"critical": []}, 2), ({"mode": "fresh"}, 2), ({"dask": "tcp://127.0.0.1:1"}, 2)],
    ids=["one core", "nothing critical", "no session", "elsewhere"],
)
def test_nothing_is_begun_without_need(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], cores: int
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    with contextlib.closing(Ahead(project(tmp_path, **settings))) as ahead:
        ahead.begin(installed())
        assert not agents()


@pytest.mark.usefixtures("two_cores")
def test_tests_that_cannot_be_collected_are_told_of_when_the_session_is_asked_for(tmp_path: Path) -> None:
    subject = project(tmp_path)
    write(tmp_path, {"tests/test_broken.py": "import nothing_of_that_name\n"})
    with contextlib.closing(Ahead(subject)) as ahead:
        ahead.begin(installed())
        with pytest.raises(OrchestratorError) as caught, ahead.session(installed(), []):
            pytest.fail("it was collected")
    assert caught.value.problem.code == Code.COLLECTION_FAILED
    assert not agents()
