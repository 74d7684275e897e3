"""The settings: `[tool.orchestrator]` of `pyproject.toml`, or `orchestrator.toml`.

The structs below are the one place where a setting is defined: its key, its type, its default, and the
sentence that documents it (`docs/settings.md` is written from them; a test compares).
"""

from __future__ import annotations

import datetime
import difflib
import os
import types
import typing
import urllib.parse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from orchestrator import codec
from orchestrator.errors import Code, UsageError

FILES: Final = ("orchestrator.toml", "pyproject.toml")
STATE_DIRECTORY: Final = ".orchestrator"

Percent = Annotated[float, Meta(ge=0, le=100)]
Count = Annotated[int, Meta(ge=0)]
Positive = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(gt=0)]


class _Section(msgspec.Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True):
    """A table of settings: kebab-case keys, unknown ones refused."""


class App(_Section, frozen=True):
    """Where the API is and how it is started."""

    target: Annotated[
        str,
        Meta(
            description="The app, or what makes it, as `module:attribute`. Needed unless `url` is given.",
            examples=["shop.main:app", "shop:create_app"],
        ),
    ] = ""
    factory: Annotated[
        bool | None,
        Meta(description="Whether `target` is called to make the app. Not set: it is called when it is not an app."),
    ] = None
    arguments: Annotated[
        dict[str, Any],
        Meta(description="Keyword arguments for the factory.", examples=[{"config": "testing"}]),
    ] = {}
    attribute: Annotated[
        str,
        Meta(description="Attribute of the result that is the app itself.", examples=["app", "wsgi_app"]),
    ] = ""
    interface: Annotated[
        Literal["auto", "wsgi", "asgi"],
        Meta(description="How the app is called. `auto` looks at its signature."),
    ] = "auto"
    url: Annotated[
        str,
        Meta(
            description="An API that already runs, instead of `target`. Nothing is started.",
            examples=["http://127.0.0.1:8000"],
        ),
    ] = ""
    environment: Annotated[
        dict[str, str],
        Meta(
            description="Environment variables set before the app is imported to be served (the suite has its own "
            "ways). `{state}` stands for a folder that is made anew for each run of the app.",
            examples=[{"DATABASE_URL": "sqlite:///{state}/test.db"}],
        ),
    ] = {}
    prepare: Annotated[
        str,
        Meta(
            description="Callable (`module:attribute`) run once after the app is made: tables, migrations, seed "
            "data. It is given the app if it has a parameter called `app`.",
            examples=["tests.quality:prepare"],
        ),
    ] = ""
    reset: Annotated[
        str,
        Meta(
            description="Callable that brings the app's data back to where `prepare` left it; run before each "
            "generated test, each sequence of requests and each interaction's states. Given the app like `prepare`.",
            examples=["tests.quality:reset"],
        ),
    ] = ""
    start_timeout: Annotated[
        Seconds, Meta(description="Seconds that import and start may take, and one `reset` between interactions.")
    ] = 60.0


class Exclusion(_Section, frozen=True):
    """An operation that is not tested, and why."""

    operation: Annotated[
        str,
        Meta(description="Method and path template; `*` matches anything.", examples=["DELETE /v1/users/*"]),
    ]
    reason: Annotated[str, Meta(min_length=1, description="Why; it is shown in the report.")]


class OpenAPI(_Section, frozen=True):
    """The API's description."""

    path: Annotated[
        str,
        Meta(
            description="The OpenAPI document (3.0, 3.1 or Swagger 2; YAML or JSON): a file relative to the "
            "project or, when it starts with `/`, a path asked of the running app.",
            examples=["openapi/shop.yaml", "/openapi.json"],
        ),
    ] = ""
    base_path: Annotated[
        str | None,
        Meta(
            description="What comes before every path of the document. Not set: taken from its `servers` (or "
            "`basePath`).",
            examples=["/api/v2"],
        ),
    ] = None
    exclude: Annotated[tuple[Exclusion, ...], Meta(description="Operations that are not tested.")] = ()
    released: Annotated[
        str,
        Meta(
            description="The document of the last release, to find what has changed since: a file, or "
            "`git:REVISION:PATH` for one that is kept in git (without a path: that of `path`).",
            examples=["openapi/released.yaml", "git:v1.2.0"],
        ),
    ] = ""


