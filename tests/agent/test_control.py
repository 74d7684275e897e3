from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import threading
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.agent.control import Control, ControlServer
from orchestrator.agent.gateways import WsgiGateway
from orchestrator.agent.loading import LoadError
from tests.agent.served import WAIT, Asked

MODULE = "hooks_of_a_user"
TOKEN = "a-token"


class Hooks(types.ModuleType):
    """The user's hooks; what they do is in `done`."""

    prepare: Any
    reset: Any
    states: Any
    token: Any

    def __init__(self) -> None:
        super().__init__(MODULE)
        self.done: list[Any] = []


@pytest.fixture
def hooks() -> Iterator[Hooks]:
    module = Hooks()
    sys.modules[MODULE] = module
    yield module
    del sys.modules[MODULE]


class App:
    """The user's app."""

    def __init__(self) -> None:
        self.orders: list[Any] = []


def control(
    *identities: dict[str, Any], reset: bool = False, states: bool = False, app: App | None = None, **more: Any
) -> Control:
    """Return a control with the hooks that the module has."""
    hello = {
        "app": {"reset": f"{MODULE}:reset" if reset else ""},
        "states": f"{MODULE}:states" if states else "",
        "identities": identities,
        **more,
    }
    return Control(hello, app or App(), WsgiGateway(lambda *_: []).run)


def identity(**given: Any) -> dict[str, Any]:
    defaults: dict[str, Any] = {"environment": "", "command": [], "callable": "", "format": "Bearer {value}"}
    return {"name": "clerk", "header": "Authorization"} | defaults | given


def failure(control: Control) -> dict[str, Any]:
    """Return the one state that failed."""
    assert len(control.failures) == 1
    return control.failures[0]


def raising(error: BaseException) -> Callable[..., Any]:
    def hook(**_: Any) -> None:
        raise error

    return hook


# Prepare and reset


@pytest.mark.parametrize("error", [ValueError("no table"), SystemExit("no table")], ids=repr)
def test_a_prepare_hook_that_fails_is_told(hooks: Hooks, error: BaseException) -> None:
    hooks.prepare = raising(error)
    with pytest.raises(LoadError, match=r"`app\.prepare` = .* failed: \w+: no table") as raised:
        control().prepare(f"{MODULE}:prepare")
    assert raised.value.code == "QO204"
    assert "Traceback" in raised.value.detail


def test_a_prepare_hook_is_given_the_app(hooks: Hooks) -> None:
    app = App()
    hooks.prepare = lambda app: hooks.done.extend([app])
    control(app=app).prepare(f"{MODULE}:prepare")
    assert hooks.done == [app]


def test_a_reset_hook_that_does_not_exist_is_told(hooks: Hooks) -> None:
    with pytest.raises(LoadError, match=r"`app\.reset` = .* has no attribute 'reset'") as raised:
        control(reset=True)
    assert raised.value.code == "QO202"


def test_nothing_is_reset_without_a_hook() -> None:
    assert control().reset() == {"done": False}


@pytest.mark.parametrize("is_async", [False, True])
def test_a_reset_hook_brings_the_data_back(hooks: Hooks, is_async: bool) -> None:
    async def reset_async(app: App) -> None:
        await asyncio.sleep(0)
        app.orders.clear()

    app = App()
    app.orders.append("an order")
    hooks.reset = reset_async if is_async else lambda app: app.orders.clear()
    assert control(reset=True, app=app).reset() == {"done": True}
    assert app.orders == []


@pytest.mark.parametrize("error", [ValueError("locked"), SystemExit("locked"), pytest.fail.Exception("locked")])
def test_a_reset_hook_that_fails_is_an_answer(
    hooks: Hooks, error: BaseException, capsys: pytest.CaptureFixture[str]
) -> None:
    hooks.reset = raising(error)
    answer = control(reset=True).reset()
    assert answer == {"done": False, "error": f"{type(error).__name__}: locked"}
    assert "Traceback" in capsys.readouterr().err


# States


def an_order(app: App, item: str = "pen", count: int = 1) -> dict[str, Any]:
    app.orders.append((item, count))
    return {"number": len(app.orders)}


def test_a_state_is_set_up_with_the_app_and_its_parameters(hooks: Hooks) -> None:
    app = App()
    hooks.states = {"an order": an_order}
    assert control(states=True, app=app).state("an order", {"item": "ink", "count": 2}) == {"number": 1}
    assert app.orders == [("ink", 2)]


