"""Find the app, or what makes it, by what the code imports and calls."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Final

import msgspec

from orchestrator.discovery.code import Module, Survey

FRAMEWORKS: Final = {
    "flask.Flask": "Flask",
    "flask.app.Flask": "Flask",
    "apiflask.APIFlask": "APIFlask",
    "quart.Quart": "Quart",
    "fastapi.FastAPI": "FastAPI",
    "fastapi.applications.FastAPI": "FastAPI",
    "starlette.applications.Starlette": "Starlette",
    "django.core.wsgi.get_wsgi_application": "Django",
    "django.core.asgi.get_asgi_application": "Django",
}
_USUAL_NAMES: Final = frozenset(
    {
        *("create_app", "make_app", "build_app", "get_app", "create_application", "get_application", "app_factory"),
        *("app", "application", "api"),
    }
)
# Frameworks that describe their API themselves: the parameter that says where, and its default.
_SERVED: Final = {"FastAPI": ("openapi_url", "/openapi.json"), "APIFlask": ("spec_path", "/openapi.json")}


class App(msgspec.Struct, frozen=True, kw_only=True):
    """Something that may be the app.

    Attributes:
        framework: Which one it is made with.
        path: The file, relative to the project.
        attribute: The name in that file.
        where: File and line.
        factory: It is called to make the app.
        required: Parameters of the factory that have no default.
        document: The path at which it serves its OpenAPI document; empty: it serves none.
        settings: Django's settings module.
    """

    framework: str
    path: PurePosixPath
    attribute: str
    where: str
    factory: bool = False
    required: tuple[str, ...] = ()
    document: str = ""
    settings: str = ""


def find(survey: Survey) -> list[App]:
    """Return what may be the app, the likeliest first."""
    django = _django(survey)
    direct = [app for module in survey.app_modules for app in _direct(module)]
    factories = {app.attribute: app for app in direct if app.factory}
    made = [app for module in survey.app_modules for app in _made(module, factories)]
    others = [app for app in (*direct, *made) if not (django and app.framework == "Django")]
    return [*django, *sorted(others, key=_rank)]


def named(survey: Survey, target: str) -> App | None:
    """Return the app that a person has named, as `module:attribute`; None: its file is not in the project."""
    module_name, _, attribute = target.partition(":")
    tail = module_name.replace(".", "/")
    for module in survey.modules:
        if f"/{module.path}".endswith((f"/{tail}.py", f"/{tail}/__init__.py")):
            known = [app for app in find(survey) if app.path == module.path]
            same = [app for app in known if app.attribute == attribute]
            if same:
                return same[0]
            framework = known[0].framework if known else ""
            return App(framework=framework, path=module.path, attribute=attribute, where=str(module.path))
    return None


def _rank(app: App) -> tuple[object, ...]:
    """Order candidates: what needs no argument, has a usual name, is a factory, lies high up."""
    return (
        app.framework == "Starlette",  # often mounted inside another app
        bool(app.required),
        app.attribute not in _USUAL_NAMES,
        not app.factory,
        len(app.path.parts),
        str(app.path),
        app.where,
    )


def _direct(module: Module) -> Iterator[App]:
    """Yield apps that are made at import, and functions that make one."""
    for node in module.statements():
        if isinstance(node, ast.FunctionDef):
            call = _made_by(node, module)
            if call is not None:
                required = _required(node)
                yield _app(module, node, node.name, call, factory=True, required=required)
            continue
        call = _call(_assigned(node)[1])
        if call is not None and module.full_name(call.func) in FRAMEWORKS:
            for name in _assigned(node)[0]:
                yield _app(module, node, name, call)


def _made(module: Module, factories: dict[str, App]) -> Iterator[App]:
    """Yield apps that a factory of the project makes at import: `app = create_app()`."""
    for node in module.statements():
        names, value = _assigned(node)
        call = _call(value)
        maker = factories.get(module.full_name(call.func).rpartition(".")[2]) if call else None
        if maker is not None:
            for name in names:
                yield msgspec.structs.replace(
                    maker, path=module.path, attribute=name, where=module.at(node), factory=False, required=()
                )


def _app(
    module: Module, node: ast.AST, name: str, call: ast.Call, *, factory: bool = False, required: Sequence[str] = ()
) -> App:
    framework = FRAMEWORKS[module.full_name(call.func)]
    return App(
        framework=framework,
        path=module.path,
        attribute=name,
        where=module.at(node),
        factory=factory,
        required=tuple(required),
        document=_document(framework, call),
    )


def _assigned(node: ast.stmt) -> tuple[list[str], ast.expr | None]:
    if isinstance(node, ast.Assign):
        return [t.id for t in node.targets if isinstance(t, ast.Name)], node.value
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return [node.target.id], node.value
    return [], None


def _call(value: ast.expr | None) -> ast.Call | None:
    return value if isinstance(value, ast.Call) else None


def _made_by(function: ast.FunctionDef, module: Module) -> ast.Call | None:
    """Return the call by which a function makes the app that it returns; None: it makes none."""
    calls = [n for n in ast.walk(function) if isinstance(n, ast.Call) and module.full_name(n.func) in FRAMEWORKS]
    if not calls:
        return None
    names = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value in calls:
            names |= set(_assigned(node)[0])
    returned = [n.value for n in ast.walk(function) if isinstance(n, ast.Return)]
    is_app = any(value in calls or (isinstance(value, ast.Name) and value.id in names) for value in returned)
    return calls[0] if is_app or module.full_name(function.returns) in FRAMEWORKS else None


def _required(function: ast.FunctionDef) -> tuple[str, ...]:
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    without = positional[: len(positional) - len(arguments.defaults)]
    keyword = [a for a, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if default is None]
    return tuple(a.arg for a in (*without, *keyword))


def _document(framework: str, call: ast.Call) -> str:
    parameter, path = _SERVED.get(framework, ("", ""))
    for keyword in call.keywords:
        if keyword.arg == parameter:
            value = keyword.value.value if isinstance(keyword.value, ast.Constant) else path
            return str(value or "")
    return path


def _django(survey: Survey) -> list[App]:
    """Return the app of a Django project: what its settings name, or else its `wsgi.py` or `asgi.py`."""
    for manage in (m for m in survey.app_modules if m.path.name == "manage.py"):
        settings = _settings_module(manage)
        if not settings:
            continue
        folder = manage.path.parent
        target = _wsgi_application(survey, folder, settings) or _gateway(survey, folder)
        if target:
            path, attribute = target
            return [App(framework="Django", path=path, attribute=attribute, where=str(path), settings=settings)]
    return []


def _settings_module(manage: Module) -> str:
    for node in ast.walk(manage.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and len(node.args) == 2:
            key, value = (a.value if isinstance(a, ast.Constant) else None for a in node.args)
            if key == "DJANGO_SETTINGS_MODULE" and isinstance(value, str):
                return value
    return ""


def settings_files(survey: Survey, folder: PurePosixPath, settings: str) -> list[Module]:
    """Return the files of Django's settings module; those beside it too when it is one of a package."""
    path = folder.joinpath(*settings.split("."))
    beside = path.parent if path.parent.name == "settings" else path
    return [m for m in survey.modules if m.path == path.with_suffix(".py") or m.path.parent == beside]


def constant(modules: Sequence[Module], name: str) -> ast.expr | None:
    """Return the value that is assigned to a name at the top of one of the modules."""
    for module in modules:
        for node in module.statements():
            names, value = _assigned(node)
            if name in names:
                return value
    return None


def _wsgi_application(survey: Survey, folder: PurePosixPath, settings: str) -> tuple[PurePosixPath, str] | None:
    value = constant(settings_files(survey, folder, settings), "WSGI_APPLICATION")
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        module_name, _, attribute = value.value.rpartition(".")
        path = folder.joinpath(*module_name.split(".")).with_suffix(".py")
        if survey.module(path):
            return path, attribute
    return None


def _gateway(survey: Survey, folder: PurePosixPath) -> tuple[PurePosixPath, str] | None:
    modules = [m for m in survey.app_modules if m.path.is_relative_to(folder)]
    apps = [app for module in modules for app in _direct(module) if app.framework == "Django"]
    apps.sort(key=lambda app: (app.path.name != "wsgi.py", str(app.path)))
    return (apps[0].path, apps[0].attribute) if apps else None
