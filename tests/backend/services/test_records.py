from __future__ import annotations

from typing import get_args

import pytest
from sqlalchemy.orm import Session

from backend.app.models import Event, Record, State
from backend.app.services import namespaces, records
from backend.app.services.commands import (
    NamespaceDraft,
    PageRequest,
    RecordDraft,
    RecordFilter,
    RecordPatch,
    Transition,
)
from backend.app.services.errors import (
    ConflictError,
    InvalidTransitionError,
    MetadataLimitError,
    NamespaceNotFoundError,
    QuotaExceededError,
    RecordDeletedError,
    RecordNotFoundError,
    RecordRetiredError,
    StaleRevisionError,
    UuidDeletedError,
    UuidTakenError,
)
from backend.app.services.paging import read_cursor
from tests.backend.support import NOON, FakeClock, uuid_number

ONE = uuid_number(1)
TWO = uuid_number(2)
THREE = uuid_number(3)


@pytest.fixture(autouse=True)
def payments(session: Session, clock: FakeClock) -> None:
    """Room for three records."""
    namespaces.create(session, clock, NamespaceDraft("payments", quota=3))


def register(session: Session, clock: FakeClock, uuid: str = ONE, owner: str = "team-a") -> Record:
    draft = RecordDraft(uuid, owner, "Order 4711", {"region": "eu"})
    return records.register(session, clock, "payments", draft, "tester")


def relabel(session: Session, clock: FakeClock, label: str | None, *, revision: int | None = None) -> Record:
    patch = RecordPatch(frozenset({"label"}), label=label)
    return records.update(session, clock, ONE, patch, expected_revision=revision, actor="editor")


def patch_metadata(session: Session, clock: FakeClock, metadata: dict[str, str | None] | None) -> Record:
    patch = RecordPatch(frozenset({"metadata"}), metadata=metadata)
    return records.update(session, clock, ONE, patch, expected_revision=None, actor="editor")


def become(session: Session, clock: FakeClock, *states: State, uuid: str = ONE) -> Record:
    for state in states:
        records.transition(session, clock, uuid, Transition(state), "tester")
    return records.find(session, uuid)


def history(session: Session, uuid: str = ONE) -> list[Event]:
    return list(records.list_events(session, uuid, PageRequest(limit=100)).items)


def listed(session: Session, wanted: RecordFilter = RecordFilter()) -> list[str]:  # noqa: B008 - it is frozen
    return [record.uuid for record in records.list_page(session, "payments", wanted, PageRequest()).items]


class TestRegister:
    def test_a_new_record_is_active_at_revision_one(self, session: Session, clock: FakeClock) -> None:
        record = register(session, clock)

        assert (record.uuid, record.namespace.name, record.owner) == (ONE, "payments", "team-a")
        assert (record.label, record.entries) == ("Order 4711", {"region": "eu"})
        assert (record.state, record.revision) == ("active", 1)
        assert record.created_at == record.updated_at == NOON
        assert record.deleted_at is None

    def test_its_history_starts_with_who_registered_it(self, session: Session, clock: FakeClock) -> None:
        register(session, clock)

        [event] = history(session)

        assert (event.sequence, event.type, event.actor, event.at) == (1, "registered", "tester", NOON)
        assert event.reason is None

    def test_an_unknown_namespace_is_not_found(self, session: Session, clock: FakeClock) -> None:
        with pytest.raises(NamespaceNotFoundError):
            records.register(session, clock, "nowhere", RecordDraft(ONE, "team-a"), "tester")

    def test_a_uuid_is_registered_once_in_all_namespaces(self, session: Session, clock: FakeClock) -> None:
        register(session, clock)
        namespaces.create(session, clock, NamespaceDraft("inventory"))

        with pytest.raises(UuidTakenError, match=ONE):
            records.register(session, clock, "inventory", RecordDraft(ONE, "team-b"), "tester")

    def test_the_uuid_of_a_deleted_record_stays_taken(self, session: Session, clock: FakeClock) -> None:
        register(session, clock)
        records.delete(session, clock, ONE)

        with pytest.raises(UuidDeletedError, match=ONE):
            register(session, clock)

    def test_the_last_place_can_be_taken_and_no_more(self, session: Session, clock: FakeClock) -> None:
        for number in (1, 2, 3):
            register(session, clock, uuid_number(number))

        with pytest.raises(QuotaExceededError, match="quota of 3"):
            register(session, clock, uuid_number(4))

    def test_a_deleted_record_frees_its_place(self, session: Session, clock: FakeClock) -> None:
        for number in (1, 2, 3):
            register(session, clock, uuid_number(number))
        records.delete(session, clock, TWO)

        assert register(session, clock, uuid_number(4)).revision == 1

    def test_a_retired_record_keeps_its_place(self, session: Session, clock: FakeClock) -> None:
        for number in (1, 2, 3):
            register(session, clock, uuid_number(number))
        become(session, clock, "retired")

        with pytest.raises(QuotaExceededError):
            register(session, clock, uuid_number(4))

    def test_a_taken_uuid_is_the_reason_even_without_room(self, session: Session, clock: FakeClock) -> None:
        for number in (1, 2, 3):
            register(session, clock, uuid_number(number))

        with pytest.raises(UuidTakenError):
            register(session, clock, ONE)


