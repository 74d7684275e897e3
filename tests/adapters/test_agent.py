from __future__ import annotations

import contextlib
import datetime
import http.client
import http.server
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.adapters import agent
from orchestrator.agent.protocol import VERSION, Channel
from orchestrator.config import App, Contracts, Identity, Project, Settings
from orchestrator.errors import Code, OrchestratorError
from tests.agent.served import Asked

SOON = 5.0  # seconds after which nothing of the app may be left

APP = """
import os
import sys


def app(environ, start_response):
    start_response("200 OK", [])
    return [repr(ANSWERS[environ["PATH_INFO"]]()).encode()]


ANSWERS = {
    "/": lambda: "served",
    "/pid": os.getpid,
    "/directory": os.getcwd,
    "/prefix": lambda: sys.prefix,
    "/path": lambda: sys.path,
    "/environment": lambda: dict(os.environ),
    "/modules": lambda: sorted(sys.modules),
    "/die": lambda: os._exit(7),
    "/crash": lambda: os.kill(os.getpid(), 11),
}
"""
LIFESPAN = """
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        {startup}
        await receive()
        open("shut-down", "w").close()
        await send({{"type": "lifespan.shutdown.complete"}})
        return
    await send({{"type": "http.response.start", "status": 200, "headers": []}})
    await send({{"type": "http.response.body", "body": b"served"}})
"""


def project(
    folder: Path, files: dict[str, str] | None = None, app: dict[str, Any] | None = None, **more: Any
) -> Project:
    """Write a project whose app is in `main.py`."""
    for path, content in ({"main.py": APP} | (files or {})).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(textwrap.dedent(content), "utf-8")
    settings = Settings(app=App(**({"target": "main:app"} | (app or {}))), **more)
    return Project(root=folder, file=folder / "orchestrator.toml", settings=settings)


def failure(project: Project) -> OrchestratorError:
    """Return why the app can't be started; nothing of it is left."""
    with pytest.raises(OrchestratorError) as raised, agent.running(project):
        pass
    assert list(project.state.glob("app-*")) == []
    return raised.value


def answer(running: agent.Agent, path: str) -> Any:
    """Return what the app says of itself."""
    asked = Asked(running.url + path, b"")
    assert asked.status == 200
    return eval(asked.body)  # noqa: S307 - the `repr` of what the app above has


def is_running(pid: int) -> bool:
    done = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)  # noqa: S607
    return bool(done.stdout.strip()) and not done.stdout.startswith("Z")


def assert_ends(*pids: int) -> None:
    deadline = time.monotonic() + SOON
    while any(map(is_running, pids)):
        assert time.monotonic() < deadline, f"left running: {[p for p in pids if is_running(p)]}"
        time.sleep(0.05)


def wait_for(file: Path) -> str:
    """Return what an app writes into a file when it has come so far."""
    deadline = time.monotonic() + 20
    while not (file.exists() and file.read_text()):
        assert time.monotonic() < deadline, f"{file.name} is not written"
        time.sleep(0.02)
    return file.read_text()


# Serving


def test_an_app_is_served_until_the_block_is_left(tmp_path: Path) -> None:
    with agent.running(project(tmp_path)) as running:
        assert running.is_alive
        assert answer(running, "/") == "served"
        assert running.python == ".".join(map(str, sys.version_info[:3]))
        assert "pytest" in running.versions
        pid = answer(running, "/pid")
        assert is_running(pid)
    assert not is_running(pid)
    assert not running.is_alive


def test_an_app_is_ended_when_the_block_fails(tmp_path: Path) -> None:
    def interrupted() -> None:
        with agent.running(project(tmp_path)) as running:
            pids.append(answer(running, "/pid"))
            raise KeyboardInterrupt

    pids: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not is_running(*pids)


def test_an_app_runs_in_the_projects_directory(tmp_path: Path) -> None:
    files = {"api/main.py": APP, "api/lib/helper.py": "", "main.py": "raise ImportError('not this one')"}
    with agent.running(project(tmp_path, files, directory="api", import_paths=("lib",))) as running:
        assert Path(answer(running, "/directory")) == (tmp_path / "api").resolve()
        path = answer(running, "/path")
        assert path[:2] == [str((tmp_path / "api" / "lib").resolve()), str((tmp_path / "api").resolve())]


