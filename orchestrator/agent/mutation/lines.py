"""Which statements and functions of the source are executed, and which of the project's files are opened.

The source is imported with a mark in front of each statement that notes its line. A trace function would be called
for every function of every package, which on Python 3.11 makes tests many times slower; this costs next to nothing
outside of the source. The marks are made in shared memory, so that those of a test's own forked processes are seen too.
It is done in a process of its own. Where mutants are judged there is one mark a function only: it tells what a test
executes under a mutant, on which its verdict depends.
"""

from __future__ import annotations

import ast
import builtins
import mmap
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib.machinery import SourceFileLoader
from types import CodeType
from typing import Any

# A file's executed statements: bit n stands for the line n on which one begins. Sets of lines are united and compared.
Masks = dict[str, int]

_NAME = "_orchestrator_line_"
_FUNCTIONS = "_orchestrator_functions_"
# `TryStar` is there from Python 3.11 on.
_RUN_WHERE_THEY_STAND = (ast.If, ast.Try, ast.With, getattr(ast, "TryStar", ast.Try))
_MORE_FUNCTIONS = 2048  # that may be imported by a test; those beyond share the last mark


def outermost(
    body: Sequence[ast.stmt], prefix: str = ""
) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Yield the functions that are in no other one, with their qualified names, in the order of the text."""
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield prefix + node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from outermost(node.body, f"{prefix}{node.name}.")
        else:
            for branch in branches(node):
                yield from outermost(branch, prefix)


def branches(node: ast.stmt) -> Iterator[Sequence[ast.stmt]]:
    """Yield the bodies of a statement that is run where it stands: `if`, `try`, `with`."""
    if isinstance(node, _RUN_WHERE_THEY_STAND):
        yield node.body
        yield from (handler.body for handler in getattr(node, "handlers", ()))
        yield getattr(node, "orelse", ())
        yield getattr(node, "finalbody", ())


def united(*reaches: Mapping[str, int]) -> Masks:
    """Return the lines that are in any of some reaches."""
    found: Masks = {}
    for reach in reaches:
        for path, mask in reach.items():
            found[path] = found.get(path, 0) | mask
    return found


def as_hex(reach: Mapping[str, int]) -> dict[str, str]:
    """Return masks as they travel: JSON's numbers are too short for them."""
    return {path: hex(mask) for path, mask in reach.items()}


def first_line(node: ast.stmt) -> int:
    """Return the line on which a statement begins, its decorators included."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def last_line(node: ast.stmt) -> int:
    """Return the line on which a statement ends."""
    return node.end_lineno or node.lineno


def places(path: str, body: Sequence[ast.stmt]) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Yield the same with names that are different for each: `@overload`, `@property` and its setter share one."""
    seen: dict[str, int] = {}
    for name, node in outermost(body):
        seen[name] = seen.get(name, 0) + 1
        yield f"{path}::{name}" + (f"#{seen[name]}" if seen[name] > 1 else ""), node


class Recorder:
    """Imports the source with marks in it.

    Args:
        sources: Files and folders whose statements are recorded.
        left_out: Folders below them that are not the project's own.
    """

    def __init__(self, sources: list[str], left_out: list[str]) -> None:
        self._files = tuple(os.path.realpath(s) for s in sources)
        self._folders = tuple(os.path.join(s, "") for s in self._files)
        self._left_out = tuple(os.path.join(os.path.realpath(f), "") for f in left_out)

    def start(self, unheard: Callable[[], AbstractContextManager[None]] = nullcontext) -> None:
        """Instrument what is imported from now on.

        Args:
            unheard: In which the files are read.
        """
        original = SourceFileLoader.get_code

        def get_code(loader: SourceFileLoader, fullname: str) -> CodeType | None:
            name = loader.get_filename(fullname)
            path = os.path.realpath(name)
            if not self.is_source(path):
                return original(loader, fullname)
            with unheard(), open(name, "rb") as file:
                content = file.read()
            return self.compiled(content, name)

        SourceFileLoader.get_code = get_code  # type: ignore[method-assign, assignment]

    def compiled(self, source: bytes | str, name: str) -> CodeType:
        """Return a file's code, with marks in it if it is the source's."""
        path = os.path.realpath(name)
        tree = ast.parse(source, name)
        marked = self._instrumented(tree, path) if self.is_source(path) else tree
        code: CodeType = compile(marked, name, "exec", dont_inherit=True)
        return code

    def is_source(self, path: str) -> bool:
        """Whether a file's statements are recorded."""
        return (path in self._files or path.startswith(self._folders)) and not path.startswith(self._left_out)

    def _instrumented(self, tree: ast.Module, path: str) -> ast.Module:
        raise NotImplementedError


