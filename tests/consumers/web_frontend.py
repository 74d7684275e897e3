"""The web front end: tables and forms, for people who look after namespaces and their records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from tests.consumers.service_client import ProblemError, ServiceClient, segment


class SignedOutError(ProblemError):
    """The key is not valid any more: ask for it again."""


class NotThereError(ProblemError):
    """Nothing was ever there: a mistyped address."""


class DeletedError(ProblemError):
    """The record was there: a link that is too old."""


class NameTakenError(ProblemError):
    """A namespace has this name: suggest another one."""


class ChangedElsewhereError(ProblemError):
    """Somebody changed the record while the form was open: `etag` is what it has become."""


class NotLoadedError(ProblemError):
    """The form was filled in without the record having been loaded: load it first."""


class ReadOnlyError(ProblemError):
    """The record is retired: show it, without a form."""


class FormError(ProblemError):
    """Some fields of the form are wrong: `fields` says which."""


@dataclass(frozen=True)
class NamespaceCard:
    """A namespace on the start page."""

    name: str
    description: str
    used: int
    quota: int

    @property
    def is_full(self) -> bool:
        """Whether the button "Register" is grey."""
        return self.used >= self.quota


@dataclass(frozen=True)
class Row:
    """A record in a table."""

    uuid: str
    owner: str
    label: str
    state: str


@dataclass(frozen=True)
class Table:
    """A page of rows, and where the link "More" leads."""

    rows: tuple[Row, ...]
    more: str | None


@dataclass(frozen=True)
class Form:
    """A record in a form; `etag` is sent back with the changes."""

    uuid: str
    owner: str
    label: str
    metadata: dict[str, str]
    state: str
    etag: str


@dataclass(frozen=True)
class HistoryEntry:
    """A line of a record's history."""

    at: datetime
    what: str
    who: str
    why: str


class WebFrontend(ServiceClient):
    """The service's API, as far as the web front end needs it."""

    refusals: ClassVar[Mapping[str, type[ProblemError]]] = {
        "unauthorized": SignedOutError,
        "namespace-not-found": NotThereError,
        "record-not-found": NotThereError,
        "record-deleted": DeletedError,
        "namespace-taken": NameTakenError,
        "stale-revision": ChangedElsewhereError,
        "precondition-required": NotLoadedError,
        "record-retired": ReadOnlyError,
        "invalid-body": FormError,
    }

    def namespaces(self) -> list[NamespaceCard]:
        """Return what the start page shows."""
        return [_card(namespace) for namespace in self._read("/v1/namespaces", {"limit": 100})["items"]]

    def create_namespace(self, name: str, description: str, quota: int) -> NamespaceCard:
        """Create a namespace.

        Raises:
            NameTakenError: There is one of this name.
            FormError: The name, the description or the quota is not allowed.
        """
        wanted = {"name": name, "description": description, "quota": quota}
        return _card(self._send("POST", "/v1/namespaces", body=wanted).json())

    def records(
        self,
        namespace: str,
        *,
        state: str | None = None,
        owner: str | None = None,
        limit: int = 20,
        more: str | None = None,
    ) -> Table:
        """Return a page of a namespace's table.

        Args:
            namespace: Whose records.
            state: Only those in this state.
            owner: Only those of this owner.
            limit: How many rows the page has at most.
            more: The `more` of the page before.

        Raises:
            NotThereError: There is no such namespace.
        """
        wanted = {"state": state, "owner": owner, "limit": limit, "cursor": more}
        page = self._read(f"/v1/namespaces/{segment(namespace)}/records", wanted)
        return Table(tuple(_row(record) for record in page["items"]), page["next_cursor"])

    def open(self, uuid: str) -> Form:
        """Return the form of a record.

        Raises:
            NotThereError: It was never registered.
            DeletedError: It was deleted.
        """
        response = self._send("GET", f"/v1/records/{segment(uuid)}")
        return _form(response.json(), response.headers["ETag"])

    def save(self, uuid: str, changes: Mapping[str, Any], etag: str | None) -> Form:
        """Change a record as a form says.

        Args:
            uuid: The record.
            changes: The fields that were changed; None is for those that were emptied.
            etag: The revision that the form was made from, or `*` to save whatever came in between; None when the
                browser has lost it.

        Raises:
            NotLoadedError: No revision was given.
            ChangedElsewhereError: The record has another revision by now.
            ReadOnlyError: The record is retired.
            FormError: A field is not allowed.
        """
        headers = {"If-Match": etag, "Content-Type": "application/merge-patch+json"}
        response = self._send("PATCH", f"/v1/records/{segment(uuid)}", headers=headers, body=changes)
        return _form(response.json(), response.headers["ETag"])

    def delete(self, uuid: str) -> None:
        """Delete a record; that somebody else did so before is as good.

        Raises:
            NotThereError: It was never registered.
        """
        try:
            self._send("DELETE", f"/v1/records/{segment(uuid)}")
        except DeletedError:
            return

    def history(self, uuid: str) -> list[HistoryEntry]:
        """Return a record's history, oldest first."""
        return [_entry(event) for event in self._read(f"/v1/records/{segment(uuid)}/events")["items"]]

    def suggest_uuid(self) -> str:
        """Return a random UUID for the form of a new record."""
        minted = self._send("POST", "/v1/uuids", body={"version": 4}).json()
        return str(minted["uuids"][0])


def _card(namespace: Mapping[str, Any]) -> NamespaceCard:
    return NamespaceCard(
        name=namespace["name"],
        description=namespace["description"] or "",
        used=namespace["used"],
        quota=namespace["quota"],
    )


def _row(record: Mapping[str, Any]) -> Row:
    return Row(uuid=record["uuid"], owner=record["owner"], label=record["label"] or "", state=record["state"])


def _form(record: Mapping[str, Any], etag: str) -> Form:
    return Form(
        uuid=record["uuid"],
        owner=record["owner"],
        label=record["label"] or "",
        metadata=record["metadata"],
        state=record["state"],
        etag=etag,
    )


def _entry(event: Mapping[str, Any]) -> HistoryEntry:
    return HistoryEntry(
        at=datetime.fromisoformat(event["at"]), what=event["type"], who=event["actor"], why=event["reason"] or ""
    )
