"""What is kept from run to run: what each test reaches, and each verdict with all that it depends on.

A verdict is used again only when nothing that it depends on has changed. That is, for a kill, the test that killed; for
a survivor, every test that reaches it; and of each of those tests the functions that it executes, those whose names
occur in these (a mutant may lead there), the files that it opens, everything that runs at import, the interpreter, its
packages and the settings. Of a function counts its text, not its lines: code that moved has not changed. What a module
does when it is imported (decorators and default values are of it) counts for those who use the module, the body of a
function only for those who execute it. Paths are written relative to the project, so that what was found in one
checkout holds in another.
"""

from __future__ import annotations

import ast
import hashlib
import os
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from importlib.util import decode_source
from pathlib import Path
from typing import Final

import msgspec

from orchestrator import codec
from orchestrator.adapters.session import Exchange
from orchestrator.agent.mutation.lines import Recorder, as_hex, first_line, places
from orchestrator.model.mutation import MutantStatus
from orchestrator.mutation.candidates import Candidate, span
from orchestrator.mutation.judging import COLLECTION, Verdict
from orchestrator.mutation.layers import Found
from orchestrator.mutation.reach import Item, Reach, masks
from orchestrator.mutation.tree import Digests

JOURNAL: Final = "journal.ndjson"
TESTS: Final = "tests.json"
_FORMAT: Final = 9
_UNNAMED: Final = ("__", "setup", "teardown", "setUp", "tearDown", "pytest_")  # Python and pytest call them so
_ANYTHING: Final = frozenset({"getattr", "globals", "eval", "exec", "import_module", "__import__", "methodcaller"})


class Unit(msgspec.Struct, frozen=True):
    """A function (with its decorators), or what is left of a file without its functions.

    Attributes:
        place: Absolute path and qualified name; of the rest of a file, its path alone. Different for each.
        name: The qualified name.
        first: First line, decorators included.
        body: First line of its body.
        last: Last line.
        digest: Of its text.
        names: Every name in it.
    """

    place: str
    name: str
    first: int
    body: int
    last: int
    digest: str
    names: frozenset[str]


class File:
    """A Python file taken apart."""

    def __init__(self, path: str, content: str, *, is_test: bool) -> None:
        lines = content.split("\n")
        self.functions: list[Unit] = []
        with warnings.catch_warnings(action="ignore"):
            tree = ast.parse(content)
        names = frozenset(_names_at_import(tree.body))
        tests: set[ast.AST] = set()
        for place, node in list(places(path, tree.body)):
            name = place.rpartition("::")[2].partition("#")[0]
            first = first_line(node)
            last = node.end_lineno or node.lineno
            text = "\n".join(lines[first - 1 : last])
            self.functions.append(Unit(place, name, first, node.body[0].lineno, last, _digest(text), _names(node)))
            node.body = _unexecuted(node)  # what is left of the tree is the rest
            if is_test and name.rpartition(".")[2].startswith("test"):
                tests.add(node)
        if tests:
            _take_out(tree, tests)  # one more test is no change to the others
        self.rest = Unit(path, "", 1, 1, len(lines), _digest(ast.dump(tree)), names)  # comments and lines do not count
        self._by_place = {unit.place: unit for unit in self.functions}

    def hit(self, mask: int) -> list[Unit]:
        """Return the functions of which a line is in a mask."""
        return [unit for unit in self.functions if mask & span(unit.first, unit.last)]

    def unit(self, place: str) -> Unit | None:
        """Return a function by its place."""
        return self._by_place.get(place)


def _unexecuted(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.stmt]:
    """Return what others see of a function's body without executing it: its docstring, and whether that is all."""
    documented = ast.get_docstring(node, clean=False) is not None
    if not documented:
        return []
    return node.body if len(node.body) == 1 else [node.body[0], ast.Pass()]


def _take_out(tree: ast.AST, functions: Set[ast.AST]) -> None:
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            body[:] = [inside for inside in body if inside not in functions]


