"""mutmut 3.8: run it as a program in the user's interpreter, on a copy of the project, and read its files.

Its formats are those of 3.8.1: `mutants/**/*.py.meta` (exit statuses and durations), `.spans` (where each generated
function is), `mutmut-stats.json` (which tests execute which function). Exit statuses: `mutmut/stats.py`.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import Any, Final

import msgspec
import tomli_w

from orchestrator import codec, process, text
from orchestrator.adapters import agent, git, pytest
from orchestrator.adapters.source import Function
from orchestrator.config import STATE_DIRECTORY, Project
from orchestrator.model.fingerprint import fingerprint
from orchestrator.model.mutation import LayerVerdict, Mutant, MutantStatus

COMMAND: Final = ("-c", "import sys; from mutmut.__main__ import cli; sys.argv[0] = 'mutmut'; cli()")
# What tools leave behind; none of it says anything about the project.
_LEFT_OUT: Final = frozenset(
    {
        *(".git", ".hg", ".tox", ".nox", ".venv", "node_modules", "mutants", "__pycache__", STATE_DIRECTORY),
        *(".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", ".schemathesis", ".coverage"),
    }
)
_STATUSES: Final[Mapping[int | None, MutantStatus]] = {
    None: MutantStatus.NOT_RUN,
    0: MutantStatus.SURVIVED,
    1: MutantStatus.KILLED,
    2: MutantStatus.NOT_RUN,  # interrupted
    3: MutantStatus.KILLED,  # an internal error of pytest, as mutmut has it
    5: MutantStatus.NO_TESTS,
    33: MutantStatus.NO_TESTS,
    34: MutantStatus.SKIPPED,
    35: MutantStatus.SUSPICIOUS,
    36: MutantStatus.TIMEOUT,
    37: MutantStatus.TYPE_CHECK,
    24: MutantStatus.TIMEOUT,
    -24: MutantStatus.TIMEOUT,
    152: MutantStatus.TIMEOUT,
    255: MutantStatus.TIMEOUT,
    -9: MutantStatus.CRASHED,
    -11: MutantStatus.CRASHED,
}
_NO_LINE_END: Final = "\n\\ No newline at end of file"
_LAYERS: Final = {
    MutantStatus.KILLED: LayerVerdict.KILLED,
    MutantStatus.TIMEOUT: LayerVerdict.KILLED,
    MutantStatus.CRASHED: LayerVerdict.KILLED,
    MutantStatus.SURVIVED: LayerVerdict.SURVIVED,
    MutantStatus.NO_TESTS: LayerVerdict.SURVIVED,
}


class Copy(msgspec.Struct, frozen=True, kw_only=True):
    """A copy of the project in which mutmut works.

    Attributes:
        directory: Where mutmut runs: the copy of `directory` of the settings.
        fresh: Nothing of an earlier run is in it.
        complete: An earlier run of exactly this content came to its end.
    """

    directory: Path
    fresh: bool
    complete: bool


def prepare(project: Project, chosen: Sequence[Function], quarantined: Sequence[str], tools: Mapping[str, str]) -> Copy:
    """Copy the project for mutmut; keep the copy of an earlier run when nothing at all has changed.

    mutmut itself keeps verdicts when a test changes, which makes survivors of mutants that a new test kills. So
    its verdicts are only kept for exactly the same files, settings and tools.
    """
    top = project.state / "mutation"
    tree, mark, done = top / "tree", top / "content", top / "done"
    names = _files(project)
    overrides = _overrides(project, chosen, quarantined)
    content = _digest(project.root, names, [overrides, dict(tools), [f.place for f in chosen]])
    directory = tree / project.settings.directory
    if mark.exists() and mark.read_text() == content and tree.exists():
        return Copy(directory=directory, fresh=False, complete=done.exists())
    shutil.rmtree(top, ignore_errors=True)
    for name in names:
        target = tree / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(project.root / name, target)
    _write_settings(directory, overrides)
    mark.write_text(content)
    return Copy(directory=directory, fresh=True, complete=False)


def finish(project: Project) -> None:
    """Note that mutmut came to its end: an unchanged project need not be judged again."""
    (project.state / "mutation" / "done").touch()


def _files(project: Project) -> list[str]:
    """Return the project's files, relative to its root: what is generated from them is left out."""
    listed = git.files(project.root)
    names = sorted(_walk(project.root)) if listed is None else listed
    written = (f"{project.settings.reports}/", f"{project.settings.properties.directory}/")
    return [
        name
        for name in names
        if not name.startswith(written) and _LEFT_OUT.isdisjoint(Path(name).parts) and (project.root / name).is_file()
    ]


