"""Namespaces: where records live, and how many of them may."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from backend.app.clock import Clock
from backend.app.models import Namespace, Record
from backend.app.services.commands import NamespaceDraft, PageRequest
from backend.app.services.errors import NamespaceNotFoundError, NamespaceTakenError
from backend.app.services.paging import Page, cut_page


@dataclass(frozen=True)
class NamespaceUse:
    """A namespace, and how many of its places are taken."""

    namespace: Namespace
    used: int

    @property
    def remaining(self) -> int:
        """How many more records it takes."""
        return max(0, self.namespace.quota - self.used)


def create(session: Session, clock: Clock, draft: NamespaceDraft) -> NamespaceUse:
    """Creates a namespace.

    Raises:
        NamespaceTakenError: There is one of this name.
    """
    if session.scalar(select(Namespace.id).where(Namespace.name == draft.name)) is not None:
        raise NamespaceTakenError(f"There is a namespace {draft.name!r} already.")
    namespace = Namespace(name=draft.name, description=draft.description, quota=draft.quota, created_at=clock())
    session.add(namespace)
    session.flush()
    return NamespaceUse(namespace, used=0)


def find(session: Session, name: str) -> Namespace:
    """Finds a namespace by its name.

    Raises:
        NamespaceNotFoundError: There is none of this name.
    """
    namespace = session.scalar(select(Namespace).where(Namespace.name == name))
    if namespace is None:
        raise NamespaceNotFoundError(f"There is no namespace {name!r}.")
    return namespace


def use_of(session: Session, namespace: Namespace) -> NamespaceUse:
    """Counts the records of a namespace; deleted ones take no place."""
    used = session.scalar(select(func.count()).where(*_takes_place(namespace.id)))
    return NamespaceUse(namespace, used=used or 0)


def list_page(session: Session, page: PageRequest) -> Page[NamespaceUse]:
    """Lists namespaces in the order in which they were created."""
    used = select(func.count()).where(*_takes_place(Namespace.id)).correlate(Namespace).scalar_subquery()
    rows = session.execute(
        select(Namespace, used).where(Namespace.id > page.after).order_by(Namespace.id).limit(page.limit + 1)
    )
    found = [NamespaceUse(namespace, used=count) for namespace, count in rows]
    return cut_page(found, page.limit, lambda item: item.namespace.id)


def _takes_place(namespace_id: object) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return Record.namespace_id == namespace_id, Record.deleted_at.is_(None)