class TestRegisterBatch:
    def test_all_items_are_registered_in_order_at_the_same_time(self, session: Session, clock: FakeClock) -> None:
        drafts = [RecordDraft(TWO, "team-a"), RecordDraft(ONE, "team-b")]

        results = records.register_batch(session, clock, "payments", drafts, "tester")

        assert listed(session) == [TWO, ONE]
        assert [result.created_at for result in results if isinstance(result, Record)] == [NOON, NOON]

    def test_a_refused_item_does_not_stop_the_others(self, session: Session, clock: FakeClock) -> None:
        register(session, clock, TWO)
        drafts = [RecordDraft(uuid, "team-a") for uuid in (ONE, TWO, THREE)]

        first, second, third = records.register_batch(session, clock, "payments", drafts, "tester")

        assert isinstance(first, Record)
        assert isinstance(second, UuidTakenError)
        assert isinstance(third, Record)

    def test_an_item_that_comes_twice_is_registered_once(self, session: Session, clock: FakeClock) -> None:
        drafts = [RecordDraft(ONE, "team-a"), RecordDraft(ONE, "team-b")]

        first, second = records.register_batch(session, clock, "payments", drafts, "tester")

        assert isinstance(first, Record)
        assert isinstance(second, UuidTakenError)
        assert records.find(session, ONE).owner == "team-a"

    def test_items_are_refused_from_where_the_room_ends(self, session: Session, clock: FakeClock) -> None:
        drafts = [RecordDraft(uuid_number(number), "team-a") for number in range(5)]

        results = records.register_batch(session, clock, "payments", drafts, "tester")

        refused = [isinstance(result, ConflictError) for result in results]
        assert refused == [False, False, False, True, True]

    def test_every_item_has_its_own_reason(self, session: Session, clock: FakeClock) -> None:
        namespaces.create(session, clock, NamespaceDraft("inventory"))
        records.register(session, clock, "inventory", RecordDraft(THREE, "team-c"), "tester")
        for uuid in (ONE, TWO):
            register(session, clock, uuid)
        records.delete(session, clock, ONE)
        wanted = [ONE, TWO, THREE, *(uuid_number(number) for number in (4, 5, 6))]

        results = records.register_batch(
            session, clock, "payments", [RecordDraft(uuid, "team-b") for uuid in wanted], "tester"
        )

        assert [type(result) for result in results] == [
            UuidDeletedError,
            UuidTakenError,
            UuidTakenError,
            Record,
            Record,
            QuotaExceededError,
        ]
        assert listed(session) == [TWO, *wanted[3:5]]

    def test_an_unknown_namespace_refuses_the_whole_batch(self, session: Session, clock: FakeClock) -> None:
        with pytest.raises(NamespaceNotFoundError):
            records.register_batch(session, clock, "nowhere", [RecordDraft(ONE, "team-a")], "tester")


