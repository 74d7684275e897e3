"""Put a mutant into the running process: other code for every live function of it, another file when it is imported.

The user's own source is imported, no copy of it. A change is a span of lines in one file; of a function it is compiled
by itself, with its true lines and names, and takes the place of the code that live functions have.
"""

from __future__ import annotations
import __future__

import ast
import functools
import gc
import os
import sys
import types
from collections.abc import Callable, Iterator, Sequence
from importlib.machinery import SourceFileLoader
from importlib.util import decode_source, resolve_name
from types import CodeType, FunctionType
from typing import Any

from .lines import FunctionRecorder, first_line

# What tells a function's code from any other in the process: file, first line, name.
Key = tuple[str, int, str]
Undo = Callable[[], object]

_FUTURE = functools.reduce(
    lambda flags, name: flags | getattr(__future__, name).compiler_flag, __future__.all_feature_names, 0
)


class NotSwappable(Exception):  # noqa: N818 - a fact about a mutant, not a fault
    """The change can't be put into live functions: the module has to be imported afresh."""


class Change:
    """A mutant.

    Attributes:
        path: The changed file, absolute, links resolved.
        first: First line of the definition that is changed (decorators included), or of the changed statement.
        last: Its last line.
        lines: What stands there instead.
        function: Whether it is a function, so that it can be swapped.
        constant: Of an assignment that can be made anew: the class around it (may be empty), and the name.
    """

    def __init__(self, told: dict[str, Any]) -> None:
        self.path: str = told["path"]
        self.first: int = told["first"]
        self.last: int = told["last"]
        self.lines: list[str] = told["lines"]
        self.function: bool = told["function"]
        self.constant: list[str] | None = told["constant"]


class Source:
    """A file's content, and where its definitions are."""

    def __init__(self, text: str) -> None:
        self.tree = ast.parse(text)
        self.lines = text.split("\n")
        self._before: dict[tuple[int, int], str] = {}  # of a definition in its skeleton

    @classmethod
    def read(cls, path: str) -> Source:
        """Return a file as it is on disk. Python's own reader knows of byte order marks and coding lines."""
        with open(path, "rb") as file:
            return cls(decode_source(file.read()))

    def changed(self, change: Change) -> str:
        """Return the whole file with the change in it."""
        return "\n".join([*self.lines[: change.first - 1], *change.lines, *self.lines[change.last :]])

    def skeleton(self, first: int, last: int, lines: list[str]) -> str:
        """Return a definition alone, at its true line, inside the classes that it is in."""
        if (first, last) not in self._before:
            kept = ["\n"] * (first - 1)
            for node in self._around(first, last):
                indent = self.lines[node.lineno - 1][: node.col_offset]
                kept[node.lineno - 1] = f"{indent}{_header(node)}\n"
            self._before[first, last] = "".join(kept)
        return self._before[first, last] + "\n".join(lines)

    def _around(self, first: int, last: int) -> Iterator[Any]:
        """Yield the compound statements around a definition, outermost first."""
        body: list[Any] = list(self.tree.body)
        while body:
            node = body.pop()
            if not (first_line(node) < first and last <= node.end_lineno):
                continue
            if node.lineno >= first or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                raise NotSwappable(f"line {first} is in a function")
            yield node
            body = [
                *getattr(node, "body", ()),
                *getattr(node, "orelse", ()),
                *getattr(node, "finalbody", ()),
                *(statement for handler in getattr(node, "handlers", ()) for statement in handler.body),
            ]


def _header(node: Any) -> str:
    """Return a line under which the statements of a compound one mean the same."""
    if isinstance(node, ast.ClassDef):
        return f"class {node.name}:"
    return "while 1:" if isinstance(node, (ast.For, ast.AsyncFor, ast.While)) else "if 1:"