def test_a_state_may_do_without_the_app_and_return_nothing(hooks: Hooks) -> None:
    hooks.states = {"no order": lambda: hooks.done.append("cleared")}
    assert control(states=True).state("no order", {}) == {}
    assert hooks.done == ["cleared"]


def test_a_state_may_be_async(hooks: Hooks) -> None:
    async def an_order_later(app: App, item: str) -> dict[str, Any]:
        await asyncio.sleep(0)
        return an_order(app, item)

    hooks.states = {"an order": an_order_later}
    assert control(states=True).state("an order", {"item": "ink"}) == {"number": 1}


def test_one_callable_may_set_every_state_up(hooks: Hooks) -> None:
    hooks.states = lambda state, parameters, app: {"told": [state, parameters, app.orders]}
    assert control(states=True).state("any", {"a": 1}) == {"told": ["any", {"a": 1}, []]}


def test_parameters_of_a_state_may_have_any_name(hooks: Hooks) -> None:
    given = {"function": 1, "run": 2, "self": 3, "name": 4, "state": 5, "parameters": 6}
    hooks.states = {"any": lambda **names: names}
    control_ = control(states=True)
    assert control_.state("any", given) == given
    assert not control_.failures


def test_values_of_a_state_that_json_does_not_know_are_told_as_text(hooks: Hooks) -> None:
    hooks.states = {"any": lambda: {"path": types.SimpleNamespace(a=1), 5: None}}
    assert control(states=True).state("any", {}) == {"path": "namespace(a=1)", "5": None}


def test_an_unknown_state_is_recorded_with_those_that_there_are(hooks: Hooks) -> None:
    hooks.states = {"an order": an_order, "no order": an_order, 5: an_order}
    control_ = control(states=True)
    assert control_.state("two orders", {"a": 1}) == {}
    told = failure(control_)
    assert (told["state"], told["parameters"], told["code"]) == ("two orders", {"a": 1}, "QO503")
    assert "has '5', 'an order', 'no order'" in told["error"]


def test_a_state_without_any_hook_is_recorded() -> None:
    control_ = control()
    assert control_.state("an order", {}) == {}
    assert failure(control_)["code"] == "QO503"
    assert "`contracts.states` is not set" in failure(control_)["error"]


def test_states_that_can_not_be_imported_are_recorded() -> None:
    control_ = control(states=True)
    assert control_.state("an order", {}) == {}
    assert failure(control_)["code"] == "QO202"


def circle() -> dict[str, Any]:
    values: dict[str, Any] = {}
    values["itself"] = values
    return values


@pytest.mark.parametrize(
    ("hook", "told"),
    [
        (raising(ValueError("no such item")), "ValueError: no such item"),
        (raising(SystemExit(2)), "SystemExit: 2"),
        (raising(pytest.fail.Exception("by hand")), "Failed: by hand"),
        (lambda colour: colour, "TypeError: "),
        (circle, "ValueError: Circular"),
        (lambda: {(1, 2): 3}, "TypeError: "),
        ("not callable", "TypeError: "),
    ],
    ids=["raises", "exits", "fails as pytest does", "wants more", "circle", "odd keys", "not callable"],
)
def test_a_state_that_fails_is_recorded(hooks: Hooks, hook: Any, told: str) -> None:
    hooks.states = {"an order": hook}
    control_ = control(states=True)
    assert control_.state("an order", {}) == {}
    assert failure(control_)["code"] == "QO504"
    assert failure(control_)["error"].startswith(told)


def test_data_is_reset_before_a_state_only_when_the_app_served_something_since(hooks: Hooks) -> None:
    hooks.reset = lambda: hooks.done.append("reset")
    hooks.states = lambda state, **_: hooks.done.append(state)
    control_ = control(reset=True, states=True)
    control_.state("one", {})
    control_.state("two", {})
    control_.touched()
    control_.state("three", {})
    control_.state("four", {})
    control_.touched()
    control_.reset()
    control_.state("five", {})
    assert hooks.done == ["one", "two", "reset", "three", "four", "reset", "five"]


def test_a_state_is_not_set_up_on_data_that_could_not_be_reset(hooks: Hooks) -> None:
    hooks.reset = raising(ValueError("locked"))
    hooks.states = lambda state, **_: hooks.done.append(state)
    control_ = control(reset=True, states=True)
    control_.touched()
    assert control_.state("one", {}) == {}
    assert control_.state("two", {}) == {}  # nothing made the data fresh in the meantime
    assert hooks.done == []
    assert [f["code"] for f in control_.failures] == ["QO204", "QO204"]
    assert "ValueError: locked" in control_.failures[0]["error"]


