"""The user's pytest session: collected once, its items run in forked children."""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.metadata
import os
import sys
import sysconfig
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from . import chance
from .forks import Forker, Pipes, Write
from .lines import FunctionRecorder, OpenedFiles, StatementRecorder, as_hex, united
from .seen import Seen
from .swap import Change, ChangedImport, LiveFunctions, NotSwappable, Source

_SOON = 16  # items that most children don't come beyond
# Taken now: tests replace what the `time` module offers.
_clock, _MONOTONIC, _CPU = time.clock_gettime, time.CLOCK_MONOTONIC, time.CLOCK_PROCESS_CPUTIME_ID


# Open as long as the process: a file that is closed because nobody holds it warns, and warnings may be errors.
_NOWHERE = open(os.devnull, "w")  # noqa: SIM115


class Collecting:
    """Looks on while pytest collects.

    Attributes:
        broken: Files that can't be collected, with the reason.
    """

    def __init__(self) -> None:
        self.broken: list[dict[str, str]] = []

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Make the user's Hypothesis tests repeat themselves."""
        settle_hypothesis(items)

    @pytest.hookimpl
    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep why a file can't be collected."""
        if report.failed:
            self.broken.append({"file": report.nodeid, "message": str(report.longrepr)[-4000:]})


class Items:
    """Runs items in this process and says how each ended.

    Made before children are forked, for pytest takes its time to look at a plugin.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._failed = ""
        self._outcome = "passed"
        silence(config)
        config.pluginmanager.register(self, "orchestrator-items")
        pytest.Function.repr_failure = _failure  # type: ignore[assignment, method-assign]
        if _REPR_SETUP is not None:
            pytest.Function._repr_failure_py = _setup_failure  # type: ignore[assignment, method-assign]

    @pytest.hookimpl
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep how an item ended; a failure in any of its three parts is one."""
        if report.outcome == "failed":
            self._outcome = "failed"
            self._failed = self._failed or _message(report)
        elif report.outcome == "skipped" and self._outcome == "passed":
            self._outcome = "xfailed" if hasattr(report, "wasxfail") else "skipped"

    def run(
        self,
        items: list[pytest.Item],
        write: Write,
        *,
        stop: bool,
        seen: Seen,
        draws: int = 0,
        trace: Trace | None = None,
        functions: FunctionRecorder | None = None,
    ) -> None:
        """Run items in this order.

        Args:
            items: Of the session.
            write: Told of each item as it ends.
            stop: End at the first that fails.
            seen: Asked which exchanges each item had.
            draws: Which random numbers they draw.
            trace: Asked what each item has reached, if there is one.
            functions: Asked which functions each item has executed, if there is one.
        """
        for item, following in zip(items, [*items[1:], None]):  # noqa: B905 - Python 3.10 has `strict`, but both have one length
            self._failed, self._outcome = "", "passed"
            chance.settle(item.nodeid, draws)
            seen.begin(getattr(item, "obj", None))
            started, cpu = _clock(_MONOTONIC), _clock(_CPU)
            try:
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            except BaseException as error:  # noqa: BLE001 - `pytest.exit`, an interrupt: the item did not pass
                self._outcome, self._failed = "failed", f"{type(error).__name__}: {error}"
            told: dict[str, Any] = {"item": item.nodeid, "outcome": self._outcome}
            told["seconds"] = round(_clock(_MONOTONIC) - started, 6)
            told["cpu"] = round(_clock(_CPU) - cpu, 6)
            told.update(seen.take(item.nodeid))
            if self._failed:
                told["message"] = self._failed
            if trace:
                told.update(trace.of(item))
            if functions:
                told.update(functions.take())
            write(told)
            if stop and self._outcome == "failed":
                return