class LiveFunctions:
    """The functions that exist when the session is collected, by the code that they have.

    Args:
        root: The project; only modules in it can have taken a name from another one of it.
        left_out: Folders in it that are not the project's own.
    """

    def __init__(self, root: str, left_out: Sequence[str] = ()) -> None:
        self._real: dict[str, str] = {}
        self._old: dict[tuple[str, int, int], CodeType] = {}
        self._sources: dict[str, Source] = {}
        self._inside, self._outside = _folder(root), tuple(map(_folder, left_out))
        # What each module of the project imports by name; read once for all children.
        self._taken: list[tuple[types.ModuleType, list[tuple[str, str, str]]]] = []
        self.look()

    def look(self) -> None:
        """Find what is alive now; again when more has been imported."""
        gc.unfreeze()  # what was set aside before a fork would not be found
        self._functions: dict[Key, list[FunctionType]] = {}
        caches: list[Any] = []
        for candidate in gc.get_objects():
            kind = type(candidate)
            if kind is FunctionType:
                self._functions.setdefault(self._key(candidate.__code__), []).append(candidate)
            elif kind is functools._lru_cache_wrapper:
                caches.append(candidate)
        # By the identity of all that a cache wraps.
        self._caches: dict[int, list[Any]] = {}
        for cache in caches:
            for wrapped in _wrapped(cache):
                self._caches.setdefault(id(wrapped), []).append(cache)
        known = {id(module) for module, _ in self._taken}
        for module in list(sys.modules.values()):
            file = _file_of(module)
            is_ours = file.startswith(self._inside) and not file.startswith(self._outside) and file.endswith(".py")
            if is_ours and id(module) not in known:
                self._taken.append((module, self._imports(module)))

    def _key(self, code: CodeType) -> Key:
        name = code.co_filename
        real = self._real.get(name)
        if real is None:
            real = self._real[name] = os.path.realpath(name) if not name.startswith("<") else name
        return real, code.co_firstlineno, code.co_name

    def source(self, path: str) -> Source:
        """Return a file, read and parsed once; ask for it before forking."""
        if path not in self._sources:
            self._sources[path] = Source.read(path)
        return self._sources[path]

    def prepared(self, change: Change) -> Callable[[], Undo]:
        """Return what puts a mutant into the process, and returns what takes it out again.

        What can be done without a trace in this process is done now. That call, and not this one, raises
        `NotSwappable`: the mutant's module has to be imported afresh.
        """
        if change.constant:
            return functools.partial(self._bind, change, *change.constant)
        if not change.function:
            return lambda: _nothing  # its module is not imported yet: it will be imported changed
        try:
            swap = self.swap(change)
        except Exception as error:  # noqa: BLE001 - also what does not compile is told of its mutant, and ends no other
            return functools.partial(_raise, error)
        return swap.apply

    def _bind(self, change: Change, owner: str, name: str) -> Undo:
        """Bind a name of a module or a plain class to its new value, wherever that module's value has been taken."""
        text = "\n".join(change.lines)
        code = compile(text if not owner else "if 1:\n" + text, "<constant>", "exec", dont_inherit=True)
        bound: list[tuple[Any, str, Any]] = []
        for module in [m for m in list(sys.modules.values()) if _file_of(m) == change.path]:
            scope: dict[str, Any] = {}
            try:
                exec(code, dict(vars(module)), scope)  # noqa: S102 - the user's own line, changed
            except Exception as error:
                raise NotSwappable(f"its new value can't be made: {error}") from error
            if owner:
                holder = functools.reduce(getattr, owner.split("."), module)
                if "__dataclass_fields__" in getattr(holder, "__dict__", ()):
                    for one, attribute, new in _of_field(holder, name, scope[name]):
                        bound.append((one, attribute, getattr(one, attribute)))
                        setattr(one, attribute, new)
                    continue
                if not _is_plain(holder) or name not in vars(holder):
                    raise NotSwappable("its class is made in a way of its own")
                bound.append((holder, name, vars(holder)[name]))
                setattr(holder, name, scope[name])
                continue
            old = vars(module).get(name, scope)
            if old is scope:
                raise NotSwappable("its module has no such name")
            for holder, alias in self._holders(module, name):
                if vars(holder).get(alias) is old:
                    bound.append((holder, alias, old))
                    setattr(holder, alias, scope[name])
        return functools.partial(_bind_all, bound)

    def _holders(self, module: types.ModuleType, name: str) -> list[tuple[types.ModuleType, str]]:
        """Return a module's name and all that modules of the project have taken it as, directly or from each other."""
        holders = [(module, name)]
        for holder, known in holders:  # grows meanwhile
            for other, imports in self._taken:
                for source, taken, alias in imports:
                    if sys.modules.get(source) is not holder:
                        continue
                    if taken == "*":
                        raise NotSwappable(f"{other.__name__} imports everything of its module")
                    if taken == known and (other, alias) not in holders:
                        holders.append((other, alias))
        return holders

    def _imports(self, module: types.ModuleType) -> list[tuple[str, str, str]]:
        """Return what a module imports by name: from which module, the name there, the name here."""
        found: list[tuple[str, str, str]] = []
        try:
            tree = Source.read(_file_of(module)).tree  # not kept: what a process is large costs every fork
        except (OSError, SyntaxError, ValueError):  # what was imported is not there any more
            return found
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                try:
                    source = resolve_name("." * node.level + (node.module or ""), module.__package__ or "")
                except ImportError:
                    continue
                found += [(source, entry.name, entry.asname or entry.name) for entry in node.names]
        return found

    def swap(self, change: Change) -> Swap:
        """Return the new code of every live function of the changed definition.

        Raises:
            NotSwappable: new code of this kind does not fit the live functions, or there is none though its
                module is imported.
        """
        source = self.source(change.path)
        old = self._definition(change)
        live = self._functions.get((change.path, old.co_firstlineno, old.co_name), [])
        if not live:
            if any(_file_of(m) == change.path for m in list(sys.modules.values())):
                raise NotSwappable("its decorator keeps no function that has its code")
            return Swap([], [])  # not imported yet: it will be imported changed
        filename, flags = live[0].__code__.co_filename, live[0].__code__.co_flags & _FUTURE
        text = source.skeleton(change.first, change.last, change.lines)
        new = _definition(text, change, len(change.lines), filename, flags)
        functions: list[tuple[FunctionType, CodeType]] = []
        for before, after in _pairs(old, new):
            for function in self._functions.get((change.path, before.co_firstlineno, before.co_name), ()):
                if function.__code__.co_freevars != after.co_freevars:
                    raise NotSwappable("it uses other variables of the function around it")
                functions.append((function, after))
        return Swap(functions, [cache for function, _ in functions for cache in self._caches.get(id(function), ())])

    def _definition(self, change: Change) -> CodeType:
        """Return the code of a definition as it is without its change."""
        where = (change.path, change.first, change.last)
        if where not in self._old:
            source = self.source(change.path)
            lines = source.lines[change.first - 1 : change.last]
            self._old[where] = _definition(source.skeleton(change.first, change.last, lines), change, len(lines))
        return self._old[where]