class Identity(_Section, frozen=True):
    """Who calls the API. One of `environment`, `command` and `callable` gives the credential."""

    name: Annotated[str, Meta(min_length=1, description="What reports call it.", examples=["writer"])]
    header: Annotated[str, Meta(description="The request header.")] = "Authorization"
    format: Annotated[
        str, Meta(description="The header's value; `{value}` is the credential.", examples=["Bearer {value}"])
    ] = "{value}"
    environment: Annotated[
        str,
        Meta(
            description="Variable that holds the credential, also one of `app.environment`.",
            examples=["API_KEY"],
        ),
    ] = ""
    command: Annotated[
        tuple[str, ...],
        Meta(
            description="Program and arguments that print it. Run again when the API answers 401.",
            examples=[["./scripts/token", "--role", "writer"]],
        ),
    ] = ()
    callable: Annotated[
        str,
        Meta(
            description="Callable in the app's process that returns it. Called again when the API answers 401.",
            examples=["tests.quality:token"],
        ),
    ] = ""
    operations: Annotated[
        tuple[str, ...],
        Meta(
            description="The operations it calls; `*` matches anything. The first identity that matches is used.",
            examples=[["POST *", "DELETE *"]],
        ),
    ] = ("*",)


class KnownRed(_Section, frozen=True):
    """A test that is known to fail, and why."""

    test: Annotated[str, Meta(description="pytest's node id; `*` matches anything.")]
    reason: Annotated[str, Meta(min_length=1, description="Why; it is shown in the report.")]


class Tests(_Section, frozen=True):
    """The project's own tests: the unit layer."""

    __test__ = False  # pytest would take the class for a test

    paths: Annotated[
        tuple[str, ...], Meta(description="What pytest is given to collect.", examples=[["tests/unit"]])
    ] = ("tests",)
    options: Annotated[
        tuple[str, ...],
        Meta(
            description="More options for pytest, in every stage that runs it.",
            examples=[["-p", "no:randomly"]],
        ),
    ] = ()
    deselect: Annotated[
        tuple[str, ...], Meta(description="Node ids that are left out, as pytest's `--deselect` takes them.")
    ] = ()
    known_red: Annotated[
        tuple[KnownRed, ...],
        Meta(description="Tests that are known to fail: shown, left out of the success gate, and kill nothing."),
    ] = ()
    workers: Annotated[
        Count | Literal["auto"],
        Meta(
            description="Processes that share the suite, where pytest-xdist is installed; `auto`: one a core, "
            "unless the tests took less than 5 s the last time; 0 or 1: no sharing."
        ),
    ] = "auto"
    coverage: Annotated[
        bool, Meta(description="Whether to measure statement coverage, where coverage.py is installed.")
    ] = True
    timeout: Annotated[Seconds, Meta(description="Seconds that the stage may take.")] = 600.0


class Properties(_Section, frozen=True):
    """The property tests generated from the OpenAPI document."""

    directory: Annotated[str, Meta(description="Where the generated modules go. Never taken for the unit layer.")] = (
        "tests/generated"
    )
    phases: Annotated[
        tuple[Literal["examples", "coverage", "fuzzing", "stateful"], ...],
        Meta(description="How schemathesis makes cases."),
    ] = ("examples", "coverage", "fuzzing", "stateful")
    max_examples: Annotated[Positive, Meta(description="Cases that fuzzing makes for each operation.")] = 25
    scenarios: Annotated[Positive, Meta(description="Sequences of linked requests that the stateful phase makes.")] = 15
    disable_checks: Annotated[
        tuple[str, ...],
        Meta(
            description="Checks of schemathesis that are not run, by name.",
            examples=[["allow_header_conformance"]],
        ),
    ] = ()
    config: Annotated[
        str,
        Meta(
            description="A `schemathesis.toml` with schemathesis' own settings (expected statuses of an operation, "
            "and the like); the keys above come first.",
            examples=["openapi/schemathesis.toml"],
        ),
    ] = ""
    request_timeout: Annotated[Seconds, Meta(description="Seconds that one response may take.")] = 10.0
    timeout: Annotated[Seconds, Meta(description="Seconds that the stage may take.")] = 900.0


