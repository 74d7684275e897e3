"""Everything that is done with this project: `nox -l` lists it.

The first session that is needed makes its environment; later ones use it again.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.sessions = ["quality"]
nox.options.reuse_existing_virtualenvs = True

PROJECT = nox.project.load_toml("pyproject.toml")
ROOT = Path(__file__).parent
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
# What `orchestrator init` can't find out by looking at them: the credential.
ANSWERS = {
    "fastapi_app": "LOANS_TOKEN=desk-token-of-the-example",
    "django_app": "ROOMS_API_KEY=house-key-of-the-example",
}
STAGES = ("generate", "suite", "properties", "contracts", "description", "mutation", "report")


def install(session: nox.Session, group: str) -> None:
    """Install the project and one of its dependency groups into the session's environment."""
    session.install("-e", ".", *nox.project.dependency_groups(PROJECT, group))
    session.env["PACT_DO_NOT_TRACK"] = "true"


@nox.session
def quality(session: nox.Session) -> None:
    """Run all stages on `backend/`, write reports/quality.html. Takes the options of `orchestrator run`."""
    install(session, "subject")
    session.run("orchestrator", "run", *session.posargs)


def stage_session(name: str) -> None:
    """Make a session of its own for a stage; it runs in the environment of `quality`."""

    @nox.session(name=name, venv_backend="none")
    def run_stage(session: nox.Session) -> None:
        session.notify("quality", ["--stage", name, *session.posargs])

    run_stage.__doc__ = f"Run the {name} stage and what it needs."


for stage in STAGES:
    stage_session(stage)


@nox.session
def tests(session: nox.Session) -> None:
    """Run the project's own tests. Takes pytest's options."""
    install(session, "tests")
    session.run("python", "-m", "pytest", *(session.posargs or ["-n", str(os.cpu_count() or 1), "--dist", "worksteal"]))


@nox.session(python=PYTHONS)
def compatibility(session: nox.Session) -> None:
    """Run the tests on every Python that this machine has."""
    install(session, "tests")
    session.run("python", "-m", "pytest", *(session.posargs or ["-n", str(os.cpu_count() or 1), "--dist", "worksteal"]))


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, types and the direction of imports."""
    install(session, "lint")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")
    session.run("lint-imports")


@nox.session
def examples(session: nox.Session) -> None:
    """Run the orchestrator on the apps under `examples/`, each in an environment of its own."""
    install(session, "subject")
    for name in ANSWERS:
        with session.chdir(ROOT / "examples" / name):
            if not Path(".venv").exists():
                session.run("python", "-m", "venv", ".venv")
            project = nox.project.load_toml("pyproject.toml")
            needed = [*project["project"]["dependencies"], *nox.project.dependency_groups(project, "dev")]
            session.run(".venv/bin/python", "-m", "pip", "install", "--quiet", *needed, external=True)
            session.run("orchestrator", "run", *session.posargs)
        from_scratch(session, name)


def from_scratch(session: nox.Session, name: str) -> None:
    """Take an example's settings away, have `orchestrator init` write new ones, and run: with one answer by hand."""
    example, copy = ROOT / "examples" / name, Path(session.create_tmp()) / name
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(
        example, copy, symlinks=True, ignore=shutil.ignore_patterns(".orchestrator", "reports", "generated")
    )
    settings = copy / "pyproject.toml"
    settings.write_text(settings.read_text("utf-8").partition("[tool.orchestrator]")[0], "utf-8")
    with session.chdir(copy):
        session.run("orchestrator", "init", "--yes", "--set", f"app.environment.{ANSWERS[name]}")
        stages = ("--stage=suite", "--stage=properties", "--stage=contracts")
        session.run("orchestrator", "run", *stages, *session.posargs)


@nox.session
def browser(session: nox.Session) -> None:
    """Look at the page in a real browser: no error, no request, nothing that sticks out. Needs Chromium."""
    if not (shutil.which("chromium") or shutil.which("google-chrome") or os.environ.get("CHROMIUM")):
        session.skip("no Chromium here: install it, or set CHROMIUM to its path")
    install(session, "browser")
    workers = ("-n", str(os.cpu_count() or 1), "--dist", "worksteal")  # a browser each
    session.run("python", "-m", "pytest", "tests/browser", "-m", "browser", *(session.posargs or workers))