class TestFindAndDelete:
    def test_a_uuid_that_was_never_registered_is_not_found(self, session: Session) -> None:
        with pytest.raises(RecordNotFoundError, match=ONE):
            records.find(session, ONE)

    def test_a_deleted_record_is_gone(self, session: Session, clock: FakeClock) -> None:
        register(session, clock)
        records.delete(session, clock, ONE)

        with pytest.raises(RecordDeletedError, match=ONE):
            records.find(session, ONE)

    def test_a_record_is_deleted_once(self, session: Session, clock: FakeClock) -> None:
        register(session, clock)
        records.delete(session, clock, ONE)

        with pytest.raises(RecordDeletedError):
            records.delete(session, clock, ONE)

    def test_a_retired_record_can_be_deleted(self, session: Session, clock: FakeClock) -> None:
        register(session, clock)
        become(session, clock, "retired")

        records.delete(session, clock, ONE)

        assert listed(session) == []

    @pytest.mark.parametrize(("minutes", "expected"), [(5, 5), (-5, 0)])
    def test_a_record_is_not_deleted_before_its_last_change(
        self, session: Session, clock: FakeClock, minutes: int, expected: int
    ) -> None:
        record = register(session, clock)
        clock.advance(minutes=minutes)

        records.delete(session, clock, ONE)

        assert record.deleted_at == FakeClock().advance(minutes=expected)


class TestUpdate:
    def test_a_change_raises_the_revision_and_is_dated(self, session: Session, clock: FakeClock) -> None:
        register(session, clock)
        later = clock.advance(minutes=1)

        record = relabel(session, clock, "Order 4712", revision=1)

        assert (record.label, record.revision) == ("Order 4712", 2)
        assert (record.created_at, record.updated_at) == (NOON, later)
        assert [(event.type, event.actor) for event in history(session)] == [
            ("registered", "tester"),
            ("updated", "editor"),
        ]

    def test_members_that_a_patch_does_not_have_stay(self, session: Session, clock: FakeClock) -> None:
        register(session, clock)

        record = relabel(session, clock, None)

        assert (record.owner, record.label, record.entries) == ("team-a", None, {"region": "eu"})

    def test_the_owner_can_change(self, session: Session, clock: FakeClock) -> None:
        register(session, clock)
        patch = RecordPatch(frozenset({"owner"}), owner="team-b")

        record = records.update(session, clock, ONE, patch, expected_revision=1, actor="editor")

        assert (record.owner, record.label, record.revision) == ("team-b", "Order 4711", 2)

    def test_a_patch_that_changes_nothing_leaves_no_trace(self, session: Session, clock: FakeClock) -> None:
        register(session, clock)
        clock.advance(minutes=1)

        record = relabel(session, clock, "Order 4711", revision=1)

        assert (record.revision, record.updated_at) == (1, NOON)
        assert len(history(session)) == 1

    @pytest.mark.parametrize("revision", [1, 3])
    def test_another_revision_is_refused_with_the_current_one(
        self, session: Session, clock: FakeClock, revision: int
    ) -> None:
        register(session, clock)
        relabel(session, clock, "Order 4712")

        with pytest.raises(StaleRevisionError) as refusal:
            relabel(session, clock, "Order 4713", revision=revision)

        assert refusal.value.current == 2
        assert records.find(session, ONE).label == "Order 4712"

    def test_a_retired_record_stays_as_it_is(self, session: Session, clock: FakeClock) -> None:
        register(session, clock)
        become(session, clock, "retired")

        with pytest.raises(RecordRetiredError):
            relabel(session, clock, "Order 4712")

    def test_a_suspended_record_can_be_changed(self, session: Session, clock: FakeClock) -> None:
        register(session, clock)
        become(session, clock, "suspended")

        assert relabel(session, clock, "Order 4712").revision == 3

    def test_a_stale_revision_is_the_reason_even_when_retired(self, session: Session, clock: FakeClock) -> None:
        register(session, clock)
        become(session, clock, "retired")

        with pytest.raises(StaleRevisionError):
            relabel(session, clock, "Order 4712", revision=1)

    def test_a_deleted_record_can_not_be_changed(self, session: Session, clock: FakeClock) -> None:
        register(session, clock)
        records.delete(session, clock, ONE)

        with pytest.raises(RecordDeletedError):
            relabel(session, clock, "Order 4712", revision=1)

    def test_an_unknown_record_is_not_found(self, session: Session, clock: FakeClock) -> None:
        with pytest.raises(RecordNotFoundError):
            relabel(session, clock, "Order 4712")


