"""Fields of dataclasses: whether a default can be changed in the running process as if its module were imported anew.

A default shows in objects that are made without the field, and where the class is asked for it. So it must not have
shown at import: each object that was made then was given the field, and nothing else was done with the class but to
tell a type with it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator
from typing import Final

import msgspec

_KEEPS_FIELDS: Final = frozenset({"init", "repr", "eq", "order", "unsafe_hash", "frozen", "match_args", "kw_only"})


def fields_of(node: ast.ClassDef) -> dict[str, int | None] | None:
    """Return the fields of a plain dataclass by name, with their places among the arguments; None: it is none.

    The place is None where a field is given by its name only. A class with bases, or one that is made anew for its
    slots, is no plain one.
    """
    options = _options(node)
    if options is None or node.bases or node.keywords:
        return None
    by_name = any(k.arg == "kw_only" and isinstance(k.value, ast.Constant) and k.value.value for k in options)
    found: dict[str, int | None] = {}
    for statement in node.body:
        if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name):
            continue
        told = ast.unparse(statement.annotation)
        if re.search(r"\bKW_ONLY\b", told):
            by_name = True
        elif re.search(r"\b(ClassVar|InitVar)\b", told):
            return None
        else:
            found[statement.target.id] = None if by_name else len(found)
    return found


def _options(node: ast.ClassDef) -> list[ast.keyword] | None:
    """Return what `dataclass` is told of a class; None: it is not the only decorator, or does more."""
    if len(node.decorator_list) != 1:
        return None
    decorator, options = node.decorator_list[0], []
    if isinstance(decorator, ast.Call) and not decorator.args:
        options, decorator = decorator.keywords, decorator.func
    if ast.unparse(decorator) not in ("dataclass", "dataclasses.dataclass"):
        return None
    return options if all(k.arg in _KEEPS_FIELDS and isinstance(k.value, ast.Constant) for k in options) else None


class _Call(msgspec.Struct, frozen=True):
    """What a call is given: how many arguments by their places, and which by name; `complete`: no others."""

    places: int
    names: frozenset[str]
    complete: bool


class AtImport:
    """What statements do with names while modules are imported, or tests collected."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._calls: dict[str, list[_Call]] = {}

    def note(self, statement: ast.stmt) -> None:
        """Look at a statement that runs at import; not at those in it."""
        if _is_list_of_names(statement):
            return
        for node, is_called in _used(statement):
            match node:
                case ast.Call():
                    self._calls.setdefault(_name(node.func), []).append(_given(node))
                case ast.Constant(value=str(said)):
                    self._taken.update(re.findall(r"[^\W\d]\w*", said))
                case ast.Name(ctx=context) | ast.Attribute(ctx=context):
                    if not is_called and not isinstance(context, ast.Store):
                        self._taken.add(_name(node))

    def uses(self, names: Collection[str]) -> bool:
        """Whether one of these names is read: called, handed on, inherited from."""
        return not self._taken.isdisjoint(names) or not self._calls.keys().isdisjoint(names)

    def leaves_out(self, classes: Collection[str], field: str, place: int | None) -> bool:
        """Whether an object may have been made without a field, or the class been handed on.

        Args:
            classes: What the class is called.
            field: The field's name.
            place: Among the arguments; None: it is given by its name.
        """
        if not self._taken.isdisjoint(classes):
            return True
        calls = [call for name in classes for call in self._calls.get(name, ())]
        return any(
            not call.complete or not (field in call.names or (place is not None and place < call.places))
            for call in calls
        )


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""


def _given(call: ast.Call) -> _Call:
    return _Call(
        places=len(call.args),
        names=frozenset(k.arg for k in call.keywords if k.arg),
        complete=not any(isinstance(a, ast.Starred) for a in call.args) and all(k.arg for k in call.keywords),
    )


def _is_list_of_names(statement: ast.stmt) -> bool:
    """Whether a statement tells what a module exports, or imports something, or is a text by itself."""
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return True
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant)
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    return any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets)


def _used(statement: ast.stmt) -> Iterator[tuple[ast.AST, bool]]:
    """Yield the nodes of a statement, and whether each is only called.

    The statements in it are left out, and so is what tells a type.
    """
    waiting: list[tuple[ast.AST, bool]] = [(statement, False)]
    while waiting:
        node, is_called = waiting.pop()
        yield node, is_called
        types = _types(node)
        waiting += [
            (child, isinstance(node, ast.Call) and child is node.func)
            for child in ast.iter_child_nodes(node)
            if not isinstance(child, ast.stmt) and not any(child is told for told in types)
        ]


def _types(node: ast.AST) -> list[ast.AST | None]:
    """Return the parts of a node that only tell a type: annotations, and unions that get a name."""
    match node:
        case ast.AnnAssign(annotation=annotation, value=value):
            return [annotation, value] if _is_union(value) else [annotation]
        case ast.Assign(value=value) if _is_union(value):
            return [value]
        case ast.arg(annotation=annotation):
            return [annotation]
        case ast.FunctionDef(returns=returns) | ast.AsyncFunctionDef(returns=returns):
            return [returns]
    return []


def _is_union(node: ast.expr | None) -> bool:
    """Whether an expression is types joined by `|`."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return all(_is_union(part) or _is_type(part) for part in (node.left, node.right))
    return False


def _is_type(node: ast.expr) -> bool:
    if isinstance(node, ast.Subscript):
        return _is_type(node.value)
    return isinstance(node, ast.Name | ast.Attribute) or (isinstance(node, ast.Constant) and node.value is None)