def test_an_app_is_found_on_the_import_paths(tmp_path: Path) -> None:
    files = {"src/shop/__init__.py": "", "src/shop/api.py": f"import helper\n{APP}", "lib/helper.py": ""}
    with agent.running(
        project(tmp_path, files, {"target": "shop.api:app"}, import_paths=("src", "lib"), source=("src/shop",))
    ) as running:
        assert answer(running, "/") == "served"


def test_our_packages_are_not_in_the_apps_process(tmp_path: Path) -> None:
    with agent.running(project(tmp_path)) as running:
        loaded = answer(running, "/modules")
    for ours in ("orchestrator", "msgspec", "schemathesis", "pact", "click"):
        assert ours not in loaded


def test_the_environment_is_set_before_the_import(tmp_path: Path) -> None:
    files = {"main.py": f"import os\nassert os.environ['SHOP_KEY'] == 'a key'\n{APP}"}
    with agent.running(project(tmp_path, files, {"environment": {"SHOP_KEY": "a key"}})) as running:
        assert answer(running, "/environment")["SHOP_KEY"] == "a key"


def test_the_users_own_environment_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OF_THE_USER", "kept")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "more"))
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    with agent.running(project(tmp_path, {"more/helper.py": ""})) as running:
        environment = answer(running, "/environment")
        assert environment["OF_THE_USER"] == "kept"
        assert "PYTHONHOME" not in environment
        assert str(tmp_path / "more") in answer(running, "/path")


def test_each_run_has_a_folder_of_its_own(tmp_path: Path) -> None:
    settings = project(tmp_path, app={"environment": {"DATABASE": "sqlite:///{state}/a.db"}})
    folders = []
    for _ in range(2):
        with agent.running(settings) as running:
            folder = Path(answer(running, "/environment")["DATABASE"].removeprefix("sqlite:///")).parent
            assert folder.is_dir()
            folders.append(folder)
        assert not folder.exists()
    assert folders[0] != folders[1]


def test_an_app_may_be_noisy(tmp_path: Path) -> None:
    noise = "import sys\nprint('x' * 200_000, file=sys.stdout)\nprint('y' * 200_000, file=sys.stderr)\n"
    noise += "sys.stdout.write('\\udc80 no newline')\nsys.stdin.read()\n"
    with agent.running(project(tmp_path, {"main.py": noise + APP})) as running:
        assert answer(running, "/") == "served"
        assert running.state_failures() == ()
    assert (tmp_path / ".orchestrator" / "logs" / "app.log").stat().st_size > 400_000


def test_arguments_reach_the_factory(tmp_path: Path) -> None:
    factory = f"{APP}\n\ndef create(since, tags):\n    ANSWERS['/'] = lambda: (since, tags)\n    return app\n"
    arguments = {"since": datetime.date(2024, 2, 29), "tags": ["a"]}
    settings = project(tmp_path, {"main.py": factory}, {"target": "main:create", "arguments": arguments})
    with agent.running(settings) as running:
        assert answer(running, "/") == ("2024-02-29", ["a"])


def test_an_asgi_app_starts_up_and_shuts_down(tmp_path: Path) -> None:
    started = LIFESPAN.format(startup='await send({"type": "lifespan.startup.complete"})')
    with agent.running(project(tmp_path, {"main.py": started})) as running:
        assert Asked(running.url, b"").body == b"served"
        assert not (tmp_path / "shut-down").exists()
    assert (tmp_path / "shut-down").exists()


def test_a_wsgi_app_may_clean_up_at_exit(tmp_path: Path) -> None:
    files = {"main.py": f"import atexit\natexit.register(lambda: open('cleaned-up', 'w').close())\n{APP}"}
    with agent.running(project(tmp_path, files)):
        assert not (tmp_path / "cleaned-up").exists()
    assert (tmp_path / "cleaned-up").exists()


