"""Write what `orchestrator init` offers: the settings, a nox session, a workflow for CI.

`plan` says what would be written and changes nothing; `write` does it.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from orchestrator import DISTRIBUTION, codec, config
from orchestrator.discovery import Findings, Question
from orchestrator.discovery.installation import TOOLS
from orchestrator.errors import Code, UsageError

WORKFLOW: Final = ".github/workflows/quality.yml"
_TABLE: Final = "tool.orchestrator"
_HEADER: Final = re.compile(r"^\s*\[\[?\s*([^\[\]]+?)\s*\]\]?\s*(#.*)?$")
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """A file that is to be written, or left alone.

    Attributes:
        path: Relative to the project.
        content: The whole file; None: it is left alone.
        added: The part that is new, for those who want to see it first.
        note: What it is for, or why it is left alone.
    """

    path: str
    content: str | None
    added: str
    note: str


def plan(root: Path, findings: Findings, given: Mapping[str, Any], *, force: bool = False) -> tuple[Planned, ...]:
    """Return the files that would be written.

    Args:
        root: The project's folder.
        findings: What was found in it.
        given: Settings that a person has answered, by dotted key.
        force: Whether settings, session and workflow of an earlier time are replaced.

    Raises:
        UsageError: there are settings already, no app was found, or an answer is wrong.
    """
    table = settings_table(findings, given)
    return (
        _settings(root, table, findings.questions, force=force),
        _session(root, table, findings, force=force),
        _workflow(root, table, findings, force=force),
    )


def write(root: Path, planned: Iterable[Planned]) -> None:
    """Write the files; each is replaced whole or not at all."""
    for file in planned:
        if file.content is not None:
            codec.write_atomically(root / file.path, file.content.encode())


# Settings


def settings_table(findings: Findings, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings: guesses, and answers over them.

    Raises:
        UsageError: two answers exclude each other: `app=1` and `app.target=…`.
    """
    table: dict[str, Any] = {}
    for key, value in [*((g.key, g.value) for g in findings.guesses), *given.items()]:
        *above, last = key.split(".")
        inner = table
        for name in above:
            inner = inner.setdefault(name, {})
            if not isinstance(inner, dict):
                raise UsageError(Code.SETTINGS_INVALID, f"--set {key}: {name} is not a table", hint="Set it once.")
        inner[last] = value
    return table


def _settings(root: Path, table: dict[str, Any], questions: Sequence[Question], *, force: bool) -> Planned:
    pyproject, own = root / "pyproject.toml", root / "orchestrator.toml"
    path = own if own.exists() or not pyproject.exists() else pyproject
    existing = path.read_bytes().decode() if path.exists() else ""
    before = tomllib.loads(existing)
    in_pyproject = path == pyproject
    has_settings = "orchestrator" in before.get("tool", {}) if in_pyproject else bool(before)
    if has_settings and not force:
        raise UsageError(
            Code.SETTINGS_EXIST,
            f"{path.name} has settings{' under [tool.orchestrator]' if in_pyproject else ''} already",
            hint="Edit them, or have them replaced with --force. `orchestrator doctor` says what does not work.",
        )
    app = table.get("app", {})
    if not app.get("target") and not app.get("url"):
        raise UsageError(
            Code.APP_NOT_FOUND,
            f"no app was found in {root}",
            hint="Name it: orchestrator init --set app.target=shop.main:app (or a factory: shop:create_app).",
        )
    config.parse(table, path)  # a wrong answer is told before anything is written
    added = render(table, questions, prefix=_TABLE if in_pyproject else "")
    kept = (without_settings(existing) if in_pyproject else "") if has_settings else existing
    newline = "\r\n" if "\r\n" in existing else "\n"
    content = kept.rstrip() + newline * 2 if kept.strip() else ""
    content += added.replace("\n", newline)
    _check_untouched(before, content, path)
    return Planned(path=path.name, content=content, added=added, note=f"[{_TABLE}]" if in_pyproject else "the settings")


def without_settings(text: str) -> str:
    """Return a `pyproject.toml` without `[tool.orchestrator]` and the tables in it."""
    kept: list[str] = []
    inside = False
    for line in text.splitlines(keepends=True):
        header = _HEADER.match(line)
        if header:
            inside = f"{header[1]}.".startswith(f"{_TABLE}.")
        if not inside:
            kept.append(line)
    return "".join(kept)


