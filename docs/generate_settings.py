"""Write what the documentation takes from the code: settings, the schema of `run.json`, the rules about changes.

Run `python docs/generate_settings.py` after a change of `orchestrator/config.py`, of `orchestrator/model/` or of
`orchestrator/contracts/evolution/rules.py`; a test says when it is needed.
"""

from __future__ import annotations

import inspect as python_inspect
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import inspect

from orchestrator.config import Settings
from orchestrator.contracts.evolution.rules import OTHER_LEVELS, REFUSED, RULES
from orchestrator.model.run import SCHEMA_VERSION, Report

FOLDER: Final = Path(__file__).parent

_OPENING: Final = """\
# Settings

<!-- Written by docs/generate_settings.py from orchestrator/config.py: change them there. -->

The settings are under `[tool.orchestrator]` in the project's `pyproject.toml`. In an `orchestrator.toml` of their own \
the tables have no such prefix: `[app]`, `[tests]`. The file is looked for in the current folder, then in those above \
it; `--config` names another.

Of all the keys, one is needed: [`app.target`](#apptarget) or [`app.url`](#appurl). A key that is not known is \
refused, with a suggestion. Paths are relative to the folder of the settings file.

On the command line, `--seed`, `--baseline` and `--fail-under` go before `seed`, `baseline` and `gates.mutation-score`.

A small project:

```toml
[tool.orchestrator]
python = ".venv/bin/python"
app.target = "shop.main:app"
openapi.path = "openapi.yaml"
contracts.states = "tests.quality:provider_states"
mutation.critical = ["shop/prices.py", "POST /orders"]
```
"""


def settings() -> str:
    """Return `settings.md`: each table of the settings, each key of it."""
    lines = [_OPENING, *_table(inspect.type_info(Settings), ())]
    return "\n".join(lines).rstrip() + "\n"


def schema() -> str:
    """Return the JSON Schema of `run.json`."""
    made = msgspec.json.schema(Report)
    about = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"run.json of quality-orchestrator, schema {SCHEMA_VERSION}",
    }
    return json.dumps(about | _without_indents(made), indent=1, ensure_ascii=False) + "\n"


def _without_indents(value: Any) -> Any:
    """Return a schema whose descriptions, which are docstrings, are not indented."""
    if isinstance(value, dict):
        return {k: _description(v) if k == "description" else _without_indents(v) for k, v in value.items()}
    return [_without_indents(v) for v in value] if isinstance(value, list) else value


def _description(value: Any) -> Any:
    return python_inspect.cleandoc(value) if isinstance(value, str) else _without_indents(value)


def _table(kind: Any, path: tuple[str, ...], *, in_list: bool = False) -> Iterator[str]:
    """Yield a table's heading and its keys, then the tables in it."""
    header = ".".join(("tool.orchestrator", *path))
    yield f"## {f'[[{header}]]' if in_list else f'[{header}]'}\n"
    yield f"{python_inspect.getdoc(kind.cls)}\n"
    if in_list:
        yield "A list: repeat the heading for each.\n"
    tables = []
    for field in kind.fields:
        inner, is_list = _inner_table(_bare(field.type))
        if inner is None:
            yield from _key(field, path)
        else:
            tables.append((inner, (*path, field.encode_name), is_list))
    for inner, inner_path, is_list in tables:
        yield from _table(inner, inner_path, in_list=is_list)


def _key(field: Any, path: tuple[str, ...]) -> Iterator[str]:
    about = field.type.extra_json_schema or {}
    yield f"### {'.'.join((*path, field.encode_name))}\n"
    yield f"{_words(field.type)} · {_default(field)}\n"
    yield f"{about['description']}\n"
    if about.get("examples"):
        examples = "\n# or\n".join(f"{field.encode_name} = {_toml(example)}" for example in about["examples"])
        yield f"```toml\n{examples}\n```\n"


def _bare(kind: Any) -> Any:
    return kind.type if isinstance(kind, inspect.Metadata) else kind


def _inner_table(kind: Any) -> tuple[inspect.StructType | None, bool]:
    """Return the table that a key holds, and whether it holds a list of them; None: it is a plain value."""
    if isinstance(kind, inspect.StructType):
        return kind, False
    if isinstance(kind, inspect.VarTupleType) and isinstance(_bare(kind.item_type), inspect.StructType):
        return _bare(kind.item_type), True
    return None, False


def _words(kind: Any) -> str:
    """Return what a key takes, in words."""
    kind = _bare(kind)
    return next(words(kind) for of, words in _WORDS.items() if isinstance(kind, of))


