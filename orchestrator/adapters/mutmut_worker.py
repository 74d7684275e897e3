"""Ask mutmut 3.8 for the mutants of files: a program of its own, for libcst is slow to load.

It reads `{"patterns": […], "types_matter": …, "files": [{"path": …, "text": …}]}` and writes, per file, what
`mutmut.Made` holds. mutmut's public way is to write a file in which all mutants of each function stand side by side.
Here its visitor and its operators are asked, one step before that, so that functions with decorators and code outside
of functions have mutants too. What it makes of plain functions is the same, in the same order, with the same names.
"""

from __future__ import annotations

import ast
import bisect
import inspect
import json
import sys
import types
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

import libcst as cst
import mutmut.configuration
from libcst._nodes.internal import CodegenState
from libcst.metadata import MetadataWrapper, WhitespaceInclusivePositionProvider
from mutmut.mutation.file_mutation import NEVER_MUTATE_FUNCTION_NAMES, MutationVisitor
from mutmut.mutation.mutators import mutation_operators
from mutmut.mutation.pragma_handling import get_ignored_lines

from orchestrator.agent.mutation.lines import first_line
from orchestrator.agent.mutation.swap import NotSwappable, Source

_FAR = 60  # lines that a statement may have before an expression in it
_KEEPS_FUNCTION = ("staticmethod", "classmethod")
_LOG_METHODS = frozenset({"debug", "info", "warning", "warn", "error", "exception", "critical", "log"})
_ABOUT_THE_MODULE = frozenset({"__all__", "__version__", "__author__", "__license__", "__slots__", "__match_args__"})
_TYPE_FORMS = frozenset(
    {"Literal", "Union", "Optional", "Callable", "Type", "Dict", "List", "Tuple", "Mapping", "Sequence", "Iterable"}
    | {"dict", "list", "tuple", "type", "Iterator", "Awaitable", "Coroutine"}
)
_types_matter = [True]  # whether anything in the project looks at types while it runs
_FOR_TYPES = frozenset({"TypeVar", "NewType", "ParamSpec", "TypeVarTuple", "TypeAliasType"})


class Visitor(MutationVisitor):
    """mutmut's visitor, which also goes into decorated functions.

    Attributes:
        told: Per mutation: whether mutmut itself makes it, and whether it is in a default of the outermost function.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.told: list[tuple[bool, bool]] = []
        self._inside: list[cst.CSTNode] = []
        self._beyond = 0
        self._functions = 0
        self._lambdas = 0
        self._defaults = 0

    def on_visit(self, node: cst.CSTNode) -> bool:
        """Make the mutations of a node, and note where it is."""
        before = len(self.mutations)
        if not super().on_visit(node):
            return False
        self._inside.append(node)
        self._enter(node, 1)
        self.told += [(not self._beyond, bool(self._defaults))] * (len(self.mutations) - before)
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        """Note that what follows is outside of a node."""
        super().on_leave(original_node)
        if self._inside and self._inside[-1] is original_node:  # libcst also leaves what was not entered
            self._inside.pop()
            self._enter(original_node, -1)

    def _enter(self, node: cst.CSTNode, step: int) -> None:
        if isinstance(node, cst.FunctionDef):
            self._functions += step
            self._beyond += step * _is_left_alone(node)
        elif isinstance(node, cst.Lambda):
            self._lambdas += step
        elif isinstance(node, cst.Param) and self._functions == 1 and not self._lambdas:
            self._defaults += step

    def _skip_node_and_children(self, node: cst.CSTNode) -> bool:
        skips: bool = super()._skip_node_and_children(node)
        if not skips or not isinstance(node, cst.FunctionDef) or not _is_left_alone(node):
            return skips
        line = self.get_metadata(cst.metadata.PositionProvider, node).start.line
        return (
            line in self._ignored_node_lines
            or node.name.value in NEVER_MUTATE_FUNCTION_NAMES
            or node in self._enum_creation_hooks
            or any(_last_name(d.decorator) == "overload" for d in node.decorators)
        )


def _rendered(module: cst.Module, node: cst.CSTNode, indent: str) -> str:
    """Return a node's code, as it is inside a block of that indentation (`Module.code_for_node` knows of no block)."""
    state = CodegenState(default_indent=module.default_indent, default_newline=module.default_newline)
    if indent:
        state.increase_indent(indent)
    node._codegen(state)
    return "".join(state.tokens)