class _Failure:
    """How a test failed, told to its end only if somebody asks: a plugin may, and most children end unasked."""

    def __init__(self, item: pytest.Function, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        self._item = item
        self._excinfo = excinfo

    @property
    def message(self) -> str:
        """The exception alone."""
        error = self._excinfo.value
        kind = type(error)
        name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
        try:
            told = str(error)
        except Exception:  # noqa: BLE001 - the user's own, or that of a mutant
            told = "its text can't be made"
        return f"{name}: {told}" if told else name

    @functools.cached_property
    def _whole(self) -> Any:
        tell = _REPR_FAILURE if _REPR_SETUP is None else _REPR_SETUP
        return tell(self._item, self._excinfo)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what copies and pickles asks for is our own
            raise AttributeError(name)
        return getattr(self._whole, name)

    def __str__(self) -> str:
        return str(self._whole)


_REPR_FAILURE = pytest.Function.repr_failure
_REPR_SETUP: Any = getattr(pytest.Function, "_repr_failure_py", None)  # what pytest asks of fixtures that fail


def _failure(item: pytest.Function, excinfo: pytest.ExceptionInfo[BaseException]) -> Any:
    return _Failure(item, excinfo)


def _setup_failure(item: pytest.Function, excinfo: pytest.ExceptionInfo[BaseException], *_: Any, **__: Any) -> Any:
    if hasattr(excinfo.value, "formatrepr"):  # pytest's own, of a fixture that does not exist
        return _REPR_SETUP(item, excinfo)
    return _Failure(item, excinfo)


def _message(report: pytest.TestReport) -> str:
    failure: Any = report.longrepr
    crash = failure if isinstance(failure, _Failure) else getattr(failure, "reprcrash", None)
    told = str(crash.message) if crash is not None else str(failure or "")
    return told.strip()[:1000]


class Trace:
    """What is known of an item's reach: statements, files, and the functions of tests and fixtures."""

    def __init__(self, recorder: StatementRecorder, opened: OpenedFiles, seen: Seen) -> None:
        self._recorder = recorder
        self._seen = seen
        self._opened = opened
        self._imported: set[str] = set()

    def at_import(self) -> dict[str, Any]:
        """Return what was reached while the session was collected; what follows belongs to items."""
        told = self._taken()
        self._imported = set(sys.modules)
        self._opened.stop()
        return told

    def unseen(self) -> list[str]:
        """Return the source files that were imported without being instrumented."""
        return self._recorder.unseen()

    def files(self) -> list[str]:
        """Return the files of the project that have been imported."""
        files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
        return sorted({path for f in files if isinstance(f, str) and (path := self._opened.path_of(f))})

    def begin(self) -> None:
        """Begin with an item, in a child."""
        self._recorder.renew()
        self._taken()
        self._seen.begin()
        self._opened.resume()

    def of(self, item: pytest.Item) -> dict[str, Any]:
        """Return what was reached since `begin`, or since the item before."""
        told = {**self._taken(), "functions": _functions(item), "threads": _other_threads()}
        if new := sys.modules.keys() - self._imported:
            told["modules"] = [(name, _origin(name)) for name in list(sys.modules) if name in new]
            self._imported |= new
        return told

    def _taken(self) -> dict[str, Any]:
        read, written, beyond = self._opened.take()
        lines = as_hex(united(self._seen.lines(), self._recorder.take()))
        return {"lines": lines, "read": read, "written": written, "beyond": beyond}


def _functions(item: pytest.Item) -> list[tuple[str, int]]:
    """Return where an item's function and its fixtures' are: file and first line."""
    found = []
    fixtures = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {})
    for function in (getattr(item, "obj", None), *(d.func for defs in fixtures.values() for d in defs)):
        code = getattr(getattr(function, "__func__", function), "__code__", None)
        if code is not None:
            found.append((os.path.realpath(code.co_filename), code.co_firstlineno))
    return found


def _other_threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t is not threading.main_thread()]


