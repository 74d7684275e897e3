"""What the critical paths of the settings mean: which functions are mutated."""

from __future__ import annotations

import fnmatch
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from orchestrator.adapters import source
from orchestrator.adapters.agent import Reached
from orchestrator.adapters.openapi import Document
from orchestrator.adapters.source import Function
from orchestrator.config import Project
from orchestrator.errors import Code
from orchestrator.model.problem import Problem

_OPERATION = re.compile(r"[A-Z*]+ /\S*")
_NEARLY_ALL = 3 / 4  # more operations than these pass through what belongs to none of them


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """What is mutated, and what the settings named in vain.

    Attributes:
        functions: The functions.
        paths: The critical paths that are globs or names: they also name code outside of functions.
        constants: Files with code outside of functions that is mutated.
        problems: What matches nothing.
    """

    functions: tuple[Function, ...]
    paths: tuple[str, ...] = ()
    constants: frozenset[str] = frozenset()
    problems: tuple[Problem, ...] = ()

    def concerns(self, path: str) -> bool:
        """Whether anything in a source file may be mutated."""
        named = path in self.constants or any(f.path == path for f in self.functions)
        return named or any(_is_glob(p) and _covers(p, path) for p in self.paths)

    def wants(self, path: str, module: str, name: str, *, is_function: bool) -> bool:
        """Whether a definition is mutated: a function, or a statement run at import by what it defines."""
        if is_function:
            return any(f.path == path and f.name == name for f in self.functions)
        return any(
            _covers(p, path) if _is_glob(p) else _names(p, f"{module}.{name.removesuffix('<module>')}".rstrip("."))
            for p in self.paths
        )


def _is_glob(path: str) -> bool:
    return "/" in path or path.endswith(".py")


def _covers(glob: str, path: str) -> bool:
    return fnmatch.fnmatchcase(path, glob) or fnmatch.fnmatchcase(path, glob.rstrip("/") + "/*")


def _names(name: str, qualified: str) -> bool:
    return fnmatch.fnmatchcase(qualified, name) or fnmatch.fnmatchcase(qualified, f"{name}.*")


def is_operation(path: str) -> bool:
    """Whether a critical path names an operation: `POST /v1/orders`."""
    return bool(_OPERATION.fullmatch(path))


def select(project: Project, reached: Mapping[str, Sequence[str]] | None) -> Selection:
    """Return the functions that the critical paths name.

    Args:
        project: Whose critical paths.
        reached: Per operation label, the places (`path::name`) that its requests execute; None: not recorded.
    """
    known = source.functions(project)
    assigned = list(source.constants(project))
    chosen: set[str] = set()
    constants: set[str] = set()
    problems = []
    for path in project.settings.mutation.critical:
        found = _matching(path, known, reached or {})
        outside = [] if is_operation(path) else [c for c in assigned if _is_named(path, c)]
        if not found and not outside:
            problems.append(
                Problem(
                    code=Code.NO_CRITICAL_PATH,
                    message=f"`mutation.critical`: {path!r} matches no function of {', '.join(project.source)}",
                    hint=_hint(path, reached),
                )
            )
        chosen |= {f.place for f in found}
        constants |= {c.path for c in outside}
    return Selection(
        functions=tuple(f for f in known if f.place in chosen),
        paths=tuple(p for p in project.settings.mutation.critical if not is_operation(p)),
        constants=frozenset(constants),
        problems=tuple(problems),
    )


def _is_named(path: str, constant: source.Constant) -> bool:
    if _is_glob(path):
        return _covers(path, constant.path)
    return _names(path, f"{constant.module}.{constant.name}")


def _matching(path: str, known: Iterable[Function], reached: Mapping[str, Sequence[str]]) -> list[Function]:
    if is_operation(path):
        places = {p for label, found in reached.items() if fnmatch.fnmatchcase(label, path) for p in found}
        return [f for f in known if f.place in places]
    if _is_glob(path):
        return [f for f in known if _covers(path, f.path)]
    return [f for f in known if _names(path, f"{f.module}.{f.name}")]


def _hint(path: str, reached: Mapping[str, Sequence[str]] | None) -> str:
    if not is_operation(path):
        return "A critical path is a glob of source files, a qualified name, or an operation."
    if reached is None:
        return "What an operation executes is recorded by the properties stage: run it too."
    if not any(fnmatch.fnmatchcase(label, path) for label in reached):
        return f"No such operation was called; known are {', '.join(sorted(reached)[:5])}, …"
    return "Its requests execute nothing that the other operations' requests don't: name its files instead."


def reached_by_operation(
    seen: Iterable[Reached], document: Document, known: Iterable[Function], root: str
) -> dict[str, tuple[str, ...]]:
    """Return, per operation, the places that its requests execute, less what nearly every operation passes through.

    *Nearly every*: more than three of four. A health probe or the OpenAPI document itself goes past what all others
    share, and one such operation is no reason to call authentication and error handling part of every other one.

    Args:
        seen: What the agent recorded, by method and path.
        document: To tell the operation of a path.
        known: The functions of the user's source.
        root: The project's folder, absolute, with links resolved.
    """
    by_file: dict[str, list[Function]] = {}
    for function in known:
        by_file.setdefault(f"{root}/{function.path}", []).append(function)
    executed: dict[str, set[str]] = {}
    for entry in seen:
        operation = document.match(entry.method, entry.path)
        if operation is None or operation.excluded:
            continue
        places = executed.setdefault(operation.label, set())
        for file, line in entry.places:
            places.update(f.place for f in by_file.get(file, ()) if f.first <= line <= f.last)
    counts = Counter(place for places in executed.values() for place in places)
    most = _NEARLY_ALL * len(executed)
    common = {place for place, count in counts.items() if count > most} if len(executed) > 1 else set()
    return {label: tuple(sorted(places - common)) for label, places in sorted(executed.items())}
