"""The billing worker: gives invoices their UUIDs and registers them, in runs that may be repeated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from tests.consumers.service_client import ProblemError, ServiceClient, segment

OWNER = "team-billing"


class WrongRunError(ProblemError):
    """The name of a run was used for a run of another size: a person must look."""


class NoSuchNamespaceError(ProblemError):
    """The worker's settings name a namespace that does not exist."""


class NamespaceFullError(ProblemError):
    """The namespace takes no more invoices: stop the run and ask for a larger quota."""


class AlreadyRegisteredError(ProblemError):
    """The invoice was registered before: carry on with the next."""


class WithdrawnError(ProblemError):
    """The invoice was registered and deleted: it must not come back."""


class RejectedError(ProblemError):
    """The service does not accept what the worker sent: a mistake in the worker."""


class SettledError(ProblemError):
    """The invoice is retired, and stays so."""


@dataclass(frozen=True)
class Batch:
    """New UUIDs; `repeated` ones were given out before, to an earlier attempt of the same run."""

    uuids: tuple[str, ...]
    repeated: bool


@dataclass(frozen=True)
class Invoice:
    """An invoice to be registered."""

    uuid: str
    number: str


@dataclass(frozen=True)
class Registration:
    """A registered invoice, and where to read about it."""

    uuid: str
    address: str


@dataclass(frozen=True)
class Outcome:
    """What became of several invoices: those that were registered, and why the others were not."""

    registered: tuple[str, ...]
    refused: dict[str, str]


class BillingWorker(ServiceClient):
    """The service's API, as far as the billing worker needs it.

    Args:
        url: Where the service is.
        key: The worker's API key.
        namespace: Where invoices are registered.
    """

    refusals: ClassVar[Mapping[str, type[ProblemError]]] = {
        "idempotency-conflict": WrongRunError,
        "namespace-not-found": NoSuchNamespaceError,
        "quota-exceeded": NamespaceFullError,
        "uuid-taken": AlreadyRegisteredError,
        "uuid-deleted": WithdrawnError,
        "invalid-body": RejectedError,
        "invalid-transition": SettledError,
    }

    def __init__(self, url: str, key: str, namespace: str = "invoices") -> None:
        super().__init__(url, key)
        self._namespace = f"/v1/namespaces/{segment(namespace)}"

    def is_service_ready(self) -> bool:
        """Say whether it makes sense to start a run."""
        return bool(self._read("/readyz")["status"] == "ready")

    def room(self) -> int:
        """Return how many more invoices the namespace takes.

        Raises:
            NoSuchNamespaceError: It does not exist.
        """
        return int(self._read(self._namespace)["remaining"])

    def uuids_for_run(self, run: str, count: int) -> Batch:
        """Mint the UUIDs of a run, which sort by their time; a repeated run gets the same ones.

        Raises:
            WrongRunError: The run asked for another number of them before.
        """
        response = self._send(
            "POST", "/v1/uuids", headers={"Idempotency-Key": run}, body={"version": 7, "count": count}
        )
        return Batch(tuple(response.json()["uuids"]), repeated=response.headers["Idempotency-Replayed"] == "true")

    def uuid_of_customer(self, domain: str) -> str:
        """Return the UUID that a customer's domain always has.

        Raises:
            RejectedError: It can't have one.
        """
        wanted = {"version": 5, "namespace": "dns", "name": domain}
        return str(self._send("POST", "/v1/uuids", body=wanted).json()["uuids"][0])

    def register(self, invoice: Invoice) -> Registration:
        """Register an invoice.

        Raises:
            NoSuchNamespaceError: The namespace does not exist.
            NamespaceFullError: The namespace takes no more.
            AlreadyRegisteredError: It was registered before.
            WithdrawnError: It was registered and deleted.
        """
        response = self._send("POST", f"{self._namespace}/records", body=_draft(invoice))
        return Registration(response.json()["uuid"], response.headers["Location"])

    def register_all(self, invoices: Sequence[Invoice]) -> Outcome:
        """Register several invoices, each for itself.

        Raises:
            NoSuchNamespaceError: The namespace does not exist.
            RejectedError: One of them is not fit to be registered; none was.
        """
        body = {"items": [_draft(invoice) for invoice in invoices]}
        results = self._send("POST", f"{self._namespace}/records/batch", body=body).json()["results"]
        return Outcome(
            registered=tuple(result["record"]["uuid"] for result in results if "record" in result),
            refused={
                invoices[result["index"]].number: result["problem"]["code"] for result in results if "problem" in result
            },
        )

    def dispute(self, uuid: str, reason: str) -> str:
        """Suspend an invoice that a customer does not accept, and return its state.

        Raises:
            SettledError: It was paid.
        """
        return self._move(uuid, {"to": "suspended", "reason": reason})

    def settle(self, uuid: str) -> str:
        """Retire an invoice that was paid, and return its state.

        Raises:
            SettledError: It was paid before.
        """
        return self._move(uuid, {"to": "retired"})

    def withdraw(self, uuid: str) -> None:
        """Delete an invoice that should not have been written."""
        self._send("DELETE", f"/v1/records/{segment(uuid)}")

    def _move(self, uuid: str, transition: dict[str, str]) -> str:
        return str(self._send("POST", f"/v1/records/{segment(uuid)}/transitions", body=transition).json()["state"])


def _draft(invoice: Invoice) -> dict[str, Any]:
    return {
        "uuid": invoice.uuid,
        "owner": OWNER,
        "label": f"Invoice {invoice.number}",
        "metadata": {"number": invoice.number},
    }
