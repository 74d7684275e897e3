import pytest
from flask.testing import FlaskClient
from shop import prices
from shop.app import create_app

KEY = {"X-Shop-Key": "test"}


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    monkeypatch.setenv("SHOP_KEY", "test")
    return create_app().test_client()


def test_ten_are_a_tenth_cheaper() -> None:
    assert prices.total(100, 9) == 900
    assert prices.total(100, 10) == 900


def test_amounts_are_shown_with_two_digits() -> None:
    assert prices.shown(1205) == "12.05"


def test_an_order_can_be_read_again(client: FlaskClient) -> None:
    made = client.post("/orders", json={"item": "tea", "count": 2}, headers=KEY)
    assert made.status_code == 201
    assert client.get(f"/orders/{made.json['id']}", headers=KEY).json == made.json


def test_nobody_orders_without_a_key(client: FlaskClient) -> None:
    assert client.post("/orders", json={"item": "tea", "count": 2}).status_code == 401


def test_an_order_of_nothing_is_refused(client: FlaskClient) -> None:
    assert client.post("/orders", json={"item": "tea", "count": 0}, headers=KEY).status_code == 400
