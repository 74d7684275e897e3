"""The real agent replays recorded requests on small apps, in children that may hold mutants."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from orchestrator.adapters import replays
from orchestrator.adapters.replays import Replays, split
from orchestrator.adapters.scenarios import Recorded, Scenario
from orchestrator.adapters.session import Change, Ended, Job, Said
from orchestrator.errors import Code, OrchestratorError
from tests import builders
from tests.mutation.subjects import write

CODE = """
import json, os, threading, uuid
from pathlib import Path

things, seen = {}, []
sessions = {}

def price(count):
    return count * 7

def poison(count):
    return count + 0

def create(body):
    made = {"id": str(uuid.uuid4()), "name": json.loads(body)["name"], "price": price(2)}
    things[made["id"]] = made
    return 201, made

def handle(method, path, body, environ):
    seen.append(path)
    if path == "/poison":
        return 200, {"count": poison(1), "seen": len(seen)}
    if path == "/who":
        return 200, {"key": environ.get("HTTP_X_KEY", "")}
    if path == "/me":
        return 200, {"me": sessions.get(environ.get("HTTP_COOKIE", "").partition("session=")[2], "nobody")}
    if path == "/upload":
        return 200, {"type": environ["CONTENT_TYPE"], "is_whole": body.endswith(b"--x--"), "size": len(body)}
    if path == "/length":
        return 200, {"told": environ.get("CONTENT_LENGTH"), "body": len(body)}
    if method == "POST":
        return create(body)
    name = path.removeprefix("/things/")
    if path == "/things":
        return 200, {"names": [t["name"] for t in things.values()]}
    if name not in things:
        return 404, {}
    if method == "DELETE":
        return 200, things.pop(name)
    return 200, things[name]

def app(environ, start_response):
    body = environ["wsgi.input"].read()
    if environ["PATH_INFO"] == "/binary":
        start_response("200 OK", [("Content-Type", "image/png")])
        return [b"\\x89PNG\\xff"]
    if environ["PATH_INFO"] == "/login":
        sessions[session := str(uuid.uuid4())] = "ann"
        cookies = [("Set-Cookie", "theme=dark"), ("Set-Cookie", f"session={session}; Path=/; HttpOnly")]
        start_response("204 No Content", cookies)
        return []
    if environ["PATH_INFO"] == "/stream":
        start_response("200 OK", [])
        return iter(lambda: b"x" * 4096, None)
    if environ["PATH_INFO"] == "/exit":
        os._exit(3)
    status, data = handle(environ["REQUEST_METHOD"], environ["PATH_INFO"], body, environ)
    start_response(f"{status} X", [("Content-Type", "application/json")])
    return [json.dumps(data).encode()]

def reset():
    things.clear()
    seen.clear()

def a_thing_exists(name):
    _, made = create(json.dumps({"name": name}).encode())
    return {"id": made["id"]}

states = {"a thing exists": a_thing_exists}
count = 0

def key():
    global count
    count += 1
    return f"key-number-{os.getpid()}-{count}"
