from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import flask
import pytest
from fastapi import APIRouter, FastAPI
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, WebSocketRoute
from starlette.routing import Route as StarletteRoute

from orchestrator.agent.routes import routes

ROOT = Path(__file__).parents[2]


def flask_app() -> flask.Flask:
    app = flask.Flask("shop")
    admin = flask.Blueprint("admin", "admin", url_prefix="/admin", static_folder="static")

    @app.get("/items/<int:item_id>")
    def read(item_id: int) -> str:
        return str(item_id)

    @app.route("/items", methods=["GET", "POST"])
    def items() -> str:
        return ""

    @admin.delete("/users/<name>")
    def delete(name: str) -> str:
        return name

    app.register_blueprint(admin)
    return app


FLASK = [("DELETE", "/admin/users/{name}"), ("GET", "/items"), ("GET", "/items/{item_id}"), ("POST", "/items")]


def test_flask_has_its_rules_without_static_files() -> None:
    assert routes(flask_app()) == FLASK


class Middleware:
    """Passes everything on."""

    def __init__(self, app: Any) -> None:
        self.app = app

    def __call__(self, environ: Any, start_response: Any) -> Any:
        return self.app(environ, start_response)


def test_an_app_is_found_in_its_middlewares() -> None:
    assert routes(Middleware(Middleware(flask_app().wsgi_app))) == FLASK


def test_fastapi_has_its_routes_without_those_that_its_document_leaves_out() -> None:
    app, router = FastAPI(), APIRouter(prefix="/v1")

    @router.get("/items/{item_id}")
    def read(item_id: int) -> int:
        return item_id

    @router.put("/files/{path:path}")
    def write(path: str) -> str:
        return path

    @app.get("/hidden", include_in_schema=False)
    def hidden() -> str:
        return ""

    app.include_router(router)
    assert routes(app) == [("GET", "/v1/items/{item_id}"), ("PUT", "/v1/files/{path}")]


def test_mounted_apps_of_starlette_are_looked_into() -> None:
    async def answer(request: Any) -> PlainTextResponse:
        return PlainTextResponse("")

    inner = Starlette(routes=[StarletteRoute("/items", answer, methods=["POST"]), WebSocketRoute("/ws", answer)])
    app = Starlette(routes=[Mount("/v1", app=inner), StarletteRoute("/health", answer)])
    assert routes(app) == [("GET", "/health"), ("POST", "/v1/items")]


DJANGO = """
import django
from django.conf import settings
settings.configure(ROOT_URLCONF=__name__, SECRET_KEY="x", ALLOWED_HOSTS=["*"])
django.setup()
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import include, path, re_path
from django.views import View

class Items(View):
    def get(self, request): ...
    def post(self, request): ...

def any_method(request, pk): ...

inner = [path("<int:pk>/", any_method), re_path(r"^by-name/(?P<name>[a-z]{2,}(?:-[0-9]+)?)/$", Items.as_view())]
urlpatterns = [path("items/", Items.as_view()), path("items/", include(inner))]
from orchestrator.agent.routes import routes
print(routes(get_wsgi_application()))
"""


def test_django_has_its_patterns() -> None:
    done = subprocess.run([sys.executable, "-c", DJANGO], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(
        [
            ("", "/items/{pk}/"),
            ("GET", "/items/"),
            ("GET", "/items/by-name/{name}/"),
            ("POST", "/items/"),
            ("POST", "/items/by-name/{name}/"),
        ]
    )


@pytest.mark.parametrize("app", [None, object(), print, Middleware(print)])
def test_of_an_unknown_framework_nothing_is_known(app: Any) -> None:
    assert routes(app) is None