class TestMetadata:
    @pytest.mark.parametrize(
        ("patch", "expected"),
        [
            ({"ticket": "1"}, {"region": "eu", "ticket": "1"}),
            ({"region": "us"}, {"region": "us"}),
            ({"region": None, "ticket": "1"}, {"ticket": "1"}),
            ({"region": ""}, {"region": ""}),
            ({"absent": None}, {"region": "eu"}),
            ({}, {"region": "eu"}),
            (None, {}),
        ],
    )
    def test_a_patch_sets_and_removes_entries(
        self, patch: dict[str, str | None] | None, expected: dict[str, str]
    ) -> None:
        assert records.merge_metadata({"region": "eu"}, patch) == expected

    def test_sixteen_entries_are_the_most(self) -> None:
        fifteen = {f"key{number}": "" for number in range(15)}

        assert len(records.merge_metadata(fifteen, {"last": ""})) == 16
        with pytest.raises(MetadataLimitError, match="16"):
            records.merge_metadata(fifteen, {"last": "", "one-more": ""})

    def test_an_entry_can_be_exchanged_in_full_metadata(self) -> None:
        sixteen = {f"key{number}": "" for number in range(16)}

        merged = records.merge_metadata(sixteen, {"key0": None, "new": "x"})

        assert len(merged) == 16
        assert merged["new"] == "x"

    def test_a_change_beyond_the_limit_leaves_the_record_as_it_is(self, session: Session, clock: FakeClock) -> None:
        register(session, clock)
        too_many: dict[str, str | None] = {f"key{number}": "" for number in range(16)}
        patch = RecordPatch(frozenset({"owner", "metadata"}), owner="team-b", metadata=too_many)

        with pytest.raises(MetadataLimitError):
            records.update(session, clock, ONE, patch, expected_revision=1, actor="editor")

        record = records.find(session, ONE)
        assert (record.owner, record.entries, record.revision) == ("team-a", {"region": "eu"}, 1)
        assert len(history(session)) == 1

    @pytest.mark.parametrize("patch", [{}, {"region": "eu"}, {"absent": None}])
    def test_metadata_that_stay_the_same_make_no_revision(
        self, session: Session, clock: FakeClock, patch: dict[str, str | None]
    ) -> None:
        register(session, clock)

        assert patch_metadata(session, clock, patch).revision == 1
        assert len(history(session)) == 1

    def test_changed_metadata_is_stored(self, session: Session, clock: FakeClock) -> None:
        register(session, clock)

        patch_metadata(session, clock, {"ticket": "1"})
        session.expire_all()

        assert records.find(session, ONE).entries == {"region": "eu", "ticket": "1"}
        assert records.find(session, ONE).revision == 2


