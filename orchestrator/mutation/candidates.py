"""The mutants to judge: what mutmut makes of the critical paths, with names, diffs and places."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from importlib.util import decode_source
from pathlib import Path
from typing import Final

import msgspec

from orchestrator import text
from orchestrator.adapters import mutmut, source
from orchestrator.adapters.mutmut import Made
from orchestrator.adapters.session import Change
from orchestrator.config import Project
from orchestrator.model.fingerprint import fingerprint
from orchestrator.model.mutation import Mutant, MutantKind, MutantStatus, Unmutated
from orchestrator.mutation import emptied
from orchestrator.mutation.critical import Selection

_NOTES: Final[Mapping[str, MutantStatus]] = {
    "": MutantStatus.NOT_RUN,
    "equivalent": MutantStatus.EQUIVALENT,
    "duplicate": MutantStatus.DUPLICATE,
    "trivial": MutantStatus.TRIVIAL,
    "invalid": MutantStatus.INVALID,
}
Errors = dict[str, str]  # why a file has no mutants, by path

_CONTEXT: Final = 3  # lines around a change in its diff


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A mutant that is to be judged.

    Attributes:
        mutant: What is reported of it; its status is *not run*, or why it need not be judged.
        change: What the agent is given.
        reach: The statements of which one is executed wherever the change can show, as a mask of their first lines.
        changed: First and last changed line.
        mutmuts: Whether `mutmut run` makes it too.
    """

    mutant: Mutant
    change: Change
    reach: int
    changed: tuple[int, int]
    mutmuts: bool

    @property
    def at_import(self) -> bool:
        """Whether the changed code runs when its module is imported."""
        return self.mutant.kind.at_import


def find(project: Project, selection: Selection, *, workers: int) -> tuple[list[Candidate], list[Unmutated]]:
    """Return the mutants of a selection, in the order of files and lines, and what has none and why.

    Args:
        project: Whose source.
        selection: What is critical.
        workers: Processes that may share the work.
    """
    settings = mutmut.settings(project)
    files = _files(project, selection, settings)
    texts = {path: decode_source(file.read_bytes()) for path, file in files.items()}
    quick = project.settings.mutation.quick
    made, errors = _emptied(texts, selection) if quick else _made(project, texts, settings, workers)
    candidates: list[Candidate] = []
    for path, file in files.items():
        module = source.module_name(file, project)
        lines = texts[path].split("\n")
        candidates += _candidates(_Place(path, file, module, lines), made[path], selection, quick=quick)
    unmutated = [Unmutated(path=path, function="", line=1, reason=reason) for path, reason in errors.items()]
    return candidates, unmutated if quick else unmutated + _without(candidates, selection, errors)


def make(project: Project, selection: Selection, *, workers: int) -> None:
    """Have mutmut make the mutants of a selection, so that `find` has less to do."""
    settings = mutmut.settings(project)
    files = _files(project, selection, settings)
    _made(project, {path: decode_source(file.read_bytes()) for path, file in files.items()}, settings, workers)


def _files(project: Project, selection: Selection, settings: mutmut.Settings) -> dict[str, Path]:
    """Return the source files in which something is mutated, by their paths in the project."""
    root = project.root.resolve()
    files: dict[str, Path] = {}
    for file in source.files(project):
        path = source.relative(file, root)
        within = (
            file.relative_to(project.directory.resolve()).as_posix()
            if file.is_relative_to(project.directory.resolve())
            else path
        )
        if selection.concerns(path) and settings.mutates(within):
            files[path] = file
    return files


def _made(
    project: Project, texts: Mapping[str, str], settings: mutmut.Settings, workers: int
) -> tuple[Mapping[str, Sequence[Made]], Errors]:
    """Return mutmut's mutants of each file, and why there are none."""
    return mutmut.make(
        texts,
        settings.do_not_mutate_patterns,
        project.state / "mutation" / "made",
        types_matter=_types_matter(project),
        workers=workers,
    )


def _emptied(texts: Mapping[str, str], selection: Selection) -> tuple[Mapping[str, Sequence[Made]], Errors]:
    """Return a mutant a function: its body taken away."""
    made: dict[str, Sequence[Made]] = {}
    errors: dict[str, str] = {}
    for path, content in texts.items():
        try:
            made[path] = emptied.make(content, {(f.name, f.line): f for f in selection.functions if f.path == path})
        except (SyntaxError, ValueError) as error:
            made[path], errors[path] = [], text.one_line(str(error))
    return made, errors


def _types_matter(project: Project) -> bool:
    """Whether anything of the source looks at types while it runs, by the packages that it uses."""
    return any(map(source.looks_at_types, source.files(project)))


class _Place(msgspec.Struct, frozen=True):
    """A source file: relative to the project, absolute, as it is imported, its lines."""

    path: str
    file: Path
    module: str
    lines: list[str]


