"""OpenAPI documents in several files: what they refer to beside them, put into one document."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from orchestrator import references, text
from orchestrator.references import Pointer

KEY: Final = "x-orchestrator-files"  # under which the other files are, by name
_MOST_FILES: Final = 1000
_ENDINGS: Final = (".json", ".yaml", ".yml")

Load = Callable[[str], Any]


def is_needed(raw: Any) -> bool:
    """Whether a document refers to anything outside of it."""
    return any(not holder[key].startswith("#") for holder, key in _references(raw))


def bundle(raw: dict[str, Any], name: str, load: Load) -> None:
    """Put the files that a document refers to into it, and have its references lead to them there.

    What can't be loaded, is at another address, or is named by an anchor stays a reference that leads out of the
    document.

    Args:
        raw: The document, which is changed.
        name: Its own file's name: others may refer back to it.
        load: Returns what a file holds, named relative to the document; None: it can't be had.
    """
    raw[KEY] = _Bundle(raw, name, load).files


class _Bundle:
    def __init__(self, raw: dict[str, Any], name: str, load: Load) -> None:
        self.files: dict[str, Any] = {}
        self._name, self._load = name, load
        self._known: dict[str, bool] = {name: True}
        self._waiting: list[tuple[str, Any]] = [(name, raw)]
        while self._waiting:
            base, node = self._waiting.pop()
            for holder, key in _references(node):
                if base != name or not holder[key].startswith("#"):
                    place = self._place(holder[key], base)
                    holder[key] = holder[key] if place is None else references.reference(place)

    def _place(self, told: str, base: str) -> Pointer | None:
        """Return where in the bundle something is that a file refers to; None: nowhere."""
        address, _, fragment = told.partition("#")
        if _is_elsewhere(address) or (fragment and not fragment.startswith("/")):
            return None
        beside = posixpath.join(posixpath.dirname(base), unquote(address))
        file = posixpath.normpath(beside) if address else base
        if not self._has(file):
            return None
        inner = references.target(f"#{fragment}") or ()
        return inner if file == self._name else (KEY, file, *inner)

    def _has(self, file: str) -> bool:
        if file not in self._known:
            content = self._load(file) if len(self._known) < _MOST_FILES else None
            self._known[file] = isinstance(content, dict)
            if self._known[file]:
                self.files[file] = content
                self._waiting.append((file, content))
        return self._known[file]


def _is_elsewhere(address: str) -> bool:
    try:
        return bool(urlsplit(address).scheme) or address.startswith("/")
    except ValueError:  # no address at all
        return True


def _references(root: Any) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield each reference once: what holds it, and under which name."""
    waiting: list[Any] = [root]
    seen: set[int] = set()  # YAML may have one thing in several places
    while waiting:
        node = waiting.pop()
        if not isinstance(node, dict | list) or id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, list):
            waiting += node
            continue
        waiting += node.values()
        if references.told_by(node) is not None:
            yield node, "$ref"
        names = _names(node.get("discriminator"))
        if id(names) not in seen:
            seen.add(id(names))
            yield from ((names, name) for name, told in names.items() if _is_reference(told))


def _names(discriminator: Any) -> dict[str, Any]:
    """Return the names that a discriminator has for schemas."""
    names = discriminator.get("mapping") if isinstance(discriminator, dict) else None
    return names if isinstance(names, dict) else {}


def _is_reference(told: Any) -> bool:
    """Whether a discriminator names a schema by a reference, and not by its bare name."""
    return isinstance(told, str) and ("#" in told or told.endswith(_ENDINGS))


def shown(pointer: Pointer) -> str:
    """Return a place in a document, or behind the name of the file that was beside it, for a person."""
    if pointer[:1] == (KEY,) and len(pointer) > 1:
        return text.unbroken(f"{pointer[1]}#{references.written(pointer[2:])}")
    return text.unbroken(references.written(pointer))