Variable = Annotated[str, Meta(pattern="^[A-Z_][A-Z0-9_]*$")]


class Selector(_Section, frozen=True):
    """Which versions of the consumers' pacts are verified; a pact that any selector chooses is."""

    branch: Annotated[str, Meta(description="The latest version on this branch of a consumer.")] = ""
    main_branch: Annotated[bool, Meta(description="The latest version on the main branch of each consumer.")] = False
    matching_branch: Annotated[
        bool, Meta(description="The latest version on the branch of a consumer that is called as the provider's.")
    ] = False
    deployed_or_released: Annotated[
        bool, Meta(description="All versions that are deployed or released in any environment.")
    ] = False
    environment: Annotated[
        str,
        Meta(description="All versions that are deployed or released there.", examples=["production"]),
    ] = ""
    tag: Annotated[str, Meta(description="All versions with this tag; with `latest`, the latest one.")] = ""
    latest: Annotated[bool, Meta(description="The latest version, of each consumer.")] = False
    consumer: Annotated[str, Meta(description="Only pacts of this consumer, of those that the other keys choose.")] = ""


class Broker(_Section, frozen=True):
    """Where pacts come from and results go: a Pact broker, a folder or a branch of git. See [pacts](broker.md)."""

    url: Annotated[
        str,
        Meta(
            description="A Pact broker; a folder, relative to the project (`file:` may stand before it); or `git:` and "
            "a branch of this repository, after `origin/` one that is fetched and pushed. If it is set, "
            "`orchestrator run` verifies the pacts from there, and files only if `contracts.pacts` names them.",
            examples=["https://pacts.example.org", "file:../contracts", "git:origin/contracts"],
        ),
    ] = ""
    token: Annotated[Variable, Meta(description="Name of the environment variable that holds the broker's token.")] = (
        "PACT_BROKER_TOKEN"  # noqa: S105 - a name
    )
    username: Annotated[
        Variable,
        Meta(description="Name of the environment variable that holds the user's name, where there is no token."),
    ] = "PACT_BROKER_USERNAME"
    password: Annotated[
        Variable, Meta(description="Name of the environment variable that holds the user's password.")
    ] = "PACT_BROKER_PASSWORD"  # noqa: S105 - a name
    selectors: Annotated[
        tuple[Selector, ...],
        Meta(
            description="Which pacts are verified. None: those of each consumer's main branch, and of what is deployed "
            "or released."
        ),
    ] = ()
    provider_branch: Annotated[
        str,
        Meta(description="The branch of this API that decides what is pending. Not set: `branch`, or what git says."),
    ] = ""
    pending: Annotated[
        bool,
        Meta(
            description="Whether a pact that this API's branch has never fulfilled may fail: it is shown, and no fault."
        ),
    ] = False
    include_wip_since: Annotated[
        datetime.date | None,
        Meta(description="Verify also pacts that no selector chooses, new since then and never fulfilled: pending."),
    ] = None
    publish: Annotated[
        bool, Meta(description="Whether a run tells the broker its results. For CI: a changed work tree tells nothing.")
    ] = False
    version: Annotated[
        str,
        Meta(
            description="The version of this API; `$NAME` stands for an environment variable. Not set: git's commit.",
            examples=["$CI_COMMIT_SHA"],
        ),
    ] = ""
    branch: Annotated[
        str,
        Meta(
            description="The branch of this API, likewise. Not set: what git says, or the variables of the CI.",
            examples=["$CI_COMMIT_REF_NAME"],
        ),
    ] = ""
    timeout: Annotated[Seconds, Meta(description="Seconds that one answer of the broker may take.")] = 30.0

    @property
    def is_server(self) -> bool:
        """Whether it is a Pact broker, and neither a folder nor a branch."""
        return self.url.startswith(("http://", "https://"))