"""


def step(method: str, target: str, body: str = "", holes: Sequence[Any] = (), **headers: str) -> dict[str, Any]:
    told = [(name.replace("_", "-"), value) for name, value in headers.items()]
    if body:
        told.append(("Content-Length", str(len(body))))
    encoded = base64.b64encode(body.encode()).decode()
    return {"method": method, "target": target, "headers": told, "body": encoded, "holes": list(holes)}


def recorded(*scenarios: Sequence[dict[str, Any]], **more: Any) -> Recorded:
    return Recorded(
        scenarios=tuple(
            Scenario(name=str(k), layer="contract", title="", operation="", phase="", steps=tuple(steps), judged=())
            for k, steps in enumerate(scenarios)
        ),
        **more,
    )


def project(root: Path, code: str = CODE, **settings: Any) -> Any:
    write(root, {"shop.py": code})
    app = {"target": "shop:app", **settings.pop("app", {})}
    return builders.project(root, app=app, source=["shop.py"], contracts={"states": "shop:states"}, **settings)


def plain(*items: int, **more: Any) -> Job:
    return Job(items=items, limits=(20.0,), stop=False, **more)


def played(running: Replays, *jobs: Job) -> list[tuple[Ended, tuple[Said, ...]] | None]:
    number = running.play(jobs)
    while True:
        for ended in running.wait():
            if ended.job == number:
                return split(ended, len(jobs))


def once(running: Replays, job: Job) -> Ended:
    (part,) = played(running, job)
    assert part
    return part[0]


def bodies(said: Said) -> list[Any]:
    return [json.loads(e.body or "null") if e.is_text else e.body for e in said.exchanges]


def change(root: Path, old: str, new: str) -> Change:
    """Return the change of the function whose line holds a text."""
    lines = (root / "shop.py").read_text().split("\n")
    at = next(k for k, line in enumerate(lines) if old in line)
    first = max(k for k in range(at + 1) if lines[k].startswith("def "))
    last = next(k for k in range(at, len(lines)) if not lines[k + 1].strip())
    changed = tuple(line.replace(old, new) for line in lines[first : last + 1])
    return Change(path=str(root / "shop.py"), first=first + 1, last=last + 1, lines=changed, function=True)


RESET = {"reset": "shop:reset"}
ID = "0190a5f0-7c1e-7b3a-9d52-6f1c2a4b8e01"
HOLE = {"value": ID, "step": 0, "place": ["body", "id"]}
LIFE = (
    step("POST", "/things", '{"name": "a"}'),
    step("GET", f"/things/{ID}", holes=[HOLE]),
    step("DELETE", f"/things/{ID}", holes=[HOLE]),
    step("GET", f"/things/{ID}", holes=[HOLE]),
)


def test_values_that_earlier_responses_gave_are_put_into_later_requests(tmp_path: Path) -> None:
    with replays.started(project(tmp_path, app=RESET), recorded(LIFE), workers=2) as running:
        running.wait_until_loaded(20)
        (said,) = once(running, plain(0)).items
        assert [e.status for e in said.exchanges] == [201, 200, 200, 404]
        (other,) = once(running, plain(0, chance=1)).items
        assert bodies(said)[0]["id"] != bodies(other)[0]["id"]
        (again,) = once(running, plain(0)).items
        assert bodies(said) == bodies(again)


def test_a_cookie_that_the_app_gives_is_sent_back_as_it_is_given_now(tmp_path: Path) -> None:
    hole = {"value": ID, "step": 0, "place": ["cookie", "session"]}
    cookie = f"theme=dark; session={ID}"
    session = (step("POST", "/login"), step("GET", "/me", holes=[hole], Cookie=cookie))
    with replays.started(
        project(tmp_path, app=RESET), recorded(session, (step("GET", "/me", Cookie=cookie),)), workers=2
    ) as running:
        running.wait_until_loaded(20)
        known, unknown = once(running, plain(0, 1)).items
        assert bodies(known)[1] == {"me": "ann"}
        assert bodies(unknown) == [{"me": "nobody"}]


def test_a_body_of_several_parts_is_sent_as_it_was(tmp_path: Path) -> None:
    body = '--x\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n\x00\xffpart\r\n--x--'
    upload = (step("POST", "/upload", body, Content_Type="multipart/form-data; boundary=x"),)
    with replays.started(project(tmp_path, app=RESET), recorded(upload), workers=2) as running:
        running.wait_until_loaded(20)
        (said,) = once(running, plain(0)).items
        told = {"type": "multipart/form-data; boundary=x", "is_whole": True, "size": len(body.encode())}
        assert bodies(said) == [told]


@pytest.mark.parametrize("hook", [True, False])
def test_each_scenario_begins_with_the_data_of_the_start(tmp_path: Path, hook: bool) -> None:
    make = (step("POST", "/things", '{"name": "a"}'),)
    with replays.started(
        project(tmp_path, app=RESET if hook else {}), recorded(make, (step("GET", "/things"),)), workers=2
    ) as running:
        running.wait_until_loaded(20)
        said = once(running, plain(0, 1, 0, 1)).items
        assert bodies(said[1]) == bodies(said[3]) == [{"names": []}]


FILES = CODE.replace(
    "things, seen = {}, []",
    """
class Things(dict):
    file = Path(os.environ["FOLDER"]) / "things.json"
    def __getitem__(self, key): return json.loads(self.file.read_text())[key]
    def __contains__(self, key): return key in json.loads(self.file.read_text())
    def values(self): return json.loads(self.file.read_text()).values()
    def __setitem__(self, key, value):
        self.file.write_text(json.dumps({**json.loads(self.file.read_text()), key: value}))
    def clear(self): self.file.write_text("{}")