def _names_at_import(body: Sequence[ast.stmt]) -> Iterable[str]:
    """Yield the names in what runs at import: all but the bodies of functions."""
    for node in body:
        parts: list[ast.AST]
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            parts = [*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)]
        elif isinstance(node, ast.ClassDef):
            parts = [*node.decorator_list, *node.bases, *node.keywords]
            yield from _names_at_import(node.body)
        else:
            parts = [node]
        for part in parts:
            yield from _names(part)


def _names(node: ast.AST) -> frozenset[str]:
    found = set()
    for inside in ast.walk(node):
        if isinstance(inside, ast.Name):
            found.add(inside.id)
        elif isinstance(inside, ast.Attribute):
            found.add(inside.attr)
        elif isinstance(inside, ast.arg):  # a fixture, maybe
            found.add(inside.arg)
    return frozenset(found)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


class Code:
    """The project's Python files, as they are now.

    Args:
        root: The project's folder, links resolved.
        tests: Folders and files of tests, absolute.
        sources: Folders and files of which it is recorded what runs, absolute.

    Attributes:
        everything: Digest of all files that were taken in.
    """

    def __init__(self, root: Path, tests: Sequence[Path], sources: Sequence[Path]) -> None:
        self._recorder = Recorder(list(map(str, sources)), [])
        self.everything = ""
        self._root = f"{root}/"
        self._tests = tuple(tests)
        self._files: dict[str, File | None] = {}
        self._by_name: dict[str, list[Unit]] = {}
        self._unnamed: list[Unit] = []  # of these, what is called without being named
        self._no_tests: list[Unit] = []  # and what may be called by code that finds names in strings
        self._closures: dict[frozenset[str], str] = {}

    def told(self, place: str) -> str:
        """Return an absolute path, or a place in such a file, as it is written down: relative, if it is ours."""
        return place.removeprefix(self._root)

    def found(self, told: str) -> str:
        """Return the same as it is here."""
        return os.path.join(self._root, told)  # noqa: PTH118 - a place is no path

    def digest(self, units: Iterable[Unit]) -> str:
        """Return one digest of functions."""
        return _digest(msgspec.json.encode(sorted((self.told(unit.place), unit.digest) for unit in units)).decode())

    def file(self, path: str) -> File | None:
        """Return a file by its absolute path; None: it is not Python, or not there."""
        if path not in self._files:
            self._files[path] = self._read(path)
        return self._files[path]

    def _read(self, path: str) -> File | None:
        is_test = any(Path(path).is_relative_to(t) for t in self._tests)
        try:
            return File(path, decode_source(Path(path).read_bytes()), is_test=is_test)
        except (OSError, SyntaxError, ValueError):
            return None

    def take_in(self, sources: Iterable[str], others: Iterable[str]) -> None:
        """Read the project's files.

        Args:
            sources: Those of which it is recorded what runs.
            others: Of these, what is named by what runs is what may run.
        """
        self._closures.clear()
        for path in sources:
            self.file(path)
        for path in others:
            for unit in file.functions if (file := self.file(path)) else ():
                name = unit.name.rpartition(".")[2]
                self._by_name.setdefault(name, []).append(unit)
                if name.startswith(_UNNAMED):
                    self._unnamed.append(unit)
                if not name.startswith("test"):
                    self._no_tests.append(unit)
        files = filter(None, self._files.values())
        self.everything = self.digest(unit for file in files for unit in (*file.functions, file.rest))

    def rests(self, paths: Iterable[str]) -> list[tuple[str, str]]:
        """Return, of each file, its path and the digest of what it does when it is imported."""
        return sorted((self.told(path), file.rest.digest) for path in paths if (file := self.file(path)))

    def unit(self, place: str) -> Unit | None:
        """Return a function by its place."""
        file = self.file(place.partition("::")[0])
        return file.unit(place) if file else None

    def named_at_import(self, paths: Iterable[str]) -> dict[str, Unit]:
        """Return the functions that files may call while they are imported: those named outside of functions."""
        names = {name for path in paths if (file := self.file(path)) for name in file.rest.names}
        here = [unit for file in self._files.values() if file for unit in file.functions]
        return {unit.place: unit for unit in here if unit.name.rpartition(".")[2] in names}

    def executed(self, lines: Mapping[str, int]) -> dict[str, Unit]:
        """Return the functions that a reach executes, by place; that one is defined there does not execute it."""
        found: dict[str, Unit] = {}
        for path, mask in lines.items():
            file = self.file(path)
            if file:
                is_source = self._recorder.is_source(path)
                hit = [u for u in file.hit(mask) if not is_source or mask & span(u.body, u.last)]
                found |= {unit.place: unit for unit in hit}
        return found

    def closure(self, units: Mapping[str, Unit]) -> dict[str, Unit]:
        """Return functions, and those of files without a record that they may lead to: whose names occur in them."""
        found = dict(units)
        waiting = list(units.values())
        waiting += self._unnamed
        if any(unit.names & _ANYTHING for unit in units.values()):
            waiting += self._no_tests
        seen: set[str] = set()
        while waiting:
            unit = waiting.pop()
            found.setdefault(unit.place, unit)
            for name in unit.names - seen:
                seen.add(name)
                waiting += [other for other in self._by_name.get(name, ()) if other.place not in found]
        return found

    def digest_of_closure(self, units: Mapping[str, Unit]) -> str:
        """Return one digest of functions and of those that they may lead to; tests that execute the same share it."""
        places = frozenset(units)
        if places not in self._closures:
            self._closures[places] = self.digest(self.closure(units).values())
        return self._closures[places]


