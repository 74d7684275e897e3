from __future__ import annotations

import pytest

from backend.app.services.paging import cut_page, read_cursor, write_cursor


@pytest.mark.parametrize("position", [0, 1, 255, 2**63 - 1])
def test_a_cursor_stands_for_its_position(position: int) -> None:
    cursor = write_cursor(position)

    assert len(cursor) == 16
    assert read_cursor(cursor) == position


def test_a_page_with_more_behind_it_points_at_its_last_item() -> None:
    page = cut_page([10, 20, 30], 2, lambda item: item)

    assert page.items == [10, 20]
    assert page.next_cursor == write_cursor(20)


@pytest.mark.parametrize("found", [[], [10], [10, 20]])
def test_the_last_page_has_no_cursor(found: list[int]) -> None:
    page = cut_page(found, 2, lambda item: item)

    assert page.items == found
    assert page.next_cursor is None