def _union(kind: Any) -> str:
    return ", or ".join(_words(k) for k in kind.types if not isinstance(_bare(k), inspect.NoneType))


def _literal(kind: Any) -> str:
    shown = [f"`{str(v).lower() if isinstance(v, bool) else v}`" for v in sorted(kind.values, key=str)]
    return " or ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def _mapping(kind: Any) -> str:
    return "table of text" if isinstance(_bare(kind.value_type), inspect.StrType) else "table"


def _range(kind: Any) -> str:
    if kind.ge is not None and kind.le is not None:
        return f" from {kind.ge:g} to {kind.le:g}"
    if kind.ge is not None:
        return f", {kind.ge:g} or more"
    return f" above {kind.gt:g}" if kind.gt is not None else ""


_WORDS: Final[dict[type, Callable[[Any], str]]] = {
    inspect.UnionType: _union,
    inspect.VarTupleType: lambda kind: f"list of {_words(kind.item_type)}",
    inspect.DictType: _mapping,
    inspect.LiteralType: _literal,
    inspect.BoolType: lambda _: "`true` or `false`",
    inspect.IntType: lambda kind: f"whole number{_range(kind)}",
    inspect.FloatType: lambda kind: f"number{_range(kind)}",
    inspect.StrType: lambda _: "text",
    inspect.DateType: lambda _: "date",
}


def _default(field: Any) -> str:
    if field.required:
        return "needed"
    default = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    if default in (None, ""):
        return "not set by default"
    if default in ((), {}):
        return "empty by default"
    return f"default `{_toml(default)}`"


def _toml(value: Any) -> str:
    """Return a value as TOML; JSON's text, numbers and truth values are TOML's too."""
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key} = {_toml(inner)}' for key, inner in value.items())} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, float):
        return f"{value:g}"
    return json.dumps(value, ensure_ascii=False)


_CHANGES: Final = """\
# Breaking changes

<!-- Written by docs/generate_settings.py from orchestrator/contracts/evolution/rules.py: change them there. -->

The OpenAPI document is compared with the one of the last release. These are the rules: {told} of the {all} that \
[oasdiff](https://github.com/oasdiff/oasdiff) has, by the names that it gives them, {own} of ours that fill gaps \
between them, and {refused} of oasdiff's that are refused, with the reason.

- `error`: it breaks consumers that did nothing wrong.
- `warning`: it may break them; the document alone can't tell.
- `info`: it breaks nobody.

What is the same in other words is no change: a schema that is referred to or written out, the parts of an `allOf` or \
what they say together, `nullable: true` or `type: [string, "null"]` or a `oneOf` with `null`, another name \
of a path's parameter, another order of anything. What a request may hold is told apart from what a response may hold: \
more is harmless in the one and breaks consumers in the other. Not compared: what is under `not` and `if`, the \
contents of webhooks and callbacks, servers, references to other files.
"""


def breaking_changes() -> str:
    """Return `breaking-changes.md`: each rule about changes of the document, and those that are refused."""
    theirs = [rule for rule in RULES.values() if rule.theirs]
    counts = {"told": len(theirs), "own": len(RULES) - len(theirs), "refused": len(REFUSED)}
    lines = [_CHANGES.format(**counts, all=len(theirs) + len(REFUSED))]
    lines += ["## Rules\n", "| rule | our level | oasdiff's | says |", "|---|---|---|---|"]
    for rule in sorted(RULES.values(), key=lambda rule: rule.id):
        _, why = OTHER_LEVELS.get(rule.id, ("", ""))
        says = f"{rule.subject[0].upper()}{rule.subject[1:]} {rule.says}{f' ({why})' if why else ''}."
        lines.append(f"| `{rule.id}` | {rule.level} | {rule.theirs or 'none'} | {says} |")
    lines += ["\n## Refused\n", "| rule | oasdiff's level | why |", "|---|---|---|"]
    lines += [f"| `{rule.id}` | {rule.theirs} | {rule.why} |" for rule in sorted(REFUSED.values(), key=lambda r: r.id)]
    return "\n".join(lines) + "\n"


# File name → what makes it.
FILES: Final = {"settings.md": settings, "run.schema.json": schema, "breaking-changes.md": breaking_changes}


def main() -> None:
    """Write the files."""
    for name, make in FILES.items():
        (FOLDER / name).write_text(make(), "utf-8")


if __name__ == "__main__":
    main()
