"""Propose the assertion that a test lacks: in the test that saw the damage, in its own words, where it saw it.

What is proposed is only text here: it counts when the test has been run with it, without the mutant and under it.
"""

from __future__ import annotations

import ast
import difflib
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from orchestrator import text
from orchestrator.adapters.session import Change, Exchange
from orchestrator.agent.mutation.lines import first_line, last_line, outermost
from orchestrator.model.mutation import Proposal, ResponseDifference
from orchestrator.mutation.differences import EMPTY, MISSING, Value, shown, values

_METHODS: Final = frozenset({"get", "post", "put", "patch", "delete", "head", "options", "request", "open", "send"})
_CLIENTS: Final = re.compile(r"client|session|requests|httpx|http|api", re.IGNORECASE)
_PARTS: Final = re.compile(r'\.([^\W\d]\w*)|\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]')
_LONGEST: Final = 80  # characters of a value that an assertion may hold

# Statements whose own expressions can't be taken out of them.
_OF_OTHERS: Final = (
    *(ast.For, ast.AsyncFor, ast.While, ast.Try, ast.TryStar, ast.If, ast.Match, ast.With, ast.AsyncWith),
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef),
)
_GUESSES: Final = 4
_NAMES: Final = ("response", "answer", "reply")

_Function = ast.FunctionDef | ast.AsyncFunctionDef


class Proposed(msgspec.Struct, frozen=True):
    """An assertion, and the test's function with it, as it can be put into the running tests."""

    proposal: Proposal
    change: Change


class Subject(msgspec.Struct, frozen=True):
    """A test: as pytest calls it, its file (absolute) and the file's text."""

    name: str
    path: str
    source: str


def function_of(test: Subject) -> _Function | None:
    """Return the function of a test; None: there is none, or more than one.

    Raises:
        SyntaxError: the test's file is no Python.
    """
    return _function(test.name, test.source)


def call_at(test: Subject, at: int) -> str:
    """Return the expression in a test that is likely the response to a request; empty: none is.

    Args:
        test: The test.
        at: The line that sends the request, from the function's first one.

    Raises:
        SyntaxError: the test's file is no Python.
    """
    function = _function(test.name, test.source)
    requests = _requests(function, at) if function else []
    return ast.get_source_segment(test.source, requests[0].call) or "" if requests else ""


def free_name(function: _Function) -> str:
    """Return a name for a response that a test does not use yet; empty: it uses all of them."""
    used = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
    return next((n for n in _NAMES if n not in used), "")


def proposed(
    test: Subject,
    exchanges: Sequence[Exchange],
    which: int,
    differences: Sequence[ResponseDifference],
    *,
    base: str = "",
) -> Iterator[Proposed]:
    """Yield what the assertion may be, the likeliest first: which expression is the response is only a guess.

    Args:
        test: The test that saw the difference.
        exchanges: What the test sees without the mutant.
        which: The exchange that differs.
        differences: Where it does.
        base: The text that the file has, if the test's source has more lines at the function's end.

    Raises:
        SyntaxError: the test's file is no Python.
    """
    function = _function(test.name, test.source)
    if function is None or which >= len(exchanges):
        return
    usual = values(exchanges)
    truths = [
        _Truth(exchanges[which], difference.place, value)
        for difference in differences
        # Else no value is right, or it is a secret.
        if difference.before == shown(value := usual.get((which, difference.place), MISSING))
    ]
    for request in _requests(function, exchanges[which].at):
        for truth in truths:
            changed = _with_assertion(test.source, function, request, truth)
            if changed is not None:
                yield _made(test, function, changed, base or test.source)
                break


class _Request(msgspec.Struct, frozen=True):
    """A statement that sends a request, and the expression in it that is the response."""

    statement: ast.stmt
    call: ast.expr


class _Truth(msgspec.Struct, frozen=True):
    """What a response has at a place without the mutant."""

    exchange: Exchange
    place: str
    value: Any


class _Changed(msgspec.Struct, frozen=True):
    """A changed file's lines, and the number of the assertion, from 0."""

    lines: list[str]
    at: int