class Contracts(_Section, frozen=True):
    """The consumers' pacts."""

    pacts: Annotated[
        tuple[str, ...] | None,
        Meta(
            description="Pact files, as globs; folders, whose `*.json` are meant; addresses (`https://…`) of single "
            "pacts. Not set: `contracts/*.json` and `pacts/*.json`, and no pact is no fault.",
            examples=[["contracts/*.json"]],
        ),
    ] = None
    provider: Annotated[
        str,
        Meta(description="Name of this API in the pacts. Not set: pacts of every provider are verified."),
    ] = ""
    states: Annotated[
        str,
        Meta(
            description="Provider states (`module:attribute`): a mapping from a state's name to a callable that is "
            "given the state's parameters by keyword, or one callable given `state` and `parameters`. Either may "
            "also take `app`. A generator function tears down behind its `yield`.",
            examples=["tests.quality:provider_states"],
        ),
    ] = ""
    messages: Annotated[
        str,
        Meta(
            description="Asynchronous messages (`module:attribute`): a mapping from a message's description to what "
            "makes it, or one callable given `name`. It returns the contents (what JSON can hold, text or bytes), or a "
            "pair of these and the metadata.",
            examples=["tests.quality:messages"],
        ),
    ] = ""
    broker: Annotated[Broker, Meta(description="Where pacts come from and results go.")] = Broker()
    request_timeout: Annotated[
        Seconds,
        Meta(
            description="Seconds that one response may take, that setting one provider state up may (with the reset "
            "and the tear-down before it), and that making one message may. A state that takes longer has failed."
        ),
    ] = 10.0
    timeout: Annotated[Seconds, Meta(description="Seconds that the stage may take.")] = 300.0


class Suppression(_Section, frozen=True):
    """A mutant that need not be judged, and why."""

    mutant: Annotated[
        str,
        Meta(
            description="Its fingerprint, or its name; in names `*` matches anything.",
            examples=["3fa29c01d2b4", "shop.prices.x_total__mutmut_*"],
        ),
    ]
    reason: Annotated[str, Meta(min_length=1, description="Why; it is shown in the report.")]


class Mutation(_Section, frozen=True):
    """Mutation testing of the critical paths."""

    critical: Annotated[
        tuple[str, ...],
        Meta(
            description="What is mutated: globs of source files, qualified names (`shop.prices.total`, `*` matches "
            "anything), or operations (`POST /v1/orders`: the code that its requests execute, less what "
            "nearly every operation passes through). Empty: nothing, and the stage says so.",
            examples=[["shop/prices.py", "shop.orders.Cart.*", "POST /v1/orders"]],
        ),
    ] = ()
    mode: Annotated[
        Literal["auto", "warm", "fresh"],
        Meta(
            description="`warm`: one pytest session, and a forked child for each mutant. `fresh`: a new interpreter "
            "for each mutant, slow. `auto`: warm, unless threads run when the tests are collected."
        ),
    ] = "auto"
    quick: Annotated[
        bool,
        Meta(
            description="A quick look: one mutant a function, its body taken away. It shows code that tests execute "
            "and nobody checks, in seconds."
        ),
    ] = False
    all_tests: Annotated[
        bool,
        Meta(
            description="Ask all tests that reach a mutant, also after the first that notices: then it is known which "
            "tests kill what, and which kill nothing that others don't; and what each consumer's pact reveals. Takes "
            "longer."
        ),
    ] = False
    shard: Annotated[
        str,
        Meta(
            description="Judge only this part of the mutants, `2/4`: the second of four. `orchestrator merge` puts the "
            "parts together."
        ),
    ] = ""
    dask: Annotated[
        str,
        Meta(
            description="Address of a Dask scheduler: the mutants are judged on its workers, a shard each. Needs the "
            "extra `cluster`, here and there.",
            examples=["tcp://scheduler:8786"],
        ),
    ] = ""
    suppress: Annotated[tuple[Suppression, ...], Meta(description="Mutants that are not judged.")] = ()
    changed_since: Annotated[
        str, Meta(description="Judge only mutants of lines that changed since this git revision.", examples=["main"])
    ] = ""
    budget: Annotated[
        Seconds | None,
        Meta(
            description="Seconds after which no more mutants are begun; what is left is *not run*. Not set: no limit."
        ),
    ] = None
    layers: Annotated[
        tuple[Literal["unit", "property", "contract"], ...],
        Meta(
            description="In which layers it is found how far a mutant's damage gets: the project's own tests (`unit`, "
            "always), the generated property tests (`property`), the pacts (`contract`)."
        ),
    ] = ("unit", "property", "contract")
    self_check: Annotated[
        Percent,
        Meta(
            description="Share of new verdicts, in percent and at least ten, that are judged again by plain pytest on "
            "changed source; 0: none."
        ),
    ] = 2.0
    import_time_budget: Annotated[
        Seconds,
        Meta(
            description="Seconds after which no more mutants of code that runs at import (constants, class bodies, "
            "defaults) are begun. Those left are *not run*; the next run goes on with them."
        ),
    ] = 30.0
    search_budget: Annotated[
        Annotated[float, Meta(ge=0)],
        Meta(
            description="Seconds for the search of requests that show survivors: tests that execute them, or come near "
            "to it, send others. What there is no time for is searched in the next run. 0: none is made."
        ),
    ] = 10.0
    memory: Annotated[Positive, Meta(description="MiB that a mutant's process may take on top of the tests' own.")] = (
        2048
    )
    workers: Annotated[Count, Meta(description="Mutants judged at the same time; 0: one a core.")] = 0
    timeout: Annotated[Seconds, Meta(description="Seconds that the stage may take.")] = 3600.0

    @property
    def processes(self) -> int:
        """How many mutants are judged at the same time."""
        return self.workers or os.cpu_count() or 1