def _walk(root: Path) -> Iterator[str]:
    for folder, folders, names in os.walk(root):
        here = Path(folder)
        folders[:] = [d for d in folders if d not in _LEFT_OUT and not (here / d / "pyvenv.cfg").exists()]
        for name in names:
            yield (here / name).relative_to(root).as_posix()


def _digest(root: Path, names: Sequence[str], more: object) -> str:
    digest = hashlib.sha256(json.dumps(more, sort_keys=True, default=str).encode())
    for name in names:
        digest.update(name.encode("utf-8", "surrogateescape") + b"\0")
        digest.update(hashlib.sha256((root / name).read_bytes()).digest())
    return digest.hexdigest()


def _overrides(project: Project, chosen: Sequence[Function], quarantined: Sequence[str]) -> dict[str, Any]:
    """Return the settings that mutmut is given on top of the user's own."""
    prefix = "" if project.settings.directory == "." else f"{project.settings.directory.rstrip('/')}/"
    return {
        "source_paths": list(project.source),
        "only_mutate": sorted({f.path.removeprefix(prefix) for f in chosen}),
        "pytest_add_cli_args": ["-p", "no:cacheprovider", *pytest.selection(project, quarantined=quarantined)],
        "pytest_add_cli_args_test_selection": list(project.settings.tests.paths),
    }


def _write_settings(directory: Path, overrides: Mapping[str, Any]) -> None:
    path = directory / "pyproject.toml"
    document = codec.read_toml(path) if path.exists() else {}
    own = document.setdefault("tool", {}).setdefault("mutmut", {})
    for deprecated in ("paths_to_mutate", "tests_dir"):
        own.pop(deprecated, None)
    extra = list(own.get("pytest_add_cli_args", []))
    # Everything beside the source: the tests run in the copy and may read any of it.
    beside = sorted(p.name for p in directory.iterdir() if p.name != "mutants")
    own |= {**overrides, "also_copy": beside, "pytest_add_cli_args": [*extra, *overrides["pytest_add_cli_args"]]}
    codec.write_atomically(path, tomli_w.dumps(document).encode())


def patterns(chosen: Sequence[Function], known: Sequence[Function]) -> list[str]:
    """Return the mutant names that mutmut is given; empty: every mutant of the files.

    Only where a file's functions are not all chosen do names have to be given.
    """
    places = {f.place for f in chosen}
    paths = {f.path for f in chosen}
    if all(f.place in places for f in known if f.path in paths):
        return []
    return [f"{f.module}.{mangled(f.name)}__mutmut_*" for f in chosen]


def mangled(name: str) -> str:
    """Return mutmut's name for a function: `x_total`, `xǁCartǁadd`."""
    owner, _, method = name.rpartition(".")
    return f"xǁ{owner}ǁ{method}" if owner else f"x_{method}"


def unmangled(name: str) -> str:
    """Return the qualified name for mutmut's: the inverse of `mangled`."""
    return name[2:].replace("ǁ", ".") if name.startswith("xǁ") else name.removeprefix("x_")