def _is_left_alone(node: cst.FunctionDef) -> bool:
    """Whether mutmut passes over a function because of its decorators."""
    names = [d.decorator.value for d in node.decorators if isinstance(d.decorator, cst.Name)]
    return bool(node.decorators) and not (len(node.decorators) == 1 and names and names[0] in _KEEPS_FUNCTION)


def _last_name(node: cst.BaseExpression) -> str:
    if isinstance(node, cst.Call):
        node = node.func
    if isinstance(node, cst.Attribute):
        node = node.attr
    return node.value if isinstance(node, cst.Name) else ""


class File:
    """One source file and its mutants."""

    def __init__(self, path: str, text: str) -> None:
        self._path = path
        self._text = text
        self._source = Source(text)
        self._starts = [0]
        for line in self._source.lines:
            self._starts.append(self._starts[-1] + len(line) + 1)
        self._casts = Casts(self._source.tree)
        self._definitions = _apart(definitions(self._source.tree.body))
        self._firsts = [d.first for d in self._definitions]
        self._codes: dict[tuple[int, int], list[Any]] = {}
        self._shapes: dict[tuple[int, int], Any] = {}

    def mutants(self) -> list[dict[str, Any]]:
        """Return every mutant, in mutmut's order."""
        module = cst.parse_module(self._text)
        wrapper = MetadataWrapper(module)
        visitor = Visitor(mutation_operators, get_ignored_lines(self._path, self._text, wrapper))
        module = wrapper.visit(visitor)
        positions = wrapper.resolve(WhitespaceInclusivePositionProvider)
        made = []
        for mutation, (own, in_default) in zip(visitor.mutations, visitor.told, strict=True):
            span = positions[mutation.original_node]
            start = self._starts[span.start.line - 1] + span.start.column
            end = self._starts[span.end.line - 1] + span.end.column
            indent = self._indent(module, mutation.original_node, span.start.line, self._text[start:end])
            if indent is not None:
                text = self._text[:start] + _rendered(module, mutation.mutated_node, indent) + self._text[end:]
            else:  # rendered by itself it looks another way: render the whole file, which takes long
                changed = wrapper.module.deep_replace(mutation.original_node, mutation.mutated_node)
                text = changed.code if isinstance(changed, cst.Module) else self._text
            mutant = self._mutant(text, own, in_default)
            if mutant:
                made.append(mutant)
        return made

    def _indent(self, module: cst.Module, node: cst.CSTNode, line: int, written: str) -> str | None:
        """Return the indentation with which a node is rendered as it is written; None: with none."""
        if _rendered(module, node, "") == written:
            return ""
        tried = set()
        for above in range(line, max(0, line - _FAR), -1):  # that of its statement, which may begin further up
            content = self._source.lines[above - 1]
            indent = content[: len(content) - len(content.lstrip())]
            if indent not in tried and _rendered(module, node, indent) == written:
                return indent
            tried.add(indent)
        return None

    def _mutant(self, text: str, own: bool, in_default: bool) -> dict[str, Any] | None:
        """Return a mutant from the changed text of the whole file; None: nothing has changed."""
        old, new = self._source.lines, text.split("\n")
        same_before = _common(old, new)
        if same_before == len(old) == len(new):
            return None
        limit = min(len(old), len(new)) - same_before
        same_after = min(_common(old[::-1], new[::-1]), limit)
        changed = (same_before + 1, max(same_before + 1, len(old) - same_after))
        definition = self._definition(*changed)
        if definition is None:
            return None
        last = definition.last + len(new) - len(old)
        lines = new[definition.first - 1 : last]
        at_import = definition.function and (in_default or definition.is_docstring_at(changed[0]))
        kind = "default" if at_import else definition.kind
        note = self._note(definition, lines, changed[0])
        return {
            "first": definition.first,
            "last": definition.last,
            "lines": lines,
            "changed": changed,
            "name": definition.name,
            "kind": kind,
            "own": own and definition.is_mutmuts,
            "note": note,
            "reach": definition.everywhere if note == "invalid" else self._reach(definition, lines, changed),
        }

    def _definition(self, first: int, last: int) -> Definition | None:
        at = bisect.bisect_right(self._firsts, first) - 1
        found = self._definitions[at] if at >= 0 else None
        return found if found and last <= found.last else None

    def _note(self, definition: Definition, lines: list[str], line: int) -> str:
        """Return why a mutant need not be judged; empty: it has to be."""
        compiled = self._compiled(definition, lines)
        if compiled is None:
            return "invalid"
        if definition.span not in self._codes:
            self._codes[definition.span] = [self._original(definition)]
        known = self._codes[definition.span]
        if compiled in known:
            return "equivalent" if compiled == known[0] else "duplicate"
        known.append(compiled)
        return "trivial" if definition.is_trivial_at(line) else ""

    def _original(self, definition: Definition) -> Any:
        return self._compiled(definition, self._source.lines[definition.first - 1 : definition.last])

    def _compiled(self, definition: Definition, lines: list[str]) -> Any:
        try:
            with warnings.catch_warnings(action="ignore"):
                skeleton = self._source.skeleton(definition.first, definition.last, lines)
                tree = self._casts.visit(ast.parse(skeleton))
                return comparable(compile(tree, "<mutant>", "exec", dont_inherit=True))
        except (SyntaxError, ValueError, NotSwappable):
            return None

    def _reach(self, definition: Definition, lines: list[str], changed: tuple[int, int]) -> list[int]:
        """Return the lines of the statements of which one is executed wherever the change can show."""
        if not definition.function:
            return definition.everywhere
        before, after = self._shape(definition), _shape(self._source, definition, lines)
        if before != after:
            # A generator runs otherwise from its call on; with other variables it may show everywhere in the body.
            is_alike = _kind(before, definition.name) == _kind(after, definition.name)
            return definition.body if is_alike else definition.everywhere
        return definition.statements(*changed)

    def _shape(self, definition: Definition) -> Any:
        if definition.span not in self._shapes:
            lines = self._source.lines[definition.first - 1 : definition.last]
            self._shapes[definition.span] = _shape(self._source, definition, lines)
        return self._shapes[definition.span]


