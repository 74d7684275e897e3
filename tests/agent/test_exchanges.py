from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.model.suite import Outcome
from tests.agent import suites

SHOP = """
import http.server
import threading

from flask import Flask, redirect

app = Flask(__name__)


@app.get("/")
def home():
    return "home"


@app.route("/orders/<name>", methods=["GET", "POST", "DELETE"])
def order(name):
    return (name, 201) if name != "none" else ("", 404)


@app.post("/moved")
def moved():
    return redirect("/moved-again")


@app.get("/moved-again")
def moved_again():
    return redirect("/orders/a")


@app.get("/asks")
def asks():
    import requests

    return str(requests.get(url() + "/inner", timeout=5).status_code)


@app.get("/broken")
def broken():
    raise ValueError("broken")


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(302 if self.path == "/old" else 200)
        if self.path == "/old":
            self.send_header("Location", "/new")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


def url():
    return f"http://127.0.0.1:{server.server_port}"


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
"""


def ran(folder: Path, content: str, files: dict[str, str] | None = None, *, workers: int = 1) -> suites.Ran:
    """Run a suite of one file beside the shop."""
    found = {"shop.py": SHOP, "tests/test_it.py": content} | (files or {})
    return suites.run(suites.project(folder, found, "filterwarnings = error"), workers=workers)


def assert_green(ran: suites.Ran) -> None:
    assert set(ran.outcomes.values()) == {Outcome.PASSED}, ran.output


FLASK = """
import pytest


@pytest.fixture
def client():
    from shop import app

    client = app.test_client()
    client.get("/orders/by-fixture")
    return client


def test_first(client):
    # Flask imports its test client when the first one is made
    assert client.post("/orders/a?x=1").status_code == 201


def test_second(client):
    client.get("/orders/none")
    client.get("/orders/none")
    client.delete("/orders/b%20c")


def test_without_requests():
    pass


def test_that_fails(client):
    client.get("/")
    assert False


def test_redirects(client):
    assert client.post("/moved", follow_redirects=True).status_code == 201


def test_redirects_not_followed(client):
    assert client.post("/moved").status_code == 302


def test_inside(client):
    assert client.get("/asks").text == "200"


def test_an_error_that_is_raised(client):
    client.application.testing = True
    with pytest.raises(ValueError):
        client.get("/broken")
    client.application.testing = False
    assert client.get("/broken").status_code == 500
"""


@pytest.mark.parametrize("workers", [1, 2], ids=["alone", "shared"])
def test_requests_through_flasks_client_are_heard(workers: int, tmp_path: Path) -> None:
    session = ran(tmp_path, FLASK, workers=workers)
    red = [n for n, o in session.outcomes.items() if o.is_red]
    assert red == ["test_that_fails"], session.output
    by_fixture = ("GET", "/orders/by-fixture", 201)
    assert session.exchanges("test_first") == [by_fixture, ("POST", "/orders/a", 201)]
    assert session.exchanges("test_second") == [
        by_fixture,
        ("GET", "/orders/none", 404),  # each distinct one once
        ("DELETE", "/orders/b c", 201),
    ]
    assert session.exchanges("test_without_requests") == []
    assert session.exchanges("test_that_fails") == [by_fixture, ("GET", "/", 200)]
    assert session.exchanges("test_redirects") == [
        by_fixture,
        ("POST", "/moved", 302),
        ("GET", "/moved-again", 302),
        ("GET", "/orders/a", 201),
    ]
    assert session.exchanges("test_redirects_not_followed") == [by_fixture, ("POST", "/moved", 302)]
    assert session.exchanges("test_inside") == [by_fixture, ("GET", "/asks", 200)]  # what the app asks is its own
    assert session.exchanges("test_an_error_that_is_raised") == [by_fixture, ("GET", "/broken", 500)]


