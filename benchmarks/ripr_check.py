"""Is it true how far the damage of a mutant got? A slow check that shares nothing with the engine.

    python benchmarks/ripr_check.py [--sample 50] [--seed 0] [--json FILE] [--folder DIR]

For a sample of the mutants of three projects (this repository's service, and both examples): the diff is applied to a
copy of the source, plain pytest runs the whole suite in a new interpreter, and a plugin of this file's own writes down
each response that a test client returns. The unchanged suite is run twice in the same way: what is not the same in both
varies by itself, and only its type is compared. So is the app: `ripr_served.py` starts it as a server, sends the
recorded requests, runs the generated tests and has the Pact core verify the pacts.
Checked is the step in each layer: *revealed* if a test, a generated test or an interaction fails that holds without the
mutant, *propagated* if all hold and a response differs, else *not seen*, which stands for the steps before.

`checked` and `disagreements` are the result; half of the sample are survivors, for most mutants are killed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec

from orchestrator import config, history
from orchestrator.adapters import agent, openapi, pact
from orchestrator.adapters import pytest as suites
from orchestrator.adapters import scenarios as scenarios_
from orchestrator.model.mutation import LAYERS, Mutant, MutantStatus, Step

import mutation  # isort: skip - the files beside this one
import ripr_served  # isort: skip
from ripr_served import Served  # isort: skip

ROOT = Path(__file__).parents[1]
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", ".nox", ".orchestrator", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", "reports"
)

# Noted are status and body of what the clients' methods return. What a test does with it is its own business.
PLUGIN = """
import json, os, pytest

NOW = []
FOUND = {}

def note(response, body):
    try:
        text = body(response)
        text = text.decode("utf-8", "backslashreplace") if text is not None else None
    except Exception as error:
        text = repr(type(error))
    left_out = ("date", "content-length", "server")
    headers = {k.lower(): v for k, v in response.headers.items() if k.lower() not in left_out}
    NOW.append([response.status_code, headers, text])

def wrap(owner, name, body):
    original = getattr(owner, name)
    def call(self, *args, **kwargs):
        response = original(self, *args, **kwargs)
        note(response, body)
        return response
    setattr(owner, name, call)

try:
    from werkzeug.test import Client
    wrap(Client, "open", lambda r: r.get_data() if "Content-Length" in r.headers else None)
except ImportError:
    pass
for name in ("httpx", "httpx2"):
    try:
        wrap(__import__(name).Client, "send", lambda r: vars(r).get("_content"))
    except ImportError:
        pass
try:
    from django.test.client import Client as Django
    wrap(Django, "request", lambda r: None if r.streaming else r.content)
except ImportError:
    pass

@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item):
    NOW.clear()
    FOUND[item.nodeid] = {"outcome": "passed", "seen": []}
    yield
    FOUND[item.nodeid]["seen"] = list(NOW)

def pytest_runtest_logreport(report):
    if report.outcome == "failed":
        FOUND[report.nodeid]["outcome"] = "failed"

def pytest_sessionfinish():
    with open(os.environ["RIPR_ANSWER"], "w") as file:
        json.dump(FOUND, file)
"""

Found = dict[str, dict[str, Any]]


class Subject(msgspec.Struct, frozen=True):
    """A project, and whether it has an environment of its own; else it is ours."""

    name: str
    folder: Path
    apart: bool = True


SUBJECTS = (
    Subject("backend", ROOT, apart=False),
    Subject("fastapi_app", ROOT / "examples" / "fastapi_app"),
    Subject("django_app", ROOT / "examples" / "django_app"),
)


def main() -> None:
    """Check a sample of each subject, and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "orchestrator-ripr")
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)  # noqa: S311 - no secret
    figures: dict[str, Any] = {"checked": 0, "by_subject": {}, "disagreements": []}
    for number, subject in enumerate(SUBJECTS):
        share = arguments.sample * (number + 1) // len(SUBJECTS) - arguments.sample * number // len(SUBJECTS)
        checked, differ = check(subject, arguments.folder / subject.name, share, rng)
        figures["checked"] += sum(checked.values())
        figures["by_subject"][subject.name] = checked
        figures["disagreements"] += differ
    mutation.tell(figures, arguments.json)