things, seen = Things(), []
things.clear()
""",
)


@pytest.mark.parametrize("hook", [True, False])
def test_files_of_the_app_are_as_at_the_start_for_each_scenario(tmp_path: Path, hook: bool) -> None:
    settings = {"environment": {"FOLDER": "{state}"}, **(RESET if hook else {})}
    make = (step("POST", "/things", '{"name": "a"}'),)
    with replays.started(
        project(tmp_path, FILES, app=settings), recorded(make, (step("GET", "/things"),)), workers=2
    ) as running:
        running.wait_until_loaded(20)
        assert running.ready.has_files
        assert bodies(once(running, plain(0, 1)).items[1]) == [{"names": []}]
        once(running, plain(0))
        assert bodies(once(running, plain(1)).items[0]) == [{"names": []}]


def test_a_provider_state_is_set_up_and_its_values_are_put_into_the_request(tmp_path: Path) -> None:
    state = {"state": "a thing exists", "params": {"name": "lamp"}, "returned": {"id": ID}}
    hole = {"value": ID, "step": 0, "place": ["state", "id"]}
    unknown = {"state": "the moon is full", "params": {}, "returned": {}}
    scenarios = ((state, step("GET", f"/things/{ID}", holes=[hole])), (unknown, step("GET", "/things")))
    with replays.started(project(tmp_path, app=RESET), recorded(*scenarios), workers=2) as running:
        running.wait_until_loaded(20)
        known, failed = once(running, plain(0, 1)).items
        assert bodies(known)[0]["name"] == "lamp"
        assert (failed.outcome, failed.seen) == ("failed", 0)
        assert "the moon is full" in failed.message


def test_a_credential_that_was_recorded_is_replaced_by_one_of_now(tmp_path: Path) -> None:
    identity = [{"name": "clerk", "header": "X-Key", "callable": "shop:key"}]
    told = recorded((step("GET", "/who", X_Key="key-of-then"),), credentials={"key-of-then": "clerk"})
    with replays.started(project(tmp_path, identities=identity), told, workers=1) as running:
        running.wait_until_loaded(20)
        (body,) = bodies(once(running, plain(0)).items[0])
        assert body["key"].startswith("key-number-")


def test_binary_and_endless_responses_and_changed_lengths(tmp_path: Path) -> None:
    hole = {"value": "short", "step": 0, "place": ["body", "id"]}
    longer = (step("POST", "/things", '{"name": "a"}'), step("PUT", "/length", "a short one", holes=[hole]))
    told = recorded((step("GET", "/binary"),), (step("GET", "/stream"),), longer)
    with replays.started(project(tmp_path, app=RESET), told, workers=1) as running:
        running.wait_until_loaded(20)
        binary, stream, length = once(running, plain(0, 1, 2)).items
        assert base64.b64decode(bodies(binary)[0]) == b"\x89PNG\xff"
        assert stream.exchanges[0].body is None
        assert bodies(length)[1] == {"told": str(len("a  one") + 36), "body": len("a  one") + 36}


def test_a_child_plays_under_several_mutants_and_nothing_is_left_of_one_for_the_next(tmp_path: Path) -> None:
    make = (step("POST", "/things", '{"name": "a"}'),)
    subject = project(tmp_path, app=RESET)
    eight, nine = change(tmp_path, "count * 7", "count * 8"), change(tmp_path, "count * 7", "count * 9")
    with replays.started(subject, recorded(make), workers=2) as running:
        running.wait_until_loaded(20)
        parts = played(running, plain(0, change=eight), plain(0, change=nine), plain(0))
        prices = [bodies(part[0].items[0])[0]["price"] for part in parts if part]
        assert prices == [16, 18, 14]
        checks = [[body["price"] for said in part[1] for body in bodies(said)] for part in parts if part]
        assert checks == [[14], [14], []]


def test_what_a_mutant_leaves_behind_shows_when_it_is_gone(tmp_path: Path) -> None:
    code = CODE.replace('"count": poison(1)', '"count": poison(1), "price": price(1)')
    subject = project(tmp_path, code, app=RESET)
    left = change(tmp_path, "return count + 0", "globals()['price'] = lambda n: 0; return 5")
    with replays.started(subject, recorded((step("GET", "/poison"),)), workers=2) as running:
        running.wait_until_loaded(20)
        first, _ = played(running, plain(0, change=left), plain(0))
        assert first
        assert bodies(first[0].items[0])[0]["count"] == 5
        assert bodies(first[1][0])[0] == {"count": 1, "price": 0, "seen": 1}


def test_a_child_that_dies_tells_what_was_before_and_comes_to_nothing_that_follows(tmp_path: Path) -> None:
    told = recorded((step("GET", "/things"),), (step("GET", "/exit"),))
    with replays.started(project(tmp_path, app=RESET), told, workers=2) as running:
        running.wait_until_loaded(20)
        first, second, third = played(running, plain(0), plain(0, 1, 0), plain(0))
        assert first
        assert first[0].ended
        assert second
        assert (second[0].ended, len(second[0].items)) == (False, 1)
        assert third is None


def test_a_mutant_of_what_runs_at_import_is_played_with_the_app_loaded_afresh(tmp_path: Path) -> None:
    subject = project(
        tmp_path,
        CODE.replace("return count * 7", "return count * FACTOR").replace("count = 0", "count = 0\nFACTOR = 7"),
        app=RESET,
    )
    lines = (tmp_path / "shop.py").read_text().split("\n")
    at = lines.index("FACTOR = 7") + 1
    other = Change(path=str(tmp_path / "shop.py"), first=at, last=at, lines=("FACTOR = 8",), function=False)
    broken = Change(path=str(tmp_path / "shop.py"), first=at, last=at, lines=("FACTOR = 1 / 0",), function=False)
    with replays.started(subject, recorded(LIFE), workers=2) as running:
        running.wait_until_loaded(20)
        ended = once(running, Job(items=(0,), limits=(20.0, 0.0, 5.0), stop=False, cold=True, change=other))
        assert bodies(ended.items[0])[0]["price"] == 16
        ended = once(running, Job(items=(0,), limits=(20.0, 0.0, 5.0), stop=False, cold=True, change=broken))
        told = ended.find("not_collected")
        assert told
        assert "ZeroDivisionError" in told.message


ASGI = """
import asyncio, json
from pathlib import Path