def test_hooks_are_called_one_at_a_time(hooks: Hooks) -> None:
    running = threading.Semaphore(1)
    overlapped = []

    def alone(**_: Any) -> None:
        if not running.acquire(blocking=False):
            overlapped.append(True)
            return
        threading.Event().wait(0.01)
        running.release()

    hooks.states = alone
    hooks.reset = alone
    control_ = control(reset=True, states=True)
    threads = [threading.Thread(target=control_.state, args=("any", {})) for _ in range(5)]
    threads += [threading.Thread(target=control_.reset) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT)
    assert not overlapped


# Identities


def test_a_credential_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLERK_KEY", "key-of-the-clerk")
    control_ = control(identity(environment="CLERK_KEY", header="X-Key", format="{value}"))
    assert control_.identity("clerk") == {"header": "X-Key", "value": "key-of-the-clerk"}
    assert control_.credentials == {"key-of-the-clerk": "clerk"}


@pytest.mark.parametrize("value", [None, ""])
def test_a_variable_that_is_not_set_is_told(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if value is None:
        monkeypatch.delenv("CLERK_KEY", raising=False)
    else:
        monkeypatch.setenv("CLERK_KEY", value)
    with pytest.raises(LoadError, match="variable CLERK_KEY is not set") as raised:
        control(identity(environment="CLERK_KEY")).identity("clerk")
    assert raised.value.code == "QO207"


def test_a_credential_comes_from_a_command() -> None:
    command = [sys.executable, "-c", "print('  a-token-printed\\n')"]
    assert control(identity(command=command)).identity("clerk") == {
        "header": "Authorization",
        "value": "Bearer a-token-printed",
    }


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (["no-such-program-anywhere"], "FileNotFoundError"),
        ([sys.executable, "-c", "raise SystemExit(3)"], "its command ended with 3"),
        ([sys.executable, "-c", ""], "its command ended with 0"),
        ([sys.executable, "-c", r"import sys; sys.stdout.buffer.write(b'\xff\xfe')"], "UnicodeDecodeError"),
    ],
    ids=["missing", "fails", "silent", "not text"],
)
def test_a_command_that_fails_is_told(command: list[str], told: str) -> None:
    with pytest.raises(LoadError, match=told) as raised:
        control(identity(command=command)).identity("clerk")
    assert raised.value.code == "QO207"


def test_a_credential_comes_from_a_callable_anew_each_time(hooks: Hooks) -> None:
    tokens = iter(["first", "second"])
    hooks.token = lambda: next(tokens)
    control_ = control(identity(callable=f"{MODULE}:token"))
    assert [control_.identity("clerk")["value"] for _ in range(2)] == ["Bearer first", "Bearer second"]
    assert control_.credentials == {"first": "clerk", "second": "clerk"}


def test_a_callable_may_be_async_have_the_app_and_return_bytes(hooks: Hooks) -> None:
    async def token(app: App) -> bytes:
        await asyncio.sleep(0)
        return f"token for {app.orders}".encode()

    hooks.token = token
    assert control(identity(callable=f"{MODULE}:token")).identity("clerk")["value"] == "Bearer token for []"


@pytest.mark.parametrize(
    ("token", "told"),
    [
        (raising(ValueError("no such user")), "ValueError: no such user"),
        (raising(SystemExit(1)), "SystemExit: 1"),
        (lambda: None, "returned None"),
        (lambda: "", "returned ''"),
    ],
    ids=["raises", "exits", "nothing", "empty"],
)
def test_a_callable_that_gives_no_credential_is_told(hooks: Hooks, token: Any, told: str) -> None:
    hooks.token = token
    control_ = control(identity(callable=f"{MODULE}:token"))
    with pytest.raises(LoadError, match=told) as raised:
        control_.identity("clerk")
    assert raised.value.code == "QO207"
    assert not control_.credentials


def test_a_callable_that_can_not_be_imported_is_told() -> None:
    with pytest.raises(LoadError, match="importing no_such_module failed") as raised:
        control(identity(callable="no_such_module:token")).identity("clerk")
    assert raised.value.code == "QO207"


def test_an_unknown_identity_is_told() -> None:
    with pytest.raises(LoadError, match="no identity is called 'writer'") as raised:
        control(identity()).identity("writer")
    assert raised.value.code == "QO207"


# By URL


@contextlib.contextmanager
def listening(control: Control) -> Iterator[str]:
    server = ControlServer(control, TOKEN)
    server.start()
    try:
        yield server.url
    finally:
        server.shutdown()
        server.server_close()