class FunctionRecorder(Recorder):
    """Records executed functions, between one `take` and the next; what is nested in one counts as it."""

    def __init__(self, sources: list[str], left_out: list[str]) -> None:
        super().__init__(sources, left_out)
        self._numbers: dict[str, int] = {}
        self._told = 0
        self._size = 1 << 16
        self._marks = _memory(_FUNCTIONS, self._size)

    def renew(self) -> None:
        """Make marks of one's own from now on: a forked process shares its parent's memory."""
        # Not much larger than needed: each page of it costs every child some microseconds.
        self._size = -(-(len(self._numbers) + _MORE_FUNCTIONS) // mmap.PAGESIZE) * mmap.PAGESIZE
        self._marks = _memory(_FUNCTIONS, self._size)

    def take(self) -> dict[str, Any]:
        """Return the functions executed since the last time this was asked, by number, and the numbers' new meaning.

        `table` has the places (`path::qualified.name`) of the numbers that follow those told before. `ran` is empty
        when there are more functions than marks.
        """
        mask = _mask(self._marks)
        told: dict[str, Any] = {"ran": "" if mask >> (self._size - 1) else hex(mask)}
        if len(self._numbers) > self._told:
            told["table"] = list(self._numbers)[self._told :]
            self._told = len(self._numbers)
        return told

    def _instrumented(self, tree: ast.Module, path: str) -> ast.Module:
        for place, function in places(path, tree.body):
            number = self._numbers.setdefault(place, len(self._numbers))
            _EntryMarker(min(number, self._size - 1)).visit(function)
        return ast.fix_missing_locations(tree)


class _EntryMarker(ast.NodeTransformer):
    """Puts a mark at the beginning of a function and of those nested in it."""

    def __init__(self, number: int) -> None:
        self._number = number

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            first = node.body[0]
            has_docstring = isinstance(first, ast.Expr) and _is_text(first.value)
            at = 1 if has_docstring and len(node.body) > 1 else 0
            if not (has_docstring and at == 0):  # else there is nothing in it that could be executed
                node.body.insert(at, _mark(_FUNCTIONS, self._number, node.body[at]))
        return node


class StatementRecorder(Recorder):
    """Records executed statements, between one `take` and the next."""

    def __init__(self, sources: list[str], left_out: list[str]) -> None:
        super().__init__(sources, left_out)
        self._marks: dict[str, tuple[str, mmap.mmap]] = {}  # by path: the name that the code knows them by

    def take(self) -> Masks:
        """Return the statements executed since the last time this was asked, by absolute path."""
        taken = {}
        for path, (_, marks) in self._marks.items():
            if mask := _mask(marks):
                taken[path] = mask
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


def _mask(marks: mmap.mmap) -> int:
    """Return where marks are, as the bits of a number, and take them away."""
    content = marks[:]
    at = content.find(1)
    mask = 0
    while at >= 0:
        mask |= 1 << at
        marks[at] = 0
        at = content.find(1, at + 1)
    return mask


def _mark(name: str, number: int, statement: ast.stmt) -> ast.stmt:
    """Return a statement that makes a mark, at the place of another one."""
    where = ast.Subscript(ast.Name(name, ast.Load()), ast.Constant(number), ast.Store())
    return ast.copy_location(ast.Assign([where], ast.Constant(1)), statement)


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
                noted.append(_mark(self._name, statement.lineno, statement))
            noted.append(statement)
        return noted


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
        self._unheard = 0  # a thread

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

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Note nothing that this thread opens within: of an imported file it is known what runs of it."""
        self._unheard = threading.get_ident()
        try:
            yield
        finally:
            self._unheard = 0

    def take(self) -> tuple[list[str], list[str], bool]:
        """Return the files read and written, and whether other programs or hosts were used, since the last time."""
        taken = sorted(self._read), sorted(self._written), self._beyond
        self._read.clear()
        self._written.clear()
        self._beyond = False
        return taken

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._is_on or threading.get_ident() == self._unheard:
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
        if not isinstance(file, str) or file == ":memory:":
            return
        folder, name = os.path.split(file)
        if os.path.basename(folder) == "__pycache__":  # as good as its source, whoever writes it and whoever reads it
            file, flags = os.path.join(os.path.dirname(folder), name.partition(".")[0] + ".py"), os.O_RDONLY
        elif file.endswith(".pyc"):
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