def test_reach_is_told_only_when_it_is_wanted(tmp_path: Path) -> None:
    with agent.running(project(tmp_path)) as running:
        answer(running, "/")
        assert running.reached() == ()
    with agent.running(project(tmp_path), reach=True) as running:
        answer(running, "/")
        (reached,) = running.reached()
        assert (reached.method, reached.path) == ("POST", "/")
        assert {Path(file).name for file, _ in reached.places} == {"main.py"}


# Interpreters


def test_an_environments_interpreter_is_not_resolved(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", "--symlinks", str(tmp_path / ".venv")], check=True)
    settings = project(tmp_path, python=".venv/bin/python")
    assert agent.interpreter(settings) == str(tmp_path / ".venv" / "bin" / "python")
    with agent.running(settings) as running:
        assert Path(answer(running, "/prefix")) == tmp_path / ".venv"
        assert "pytest" not in running.versions


def test_our_interpreter_is_the_default(tmp_path: Path) -> None:
    assert agent.interpreter(project(tmp_path)) == sys.executable


def test_an_interpreter_may_be_one_of_the_path(tmp_path: Path) -> None:
    assert agent.interpreter(project(tmp_path, python="sh")) == shutil.which("sh")


def test_a_missing_interpreter_is_told(tmp_path: Path) -> None:
    error = failure(project(tmp_path, python=".venv/bin/python"))
    assert error.problem.code == Code.INTERPRETER_MISSING
    assert "`python` = '.venv/bin/python' does not exist" in error.problem.message


@pytest.mark.parametrize("mode", [0o644, 0o755], ids=["not executable", "no program"])
def test_an_interpreter_that_can_not_be_run_is_told(mode: int, tmp_path: Path) -> None:
    (tmp_path / "python").write_bytes(b"\0")
    (tmp_path / "python").chmod(mode)
    error = failure(project(tmp_path, python="python"))
    assert error.problem.code == Code.INTERPRETER_MISSING
    assert "`python` = 'python' can't be run" in error.problem.message


def test_an_interpreter_that_ends_at_once_is_told(tmp_path: Path) -> None:
    (tmp_path / "python").write_text("#!/bin/sh\necho this is no Python\nexit 9\n")
    (tmp_path / "python").chmod(0o755)
    error = failure(project(tmp_path, python="python"))
    assert error.problem.code == Code.APP_IMPORT_FAILED
    assert "ended while it started (exit status 9)" in error.problem.message
    assert "this is no Python" in error.problem.detail


def test_a_directory_that_does_not_exist_is_told(tmp_path: Path) -> None:
    error = failure(project(tmp_path, directory="no/such"))
    assert error.problem.code == Code.SETTINGS_INVALID
    assert "`directory` = 'no/such' is not a folder" in error.problem.message


# Apps that can't be started


@pytest.mark.parametrize(
    ("content", "code", "message", "detail"),
    [
        ("import no_such_module", Code.APP_IMPORT_FAILED, "No module named 'no_such_module'", "main.py"),
        ("def app(:", Code.APP_IMPORT_FAILED, "SyntaxError", "main.py"),
        ("raise SystemExit('no settings')", Code.APP_IMPORT_FAILED, "SystemExit: no settings", "main.py"),
        ("raise ValueError('two\\nlines')", Code.APP_IMPORT_FAILED, "ValueError: two", "lines"),
        ("raise ValueError('\\udc80')", Code.APP_IMPORT_FAILED, r"ValueError: \udc80", "main.py"),
        ("", Code.APP_IMPORT_FAILED, "main has no attribute 'app'", ""),
        (
            "import os\nprint('the last words', flush=True)\nos._exit(3)",
            Code.APP_IMPORT_FAILED,
            "ended while it started (exit status 3)",
            "the last words",
        ),
        (
            "import os\nos.kill(os.getpid(), 9)",
            Code.APP_IMPORT_FAILED,
            "ended while it started (exit status -9)",
            "",
        ),
        ("def app():\n    raise SystemExit(2)", Code.APP_IMPORT_FAILED, "making the app failed: SystemExit: 2", "main"),
        ("app = {}", Code.APP_NOT_AN_APP, "gives dict, which is neither", ""),
        (
            LIFESPAN.format(
                startup='await send({"type": "lifespan.startup.failed", "message": "no database"}); return'
            ),
            Code.APP_IMPORT_FAILED,
            "lifespan start-up failed: no database",
            "no database",
        ),
    ],
    ids=[
        "import",
        "syntax",
        "SystemExit",
        "lines",
        "surrogate",
        "attribute",
        "exit",
        "signal",
        "factory",
        "no app",
        "lifespan",
    ],
)
def test_an_app_that_can_not_be_started_is_told(
    content: str, code: Code, message: str, detail: str, tmp_path: Path
) -> None:
    problem = failure(project(tmp_path, {"main.py": content})).problem
    assert problem.code == code
    assert message in problem.message
    assert "\n" not in problem.message
    assert detail in problem.detail
    assert problem.hint


def test_a_child_that_outlives_its_app_does_not_keep_us_waiting(tmp_path: Path) -> None:
    content = """
        import os, time
        if os.fork() == 0:
            time.sleep(30)
            os._exit(0)
        os._exit(3)
    """
    started = time.monotonic()
    problem = failure(project(tmp_path, {"main.py": content})).problem
    assert "exit status 3" in problem.message
    assert time.monotonic() - started < SOON + 5


@pytest.mark.parametrize("where", ["at import", "in lifespan"])
def test_an_app_that_starts_too_slowly_is_told(where: str, tmp_path: Path) -> None:
    slow = "print('waiting', flush=True)\nimport time; time.sleep(60)"
    if where == "in lifespan":
        slow = LIFESPAN.format(startup="print('waiting', flush=True); import asyncio; await asyncio.sleep(60)")
    problem = failure(project(tmp_path, {"main.py": slow}, {"start_timeout": 1.5})).problem
    assert problem.code == Code.APP_IMPORT_FAILED
    assert "1.5 s" in problem.message
    assert "start-timeout" in problem.hint


def test_a_driver_of_another_version_is_told(tmp_path: Path) -> None:
    settings = project(tmp_path)
    from_driver, to_agent = os.pipe()
    from_agent, to_driver = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-m", agent.PACKAGE, str(from_driver), str(to_driver)],
        env=agent.environment(settings),
        cwd=tmp_path,
        pass_fds=(from_driver, to_driver),
    )
    os.close(from_driver)
    os.close(to_driver)
    channel = Channel(from_agent, to_agent)
    channel.send({"version": VERSION + 1})
    told = channel.receive()
    assert told is not None
    assert (told["answer"], told["code"]) == ("failed", "QO900")
    channel.close()
    assert process.wait(SOON) == 0


