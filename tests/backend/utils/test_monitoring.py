from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from backend.app.database_core import Database
from backend.app.utils import monitoring
from backend.app.utils.monitoring import LOGGER, JsonFormatter, configure_logging, database_answers


@pytest.fixture
def lonely_logger(monkeypatch: pytest.MonkeyPatch) -> logging.Logger:
    """A logger in the place of the service's, whose lines go nowhere yet: pytest would hear those of the other one."""
    logger = logging.Logger("lonely")
    monkeypatch.setattr(monitoring, "LOGGER", logger)
    return logger


def request_line(caplog: pytest.LogCaptureFixture) -> dict[str, Any]:
    """Returns what the one request of a test was logged with."""
    [record] = [record for record in caplog.records if record.message == "request"]
    fields: dict[str, Any] = record.__dict__["fields"]
    return fields


def log_record(message: str, *arguments: object, **extra: object) -> logging.LogRecord:
    return LOGGER.makeRecord("uuid_service", logging.INFO, "file", 1, message, arguments, None, extra=extra)


class TestRequestLog:
    def test_a_path_without_a_route_is_not_written_to_the_log(
        self, anyone: FlaskClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        anyone.get("/private/path")

        line = request_line(caplog)
        assert (line["route"], line["caller"], line["status"]) == (None, None, 404)

    def test_a_secret_is_not_written_to_the_log(self, reader: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
        reader.get("/v1/namespaces")

        assert "reader-secret" not in json.dumps(request_line(caplog))


class TestJsonFormatter:
    def test_a_line_is_json_with_the_fields_as_members(self) -> None:
        record = log_record("hello %s", "world", fields={"status": 200})
        record.created = 1_767_600_000.25

        assert json.loads(JsonFormatter().format(record)) == {
            "at": "2026-01-05T08:00:00.250000Z",
            "level": "INFO",
            "message": "hello world",
            "status": 200,
        }

    def test_an_exception_stays_on_one_line(self) -> None:
        record = log_record("failed")
        error = ValueError("first\nsecond")
        record.exc_info = (type(error), error, None)

        line = JsonFormatter().format(record)

        assert "\n" not in line
        assert "ValueError: first\nsecond" in json.loads(line)["exception"]


class TestConfigureLogging:
    def test_lines_go_to_the_standard_error_stream(
        self, lonely_logger: logging.Logger, capsys: pytest.CaptureFixture[str]
    ) -> None:
        configure_logging("INFO")
        lonely_logger.info("hello")

        captured = capsys.readouterr()
        assert captured.out == ""
        assert json.loads(captured.err)["message"] == "hello"

    def test_lines_below_the_level_are_left_out(
        self, lonely_logger: logging.Logger, capsys: pytest.CaptureFixture[str]
    ) -> None:
        configure_logging("WARNING")
        lonely_logger.info("hello")

        assert capsys.readouterr().err == ""

    def test_a_second_application_does_not_double_the_lines(
        self, lonely_logger: logging.Logger, capsys: pytest.CaptureFixture[str]
    ) -> None:
        configure_logging("INFO")
        configure_logging("INFO")
        lonely_logger.info("hello")

        assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_database_answers_until_it_fails(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert database_answers(database)

    def fail() -> None:
        raise OperationalError("SELECT 1", None, Exception("disk I/O error"))

    monkeypatch.setattr(database, "ping", fail)

    assert not database_answers(database)
    [failure] = caplog.records
    assert (failure.levelname, failure.message) == ("ERROR", "the database does not answer")
    assert failure.exc_info is not None


def test_the_settings_say_what_is_logged(app: Flask) -> None:
    assert LOGGER.level == logging.INFO