REQUESTS = """
import threading

import pytest

from shop import url


def test_imported_inside():
    import requests

    assert requests.get(url() + "/a%20b?x=1", timeout=5).status_code == 200


def test_session():
    import requests

    with requests.Session() as session:
        session.get(url(), timeout=5)
        session.get(url() + "/old", timeout=5)


def test_in_a_thread():
    import requests

    thread = threading.Thread(target=requests.get, args=(url() + "/thread",), kwargs={"timeout": 5})
    thread.start()
    thread.join()


def test_nobody_there():
    import requests

    with pytest.raises(requests.ConnectionError):
        requests.get("http://127.0.0.1:1/", timeout=5)


def test_replaced(monkeypatch):
    import requests

    class Answer:
        status_code = 418
        history = ()

    monkeypatch.setattr(requests.Session, "send", lambda self, request, **_: Answer())
    assert requests.Session().send(None).status_code == 418


def test_after_the_replacement():
    import requests

    requests.get(url() + "/after", timeout=5)


def test_the_client_looks_untouched():
    import inspect

    import requests

    assert requests.Session.send.__name__ == "send"
    assert list(inspect.signature(requests.Session.send).parameters) == ["self", "request", "kwargs"]
"""


def test_requests_through_requests_are_heard(tmp_path: Path) -> None:
    session = ran(tmp_path, REQUESTS)
    assert_green(session)
    assert session.exchanges("test_imported_inside") == [("GET", "/a%20b", 200)]
    assert session.exchanges("test_session") == [("GET", "/", 200), ("GET", "/old", 302), ("GET", "/new", 200)]
    assert session.exchanges("test_in_a_thread") == [("GET", "/thread", 200)]
    assert session.exchanges("test_nobody_there") == []
    assert session.exchanges("test_replaced") == []
    assert session.exchanges("test_after_the_replacement") == [("GET", "/after", 200)]


# The clients below need not be installed: what stands in for one has its name and is called as it is.

STAND_IN = """
import asyncio


class Request:
    def __init__(self, method, url):
        self.method, self.url = method, url


class Response:
    def __init__(self, request, status_code=200, history=()):
        self.request, self.status_code, self.history = request, status_code, list(history)


class Client:
    def send(self, request, *, inside=None, **kwargs):
        if inside:
            inside()
        first = [Response(Request("GET", request.url + "-first"), 307)] if kwargs.get("follow_redirects") else []
        return Response(request, 200, first)


class AsyncClient:
    async def send(self, request, *, inside=None, **kwargs):
        await asyncio.sleep(0)
        if inside:
            await inside()
        return Response(request, 202)
"""
HTTPX = """
import asyncio


def test_plain():
    import httpx

    assert httpx.Client().send(httpx.Request("post", "http://shop/a?x=1")).status_code == 200
    httpx.Client().send(request=httpx.Request("GET", "http://shop/b"))


def test_redirects():
    import httpx

    httpx.Client().send(httpx.Request("GET", "http://shop/c"), follow_redirects=True)


def test_async():
    import httpx

    async def ask(path, inside=None):
        return await httpx.AsyncClient().send(httpx.Request("GET", "http://shop" + path), inside=inside)

    async def main():
        await asyncio.gather(ask("/d"), ask("/e", lambda: ask("/of-the-app")), ask("/f"))

    asyncio.run(main())


def test_inside():
    import httpx

    def app():
        httpx.Client().send(httpx.Request("GET", "http://other/"))

    httpx.Client().send(httpx.Request("GET", "http://shop/g"), inside=app)


def test_imported_again():
    import importlib
    import sys

    del sys.modules["httpx"]
    httpx = importlib.import_module("httpx")
    httpx.Client().send(httpx.Request("GET", "http://shop/h"))


def test_of_another_version():
    import httpx

    httpx.Response = lambda *_: "an answer of another kind"
    assert httpx.Client().send(httpx.Request("GET", "http://shop/i")) == "an answer of another kind"


def test_of_a_stand_in():
    import httpx

    class Answer:
        status_code = 418

    httpx.Response = lambda *_: Answer()
    httpx.Client().send(httpx.Request("GET", "http://shop/j"))
"""


def test_requests_through_httpx_are_heard(tmp_path: Path) -> None:
    session = ran(tmp_path, HTTPX, {"httpx.py": STAND_IN})
    assert_green(session)
    assert session.exchanges("test_plain") == [("POST", "/a", 200), ("GET", "/b", 200)]
    assert session.exchanges("test_redirects") == [("GET", "/c-first", 307), ("GET", "/c", 200)]
    assert sorted(session.exchanges("test_async")) == [("GET", "/d", 202), ("GET", "/e", 202), ("GET", "/f", 202)]
    assert session.exchanges("test_inside") == [("GET", "/g", 200)]
    assert session.exchanges("test_imported_again") == [("GET", "/h", 200)]
    assert session.exchanges("test_of_another_version") == []
    assert session.exchanges("test_of_a_stand_in") == [("GET", "/j", 418)]


