"""Mutation testing, side by side with `mutmut run` on the same work: how fast, and who is right where they differ.

    python benchmarks/mutation.py SUBJECT [--json FILE] [--folder DIR] [--skip-mutmut] [--peers] [--lower-bound]
                                  [--functions 9]

SUBJECT is `itsdangerous`, `tenacity` (whose tests are slow) or `flaskr` (the application of Flask's tutorial), each
from its source distribution, `backend` (this repository's service), `scaling-100`, `scaling-1000`, `scaling-10000` (so
many generated tests around the same ten functions, of which ten reach each), `synthetic-10000` (so many mutants), or
`handlers` (six handlers of Flask and FastAPI). `--peers` runs other tools too, those of `peers.py`. Every subject and
every tool has an environment of its own; the environments are made once in DIR and used again. The orchestrator is the
one that runs this program.

`seconds` is the whole command: ours with the run of the suite that comes first, and without the self-check, whose time
is stated apart; mutmut's with its own. `rate` is mutants judged a second of that; `judging_rate` that of the judging
alone, as mutmut itself prints it, without the tests before it and what is made ready. Each difference of verdicts is
decided by plain pytest with the whole suite on changed source. `one_change_seconds` is the median over some functions,
chosen by chance: a harmless line is put into one of them, and the next run is measured. `memory_mib` is the
proportional set size of all processes together, whose greatest is given for each quarter of the cold run.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import psutil

from orchestrator import config, history
from orchestrator.adapters import pytest as suites
from orchestrator.adapters import session
from orchestrator.adapters.session import Job
from orchestrator.model.mutation import Mutant, MutantStatus, Mutation
from orchestrator.mutation import candidates, critical, fresh, reach, store

import peers  # isort: skip - the file beside this one

ROOT = Path(__file__).parents[1]
PATHS = '[tool.pytest.ini_options]\npythonpath = ["."]\n'
MUTMUT = ("-c", "import sys; from mutmut.__main__ import cli; sys.argv[0] = 'mutmut'; cli()")


class Subject(msgspec.Struct, frozen=True):
    """What is mutated.

    Attributes:
        make: Writes the project into a folder.
        needs: What its environment has beside pytest.
        source: Its source folder.
        critical: What is mutated.
        tests: The folder of its tests.
    """

    make: Callable[[Path], None]
    needs: tuple[str, ...]
    source: str
    critical: str
    tests: str = "tests"


def main() -> None:
    """Measure, print, and write the figures if asked."""
    parser = options(__doc__)
    parser.add_argument("--skip-mutmut", action="store_true", help="only ours")
    parser.add_argument("--peers", action="store_true", help="other tools too")
    parser.add_argument("--lower-bound", action="store_true", help="run all tests under all mutants, which takes long")
    parser.add_argument("--functions", type=int, default=9, metavar="N", help="how many functions are changed in turn")
    arguments = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # nobody's tools are measured while they compile themselves
    subject = SUBJECTS[arguments.subject]
    ours = prepared(arguments.folder / arguments.subject / "orchestrator", subject, ())
    figures: dict[str, Any] = {"subject": arguments.subject, "tools": {}}
    mutants = run_ours(ours, subject, arguments.functions, figures)
    if not arguments.skip_mutmut:
        theirs = prepared(arguments.folder / arguments.subject / "mutmut", subject, ("mutmut~=3.8",))
        words = run_mutmut(theirs, subject, figures)
        figures["differences"] = differences(ours, mutants, words)
    for name in peers.TOOLS if arguments.peers else ():
        project = prepared(arguments.folder / arguments.subject / name, subject, peers.TOOLS[name].needs)
        figures["tools"][name] = peers.run(name, project, subject.source, subject.critical, subject.tests)
    if arguments.lower_bound:
        figures["lower_bound_seconds"] = lower_bound(ours)
    tell(figures, arguments.json)


def options(description: str | None) -> argparse.ArgumentParser:
    """Return a parser of what every program that takes a subject is asked for."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("subject", choices=SUBJECTS, metavar="SUBJECT")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "orchestrator-benchmarks")
    return parser


