"""What is found in a project by looking: its files are read and parsed, nothing of it is imported or run.

`look` puts together what the modules beside this one find; each of them knows one kind of thing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from orchestrator import codec
from orchestrator.discovery import apps, documents, installation, layout, variables
from orchestrator.discovery.apps import App
from orchestrator.discovery.code import Module, Survey
from orchestrator.discovery.documents import Scheme
from orchestrator.discovery.findings import Findings, Guess, Question
from orchestrator.discovery.variables import Variable

__all__ = ["Findings", "Guess", "Question", "look"]

SIGNED_WITH = "only-for-tests"


def look(root: Path, given: Mapping[str, Any] | None = None) -> Findings:
    """Look around in a project.

    Args:
        root: The project's folder.
        given: Settings that a person has answered already, by dotted key: they win over guesses.

    Raises:
        UsageError: its `pyproject.toml` is not TOML.
    """
    return _Look(root, given or {}).findings()


class _Look:
    """One look around: gathers guesses, questions and remarks."""

    def __init__(self, root: Path, given: Mapping[str, Any]) -> None:
        self._survey = Survey(root)
        self._given = given
        self._pyproject = codec.read_toml(root / "pyproject.toml") if (root / "pyproject.toml").exists() else {}
        self._guesses: list[Guess] = []
        self._questions: list[Question] = []
        self._remarks: list[str] = []
        self._secrets: list[str] = []
        self._code: list[Module] = []

    def findings(self) -> Findings:
        """Look for everything."""
        app, others = self._choose()
        folder = layout.import_root(self._survey, app) if app else PurePosixPath()
        self._project(app, folder)
        if app:
            self._app(app, folder, others)
        self._tests()
        self._hooks(app, folder)
        self._document(app)
        self._pacts()
        self._critical()
        self._environment()
        return Findings(
            framework=app.framework if app else "",
            guesses=tuple(g for g in self._guesses if g.key not in self._given),
            questions=tuple(q for q in self._questions if q.key not in self._given),
            remarks=tuple(self._remarks),
            install=installation.arguments(self._survey.root, self._pyproject),
            secrets=tuple(self._secrets),
        )

    def _guess(self, key: str, value: Any, because: str) -> None:
        self._guesses.append(Guess(key=key, value=value, because=because))

    def _value(self, key: str) -> Any:
        """Return a setting's value as a person gave it or as it was guessed; None: neither."""
        return self._given.get(key, next((g.value for g in self._guesses if g.key == key), None))

    def _ask(self, key: str, about: str, example: str = "") -> None:
        self._questions.append(Question(key=key, about=about, example=example))

    def _choose(self) -> tuple[App | None, list[App]]:
        """Return the app that was named or looks likeliest, and the others."""
        if "app.url" in self._given:
            return None, []
        if target := str(self._given.get("app.target", "")):
            return apps.named(self._survey, target), []
        found = apps.find(self._survey)
        if not found:
            self._ask("app.target", "the app, or what makes it: none was found", "shop.main:app")
        return (found[0], found[1:]) if found else (None, [])

    def _project(self, app: App | None, folder: PurePosixPath) -> None:
        if name := self._pyproject.get("project", {}).get("name"):
            self._guess("name", str(name), "pyproject.toml")
        python = layout.interpreter(self._survey.root)
        if python:
            self._guess("python", python, "the project's own environment")
        else:
            self._remarks.append(
                f"python: none of {', '.join(layout.INTERPRETERS)} exists, so the app has to be installed beside the "
                "orchestrator; or set `python`"
            )
        if app is None:
            return
        if folder != PurePosixPath():
            self._guess("import-paths", [str(folder)], f"{app.path} is imported from there")
        self._guess(
            "source", list(layout.source(self._survey, app, folder)), "the app and what it imports of the project"
        )
        self._code = layout.code(self._survey, app, folder, self._value("source"))

    def _app(self, app: App, folder: PurePosixPath, others: list[App]) -> None:
        target = f"{layout.dotted(app.path, folder)}:{app.attribute}"
        what = f"{'makes' if app.factory else 'is'} the {app.framework} app"
        also = [f"{layout.dotted(o.path, folder)}:{o.attribute}" for o in others if o.path.is_relative_to(folder)]
        also = list(dict.fromkeys(a for a in also if a != target))
        self._guess("app.target", target, f"{app.where} {what}{_also(also)}")
        for parameter in app.required:
            self._ask(f"app.arguments.{parameter}", f"{app.where} takes it and has no default for it")

    def _tests(self) -> None:
        found = layout.tests(self._survey, self._pyproject)
        if found:
            self._guess("tests.paths", list(found), "where pytest's tests are")
        else:
            self._remarks.append("tests.paths: no tests found; without them every mutant survives")

    def _hooks(self, app: App | None, folder: PurePosixPath) -> None:
        found = layout.hooks(self._survey, [folder, PurePosixPath()])
        for key, target in found.items():
            self._guess(
                key, target, "a function of that name" if key != "contracts.states" else "a mapping of that name"
            )
        if app and app.framework == "Django" and "app.prepare" not in found:
            self._ask(
                "app.prepare",
                "a function that makes the tables (`migrate`) and sample records",
                "tests.quality:prepare",
            )
        elif "app.reset" not in found:
            self._remarks.append("app.reset: no such hook found; what one generated test writes, the next one sees")

    def _document(self, app: App | None) -> None:
        files = documents.openapi(self._survey)
        if files:
            self._guess("openapi.path", files[0], f"an OpenAPI document{_also(files[1:])}")
        elif app and app.document:
            self._guess("openapi.path", app.document, f"where {app.framework} serves it")
        else:
            self._ask("openapi.path", "the OpenAPI document: a file, or a path that the app serves", "openapi.yaml")

    def _critical(self) -> None:
        source = self._value("source") or []
        found = layout.logic(self._survey, source)
        if found:
            self._guess("mutation.critical", list(found), "business logic, by its name")
        elif source:
            self._guess("mutation.critical", list(layout.globs(source)), "all of the source: name what matters most")

    def _environment(self) -> None:
        """Look at the variables that the app reads: the database, the credential, and what it fails without."""
        read = [v for v in variables.read_by(self._code) if v.name != "DJANGO_SETTINGS_MODULE"]
        credential = self._identity(read)
        for variable in read:
            if variable is credential:
                continue
            key = f"app.environment.{variable.name}"
            if variable.is_database and variable.own_file:
                self._guess(key, variable.own_file, f"{variable.where}: a database of the run's own")
            elif variable.is_database and (variable.required or variable.names_a_server):
                self._ask(
                    key, f"{variable.where}: a database that tests may write to", "sqlite:///{state}/quality.sqlite3"
                )
            elif variable.required and variable.is_signing_key:
                self._guess(key, SIGNED_WITH, f"{variable.where}: it only has to be set")
            elif variable.required:
                self._ask(key, f"{variable.where} fails without it")

    def _identity(self, read: list[Variable]) -> Variable | None:
        """Guess who calls the API; return the variable that the app itself checks the credential against."""
        if "identities" in self._given:
            return None
        scheme, where = self._scheme()
        if scheme is None:
            return None
        likely = sorted((v for v in read if v.is_credential), key=lambda v: scheme.kind not in v.name)
        credential = likely[0] if likely else None
        name = credential.name if credential else f"QUALITY_{scheme.kind}"
        identity = {"name": "tester", "header": scheme.header, "format": scheme.format, "environment": name}
        self._guess("identities", [identity], f"{where}: {scheme.name}")
        sent = documents.sent_in_pacts(self._survey.root, self._value("contracts.pacts") or (), scheme)
        about = [f"the credential in `{scheme.header}: {scheme.format.replace('{value}', '…')}`"]
        about += [f"{credential.where} reads it"] if credential else ["one that the app accepts"]
        about += ["the pacts send this one"] if sent else []
        self._questions.insert(0, Question(key=f"app.environment.{name}", about=", ".join(about), example=sent))
        self._secrets.append(name)
        return credential

    def _scheme(self) -> tuple[Scheme | None, str]:
        path = str(self._value("openapi.path") or "")
        if path and not path.startswith("/"):
            found = documents.schemes(documents.read(self._survey.root / path))
        else:
            found, path = documents.schemes_in_code(self._code), "the code"
        return (found[0] if found else None), path

    def _pacts(self) -> None:
        globs, providers = documents.pacts(self._survey.root)
        if globs:
            self._guess("contracts.pacts", globs, f"pacts with {', '.join(sorted(providers))}")
        else:
            self._remarks.append(
                "contracts.pacts: no pacts in contracts/ or pacts/; until there are some the contracts stage is skipped"
            )
        if len(providers) > 1:
            self._ask("contracts.provider", f"which provider this is: {', '.join(sorted(providers))}")


def _also(others: Sequence[str]) -> str:
    return f"; also found: {', '.join(others[:3])}" if others else ""
