"""A project's files, and its Python as syntax trees: nothing of the user's is ever imported."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Final

from orchestrator.adapters import git

TESTS: Final = frozenset({"tests", "test", "testing"})
SAMPLES: Final = frozenset({"doc", "docs", "example", "examples", "samples"})
_NO_APP: Final = TESTS | SAMPLES | {"alembic", "benchmarks", "consumer", "consumers", "migrations", "scripts", "tools"}
_NO_APP_FILES: Final = frozenset(
    {"conftest.py", "noxfile.py", "noxfile_quality.py", "setup.py", "fabfile.py", "tasks.py"}
)
_NEVER: Final = frozenset({"node_modules", "__pycache__", "site-packages", "build", "dist", "mutants", "htmlcov"})


class Module:
    """A Python file.

    Attributes:
        path: Relative to the project.
        tree: Its syntax tree.
    """

    def __init__(self, path: PurePosixPath, tree: ast.Module) -> None:
        self.path = path
        self.tree = tree

    @cached_property
    def names(self) -> dict[str, str]:
        """What each imported name stands for: `Flask` → `flask.Flask`; relative imports keep their dots."""
        found: dict[str, str] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    name = alias.asname or alias.name.partition(".")[0]
                    found[name] = alias.name if alias.asname else name
            elif isinstance(node, ast.ImportFrom):
                origin = "." * node.level + (node.module or "")
                found |= {alias.asname or alias.name: f"{origin}.{alias.name}" for alias in node.names}
        return found

    @cached_property
    def imported(self) -> frozenset[str]:
        """The top-level packages of its absolute imports."""
        found = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                found.add(node.module.partition(".")[0])
        return frozenset(found)

    def full_name(self, node: ast.expr | None) -> str:
        """Return the dotted name that an expression stands for, imports resolved; empty: it is no name."""
        if isinstance(node, ast.Name):
            return self.names.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            owner = self.full_name(node.value)
            return f"{owner}.{node.attr}" if owner else ""
        return ""

    def statements(self) -> Iterator[ast.stmt]:
        """Yield the statements that run at import, those under `if`, `try` and `with` among them."""
        yield from _flat(self.tree.body)

    def at(self, node: ast.AST) -> str:
        """Return where a node is, as editors take it: `shop/main.py:7`."""
        return f"{self.path}:{getattr(node, 'lineno', 1)}"


def _flat(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    for node in body:
        yield node
        if isinstance(node, ast.If | ast.Try | ast.With):
            yield from _flat(node.body)


class Survey:
    """What a project's folder holds.

    Attributes:
        root: The project's folder.
        files: Its files, relative to `root`, in a stable order; environments and build output left out.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.files = _files(root)

    @cached_property
    def modules(self) -> tuple[Module, ...]:
        """Every Python file that can be parsed."""
        found = []
        for path in self.files:
            if path.suffix != ".py":
                continue
            try:
                found.append(Module(path, ast.parse((self.root / path).read_bytes())))
            except (OSError, SyntaxError, ValueError):
                continue  # a template, or Python of another time: the import will tell
        return tuple(found)

    @cached_property
    def app_modules(self) -> tuple[Module, ...]:
        """The modules that may belong to the app: no tests, documentation, scripts, migrations."""
        return tuple(m for m in self.modules if not _NO_APP & set(m.path.parts[:-1]) and not _is_aside(m.path.name))

    def module(self, path: PurePosixPath) -> Module | None:
        """Return the module that a file holds."""
        return next((m for m in self.modules if m.path == path), None)

    def has_folder(self, path: PurePosixPath) -> bool:
        """Whether some file lies under a folder."""
        return any(f.is_relative_to(path) for f in self.files)


def _is_aside(name: str) -> bool:
    return name in _NO_APP_FILES or name == "tests.py" or name.startswith("test_") or name.endswith("_test.py")


def _files(root: Path) -> tuple[PurePosixPath, ...]:
    listed = git.files(root)
    names = [n for n in listed if (root / n).is_file()] if listed is not None else list(_walk(root))
    environments = {d.name for d in root.iterdir() if (d / "pyvenv.cfg").exists()}
    paths = (PurePosixPath(name) for name in names)
    return tuple(sorted(p for p in paths if not _is_foreign(p, environments)))


def _is_foreign(path: PurePosixPath, environments: set[str]) -> bool:
    folders = path.parts[:-1]
    return bool(
        _NEVER & set(folders) or (folders and folders[0] in environments) or any(f.startswith(".") for f in folders)
    )


def _walk(root: Path) -> Iterator[str]:
    for folder, folders, names in os.walk(root):
        here = Path(folder)
        folders[:] = [d for d in folders if d not in _NEVER and not d.startswith(".")]
        for name in names:
            yield (here / name).relative_to(root).as_posix()