NO_WORSE: Final = "no worse"
NoWorse = Literal["no worse"]


class Gates(_Section, frozen=True):
    """What must hold for the run to pass. `false` turns a gate off; `"no worse"` asks for what the baseline has."""

    suite_success: Annotated[
        Percent | NoWorse | Literal[False],
        Meta(description="Least share of the project's own tests that pass, in percent."),
    ] = 98.0
    suite_seconds: Annotated[
        Seconds | NoWorse | Literal[False], Meta(description="Longest time that the project's own tests take.")
    ] = 60.0
    property_findings: Annotated[Count | NoWorse | Literal[False], Meta(description="Most property findings.")] = 0
    contract_failures: Annotated[
        Count | NoWorse | Literal[False], Meta(description="Most interactions that do not hold.")
    ] = 0
    incompatibilities: Annotated[
        Count | NoWorse | Literal[False],
        Meta(description="Most places where a pact asks for what the OpenAPI document does not promise."),
    ] = 0
    broken_consumers: Annotated[
        Count | NoWorse | Literal[False],
        Meta(description="Most changes since `openapi.released` that break an interaction of a known consumer."),
    ] = 0
    breaking_changes: Annotated[
        Count | NoWorse | Literal[False],
        Meta(description="Most breaking changes since `openapi.released`, whether or not a known consumer minds."),
    ] = False
    drift: Annotated[
        Count | NoWorse | Literal[False],
        Meta(description="Most routes of the app that the OpenAPI document lacks, and operations that the app lacks."),
    ] = False
    operations: Annotated[
        Count | NoWorse | Literal[False], Meta(description="Least number of operations that were sent a request.")
    ] = 1
    interactions: Annotated[
        Count | NoWorse | Literal[False], Meta(description="Least number of interactions verified.")
    ] = 1
    mutants: Annotated[Count | NoWorse | Literal[False], Meta(description="Least number of mutants judged.")] = 1
    mutation_score: Annotated[
        Percent | NoWorse | Literal[False],
        Meta(description="Least share of detected mutants on the critical paths, in percent."),
    ] = 60.0
    changed_score: Annotated[
        Percent | NoWorse | Literal[False],
        Meta(
            description="Least share of detected mutants among those of changed lines, in percent. What has changed is "
            "told by `mutation.changed-since`, or by the baseline's commit."
        ),
    ] = False
    changed_survivors: Annotated[
        Count | NoWorse | Literal[False], Meta(description="Most mutants of changed lines that nobody notices.")
    ] = False
    no_worse: Annotated[
        bool,
        Meta(
            description="No new finding, mismatch or survivor, and no lower score, than the baseline (if one is set)."
        ),
    ] = True


