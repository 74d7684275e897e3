"""A function whose comparisons tell how near their sides come to each other: what a search for a request goes by."""

from __future__ import annotations

import ast
import textwrap
from typing import Any, Final

from orchestrator.agent.mutation.nearness import COMPARE

_SIGNS: Final = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}


def watched(function: str) -> tuple[str, ...]:
    """Return the lines of a function with its comparisons watched; none: there is no comparison of two values in it.

    Args:
        function: Its text, as it stands in its file.

    Raises:
        SyntaxError: it is no Python.
    """
    indent = function[: len(function) - len(function.lstrip())]
    tree = ast.parse(f"if 1:\n{function}" if indent else function)
    watcher = _Watcher()
    watcher.visit(tree)
    if not watcher.count:
        return ()
    (node,) = tree.body[0].body if indent and isinstance(tree.body[0], ast.If) else tree.body
    return tuple(textwrap.indent(ast.unparse(ast.fix_missing_locations(node)), indent).split("\n"))


class _Watcher(ast.NodeTransformer):
    """Puts a call in the place of each comparison of two values, with its number."""

    def __init__(self) -> None:
        self.count = 0

    def visit_Compare(self, node: ast.Compare) -> Any:
        """Put it there, also within its sides."""
        self.generic_visit(node)
        sign = _SIGNS.get(type(node.ops[0]))
        if sign is None or len(node.ops) > 1:  # of a chain, the second is only looked at where the first holds
            return node
        number, self.count = self.count, self.count + 1
        told: list[ast.expr] = [ast.Constant(number), node.left, ast.Constant(sign), node.comparators[0]]
        return ast.Call(ast.Name(COMPARE, ast.Load()), told, [])