def check(
    subject: Subject, folder: Path, count: int, rng: random.Random
) -> tuple[dict[str, int], list[dict[str, Any]]]:
    """Check a sample of a subject; return how many of each step, and the stories of those that differ."""
    project = folder / "project"
    shutil.rmtree(project, ignore_errors=True)
    shutil.copytree(subject.folder, project, ignore=LEFT_OUT)
    if subject.apart:
        table = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))
        needs = [*table["project"]["dependencies"], *table["dependency-groups"]["dev"]]
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(project / ".venv")], check=True)
        python = str(project / ".venv" / "bin" / "python")
        subprocess.run([python, "-m", "pip", "install", "-q", *needs], check=True)
    subprocess.run(
        [sys.executable, "-m", "orchestrator", "run"],
        cwd=project,
        stdout=subprocess.DEVNULL,
        check=False,
    )
    found = history.read(project / "reports" / "run.json").run.mutation
    if found is None:
        raise SystemExit(f"{subject.name}: there are no mutants")
    chosen = sample([m for m in found.mutants if set(LAYERS) <= m.layers.keys()], count, rng)
    scenarios = asked(project)
    usual = [observed(project, folder / "usual"), observed(project, folder / "usual")]
    served = [ripr_served.look(project, project, scenarios) for _ in range(2)]
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        seen = pool.map(lambda k: mutated(project, folder / f"copy-{k}", chosen[k], scenarios), range(len(chosen)))
        pairs = [
            (mutant, {"unit": verdict(usual, tests), **of_served(served, app)})
            for mutant, (tests, app) in zip(chosen, seen, strict=True)
        ]
    checked: dict[str, int] = {}
    differ = []
    for mutant, steps in pairs:
        for layer, (step, detail) in steps.items():
            ours = mutant.layers[layer]
            told = ours.value if ours in (Step.REVEALED, Step.PROPAGATED) else "not seen"
            checked[f"{layer}: {told}"] = checked.get(f"{layer}: {told}", 0) + 1
            if told == step:
                continue
            differ.append(
                {
                    "subject": subject.name,
                    "mutant": mutant.id,
                    "layer": layer,
                    "ours": ours.value,
                    "plain": step,
                    "detail": detail,
                    "noticed": msgspec.to_builtins(mutant.noticed),
                    "gaps": msgspec.to_builtins(mutant.gaps),
                    "diff": mutant.diff,
                }
            )
    return checked, differ