DJANGO = """
class Response:
    def __init__(self, request):
        self.request, self.status_code = request, 204


class Client:
    def request(self, **request):
        return Response(request)

    def get(self, path):
        return self.request(REQUEST_METHOD="GET", PATH_INFO=path, QUERY_STRING="x=1")
"""


def test_requests_through_djangos_client_are_heard(tmp_path: Path) -> None:
    files = {"django/__init__.py": "", "django/test/__init__.py": "", "django/test/client.py": DJANGO}
    content = "def test_it():\n    from django.test.client import Client\n\n    Client().get('/a/')\n"
    session = ran(tmp_path, content, files)
    assert_green(session)
    assert session.exchanges("test_it") == [("GET", "/a/", 204)]


def test_a_client_without_the_method_is_left_alone(tmp_path: Path) -> None:
    content = "def test_it():\n    import httpx\n\n    assert not hasattr(httpx.Client, 'send')\n"
    session = ran(tmp_path, content, {"httpx.py": "class Client: pass\nAsyncClient = None\n"})
    assert_green(session)


def test_a_client_that_can_not_be_imported_fails_as_it_would(tmp_path: Path) -> None:
    content = (
        "import pytest\n\ndef test_it():\n    with pytest.raises(ValueError, match='^old$'):\n        import httpx\n"
    )
    assert_green(ran(tmp_path, content, {"httpx.py": "raise ValueError('old')\n"}))


# … and those that are installed


REAL_HTTPX = """
import asyncio

import httpx

from shop import app, url


async def asgi(scope, receive, send):
    async with httpx.AsyncClient() as client:
        await client.get(url() + "/of-the-app")
    await send({"type": "http.response.start", "status": 202, "headers": []})
    await send({"type": "http.response.body"})


def test_wsgi():
    with httpx.Client(transport=httpx.WSGITransport(app=app), base_url="http://shop", follow_redirects=True) as client:
        client.post("/moved")


def test_server():
    httpx.get(url() + "/a%20b")


def test_asgi():
    async def main():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=asgi), base_url="http://shop") as client:
            await client.get("/a")

    asyncio.run(main())
"""


def test_requests_through_the_real_httpx_are_heard(tmp_path: Path) -> None:
    suites.needs("httpx", "flask")
    session = ran(tmp_path, REAL_HTTPX)
    assert_green(session)
    assert session.exchanges("test_wsgi") == [
        ("POST", "/moved", 302),
        ("GET", "/moved-again", 302),
        ("GET", "/orders/a", 201),
    ]
    assert session.exchanges("test_server") == [("GET", "/a%20b", 200)]
    assert session.exchanges("test_asgi") == [("GET", "/a", 202)]


REAL_STARLETTE = """
def test_it():
    import httpx
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route
    from starlette.testclient import TestClient

    from shop import url

    async def order(request):
        async with httpx.AsyncClient() as client:
            await client.get(url() + "/of-the-app")
        return PlainTextResponse(request.path_params["name"], 201)

    app = Starlette(routes=[Route("/orders/{name}", order, methods=["POST"])])
    with TestClient(app) as client:
        assert client.post("/orders/a").status_code == 201
"""


def test_requests_through_the_real_starlette_are_heard(tmp_path: Path) -> None:
    suites.needs("starlette.testclient", "flask")
    session = ran(tmp_path, REAL_STARLETTE, {"pytest.ini": "[pytest]\n"})
    assert_green(session)
    assert session.exchanges("test_it") == [("POST", "/orders/a", 201)]


REAL_DJANGO = """
def test_it():
    import django
    from django.conf import settings
    from django.http import HttpResponse, HttpResponseRedirect
    from django.urls import path

    settings.configure(ROOT_URLCONF="test_it", ALLOWED_HOSTS=["*"])
    django.setup()
    globals()["urlpatterns"] = [
        path("a/", lambda request: HttpResponse(status=204)),
        path("old/", lambda request: HttpResponseRedirect("/a/")),
    ]
    from django.test import Client

    assert Client().get("/a/?x=1").status_code == 204
    assert Client().post("/old/", follow=True).status_code == 204
"""


def test_requests_through_the_real_django_are_heard(tmp_path: Path) -> None:
    suites.needs("django")
    session = ran(tmp_path, REAL_DJANGO)
    assert_green(session)
    assert session.exchanges("test_it") == [("GET", "/a/", 204), ("POST", "/old/", 302)]