class CollectedSession(Collecting):
    """A pytest plugin that serves jobs instead of running the session's items.

    Args:
        pipes: To the driver.
        hello: What the driver said first.
        trace: Records reach, in the process in which all of the source is instrumented.
        functions: Records executed functions, where mutants are judged.
        seen: Hears the exchanges of items.
    """

    def __init__(
        self, pipes: Pipes, hello: dict[str, Any], trace: Trace | None, functions: FunctionRecorder | None, seen: Seen
    ) -> None:
        super().__init__()
        self._seen = seen
        self._functions = functions
        self._pipes = pipes
        self._hello = hello
        self._trace = trace
        self._before = set(sys.modules)
        self._began = _clock(_MONOTONIC)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Serve until the driver goes away."""
        ready: dict[str, Any] = {
            "ready": [item.nodeid for item in session.items],
            "broken": self.broken,
            "threads": _other_threads(),
            "root": str(session.config.rootpath),
            "seconds": round(_clock(_MONOTONIC) - self._began, 3),
        }
        prime_freezegun()
        if self._trace:
            ready.update(self._trace.at_import())
            ready["unseen"] = self._trace.unseen()
            ready["files"] = self._trace.files()
        else:
            origins = ((name, _origin(name)) for name in list(sys.modules) if name not in self._before)
            ready["modules"] = foreign_modules(origins)
        if self._functions:
            ready["table"] = self._functions.take().get("table", [])
        live = None if self._trace else LiveFunctions(self._hello["root"], self._hello["left_out"])
        service = _Service(session, live, self._trace, self._functions, self._seen)
        self._pipes.send(ready)
        Forker(self._pipes, service, self._hello["workers"], self._hello["folder"], self._hello["memory"]).serve()
        return True


class _Service:
    """What a collected session does for the driver."""

    def __init__(
        self,
        session: pytest.Session,
        live: LiveFunctions | None,
        trace: Trace | None,
        functions: FunctionRecorder | None,
        seen: Seen,
    ) -> None:
        self._functions = functions
        self._seen = seen
        self._session = session
        self._items = Items(session.config)
        self._live = live
        self._trace = trace
        self._put: Callable[[], object] = lambda: None
        self._put_test: Callable[[], object] = lambda: None

    def prepare(self, message: dict[str, Any]) -> None:
        """Do in this process what its children would all do."""
        for number in message.get("items", ())[:_SOON]:
            with contextlib.suppress(Exception):  # the user's own kinds of items; it is asked for again when one runs
                _ = self._session.items[number].location  # pytest keeps it
        if message.get("change") and self._live:
            self._put = self._live.prepared(Change(message["change"]))
        if message.get("test") and self._live:
            self._put_test = self._live.prepared(Change(message["test"]))
        if "known" in message:
            self._seen.know(message["known"])
        if "preload" in message:
            preload(foreign_modules(message["preload"]))
        if "prime" in message:
            settle_child(self._session)
            chosen = [self._session.items[number] for number in message["prime"]]
            self._items.run(chosen, lambda _: None, stop=False, seen=self._seen)
            if self._live:
                self._live.look()  # applications import modules when they are made

    def work(self, job: dict[str, Any], write: Write) -> None:
        """Run a job, in a child."""
        settle_child(self._session)
        try:
            if job["change"]:
                self._put()
            if job["test"]:
                self._put_test()
        except NotSwappable as reason:
            write({"not_swappable": str(reason)})
            return
        if job["change"] and self._live:
            change = Change(job["change"])
            ChangedImport(change, self._live.source(change.path), self._functions)
        if self._trace:
            self._trace.begin()
        if self._functions:
            self._functions.renew()
        chosen = [self._session.items[number] for number in job["items"]]
        self._items.run(
            chosen,
            write,
            stop=job["stop"],
            seen=self._seen,
            draws=job["chance"],
            trace=self._trace,
            functions=self._functions,
        )


class ColdSession(Collecting):
    """Runs a job in a process in which nothing of the user's has been imported yet."""

    def __init__(
        self, job: dict[str, Any], names: list[str], write: Write, functions: FunctionRecorder, seen: Seen
    ) -> None:
        super().__init__()
        self._seen = seen
        self._functions = functions
        self._job = job
        self._names = names
        self._write = write
        self._imported: ChangedImport | None = None

    def run(self, options: list[str], paths: list[str]) -> None:
        """Import, collect and run under the change. Where the job names files, only those are collected."""
        if self._job["change"]:
            change = Change(self._job["change"])
            self._imported = ChangedImport(change, Source.read(change.path), self._functions)
        # Packages of others are imported already, also such as offer plugins: their assertions are not rewritten then.
        quiet = ("-W", "ignore::pytest.PytestAssertRewriteWarning")
        status = pytest.main([*options, *quiet, *(self._job["files"] or paths)], plugins=[self])
        # Only when the session did not come to its items: the run of the items ends the process.
        broken = self.broken[0] if self.broken else {"file": "", "message": ""}
        self._write({"not_collected": int(status), **broken, "imported": self._is_imported()})

    def _is_imported(self) -> bool:
        return self._imported is not None and self._imported.used

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Run the job's items."""
        if session.testsfailed and self._job["stop"]:
            return None  # pytest says that collection failed
        settle_child(session)
        known = {item.nodeid: item for item in session.items}
        wanted = [self._names[number] for number in self._job["items"]]
        names = set(self._names)
        # Under a mutant there may be other items: their parameters are made when they are collected.
        others = [item for name, item in known.items() if name not in names]
        chosen = [*(known[n] for n in wanted if n in known), *others]
        self._write({"begun": True})
        Items(session.config).run(
            chosen,
            self._write,
            stop=self._job["stop"],
            seen=self._seen,
            draws=self._job["chance"],
            functions=self._functions,
        )
        self._write({"imported": self._is_imported()})
        self._write({"end": True})
        os._exit(0)