def _function(name: str, source: str) -> _Function | None:
    """Return the function of a test by its name."""
    qualified = name.partition("::")[2].partition("[")[0].replace("::", ".")
    found = [node for place, node in outermost(ast.parse(source).body) if place == qualified]
    return found[0] if len(found) == 1 else None


def _requests(function: _Function, at: int) -> list[_Request]:
    """Return the expressions that may be the response to a request that a line sends, the likeliest first.

    Args:
        function: The test's.
        at: The line, from the function's first one.
    """
    line = first_line(function) + at
    inside = [n for n in ast.walk(function) if isinstance(n, ast.stmt) and n is not function and _holds(n, line)]
    if not at or not inside:
        return []
    statement = inside[-1]  # the innermost: they are in each other
    if isinstance(statement, _OF_OTHERS):
        return []
    found = [n for n in ast.walk(statement) if isinstance(n, ast.Call | ast.Await)]
    awaited = {n.value for n in found if isinstance(n, ast.Await)}
    calls = [n for n in found if n not in awaited and n.lineno <= line <= (n.end_lineno or n.lineno)]
    calls.reverse()  # the innermost first
    calls.sort(key=lambda call: not is_request(call))
    return [_Request(statement, call) for call in calls[:_GUESSES]]


def _holds(statement: ast.stmt, line: int) -> bool:
    return statement.lineno <= line <= last_line(statement)


def is_request(node: ast.expr) -> bool:
    """Whether an expression looks as if it sent a request through a client."""
    call = node.value if isinstance(node, ast.Await) else node
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute) or call.func.attr not in _METHODS:
        return False
    holder = call.func.value
    named = holder.id if isinstance(holder, ast.Name) else holder.attr if isinstance(holder, ast.Attribute) else ""
    return bool(_CLIENTS.search(named)) or any(_is_path(argument) for argument in call.args[:2])


def _is_path(node: ast.expr) -> bool:
    if isinstance(node, ast.JoinedStr) and node.values:
        node = node.values[0]
    if isinstance(node, ast.BinOp):
        node = node.left
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith(("/", "http"))


def _with_assertion(source: str, function: _Function, request: _Request, truth: _Truth) -> _Changed | None:
    """Return the file with an assertion after a statement; None: none can be made."""
    statement, call = request.statement, request.call
    lines = source.split("\n")
    indent = lines[statement.lineno - 1][: statement.col_offset]
    if indent.strip() or statement.end_lineno is None:  # another statement stands before it in the line
        return None
    name = _target(statement)
    assigned = statement.value if isinstance(statement, ast.Assign | ast.AnnAssign) else None
    end = statement.end_lineno
    if name and assigned is call:
        asserted = _asserted(name, truth)
        before, after = lines[:end], lines[end:]
    elif name and _is_in_document(truth.place) and _is_json_of(assigned, call):
        asserted = _of_document(name, truth.place, truth.value)
        before, after = lines[:end], lines[end:]
    else:
        name = free_name(function)
        asserted = _asserted(name, truth) if name else ""
        split = _split(lines, statement, call, name)
        if split is None:
            return None
        before, after = [*lines[: statement.lineno - 1], *split], lines[end:]
    if not asserted:
        return None
    return _Changed([*before, f"{indent}assert {asserted}", *after], len(before))


def _target(statement: ast.stmt) -> str:
    """Return the name that a statement assigns to; empty: none, or more than a name."""
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
    elif isinstance(statement, ast.AnnAssign):
        target = statement.target
    else:
        return ""
    return target.id if isinstance(target, ast.Name) else ""


def _is_json_of(node: ast.expr | None, call: ast.expr) -> bool:
    """Whether an expression is the JSON document of a request's response."""
    if isinstance(node, ast.Call):
        node = node.func
    return isinstance(node, ast.Attribute) and node.attr in ("json", "get_json") and node.value is call


