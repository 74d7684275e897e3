"""Constants: which changed assignments can be put into the running process, and who may notice.

A constant of a module or a plain class is read where its name stands. If that is only in functions, and none of these
has run at import, then binding the name anew is the same as importing the changed module; it takes no time, and only
tests that execute a statement with the name can notice. So it is with the default of a dataclass' field, which shows
where the name of the class stands. Everything else that runs at import has to be imported afresh.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from importlib.util import decode_source
from pathlib import Path
from types import MappingProxyType
from typing import Final

import msgspec

from orchestrator.adapters import source
from orchestrator.mutation.candidates import Candidate
from orchestrator.mutation.dataclass_fields import AtImport, fields_of
from orchestrator.mutation.modules import Modules

# Calls that give a value and do nothing else.
_PURE_CALLS: Final = frozenset(
    {"compile", "frozenset", "set", "tuple", "list", "dict", "timedelta", "Decimal", "Fraction", "date", "datetime"}
)
_DEFINITIONS: Final = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_NO_CONSTANT: Final = re.compile(r"__\w+__$")  # `__slots__` and the like mean something to Python itself


class Mention(msgspec.Struct, frozen=True):
    """Where a name stands.

    Attributes:
        name: The name; `*` where any may be meant.
        path: The file.
        line: First line of the statement.
        at_import: Whether it is outside of functions.
        bare: Whether it stands by itself: in a function, no attribute can be meant.
    """

    name: str
    path: str
    line: int
    at_import: bool
    bare: bool = False


class Readers(msgspec.Struct, frozen=True, kw_only=True):
    """Who mentions a name while tests run.

    Attributes:
        lines: Statements of the source, by file, as masks of first lines.
        files: Files of tests.
        everybody: Whether any test may: something that all may use mentions it.
    """

    lines: Mapping[str, int]
    files: frozenset[str] = frozenset()
    everybody: bool = False


class Constant(msgspec.Struct, frozen=True, kw_only=True):
    """An assignment that can be made anew.

    Attributes:
        owner: The class, qualified; empty: the module.
        name: What is assigned.
        readers: Who may see it.
        makers: Of a class: who may have an object of it, which one has to, too, to see it; None: anybody may.
    """

    owner: str
    name: str
    readers: Readers
    makers: Readers | None = None


class Names:
    """Where every name of the project stands.

    Args:
        sources: Source files, absolute.
        tests: The other Python files of the project, absolute.
        at_import: Statements of the source that are executed at import and collection.
    """

    def __init__(self, sources: Iterable[str], tests: Iterable[str], at_import: Mapping[str, int]) -> None:
        self._at_import = at_import
        self._mentions: dict[str, list[Mention]] = {}
        self._assigned: dict[tuple[str, str], int] = {}
        self._aliases: dict[str, set[str]] = {}  # by name: what imports call it too
        self._subclasses: dict[str, set[str]] = {}
        self._defined: dict[str, set[str]] = {}  # names of imports, functions and classes, by file
        self._decorated: set[tuple[str, str]] = set()
        self._types_matter = False
        self._dataclasses: dict[tuple[str, str], dict[str, int | None]] = {}
        self._made_by_source, self._made_by_tests = AtImport(), AtImport()
        self._test_words: dict[str, frozenset[str]] = {}
        self._read_at_collection: set[str] = set()
        called: set[str] = set()
        helpers: dict[str, set[str]] = {}  # functions of the tests' files, with the names that they read
        sources = list(sources)
        self._modules = Modules(sources)
        self._handed_on: dict[str, list[Mention]] = {}  # where a file's module is taken as a whole
        stems = frozenset(Path(path).stem for path in sources)
        for path in sources:
            tree = _parsed(path)
            if tree is not None:
                self._read(path, tree, stems)
                self._types_matter |= source.looks_at_types(Path(path))
        for path in tests:
            tree = _parsed(path)
            if tree is not None:
                self._test_words[path] = _read_by(tree)
                for statement, _, is_outside in _statements(tree.body):
                    self._names_of(statement)
                    if is_outside:
                        self._read_at_collection |= _loaded(statement)
                        self._made_by_tests.note(statement)
                        called |= _called(statement)
                    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
                        helpers.setdefault(statement.name, set()).update(_read_in(statement))
        self._read_by_helpers = _read_by_called(called, helpers)

    def _read(self, path: str, tree: ast.Module, stems: frozenset[str]) -> None:
        statements = list(_statements(tree.body))
        modules = self._modules.bound(path, (statement for statement, _, _ in statements))
        for statement, owner, at_import in statements:
            if at_import:
                self._made_by_source.note(statement)
            for file in self._modules.handed_on(_own_nodes(statement), modules):
                self._handed_on.setdefault(file, []).append(Mention(_ANY, path, statement.lineno, at_import))
            names = _read_names(statement)
            if _reads_anything(statement, stems):
                names[_ANY] = False
            for name, bare in names.items():
                self._mentions.setdefault(name, []).append(Mention(name, path, statement.lineno, at_import, bare))
            self._names_of(statement)
            for name in _stored(statement):
                key = (path, f"{owner}.{name}" if owner else name)
                self._assigned[key] = self._assigned.get(key, 0) + 1
                if at_import and not owner and isinstance(statement, _DEFINITIONS):
                    self._defined.setdefault(path, set()).add(name)
            if isinstance(statement, ast.ClassDef) and (statement.decorator_list or statement.keywords):
                name = f"{owner}.{statement.name}" if owner else statement.name
                self._decorated.add((path, name))
                if not owner and (fields := fields_of(statement)):
                    self._dataclasses[path, name] = fields

    def _names_of(self, statement: ast.stmt) -> None:
        """Look at what gives a class or a constant another name: an import, a class that inherits."""
        for name, alias in _renamed(statement):
            self._aliases.setdefault(name, set()).add(alias)
        if isinstance(statement, ast.ClassDef):
            for base in statement.bases:
                if isinstance(base, ast.Name | ast.Attribute):
                    name = base.id if isinstance(base, ast.Name) else base.attr
                    self._subclasses.setdefault(name, set()).add(statement.name)

    def constant(self, candidate: Candidate) -> Constant | None:
        """Return what a changed assignment assigns, if it can be made anew; None: it can't."""
        path, owner = candidate.change.path, ""
        name = candidate.mutant.function
        if "." in name:
            owner, _, name = name.rpartition(".")
        defined = {known for known in self._defined.get(path, ()) if self._assigned[path, known] == 1}
        if not name.isidentifier() or _NO_CONSTANT.match(name) or not _is_pure(candidate, name, defined):
            return None
        key = f"{owner}.{name}" if owner else name
        if self._assigned.get((path, key), 0) != 1 or self._assigned.get((path, "*"), 0):
            return None
        shows = self._shows(path, owner, name)
        names = self._known_as(shows)
        if not shows or self._read_by_helpers & names:
            return None
        reading = []
        for mention in (*self._mentioned(names), *self._anything_of(path)):
            if mention.at_import and shows == owner and mention.name != _ANY:
                continue  # it gives the field, or tells a type
            if mention.bare and not mention.at_import and owner and shows == name:
                continue  # a variable of that name
            executed = self._at_import.get(mention.path, 0) >> mention.line & 1
            if mention.at_import or executed:
                return None
            reading.append(mention)
        readers = self._readers(_lines_of(reading), names)
        makers = self._makers(path, owner) if owner and shows == name else None
        return Constant(owner=owner, name=name, readers=readers, makers=makers)

    def _anything_of(self, path: str) -> tuple[Mention, ...]:
        """Return the statements that may mean any name of a file's module."""
        return (*self._mentions.get(_ANY, ()), *self._handed_on.get(path, ()))

    def _readers(self, lines: Mapping[str, int], names: Collection[str]) -> Readers:
        files = frozenset(path for path, words in self._test_words.items() if not words.isdisjoint(names))
        shared = any(not Path(p).name.startswith("test") and not Path(p).name.endswith("_test.py") for p in files)
        return Readers(lines=lines, files=files, everybody=shared)

    def _makers(self, path: str, owner: str) -> Readers | None:
        """Return who may have an object of a class, or of one that inherits from it; None: anybody may."""
        names = self._known_as(owner.rpartition(".")[2], self._subclasses)
        if self._made_by_source.uses(names):
            return None
        mentions = (*self._mentioned(names), *self._anything_of(path))
        lines = _lines_of(mention for mention in mentions if not mention.at_import)
        if any(self._at_import.get(file, 0) & mask for file, mask in lines.items()):
            return None  # a function that runs at import
        return self._readers(lines, names)

    def _shows(self, path: str, owner: str, name: str) -> str:
        """Return the name that stands wherever a value shows: its own, or its dataclass'; empty: it shows elsewhere."""
        fields = self._dataclasses.get((path, owner))
        if fields is None:
            is_hidden = (path, owner) in self._decorated or self._read_at_collection & self._known_as(name)
            return "" if is_hidden else name
        if self._types_matter or name not in fields or self._assigned.get((path, owner), 0) != 1:
            return ""
        classes, place = self._known_as(owner), fields[name]
        made = (self._made_by_source, self._made_by_tests)
        return "" if any(one.leaves_out(classes, name, place) for one in made) else owner

    def _known_as(self, name: str, more: Mapping[str, set[str]] = MappingProxyType({})) -> set[str]:
        """Return a name, those that imports give it, and those that follow from one of them by `more`."""
        names, waiting = {name}, [name]
        while waiting:
            one = waiting.pop()
            found = (self._aliases.get(one, set()) | more.get(one, set())) - names
            names |= found
            waiting += found
        return names

    def _mentioned(self, names: Iterable[str]) -> Iterator[Mention]:
        """Yield where names stand."""
        for known in sorted(names):
            yield from self._mentions.get(known, ())

    def mentions(self, candidate: Candidate) -> list[dict[str, int]]:
        """Return the statements that mention each part of the name of what is defined, as masks by file."""
        names = candidate.mutant.function.split(".")
        return [lines for name in names if (lines := _lines_of(self._mentioned(self._known_as(name))))]