class _Silent:
    """Stands where pytest's own reporter stood: plugins may write with it, and it is told of no test."""

    def __init__(self, reporter: Any) -> None:
        self._reporter = reporter

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reporter, name)


def silence(config: pytest.Config) -> None:
    """Take from pytest what is only for who reads its output: that takes a quarter of the time of a quick test.

    It is the report of each test, and what pytest itself says of the two sides of a comparison that is not true.
    """
    manager = config.pluginmanager
    reporter: Any = manager.getplugin("terminalreporter")
    if reporter is not None:
        with contextlib.suppress(Exception):
            reporter._tw._file = _NOWHERE
        manager.unregister(reporter)
        manager.register(_Silent(reporter), "terminalreporter")
    with contextlib.suppress(Exception):  # there is no public way, and without it all is only slower
        config.hook.pytest_assertrepr_compare._remove_plugin(manager.getplugin("assertion"))


def settle_child(session: pytest.Session) -> None:
    """Give a process what is not to be shared: temporary folders.

    The files in which pytest captures output stay shared: what they hold is only ever shown, and nobody looks.
    """
    config = session.config
    factory = getattr(config, "_tmp_path_factory", None)
    if factory is not None:
        factory._basetemp = None
        factory._given_basetemp = Path(os.environ["TMPDIR"]) / "pytest"


def preload(names: Iterable[str]) -> None:
    """Import modules, for all children."""
    for name in names:
        with contextlib.suppress(BaseException):  # whoever needs it meets the error again
            importlib.import_module(name)


def _origin(name: str) -> str:
    """Return the file of an imported module, or what stands for it."""
    origin = getattr(getattr(sys.modules.get(name), "__spec__", None), "origin", None)
    return origin if isinstance(origin, str) else ""


def foreign_modules(origins: Iterable[tuple[str, str]]) -> list[str]:
    """Return the modules of others, in their order: those that any child may share.

    Left out are packages that offer pytest plugins: pytest rewrites their assertions while it imports them.

    Args:
        origins: Modules' names, and the files that they are of.
    """
    plugins = {
        str(file).partition("/")[0].removesuffix(".py")
        for distribution in importlib.metadata.distributions()
        if any(entry.group == "pytest11" for entry in distribution.entry_points)
        for file in distribution.files or ()
    }
    keys = ("stdlib", "purelib", "platlib")
    folders = tuple(os.path.join(os.path.realpath(sysconfig.get_path(key)), "") for key in keys)
    return [
        name
        for name, origin in origins
        if origin == "built-in" or os.path.realpath(origin).startswith(folders)
        if name.partition(".")[0] not in plugins
    ]


def prime_freezegun() -> None:
    """Let freezegun look through all modules once, before children are forked: it remembers what it has seen."""
    freezegun: Any = sys.modules.get("freezegun")
    if freezegun is not None:
        with contextlib.suppress(Exception), freezegun.freeze_time("2020-01-01"):
            """Nothing happens in the meantime."""


def settle_hypothesis(items: list[pytest.Item]) -> None:
    """Take from the user's Hypothesis tests what makes verdicts vary: deadline, database, chance, shrinking."""
    hypothesis: Any = sys.modules.get("hypothesis")
    if hypothesis is None:
        return
    fixed = {
        "deadline": None,
        "database": None,
        "derandomize": True,
        "phases": [hypothesis.Phase.explicit, hypothesis.Phase.generate],
        "suppress_health_check": list(hypothesis.HealthCheck),
    }
    with contextlib.suppress(Exception):
        hypothesis.settings.register_profile("orchestrator", hypothesis.settings.default, **fixed)
        hypothesis.settings.load_profile("orchestrator")
    for item in items:
        function: Any = getattr(getattr(item, "obj", None), "__func__", getattr(item, "obj", None))
        own = getattr(function, "_hypothesis_internal_use_settings", None)
        if own is not None:
            with contextlib.suppress(Exception):
                function._hypothesis_internal_use_settings = hypothesis.settings(own, **fixed)
