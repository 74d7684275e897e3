"""Where things are: import path, source, tests, interpreter, business logic, hooks."""

from __future__ import annotations

import ast
import configparser
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Final

from orchestrator.discovery import apps
from orchestrator.discovery.apps import App
from orchestrator.discovery.code import SAMPLES, TESTS, Module, Survey

INTERPRETERS: Final = (".venv/bin/python", "venv/bin/python", "env/bin/python")
_HERE: Final = PurePosixPath()
_LOGIC: Final = frozenset(
    {
        *("rules", "service", "services", "domain", "logic", "business", "policy", "policies", "pricing"),
        *("use_cases", "usecases", "calculations", "workflows"),
    }
)
_HOOKS: Final = {
    "app.prepare": ("prepare", "seed"),
    "app.reset": ("reset",),
    "contracts.states": ("provider_states",),
}


def interpreter(root: Path) -> str:
    """Return the interpreter of the project's own environment; empty: it has none in the usual places."""
    return next((path for path in INTERPRETERS if (root / path).exists()), "")


def import_root(survey: Survey, app: App) -> PurePosixPath:
    """Return the folder from which the app is imported.

    That is the folder above its package from which most of what its file imports can be found; `src` before the
    project's own folder when nothing tells them apart.
    """
    candidates = [d for d in app.path.parents if PurePosixPath(d, "__init__.py") not in survey.files]
    if app.framework == "Django":
        candidates = [m.path.parent for m in survey.app_modules if m.path.name == "manage.py"] or candidates
    module = survey.module(app.path)
    imported = module.imported if module else frozenset()
    usual = (PurePosixPath("src"), _HERE)

    def fitness(folder: PurePosixPath) -> tuple[int, int]:
        found = sum(_is_importable(survey, folder, name) for name in imported)
        return found, -usual.index(folder) if folder in usual else -len(usual)

    return max(candidates, key=fitness, default=_HERE)


def _is_importable(survey: Survey, folder: PurePosixPath, name: str) -> bool:
    return folder / f"{name}.py" in survey.files or survey.has_folder(folder / name)


def dotted(path: PurePosixPath, folder: PurePosixPath) -> str:
    """Return the name under which a file is imported from a folder."""
    parts = path.relative_to(folder).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def source(survey: Survey, app: App, folder: PurePosixPath) -> tuple[str, ...]:
    """Return the app's source: its top package and what of the project that imports, in the import path's folder.

    For Django, the project's own installed apps and what they import.
    """
    reached = _installed_apps(survey, app, folder) or [_top(app.path, folder)]
    for path in reached:  # grows while it is walked
        for module in survey.app_modules:
            if module.path.is_relative_to(path):
                found = (_local(survey, folder, name) for name in sorted(module.imported - TESTS))
                reached += [p for p in found if p is not None and p not in reached]
    return tuple(str(path) for path in reached)


def code(survey: Survey, app: App, folder: PurePosixPath, sources: Iterable[str]) -> list[Module]:
    """Return the modules that run when the app does: its source, the package it is made in, Django's settings."""
    tops = {*map(PurePosixPath, sources), _top(app.path, folder)}
    if app.settings:
        tops.add(folder / app.settings.partition(".")[0])
    return [m for m in survey.app_modules if any(m.path.is_relative_to(top) for top in tops)]


def _top(path: PurePosixPath, folder: PurePosixPath) -> PurePosixPath:
    return folder / path.relative_to(folder).parts[0]


def _local(survey: Survey, folder: PurePosixPath, name: str) -> PurePosixPath | None:
    """Return the app's file or folder that an import names; None: it is somebody else's."""
    for module in survey.app_modules:
        if module.path.is_relative_to(folder):
            top = _top(module.path, folder)
            if top.name in (name, f"{name}.py"):
                return top
    return None


def _installed_apps(survey: Survey, app: App, folder: PurePosixPath) -> list[PurePosixPath]:
    value = apps.constant(apps.settings_files(survey, folder, app.settings), "INSTALLED_APPS") if app.settings else None
    constants = (n.value for n in ast.walk(value) if isinstance(n, ast.Constant)) if value else ()
    names = [name.partition(".")[0] for name in constants if isinstance(name, str)]
    found = (_local(survey, folder, name) for name in dict.fromkeys(names))
    return [path for path in found if path is not None]


