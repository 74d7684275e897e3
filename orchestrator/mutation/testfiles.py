"""Make a test of its own of a proposed assertion: the test that saw the damage, cut short, and what it needs.

A test's function is taken out of its file with its assertion, without what follows and without the assertions that it
makes already. Of its file come along the definitions and imports that it names, of its class everything that is no
test: so it needs nothing of the other file, and runs wherever the same `conftest.py` holds. What is made is only text
here; `trial` runs it.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import Final

import msgspec

from orchestrator import text
from orchestrator.agent.mutation.lines import first_line, last_line
from orchestrator.mutation.proposals import is_request

_WORDS: Final = re.compile(r'\["?(\w+)"?\]|(status)_code|\.(text)\b|\b(len)\(|"([\w-]+)" not in')
_READS: Final = ("json", "get_json")
_LONGEST_NAME: Final = 100
_WIDTH: Final = 120

_Function = ast.FunctionDef | ast.AsyncFunctionDef


class Definition(msgspec.Struct, frozen=True):
    """A statement of a module, and what it binds."""

    names: frozenset[str]
    lines: tuple[str, ...]


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """A test that was taken out of its file.

    Attributes:
        path: The file.
        operation: The label of the operation whose response it looks at; empty: none in the OpenAPI document.
        name: Of its function.
        head: The class around it, up to what is in it, and its members that are no tests; empty: there is none.
        lines: Its function, up to the assertions.
        assertions: The lines of each one that was missing.
        indent: Of the assertions.
        imports: What the rest needs.
        definitions: The same.
    """

    path: str
    operation: str
    name: str
    head: tuple[str, ...]
    lines: tuple[str, ...]
    assertions: tuple[str, ...]
    indent: str
    imports: tuple[str, ...]
    definitions: tuple[Definition, ...]

    @property
    def new_name(self) -> str:
        """The name of its function among the proposed ones: it says what is asserted."""
        found = [
            next(filter(None, match), "") for a in self.assertions for match in _WORDS.findall(a.partition("=")[0])
        ]
        words = "_".join(
            dict.fromkeys(re.sub(r"\W+", "_", w).strip("_").lower().replace("len", "length") for w in found)
        )
        return f"{self.name}_with_its_{words or 'response'}"[:_LONGEST_NAME].rstrip("_")

    @property
    def owner(self) -> str:
        """The name of the class around it; empty: there is none."""
        return next((m[1] for line in self.head if (m := re.match(r"class (\w+)", line))), "")


def taken(path: str, operation: str, source: str, line: int) -> Taken | None:
    """Take a test out of a file.

    Args:
        path: The file, for people.
        operation: The label of the operation whose response it looks at.
        source: The file's text with the assertion in it.
        line: Where that stands.

    Returns:
        The test; None: it stands where it can't be taken from, as in a class that is in another one.
    """
    tree = ast.parse(source)
    lines = source.split("\n")
    outer = next((n for n in tree.body if first_line(n) <= line <= last_line(n)), None)
    function: ast.stmt | None = outer
    head: tuple[str, ...] = ()
    around: list[ast.AST] = []  # what there is of a class without its tests
    if isinstance(outer, ast.ClassDef):
        function = next((n for n in outer.body if first_line(n) <= line <= last_line(n)), None)
        members = [n for n in outer.body if not _is_test(n) and not _is_text(n)]
        head = tuple(_head(lines, outer, members))
        around = [*members, *outer.bases, *outer.keywords, *outer.decorator_list]
    if not isinstance(function, _Function):
        return None
    dropped = _needless(function, line)
    kept = [k for k in range(first_line(function), line) if k not in dropped]
    used = _used(function, dropped, line) | {name for part in around for name in _used(part)}
    imports, definitions = _needed(tree, lines, used, without=outer)
    return Taken(
        path=path,
        operation=operation,
        name=function.name,
        head=head,
        lines=tuple(lines[k - 1] for k in kept),
        assertions=(lines[line - 1].strip(),),
        indent=lines[line - 1][: len(lines[line - 1]) - len(lines[line - 1].lstrip())],
        imports=imports,
        definitions=definitions,
    )


def merged(tests: Iterable[Taken]) -> list[list[int]]:
    """Return which tests are the same but for their assertions, each group in the given order."""
    groups: dict[tuple[object, ...], list[int]] = {}
    for number, test in enumerate(tests):
        groups.setdefault((test.path, test.operation, test.head, test.lines, test.indent), []).append(number)
    return list(groups.values())


def joined(tests: Sequence[Taken]) -> Taken:
    """Return one test with the assertions of some that are the same but for these."""
    assertions = tuple(dict.fromkeys(a for test in tests for a in test.assertions))
    imports = tuple(dict.fromkeys(i for test in tests for i in test.imports))
    definitions = tuple(dict.fromkeys(d for test in tests for d in test.definitions))
    return msgspec.structs.replace(tests[0], assertions=assertions, imports=imports, definitions=definitions)


def files(tests: Sequence[tuple[Taken, str]]) -> dict[str, tuple[str, list[tuple[int, str]]]]:
    """Return files of tests, by name: one for each operation, more where tests need different things of one name.

    Args:
        tests: Tests, each with a line that says what it is for.

    Returns:
        The text of each file, and what each of its tests is called in pytest's node ids after the file's name.
    """
    found: dict[str, list[int]] = {}
    for number, (test, _) in enumerate(tests):
        stem = f"test_proposed_{re.sub(r'[^a-z0-9]+', '_', (test.operation or 'other requests').lower()).strip('_')}"
        for suffix in _suffixes():
            group = found.setdefault(f"{stem}{suffix}.py", [])
            if all(_agree(tests[k][0], test) for k in group):
                group.append(number)
                break
    return {name: _file([tests[k] for k in group], group) for name, group in found.items()}


def _suffixes() -> Iterator[str]:
    """Yield what tells several of one name apart."""
    yield ""
    yield from (f"_{number}" for number in itertools.count(2))


def _agree(one: Taken, other: Taken) -> bool:
    """Whether two tests mean the same by the same names, and can be in one file."""
    if one.owner and one.owner == other.owner and one.head != other.head:
        return False
    bound = {name: d.lines for d in one.definitions for name in d.names}
    bound |= {name: (line,) for line in one.imports for name in _imported(line)}
    theirs = [(name, d.lines) for d in other.definitions for name in d.names]
    theirs += [(name, (line,)) for line in other.imports for name in _imported(line)]
    return all(bound.get(name, lines) == lines for name, lines in theirs)


def _file(tests: Sequence[tuple[Taken, str]], numbers: Sequence[int]) -> tuple[str, list[tuple[int, str]]]:
    operation = tests[0][0].operation
    lines = [f'"""Proposed by `orchestrator propose`{f" for {operation}" if operation else ""}."""']
    imports = list(_with_joined(dict.fromkeys(i for test, _ in tests for i in test.imports)))
    future = [i for i in imports if i.startswith("from __future__")]
    for part in (future, [i for i in imports if i not in future]):
        lines += ["", *part] if part else []
    was_block = False
    for definition in dict.fromkeys(d for test, _ in tests for d in test.definitions):
        is_block = definition.lines[0].startswith(("def ", "async def ", "class ", "@"))
        lines += [*([""] if is_block or was_block else []), "", *definition.lines]
        was_block = is_block
    names: list[tuple[int, str]] = []
    taken_names: set[str] = set()
    by_class: dict[tuple[str, ...], list[tuple[int, Taken, str]]] = {}
    for number, (test, told) in zip(numbers, tests, strict=True):
        by_class.setdefault(test.head, []).append((number, test, told))
    for head, group in by_class.items():
        lines += ["", "", *head] if head else []
        for number, test, told in group:
            name = next(n for s in _suffixes() if (n := f"{test.new_name}{s}") not in taken_names)
            taken_names.add(name)
            names.append((number, f"{test.owner}::{name}" if head else name))
            if not head:
                lines += ["", ""]
            elif not lines[-1].rstrip().endswith(":") or lines[-1] != head[-1]:  # not right below the class's own line
                lines.append("")
            define = re.compile(rf"(\s*(?:async )?def ){re.escape(test.name)}\b")
            lines += _wrapped([define.sub(rf"\g<1>{name}", line) for line in test.lines])
            lines += [f"{test.indent}# {line}" for line in told.split("\n")]
            lines += [f"{test.indent}{assertion}" for assertion in test.assertions]
    return "\n".join([*lines, ""]), names


def _wrapped(function: Sequence[str]) -> Iterator[str]:
    """Yield a function's lines, its parameters on a line of their own where its new name leaves no room for them."""
    for line in function:
        head, bracket, rest = line.partition("(")
        if len(line) > _WIDTH and re.match(r"\s*(async )?def ", line) and rest.rstrip().endswith(":") and ")" in rest:
            indent = line[: len(line) - len(line.lstrip())]
            parameters, _, end = rest.rpartition(")")
            yield from (head + bracket, f"{indent}    {parameters}", f"{indent}){end}")
        else:
            yield line


