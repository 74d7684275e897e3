"""Random changes of a project, one after the other: are the verdicts after each those of a run that knows nothing?

    python benchmarks/changes.py SUBJECT [--count 100] [--seed 0] [--critical GLOB] [--json FILE] [--folder DIR]

Takes a subject of `mutation.py`. Each change is of one line of the source, the tests, their fixtures, or of a data file
or template that tests may read; every third one takes the change before it back. After each, the orchestrator runs with
what it knows from the runs before, and in a copy of the project that has never been analysed.
"""

from __future__ import annotations

import ast
import json
import random
import re
import shutil
import statistics
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec

import mutation  # isort: skip - the file beside this one

SUFFIXES = {".py", ".sql", ".html", ".txt", ".json", ".css", ".yaml"}


def main() -> None:
    """Change, compare, print, and write the figures if asked."""
    parser = mutation.options(__doc__)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--critical", metavar="GLOB", help="mutate less of it")
    arguments = parser.parse_args()
    subject = mutation.SUBJECTS[arguments.subject]
    subject = msgspec.structs.replace(subject, critical=arguments.critical or subject.critical)
    warm = mutation.prepared(arguments.folder / arguments.subject / "orchestrator", subject, ())
    mutation.write_settings(warm, subject)
    cold = warm.parent / "cold"
    mutation.measured(warm)
    rng = random.Random(arguments.seed)  # noqa: S311 - no secret
    files = [
        file
        for folder in (subject.source, subject.tests)
        for file in sorted((warm / folder).rglob("*"))
        if file.suffix in SUFFIXES and "__pycache__" not in file.parts
    ]
    told: list[dict[str, Any]] = []
    before: tuple[Path, str] | None = None
    while len(told) < arguments.count:
        if before and len(told) % 3 == 2:
            file, content = before
            what, before = "taken back", None
        else:
            file = rng.choice(files)
            old = file.read_text("utf-8")
            content, what = changed(old, file.suffix == ".py", rng)
            if not what:
                continue
            before = (file, old)
        kept = file.read_text("utf-8")
        file.write_text(content, "utf-8")
        found = compared(warm, cold)
        if not found:  # the tests can't be collected any more, or none passes: both runs say so
            file.write_text(kept, "utf-8")
            before = None
            continue
        told.append({"file": file.relative_to(warm).as_posix(), "change": what, **found})
        print(json.dumps(told[-1]), file=sys.stderr)
    figures = {
        "subject": arguments.subject,
        "changes": len(told),
        "by_suffix": {s: sum(t["file"].endswith(s) for t in told) for s in sorted(SUFFIXES)},
        "of_tests": sum(t["file"].startswith(subject.tests) for t in told),
        "verdicts": sum(t["verdicts"] for t in told),
        "used_again_percent": round(100 * statistics.mean(t["used_again"] / t["verdicts"] for t in told), 1),
        "differ": [t for t in told if t["differ"]],
    }
    mutation.tell(figures, arguments.json)


def compared(warm: Path, cold: Path) -> dict[str, Any] | None:
    """Run in the project and in a new copy of it; return what differs. None: neither can be run."""
    shutil.rmtree(cold, ignore_errors=True)
    left_out = shutil.ignore_patterns("__pycache__", ".orchestrator", "reports", ".pytest_cache")
    shutil.copytree(warm, cold, ignore=left_out)
    with ThreadPoolExecutor(2) as pool:
        (ours, reused), (theirs, _) = pool.map(_verdicts, (warm, cold))
    if not ours and not theirs:
        return None
    names = sorted(ours.keys() | theirs.keys())
    return {
        "verdicts": len(theirs),
        "used_again": reused,
        "differ": [[name, ours.get(name), theirs.get(name)] for name in names if ours.get(name) != theirs.get(name)],
    }


def _verdicts(project: Path) -> tuple[dict[str, str], int]:
    """Return each mutant's verdict with how far its damage got, and how many were used again."""
    shutil.rmtree(project / "reports", ignore_errors=True)
    try:
        _, found = mutation.measured(project)
    except SystemExit:
        return {}, 0
    return {m.id: " ".join([m.status, *m.layers.values()]) for m in found.mutants}, found.reused


def changed(text: str, is_python: bool, rng: random.Random) -> tuple[str, str]:
    """Change one line; return the new text and what was done, which is empty if nothing came of it."""
    lines = text.split("\n")
    number = rng.randrange(len(lines))
    line = lines[number]
    for change in rng.sample(CHANGES, len(CHANGES)):
        new = change(line, rng)
        if new is None:
            continue
        content = "\n".join([*lines[:number], *new, *lines[number + 1 :]])
        if content != text and (not is_python or _parses(content)):
            return content, f"{line.strip()} → {' / '.join(part.strip() for part in new)}"
    return text, ""


def _number(line: str, rng: random.Random) -> Sequence[str] | None:
    found = list(re.finditer(r"\b\d+\b", line))
    if not found:
        return None
    one = rng.choice(found)
    return [line[: one.start()] + str(int(one[0]) + 1) + line[one.end() :]]


def _operator(line: str, rng: random.Random) -> Sequence[str] | None:
    pairs = [(" == ", " != "), (" + ", " - "), (" < ", " <= "), (" and ", " or "), (" is None", " is not None")]
    able = [(old, new) for old, new in pairs if old in line]
    old, new = rng.choice(able) if able else ("", "")
    return [line.replace(old, new, 1)] if old else None


def _word(line: str, rng: random.Random) -> Sequence[str] | None:
    found = list(re.finditer(r"(?<=[\"'> ])[A-Za-z]{3,}(?=[\"'<. ])", line))
    if not found:
        return None
    one = rng.choice(found)
    return [f"{line[: one.end()]}x{line[one.end() :]}"]


def _gone(line: str, _rng: random.Random) -> Sequence[str] | None:
    return [] if line.strip() else None


def _twice(line: str, _rng: random.Random) -> Sequence[str] | None:
    return [line, line] if line.strip() else None


def _more(line: str, _rng: random.Random) -> Sequence[str] | None:
    return [f"{line[: len(line) - len(line.lstrip())]}_more = 1", line] if line.strip() else None


CHANGES = [_number, _operator, _word, _gone, _twice, _more]


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


if __name__ == "__main__":
    main()