def run(
    project: Project,
    copy: Copy,
    chosen: Sequence[Function],
    known: Sequence[Function],
    *,
    workers: int,
    has_xdist: bool,
    watch: Callable[[int, int], None],
) -> process.Finished:
    """Run mutmut in the copy.

    Args:
        project: Whose interpreter and limits.
        copy: Where it works.
        chosen: The functions whose mutants are judged.
        known: All functions of the source.
        workers: How many at a time.
        has_xdist: Whether pytest-xdist may be in the user's options: it is told to stay out.
        watch: Told how many mutants are judged, of how many.
    """
    environment = agent.environment(project)
    # The copy, and only the copy, may be imported from: mutmut puts `mutants/` in front.
    folders = [str(copy.directory / p) for p in project.settings.import_paths]
    names = patterns(chosen, known)
    prefixes = {f"{f.module}.{mangled(f.name)}" for f in chosen}
    environment["PYTHONPATH"] = os.pathsep.join([*folders, str(copy.directory)])
    if has_xdist:
        environment["PYTEST_ADDOPTS"] = f"{environment.get('PYTEST_ADDOPTS', '')} -n0".strip()
    return process.run(
        [agent.interpreter(project), *COMMAND, "run", "--max-children", str(workers), *names],
        directory=copy.directory,
        environment=environment,
        log=project.state / "logs" / "mutmut.log",
        timeout=project.settings.mutation.timeout,
        watch=lambda: watch(*progress(copy.directory, prefixes)),
    )


def progress(directory: Path, prefixes: Set[str]) -> tuple[int, int]:
    """Return how many mutants are judged, of how many; `prefixes` are mutmut's names of the functions that count."""
    judged = total = 0
    for meta in (directory / "mutants").rglob("*.py.meta"):
        try:
            found = json.loads(meta.read_text("utf-8"))["exit_code_by_key"]
        except (OSError, ValueError, KeyError):
            continue  # it is being written
        statuses = [status for name, status in found.items() if name.partition("__mutmut_")[0] in prefixes]
        total += len(statuses)
        judged += sum(status is not None for status in statuses)
    return judged, total


def read(
    project: Project, copy: Copy, chosen: Sequence[Function], reached: Mapping[str, Sequence[str]] | None
) -> tuple[Mutant, ...]:
    """Return the mutants of the chosen functions, as mutmut's files have them.

    Args:
        project: Whose source the diffs are made against.
        copy: Where mutmut worked.
        chosen: The functions that are mutated.
        reached: Per operation label, the places that its requests execute.
    """
    stats = _json(copy.directory / "mutants" / "mutmut-stats.json").get("tests_by_mangled_function_name", {})
    operations: dict[str, list[str]] = {}
    for label, places in (reached or {}).items():
        for place in places:
            operations.setdefault(place, []).append(label)
    by_path: dict[str, list[Function]] = {}
    for function in chosen:
        by_path.setdefault(function.path, []).append(function)
    mutants: list[Mutant] = []
    for path, functions in by_path.items():
        within = Path(os.path.relpath(project.root / path, project.directory))
        generated = copy.directory / "mutants" / within
        meta = _json(generated.with_name(generated.name + ".meta"))
        if not meta:
            continue
        spans = _json(generated.with_name(generated.name + ".spans")).get("spans", {})
        source = _lines(project.root / path)
        if not (project.root / path).read_bytes().endswith(b"\n"):
            source[-1] += _NO_LINE_END
        reader = _File(path, source, _lines(generated), spans, functions)
        mutants += reader.mutants(meta, stats, operations)
    return tuple(mutants)