class TestTransition:
    @pytest.mark.parametrize(
        ("path", "event"),
        [
            (["suspended"], "suspended"),
            (["retired"], "retired"),
            (["suspended", "active"], "activated"),
            (["suspended", "retired"], "retired"),
        ],
    )
    def test_an_allowed_transition_is_written_down(
        self, session: Session, clock: FakeClock, path: list[State], event: str
    ) -> None:
        register(session, clock)

        record = become(session, clock, *path)

        assert (record.state, record.revision) == (path[-1], len(path) + 1)
        assert history(session)[-1].type == event

    @pytest.mark.parametrize(
        ("path", "to"),
        [
            ([], "active"),
            (["suspended"], "suspended"),
            (["retired"], "active"),
            (["retired"], "suspended"),
            (["retired"], "retired"),
        ],
    )
    def test_any_other_transition_is_refused(
        self, session: Session, clock: FakeClock, path: list[State], to: State
    ) -> None:
        register(session, clock)
        before = become(session, clock, *path).revision

        with pytest.raises(InvalidTransitionError, match=to):
            become(session, clock, to)

        assert records.find(session, ONE).revision == before

    def test_a_record_that_is_not_there_has_no_transitions(self, session: Session, clock: FakeClock) -> None:
        register(session, clock)
        records.delete(session, clock, ONE)

        with pytest.raises(RecordDeletedError):
            become(session, clock, "suspended")
        with pytest.raises(RecordNotFoundError):
            become(session, clock, "suspended", uuid=TWO)

    def test_every_state_has_its_transitions(self) -> None:
        assert set(records.TRANSITIONS) == set(get_args(State))

    def test_the_reason_and_the_actor_are_kept(self, session: Session, clock: FakeClock) -> None:
        register(session, clock)

        records.transition(session, clock, ONE, Transition("suspended", "Dispute"), "auditor")

        event = history(session)[-1]
        assert (event.actor, event.reason) == ("auditor", "Dispute")


class TestHistory:
    def test_sequence_numbers_rise_by_one_and_times_follow_the_clock(self, session: Session, clock: FakeClock) -> None:
        register(session, clock)
        second = clock.advance(minutes=1)
        become(session, clock, "suspended")
        third = clock.advance(minutes=1)
        become(session, clock, "active")

        assert [(event.sequence, event.at) for event in history(session)] == [(1, NOON), (2, second), (3, third)]

    def test_times_never_fall_when_the_clock_is_set_back(self, session: Session, clock: FakeClock) -> None:
        register(session, clock)
        clock.advance(hours=-1)

        record = become(session, clock, "suspended")

        assert [event.at for event in history(session)] == [NOON, NOON]
        assert record.updated_at == NOON

    def test_times_rise_again_once_the_clock_has_caught_up(self, session: Session, clock: FakeClock) -> None:
        register(session, clock)
        ahead = clock.advance(hours=1)
        relabel(session, clock, "Order 4712")
        clock.advance(hours=-2)
        become(session, clock, "suspended")
        caught_up = clock.advance(hours=3)
        become(session, clock, "active")

        assert [(event.sequence, event.type, event.at) for event in history(session)] == [
            (1, "registered", NOON),
            (2, "updated", ahead),
            (3, "suspended", ahead),
            (4, "activated", caught_up),
        ]

    def test_a_history_is_that_of_one_record(self, session: Session, clock: FakeClock) -> None:
        register(session, clock, ONE)
        register(session, clock, TWO)
        become(session, clock, "suspended", uuid=TWO)

        assert [event.type for event in history(session, ONE)] == ["registered"]
        assert [event.type for event in history(session, TWO)] == ["registered", "suspended"]

    def test_pages_of_a_history_follow_each_other(self, session: Session, clock: FakeClock) -> None:
        register(session, clock)
        become(session, clock, "suspended", "active", "retired")

        first = records.list_events(session, ONE, PageRequest(limit=3))
        assert first.next_cursor is not None
        second = records.list_events(session, ONE, PageRequest(limit=3, after=read_cursor(first.next_cursor)))

        assert [event.sequence for event in first.items] == [1, 2, 3]
        assert [event.sequence for event in second.items] == [4]
        assert second.next_cursor is None

    def test_the_history_of_a_deleted_record_is_gone_with_it(self, session: Session, clock: FakeClock) -> None:
        register(session, clock)
        records.delete(session, clock, ONE)

        with pytest.raises(RecordDeletedError):
            history(session)


