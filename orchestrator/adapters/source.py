"""The functions of the user's source, read without importing it."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from orchestrator.agent.mutation.lines import branches, first_line, outermost
from orchestrator.config import Project

_LOOKS_AT_TYPES: Final = re.compile(
    rb"^\s*(?:from|import)\s+(?:pydantic|fastapi|msgspec|attrs?|cattrs|typeguard|beartype|sqlmodel|typer|litestar|dacite"
    rb"|strawberry|ninja|injector)\b|get_type_hints",
    re.MULTILINE,
)


class Function(msgspec.Struct, frozen=True, kw_only=True):
    """A function at the top of a module or a method of a class; what is nested in a function belongs to it.

    Attributes:
        path: The file, relative to the project.
        module: The module's dotted name.
        name: Qualified name within the module: `Cart.add`.
        first: The first line, that of the first decorator if it has any.
        line: The line of its `def`.
        last: The last line.
        decorators: As they are written.
    """

    path: str
    module: str
    name: str
    first: int
    line: int
    last: int
    decorators: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """The name that reach and mutants share: `path::qualified.name`."""
        return f"{self.path}::{self.name}"


def files(project: Project) -> list[Path]:
    """Return the source files, tests left out, in a stable order."""
    tests = project.tests
    found = []
    for top in project.sources:
        candidates = [top] if top.is_file() else sorted(top.rglob("*.py"))
        found += [f for f in candidates if not any(f.is_relative_to(t) for t in tests if t != top)]
    return list(dict.fromkeys(found))


def functions(project: Project) -> tuple[Function, ...]:
    """Return every function of the user's source. A file that is not Python is passed over: the import tells."""
    found: list[Function] = []
    root = project.root.resolve()
    for file in files(project):
        try:
            with warnings.catch_warnings(action="ignore"):  # of the user's code: the import tells
                tree = ast.parse(file.read_bytes())  # bytes: Python knows of byte order marks and coding lines
        except (OSError, SyntaxError, ValueError):
            continue
        path = relative(file, root)
        found += _functions(tree.body, path, module_name(file, project))
    return tuple(found)


def looks_at_types(file: Path) -> bool:
    """Whether a file of the source looks at types while it runs, by the packages that it uses."""
    return bool(_LOOKS_AT_TYPES.search(file.read_bytes()))


def relative(file: Path, root: Path) -> str:
    """Return a file's path as reports have it: relative to the project where it is inside."""
    return file.relative_to(root).as_posix() if file.is_relative_to(root) else file.as_posix()


class Constant(msgspec.Struct, frozen=True, kw_only=True):
    """What is assigned in a module or in a class: its file, the module's dotted name, its qualified name."""

    path: str
    module: str
    name: str


def constants(project: Project) -> Iterator[Constant]:
    """Yield what the user's source assigns outside of functions."""
    root = project.root.resolve()
    for file in files(project):
        try:
            with warnings.catch_warnings(action="ignore"):
                tree = ast.parse(file.read_bytes())
        except (OSError, SyntaxError, ValueError):
            continue
        path = relative(file, root)
        module = module_name(file, project)
        yield from (Constant(path=path, module=module, name=name) for name in _assigned(tree.body, ""))


def _assigned(body: Sequence[ast.stmt], prefix: str) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (prefix + target.id for target in targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.ClassDef):
            yield from _assigned(node.body, f"{prefix}{node.name}.")
        else:
            for branch in branches(node):
                yield from _assigned(branch, prefix)


def module_name(file: Path, project: Project) -> str:
    """Return the dotted name under which a source file is imported."""
    directory = project.directory.resolve()
    folders = [directory / p for p in project.settings.import_paths] + [directory / "src", directory]
    folder = max((f for f in folders if file.is_relative_to(f)), key=lambda f: len(f.parts), default=file.parent)
    parts = file.relative_to(folder).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _functions(body: Sequence[ast.stmt], path: str, module: str) -> Iterator[Function]:
    for name, node in outermost(body):
        yield Function(
            path=path,
            module=module,
            name=name,
            first=first_line(node),
            line=node.lineno,
            last=node.end_lineno or node.lineno,
            decorators=tuple(ast.unparse(d) for d in node.decorator_list),
        )
