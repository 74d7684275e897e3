"""The application factory of the UUID service."""

from __future__ import annotations

from flask import Flask

from backend.app.clock import Clock, utc_now
from backend.app.database_core import Database
from backend.app.routes import register_routes
from backend.app.seed import seed_when_empty
from backend.app.settings import Settings
from backend.app.utils.auth import KeyRing
from backend.app.utils.error_handling import register_error_handlers
from backend.app.utils.monitoring import configure_logging, watch_requests
from backend.app.utils.requests import check_request_id
from backend.app.utils.state import Service, attach


def create_app(settings: Settings | None = None, clock: Clock = utc_now) -> Flask:
    """Makes the application; its tables exist when it returns.

    Args:
        settings: How it runs, by default as the environment says.
        clock: Where it gets the time from.
    """
    settings = settings or Settings.from_environment()
    configure_logging(settings.log_level)
    database = Database(settings.database_url)
    database.create_tables()

    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    # "//" in a path is a path without a route, not a redirect.
    app.url_map.merge_slashes = False
    attach(app, Service(settings=settings, clock=clock, database=database, keys=KeyRing(settings.api_keys)))
    watch_requests(app)
    app.before_request(check_request_id)
    register_routes(app)
    register_error_handlers(app)
    if settings.demo_data:
        seed_when_empty(app)
    return app