def _check_untouched(before: Mapping[str, Any], content: str, path: Path) -> None:
    """Refuse to write a `pyproject.toml` that could not be read, or whose other tables would read differently."""
    if path.name == "pyproject.toml" and not _is_untouched(before, content):
        raise UsageError(
            Code.SETTINGS_EXIST,
            f"{path.name}: [{_TABLE}] can't be put in without touching the rest",
            hint="Take the old settings out by hand; if there are none, make an empty orchestrator.toml: it is "
            "filled instead.",
        )


def _is_untouched(before: Mapping[str, Any], content: str) -> bool:
    try:
        return _others(before) == _others(tomllib.loads(content))
    except tomllib.TOMLDecodeError:
        return False


def _others(document: Mapping[str, Any]) -> dict[str, Any]:
    tools = {name: table for name, table in document.get("tool", {}).items() if name != "orchestrator"}
    return {**document, "tool": tools}


def render(table: Mapping[str, Any], questions: Sequence[Question], *, prefix: str) -> str:
    """Return settings as TOML, what is left to answer as comments in its place.

    Args:
        table: The settings.
        questions: What is left to answer.
        prefix: The table that they stand in; empty: the file is theirs.
    """
    for question in questions:  # so that each has a table to stand in
        inner = dict(table)
        table = inner
        for name in question.key.split(".")[:-1]:
            inner[name] = dict(inner.get(name, {}))
            inner = inner[name]
    opening = ["# Written by `orchestrator init`, which looked around; `orchestrator doctor` tries every setting."]
    lines = [*_rendered(table, questions, prefix, "")]
    if prefix:
        return "\n".join([lines[0], *opening, *lines[1:], ""])
    return "\n".join([*opening, *lines, ""])


def _rendered(table: Mapping[str, Any], questions: Sequence[Question], prefix: str, path: str) -> Iterator[str]:
    """Yield a table's lines: its header, its plain keys, what is left to answer, the tables in it."""
    if prefix:
        yield f"[{prefix}]"
    tables = {k: v for k, v in table.items() if isinstance(v, dict)}
    lists = {k: v for k, v in table.items() if isinstance(v, list) and v and all(isinstance(i, dict) for i in v)}
    for key, value in table.items():
        if key not in tables and key not in lists:
            yield f"{_key(key)} = {_literal(value)}"
    for question in questions:
        above, _, key = question.key.rpartition(".")
        if above == path:
            yield f"# TODO: {question.about}"
            yield f"# {_key(key)} = {_literal(question.example)}"
    for key, value in tables.items():
        yield ""
        yield from _rendered(value, questions, _join(prefix, _key(key)), _join(path, key))
    for key, items in lists.items():
        for item in items:
            yield ""
            yield f"[[{_join(prefix, _key(key))}]]"
            for name, value in item.items():
                yield f"{_key(name)} = {_literal(value)}"


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else json.dumps(key)