def sample(mutants: Sequence[Mutant], count: int, rng: random.Random) -> list[Mutant]:
    """Return so many mutants, half of them survivors if there are so many."""
    survivors = [m for m in mutants if m.status is MutantStatus.SURVIVED]
    others = [m for m in mutants if m.status is not MutantStatus.SURVIVED]
    first = rng.sample(survivors, min(len(survivors), count // 2))
    return [*first, *rng.sample(others, min(len(others), count - len(first)))]


def asked(project: Path) -> list[dict[str, Any]]:
    """Return the scenarios that the run has recorded: names, layers and steps."""
    loaded = config.load(project)
    path = loaded.settings.openapi.path
    pacts, _ = pact.read_all(pact.find(loaded), loaded)
    document = None if path.startswith("/") else openapi.parse(openapi.read_file(project / path, path), path)
    recorded = scenarios_.read(loaded, pacts, document)
    return [{"name": s.name, "layer": s.layer, "steps": s.steps, "judged": s.judged} for s in recorded.scenarios]


def of_served(usual: Sequence[Served], now: Served) -> dict[str, tuple[str, str]]:
    """Return how far a mutant got by what came of the served app, and where it shows, for both layers."""
    if any(one.fault or one.failing or one.judged or one.broken for one in usual):
        raise SystemExit(f"the unchanged app is not as it should be: {usual}"[:2000])
    if now.fault:
        return dict.fromkeys(("property", "contract"), (Step.REVEALED.value, now.fault))
    found = {}
    for layer, failed in (("property", now.judged or now.failing), ("contract", now.broken)):
        names = [name for name in now.answers if name.startswith(layer)]
        place = next(filter(None, (different(*(one.answers[n] for one in (*usual, now)), n) for n in names)), "")
        if failed:
            found[layer] = (Step.REVEALED.value, failed[0])
        else:
            found[layer] = (Step.PROPAGATED.value, place) if place else ("not seen", "")
    return found


def mutated(
    project: Path, copy: Path, mutant: Mutant, scenarios: Sequence[Mapping[str, Any]]
) -> tuple[Found | None, Served]:
    """Return what the tests, and what others see in a copy with a mutant; None: the tests don't come to their end."""
    made = copy / "project"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(project, made, ignore=LEFT_OUT, symlinks=True)
    git = ["git", "apply", "-"]
    subprocess.run(git, cwd=made, input=mutant.diff + "\n", text=True, check=True)
    try:
        return observed(made, copy, environment=project), ripr_served.look(made, project, scenarios)
    finally:
        shutil.rmtree(copy, ignore_errors=True)


def observed(project: Path, folder: Path, environment: Path | None = None) -> Found | None:
    """Run a project's suite and return what each test saw; None: it did not come to its end.

    Args:
        project: The project.
        folder: Where the plugin and its answer go.
        environment: The project whose interpreter is used.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ripr_plugin.py").write_text(PLUGIN)
    answer = folder / "answer.json"
    answer.unlink(missing_ok=True)
    loaded = config.load(project)
    python = agent.interpreter(config.load(environment) if environment else loaded)
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "ripr_plugin"]
    try:
        subprocess.run(
            [*command, *suites.selection(loaded), *loaded.settings.tests.paths],
            cwd=loaded.directory,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join([str(folder), *agent.import_paths(loaded)]),
                "RIPR_ANSWER": str(answer),
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=120,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None
    found: Found | None = json.loads(answer.read_text()) if answer.exists() else None
    return found


def verdict(usual: Sequence[Found | None], seen: Found | None) -> tuple[str, str]:
    """Return how far a mutant got by what the tests saw, and where it shows."""
    first, second = usual
    if first is None or second is None:
        raise SystemExit("the unchanged suite does not come to its end")
    good = [name for name in first if first[name]["outcome"] == second.get(name, {}).get("outcome") == "passed"]
    if seen is None:
        return Step.REVEALED.value, "the suite does not come to its end"
    for name in good:
        if name not in seen or seen[name]["outcome"] != "passed":
            return Step.REVEALED.value, f"{name} fails"
    for name in good:
        if place := different(first[name]["seen"], second[name]["seen"], seen[name]["seen"], name):
            return Step.PROPAGATED.value, place
    return "not seen", ""


def different(first: Sequence[Any], second: Sequence[Any], seen: Sequence[Any], name: str) -> str:
    """Return where some exchanges differ from both usual runs; empty: nowhere."""
    before, again, now = ([flat(e) for e in run] for run in (first, second, seen))
    if len(before) == len(again) != len(now):
        return f"{name}: {len(before)} exchanges, {len(now)} now"
    for one, other, new in zip(before, again, now, strict=False):
        for place in one.keys() | new.keys():
            told = one.get(place), other.get(place), new.get(place)
            varies = told[0] != told[1]
            if type(told[0]) is not type(told[2]) or (not varies and told[0] != told[2]):
                return f"{name}: {place}: {told[0]!r}, {told[2]!r}"
    return ""


def flat(exchange: Sequence[Any]) -> Mapping[str, Any]:
    """Return an exchange's values by their paths."""
    status, headers, body = exchange
    found: dict[str, Any] = {"status": status, **{f"header {k}": v for k, v in headers.items()}}
    try:
        found.update(walked(json.loads(body), "$"))
    except (TypeError, ValueError):
        found["body"] = body
    return found


def walked(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield the scalars of a document, and the sizes of what holds them."""
    if isinstance(value, dict):
        yield f"{path} keys", sorted(value)
        for key, inside in value.items():
            yield from walked(inside, f"{path}.{key}")
    elif isinstance(value, list):
        yield f"{path} length", len(value)
        for number, inside in enumerate(value):
            yield from walked(inside, f"{path}[{number}]")
    else:
        yield path, value


if __name__ == "__main__":
    main()