class Swap:
    """New code for live functions.

    Attributes:
        functions: Each with its new code.
        caches: What has cached results of these functions.
    """

    def __init__(self, functions: list[tuple[FunctionType, CodeType]], caches: list[Any]) -> None:
        self.functions = functions
        self.caches = caches

    def apply(self) -> Undo:
        """Put it into this process; return what takes it out again."""
        before = [(function, function.__code__) for function, _ in self.functions]
        for function, code in self.functions:
            function.__code__ = code
        for cache in self.caches:
            cache.cache_clear()
        return Swap(before, self.caches).apply


def _nothing() -> None:
    """Nothing was put there."""


def _bind_all(bound: Sequence[tuple[Any, str, Any]]) -> None:
    for holder, name, value in bound:
        setattr(holder, name, value)


def _raise(error: Exception) -> Undo:
    raise error


def _folder(path: str) -> str:
    return os.path.join(os.path.realpath(path), "")


def _is_plain(holder: Any) -> bool:
    """Whether a class is made by `type` alone, so that its attributes are what its body says."""
    return type(holder) is type and not any(
        "__init_subclass__" in vars(base) or "__set_name__" in vars(base)
        for base in holder.__mro__
        if base is not object
    )


def _of_field(holder: Any, name: str, value: Any) -> list[tuple[Any, str, Any]]:
    """Return what has the default of a dataclass' field, with the attribute, and with what it is to be then.

    Raises:
        NotSwappable: the class was not made by `dataclass` alone, or it would not take the value.
    """
    init, field = vars(holder).get("__init__"), vars(holder)["__dataclass_fields__"].get(name)
    is_made = isinstance(init, FunctionType) and init.__code__.co_filename == "<string>"
    if not is_made or field is None or not _is_plain(holder) or holder.__subclasses__() or name not in vars(holder):
        raise NotSwappable("its class is made in a way of its own")
    if type(value).__hash__ is None:
        raise NotSwappable("a dataclass refuses such a default")
    old = vars(holder)[name]
    new = [(holder, name, value), (field, "default", value)]
    defaults, code = init.__defaults__ or (), init.__code__
    by_place = dict(zip(reversed(code.co_varnames[: code.co_argcount]), range(len(defaults) - 1, -1, -1)))  # noqa: B905
    if name in by_place and defaults[by_place[name]] is old:
        place = by_place[name]
        return [*new, (init, "__defaults__", (*defaults[:place], value, *defaults[place + 1 :]))]
    if (init.__kwdefaults__ or {}).get(name, init) is old:
        return [*new, (init, "__kwdefaults__", {**init.__kwdefaults__, name: value})]
    raise NotSwappable("its default is not the one of its class")