def tests(survey: Survey, pyproject: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what pytest collects: what the project's settings for it say, or else where tests lie."""
    configured = pyproject.get("tool", {}).get("pytest", {}).get("ini_options", {}).get("testpaths") or _ini(
        survey.root
    )
    named = configured.split() if isinstance(configured, str) else list(configured)
    existing = [name for name in named if (survey.root / name).exists()]
    if existing:
        return tuple(existing)
    files = [m.path for m in survey.modules if m.path.name.startswith("test_") or m.path.name.endswith("_test.py")]
    folders = {next((d for d in reversed(f.parents) if d.name in TESTS), f.parent) for f in files}
    above = [d for d in sorted(folders) if not any(d != other and d.is_relative_to(other) for other in folders)]
    usual = [d for d in above if str(d) in TESTS]  # beside the app's tests there may be a consumer's, an example's
    return tuple(str(d) for d in usual or above)


def _ini(root: Path) -> str:
    for name, section in (("pytest.ini", "pytest"), ("tox.ini", "pytest"), ("setup.cfg", "tool:pytest")):
        parser = configparser.ConfigParser(interpolation=None)
        try:
            parser.read(root / name, "utf-8")
        except (configparser.Error, UnicodeDecodeError):
            continue
        if parser.has_option(section, "testpaths"):
            return parser.get(section, "testpaths")
    return ""


def logic(survey: Survey, sources: Iterable[str]) -> tuple[str, ...]:
    """Return globs of the source files that, by their name, hold business logic, such as `services/`."""
    found: list[str] = []
    tops = [PurePosixPath(s) for s in sources]
    for module in survey.app_modules:
        if not any(module.path.is_relative_to(top) for top in tops) or not _has_functions(module):
            continue
        folder = next((d for d in reversed(module.path.parents) if d.name in _LOGIC), None)
        if folder is not None:
            found.append(f"{folder}/*.py")
        elif module.path.stem in _LOGIC:
            found.append(str(module.path))
    return tuple(dict.fromkeys(found))


def globs(sources: Iterable[str]) -> tuple[str, ...]:
    """Return globs of all source files."""
    return tuple(s if s.endswith(".py") else f"{s}/*.py" for s in sources)


def _has_functions(module: Module) -> bool:
    return any(isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef) for n in ast.walk(module.tree))


def hooks(survey: Survey, folders: Sequence[PurePosixPath]) -> dict[str, str]:
    """Return hooks by the setting that takes them: functions of the usual names that can be called as hooks are.

    Args:
        survey: Where to look.
        folders: Of the import path, the innermost first.
    """
    offered = [(m, _offers(m)) for m in survey.modules if not SAMPLES & set(m.path.parts)]
    found: dict[str, str] = {}
    for module, offers in sorted(offered, key=lambda x: (-len(x[1]), len(x[0].path.parts), str(x[0].path))):
        if "app.reset" not in offers and "contracts.states" not in offers:
            continue  # a lone `prepare` or `seed` may be anything
        folder = next((f for f in folders if module.path.is_relative_to(f)), _HERE)
        for key, name in offers.items():
            found.setdefault(key, f"{dotted(module.path, folder)}:{name}")
    return found


def _offers(module: Module) -> dict[str, str]:
    """Return which hooks a module has, by the setting that takes them."""
    callables = {
        n.name for n in module.statements() if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef) and _is_hook(n)
    }
    offers = {key: name for key, names in _HOOKS.items() for name in reversed(names) if name in callables}
    if apps.constant([module], "provider_states") is not None or any(
        isinstance(n, ast.FunctionDef) and n.name == "provider_states" for n in module.statements()
    ):
        offers["contracts.states"] = "provider_states"
    else:
        offers.pop("contracts.states", None)
    return offers


def _is_hook(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether it can be called with nothing but the app."""
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    without = {a.arg for a in positional[: len(positional) - len(arguments.defaults)]}
    without |= {a.arg for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if d is None}
    return without <= {"app"}
