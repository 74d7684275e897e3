"""The mobile app: people in the field scan codes and look up what they have in their hands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from tests.consumers.service_client import ProblemError, ServiceClient, segment


class SignInAgainError(ProblemError):
    """The service does not know the key of this phone."""


class NotAllowedError(ProblemError):
    """This phone may look, and not touch."""


class UnreadableCodeError(ProblemError):
    """What was scanned is not a UUID."""


@dataclass(frozen=True)
class Code:
    """What a scanned UUID says about itself."""

    uuid: str
    version: int | None
    minted: datetime | None


@dataclass(frozen=True)
class Parcel:
    """What the register says about a scanned UUID."""

    uuid: str
    title: str
    owner: str
    state: str
    details: dict[str, str]


@dataclass(frozen=True)
class Verdict:
    """What the screen says after a scan: a parcel, or why there is none."""

    parcel: Parcel | None
    message: str


@dataclass(frozen=True)
class Step:
    """Something that happened to a parcel."""

    what: str
    at: datetime


class MobileApp(ServiceClient):
    """The service's API, as far as the mobile app needs it."""

    refusals: ClassVar[Mapping[str, type[ProblemError]]] = {
        "unauthorized": SignInAgainError,
        "scope-missing": NotAllowedError,
        "invalid-parameter": UnreadableCodeError,
    }

    def service_version(self) -> str:
        """Return the version of the service, for the screen "About"."""
        return str(self._read("/healthz")["version"])

    def explain(self, text: str) -> Code:
        """Explain what was scanned.

        Raises:
            UnreadableCodeError: It is not a UUID.
        """
        details = self._read(f"/v1/uuids/{segment(text)}")
        minted = details["timestamp"]
        return Code(details["uuid"], details["version"], None if minted is None else datetime.fromisoformat(minted))

    def look_up(self, uuid: str) -> Verdict:
        """Look a scanned UUID up in the register."""
        try:
            record = self._read(f"/v1/records/{segment(uuid)}")
        except ProblemError as problem:
            if problem.code == "record-not-found":
                return Verdict(None, "Unknown: not one of ours.")
            if problem.code == "record-deleted":
                return Verdict(None, "Was one of ours: please hand it in.")
            raise
        return Verdict(_parcel(record), "Known.")

    def parcels_of(self, owner: str) -> list[Parcel]:
        """Return the parcels that somebody carries."""
        query = {"owner": owner, "state": "active"}
        return [_parcel(record) for record in self._read("/v1/namespaces/parcels/records", query)["items"]]

    def journey(self, uuid: str) -> list[Step]:
        """Return what happened to a parcel, oldest first; a page at a time, because phones are slow."""
        steps: list[Step] = []
        cursor = None
        while True:
            query = {"limit": 2, "cursor": cursor}
            page = self._read(f"/v1/records/{segment(uuid)}/events", query)
            steps += [Step(event["type"], datetime.fromisoformat(event["at"])) for event in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                return steps

    def report_lost(self, uuid: str) -> None:
        """Suspend a parcel that is lost.

        Raises:
            NotAllowedError: This phone may not.
        """
        wanted = {"to": "suspended", "reason": "Reported lost"}
        self._send("POST", f"/v1/records/{segment(uuid)}/transitions", body=wanted)


def _parcel(record: Mapping[str, Any]) -> Parcel:
    return Parcel(
        uuid=record["uuid"],
        title=record["label"] or record["uuid"],
        owner=record["owner"],
        state=record["state"],
        details=record["metadata"],
    )