class Waiver(_Section, frozen=True):
    """Leave to fail until a day. When it is over, the run fails."""

    waives: Annotated[
        str,
        Meta(
            min_length=1,
            description="The id of a gate, which may fail; or the fingerprint of a finding, a mismatch or a survivor, "
            "which is not counted.",
            examples=["mutation-score", "3fa29c01d2b4"],
        ),
    ]
    owner: Annotated[str, Meta(min_length=1, description="Who answers for it.")]
    reason: Annotated[str, Meta(min_length=1, description="Why.")]
    until: Annotated[datetime.date, Meta(description="The last day on which it holds.")]


class Settings(_Section, frozen=True):
    """Everything under `[tool.orchestrator]`."""

    name: Annotated[str, Meta(description="What reports call the project. Not set: its folder's name.")] = ""
    python: Annotated[
        str,
        Meta(
            description="Interpreter that has the app and its tests, relative to the project. Not set: the one that "
            "runs the orchestrator.",
            examples=[".venv/bin/python"],
        ),
    ] = ""
    directory: Annotated[str, Meta(description="Where the app and its tests run, relative to the project.")] = "."
    import_paths: Annotated[
        tuple[str, ...],
        Meta(
            description="Folders put in front of the import path, relative to `directory`; that folder itself is "
            "always there.",
            examples=[["src"]],
        ),
    ] = ()
    source: Annotated[
        tuple[str, ...],
        Meta(
            description="Folders or files of the app's source, relative to `directory`. Tests are never taken for "
            "source. Not set: the top package of `app.target`.",
            examples=[["src/shop"]],
        ),
    ] = ()
    reports: Annotated[str, Meta(description="Where reports are written, relative to the project.")] = "reports"
    baseline: Annotated[
        str,
        Meta(
            description="The run to compare with: a `run.json`, a folder that has one, or `git:REVISION:PATH` for one "
            "that is kept in git (without a path: `quality-baseline.json`). `orchestrator baseline save` writes one.",
            examples=["quality-baseline.json", "git:origin/main"],
        ),
    ] = ""
    seed: Annotated[Count, Meta(description="What makes generated data repeatable.")] = 1
    app: Annotated[App, Meta(description="Where the API is.")] = App()
    openapi: Annotated[OpenAPI, Meta(description="The API's description.")] = OpenAPI()
    identities: Annotated[tuple[Identity, ...], Meta(description="Who calls the API.")] = ()
    tests: Annotated[Tests, Meta(description="The project's own tests.")] = Tests()
    properties: Annotated[Properties, Meta(description="Generated property tests.")] = Properties()
    contracts: Annotated[Contracts, Meta(description="The consumers' pacts.")] = Contracts()
    mutation: Annotated[Mutation, Meta(description="Mutation testing.")] = Mutation()
    gates: Annotated[Gates, Meta(description="What must hold.")] = Gates()
    waivers: Annotated[tuple[Waiver, ...], Meta(description="What may fail, for a time.")] = ()


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """Settings, and where they hold.

    Attributes:
        root: The folder of the settings file.
        file: The settings file.
        settings: What it says, checked.
    """

    root: Path
    file: Path
    settings: Settings

    @property
    def name(self) -> str:
        """What reports call the project."""
        return self.settings.name or self.root.name

    @property
    def directory(self) -> Path:
        """Where the app and its tests run."""
        return self.root / self.settings.directory

    @property
    def reports(self) -> Path:
        """Where reports are written."""
        return self.root / self.settings.reports

    @property
    def state(self) -> Path:
        """Where the orchestrator keeps its own files."""
        return self.root / STATE_DIRECTORY

    def shown(self, path: Path) -> str:
        """Return a path as people read it: relative to the project where it is inside."""
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else str(path)

    @property
    def source(self) -> tuple[str, ...]:
        """The app's source folders and files, relative to `directory`."""
        if self.settings.source:
            return self.settings.source
        package = self.settings.app.target.partition(":")[0].partition(".")[0]
        for folder in ("", *self.settings.import_paths):
            for name in (package, f"{package}.py"):
                if package and (self.directory / folder / name).exists():
                    return (str(Path(folder) / name),)
        return ()

    @property
    def sources(self) -> tuple[Path, ...]:
        """The same, absolute, links resolved."""
        return tuple((self.directory / name).resolve() for name in self.source)

    @property
    def tests(self) -> tuple[Path, ...]:
        """The folders and files of the app's tests, absolute, links resolved."""
        return tuple((self.directory / name.partition("::")[0]).resolve() for name in self.settings.tests.paths)