def _lines_of(mentions: Iterable[Mention]) -> dict[str, int]:
    """Return the statements of mentions as masks by file."""
    lines: dict[str, int] = {}
    for mention in mentions:
        lines[mention.path] = lines.get(mention.path, 0) | 1 << mention.line
    return lines


def _read_by_called(names: Iterable[str], functions: Mapping[str, set[str]]) -> set[str]:
    """Return what functions read that may be called by these names, and those that they may call."""
    found: set[str] = set()
    waiting, seen = list(names), set(names)
    while waiting:
        read = functions.get(waiting.pop(), set())
        found |= read
        waiting += read - seen
        seen |= read
    return found


def _parsed(path: str) -> ast.Module | None:
    try:
        return ast.parse(decode_source(Path(path).read_bytes()))
    except (OSError, SyntaxError, ValueError):
        return None


_BY_TEXT: Final = frozenset({"getattr", "setattr", "delattr", "attrgetter", "patch", "object"})


def _read_by(tree: ast.Module) -> frozenset[str]:
    """Return the names that a test's file reads; words of its texts too, where it looks things up by text."""
    names: set[str] = set()
    words: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            names.add(node.id)
        elif isinstance(node, ast.Attribute):
            names.add(node.attr)
        elif isinstance(node, ast.ImportFrom):
            names.update(entry.name for entry in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            words.update(re.findall(r"[^\W\d]\w*", node.value))
    return frozenset(names | words if names & _BY_TEXT else names)


def _statements(
    body: Iterable[ast.stmt], owner: str = "", *, at_import: bool = True
) -> Iterator[tuple[ast.stmt, str, bool]]:
    """Yield every statement, the class around it (of code that runs at import), and whether it runs at import."""
    for statement in body:
        yield statement, owner, at_import
        inner, inside = owner, at_import
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            inner, inside = "", False
        elif isinstance(statement, ast.ClassDef):
            inner = f"{owner}.{statement.name}" if owner else statement.name
        for field in ("body", "orelse", "finalbody"):
            yield from _statements(getattr(statement, field, ()), inner, at_import=inside)
        for part in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
            yield from _statements(part.body, inner, at_import=inside)


def _called(statement: ast.stmt) -> set[str]:
    """Return the names of functions that a statement may call, now or later: what it names, whatever its texts say."""
    nodes = list(_own_nodes(statement))
    named = {node.id for node in nodes if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store)}
    return named | {node.attr for node in nodes if isinstance(node, ast.Attribute)}


