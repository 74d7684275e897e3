"""The shop's HTTP API."""

from __future__ import annotations

import os
from typing import Any

from flask import Flask, jsonify, request
from werkzeug.exceptions import HTTPException

from shop.orders import Orders


def create_app() -> Flask:
    """Make the app; the key comes from the environment."""
    app = Flask(__name__)
    orders = app.extensions["orders"] = Orders()
    key = os.environ.get("SHOP_KEY", "")

    @app.errorhandler(HTTPException)
    def problem(error: HTTPException) -> tuple[Any, int, dict[str, str]]:
        headers = {"Allow": ", ".join(error.valid_methods or [])} if hasattr(error, "valid_methods") else {}
        return jsonify(error=error.name), error.code or 500, headers

    @app.before_request
    def authenticate() -> tuple[Any, int] | None:
        if request.endpoint not in (None, "health") and request.headers.get("X-Shop-Key") != key:
            return jsonify(error="Unauthorized"), 401
        return None

    @app.get("/health")
    def health() -> Any:
        return jsonify(status="ok")

    @app.post("/orders")
    def add_order() -> tuple[Any, int]:
        body = request.get_json(silent=True)
        if not isinstance(body, dict) or set(body) != {"item", "count"}:
            return jsonify(error="Bad Request"), 400
        item, count = body["item"], body["count"]
        if isinstance(count, float) and count.is_integer():
            count = int(count)  # JSON Schema: 2.0 is an integer
        if not isinstance(item, str) or not 1 <= len(item) <= 40:
            return jsonify(error="Bad Request"), 400
        if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= 99:
            return jsonify(error="Bad Request"), 400
        return jsonify(orders.add(item, count)), 201

    @app.get("/orders/<int:number>")
    def get_order(number: int) -> tuple[Any, int]:
        order = orders.get(number)
        return (jsonify(order), 200) if order else (jsonify(error="Not Found"), 404)

    return app