def _split(lines: Sequence[str], statement: ast.stmt, call: ast.expr, name: str) -> list[str] | None:
    """Return a statement's lines with the response given a name before it."""
    first, last = statement.lineno - 1, statement.end_lineno
    if call.end_lineno is None or call.end_col_offset is None or not lines[first].isascii():
        return None  # columns are counted in bytes
    begin, end = (call.lineno - 1, call.col_offset), (call.end_lineno - 1, call.end_col_offset)
    if not all(line.isascii() for line in lines[begin[0] : end[0] + 1]):
        return None
    if begin[0] == end[0]:
        sent = [lines[begin[0]][begin[1] : end[1]]]
    else:
        sent = [lines[begin[0]][begin[1] :], *lines[begin[0] + 1 : end[0]], lines[end[0]][: end[1]]]
    head, tail = lines[begin[0]][: begin[1]], lines[end[0]][end[1] :]
    if isinstance(call, ast.Await) and head.endswith("(") and tail.startswith(")"):
        head, tail = head[:-1], tail[1:]
    joined = head + name + tail
    indent = lines[first][: statement.col_offset]
    sent[0] = f"{indent}{name} = {sent[0]}"
    rest = [*lines[first : begin[0]], joined, *lines[end[0] + 1 : last]]
    is_only_the_call = isinstance(statement, ast.Expr) and statement.value is call
    return sent if is_only_the_call else [*sent, *rest]


def _asserted(name: str, truth: _Truth) -> str:
    """Return what is true of a response without the mutant; empty: it can't be said in a line."""
    place, value, exchange = truth.place, truth.value, truth.exchange
    if place == "status":
        return f"{name}.status_code == {value}"
    if place.startswith("header "):
        header = json.dumps(place.removeprefix("header "))
        if value is MISSING:
            return f"{header} not in {name}.headers"
        return f"{name}.headers[{header}] == {_literal(value)}" if _literal(value) else ""
    if place == "body" and exchange.is_text and exchange.client != "django.test.client":
        return f"{name}.text == {_literal(value)}" if _literal(value) else ""
    if _is_in_document(place):
        document = f"{name}.get_json()" if exchange.client == "werkzeug.test" else f"{name}.json()"
        return _of_document(document, place, value)
    return ""


def _is_in_document(place: str) -> bool:
    return place.removeprefix("length of ").startswith("$")


def _of_document(document: str, place: str, value: Value) -> str:
    path = place.removeprefix("length of ")
    keys = [_key(match) for match in _PARTS.finditer(path)]
    subject = document + "".join(f"[{k}]" for k in keys)
    if path != place:
        return f"len({subject}) == {value}"
    if value is MISSING:
        inside = document + "".join(f"[{k}]" for k in keys[:-1])
        return f"{keys[-1]} not in {inside}" if keys and keys[-1].startswith('"') else ""
    if value is EMPTY:
        return f"{subject} == {{}}"
    if value is None or isinstance(value, bool):
        return f"{subject} is {value}"
    return f"{subject} == {_literal(value)}" if _literal(value) else ""


def _key(match: re.Match[str]) -> str:
    """Return a part of a path as Python writes it."""
    name, index, quoted = match.groups()
    return json.dumps(name) if name is not None else index if index is not None else f'"{quoted}"'


def _literal(value: Value) -> str:
    """Return a value as Python writes it; empty: it is too long to be read."""
    told = json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
    return told if len(told) <= _LONGEST and told.isprintable() else ""


def _made(test: Subject, function: _Function, changed: _Changed, base: str) -> Proposed:
    """Return the proposal, and the changed function, as changes of a text."""
    lines = base.split("\n")
    first = first_line(function)
    last = last_line(function) - (test.source.count("\n") - base.count("\n"))
    more = len(changed.lines) - len(lines)
    file = test.name.partition("::")[0]
    diff = difflib.unified_diff(lines, changed.lines, f"a/{file}", f"b/{file}", lineterm="")
    proposal = Proposal(
        path=file,
        line=changed.at + 1,
        assertion=changed.lines[changed.at].strip(),
        diff=text.visible("\n".join(diff)),
    )
    now = tuple(changed.lines[first - 1 : last + more])
    return Proposed(proposal, Change(path=test.path, first=first, last=last, lines=now, function=True))
