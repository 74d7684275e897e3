from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from backend.app.services import namespaces, records
from backend.app.services.commands import NamespaceDraft, PageRequest, RecordDraft, Transition
from backend.app.services.errors import NamespaceNotFoundError, NamespaceTakenError
from backend.app.services.paging import read_cursor
from tests.backend.support import NOON, FakeClock, uuid_number


def create(session: Session, *names: str, quota: int = 100) -> None:
    for name in names:
        namespaces.create(session, FakeClock(), NamespaceDraft(name, quota=quota))


def register(session: Session, namespace: str, *numbers: int) -> None:
    for number in numbers:
        records.register(session, FakeClock(), namespace, RecordDraft(uuid_number(number), "team-a"), "tester")


def test_a_new_namespace_is_empty_and_dated(session: Session, clock: FakeClock) -> None:
    use = namespaces.create(session, clock, NamespaceDraft("payments", "Orders", quota=7))

    assert (use.namespace.name, use.namespace.description, use.namespace.quota) == ("payments", "Orders", 7)
    assert use.namespace.created_at == NOON
    assert (use.used, use.remaining) == (0, 7)


def test_a_draft_has_room_for_a_hundred_records_unless_it_says_otherwise() -> None:
    assert NamespaceDraft("payments").quota == 100


def test_a_name_is_taken_once(session: Session, clock: FakeClock) -> None:
    create(session, "payments")

    with pytest.raises(NamespaceTakenError, match="'payments'"):
        namespaces.create(session, clock, NamespaceDraft("payments", quota=1))


def test_a_namespace_is_found_by_its_name(session: Session) -> None:
    create(session, "payments", "inventory")

    assert namespaces.find(session, "inventory").name == "inventory"


def test_an_unknown_name_is_not_found(session: Session) -> None:
    create(session, "payments")

    with pytest.raises(NamespaceNotFoundError, match="'payment'"):
        namespaces.find(session, "payment")


def test_use_counts_retired_records_but_not_deleted_ones(session: Session, clock: FakeClock) -> None:
    create(session, "payments", quota=5)
    register(session, "payments", 1, 2, 3)
    records.transition(session, clock, uuid_number(1), Transition("retired"), "tester")
    records.delete(session, clock, uuid_number(2))

    use = namespaces.use_of(session, namespaces.find(session, "payments"))

    assert (use.used, use.remaining) == (2, 3)


def test_use_counts_only_the_records_of_the_namespace(session: Session) -> None:
    create(session, "payments", "inventory")
    register(session, "payments", 1, 2)
    register(session, "inventory", 3)

    used = {use.namespace.name: use.used for use in namespaces.list_page(session, PageRequest()).items}

    assert used == {"payments": 2, "inventory": 1}


def test_a_namespace_over_its_quota_has_no_negative_room(session: Session) -> None:
    create(session, "payments", quota=2)
    register(session, "payments", 1, 2)
    namespace = namespaces.find(session, "payments")
    namespace.quota = 1  # as someone might do by hand

    assert namespaces.use_of(session, namespace).remaining == 0


def test_a_list_does_not_count_deleted_records(session: Session, clock: FakeClock) -> None:
    create(session, "payments")
    register(session, "payments", 1, 2)
    records.delete(session, clock, uuid_number(1))

    [use] = namespaces.list_page(session, PageRequest()).items

    assert use.used == 1


def test_pages_follow_the_order_of_creation(session: Session) -> None:
    create(session, "zebra", "ant", "mole")

    first = namespaces.list_page(session, PageRequest(limit=2))
    assert first.next_cursor is not None
    second = namespaces.list_page(session, PageRequest(limit=2, after=read_cursor(first.next_cursor)))

    assert [use.namespace.name for use in first.items] == ["zebra", "ant"]
    assert [use.namespace.name for use in second.items] == ["mole"]
    assert second.next_cursor is None


def test_a_page_that_is_just_full_is_the_last_one(session: Session) -> None:
    create(session, "zebra", "ant")

    page = namespaces.list_page(session, PageRequest(limit=2))

    assert len(page.items) == 2
    assert page.next_cursor is None


@pytest.mark.parametrize(
    ("limit", "sizes"),
    [(1, [1, 1, 1, 1]), (2, [2, 2]), (3, [3, 1]), (4, [4]), (5, [4])],
)
def test_following_the_cursors_leads_through_all_namespaces_once(
    session: Session, limit: int, sizes: list[int]
) -> None:
    create(session, "zebra", "ant", "mole", "bee")
    pages = []
    after = 0
    for _ in sizes:  # not "while there is a cursor": one that stands still would never end
        pages.append(namespaces.list_page(session, PageRequest(limit, after)))
        after = read_cursor(pages[-1].next_cursor or "0")

    assert pages[-1].next_cursor is None
    assert [len(page.items) for page in pages] == sizes
    assert [use.namespace.name for page in pages for use in page.items] == ["zebra", "ant", "mole", "bee"]


def test_a_page_after_the_last_namespace_is_empty(session: Session) -> None:
    create(session, "zebra")

    page = namespaces.list_page(session, PageRequest(after=2**63 - 1))

    assert (list(page.items), page.next_cursor) == ([], None)
