import pytest

pytestmark = pytest.mark.django_db


def test_the_rooms(visitor, linden, hall):
    response = visitor.get("/api/rooms")
    assert response.status_code == 200
    assert response.json() == {
        "rooms": [{"id": linden.id, "name": "Linden", "seats": 4}, {"id": hall.id, "name": "Hall", "seats": 60}]
    }


@pytest.mark.parametrize(
    ("seats", "names"), [("1", ["Linden", "Hall"]), ("4", ["Linden", "Hall"]), ("5", ["Hall"]), ("1000", [])]
)
@pytest.mark.usefixtures("linden", "hall")
def test_rooms_with_enough_seats(visitor, seats, names):
    rooms = visitor.get("/api/rooms", {"seats": seats}).json()["rooms"]
    assert [room["name"] for room in rooms] == names


@pytest.mark.parametrize("seats", ["", "0", "-1", "1001", "1.5", "many", " 4", "٤", "1" * 5000, "4\x00"])
def test_a_number_of_seats_that_is_not_one(visitor, seats):
    response = visitor.get("/api/rooms", {"seats": seats})
    assert response.status_code == 400
    assert response.json() == {"detail": "seats has to be a whole number from 1 to 1000"}


def test_one_room(visitor, hall):
    response = visitor.get(f"/api/rooms/{hall.id}")
    assert response.status_code == 200
    assert response.json() == {"id": hall.id, "name": "Hall", "seats": 60}


@pytest.mark.parametrize("number", ["0", "7", "-1", "one", "%00", str(2**63 - 1), str(2**63), "1" * 5000])
@pytest.mark.parametrize("path", ["/api/rooms/{}", "/api/rooms/{}/bookings", "/api/bookings/{}"])
def test_what_is_not_there(visitor, path, number):
    response = visitor.get(path.format(number))
    assert response.status_code == 404
    assert response.json() == {"detail": "not found"}


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/api/rooms", "GET, HEAD, OPTIONS"),
        ("/api/rooms/1", "GET, HEAD, OPTIONS"),
        ("/api/rooms/1/bookings", "GET, POST, HEAD, OPTIONS"),
        ("/api/bookings/1", "GET, DELETE, HEAD, OPTIONS"),
    ],
)
def test_other_methods_are_told_which_there_are(visitor, path, allowed):
    response = visitor.patch(path)
    assert response.status_code == 405
    assert response.headers["Allow"] == allowed


def test_a_strange_host_is_refused(visitor):
    response = visitor.get("/api/rooms", headers={"Host": "elsewhere.example"})
    assert response.status_code == 400
    assert response.json() == {"detail": "bad request"}