class Casts(ast.NodeTransformer):
    """Takes `typing.cast` away: it returns its second argument whatever the first one is.

    Args:
        module: Says under which names the file knows it.
    """

    def __init__(self, module: ast.Module) -> None:
        self._modules: set[str] = set()
        self._functions: set[str] = set()
        for node in module.body:
            if isinstance(node, ast.Import):
                self._modules |= {a.asname or a.name for a in node.names if a.name in ("typing", "typing_extensions")}
            elif isinstance(node, ast.ImportFrom) and node.module in ("typing", "typing_extensions"):
                self._functions |= {a.asname or a.name for a in node.names if a.name == "cast"}

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Return the second argument of a cast whose first one can't do anything."""
        self.generic_visit(node)
        function = node.func
        is_cast = (isinstance(function, ast.Name) and function.id in self._functions) or (
            isinstance(function, ast.Attribute)
            and function.attr == "cast"
            and isinstance(function.value, ast.Name)
            and function.value.id in self._modules
        )
        if is_cast and len(node.args) == 2 and not node.keywords and isinstance(node.args[0], ast.Constant | ast.Name):
            return node.args[1]
        return node


def _common(old: list[str], new: list[str]) -> int:
    count = 0
    for a, b in zip(old, new, strict=False):
        if a != b:
            break
        count += 1
    return count