# Hooks

HOOKS = """
data = []

def prepare(app):
    assert callable(app) or app is None
    data.append("seed")

def reset():
    data[1:] = []

def order(item):
    data.append(item)
    return {"data": list(data)}

def token(app):
    return f"token-{len(data)}"

def fail():
    raise ValueError("no table")

def leave():
    raise SystemExit("no table")

states = {"an order": order}
"""


def test_hooks_run_beside_the_app(tmp_path: Path) -> None:
    settings = project(
        tmp_path,
        {"hooks.py": HOOKS},
        {"prepare": "hooks:prepare", "reset": "hooks:reset"},
        contracts=Contracts(states="hooks:states"),
        identities=(Identity(name="the clerk/é", format="Bearer {value}", callable="hooks:token"),),
    )
    order = b'{"state": "an order", "params": {"item": "pen"}}'
    with agent.running(settings) as running:
        assert Asked(f"{running.control}/state", order).json == {"data": ["seed", "pen"]}
        answer(running, "/")
        assert Asked(f"{running.control}/state", order).json == {"data": ["seed", "pen"]}
        assert Asked(f"{running.control}/state", order).json == {"data": ["seed", "pen", "pen"]}
        assert running.identity("the clerk/é") == agent.Header(header="Authorization", value="Bearer token-3")
        running.reset()
        assert running.identity("the clerk/é").value == "Bearer token-1"
        assert running.credentials() == {"token-1": "the clerk/é", "token-3": "the clerk/é"}
        Asked(f"{running.control}/state", b'{"state": "two orders"}')
        (failed,) = running.state_failures()
        assert (failed.state, failed.code) == ("two orders", Code.UNKNOWN_STATE)
        assert running.state_failures() == ()


