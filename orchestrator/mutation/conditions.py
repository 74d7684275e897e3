"""Why no test executes a line: the condition that none of them meets."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Final

from orchestrator import text
from orchestrator.agent.mutation.lines import first_line, last_line

_LONGEST: Final = 120

_Function = ast.FunctionDef | ast.AsyncFunctionDef
# A part of a statement, and what it means that it is not executed though the statement is.
_Part = tuple[Sequence[ast.stmt], str]


def unmet(tree: ast.Module, line: int, executed: int) -> str:
    """Return why a line is not executed, in words.

    Args:
        tree: The file.
        line: The line.
        executed: The statements that tests execute, as a mask of first lines.
    """
    body: Sequence[ast.stmt] = tree.body
    while (statement := next((s for s in body if first_line(s) <= line <= last_line(s)), None)) is not None:
        is_definition = isinstance(statement, _Function | ast.ClassDef)
        part = next((part for part in _parts(statement) if _holds(part[0], line)), None)
        if not is_definition and not executed >> statement.lineno & 1:
            return f"line {statement.lineno} comes after what ends its block"
        if part is None:
            break
        body, meaning = part
        if meaning and not any(executed >> inside.lineno & 1 for inside in body):
            return meaning
    return ""


def _parts(statement: ast.stmt) -> Iterator[_Part]:
    """Yield the bodies in a statement."""
    at = f"line {statement.lineno}: "
    match statement:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            yield statement.body, f"no test calls {statement.name}()"
        case ast.ClassDef():
            yield statement.body, ""
        case ast.If() | ast.While():
            word = "if" if isinstance(statement, ast.If) else "while"
            told = f"`{word} {_shown(statement.test)}`"
            yield statement.body, f"{at}{told} is never true"
            yield statement.orelse, f"{at}{told} is never false"
        case ast.For() | ast.AsyncFor():
            told = f"`for {_shown(statement.target)} in {_shown(statement.iter)}`"
            yield statement.body, f"{at}{told} goes through nothing"
            yield statement.orelse, f"{at}{told} never comes to its end"
        case ast.Try() | ast.TryStar():
            yield statement.body, f"{at}the `try` is never begun"
            for handler in statement.handlers:
                kind = _shown(handler.type) if handler.type else "any exception"
                yield handler.body, f"line {handler.lineno}: {kind} is never raised"
            yield statement.orelse, f"{at}the `try` always raises"
            yield statement.finalbody, f"{at}the `try` is never begun"
        case ast.With() | ast.AsyncWith():
            yield statement.body, f"{at}the `with` is never begun"
        case ast.Match():
            for case in statement.cases:
                told = _shown(case.pattern) + (f" if {_shown(case.guard)}" if case.guard else "")
                yield case.body, f"{at}`match {_shown(statement.subject)}` never meets `case {told}`"


def _shown(node: ast.AST) -> str:
    return text.one_line(ast.unparse(node), limit=_LONGEST)


def _holds(body: Sequence[ast.stmt], line: int) -> bool:
    return bool(body) and first_line(body[0]) <= line <= last_line(body[-1])
