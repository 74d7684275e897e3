"""mutmut 3.8 makes the mutants: ask it in a process of its own, and keep its answer for each content of a file."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Final

import msgspec

from orchestrator import codec, text
from orchestrator.config import Project
from orchestrator.errors import Code, OrchestratorError


class Made(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A mutant as mutmut makes it, with what we find out about it from the source alone.

    Attributes:
        first: First line of the definition that it changes: an outermost function, or a statement run at import.
        last: Its last line.
        lines: What stands there instead.
        changed: First and last changed line of the source.
        name: The definition, qualified within the module.
        kind: `function`, `handler` (a decorated function), `default`, `class` or `module`.
        own: Whether mutmut makes it too when it runs by itself.
        note: Why it need not be judged: `equivalent`, `duplicate`, `trivial`, `invalid`. Empty: it has to be.
        reach: First lines of the statements of which one is executed wherever the change can show.
    """

    first: int
    last: int
    lines: tuple[str, ...]
    changed: tuple[int, int]
    name: str
    kind: str
    own: bool
    note: str
    reach: tuple[int, ...]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What `[tool.mutmut]` says that has a meaning here; the rest is about mutmut's own way to run.

    Attributes:
        only_mutate: Globs of source files.
        do_not_mutate: Globs of source files.
        do_not_mutate_patterns: Regular expressions of lines.
        pytest_add_cli_args: More options for pytest.
        type_check_command: The project's type checker, with JSON as its output.
    """

    only_mutate: tuple[str, ...] = ()
    do_not_mutate: tuple[str, ...] = ()
    do_not_mutate_patterns: tuple[str, ...] = ()
    pytest_add_cli_args: tuple[str, ...] = ()
    type_check_command: tuple[str, ...] = ()

    def mutates(self, path: str) -> bool:
        """Whether a file is mutated; the path is relative to where mutmut would run."""
        wanted = not self.only_mutate or any(fnmatch(path, glob) for glob in self.only_mutate)
        return wanted and not any(fnmatch(path, glob) for glob in self.do_not_mutate)


def settings(project: Project) -> Settings:
    """Return the project's own settings of mutmut.

    Raises:
        OrchestratorError: they are of the wrong kind.
    """
    path = project.directory / "pyproject.toml"
    table = codec.read_toml(path).get("tool", {}).get("mutmut", {}) if path.exists() else {}
    try:
        found = msgspec.convert(table, Settings)
        for pattern in found.do_not_mutate_patterns:
            re.compile(pattern)
    except (msgspec.ValidationError, re.error) as error:
        raise OrchestratorError(
            Code.SETTINGS_INVALID, f"pyproject.toml: `tool.mutmut`: {error}", hint="See mutmut's documentation."
        ) from error
    return found


_WORTH_A_PROCESS: Final = 10_000  # characters that take as long as the start of one more
_WORKER: Final = Path(__file__).with_name("mutmut_worker.py")
_VERSIONS: Final = (
    importlib.metadata.version("mutmut"),
    importlib.metadata.version("libcst"),
    platform.python_version(),
)


def make(
    files: Mapping[str, str], patterns: Sequence[str], folder: Path, *, types_matter: bool, workers: int
) -> tuple[dict[str, tuple[Made, ...]], dict[str, str]]:
    """Return the mutants of each file, and why there are none for those that mutmut can't take.

    Args:
        files: Their text, by path.
        patterns: Regular expressions of lines that are left alone.
        folder: Where answers are kept, a file for each content.
        types_matter: Whether anything in the project looks at annotations and type aliases while it runs.
        workers: Processes to share the work.
    """
    made: dict[str, tuple[Made, ...]] = {}
    how: dict[str, object] = {"patterns": list(patterns), "types_matter": types_matter}
    kept = {path: folder / f"{_digest(content, how)}.json" for path, content in files.items()}
    missing = []
    for path, file in kept.items():
        try:
            made[path] = codec.from_json(file.read_bytes(), tuple[Made, ...])
        except (OSError, msgspec.DecodeError):
            missing.append(path)
    errors: dict[str, str] = {}
    # The largest first, dealt out in turn, so that all take about as long.
    missing.sort(key=lambda path: -len(files[path]))
    count = min(workers, 1 + sum(len(files[path]) for path in missing) // _WORTH_A_PROCESS)
    shares = [share for share in (missing[k::count] for k in range(count)) if share]
    with ThreadPoolExecutor(max(1, len(shares))) as pool:
        for answers in pool.map(lambda share: _ask({path: files[path] for path in share}, how), shares):
            for path, answer in answers.items():
                if "error" in answer:  # not kept: it is told each time
                    errors[path], made[path] = text.one_line(answer["error"]), ()
                    continue
                made[path] = msgspec.convert([list(m.values()) for m in answer["mutants"]], tuple[Made, ...])
                codec.write_atomically(kept[path], msgspec.json.encode(made[path]))
    return {path: made[path] for path in files}, errors


def _digest(content: str, how: Mapping[str, object]) -> str:
    told = json.dumps([content, how, *_VERSIONS, _WORKER.read_text("utf-8")])
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _ask(files: Mapping[str, str], how: Mapping[str, object]) -> dict[str, dict[str, Any]]:
    asked = {**how, "files": [{"path": p, "text": t} for p, t in files.items()]}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "orchestrator.adapters.mutmut_worker"],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise OrchestratorError(
            Code.MUTMUT_FAILED,
            f"mutmut can't make mutants: {text.one_line(done.stderr.strip().rpartition(chr(10))[2])}",
            hint="Its version may be another than 3.8.",
            detail=text.clean(done.stderr[-4000:]),
        )
    return dict(zip(files, json.loads(done.stdout), strict=True))