def _candidates(place: _Place, made: Sequence[Made], selection: Selection, *, quick: bool) -> list[Candidate]:
    path, module = place.path, place.module
    numbers: dict[str, int] = {}
    occurrences: dict[tuple[str, str], int] = {}
    found = []
    # mutmut's own come first in the count of a function, so that they have the names that mutmut gives them.
    order = sorted(range(len(made)), key=lambda k: (not made[k].own, k))
    names = {}
    for k in order:
        stem = _stem(made[k], "emptied" if quick else "mutmut")
        numbers[stem] = numbers.get(stem, 0) + 1
        names[k] = f"{module}.{stem}_{numbers[stem]}"
    for k, m in enumerate(made):
        if not selection.wants(path, module, m.name, is_function=m.kind in ("function", "handler", "default")):
            continue
        line, diff, change = _diff(path, place.lines, m)
        number = occurrences[m.name, change] = occurrences.get((m.name, change), 0) + 1
        mutant = Mutant(
            fingerprint=fingerprint("mutant", module, m.name, change, str(number)),
            id=names[k],
            path=path,
            function=m.name,
            line=line,
            kind=MutantKind(m.kind),
            diff=text.visible(diff),  # whole and as it is: it is the user's own source, and can be applied
            status=_NOTES[m.note],
        )
        change_ = Change(
            path=str(place.file),
            first=m.first,
            last=m.last,
            lines=m.lines,
            function=m.kind in ("function", "handler"),
        )
        found.append(
            Candidate(
                mutant=mutant,
                change=change_,
                reach=sum(1 << line for line in m.reach),
                changed=m.changed,
                mutmuts=m.own,
            )
        )
    return found


def span(first: int, last: int) -> int:
    """Return a mask of the lines from `first` to `last`."""
    return (1 << (last + 1)) - (1 << first)


def _stem(made: Made, by: str) -> str:
    """Return mutmut's name for a function: `x_total__mutmut`, `xǁCartǁadd__mutmut`; of other code, one like it."""
    owner, _, name = made.name.rpartition(".")
    if made.kind in ("class", "module"):
        return f"{made.name}__import"
    return f"xǁ{owner}ǁ{name}__{by}" if owner else f"x_{name}__{by}"


def _diff(path: str, lines: list[str], made: Made) -> tuple[int, str, str]:
    """Return the first changed line, the diff with true line numbers, and the bare change.

    Only the lines around the change are compared: difflib is slow on whole files.
    """
    new = [*lines[: made.first - 1], *made.lines, *lines[made.last :]]
    before = max(0, made.changed[0] - 1 - _CONTEXT)
    shift = len(new) - len(lines)
    after = min(len(lines), made.changed[1] + _CONTEXT)
    ends = lines[-1] == ""  # the last line has its line end
    old_part, new_part = lines[before:after], new[before : after + shift]
    if after == len(lines):
        old_part, new_part = _as_lines(old_part, ends), _as_lines(new_part, ends)
    diff = list(difflib.unified_diff(old_part, new_part, f"a/{path}", f"b/{path}", lineterm=""))
    if before:
        diff = [_moved(line, before) for line in diff]
    change = "\n".join(line.removesuffix(_NO_LINE_END) for line in diff[2:] if line[:1] in "+-")
    return made.changed[0], "\n".join(diff), change


_NO_LINE_END: Final = "\n\\ No newline at end of file"


def _as_lines(lines: list[str], ends: bool) -> list[str]:
    return lines[:-1] if ends else [*lines[:-1], lines[-1] + _NO_LINE_END]


def _moved(line: str, by: int) -> str:
    """Return a hunk's header with the line numbers of the whole file."""
    if not line.startswith("@@ "):
        return line
    parts = line.split(" ")
    for k in (1, 2):
        start, comma, count = parts[k][1:].partition(",")
        parts[k] = f"{parts[k][0]}{int(start) + by}{comma}{count}"
    return " ".join(parts)


def _without(candidates: Sequence[Candidate], selection: Selection, errors: Mapping[str, str]) -> list[Unmutated]:
    """Return the critical functions that have no mutant, with the reason."""
    mutated = {(c.mutant.path, c.mutant.function) for c in candidates}
    return [
        Unmutated(path=f.path, function=f.name, line=f.line, reason=_reason(f))
        for f in selection.functions
        if (f.path, f.name) not in mutated and f.path not in errors
    ]


def _reason(function: source.Function) -> str:
    name = function.name.rpartition(".")[2]
    if name in ("__getattribute__", "__setattr__", "__new__"):
        return f"{name} is called before anything of the object is there: mutmut never mutates it"
    if any(d.rpartition(".")[2] == "overload" for d in function.decorators):
        return "an @overload is for type checkers alone"
    return "mutmut finds nothing in it that it can change"