def _is_test(node: ast.stmt) -> bool:
    return isinstance(node, _Function | ast.ClassDef) and node.name.lower().startswith("test")


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _head(lines: Sequence[str], node: ast.ClassDef, members: Sequence[ast.stmt]) -> Iterator[str]:
    """Yield a class's lines without its tests."""
    opening = lines[first_line(node) - 1 : first_line(node.body[0]) - 1]
    yield from (line for line in opening if line.strip())
    for member in members:
        if isinstance(member, _Function | ast.ClassDef):
            yield ""
        yield from lines[first_line(member) - 1 : last_line(member)]


def _needless(function: _Function, line: int) -> frozenset[int]:
    """Return the lines before an assertion that the test does not need for it: others, and what only they read."""
    dropped: set[int] = set()
    before: list[ast.stmt] = []
    body: Sequence[ast.stmt] = function.body
    while True:
        inside = next((n for n in body if first_line(n) <= line <= last_line(n)), None)
        before += [n for n in body if last_line(n) < line]
        if inside is None or isinstance(inside, ast.Assert):
            break
        body = [n for n in ast.iter_child_nodes(inside) if isinstance(n, ast.stmt)]
    if function.body and _is_text(function.body[0]):
        before.remove(function.body[0])
        dropped.update(range(function.body[0].lineno, last_line(function.body[0]) + 1))  # it tells of the whole test
    removed: set[ast.stmt] = {n for n in before if isinstance(n, ast.Assert) and not _acts(n)}
    while True:
        kept = [n for n in ast.walk(function) if isinstance(n, ast.stmt) and n not in removed and first_line(n) <= line]
        read = {n.id for s in kept for n in _own(s) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
        more = {n for n in before if n not in removed and _only_names(n, read)}
        if not more:
            break
        removed |= more
    for statement in removed:
        dropped.update(range(first_line(statement), last_line(statement) + 1))
    return frozenset(dropped)


def _own(statement: ast.stmt) -> Iterator[ast.AST]:
    """Yield the nodes of a statement, without those of the statements in it."""
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += [n for n in ast.iter_child_nodes(node) if not isinstance(n, ast.stmt)]


def _acts(node: ast.AST) -> bool:
    """Whether something may be done when it is evaluated: a request is sent, a name is bound."""
    return any(
        isinstance(n, ast.NamedExpr | ast.Await) or (isinstance(n, ast.expr) and is_request(n)) for n in ast.walk(node)
    )


def _only_names(statement: ast.stmt, read: set[str]) -> bool:
    """Whether a statement only gives a name, that nobody reads, to what is there already."""
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        return False
    target = statement.targets[0]
    if not isinstance(target, ast.Name) or target.id in read:
        return False
    calls = [n for n in ast.walk(statement.value) if isinstance(n, ast.Call | ast.Await)]
    return all(isinstance(c, ast.Call) and isinstance(c.func, ast.Attribute) and c.func.attr in _READS for c in calls)


def _used(node: ast.AST, dropped: frozenset[int] = frozenset(), last: int = 0) -> set[str]:
    """Return the names that code uses, up to its last line: fixtures are those of parameters, and of texts."""
    found: set[str] = set()
    for n in ast.walk(node):
        line = getattr(n, "lineno", 0)
        if line in dropped or 0 < last < line:
            continue
        if isinstance(n, ast.Name):
            found.add(n.id)
        elif isinstance(n, ast.arg):
            found.add(n.arg)
        elif isinstance(n, ast.Constant) and isinstance(n.value, str) and n.value.isidentifier():
            found.add(n.value)
    return found


def _needed(
    tree: ast.Module, lines: Sequence[str], used: set[str], *, without: ast.stmt | None
) -> tuple[tuple[str, ...], tuple[Definition, ...]]:
    """Return the imports and the definitions of a module that code needs, and what these need."""
    others = [n for n in tree.body if n is not without and not _is_text(n)]
    bound = [(n, _bound(n)) for n in others]
    needed: set[ast.stmt] = {n for n in others if _holds_for_all(n)}
    waiting = [*used, *(name for n in needed for name in _used(n))]
    known: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in known:
            continue
        known.add(name)
        for statement, names in bound:
            if name in names and statement not in needed and not _is_test(statement):
                needed.add(statement)
                if not isinstance(statement, ast.Import | ast.ImportFrom):
                    waiting += _used(statement)
    imports = []
    definitions = []
    for statement, names in bound:
        if statement not in needed:
            continue
        if isinstance(statement, ast.Import | ast.ImportFrom):
            is_future = _is_future(statement)
            bound_by = [(alias, alias.asname or alias.name.partition(".")[0]) for alias in statement.names]
            imports += [_import(statement, alias) for alias, name in bound_by if is_future or name in known]
        else:
            told = tuple(lines[first_line(statement) - 1 : last_line(statement)])
            definitions.append(Definition(names, told))
    return tuple(imports), tuple(definitions)


def _import(statement: ast.Import | ast.ImportFrom, name: ast.alias) -> str:
    if isinstance(statement, ast.Import):
        return ast.unparse(ast.Import(names=[name]))
    return ast.unparse(ast.ImportFrom(module=statement.module, names=[name], level=statement.level))


def _with_joined(imports: Iterable[str]) -> Iterator[str]:
    """Yield imports, those from one module as one."""
    modules: dict[str, list[str]] = {}
    for line in imports:
        module, word, name = line.partition(" import ")
        modules.setdefault(module if word else line, []).append(name)
    for module, names in modules.items():
        line = f"{module} import {', '.join(names)}" if names[0] else module
        if len(line) <= _WIDTH:
            yield line
        else:
            yield from (f"{module} import (", *(f"    {name}," for name in names), ")")


def _imported(line: str) -> set[str]:
    (statement,) = ast.parse(line).body
    return set() if line.startswith("from __future__") else set(_bound(statement))


def _bound(statement: ast.stmt) -> frozenset[str]:
    """Return the names that a statement of a module binds, the name that a fixture is given among them."""
    found: set[str] = set()
    for node in ast.walk(statement):
        if isinstance(node, ast.Import | ast.ImportFrom):
            found.update(alias.asname or alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
    if isinstance(statement, _Function | ast.ClassDef):
        found = {statement.name}
        calls = [d for d in statement.decorator_list if isinstance(d, ast.Call)]
        found.update(
            k.value.value
            for call in calls
            for k in call.keywords
            if k.arg == "name" and isinstance(k.value, ast.Constant) and isinstance(k.value.value, str)
        )
    return frozenset(found)


def _holds_for_all(statement: ast.stmt) -> bool:
    """Whether a statement of a module concerns every test in it."""
    if isinstance(statement, ast.ImportFrom) and _is_future(statement):
        return True
    if isinstance(statement, _Function):
        calls = [d for d in statement.decorator_list if isinstance(d, ast.Call)]
        return any(k.arg == "autouse" for call in calls for k in call.keywords)
    return "pytestmark" in _bound(statement)


def _is_future(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.ImportFrom) and statement.module == "__future__"


def purpose(mutants: Sequence[tuple[str, str]]) -> str:
    """Return lines that say what a test is for.

    Args:
        mutants: Fingerprint and place of each that it notices.
    """
    names = ", ".join(fingerprint for fingerprint, _ in mutants[:4]) + (", …" if len(mutants) > 4 else "")
    places = ", ".join(dict.fromkeys(place for _, place in mutants))
    return text.cut(f"Nobody else notices {text.plural(len(mutants), 'mutant')} of {places}: {names}", _WIDTH - 12)


def folder_of(test: Taken, wanted: str) -> str:
    """Return the folder for a test: its own if that is within the wanted one, for its `conftest.py` holds there."""
    own = PurePosixPath(test.path).parent
    return str(own if own.is_relative_to(PurePosixPath(wanted)) else PurePosixPath(wanted))
