"""Modules as values: which files a statement hands on as a whole, to whoever may read any of their names."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterable, Iterator, Mapping

Files = frozenset[str]


class Modules:
    """The modules of the source, by the names that imports give them.

    Args:
        files: Of the source, absolute.
    """

    def __init__(self, files: Iterable[str]) -> None:
        self._files = {file: file.removesuffix(".py").removesuffix("/__init__") + "/" for file in files}

    def bound(self, path: str, statements: Iterable[ast.stmt]) -> dict[str, str]:
        """Return the names that imports in a file bind to modules of the source, with the modules' own names.

        A module is named by its folders and itself, with slashes: as much of its path as the import tells.

        Args:
            path: The file.
            statements: All of its statements.
        """
        found: dict[str, str] = {}
        for statement in statements:
            if isinstance(statement, ast.Import):
                for entry in statement.names:
                    name = entry.name.replace(".", "/")
                    found[entry.asname or name.partition("/")[0]] = name if entry.asname else name.partition("/")[0]
            elif isinstance(statement, ast.ImportFrom):
                package = _package(path, statement)
                found |= {entry.asname or entry.name: f"{package}/{entry.name}" for entry in statement.names}
                if "*" in found:  # there may be any of them among it
                    found |= {known.rsplit("/", 2)[-2]: known for known in self._files.values()}
        return {alias: name for alias, name in found.items() if self._named(name)}

    def handed_on(self, nodes: Iterable[ast.AST], bound: Mapping[str, str]) -> Files:
        """Return the files of the modules of which something in a statement takes the whole, not one of their names.

        Args:
            nodes: Of the statement.
            bound: The names of modules in its file.
        """
        chains = [node for node in nodes if isinstance(node, ast.Name | ast.Attribute)]
        accessed = {id(node.value) for node in chains if isinstance(node, ast.Attribute)}
        wholes = (_dotted(node, bound) for node in chains if id(node) not in accessed)
        return frozenset(file for name in wholes if name for file in self._named(name))

    def _named(self, name: str) -> Iterator[str]:
        """Yield the files that a module's name may stand for: a package stands for all that is in it."""
        wanted = f"/{name.strip('/')}/"
        return (file for file, known in self._files.items() if wanted in f"/{known}")


def _package(path: str, statement: ast.ImportFrom) -> str:
    """Return where an import takes names from."""
    module = (statement.module or "").replace(".", "/")
    if not statement.level:
        return module
    folder = path
    for _ in range(statement.level):
        folder = os.path.dirname(folder)  # noqa: PTH120 - only a name
    return f"{folder}/{module}" if module else folder


def _dotted(node: ast.AST, bound: Mapping[str, str]) -> str:
    """Return the name of what is read, if it begins with a module's; else nothing."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or isinstance(node.ctx, ast.Store) or node.id not in bound:
        return ""
    return "/".join([bound[node.id], *reversed(parts)])