def _json(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found


def _lines(path: Path) -> list[str]:
    """Return a file's lines as Python and mutmut count them: a form feed, for one, does not end a line."""
    return path.read_text("utf-8").removesuffix("\n").split("\n")


class _File:
    """The mutants of one source file."""

    def __init__(
        self,
        path: str,
        source: list[str],
        generated: list[str],
        spans: Mapping[str, Sequence[int]],
        functions: Sequence[Function],
    ) -> None:
        self._path = path
        self._source = source
        self._generated = generated
        self._spans = spans
        self._functions = functions
        self._occurrences: dict[tuple[str, str], int] = {}

    def mutants(
        self, meta: Mapping[str, Any], stats: Mapping[str, Any], operations: Mapping[str, Sequence[str]]
    ) -> Iterator[Mutant]:
        """Yield the mutants of the chosen functions, in mutmut's order."""
        for key, status in meta["exit_code_by_key"].items():
            prefix, _, _ = key.partition("__mutmut_")
            mangled_name = prefix.rpartition(".")[2]
            function = self._function(unmangled(mangled_name), mangled_name)
            if function is None:
                continue
            line, diff, change = self._diff(function, mangled_name, key.rpartition(".")[2])
            number = self._occurrences[function.name, change] = self._occurrences.get((function.name, change), 0) + 1
            verdict = _STATUSES.get(status, MutantStatus.SUSPICIOUS)
            yield Mutant(
                fingerprint=fingerprint("mutant", function.module, function.name, change, str(number)),
                id=key,
                path=self._path,
                function=function.name,
                line=line,
                diff=text.visible(diff),  # whole and as it is: it is the user's own source, and can be applied
                status=verdict,
                seconds=meta["durations_by_key"].get(key),
                operations=tuple(operations.get(function.place, ())),
                tests=len(stats.get(prefix, ())) if stats else None,
                layers={"unit": _LAYERS.get(verdict, LayerVerdict.NOT_COMPUTED)},
            )

    def _function(self, name: str, mangled_name: str) -> Function | None:
        """Return the chosen function of that name; of several (`@overload`), the one that mutmut copied."""
        same = [f for f in self._functions if f.name == name]
        if len(same) < 2:
            return same[0] if same else None
        original = self._copy(f"{mangled_name}__mutmut_orig", name)
        return next((f for f in same if self._lines(f) == original), same[-1])

    def _lines(self, function: Function) -> list[str]:
        return [line.removesuffix(_NO_LINE_END) for line in self._source[function.line - 1 : function.last]]

    def _copy(self, generated_name: str, name: str) -> list[str]:
        """Return the lines of a generated copy, from its `def` on, under the function's own name."""
        start, end = self._spans.get(generated_name, (1, 0))
        lines = self._generated[start - 1 : end]
        definition = re.compile(rf"^(\s*(?:async\s+)?def\s+){re.escape(generated_name)}\b")
        for number, line in enumerate(lines):
            if definition.match(line):
                own = definition.sub(lambda m: m[1] + name.rpartition(".")[2], line)
                return [own, *lines[number + 1 :]]
        return []

    def _diff(self, function: Function, mangled_name: str, generated_name: str) -> tuple[int, str, str]:
        """Return the first changed line, the diff with true line numbers, and the bare change."""
        mutated = self._copy(generated_name, function.name)
        original = self._lines(function)
        if self._copy(f"{mangled_name}__mutmut_orig", function.name) != original:
            original = self._copy(f"{mangled_name}__mutmut_orig", function.name)
        before, after = self._source[: function.line - 1], self._source[function.line - 1 + len(original) :]
        if not after and self._source[-1].endswith(_NO_LINE_END):
            original, mutated = _without_line_end(original), _without_line_end(mutated)
        old, new = [*before, *original, *after], [*before, *mutated, *after]
        diff = list(difflib.unified_diff(old, new, f"a/{self._path}", f"b/{self._path}", lineterm=""))
        change = "\n".join(line.removesuffix(_NO_LINE_END) for line in diff[2:] if line[:1] in "+-")
        return _first_changed(old, new, function.line), "\n".join(diff), change


def _without_line_end(lines: Sequence[str]) -> list[str]:
    return [*lines[:-1], *(line + _NO_LINE_END for line in lines[-1:])]


def _first_changed(old: Sequence[str], new: Sequence[str], default: int) -> int:
    for number, (a, b) in enumerate(zip(old, new, strict=False), start=1):
        if a != b:
            return number
    return default