def load(start: Path, file: Path | None = None) -> Project:
    """Find and read the settings.

    Args:
        start: Where to look: this folder, then its parents.
        file: The settings file, when the user names it.

    Raises:
        UsageError: there are none, or they are wrong.
    """
    path = file or _find(start.resolve())
    if path is None:
        raise UsageError(
            Code.SETTINGS_MISSING,
            f"no [tool.orchestrator] in a pyproject.toml, and no orchestrator.toml, in {start} or above it",
            hint="Run `orchestrator init` in your project: it looks around and writes the settings.",
        )
    if not path.is_file():
        raise UsageError(Code.SETTINGS_MISSING, f"{path} does not exist", hint="Check the path after --config.")
    path = path.resolve()
    table = _table(path)
    if table is None:
        raise UsageError(
            Code.SETTINGS_MISSING,
            f"{path} has no [tool.orchestrator]",
            hint="Run `orchestrator init` in your project: it looks around and writes the settings.",
        )
    return Project(root=path.parent, file=path, settings=parse(table, path))


def _find(folder: Path) -> Path | None:
    for candidate in (folder, *folder.parents):
        for name in FILES:
            path = candidate / name
            if path.is_file() and _table(path) is not None:
                return path
    return None


def _table(path: Path) -> dict[str, Any] | None:
    document = codec.read_toml(path)
    if path.name != "pyproject.toml":
        return document
    tools = document.get("tool")
    table = tools.get("orchestrator") if isinstance(tools, dict) else None
    return table if isinstance(table, dict) else None


def parse(table: Mapping[str, Any], path: Path) -> Settings:
    """Return the settings that a TOML table holds.

    Raises:
        UsageError: a key is unknown (the message suggests one), or a value is of the wrong kind.
    """
    prefix = "tool.orchestrator." if path.name == "pyproject.toml" else ""
    for key, suggestion in _unknown_keys(table, Settings):
        raise UsageError(
            Code.SETTINGS_UNKNOWN_KEY,
            f"{path.name}: unknown key `{prefix}{key}`",
            hint=f"Did you mean `{suggestion}`?" if suggestion else "docs/settings.md lists every key.",
        )
    try:
        settings = msgspec.convert(table, Settings)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at ")
        key = prefix + where.strip("`").removeprefix("$.").removeprefix("$")
        raise UsageError(
            Code.SETTINGS_INVALID,
            f"{path.name}: `{key}`: {what}",
            hint="docs/settings.md says what it takes.",
        ) from error
    _check(settings, path, prefix)
    return settings


def _check(settings: Settings, path: Path, prefix: str) -> None:
    """Refuse what no type can refuse."""
    if not settings.app.target and not settings.app.url:
        raise UsageError(
            Code.SETTINGS_INVALID,
            f"{path.name}: neither `{prefix}app.target` nor `{prefix}app.url` is set",
            hint='Say where the app is, for example target = "shop.main:app".',
        )
    for key, value in (
        ("app.target", settings.app.target),
        ("app.prepare", settings.app.prepare),
        ("app.reset", settings.app.reset),
        ("contracts.states", settings.contracts.states),
    ):
        if value and value.count(":") != 1:
            raise UsageError(
                Code.SETTINGS_INVALID,
                f"{path.name}: `{prefix}{key}` is {value!r}, not `module:attribute`",
                hint='Name the module and the attribute, for example "shop.main:app".',
            )
    check_broker(settings.contracts.broker, path, f"{prefix}contracts.broker")
    for number, identity in enumerate(settings.identities):
        if sum(map(bool, (identity.environment, identity.command, identity.callable))) != 1:
            raise UsageError(
                Code.SETTINGS_INVALID,
                f"{path.name}: `{prefix}identities[{number}]` ({identity.name}) needs exactly one of `environment`, "
                "`command` and `callable`",
                hint="Say where the credential comes from.",
            )
        if identity.name in (other.name for other in settings.identities[:number]):
            raise UsageError(
                Code.SETTINGS_INVALID,
                f"{path.name}: `{prefix}identities[{number}]` has the name of an earlier one, {identity.name!r}",
                hint="Give it a name of its own; one identity may have several `operations`.",
            )


