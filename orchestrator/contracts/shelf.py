"""A broker that is nothing but files: pacts, results and deployments, in a folder or on a branch of git.

Each fact is a file of its own, so that two who write at the same time, or whose branches git merges, never meet in
one; `docs/broker.md` shows where which one lies. What a broker decides is decided here as it does: which pacts are
to be verified, and which of them are pending.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import re
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

import msgspec

from orchestrator import codec, text
from orchestrator.adapters.broker import Offered, Outcome, Version, Wanted
from orchestrator.config import Selector
from orchestrator.contracts.stores import Files, Store
from orchestrator.errors import Code, OrchestratorError

S = TypeVar("S", bound=msgspec.Struct)

MAIN_BRANCHES: Final = ("develop", "main", "master")  # as the broker guesses: the first of them that there is
_LONGEST: Final = 200  # bytes of a name; file systems take 255


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of a version.

    Attributes:
        published: When it was first told of, in UTC.
        branches: The branches it is on.
        tags: Its tags.
    """

    published: str = ""
    branches: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


class Result(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What verifying a pact found.

    Attributes:
        consumer: Whose pact.
        success: Whether all of it holds.
        at: When, in UTC.
        failures: The interactions that do not hold.
    """

    consumer: str
    success: bool
    at: str
    failures: tuple[str, ...] = ()


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """Which version of something is deployed, and since when."""

    version: str
    at: str


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """A pact on the shelf."""

    provider: str
    consumer: str
    version: str
    file: str
    record: Record = Record()


class Shelf:
    """The files as a broker sees them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def catalogue(self) -> Catalogue:
        """What is there now."""
        return Catalogue(self._store)

    def publish(self, pacts: Sequence[bytes], version: str, branch: str = "", tags: Sequence[str] = ()) -> list[str]:
        """Take pacts of one version of their consumers; return their files.

        Raises:
            OrchestratorError: the version's pact is there already and says something else, or a name can't be a file's.
        """
        published: list[str] = []

        def change(files: Files) -> dict[str, bytes]:
            new: dict[str, bytes] = {}
            for data in pacts:
                consumer, provider = names_in(data)
                file = path("pacts", provider, consumer, version)
                old = new.get(file) or files.read(file)
                if old is not None and digest(old) != digest(data):
                    raise _conflict(consumer, provider, version)
                new[file] = data
                new |= _recorded(files, Version(of=consumer, number=version, branch=branch), tags)
            published[:] = [file for file in new if file.startswith("pacts/")]
            return new

        self._store.change(change, f"Publish pacts of version {text.one_line(version)}")
        return published

    def offered(self, wanted: Wanted) -> list[Offered]:
        """Return the pacts that are to be verified."""
        return list(self._offered(self.catalogue, wanted))

    @staticmethod
    def _offered(catalogue: Catalogue, wanted: Wanted) -> Iterator[Offered]:
        known = catalogue.pacts(wanted.provider)
        selected = chosen(known, wanted.selectors, catalogue.deployed(), wanted.branch)
        fulfilled = catalogue.fulfilled(wanted.provider, wanted.branch)
        seen: set[str] = set()
        for pact, wip in [*((p, False) for p in selected), *((p, True) for p in _newer(known, wanted.wip_since))]:
            data = catalogue.data(pact)
            place = digest(data)
            if place in seen or (wip and place in fulfilled):
                continue
            seen.add(place)
            pending = wip or (wanted.pending and place not in fulfilled)
            name = f"{pact.consumer} ({pact.version})"
            yield Offered(data=data, name=text.one_line(name), pending=pending, wip=wip, place=place)

    def keep(self, version: Version, outcomes: Sequence[Outcome]) -> None:
        """Take what verifying pacts found."""
        at = now()

        def change(files: Files) -> dict[str, bytes]:
            new = _recorded(files, version, ())
            for outcome in outcomes:
                failures = tuple(text.one_line(t.description) for t in outcome.tests if not t.success)
                consumer, _ = names_in(outcome.pact.data)
                result = Result(consumer=consumer, success=outcome.success, at=at, failures=failures)
                new[path("results", version.of, version.number, outcome.pact.place)] = codec.to_json(result)
            return new

        self._store.change(change, f"Tell results of {text.one_line(version.of)} {text.one_line(version.number)}")

    def deploy(self, version: Version, environment: str) -> None:
        """Take note that a version is deployed in an environment, in place of the one before."""
        file = path("deployments", environment, version.of)
        data = codec.to_json(Deployment(version=version.number, at=now()))
        self._store.change(
            lambda files: {**_recorded(files, version, ()), file: data},
            f"Deploy {text.one_line(version.of)} {text.one_line(version.number)} to {text.one_line(environment)}",
        )


class Catalogue:
    """Everything on a shelf, by what it is."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._paths = [(name, parts) for name in files.names() if (parts := names_of(name))]

    def pacts(self, provider: str = "") -> list[Published]:
        """Return the pacts with a provider, all of them if none is named: each consumer's oldest first."""
        found = [
            Published(provider=of, consumer=consumer, version=version, file=name, record=self.record(consumer, version))
            for name, of, consumer, version in self._of("pacts", 3)
            if provider in ("", of)
        ]
        return sorted(found, key=lambda p: (p.consumer, p.record.published, p.version))

    def data(self, pact: Published) -> bytes:
        """Return a pact's bytes.

        Raises:
            OrchestratorError: it is no pact: somebody may have put the file there by hand.
        """
        data = self._files.read(pact.file) or b""
        try:
            digest(data)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise OrchestratorError(
                Code.PACT_UNREADABLE,
                f"{text.one_line(pact.file)} is no pact: {type(error).__name__} {text.one_line(str(error))}",
                hint="Publish it again, or take the file away.",
            ) from error
        return data

    def record(self, of: str, version: str) -> Record:
        """Return what is known of a version; of a pact that was copied here, nothing is."""
        return self._read(path("versions", of, version), Record) or Record()

    def deployed(self) -> dict[tuple[str, str], str]:
        """Return which version is deployed, by environment and who it is."""
        return {
            (environment, of): found.version
            for name, environment, of in self._of("deployments", 2)
            if (found := self._read(name, Deployment))
        }

    def result(self, provider: str, version: str, place: str) -> Result | None:
        """Return what verifying a pact found with this version of the provider; None: it was not verified."""
        return self._read(path("results", provider, version, place), Result)

    def fulfilled(self, provider: str, branch: str) -> set[str]:
        """Return the places of pacts that a version of the provider's branch fulfilled; no branch: any version."""
        return {
            place
            for name, of, version, place in self._of("results", 3)
            if of == provider
            and (not branch or branch in self.record(of, version).branches)
            and (found := self._read(name, Result))
            and found.success
        }

    def knows(self, version: Version) -> bool:
        """Whether a version has a pact or a result; that it was deployed says nothing of it."""
        who = (version.of, version.number)
        return any(parts[2:] == who for _, parts in self._paths if parts[0] == "pacts") or any(
            parts[1:3] == who for _, parts in self._paths if parts[0] == "results"
        )

    def _of(self, kind: str, count: int) -> Iterator[tuple[str, ...]]:
        """Yield each file of a kind: its path, then the names in it."""
        return ((name, *parts[1:]) for name, parts in self._paths if parts[0] == kind and len(parts) == count + 1)

    def _read(self, name: str, kind: type[S]) -> S | None:
        data = self._files.read(name)
        try:
            return None if data is None else codec.from_json(data, kind)
        except msgspec.MsgspecError as error:
            raise OrchestratorError(
                Code.SHELF_FAILED,
                f"{text.one_line(name)} can't be understood: {text.one_line(str(error))}",
                hint="Mend the file, or take it away; a conflict of git may have been left in it.",
            ) from error


def chosen(
    pacts: Sequence[Published],
    selectors: Iterable[Selector],
    deployed: Mapping[tuple[str, str], str],
    branch: str = "",
) -> list[Published]:
    """Return the pacts that any of the selectors chooses.

    Args:
        pacts: Those there are, each consumer's oldest first.
        selectors: What chooses.
        deployed: Which version is deployed, by environment and who it is.
        branch: The provider's.
    """
    consumers = dict.fromkeys(p.consumer for p in pacts)
    found = (
        pact
        for selector in selectors
        for consumer in consumers
        if selector.consumer in ("", consumer)
        for pact in _selected([p for p in pacts if p.consumer == consumer], selector, deployed, branch)
    )
    return list({pact.file: pact for pact in found}.values())


def _selected(
    own: list[Published], selector: Selector, deployed: Mapping[tuple[str, str], str], branch: str
) -> list[Published]:
    """Return those of one consumer's pacts that a selector chooses."""
    if selector.environment or selector.deployed_or_released:
        there = {
            version
            for (environment, of), version in deployed.items()
            if of == own[0].consumer and selector.environment in ("", environment)
        }
        return [p for p in own if p.version in there]
    if selector.tag:
        tagged = [p for p in own if selector.tag in p.record.tags]
        return tagged[-1:] if selector.latest else tagged
    if selector.branch or selector.main_branch or selector.matching_branch:
        wanted = selector.branch or (branch if selector.matching_branch else _main_branch(own))
        return [p for p in own if wanted and wanted in p.record.branches][-1:]
    return own[-1:]


def _main_branch(own: Sequence[Published]) -> str:
    there = {branch for p in own for branch in p.record.branches}
    return next((branch for branch in MAIN_BRANCHES if branch in there), "")


def _newer(known: Sequence[Published], since: str) -> list[Published]:
    """Return the latest pact of each branch of each consumer, if it was published since a day."""
    if not since:
        return []
    latest = {(p.consumer, branch): p for p in known for branch in p.record.branches}
    return [p for p in latest.values() if p.record.published >= since]


def _recorded(files: Files, version: Version, tags: Sequence[str]) -> dict[str, bytes]:
    """Return the file that tells of a version, with what is new of it."""
    file = path("versions", version.of, version.number)
    old = Catalogue(files).record(version.of, version.number)
    branches = (version.branch,) if version.branch else ()
    new = Record(
        published=old.published or now(),
        branches=tuple(dict.fromkeys((*old.branches, *branches))),
        tags=tuple(dict.fromkeys((*old.tags, *tags))),
    )
    return {file: codec.to_json(new)}


def _conflict(consumer: str, provider: str, version: str) -> OrchestratorError:
    return OrchestratorError(
        Code.PACT_CONFLICT,
        f"the pact of {text.one_line(consumer)} {text.one_line(version)} with {text.one_line(provider)} is published "
        "already, and says something else",
        hint="A version has one pact: publish a changed one as another version; the git commit is a good one.",
    )


def names_in(data: bytes) -> tuple[str, str]:
    """Return the consumer and the provider of a pact."""
    raw = json.loads(data)
    return str(raw["consumer"]["name"]), str(raw["provider"]["name"])


def digest(data: bytes) -> str:
    """Return what stands for a pact's content: the same for all that verifying it can't tell apart.

    That is neither the order of interactions nor who wrote the file with what.
    """
    raw = json.loads(data)
    interactions = [*raw.get("interactions", ()), *raw.get("messages", ())]
    metadata = raw.get("metadata") or {}
    about = {
        "names": names_in(data),
        "version": metadata.get("pactSpecification") or metadata.get("pact-specification"),
        "interactions": sorted(_canonical({k: v for k, v in i.items() if k != "_id"}) for i in interactions),
    }
    return hashlib.sha256(_canonical(about).encode("utf-8", errors="surrogatepass")).hexdigest()[:40]


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def path(kind: str, *names: str) -> str:
    """Return the path of a file: each name is one segment of it, whatever is in the name.

    Raises:
        OrchestratorError: a name is empty, or too long for a file's.
    """
    return "/".join([kind, *map(_segment, names)]) + ".json"


def _segment(name: str) -> str:
    segment = re.sub(r"[^A-Za-z0-9._-]|^\.", _escaped, name)
    if not segment or len(segment) > _LONGEST:
        what = "is empty" if not segment else f"takes {len(segment)} bytes, of {_LONGEST} at most"
        raise OrchestratorError(
            Code.SHELF_FAILED,
            f"the name {text.one_line(name, limit=60)!r} {what}",
            hint="Give it another name: here it is the name of a file.",
        )
    return segment


def _escaped(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8", errors="surrogatepass"))


def names_of(file: str) -> tuple[str, ...]:
    """Return the kind and the names in a file's path; empty: it is none of a shelf's files."""
    parts = file.removesuffix(".json").split("/")
    try:
        return tuple(urllib.parse.unquote(part, errors="surrogatepass") for part in parts)
    except UnicodeDecodeError:
        return ()


def now() -> str:
    """Return the time, in UTC, so that the order of two is that of their texts."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="microseconds")