def _read_in(function: ast.stmt) -> set[str]:
    """Return the names that a function reads, those of its inner statements too."""
    return {name for statement in ast.walk(function) if isinstance(statement, ast.stmt) for name in _loaded(statement)}


def _own_nodes(statement: ast.stmt) -> Iterator[ast.AST]:
    """Yield the nodes of a statement, without those of the statements in it."""
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += [
            child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.stmt) or child is statement
        ]


def _loaded(statement: ast.stmt) -> set[str]:
    """Return the names that a statement reads, words of its texts among them; what it imports is no reading."""
    return {*_read_names(statement)}


def _read_names(statement: ast.stmt) -> dict[str, bool]:
    """Return the names that a statement reads, each with whether it only stands by itself."""
    bare: set[str] = set()
    found: set[str] = set()
    nodes = list(_own_nodes(statement))
    parameters = {id(part) for node in nodes for part in _parameters(node)}
    for node in nodes:
        if id(node) in parameters:
            continue
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store):
            bare.add(node.id)
        elif isinstance(node, ast.Attribute):
            if not isinstance(node.ctx, ast.Store) or isinstance(statement, ast.AugAssign):
                found.add(node.attr)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            if not (isinstance(statement, ast.Expr) and statement.value is node):  # a docstring says nothing
                found.update(re.findall(r"[^\W\d]\w*", node.value))
        elif isinstance(node, ast.Global | ast.Nonlocal):
            bare.update(node.names)
        elif isinstance(node, ast.MatchClass):
            found.update(node.kwd_attrs)
    return dict.fromkeys(bare, True) | dict.fromkeys(found, False)