def check_broker(broker: Broker, path: Path, key: str) -> None:
    """Refuse an address that holds a credential, and selectors that a Pact broker would refuse."""
    if "@" in broker.url.partition("://")[2].partition("/")[0]:
        raise UsageError(
            Code.SETTINGS_INVALID,
            f"{path.name}: `{key}.url` holds a credential",
            hint="Put it into environment variables, and name these in `token`, or in `username` and `password`.",
        )
    if broker.is_server and not _names_a_server(broker.url):
        raise UsageError(
            Code.SETTINGS_INVALID,
            f"{path.name}: `{key}.url` names no server: {broker.url!r}",
            hint="Write it as a browser takes it, for example https://pacts.example.org.",
        )
    for number, selector in enumerate(broker.selectors):
        chosen = {
            "`main-branch`": selector.main_branch,
            "`matching-branch`": selector.matching_branch,
            "`branch`": selector.branch,
            "`tag`": selector.tag,
            "`environment` or `deployed-or-released`": selector.environment or selector.deployed_or_released,
        }
        said = [name for name, value in chosen.items() if value]
        alone = selector.matching_branch or selector.environment or selector.deployed_or_released
        if len(said) > 1 or not (said or selector.latest) or (selector.latest and alone):
            raise UsageError(
                Code.SETTINGS_INVALID,
                f"{path.name}: `{key}.selectors[{number}]` chooses {' and '.join(said) or 'nothing'}"
                + (" and `latest`" if said and selector.latest else ""),
                hint=f"One selector takes one of {', '.join(chosen)} and `latest`; `latest` goes with a branch or a "
                "tag; write a selector for each.",
            )


def _names_a_server(url: str) -> bool:
    try:
        parts = urllib.parse.urlsplit(url)
        return bool(parts.hostname) and parts.port != 0  # a wrong port raises
    except ValueError:
        return False


def _unknown_keys(table: Mapping[str, Any], kind: type[msgspec.Struct], path: str = "") -> Iterator[tuple[str, str]]:
    """Yield each key that no setting has, with the closest one that some setting has."""
    known = {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
    for key, value in table.items():
        if key not in known:
            close = difflib.get_close_matches(key.replace("_", "-"), known, n=1, cutoff=0.6)
            yield f"{path}{key}", close[0] if close else ""
            continue
        section = section_of(known[key])
        if section is None:
            continue
        if isinstance(value, Mapping):
            yield from _unknown_keys(value, section, f"{path}{key}.")
        elif isinstance(value, list):
            for number, item in enumerate(value):
                if isinstance(item, Mapping):
                    yield from _unknown_keys(item, section, f"{path}{key}[{number}].")


def section_of(annotation: Any) -> type[msgspec.Struct] | None:
    """Return the table that a setting's type holds (alone or in a list); None: it is a plain value."""
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return annotation
    if typing.get_origin(annotation) in (Annotated, tuple, types.UnionType, typing.Union):
        for part in typing.get_args(annotation):
            section = section_of(part)
            if section is not None:
                return section
    return None


def told(settings: msgspec.Struct, prefix: str = "") -> tuple[dict[str, str], dict[str, str]]:
    """Return the settings that are not at their default, and those that are, by dotted key, as text."""
    changed: dict[str, str] = {}
    at_default: dict[str, str] = {}
    for field in msgspec.structs.fields(type(settings)):
        value = getattr(settings, field.name)
        key = f"{prefix}{field.encode_name}"
        factory = field.default_factory
        default = field.default if factory is msgspec.NODEFAULT else factory()
        if isinstance(value, msgspec.Struct):
            inner_changed, inner_at_default = told(value, f"{key}.")
            changed |= inner_changed
            at_default |= inner_at_default
        else:
            (at_default if value == default else changed)[key] = msgspec.json.encode(value).decode()
    return changed, at_default