class KeptExchange(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """An exchange of an item: as it was, and its lines relative to their functions."""

    exchange: Exchange
    lines: dict[str, str]
    rest: dict[str, str]


class KeptItem(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """An item of an earlier run: its lines relative to their functions, and the digest of all that it depends on."""

    name: str
    outcome: str
    alone: str
    seconds: float
    lines: dict[str, str]
    rest: dict[str, str]
    read: tuple[str, ...]
    written: tuple[str, ...]
    beyond: bool
    exchanges: tuple[KeptExchange, ...]
    depends: str


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of the tests."""

    format: int
    primers: tuple[str, ...]
    once: dict[str, str]
    once_rest: dict[str, str]
    modules: tuple[tuple[str, str], ...]
    items: tuple[KeptItem, ...]


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A verdict in the journal.

    Attributes:
        mutant: Its fingerprint.
        text: Digest of the definition before and after the change.
        verdict: The verdict.
        depends: Digest of each test that it depends on, by name.
        led: Digest of what the tests executed under the mutant and not without it.
        place: The function, for the order of tests.
        layers: How far it gets in the other layers; None: not known.
        layers_depend: Digest of all that that depends on.
    """

    mutant: str
    text: str
    verdict: Verdict
    depends: dict[str, str]
    led: str = ""
    place: str = ""
    layers: Found | None = None
    layers_depend: str = ""


class Dependencies:
    """What the verdicts of a run depend on.

    Args:
        code: The project's files.
        around: Digest of what everything depends on: interpreter, packages, settings, code run at import.
        digests: Of files.
        imported: Places of functions that run at import, on which everything depends.
    """

    def __init__(self, code: Code, around: str, digests: Digests, imported: Iterable[str] = ()) -> None:
        self._code = code
        self._imported = frozenset(imported)
        self._around = around
        self._digests = digests
        self._primed = ""
        self._items: dict[str, str] = {}
        self._led: dict[frozenset[str], str] = {}
        self._executed: dict[str, frozenset[str]] = {}

    def prime(self, once: Mapping[str, int]) -> None:
        """Say which statements are executed once, before all items: what that leaves behind, all depend on."""
        self._items.clear()
        executed = self._code.digest_of_closure(self._code.executed(once))
        self._primed = f"{executed} {self._code.rests(once)}" if once else ""

    def executed(self, item: Item) -> frozenset[str]:
        """Return the places of the functions that an item executes without a mutant, or that are executed at import."""
        if item.name not in self._executed:
            self._executed[item.name] = self._imported.union(self._code.executed(item.lines))
        return self._executed[item.name]

    def of_led(self, led: Iterable[str]) -> str:
        """Return the digest of functions by their places as told; of one that is not known, that of everything."""
        places = frozenset(led)
        if places not in self._led:
            self._led[places] = self._digest_of_led(places)
        return self._led[places]

    def _digest_of_led(self, places: frozenset[str]) -> str:
        known = {place: self._code.unit(self._code.found(place)) for place in places}
        if not known:
            return ""
        if None in known.values():
            return self._code.everything
        units = self._code.closure({unit.place: unit for unit in known.values() if unit})
        paths = {place.partition("::")[0] for place in units}
        return _digest(f"{self._code.digest(units.values())} {self._code.rests(paths)}")

    def of(self, names: Iterable[str], items: Mapping[str, Item]) -> dict[str, str]:
        """Return the digest of each test that a verdict depends on; of *collection*, that of what runs at import."""
        found = {name: self.of_item(items[name]) for name in names if name in items}
        return found | ({COLLECTION: self._around} if COLLECTION in names else {})

    def of_item(self, item: Item) -> str:
        """Return the digest of all that a test's end under a mutant depends on."""
        if item.name not in self._items:
            self._items[item.name] = self.digest(item)
        return self._items[item.name]

    def digest(self, item: Item) -> str:
        """Return the same for an item that may be another one than that of this run."""
        told = [
            self._around,
            self._primed,
            self._code.everything if item.beyond else "",
            item.outcome,
            item.alone,
            self._code.digest_of_closure(self._code.executed(item.lines)),
            self._code.rests(item.lines),
            sorted((self._code.told(path), self._digests.of(path)) for path in item.read),
        ]
        return _digest(msgspec.json.encode(told).decode())


def keep(file: Path, reach: Reach, code: Code, depends: Dependencies) -> None:
    """Write down what each test reaches."""
    kept = []
    for item in reach.items.values():
        relative, rest = _relative(item.lines, code)
        exchanges = []
        for exchange in item.exchanges:
            within, beside = _relative(masks(exchange.lines), code)
            bare = msgspec.structs.replace(exchange, lines={})
            exchanges.append(KeptExchange(exchange=bare, lines=within, rest=beside))
        kept.append(
            KeptItem(
                name=item.name,
                outcome=item.outcome,
                alone=item.alone,
                seconds=item.seconds,
                lines=relative,
                rest=rest,
                read=tuple(map(code.told, item.read)),
                written=tuple(map(code.told, item.written)),
                beyond=item.beyond,
                exchanges=tuple(exchanges),
                depends=depends.of_item(item),
            )
        )
    once, once_rest = _relative(reach.once, code)
    told = Kept(
        format=_FORMAT,
        primers=reach.primers,
        once=once,
        once_rest=once_rest,
        modules=reach.modules,
        items=tuple(kept),
    )
    codec.write_atomically(file, msgspec.json.encode(told))


def recall(file: Path, code: Code, depends: Dependencies) -> Reach:
    """Return the tests of an earlier run that would run the same way now, as far as their code tells."""
    try:
        kept = codec.from_json(file.read_bytes(), Kept)
    except (OSError, msgspec.DecodeError):
        return Reach(items={})
    if kept.format != _FORMAT:
        return Reach(items={})
    items = {item.name: _as_now(item, code) for item in kept.items}
    once = _absolute(kept.once, kept.once_rest, code)
    depends.prime(once)
    # A function that is gone, or that is another one now, changes what the test depends on.
    found = {item.name: items[item.name] for item in kept.items if depends.digest(items[item.name]) == item.depends}
    return Reach(items=found, primers=kept.primers, once=once, modules=kept.modules)


def _relative(lines: Mapping[str, int], code: Code) -> tuple[dict[str, str], dict[str, str]]:
    """Return lines by the functions that they are in, from their first lines on, and the rest by file."""
    relative, rest = {}, {}
    for path, mask in lines.items():
        source = code.file(path)
        left = mask
        for unit in source.hit(mask) if source else ():
            within = mask & span(unit.first, unit.last)
            relative[code.told(unit.place)] = hex(within >> unit.first)
            left &= ~within
        if left:
            rest[code.told(path)] = hex(left)
    return relative, rest


def _absolute(relative: Mapping[str, str], rest: Mapping[str, str], code: Code) -> dict[str, int]:
    """Return such lines where their functions are now."""
    lines: dict[str, int] = {code.found(path): int(mask, 16) for path, mask in rest.items()}
    for told, mask in relative.items():
        place = code.found(told)
        path = place.partition("::")[0]
        unit = code.unit(place)
        if unit is not None:
            lines[path] = lines.get(path, 0) | int(mask, 16) << unit.first
    return lines


def _as_now(item: KeptItem, code: Code) -> Item:
    """Return an item with the lines where its functions are now."""
    exchanges = []
    for kept in item.exchanges:
        now = as_hex(_absolute(kept.lines, kept.rest, code))
        exchanges.append(msgspec.structs.replace(kept.exchange, lines=now))
    return Item(
        name=item.name,
        outcome=item.outcome,
        alone=item.alone,
        seconds=item.seconds,
        lines=_absolute(item.lines, item.rest, code),
        exchanges=tuple(exchanges),
        read=tuple(map(code.found, item.read)),
        written=tuple(map(code.found, item.written)),
        beyond=item.beyond,
    )


def text_of(candidate: Candidate, original: Sequence[str]) -> str:
    """Return the digest of a definition before and after its change."""
    return _digest("\n".join([*original, "\0", *candidate.change.lines]))


class Journal:
    """Verdicts on disk, each as soon as it is known; a run that is ended at any moment loses none.

    Args:
        file: Where. What an earlier run wrote is read; of several lines for a mutant the last one counts.
        told: Given each new line too.
    """

    def __init__(self, file: Path, told: Callable[[bytes], None] = lambda _: None) -> None:
        self._told = told
        self.known: dict[str, Record] = {}
        decoder = msgspec.json.Decoder(Record)
        try:
            lines = file.read_bytes().split(b"\n")
        except OSError:
            lines = []
        for line in lines[:-1]:  # what follows the last line end was cut off
            try:
                record = decoder.decode(line)
            except msgspec.DecodeError:
                continue
            self.known[record.mutant] = record
        file.parent.mkdir(parents=True, exist_ok=True)
        if len(lines) > 2 * len(self.known) + 100:
            codec.write_atomically(file, b"".join(msgspec.json.encode(r) + b"\n" for r in self.known.values()))
        elif lines and lines[-1]:
            with file.open("ab") as torn:
                torn.write(b"\n")
        self._output = file.open("ab", buffering=0)

    def add(self, record: Record) -> None:
        """Write a verdict down."""
        self.known[record.mutant] = record
        line = msgspec.json.encode(record) + b"\n"
        self._output.write(line)
        self._told(line)

    def close(self) -> None:
        """Close the file."""
        self._output.close()

    def killers(self) -> dict[str, list[str]]:
        """Return, per function, the tests that killed its mutants the last time."""
        found: dict[str, list[str]] = {}
        for record in self.known.values():
            if record.verdict.killer and record.place:
                found.setdefault(record.place, []).append(record.verdict.killer)
        return found


def is_final(status: MutantStatus) -> bool:
    """Whether a verdict may be used again."""
    return status.is_detected or status.is_undetected