class TestListPage:
    def test_records_come_in_the_order_of_their_registration(self, session: Session, clock: FakeClock) -> None:
        for uuid in (THREE, ONE, TWO):
            register(session, clock, uuid)

        assert listed(session) == [THREE, ONE, TWO]

    def test_deleted_records_and_other_namespaces_are_left_out(self, session: Session, clock: FakeClock) -> None:
        namespaces.create(session, clock, NamespaceDraft("inventory"))
        records.register(session, clock, "inventory", RecordDraft(THREE, "team-a"), "tester")
        register(session, clock, ONE)
        register(session, clock, TWO)
        records.delete(session, clock, ONE)

        assert listed(session) == [TWO]

    @pytest.mark.parametrize(
        ("wanted", "expected"),
        [
            (RecordFilter(), [ONE, TWO, THREE]),
            (RecordFilter(state="active"), [TWO, THREE]),
            (RecordFilter(state="retired"), []),
            (RecordFilter(owner="team-a"), [ONE, TWO]),
            (RecordFilter(state="active", owner="team-a"), [TWO]),
            (RecordFilter(owner="team"), []),
        ],
    )
    def test_filters_are_combined_with_and(
        self, session: Session, clock: FakeClock, wanted: RecordFilter, expected: list[str]
    ) -> None:
        register(session, clock, ONE, "team-a")
        register(session, clock, TWO, "team-a")
        register(session, clock, THREE, "team-b")
        become(session, clock, "suspended", uuid=ONE)

        assert listed(session, wanted) == expected

    @pytest.mark.parametrize(("limit", "sizes"), [(1, [1, 1, 1]), (2, [2, 1]), (3, [3]), (4, [3])])
    def test_following_the_cursors_leads_through_all_records_once(
        self, session: Session, clock: FakeClock, limit: int, sizes: list[int]
    ) -> None:
        for uuid in (THREE, ONE, TWO):
            register(session, clock, uuid)
        pages = []
        after = 0
        for _ in sizes:  # not "while there is a cursor": one that stands still would never end
            pages.append(records.list_page(session, "payments", RecordFilter(), PageRequest(limit, after)))
            after = read_cursor(pages[-1].next_cursor or "0")

        assert pages[-1].next_cursor is None
        assert [len(page.items) for page in pages] == sizes
        assert [record.uuid for page in pages for record in page.items] == [THREE, ONE, TWO]

    def test_a_cursor_outlives_the_record_that_it_points_at(self, session: Session, clock: FakeClock) -> None:
        for uuid in (ONE, TWO, THREE):
            register(session, clock, uuid)
        first = records.list_page(session, "payments", RecordFilter(), PageRequest(limit=1))
        assert first.next_cursor is not None
        records.delete(session, clock, ONE)

        rest = records.list_page(session, "payments", RecordFilter(), PageRequest(after=read_cursor(first.next_cursor)))

        assert [record.uuid for record in rest.items] == [TWO, THREE]

    def test_filters_hold_on_every_page(self, session: Session, clock: FakeClock) -> None:
        register(session, clock, ONE, "team-a")
        register(session, clock, TWO, "team-b")
        register(session, clock, THREE, "team-a")
        wanted = RecordFilter(owner="team-a")

        first = records.list_page(session, "payments", wanted, PageRequest(limit=1))
        assert first.next_cursor is not None
        second = records.list_page(
            session, "payments", wanted, PageRequest(limit=1, after=read_cursor(first.next_cursor))
        )

        assert [record.uuid for record in first.items] == [ONE]
        assert [record.uuid for record in second.items] == [THREE]
        assert second.next_cursor is None

    def test_the_records_of_an_unknown_namespace_are_not_found(self, session: Session) -> None:
        with pytest.raises(NamespaceNotFoundError):
            records.list_page(session, "nowhere", RecordFilter(), PageRequest())