def test_the_control_is_asked_by_url(hooks: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLERK_KEY", "key-of-the-clerk")
    hooks.reset = lambda app: app.orders.clear()
    hooks.states = {"an order": an_order}
    with listening(control(identity(environment="CLERK_KEY"), reset=True, states=True)) as url:
        state = json.dumps({"state": "an order", "params": {"item": "ink"}, "action": "setup", "consumer": "till"})
        assert Asked(f"{url}/state", state.encode()).json == {"number": 1}
        assert Asked(f"{url}/state", state.encode()).json == {"number": 2}
        assert Asked(f"{url}/reset", b"").json == {"done": True}
        assert Asked(f"{url}/state", state.encode()).json == {"number": 1}
        assert Asked(f"{url}/identity/clerk", b"").json["value"] == "Bearer key-of-the-clerk"


@pytest.mark.parametrize("params", [{}, {"params": None}, {"params": {}}])
def test_a_state_may_have_no_parameters(hooks: Hooks, params: dict[str, Any]) -> None:
    hooks.states = {"an order": an_order}
    with listening(control(states=True)) as url:
        assert Asked(f"{url}/state", json.dumps({"state": "an order"} | params).encode()).json == {"number": 1}


def test_a_state_that_fails_is_answered_with_200(hooks: Hooks) -> None:
    hooks.states = {"an order": raising(ValueError("broken"))}
    control_ = control(states=True)
    with listening(control_) as url:
        asked = Asked(f"{url}/state", b'{"state": "an order"}')
        assert (asked.status, asked.json) == (200, {})
        asked = Asked(f"{url}/state", b'{"state": "no such"}')
        assert (asked.status, asked.json) == (200, {})
    assert [f["code"] for f in control_.failures] == ["QO504", "QO503"]


@pytest.mark.parametrize("body", [b"{", b"[]", b"5", b'"text"', b'{"params": 5}', b'{"params": ["a"]}', b"\xff"])
def test_a_state_that_is_asked_for_in_another_way_is_refused(body: bytes) -> None:
    with listening(control()) as url:
        assert Asked(f"{url}/state", body).status == 400
        assert Asked(f"{url}/reset", b"").json == {"done": False}


@pytest.mark.parametrize("length", ["-1", "abc", "9" * 20])
def test_a_bad_content_length_is_refused_by_the_control(length: str) -> None:
    with listening(control()) as url:
        assert Asked(f"{url}/reset", b"", headers={"Content-Length": length}).status == 400


def test_an_identity_that_can_not_be_minted_is_told_with_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CLERK_KEY", raising=False)
    with listening(control(identity(environment="CLERK_KEY"))) as url:
        asked = Asked(f"{url}/identity/clerk", b"")
    assert asked.status == 500
    assert asked.json["code"] == "QO207"
    assert "CLERK_KEY" in asked.json["error"]
    assert asked.json["hint"]


def test_an_identity_may_have_any_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLERK_KEY", "key-of-the-clerk")
    with listening(control(identity(name="clerk/é 1", environment="CLERK_KEY"))) as url:
        assert Asked(f"{url}/identity/clerk%2F%C3%A9%201", b"").status == 200


def test_nobody_is_answered_without_the_token(hooks: Hooks) -> None:
    hooks.reset = lambda: hooks.done.append("reset")
    with listening(control(reset=True)) as url:
        for path in ("", "/reset", "/wrong/reset", f"/{TOKEN}x/reset", f"/x/{TOKEN}/reset", "/caf%C3%A9/state"):
            asked = Asked(url.removesuffix(f"/{TOKEN}") + path, b"{")
            assert (asked.status, asked.json) == (404, {"error": "unknown"})
        assert Asked(f"{url}/other", b"").status == 404
        assert Asked(f"{url}/reset", b"", method="PUT").status == 501
    assert hooks.done == []


# Tear-down


def test_what_stands_behind_a_states_yield_runs_before_the_next_state(hooks: Hooks) -> None:
    def an_order(number: int) -> Iterator[dict[str, int]]:
        hooks.done.append("up")
        yield {"id": number}
        hooks.done.append("down")

    hooks.states = {"an order": an_order, "nothing": lambda: hooks.done.append("nothing")}
    hooks.reset = lambda: hooks.done.append("reset")
    asked = control(reset=True, states=True)
    assert asked.state("an order", {"number": 7}) == {"id": 7}
    asked.touched()
    asked.state("nothing", {})
    assert hooks.done == ["up", "down", "reset", "nothing"]
    assert asked.failures == []


def test_states_are_torn_down_in_the_opposite_order(hooks: Hooks) -> None:
    def named(name: str) -> Callable[[], Iterator[None]]:
        def state() -> Iterator[None]:
            yield
            hooks.done.append(name)

        return state

    hooks.states = {"first": named("first"), "second": named("second")}
    asked = control(states=True)
    asked.state("first", {})
    asked.state("second", {})
    asked.tear_down()
    asked.tear_down()
    assert hooks.done == ["second", "first"]


def test_a_tear_down_that_fails_is_recorded(hooks: Hooks) -> None:
    def an_order() -> Iterator[None]:
        yield
        raise ValueError("locked")

    hooks.states = {"an order": an_order}
    asked = control(states=True)
    asked.state("an order", {})
    asked.tear_down()
    assert failure(asked)["state"] == "an order"
    assert failure(asked)["error"] == "ValueError: locked"


def test_a_state_that_yields_twice_is_recorded(hooks: Hooks) -> None:
    def an_order() -> Iterator[None]:
        yield
        yield

    hooks.states = {"an order": an_order}
    asked = control(states=True)
    asked.state("an order", {})
    asked.tear_down()
    assert "yield only once" in failure(asked)["error"]


def test_a_state_that_yields_nothing_is_recorded(hooks: Hooks) -> None:
    def an_order() -> Iterator[None]:
        return
        yield

    hooks.states = {"an order": an_order}
    asked = control(states=True)
    assert asked.state("an order", {}) == {}
    assert "StopIteration" in failure(asked)["error"]


# What a state leaves behind, and how long it may take


def test_environment_and_working_directory_are_put_back_behind_a_state(
    hooks: Hooks, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SHOP", "open")
    monkeypatch.setenv("GONE", "1")
    monkeypatch.chdir(tmp_path)

    def changes() -> Iterator[None]:
        os.environ.update(SHOP="closed", NEW="1")
        del os.environ["GONE"]
        os.chdir("/")
        yield
        hooks.done.append((os.environ["SHOP"], Path.cwd()))

    hooks.states = {"changes": changes}
    asked = control(states=True)
    asked.state("changes", {})
    assert (os.environ["SHOP"], os.environ["NEW"], "GONE" in os.environ, Path.cwd()) == (
        "closed",
        "1",
        False,
        Path("/"),
    )
    asked.tear_down()
    assert hooks.done == [("closed", Path("/"))]  # as it left them
    assert (os.environ["SHOP"], "NEW" in os.environ, os.environ["GONE"]) == ("open", False, "1")
    assert Path.cwd() == tmp_path


def test_a_state_that_changes_the_environment_and_fails_is_put_back_too(
    hooks: Hooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP", "open")

    def fails() -> None:
        os.environ["SHOP"] = "closed"
        raise ValueError("no till")

    hooks.states = {"fails": fails}
    asked = control(states=True)
    asked.state("fails", {})
    asked.touched()
    asked.state("", {})
    assert os.environ["SHOP"] == "open"


@pytest.mark.parametrize("behind", [False, True])
def test_a_state_that_hangs_fails_and_the_next_one_is_set_up(hooks: Hooks, behind: bool) -> None:
    wakes = threading.Event()

    def hangs(n: int) -> Iterator[None]:
        if not behind:
            wakes.wait(WAIT)
        yield
        wakes.wait(WAIT)

    hooks.states = {"hangs": hangs, "fine": lambda: {"a": 1}}
    asked = control(states=True, hook_timeout=0.1)
    asked.state("hangs", {"n": 1})
    told = asked.take_failures()
    assert asked.state("fine", {}) == {"a": 1}
    wakes.set()
    assert [(f["state"], f["parameters"], f["code"]) for f in told] == [("hangs", {"n": 1}, "QO504")]
    assert asked.has_hung


def test_failures_are_written_down_until_they_are_asked_for(hooks: Hooks, tmp_path: Path) -> None:
    hooks.states = {"fails": raising(ValueError("\ud800"))}
    journal = tmp_path / "failures"
    asked = control(states=True, journal=str(journal))
    asked.state("fails", {"n": 1})
    assert json.loads(journal.read_bytes()) == failure(asked)
    asked.take_failures()
    assert not journal.read_bytes()


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_state_returns_nothing_that_json_can_not_say(hooks: Hooks, value: float) -> None:
    hooks.states = {"any": lambda: {"a": value}}
    asked = control(states=True)
    assert asked.state("any", {}) == {}
    assert "JSON" in failure(asked)["error"]
