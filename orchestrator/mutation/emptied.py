"""The quick look: one mutant a function, its body taken away.

A function that the tests execute and whose body nobody misses is the largest hole that a test suite can have, and it
takes few mutants to find it. The idea is "extreme mutation": Niedermayr, Juergens, Wagner: Will my tests tell me if I
break this code? (CSED 2016).
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator

from orchestrator.adapters.mutmut import Made
from orchestrator.adapters.source import Function
from orchestrator.agent.mutation.lines import first_line, outermost

_NOBODY_CALLS = ("overload", "abstractmethod")  # decorators


def make(text: str, functions: dict[tuple[str, int], Function]) -> list[Made]:
    """Return a mutant for each function that does anything.

    Args:
        text: A file.
        functions: Those to empty, by name and the line of their `def`.
    """
    lines = text.split("\n")
    with warnings.catch_warnings(action="ignore"):
        tree = ast.parse(text)
    found = []
    for name, node in outermost(tree.body):
        function = functions.get((name, node.lineno))
        if function is None or not _does_anything(node):
            continue
        kept = 1 if ast.get_docstring(node) is not None and len(node.body) > 1 else 0
        start = first_line(node.body[kept])
        found.append(
            Made(
                first=function.first,
                last=function.last,
                lines=_emptied(node, lines, function.first, kept),
                changed=(start, function.last),
                name=function.name,
                kind="handler" if node.decorator_list else "function",
                own=False,
                note="trivial" if node.name == "__repr__" else "",
                reach=tuple(range(start, function.last + 1)),
            )
        )
    return found


def _does_anything(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a function without its body would be another one, for anybody who may call it."""
    if any(ast.unparse(d).rpartition(".")[2] in _NOBODY_CALLS for d in node.decorator_list):
        return False
    return not all(_is_nothing(statement) for statement in node.body)


def _is_nothing(node: ast.stmt) -> bool:
    if isinstance(node, ast.Return):
        return node.value is None or (isinstance(node.value, ast.Constant) and node.value.value is None)
    if isinstance(node, ast.Raise) and node.exc is not None:  # meant to be overridden
        return ast.unparse(node.exc).startswith("NotImplementedError")
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def _emptied(node: ast.FunctionDef | ast.AsyncFunctionDef, lines: list[str], first: int, kept: int) -> tuple[str, ...]:
    """Return a definition's lines with nothing in its body but the docstring and what makes it what it is.

    What follows `return` is never executed, but the compiler sees it: a generator stays one, and a method goes on to
    know its class, so that its code fits the live function.
    """
    body = node.body[kept]
    line = first_line(body)
    before = lines[line - 1].encode()[: body.col_offset].decode()
    rest = ["return"]
    if any(isinstance(inside, ast.Yield | ast.YieldFrom) for inside in _own(node)):
        rest.append("yield")
    if any(isinstance(inside, ast.Name) and inside.id in ("super", "__class__") for inside in ast.walk(node)):
        rest.append("__class__")
    if before.strip():  # `def f(): return 1`
        return (*lines[first - 1 : line - 1], before + "; ".join(rest))
    return (*lines[first - 1 : line - 1], *(before + statement for statement in rest))


def _own(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what is in a function, but not what is in functions inside it."""
    for inside in ast.iter_child_nodes(node):
        yield inside
        if not isinstance(inside, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.GeneratorExp):
            yield from _own(inside)