def _shape(source: Source, definition: Definition, lines: list[str]) -> Any:
    code = compile(source.skeleton(definition.first, definition.last, lines), "<shape>", "exec", dont_inherit=True)

    def shapes(inside: types.CodeType) -> Iterator[Any]:
        for constant in inside.co_consts:
            if isinstance(constant, types.CodeType):
                yield (
                    constant.co_name,
                    constant.co_flags,
                    constant.co_varnames,
                    constant.co_cellvars,
                    constant.co_freevars,
                )
                yield from shapes(constant)

    return list(shapes(code))


def _kind(shapes: Any, name: str) -> int:
    """Return the flags of a function that say what calling it does: run it, or make a generator or a coroutine."""
    wanted = name.rpartition(".")[2]
    kinds = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
    return next((flags & kinds for own, flags, *_ in shapes if own == wanted), 0)


def comparable(code: types.CodeType) -> Any:
    """Return what two code objects have in common when they do the same: everything but lines."""
    constants = tuple(
        comparable(c) if isinstance(c, types.CodeType) else (type(c).__name__, repr(c)) for c in code.co_consts
    )
    table = getattr(code, "co_exceptiontable", b"")
    names = (code.co_names, code.co_varnames, code.co_cellvars, code.co_freevars, code.co_name)
    counts = (code.co_argcount, code.co_kwonlyargcount, code.co_posonlyargcount)
    return (code.co_code, constants, names, counts, code.co_flags, table)


class Definition:
    """What a mutant belongs to: an outermost function, or a statement that is run at import.

    Attributes:
        name: Qualified within the module; of a statement: what it defines, or the class or `<module>` around it.
        first: First line, decorators included.
        last: Last line.
        function: Whether it is a function.
        kind: `function`, `handler` (decorated), `class` or `module`.
        is_mutmuts: Whether mutmut looks for functions here: at the top, and in top-level classes.
    """

    def __init__(self, node: Any, owner: str, *, plain: bool, trivial: bool) -> None:
        decorators = getattr(node, "decorator_list", [])
        self._node = node
        self._trivial = trivial
        self._spans: list[tuple[int, int, int]] | None = None
        self.first: int = first_line(node)
        self.last: int = node.end_lineno
        self.function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        name = node.name if self.function else _defined(node)
        self.name = ".".join(filter(None, (owner, name))) or "<module>"
        self.kind = ("handler" if decorators else "function") if self.function else "class" if owner else "module"
        self.is_mutmuts = self.function and plain

    @property
    def span(self) -> tuple[int, int]:
        """Its lines, first and last."""
        return self.first, self.last

    @property
    def everywhere(self) -> list[int]:
        """All of its lines."""
        return list(range(self.first, self.last + 1))

    @property
    def body(self) -> list[int]:
        """The lines of a function that are executed when it is called; not those that define it."""
        return list(range(first_line(self._node.body[0]), self.last + 1))

    def statements(self, first: int, last: int) -> list[int]:
        """Return the first lines of the statements that a span of lines is part of, without the bodies of these."""
        if self._spans is None:
            statements = [
                node for node in ast.walk(self._node) if isinstance(node, ast.stmt) and node is not self._node
            ]
            self._spans = [(node.lineno, *span) for node in statements for span in _own_lines(node)]
        found = {line for line, start, end in self._spans if start <= last and first <= end}
        return sorted(found) or self.everywhere

    def is_docstring_at(self, line: int) -> bool:
        """Whether a line is of a function's docstring, which is read when the function is made."""
        first = self._node.body[0]
        is_text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
        return is_text and isinstance(first.value.value, str) and first.lineno <= line <= first.end_lineno

    def is_trivial_at(self, line: int) -> bool:
        """Whether a change there says nothing about the API: logging, representations, types, the module itself."""
        if self._trivial or (self.function and self._node.name == "__repr__"):
            return True
        if not self.function:
            return self._is_about_types()
        return any(
            isinstance(node, ast.Expr) and node.lineno <= line <= (node.end_lineno or 0) and _logs(node.value)
            for node in ast.walk(self._node)
        )

    def _is_about_types(self) -> bool:
        value = getattr(self._node, "value", None)
        called = value.func if isinstance(value, ast.Call) else None
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        if isinstance(value, ast.Subscript | ast.BinOp) and self._is_type(value):
            return True
        return name in _FOR_TYPES or _defined(self._node) in _ABOUT_THE_MODULE

    def _is_type(self, node: ast.expr) -> bool:
        """Whether an expression is a type: `Literal["a", "b"]`, `dict[str, Any] | None`."""
        if isinstance(node, ast.BinOp):
            is_union = isinstance(node.op, ast.BitOr)
            return is_union and (self._is_type(node.left) or self._is_type(node.right))
        if not isinstance(node, ast.Subscript):
            return False
        name = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
        return name in _TYPE_FORMS and not _types_matter[0]


