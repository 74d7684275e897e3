"""Which statements of the source are executed, and which of the project's files are opened.

The source is imported with a mark in front of each statement that notes its line. A trace function would be called
for every function of every package, which on Python 3.11 makes tests many times slower; this costs next to nothing
outside of the source. The marks are made in shared memory, so that those of a test's own forked processes are seen too.
It is done in a process of its own: mutants are judged where the source is imported as it is.
"""

from __future__ import annotations

import ast
import builtins
import mmap
import os
import sys
from importlib.machinery import SourceFileLoader
from types import CodeType
from typing import Any

# A file's executed statements: bit n stands for the line n on which one begins. Sets of lines are united and compared.
Masks = dict[str, int]

_NAME = "_orchestrator_line_"


class StatementRecorder:
    """Records executed statements, between one `take` and the next.

    Args:
        sources: Files and folders whose statements are recorded.
        left_out: Folders below them that are not the project's own.
    """

    def __init__(self, sources: list[str], left_out: list[str]) -> None:
        self._files = tuple(os.path.realpath(s) for s in sources)
        self._folders = tuple(os.path.join(s, "") for s in self._files)
        self._left_out = tuple(os.path.join(os.path.realpath(f), "") for f in left_out)
        self._marks: dict[str, tuple[str, mmap.mmap]] = {}  # by path: the name that the code knows them by

    def start(self) -> None:
        """Instrument what is imported from now on."""
        original = SourceFileLoader.get_code

        def get_code(loader: SourceFileLoader, fullname: str) -> CodeType | None:
            name = loader.get_filename(fullname)
            path = os.path.realpath(name)
            if not self.is_source(path):
                return original(loader, fullname)
            with open(name, "rb") as file:
                tree = ast.parse(file.read(), name)
            return compile(self._instrumented(tree, path), name, "exec", dont_inherit=True)

        SourceFileLoader.get_code = get_code  # type: ignore[method-assign, assignment]

    def is_source(self, path: str) -> bool:
        """Whether a file's statements are recorded."""
        return (path in self._files or path.startswith(self._folders)) and not path.startswith(self._left_out)

    def take(self) -> Masks:
        """Return the statements executed since the last time this was asked, by absolute path."""
        taken = {}
        for path, (_, marks) in self._marks.items():
            content = marks[:]
            line = content.find(1)
            if line < 0:
                continue
            mask = 0
            while line >= 0:
                mask |= 1 << line
                line = content.find(1, line + 1)
            taken[path] = mask
            marks[:] = bytes(len(content))
        return taken

    def renew(self) -> None:
        """Make marks of one's own from now on: a forked process shares its parent's memory."""
        for path, (name, marks) in self._marks.items():
            self._marks[path] = (name, _memory(name, len(marks)))

    def unseen(self) -> list[str]:
        """Return the source files that were imported past us: how they run is not known."""
        files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
        paths = {os.path.realpath(file) for file in files if isinstance(file, str)}
        return sorted(path for path in paths if self.is_source(path) and path not in self._marks)

    def _instrumented(self, tree: ast.Module, path: str) -> ast.Module:
        last = max((getattr(node, "lineno", 0) for node in ast.walk(tree)), default=0)
        if path not in self._marks:  # else it is loaded once more, or under another name
            name = f"{_NAME}{len(self._marks)}"
            self._marks[path] = (name, _memory(name, last + 1))
        _Inserter(self._marks[path][0]).visit(tree)
        return ast.fix_missing_locations(tree)


def _memory(name: str, size: int) -> mmap.mmap:
    """Return memory that is shared with the processes that are forked, and let all code know it by a name."""
    marks = mmap.mmap(-1, size)
    setattr(builtins, name, marks)
    return marks


class _Inserter(ast.NodeTransformer):
    """Puts a mark in front of every statement."""

    def __init__(self, name: str) -> None:
        self._name = name

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        for field in ("body", "orelse", "finalbody"):
            body = getattr(node, field, None)
            if isinstance(body, list) and body:
                setattr(node, field, self._noted(body, is_top=field == "body" and isinstance(node, _WITH_DOCSTRING)))
        return node

    def _noted(self, body: list[Any], *, is_top: bool) -> list[Any]:
        noted: list[Any] = []
        for number, statement in enumerate(body):
            stays_first = is_top and number == 0 and isinstance(statement, ast.Expr) and _is_text(statement.value)
            is_future = isinstance(statement, ast.ImportFrom) and statement.module == "__future__"
            if isinstance(statement, ast.stmt) and not stays_first and not is_future:
                noted.append(self._mark(statement))
            noted.append(statement)
        return noted

    def _mark(self, statement: ast.stmt) -> ast.stmt:
        where = ast.Subscript(ast.Name(self._name, ast.Load()), ast.Constant(statement.lineno), ast.Store())
        return ast.copy_location(ast.Assign([where], ast.Constant(1)), statement)


_WITH_DOCSTRING = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


class OpenedFiles:
    """Notes the project's files that are opened: what is read decides a verdict as code does.

    An audit hook can't be taken away again, so there is one for the process and its children.

    Args:
        folder: The project.
        left_out: Folders in it that are not the project's own: environments, and what tools keep there.
    """

    def __init__(self, folder: str, left_out: list[str]) -> None:
        self._folder = os.path.join(os.path.realpath(folder), "")
        self._left_out = tuple(os.path.join(os.path.realpath(f), "") for f in left_out)
        self._paths: dict[str, str | None] = {}
        self._read: set[str] = set()
        self._written: set[str] = set()
        self._beyond = False
        self._is_on = False

    def start(self) -> None:
        """Begin to note."""
        sys.addaudithook(self._hear)
        self.resume()

    def resume(self) -> None:
        """Note again, after `stop`."""
        self._is_on = True

    def stop(self) -> None:
        """Note no longer."""
        self._is_on = False

    def take(self) -> tuple[list[str], list[str], bool]:
        """Return the files read and written, and whether other programs or hosts were used, since the last time."""
        taken = sorted(self._read), sorted(self._written), self._beyond
        self._read.clear()
        self._written.clear()
        self._beyond = False
        return taken

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._is_on:
            return
        if event == "open":
            self._note(arguments[0], arguments[2])
        elif event == "sqlite3.connect":
            self._note(arguments[0], os.O_RDWR)
        elif event in ("subprocess.Popen", "os.fork", "os.posix_spawn", "os.exec", "os.system", "socket.connect"):
            self._beyond = True

    def _note(self, file: Any, flags: Any) -> None:
        if isinstance(file, bytes):
            file = os.fsdecode(file)
        if not isinstance(file, str) or file == ":memory:" or file.endswith(".pyc"):
            return
        path = self.path_of(file if os.path.isabs(file) else os.path.join(os.getcwd(), file))
        if path is None:
            return
        writes = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        (self._written if writes else self._read).add(path)

    def path_of(self, name: str) -> str | None:
        """Return the absolute path of a file of the project; None: it is not one."""
        if name not in self._paths:
            real = os.path.realpath(name)
            inside = real.startswith(self._folder) and not real.startswith(self._left_out)
            self._paths[name] = real if inside else None
        return self._paths[name]