@pytest.mark.parametrize(
    ("hooks", "code", "message"),
    [
        ({"prepare": "hooks:fail"}, Code.HOOK_FAILED, "`app.prepare` = 'hooks:fail' failed: ValueError: no table"),
        ({"prepare": "hooks:leave"}, Code.HOOK_FAILED, "SystemExit: no table"),
        ({"prepare": "hooks:missing"}, Code.APP_IMPORT_FAILED, "has no attribute 'missing'"),
        ({"reset": "hooks:missing"}, Code.APP_IMPORT_FAILED, "has no attribute 'missing'"),
        ({"reset": "missing:reset"}, Code.APP_IMPORT_FAILED, "importing missing failed"),
    ],
    ids=str,
)
def test_a_hook_that_fails_at_the_start_is_told(
    hooks: dict[str, str], code: Code, message: str, tmp_path: Path
) -> None:
    problem = failure(project(tmp_path, {"hooks.py": HOOKS}, hooks)).problem
    assert problem.code == code
    assert message in problem.message


@pytest.mark.parametrize("hook", ["fail", "leave"])
def test_a_reset_that_fails_is_told_and_the_app_goes_on(hook: str, tmp_path: Path) -> None:
    with agent.running(project(tmp_path, {"hooks.py": HOOKS}, {"reset": f"hooks:{hook}"})) as running:
        with pytest.raises(OrchestratorError, match=r"`app.reset` failed: .*no table") as raised:
            running.reset()
        assert raised.value.problem.code == Code.HOOK_FAILED
        assert answer(running, "/") == "served"


def test_an_identity_that_can_not_be_minted_is_told(tmp_path: Path) -> None:
    identities = (Identity(name="clerk", callable="hooks:fail"),)
    with agent.running(project(tmp_path, {"hooks.py": HOOKS}, identities=identities)) as running:
        for name, told in (("clerk", "ValueError: no table"), ("nobody", "no identity is called 'nobody'")):
            with pytest.raises(OrchestratorError, match=told) as raised:
                running.identity(name)
            assert raised.value.problem.code == Code.IDENTITY_FAILED


def test_a_proxy_is_not_asked_for_an_identity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    identities = (Identity(name="clerk", environment="KEY"),)
    with agent.running(project(tmp_path, app={"environment": {"KEY": "a key"}}, identities=identities)) as running:
        assert running.identity("clerk").value == "a key"


# APIs that run elsewhere


