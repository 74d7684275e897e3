import pytest
from bookings.rules import ConflictError, Slot, check_booking, format_clock, overlap, parse_clock, price_cents


@pytest.mark.parametrize(("text", "minutes"), [("00:00", 0), ("08:05", 485), ("23:59", 1439)])
def test_clocks(text, minutes):
    assert parse_clock(text) == minutes
    assert format_clock(minutes) == text


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (Slot(540, 60), False),
        (Slot(540, 61), True),
        (Slot(610, 10), True),
        (Slot(540, 240), True),
        (Slot(600, 60), True),
        (Slot(659, 60), True),
        (Slot(660, 60), False),
    ],
)
def test_slots_overlap_when_they_share_a_minute(other, expected):
    ten_to_eleven = Slot(600, 60)
    assert overlap(ten_to_eleven, other) is expected
    assert overlap(other, ten_to_eleven) is expected


@pytest.mark.parametrize("slot", [Slot(480, 720), Slot(480, 1), Slot(1199, 1)])
def test_rooms_are_booked_while_the_house_is_open(slot):
    check_booking(slot, 1, 1, [])


@pytest.mark.parametrize("slot", [Slot(479, 60), Slot(1199, 2), Slot(0, 60), Slot(1200, 60)])
def test_nobody_can_be_here_when_the_house_is_closed(slot):
    with pytest.raises(ConflictError, match=r"^the house is open from 08:00 to 20:00$"):
        check_booking(slot, 1, 1, [])


def test_everybody_has_a_seat():
    check_booking(Slot(600, 60), 4, 4, [])
    with pytest.raises(ConflictError, match=r"^the room has 4 seats$"):
        check_booking(Slot(600, 60), 5, 4, [])


def test_a_room_is_taken_once():
    taken = [Slot(540, 30), Slot(600, 45)]
    check_booking(Slot(570, 30), 1, 4, taken)
    check_booking(Slot(645, 30), 1, 4, taken)
    with pytest.raises(ConflictError, match=r"^the room is taken from 10:00 to 10:45$"):
        check_booking(Slot(570, 31), 1, 4, taken)


@pytest.mark.parametrize(
    ("seats", "minutes", "price"),
    [
        (4, 1, 500),
        (4, 15, 500),
        (4, 16, 1_000),
        (11, 60, 2_000),
        (12, 60, 3_600),
        (4, 239, 8_000),
        (4, 240, 6_400),
        (60, 720, 34_560),
    ],
)
def test_prices(seats, minutes, price):
    cents = price_cents(seats, minutes)
    assert cents == price
    assert isinstance(cents, int)