def _own_lines(node: Any) -> Iterator[tuple[int, int]]:
    """Yield the lines of a statement; of a compound one, those between its bodies."""
    start = first_line(node)
    bodies = [body for body in branches(node) if body] if hasattr(node, "body") else []
    bodies += [case.body for case in getattr(node, "cases", ())]
    for body in bodies:
        yield start, max(start, first_line(body[0]) - 1)
        start = (body[-1].end_lineno or start) + 1
    if not bodies:
        yield start, node.end_lineno


def _defined(node: ast.stmt) -> str:
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return targets[0].id if isinstance(targets[0], ast.Name) else ""


def _logs(node: ast.expr) -> bool:
    """Whether an expression writes a line into a log, by the names that people give to loggers."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _LOG_METHODS):
        return False
    owner = node.func.value
    name = owner.attr if isinstance(owner, ast.Attribute) else owner.id if isinstance(owner, ast.Name) else ""
    return name.strip("_").lower() in ("log", "logger", "logging")


def definitions(
    body: list[ast.stmt], owner: str = "", *, depth: int = 0, plain: bool = True, trivial: bool = False
) -> Iterator[Definition]:
    """Yield the definitions of a module or a class, in the order of their lines."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield Definition(node, owner, plain=plain and depth < 2, trivial=trivial)
        elif isinstance(node, ast.ClassDef):
            name = ".".join(filter(None, (owner, node.name)))
            yield from definitions(node.body, name, depth=depth + 1, plain=plain, trivial=trivial)
        elif isinstance(node, ast.If | ast.Try | ast.With | ast.For | ast.While | ast.TryStar):
            for_types = isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
            for inner in branches(node):
                yield from definitions(inner, owner, depth=depth, plain=False, trivial=trivial or for_types)
        else:
            yield Definition(node, owner, plain=False, trivial=trivial)


def _apart(found: Iterable[Definition]) -> list[Definition]:
    """Return definitions that share no line: statements behind one another on a line are one."""
    apart: list[Definition] = []
    for definition in found:
        if apart and definition.first <= apart[-1].last:
            apart[-1].last = max(apart[-1].last, definition.last)
        else:
            apart.append(definition)
    return apart


def branches(node: Any) -> Iterator[list[ast.stmt]]:
    """Yield the bodies of a compound statement."""
    yield node.body
    for handler in getattr(node, "handlers", ()):
        yield handler.body
    yield getattr(node, "orelse", [])
    yield getattr(node, "finalbody", [])


def main() -> None:
    """Read the request, write the answer."""
    asked = json.load(sys.stdin)
    # The one setting that the visitor asks for; reading them all would need the project's folder.
    mutmut.configuration._config = types.SimpleNamespace(do_not_mutate_patterns=asked["patterns"])  # type: ignore[assignment]
    _types_matter[0] = asked["types_matter"]
    answers: list[dict[str, Any]] = []
    for file in asked["files"]:
        try:
            answers.append({"mutants": File(file["path"], file["text"]).mutants()})
        except Exception as error:  # noqa: BLE001 - one file that it can't take must not cost the others
            answers.append({"mutants": [], "error": f"{type(error).__name__}: {error}"})
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