def tell(figures: dict[str, Any], file: Path | None) -> None:
    """Print the figures, and write them where they were asked for."""
    told = json.dumps(figures, indent=1)
    print(told)
    if file:
        file.write_text(told + "\n", "utf-8")


def prepared(folder: Path, subject: Subject, more: Sequence[str]) -> Path:
    """Return a fresh copy of the project beside its environment, which is kept."""
    project = folder / "project"
    shutil.rmtree(project, ignore_errors=True)
    project.mkdir(parents=True)
    subject.make(project)
    environment = folder / "venv"
    if not (environment / "done").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(environment)], check=True)
        python = str(environment / "bin" / "python")
        subprocess.run([python, "-m", "pip", "install", "-q", "pytest", *subject.needs, *more], check=True)
        if (project / "pyproject.toml").exists() and "[build-system]" in (project / "pyproject.toml").read_text():
            subprocess.run([python, "-m", "pip", "install", "-q", "--no-deps", "-e", str(project)], check=True)
        (environment / "done").touch()
    return project


def run_ours(project: Path, subject: Subject, functions: int, figures: dict[str, Any]) -> tuple[Mutant, ...]:
    """Run cold, with nothing changed, and after a change of each of some functions; return the cold run's mutants."""
    write_settings(project, subject)
    with memory_of_children() as seen:
        seconds, cold = measured(project)
    mutants = cold.mutants
    counts = peers.counted([m.status.value for m in mutants], seconds)
    quarters = [seen[k * len(seen) // 4 : (k + 1) * len(seen) // 4] for k in range(4)]
    judging = cold.seconds["judging"] + cold.seconds["import-time"]
    figures["tools"]["orchestrator"] = counts | {
        "judging_rate": round((counts["mutants"] - counts["not_reached"]) / judging, 2),
        "stages": cold.seconds,
        "memory_mib": [max(quarter, default=0) >> 20 for quarter in quarters],
        "journal_kib": (project / config.STATE_DIRECTORY / "mutation" / store.JOURNAL).stat().st_size >> 10,
    }
    kinds = [m.kind.value for m in mutants if m.status.is_detected or m.status.is_undetected]
    figures["kinds"] = {kind: kinds.count(kind) for kind in sorted(set(kinds))}
    figures["unchanged_seconds"], again = measured(project)
    pairs = zip(again.mutants, mutants, strict=True)
    figures["unchanged_verdicts_differ"] = sum(a.status is not b.status for a, b in pairs)
    changes = one_change_each(project, subject, functions)
    figures["one_change"] = changes
    figures["one_change_seconds"] = round(statistics.median(c["seconds"] for c in changes), 2) if changes else None
    return mutants


def one_change_each(project: Path, subject: Subject, count: int) -> list[dict[str, Any]]:
    """Put a harmless line into one function after the other; return what the run after each took."""
    functions = [
        (path, node.name, node.body[ast.get_docstring(node) is not None])
        for path in sorted(project.glob(subject.critical))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if not isinstance(node.body[0], ast.Expr) or len(node.body) > 1  # others do nothing
    ]
    chosen = random.Random(0).sample(functions, min(count, len(functions)))  # noqa: S311 - no secret
    found = []
    for path, name, first in chosen:
        content = path.read_text("utf-8")
        lines = content.split("\n")
        lines.insert(first.lineno - 1, f"{' ' * first.col_offset}_nothing = 0")
        path.write_text("\n".join(lines), "utf-8")
        seconds, after = measured(project)
        where = f"{path.relative_to(project).as_posix()}:{name}"
        found.append({"function": where, "seconds": seconds, "used_again": after.reused, "stages": after.seconds})
        path.write_text(content, "utf-8")
        measured(project)  # what is known is again of the source as it was
    return found


@contextlib.contextmanager
def memory_of_children() -> Iterator[list[int]]:
    """Note twice a second how many bytes (proportional set size) all processes below this one have together."""
    seen: list[int] = []
    done = threading.Event()

    def look() -> None:
        while not done.wait(0.5):
            seen.append(sum(map(_proportional, psutil.Process().children(recursive=True))))

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield seen
    finally:
        done.set()
        looking.join()


def _proportional(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except psutil.Error:  # it has ended
        return 0


def write_settings(project: Path, subject: Subject) -> None:
    """Write the orchestrator's settings: no coverage, no self-check, and time for all mutants."""
    (project / "orchestrator.toml").write_text(
        f'python = "../venv/bin/python"\nsource = ["{subject.source}"]\n[app]\ntarget = "nothing:served"\n'
        f'[tests]\npaths = ["{subject.tests}"]\ncoverage = false\n'
        f'[mutation]\ncritical = ["{subject.critical}"]\nself-check = 0\nimport-time-budget = 3600\n'
    )


def measured(project: Path) -> tuple[float, Mutation]:
    """Run the mutation stage and what it needs; return the seconds of all, and what it found."""
    clock = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "orchestrator", "run", "--stage", "mutation"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.monotonic() - clock
    mutation = history.read(project / "reports" / "run.json").run.mutation
    if mutation is None:
        raise SystemExit(done.stdout + done.stderr)
    return round(seconds, 2), mutation


def run_mutmut(project: Path, subject: Subject, figures: dict[str, Any]) -> dict[str, str]:
    """Run mutmut as its users do; return its word for each mutant."""
    settings = project / "pyproject.toml"
    text = settings.read_text("utf-8") if settings.exists() else ""
    settings.write_text(
        f'{text}\n[tool.mutmut]\nsource_paths = ["{subject.source.partition("/")[0]}"]\n'
        f'only_mutate = ["{subject.critical}"]\n',
        "utf-8",
    )
    python = project.parent / "venv" / "bin" / "python"
    clock = time.monotonic()
    workers = str(os.cpu_count() or 1)
    done = subprocess.run(
        [str(python), *MUTMUT, "run", "--max-children", workers],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = round(time.monotonic() - clock, 2)
    listed = subprocess.run(
        [str(python), *MUTMUT, "results", "--all", "true"], cwd=project, capture_output=True, text=True, check=False
    )
    words = dict(line.strip().rsplit(": ", 1) for line in listed.stdout.splitlines() if "__mutmut_" in line)
    figures["tools"]["mutmut"] = peers.counted(list(words.values()), seconds)
    if told := re.search(r"([\d.]+) mutations/second", done.stdout):
        figures["tools"]["mutmut"]["judging_rate"] = float(told[1])
    if not words:
        figures["tools"]["mutmut"]["said"] = (done.stdout + done.stderr)[-300:]
    return words


def differences(project: Path, mutants: Sequence[Mutant], words: dict[str, str]) -> dict[str, Any]:
    """Return the mutants that both judged and on which they differ, with what plain pytest says."""
    judged = [m for m in mutants if m.id in words and (m.status.is_detected or m.status.is_undetected)]
    differ = [m for m in judged if m.status.is_detected != (words[m.id] in peers.KILLED)]
    found = []
    if differ:
        loaded = config.load(project)
        known, _ = candidates.find(loaded, critical.select(loaded, None), workers=1)
        judge = fresh.FreshJudge(loaded, suites.installed(loaded), workers=1, deselected=())
        judge.plain(differ[0].path)
        for mutant in differ:
            plain = judge.judge(next(c for c in known if c.mutant.id == mutant.id))
            right = "orchestrator" if plain.status.is_detected == mutant.status.is_detected else "mutmut"
            found.append({"mutant": mutant.id, "ours": mutant.status.value, "mutmut": words[mutant.id], "right": right})
        judge.close()
    return {"compared": len(judged), "differ": found}


def lower_bound(project: Path) -> float:
    """Return what no engine that forks can be quicker than: a fork and the quickest killer, or all that reach."""
    loaded = config.load(project)
    known, _ = candidates.find(loaded, critical.select(loaded, None), workers=os.cpu_count() or 1)
    total = 0.0
    with session.running(loaded, suites.installed(loaded), workers=os.cpu_count() or 1) as running:
        items = reach.record(running, reach.Reach(items={}), lambda *_: None).items
        names = running.ready.ready
        at_import = reach.masks(running.traced.lines)
        jobs = {}
        for candidate in known:
            path, mask = candidate.change.path, candidate.reach
            is_warm = not candidate.at_import and not at_import.get(path, 0) & mask
            numbers = tuple(k for k, n in enumerate(names) if items[n].lines.get(path, 0) & mask)
            if is_warm and numbers and candidate.mutant.status is MutantStatus.NOT_RUN:
                jobs[running.submit(Job(items=numbers, limits=(60.0,), change=candidate.change, stop=False))] = (
                    candidate
                )
        empty = running.submit(Job(items=(), limits=(60.0,)))
        while jobs or empty:
            for ended in running.wait():
                if ended.job == empty:
                    total += ended.cpu * (len(known) + 1)
                    empty = 0
                elif jobs.pop(ended.job, None):
                    killers = [said.seconds for said in ended.items if said.outcome == "failed"]
                    total += min(killers) if killers else sum(said.seconds for said in ended.items)
    return round(total / (os.cpu_count() or 1), 2)


def source_distribution(requirement: str, inside: str = ".") -> Callable[[Path], None]:
    """Return what unpacks a source distribution of the package index, or a folder of it."""

    def make(project: Path) -> None:
        with tempfile.TemporaryDirectory() as folder:
            fetch = ["download", "-q", "--no-deps", "--no-binary", ":all:", "-d", folder, requirement]
            subprocess.run([sys.executable, "-m", "pip", *fetch], check=True)
            (archive,) = Path(folder).glob("*.tar.gz")
            shutil.unpack_archive(archive, folder)
            (unpacked,) = (p for p in Path(folder).iterdir() if p.is_dir())
            shutil.copytree(unpacked / inside, project, dirs_exist_ok=True)

    return make


def backend(project: Path) -> None:
    """Copy this repository's service and its tests."""
    for name in ("backend", "openapi", "tests/backend"):
        shutil.copytree(ROOT / name, project / name, ignore=shutil.ignore_patterns("__pycache__"))
    (project / "tests" / "__init__.py").touch()
    (project / "pyproject.toml").write_text('[tool.pytest.ini_options]\nfilterwarnings = ["error"]\n')


def arithmetic(name: str, last: int, shift: int = 0) -> tuple[str, Callable[[int, int], int]]:
    """Return the text of a function with a line for each number from 2 to before `last`, and the function."""
    lines = [f"def {name}(a, b):", "    total = a + b"]
    lines += [f"    total = total * {k} + a - {k + shift}" for k in range(2, last)]
    text = "\n".join([*lines, "    return total"])
    values: dict[str, Any] = {}
    exec(text, values)  # noqa: S102 - to know what the function gives
    return text, values[name]


def scaling(tests: int) -> Callable[[Path], None]:
    """Return what writes ten functions, ten tests that reach each of them, and more that reach nothing."""

    def make(project: Path) -> None:
        functions = [arithmetic(f"f{k}", 14) for k in range(10)]
        (project / "work").mkdir()
        (project / "work" / "__init__.py").touch()
        (project / "work" / "ten.py").write_text("\n\n\n".join(text for text, _ in functions) + "\n")
        (project / "tests").mkdir()
        per_file = 50
        for start in range(0, tests, per_file):
            numbers = range(start, min(tests, start + per_file))
            body = ["from work import ten\n"]
            for number in numbers:
                if number < 100:
                    k, a = number % 10, number // 10
                    check = f"ten.f{k}({a}, {a + 1}) == {functions[k][1](a, a + 1)}"
                else:
                    check = f"{number} + 1 == {number + 1}"
                body.append(f"\ndef test_{number}():\n    assert {check}\n")
            (project / "tests" / f"test_{start:05}.py").write_text("\n".join(body))
        (project / "pyproject.toml").write_text(PATHS)

    return make


HANDLERS = """
from fastapi import FastAPI, HTTPException
from flask import Flask, jsonify, request

flask_app = Flask(__name__)
fast_app = FastAPI()
ITEMS = {1: {"name": "tea", "price": 250}, 2: {"name": "milk", "price": 120}}


@flask_app.get("/items")
def flask_items():
    least = int(request.args.get("least", 0))
    return jsonify([item["name"] for item in ITEMS.values() if item["price"] >= least])


@flask_app.get("/items/<int:number>")
def flask_item(number):
    item = ITEMS.get(number)
    if item is None:
        return jsonify(error="no such item"), 404
    return jsonify(item)


@flask_app.post("/total")
def flask_total():
    body = request.get_json()
    count = body.get("count", 1)
    if count < 1 or count > 99:
        return jsonify(error="count"), 400
    return jsonify(total=ITEMS[body["item"]]["price"] * count), 201


@fast_app.get("/items")
def fast_items(least: int = 0):
    return [item["name"] for item in ITEMS.values() if item["price"] >= least]


@fast_app.get("/items/{number}")
async def fast_item(number: int):
    if number not in ITEMS:
        raise HTTPException(status_code=404, detail="no such item")
    return ITEMS[number]


@fast_app.post("/total", status_code=201)
async def fast_total(body: dict):
    count = body.get("count", 1)
    if count < 1 or count > 99:
        raise HTTPException(status_code=400, detail="count")
    return {"total": ITEMS[body["item"]]["price"] * count}
"""
HANDLER_TESTS = """
import pytest
from fastapi.testclient import TestClient
from shop.app import fast_app, flask_app


@pytest.fixture(params=["flask", "fastapi"])
def client(request):
    return flask_app.test_client() if request.param == "flask" else TestClient(fast_app)


def body(response):
    return response.get_json() if hasattr(response, "get_json") else response.json()


def test_items(client):
    assert body(client.get("/items")) == ["tea", "milk"]
    assert body(client.get("/items?least=250")) == ["tea"]


def test_an_item(client):
    assert body(client.get("/items/2")) == {"name": "milk", "price": 120}


def test_no_item(client):
    assert client.get("/items/3").status_code == 404


def test_a_total(client):
    response = client.post("/total", json={"item": 1, "count": 2})
    assert (response.status_code, body(response)) == (201, {"total": 500})
    assert client.post("/total", json={"item": 1, "count": 0}).status_code == 400
"""


def handlers(project: Path) -> None:
    """Write an app of six handlers, with eight tests."""
    (project / "shop").mkdir()
    (project / "shop" / "__init__.py").touch()
    (project / "shop" / "app.py").write_text(textwrap.dedent(HANDLERS).lstrip())
    (project / "tests").mkdir()
    (project / "tests" / "test_app.py").write_text(textwrap.dedent(HANDLER_TESTS).lstrip())
    (project / "pyproject.toml").write_text(PATHS)


def synthetic(project: Path) -> None:
    """Write a hundred functions with a test each, which have more than ten thousand mutants together."""
    (project / "work").mkdir()
    (project / "work" / "__init__.py").touch()
    (project / "tests").mkdir()
    for number in range(100):
        text, function = arithmetic("f", 20, shift=number)
        (project / "work" / f"m{number:02}.py").write_text(text + "\n")
        (project / "tests" / f"test_{number:02}.py").write_text(
            f"from work.m{number:02} import f\n\n\ndef test_f():\n    assert f(2, 3) == {function(2, 3)}\n"
        )
    (project / "pyproject.toml").write_text(PATHS)


SUBJECTS = {
    "itsdangerous": Subject(
        source_distribution("itsdangerous==2.2.0"),
        ("freezegun",),
        "src/itsdangerous",
        "src/itsdangerous/*.py",
    ),
    "backend": Subject(
        backend,
        ("flask>=3.1", "sqlalchemy>=2.0.40", "pyyaml"),
        "backend",
        "backend/app/services/*.py",
    ),
    "tenacity": Subject(
        source_distribution("tenacity==9.1.2"),
        ("typeguard", "tornado"),
        "tenacity",
        "tenacity/*.py",
    ),
    "flaskr": Subject(
        source_distribution("flask==3.1.2", "examples/tutorial"),
        ("flask==3.1.2",),
        "flaskr",
        "flaskr/*.py",
    ),
    "synthetic-10000": Subject(synthetic, (), "work", "work/*.py"),
    "handlers": Subject(handlers, ("flask", "fastapi", "httpx"), "shop", "shop/*.py"),
    **{f"scaling-{n}": Subject(scaling(n), (), "work", "work/*.py") for n in (100, 1_000, 10_000)},
}

if __name__ == "__main__":
    main()
