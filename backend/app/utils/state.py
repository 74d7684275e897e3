"""What belongs to an application, where its handlers find it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from flask import Flask, current_app

from backend.app.clock import Clock
from backend.app.database_core import Database
from backend.app.settings import Settings

if TYPE_CHECKING:
    from backend.app.utils.auth import KeyRing

_EXTENSION = "uuid-service"


@dataclass(frozen=True)
class Service:
    """The parts of one application."""

    settings: Settings
    clock: Clock
    database: Database
    keys: KeyRing


def attach(app: Flask, service: Service) -> None:
    """Gives an application its parts."""
    app.extensions[_EXTENSION] = service


def service_of(app: Flask) -> Service:
    """Returns the parts of an application."""
    return cast("Service", app.extensions[_EXTENSION])


def current_service() -> Service:
    """Returns the parts of the application that handles the current request."""
    return service_of(current_app)