# … and kept whole, as where mutants are judged.


WHOLE = """
import asyncio, json
from orchestrator.agent import exchanges

events = []
exchanges.watch_imports()

class Listener:
    def begun(self):
        events.append("begun")

    def ended(self, exchange):
        events.append("ended")

exchanges.keep_whole(Listener())

import httpx
from flask import Flask, Response

app = Flask(__name__)

@app.get("/a")
def a():
    return Response(b'{"a": 1}', headers=[("X-A", "1"), ("X-A", "2")], mimetype="application/json")

@app.get("/endless")
def endless():
    def forever():
        while True:
            yield "x"
    return Response(forever())

@app.get("/broken")
def broken():
    raise ValueError

closed = []

@app.get("/breaks")
def breaks():
    def chunks():
        yield "a"
        raise KeyError("b")
    response = Response(chunks(), headers={"Content-Length": "2"})
    response.call_on_close(lambda: closed.append(1))
    return response

def breaking():
    response = flask.get("/breaks")
    try:
        response.get_data()
    except KeyError:
        response.close()
    else:
        raise AssertionError("it does not break")
    assert closed == [1]

def read_twice():
    response = flask.get("/a?x=1")
    assert response.get_json() == {"a": 1}
    assert response.data == b'{"a": 1}'
    assert not response.is_streamed

def told(send):
    events.clear()
    exchanges.begin()
    send()
    (one,) = exchanges.whole()
    body = one["body"]
    return [one["method"], one["url"], one["status"], sorted(v for k, v in one["headers"] if k.lower() == "x-a"),
            body.decode() if body is not None else None, list(events)]

def asynchronous():
    async def main():
        transport = httpx.ASGITransport(app=FastAPI_app)
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            await client.get("/a?x=1")
    asyncio.run(main())

async def FastAPI_app(scope, receive, send):
    headers = [(b"x-a", b"1"), (b"x-a", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b'{"a": 1}'})

def streamed():
    with httpx.Client(transport=httpx.WSGITransport(app=app), base_url="http://shop") as client:
        with client.stream("GET", "/a?x=1") as response:
            assert response.read() == b'{"a": 1}'

def django():
    import django
    from django.conf import settings
    from django.http import HttpResponse
    from django.urls import path
    settings.configure(ROOT_URLCONF="__main__", ALLOWED_HOSTS=["*"])
    django.setup()
    def view(request):
        response = HttpResponse(b'{"a": 1}', headers={"X-A": "1, 2"})
        response.set_cookie("x", "y")
        return response
    globals()["urlpatterns"] = [path("a", view)]
    from django.test import Client
    Client().get("/a?x=1")
    assert ("Set-Cookie", "x=y; Path=/") in exchanges.whole()[0]["headers"]

flask = app.test_client()
def raising():
    app.testing = True
    try:
        flask.get("/broken")
    except ValueError:
        app.testing = False
        flask.get("/a?x=1")

print(json.dumps({
    "flask": told(lambda: flask.get("/a?x=1")),
    "flask, endless": told(lambda: flask.get("/endless").close()),
    "flask, after one that raised": told(raising),
    "flask, broken in the middle": told(breaking),
    "flask, read twice": told(read_twice),
    "httpx": told(lambda: httpx.Client(transport=httpx.WSGITransport(app=app), base_url="http://shop").get("/a?x=1")),
    "httpx, streamed": told(streamed),
    "httpx, asynchronous": told(asynchronous),
    "django": told(django),
}))
"""


def test_responses_are_kept_with_headers_and_body_unless_they_stream() -> None:
    suites.needs("flask", "httpx", "django")
    done = subprocess.run([sys.executable, "-c", WHOLE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    usual = ["GET", "/a?x=1", 200, ["1", "2"], '{"a": 1}', ["begun", "ended"]]
    assert json.loads(done.stdout) == {
        "flask": usual,
        "flask, endless": ["GET", "/endless", 200, [], None, ["begun", "ended"]],
        "flask, after one that raised": [*usual[:5], ["begun", "begun", "ended"]],
        "flask, broken in the middle": ["GET", "/breaks", 200, [], None, ["begun", "ended"]],
        "flask, read twice": usual,
        "httpx": usual,
        "httpx, streamed": [*usual[:4], None, usual[5]],
        "httpx, asynchronous": usual,
        "django": [*usual[:3], ["1, 2"], *usual[4:]],
    }
