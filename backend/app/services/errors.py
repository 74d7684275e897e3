"""What the rules refuse; the routes know which status each kind is."""

from __future__ import annotations

from typing import ClassVar


class ServiceError(Exception):
    """A rule refuses what was asked for.

    Attributes:
        code: The stable name of the reason, for programs.
        title: The reason, for people; the message says what it means here.
    """

    code: ClassVar[str]
    title: ClassVar[str]


class NotFoundError(ServiceError):
    """What was named does not exist."""


class ConflictError(ServiceError):
    """What was asked for does not go with what is there."""


class GoneError(ServiceError):
    """What was named existed once."""


class StaleError(ServiceError):
    """What was named has changed in the meantime."""


class NamespaceNotFoundError(NotFoundError):
    """No namespace has this name."""

    code = "namespace-not-found"
    title = "Namespace not found"


class NamespaceTakenError(ConflictError):
    """A namespace has this name already."""

    code = "namespace-taken"
    title = "Namespace taken"


class QuotaExceededError(ConflictError):
    """The namespace has no room for another record."""

    code = "quota-exceeded"
    title = "Quota exceeded"


class RecordNotFoundError(NotFoundError):
    """The UUID was never registered."""

    code = "record-not-found"
    title = "Record not found"


class RecordDeletedError(GoneError):
    """The record was deleted."""

    code = "record-deleted"
    title = "Record deleted"


class UuidTakenError(ConflictError):
    """The UUID is registered already."""

    code = "uuid-taken"
    title = "UUID taken"


class UuidDeletedError(ConflictError):
    """The UUID was registered and deleted; it is not given out again."""

    code = "uuid-deleted"
    title = "UUID deleted"


class RecordRetiredError(ConflictError):
    """The record is retired and stays as it is."""

    code = "record-retired"
    title = "Record retired"


class MetadataLimitError(ConflictError):
    """The record would have too much metadata."""

    code = "metadata-limit"
    title = "Too much metadata"


class InvalidTransitionError(ConflictError):
    """The record's state does not lead to the one asked for."""

    code = "invalid-transition"
    title = "Invalid transition"


class StaleRevisionError(StaleError):
    """The record has another revision than the change was made from.

    Attributes:
        current: The revision it has.
    """

    code = "stale-revision"
    title = "Stale revision"

    def __init__(self, current: int) -> None:
        super().__init__(f"The record is at revision {current} by now.")
        self.current = current


class IdempotencyConflictError(ConflictError):
    """The key was used for another request."""

    code = "idempotency-conflict"
    title = "Idempotency conflict"