def _file_of(module: Any) -> str:
    name = getattr(module, "__file__", None) if isinstance(module, types.ModuleType) else None
    return os.path.realpath(name) if isinstance(name, str) else ""


def _definition(text: str, change: Change, count: int, filename: str = "<old>", flags: int = 0) -> CodeType:
    """Compile a skeleton and return the code of the definition in it."""
    module = compile(text, filename, "exec", flags=flags, dont_inherit=True)
    last = change.first + count - 1
    for code in _functions(module):
        if change.first <= code.co_firstlineno <= last:
            return code
    raise NotSwappable("it is no function")


def _functions(code: CodeType) -> Iterator[CodeType]:
    """Yield the functions in a module's or a class's code; not those that are made of expressions or annotations."""
    for inside in code.co_consts:
        if not isinstance(inside, CodeType):
            continue
        if not inside.co_flags & 0x1:  # CO_OPTIMIZED: it is the body of a class
            yield from _functions(inside)
        elif not inside.co_name.startswith("<") and inside.co_name != "__annotate__":
            yield inside


def _pairs(old: CodeType, new: CodeType) -> Iterator[tuple[CodeType, CodeType]]:
    """Yield the old and the new code of a function and of what is nested in it, matched by name and order."""
    yield old, new
    theirs: dict[str, list[CodeType]] = {}
    for code in new.co_consts:
        if isinstance(code, CodeType):
            theirs.setdefault(code.co_name, []).append(code)
    for code in old.co_consts:
        if isinstance(code, CodeType) and theirs.get(code.co_name):
            yield from _pairs(code, theirs[code.co_name].pop(0))


def _wrapped(cache: Any) -> Iterator[Any]:
    """Yield a cache, and what it wraps, from the outside in."""
    for _ in range(20):  # it may wrap itself
        if cache is None:
            return
        yield cache
        cache = getattr(cache, "__wrapped__", None)


class ChangedImport:
    """Gives the changed file to whoever imports it from now on.

    Args:
        change: The mutant.
        source: Its file.
        recorder: Compiles it, if what is executed is recorded.

    Attributes:
        used: Whether anybody did.
    """

    def __init__(self, change: Change, source: Source, recorder: FunctionRecorder | None = None) -> None:
        self.used = False
        original = SourceFileLoader.get_code

        def get_code(loader: SourceFileLoader, fullname: str) -> CodeType | None:
            name = loader.get_filename(fullname)
            if os.path.realpath(name) != change.path:
                return original(loader, fullname)
            self.used = True
            text = source.changed(change)
            code: CodeType = recorder.compiled(text, name) if recorder else loader.source_to_code(text, name)
            return code

        self._original = original
        SourceFileLoader.get_code = get_code  # type: ignore[method-assign, assignment]

    def end(self) -> None:
        """Give the file as it is from now on."""
        SourceFileLoader.get_code = self._original  # type: ignore[method-assign]