with Path(__file__).with_name("loaded.txt").open("a") as loads:
    loads.write("once\\n")

def price(count):
    return count * 7

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        scope["state"]["lock"] = asyncio.Lock()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        return
    async with scope["state"]["lock"]:
        body = json.dumps({"price": await asyncio.to_thread(price, 2)}).encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})
"""


def test_an_asgi_app_is_loaded_once_for_all_children_and_its_threads_are_of_each_child(tmp_path: Path) -> None:
    subject = project(tmp_path, ASGI)
    eight = change(tmp_path, "count * 7", "count * 8")
    with replays.started(subject, recorded((step("GET", "/"),), (step("GET", "/"),)), workers=2) as running:
        running.wait_until_loaded(20)
        parts = played(running, plain(0, 1, change=eight), plain(0, 1))
        prices = [[bodies(said)[0]["price"] for said in part[0].items] for part in parts if part]
        assert prices == [[16, 16], [14, 14]]
        assert (tmp_path / "loaded.txt").read_text().splitlines() == ["once", "once"]  # to trace, and to play


def test_an_app_with_a_thread_can_not_be_played(tmp_path: Path) -> None:
    code = CODE + "threading.Thread(target=threading.Event().wait, name='mailer', daemon=True).start()\n"
    with (
        pytest.raises(OrchestratorError, match="mailer") as caught,
        replays.started(project(tmp_path, code), recorded((step("GET", "/things"),)), workers=2) as running,
    ):
        running.wait_until_loaded(20)
    assert caught.value.problem.code == Code.NOT_REPLAYABLE


def test_an_app_that_can_not_be_loaded_is_told_with_the_reason(tmp_path: Path) -> None:
    with (
        pytest.raises(OrchestratorError, match="no shelf"),
        replays.started(
            project(tmp_path, "raise ValueError('no shelf')"), recorded((step("GET", "/"),)), workers=2
        ) as running,
    ):
        running.wait_until_loaded(20)