def _literal(value: Any) -> str:
    """Return a value as TOML; JSON's strings and numbers are TOML's too."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_key(k)} = {_literal(v)}' for k, v in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_literal, value))}]"
    return json.dumps(value, ensure_ascii=False)


# The nox session


def _session(root: Path, table: Mapping[str, Any], findings: Findings, *, force: bool) -> Planned:
    noxfile = root / "noxfile.py"
    if noxfile.exists() and "orchestrator" in noxfile.read_text("utf-8", errors="replace") and not force:
        return Planned(path=noxfile.name, content=None, added="", note="left alone: it runs the orchestrator already")
    name, note = "noxfile.py", "nox -s quality"
    if noxfile.exists() and not _is_ours(noxfile):
        name = "noxfile_quality.py"
        note = f"nox -f {name}, because noxfile.py is yours: copy the session into it if you like"
    return _own_file(root, name, _noxfile(table, findings), note, force=force)


def _noxfile(table: Mapping[str, Any], findings: Findings) -> str:
    packages = [DISTRIBUTION]
    lines = [f'    session.install("{DISTRIBUTION}")']
    if "python" not in table:  # the app is imported by the interpreter that runs the orchestrator
        packages = [DISTRIBUTION, *TOOLS]
        lines = (
            [f"    session.install({', '.join(json.dumps(a) for a in findings.install)})"] if findings.install else []
        )
        lines.append(f"    session.install({', '.join(map(json.dumps, packages))})")
    return "\n".join(
        [
            f'"""The quality of the HTTP API, in one report. {_MARK}"""',
            "",
            "import nox",
            "",
            'nox.options.sessions = ["quality"]',
            "",
            "",
            '@nox.session(venv_backend="uv", reuse_venv=True)',
            "def quality(session: nox.Session) -> None:",
            '    """Run all stages, write reports/quality.html. Takes the options of `orchestrator run`."""',
            *lines,
            '    session.run("orchestrator", "run", *session.posargs)',
            "",
        ]
    )


# The workflow


def _workflow(root: Path, table: Mapping[str, Any], findings: Findings, *, force: bool) -> Planned:
    note = "GitHub Actions: every push and pull request"
    if not (root / ".git").exists() and any((folder / ".git").exists() for folder in root.parents):
        note += "; GitHub reads it at the top of the repository only: move it there, with a working-directory"
    return _own_file(root, WORKFLOW, _workflow_text(table, findings), note, force=force)


def _workflow_text(table: Mapping[str, Any], findings: Findings) -> str:
    python = str(table.get("python", ".venv/bin/python"))
    environment = python.removesuffix("/bin/python")
    install = f"uv pip install --python {environment}"
    lines = [f"{install} {' '.join(map(_shell, findings.install))}"] if findings.install else []
    lines.append(f"{install} {' '.join(map(_shell, TOOLS))}")
    run = f"uvx --from {DISTRIBUTION} orchestrator run"
    if "python" not in table:
        lines.append(f"{install} {DISTRIBUTION}")
        run = f"{environment}/bin/orchestrator run"
    secrets = [name for name in findings.secrets if name not in table.get("app", {}).get("environment", {})]
    reports = str(table.get("reports", "reports"))
    return "\n".join(
        [
            f"# {_MARK}",
            "name: quality",
            "on:",
            "  push:",
            "    branches: [main, master]",
            "  pull_request:",
            "permissions:",
            "  contents: read",
            "jobs:",
            "  quality:",
            "    runs-on: ubuntu-latest",
            "    steps:",
            "      - uses: actions/checkout@v4",
            "      - uses: astral-sh/setup-uv@v6",
            "      - name: Install the app and its tests",
            "        run: |",
            f"          uv venv {environment}",
            *(f"          {line}" for line in lines),
            "      - name: Take the runs before this one, to compare with and for the history",
            "        uses: actions/cache@v4",
            "        with:",
            "          path: |",
            f"            {reports}/history.jsonl",
            f"            {reports}/run.json",
            "          key: quality-${{ github.ref_name }}-${{ github.run_id }}",
            "          restore-keys: |",
            "            quality-${{ github.ref_name }}-",
            "            quality-",
            "      - name: Run all stages",
            f"        run: {run}",
            *(["        env:"] if secrets else []),
            *(f"          {name}: ${{{{ secrets.{name} }}}}" for name in secrets),
            "      - name: Show the summary",
            "        if: always()",
            f'        run: cat {reports}/summary.md >> "$GITHUB_STEP_SUMMARY"',
            "      - uses: actions/upload-artifact@v4",
            "        if: always()",
            "        with:",
            "          name: quality",
            f"          path: {reports}",
            "",
        ]
    )


def _shell(requirement: str) -> str:
    return f'"{requirement}"' if re.search(r"[~<>=!\[ ]", requirement) else requirement


# Files that are ours as a whole

_MARK: Final = "Written by `orchestrator init`."


def _is_ours(path: Path) -> bool:
    return _MARK in path.read_text("utf-8", errors="replace")


def _own_file(root: Path, name: str, content: str, note: str, *, force: bool) -> Planned:
    """Plan a file that is written when there is none; with `force`, also over one that `init` wrote."""
    path = root / name
    if path.exists() and not (force and _is_ours(path)):
        return Planned(path=name, content=None, added="", note="left alone: it exists already")
    return Planned(path=name, content=content, added=content, note=note)
