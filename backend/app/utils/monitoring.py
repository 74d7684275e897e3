"""Watching the service: names for requests, log lines as JSON, health."""

from __future__ import annotations

import json
import logging
import re
import secrets
import sys
import time
from typing import Any

from flask import Flask, Response, g, request
from sqlalchemy.exc import SQLAlchemyError

from backend.app.clock import UTC, timestamp, utc_now
from backend.app.database_core import Database

LOGGER = logging.getLogger("uuid_service")

REQUEST_ID_HEADER = "X-Request-ID"
REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class JsonFormatter(logging.Formatter):
    """Writes a log record as a line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Writes a record; what was given as `extra={"fields": …}` becomes members of the line."""
        line: dict[str, Any] = {
            "at": timestamp(utc_now().fromtimestamp(record.created, UTC)),
            "level": record.levelname,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


def configure_logging(level: str) -> None:
    """Sends the service's log to the standard error stream, unless it goes somewhere already."""
    LOGGER.setLevel(level)
    if not LOGGER.hasHandlers():
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(JsonFormatter())
        LOGGER.addHandler(handler)


def correlation_id() -> str:
    """Returns the name of the current request."""
    name: str = g.correlation_id
    return name


def watch_requests(app: Flask) -> None:
    """Gives each request a name, sends it back and logs it."""
    app.before_request(_begin)
    app.after_request(_end)


def database_answers(database: Database) -> bool:
    """Says whether the database gives a sign of life."""
    try:
        database.ping()
    except SQLAlchemyError:
        LOGGER.exception("the database does not answer")
        return False
    return True


def _begin() -> None:
    g.started = time.perf_counter()
    given = request.headers.get(REQUEST_ID_HEADER, "")
    # A name that is not valid gets a 400 later; its response needs a name, too.
    g.correlation_id = given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8)


def _end(response: Response) -> Response:
    response.headers[REQUEST_ID_HEADER] = correlation_id()
    LOGGER.info(
        "request",
        extra={
            "fields": {
                "correlation_id": correlation_id(),
                "method": request.method,
                # The route, not the path: what callers put into a path may be anything.
                "route": request.url_rule.rule if request.url_rule else None,
                "status": response.status_code,
                "caller": g.get("caller"),
                "milliseconds": round((time.perf_counter() - g.started) * 1000, 3),
            }
        },
    )
    return response
