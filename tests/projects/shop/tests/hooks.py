"""What a tool that drives the shop from outside needs."""

from flask import Flask


def reset(app: Flask) -> None:
    """Forget every order."""
    app.extensions["orders"].clear()


def an_order(app: Flask, item: str, count: int) -> None:
    """There is one order."""
    app.extensions["orders"].add(item, count)


provider_states = {"an order": an_order}
