from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator import codec
from orchestrator.errors import Code, ExitCode, OrchestratorError, UsageError
from orchestrator.model.run import Report
from tests import builders

words = st.text(st.characters(codec="utf-8"))
numbers = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | numbers | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4),
    max_leaves=15,
)


@given(values)
def test_what_is_written_is_read_again(value: Any) -> None:
    data = codec.to_json(value)
    assert data.endswith(b"\n")
    assert codec.from_json(data, object) == value
    assert codec.to_json(codec.from_json(data, object)) == data


@given(st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=4), st.integers(0, 9), max_size=8), st.randoms())
def test_the_same_value_gives_the_same_bytes(value: dict[str, int], random: Any) -> None:
    shuffled = list(value.items())
    random.shuffle(shuffled)
    assert codec.to_json(dict(shuffled)) == codec.to_json(value)


def test_a_report_is_read_again() -> None:
    report = builders.report(builders.full_run("ü"))
    data = codec.to_json(report)
    assert codec.from_json(data, Report) == report
    assert codec.to_json(codec.from_json(data, Report)) == data


def test_data_of_another_kind_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        codec.from_json(b'{"schema": 1}', Report)
    with pytest.raises(msgspec.DecodeError):
        codec.from_json(b"{", Report)


def test_toml_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text("[a]\nb = 'ü'\n", "utf-8")
    assert codec.read_toml(path) == {"a": {"b": "ü"}}


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"a = \n", "line 1, column 5"), (b"a = 'caf\xe9'", "decode"), (b"[a]\n[a]\n", "line 2")],
)
def test_a_toml_file_that_is_none_is_a_mistake_of_the_user(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(data)
    with pytest.raises(UsageError) as caught:
        codec.read_toml(path)
    assert caught.value.problem.code == Code.SETTINGS_INVALID
    assert str(path) in caught.value.problem.message
    assert said in caught.value.problem.message


def test_a_toml_file_that_is_not_there_is_a_mistake_of_the_user(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        codec.read_toml(tmp_path / "a.toml")


def test_a_file_is_written_into_a_folder_that_is_made(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "a.json"
    codec.write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_reader_of_the_old_file_keeps_it(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    codec.write_atomically(path, b"old")
    with path.open("rb") as reader:
        codec.write_atomically(path, b"new, and longer")
        assert reader.read() == b"old"
    assert path.read_bytes() == b"new, and longer"
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_a_file_that_does_not_fit_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"old")
    script = textwrap.dedent(
        """
        import pathlib, resource, sys
        from orchestrator import codec, errors
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        try:
            codec.write_atomically(pathlib.Path(sys.argv[1]), b"x" * 100_000)
        except errors.OrchestratorError as error:
            print(error.problem.code, error.problem.message)
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout == f"QO107 {path} can't be written: File too large\n"
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_a_file_where_a_folder_should_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "reports").write_bytes(b"old")
    with pytest.raises(OrchestratorError) as caught:
        codec.write_atomically(tmp_path / "reports" / "a.json", b"new")
    assert caught.value.problem.code == Code.NOT_WRITABLE
    assert caught.value.exit_code is ExitCode.STAGE_FAILED
    assert (tmp_path / "reports").read_bytes() == b"old"


def test_a_folder_where_a_file_should_be_is_told_and_nothing_left_behind(tmp_path: Path) -> None:
    (tmp_path / "a.json").mkdir()
    with pytest.raises(OrchestratorError) as caught:
        codec.write_atomically(tmp_path / "a.json", b"new")
    assert caught.value.problem.code == Code.NOT_WRITABLE
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs a folder that nobody, root included, may write to")
def test_a_folder_that_cannot_be_written_to_is_told() -> None:
    with pytest.raises(OrchestratorError) as caught:
        codec.write_atomically(Path("/proc/quality-orchestrator/a.json"), b"new")
    assert caught.value.problem.code == Code.NOT_WRITABLE
    assert os.strerror(2) in caught.value.problem.message