@contextlib.contextmanager
def elsewhere(status: int = 404) -> Iterator[str]:
    """An API that somebody else serves."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("status", [200, 404, 500])
def test_hooks_run_here_for_an_api_that_runs_elsewhere(status: int, tmp_path: Path) -> None:
    with elsewhere(status) as url:
        settings = project(
            tmp_path,
            {"hooks.py": HOOKS},
            {"target": "", "url": f"{url}/", "prepare": "hooks:prepare", "reset": "hooks:reset"},
            identities=(Identity(name="clerk", callable="hooks:token"),),
        )
        with agent.running(settings) as running:
            assert running.url == url
            assert running.identity("clerk").value == "token-1"
            running.reset()


def test_an_api_that_does_not_answer_is_told(tmp_path: Path) -> None:
    for url in ("http://127.0.0.1:1", "no-url"):
        error = failure(project(tmp_path, app={"target": "", "url": url}))
        assert error.problem.code == Code.APP_UNREACHABLE
        assert url in error.problem.message


# Apps that die


@pytest.mark.parametrize(("path", "status"), [("/die", 7), ("/crash", -11)])
def test_an_app_that_dies_is_told(path: str, status: int, tmp_path: Path) -> None:
    identities = (Identity(name="clerk", environment="PATH"),)
    with agent.running(project(tmp_path, identities=identities)) as running:
        with contextlib.suppress(ConnectionError, http.client.HTTPException):  # as far as it came
            Asked(running.url + path, b"")
        told = running.died().problem
        assert told.code == Code.APP_DIED
        assert f"exit status {status}" in told.message
        assert not running.is_alive
        for question in (running.reached, running.reset, running.credentials, lambda: running.identity("clerk")):
            with pytest.raises(OrchestratorError, match=f"exit status {status}") as raised:
                question()
            assert raised.value.problem.code == Code.APP_DIED


def test_an_app_that_dies_beside_its_child_is_told(tmp_path: Path) -> None:
    forks = f"import os, time\nif os.fork() == 0:\n    time.sleep(60)\n    os._exit(0)\n{APP}"
    with agent.running(project(tmp_path, {"main.py": forks})) as running:
        with contextlib.suppress(ConnectionError, http.client.HTTPException):  # as far as it came
            Asked(running.url + "/die", b"")
        with pytest.raises(OrchestratorError, match="exit status 7"):
            running.reached()


# Drivers that die

DRIVER = """
import pathlib, sys, time
from orchestrator import config
from orchestrator.adapters import agent

folder = pathlib.Path(sys.argv[1])
settings = config.Settings(app=config.App(target="main:app"))
with agent.running(config.Project(root=folder, file=folder / "orchestrator.toml", settings=settings)):
    (folder / "serving").write_text("yes")
    time.sleep(60)
"""
CHILD = "import subprocess\nchild = subprocess.Popen(['sleep', '60'])\n"
PIDS = "import os\nopen('pids', 'w').write(f'{os.getpid()} {child.pid}')\n"


@pytest.mark.parametrize(
    ("content", "serves"),
    [
        (CHILD + PIDS + APP, True),
        (CHILD + PIDS + "import time\ntime.sleep(60)\n", False),
        (
            CHILD + PIDS + "import threading, time\nthreading.Thread(target=time.sleep, args=(60,)).start()\n" + APP,
            True,
        ),
        (CHILD + PIDS + "import atexit, time\natexit.register(time.sleep, 60)\n" + APP, True),
    ],
    ids=["while it serves", "while it imports", "with a thread that goes on", "with a hook that hangs"],
)
def test_nothing_is_left_of_the_app_when_the_driver_is_killed(content: str, serves: bool, tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(content)
    driver = subprocess.Popen([sys.executable, "-c", DRIVER, str(tmp_path)], stderr=subprocess.PIPE)
    with driver:
        pids = [int(pid) for pid in wait_for(tmp_path / "pids").split()]
        if serves:
            wait_for(tmp_path / "serving")
        driver.send_signal(signal.SIGKILL)
        driver.wait(SOON)
    assert_ends(*pids)


def test_an_app_that_does_not_want_to_end_is_ended(tmp_path: Path) -> None:
    stubborn = "import signal, threading, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    stubborn += "threading.Thread(target=time.sleep, args=(60,)).start()\n"
    started = time.monotonic()
    with agent.running(project(tmp_path, {"main.py": stubborn + APP})) as running:
        pid = answer(running, "/pid")
    assert not is_running(pid)
    assert time.monotonic() - started < 2 * SOON


# The folder on the import path


def test_the_agents_folder_holds_nothing_else(tmp_path: Path) -> None:
    settings = project(tmp_path)
    folder = Path(agent.environment(settings)["PYTHONPATH"].split(os.pathsep)[0])
    assert [p.name for p in folder.iterdir()] == [agent.PACKAGE]
    assert (folder / agent.PACKAGE / "protocol.py").is_file()


def test_a_link_of_another_installation_is_replaced(tmp_path: Path) -> None:
    settings = project(tmp_path)
    link = settings.state / "agent" / agent.PACKAGE
    link.parent.mkdir(parents=True)
    link.symlink_to(tmp_path / "gone")
    agent.environment(settings)
    assert (link / "protocol.py").is_file()