def _parameters(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what names the parameters of a test, in a call of `pytest.mark.parametrize`: these are no other names."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "parametrize":
        yield from (part for argument in node.args[:1] for part in ast.walk(argument))


_ANY: Final = "*"  # what a statement mentions that looks names up while it runs
_LOOK_UP: Final = frozenset({"getattr", "hasattr", "vars", "dir", "globals", "locals", "eval", "exec", "attrgetter"})


def _reads_anything(statement: ast.stmt, stems: frozenset[str]) -> bool:
    """Whether a statement may read any constant: it looks names up, or names one of these modules by a text."""
    for node in _own_nodes(statement):
        if isinstance(node, ast.Attribute) and node.attr in ("__dict__", "__subclasses__"):
            return True
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _LOOK_UP:
            named = len(node.args) > 1 and isinstance(node.args[1], ast.Constant)
            if not named:
                return True
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            package, _, module = node.value.rpartition(".")
            if package and module in stems:
                return True
    return False


def _renamed(statement: ast.stmt) -> Iterator[tuple[str, str]]:
    """Yield the names that an import gives another name, with that name."""
    if isinstance(statement, ast.ImportFrom):
        yield from ((entry.name, entry.asname) for entry in statement.names if entry.asname)


def _stored(statement: ast.stmt) -> set[str]:
    """Return the names that a statement binds; `*` where an import binds whatever there is."""
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return {entry.asname or entry.name.partition(".")[0] for entry in statement.names}
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name}
    return {node.id for node in _own_nodes(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


def _is_pure(candidate: Candidate, name: str, defined: Collection[str]) -> bool:
    """Whether the changed statement binds its one name to a value that nothing else depends on.

    Args:
        candidate: The mutant.
        name: The name.
        defined: Names that always mean the same: modules, functions, classes.
    """
    try:
        (statement,) = ast.parse("if 1:\n" + "\n".join(candidate.change.lines)).body
    except (SyntaxError, ValueError):
        try:
            (statement,) = ast.parse("\n".join(candidate.change.lines)).body
        except (SyntaxError, ValueError):
            return False
    if isinstance(statement, ast.If):
        if len(statement.body) != 1:
            return False
        statement = statement.body[0]
    if isinstance(statement, ast.Assign):
        target = statement.targets[0] if len(statement.targets) == 1 else None
    elif isinstance(statement, ast.AnnAssign):
        target = statement.target
    else:
        return False
    value = statement.value
    return isinstance(target, ast.Name) and target.id == name and value is not None and _is_value(value, defined)


def _is_value(node: ast.expr | None, defined: Collection[str]) -> bool:
    """Whether an expression is made of literals and definitions alone, and of calls that only give a value."""
    parts: list[ast.expr | None]
    match node:
        case ast.Constant():
            return True
        case ast.Name(id=name):
            return name in defined
        case ast.Attribute(value=ast.Name(id=name)):  # of a module, a class
            return name in defined
        case ast.Tuple(elts=elements) | ast.List(elts=elements) | ast.Set(elts=elements):
            parts = [*elements]
        case ast.Dict(keys=keys, values=values):
            parts = [*keys, *values]
        case ast.UnaryOp(operand=operand):
            parts = [operand]
        case ast.BinOp(left=left, right=right):
            parts = [left, right]
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=arguments, keywords=named):
            parts = [*arguments, *(k.value for k in named)] if name in _PURE_CALLS else [None]
        case _:
            return False
    return all(_is_value(part, defined) for part in parts)
