"""What is found in a project by looking."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orchestrator import discovery
from orchestrator.discovery import Findings

FLASK = "from flask import Flask\n"
FASTAPI = "from fastapi import FastAPI\n"


def write(root: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    return root


def look(root: Path, files: dict[str, str], **given: Any) -> Findings:
    return discovery.look(write(root, files), {key.replace("__", "."): value for key, value in given.items()})


def guesses(findings: Findings) -> dict[str, Any]:
    return {guess.key: guess.value for guess in findings.guesses}


def questions(findings: Findings) -> list[str]:
    return [question.key for question in findings.questions]


class TestTheApp:
    @pytest.mark.parametrize(
        ("files", "target", "framework"),
        [
            ({"app.py": FLASK + "app = Flask(__name__)"}, "app:app", "Flask"),
            ({"shop/__init__.py": FLASK + "def create_app():\n    return Flask('x')"}, "shop:create_app", "Flask"),
            ({"app/main.py": FASTAPI + "api: FastAPI = FastAPI()"}, "app.main:api", "FastAPI"),
            (
                {"shop/web.py": "import fastapi\ndef build_app():\n    a = fastapi.FastAPI()\n    return a"},
                "shop.web:build_app",
                "FastAPI",
            ),
            (
                {"shop/web.py": FASTAPI + "def make_app() -> FastAPI:\n    a = FastAPI()\n    return wrapped(a)"},
                "shop.web:make_app",
                "FastAPI",
            ),
            (
                {"main.py": "from starlette.applications import Starlette as S\napp = S(routes=[])"},
                "main:app",
                "Starlette",
            ),
            ({"main.py": FASTAPI + "try:\n    app = FastAPI()\nfinally:\n    pass"}, "main:app", "FastAPI"),
        ],
    )
    def test_is_found_by_what_makes_it(
        self, tmp_path: Path, files: dict[str, str], target: str, framework: str
    ) -> None:
        found = look(tmp_path, files)
        assert (guesses(found)["app.target"], found.framework) == (target, framework)

    def test_is_rather_a_factory_than_what_it_made(self, tmp_path: Path) -> None:
        factory = FLASK + "def create_app():\n    app = Flask('shop')\n    return app"
        found = look(
            tmp_path,
            {
                "shop/__init__.py": "",
                "shop/web.py": factory,
                "wsgi.py": "from shop.web import create_app\napp = create_app()",
            },
        )
        assert guesses(found)["app.target"] == "shop.web:create_app"
        assert "also found: wsgi:app" in found.guesses[1].because

    def test_is_rather_made_already_than_by_a_factory_that_asks_for_arguments(self, tmp_path: Path) -> None:
        files = {"shop/__init__.py": FLASK + "def create_app(config):\n    return Flask('shop')"}
        assert questions(look(tmp_path, files))[0] == "app.arguments.config"
        more = {"wsgi.py": "from shop import create_app\napp = create_app('production')"}
        assert guesses(look(tmp_path, more))["app.target"] == "wsgi:app"

    def test_is_not_looked_for_in_tests_and_examples(self, tmp_path: Path) -> None:
        files = {
            f"{folder}/app.py": FLASK + "app = Flask('x')" for folder in ("tests", "examples/a", ".venv/x", "docs")
        }
        found = look(tmp_path, files)
        assert found.framework == ""
        assert questions(found)[0] == "app.target"

    def test_is_the_one_that_a_person_names(self, tmp_path: Path) -> None:
        files = {"a.py": FLASK + "app = Flask('a')", "src/b/web.py": FASTAPI + "app = FastAPI()"}
        found = look(tmp_path, files, app__target="b.web:app")
        assert found.framework == "FastAPI"
        assert guesses(found)["import-paths"] == ["src"]
        assert "app.target" not in guesses(found)

    def test_may_run_elsewhere(self, tmp_path: Path) -> None:
        found = look(tmp_path, {"openapi.yaml": "openapi: 3.0.3\n"}, app__url="http://localhost")
        assert questions(found) == []
        assert guesses(found) == {"openapi.path": "openapi.yaml"}


class TestDjango:
    FILES = {  # noqa: RUF012 - a constant
        "manage.py": "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'site_.settings.dev')",
        "site_/settings/base.py": (
            "INSTALLED_APPS = ['django.contrib.auth', 'shop.apps.ShopConfig', 'stock']\n"
            "WSGI_APPLICATION = 'site_.gateway.application'\n"
        ),
        "site_/settings/dev.py": "from .base import *",
        "site_/gateway.py": "from django.core.wsgi import get_wsgi_application as g\napplication = g()",
        "shop/apps.py": "",
        "shop/views.py": "import money",
        "shop/migrations/0001.py": "",
        "stock/models.py": "",
        "money/__init__.py": "",
    }

    def test_says_where_its_app_is(self, tmp_path: Path) -> None:
        found = look(tmp_path, self.FILES)
        assert (found.framework, guesses(found)["app.target"]) == ("Django", "site_.gateway:application")

    def test_source_is_its_own_apps_and_what_they_import(self, tmp_path: Path) -> None:
        assert guesses(look(tmp_path, self.FILES))["source"] == ["shop", "stock", "money"]

    def test_needs_somebody_to_make_its_tables(self, tmp_path: Path) -> None:
        assert "app.prepare" in questions(look(tmp_path, self.FILES))

    def test_may_lie_in_a_folder(self, tmp_path: Path) -> None:
        found = guesses(look(tmp_path, {f"server/{name}": content for name, content in self.FILES.items()}))
        assert (found["app.target"], found["import-paths"]) == ("site_.gateway:application", ["server"])
        assert found["source"] == ["server/shop", "server/stock", "server/money"]


class TestTheLayout:
    def test_src_is_an_import_path(self, tmp_path: Path) -> None:
        found = guesses(look(tmp_path, {"src/shop/__init__.py": "", "src/shop/web.py": FLASK + "app = Flask('x')"}))
        assert (found["import-paths"], found["source"]) == (["src"], ["src/shop"])
        assert found["app.target"] == "shop.web:app"

    def test_what_the_app_imports_tells_where_it_is_imported_from(self, tmp_path: Path) -> None:
        files = {"app/main.py": FASTAPI + "import db\napp = FastAPI()", "app/db.py": ""}
        found = guesses(look(tmp_path, files))
        assert (found["import-paths"], found["app.target"]) == (["app"], "main:app")
        assert found["source"] == ["app/main.py", "app/db.py"]

    def test_what_the_app_does_not_import_is_no_source(self, tmp_path: Path) -> None:
        files = {"shop/__init__.py": FLASK + "app = Flask('x')\nfrom rates import now", "rates.py": "", "other.py": ""}
        assert guesses(look(tmp_path, files))["source"] == ["shop", "rates.py"]

    @pytest.mark.parametrize("path", [".venv/bin/python", "venv/bin/python"])
    def test_the_projects_environment_is_its_interpreter(self, tmp_path: Path, path: str) -> None:
        assert guesses(look(tmp_path, {path: ""}))["python"] == path

    def test_without_an_environment_it_says_so(self, tmp_path: Path) -> None:
        assert look(tmp_path, {}).remarks[0].startswith("python: none of .venv/bin/python")

    @pytest.mark.parametrize(
        ("files", "paths"),
        [
            ({"tests/unit/test_a.py": "", "consumer/test_b.py": ""}, ["tests"]),
            ({"shop/tests/test_a.py": "", "shop/cart/tests/test_b.py": ""}, ["shop/cart/tests", "shop/tests"]),
            ({"checks/test_a.py": "", "pytest.ini": "[pytest]\ntestpaths = checks missing"}, ["checks"]),
            ({"a/x.py": "", "pyproject.toml": "[tool.pytest.ini_options]\ntestpaths = ['a']"}, ["a"]),
            ({"a/x.py": "", "setup.cfg": "[tool:pytest]\ntestpaths =\n  a\n"}, ["a"]),
        ],
    )
    def test_tests_are_where_pytest_is_told_to_look_or_where_they_lie(
        self, tmp_path: Path, files: dict[str, str], paths: list[str]
    ) -> None:
        assert guesses(look(tmp_path, files))["tests.paths"] == paths

    def test_business_logic_is_known_by_its_name(self, tmp_path: Path) -> None:
        function = "def f():\n    return 1\n"
        files = {
            "shop/__init__.py": FLASK + "app = Flask('x')",
            "shop/rules.py": function,
            "shop/services/cart.py": function,
            "shop/services/__init__.py": "",
            "shop/domain.py": "X = 1",
            "shop/views.py": function,
            "other/rules.py": function,
        }
        assert guesses(look(tmp_path, files))["mutation.critical"] == ["shop/rules.py", "shop/services/*.py"]

    def test_without_such_names_all_of_the_source_is_critical(self, tmp_path: Path) -> None:
        found = look(tmp_path, {"shop/__init__.py": FLASK + "app = Flask('x')\nimport cart", "cart.py": ""})
        assert guesses(found)["mutation.critical"] == ["shop/*.py", "cart.py"]


class TestHooks:
    def test_are_functions_of_the_usual_names_that_need_nothing_but_the_app(self, tmp_path: Path) -> None:
        hooks = "def prepare(app): ...\nasync def reset(): ...\nprovider_states: dict = {}\n"
        found = guesses(look(tmp_path, {"tests/hooks.py": hooks}))
        assert found["app.prepare"] == "tests.hooks:prepare"
        assert found["app.reset"] == "tests.hooks:reset"
        assert found["contracts.states"] == "tests.hooks:provider_states"

    def test_may_lie_in_several_modules(self, tmp_path: Path) -> None:
        files = {
            "src/shop/__init__.py": FLASK + "app = Flask('x')",
            "src/shop/data.py": "def seed(app): ...\ndef reset(app): ...",
            "tests/states.py": "def provider_states(state, parameters): ...",
        }
        found = guesses(look(tmp_path, files))
        assert found["app.prepare"] == "shop.data:seed"
        assert found["contracts.states"] == "tests.states:provider_states"

    @pytest.mark.parametrize("code", ["def prepare(): ...", "def reset(store): ...", "reset = 1"])
    def test_are_not_taken_from_what_is_called_otherwise(self, tmp_path: Path, code: str) -> None:
        found = guesses(look(tmp_path, {"tests/hooks.py": code}))
        assert not {"app.prepare", "app.reset"} & set(found)

    def test_are_not_taken_from_tests_that_we_generated(self, tmp_path: Path) -> None:
        mark = "# Generated by quality-orchestrator (inputs 1, content 2)\n"
        assert "app.reset" not in guesses(look(tmp_path, {"tests/generated/api.py": mark + "def reset(): ..."}))


class TestTheDocument:
    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("openapi.yaml", "# ours\nopenapi: 3.1.0\n"),
            ("docs/api.yml", "info: {}\nswagger: '2.0'\n"),
            ("spec/shop.json", '{\n  "info": {"title": "x"},\n  "openapi": "3.0.0"}'),
        ],
    )
    def test_is_known_by_its_first_keys(self, tmp_path: Path, name: str, content: str) -> None:
        if name.endswith(".json"):
            content = '{"openapi": "3.0.0", "info": {"title": "x"}}'
        assert guesses(look(tmp_path, {name: content}))["openapi.path"] == name

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("compose.yaml", "services:\n  openapi: {image: x}\n"),
            ("a.json", '{"x": {"openapi": "3.0.0"}}'),
            ("tests/data/openapi.yaml", "openapi: 3.1.0\n"),
        ],
    )
    def test_is_not_what_only_mentions_one(self, tmp_path: Path, name: str, content: str) -> None:
        assert "openapi.path" in questions(look(tmp_path, {name: content}))

    def test_is_rather_the_one_in_use_than_an_old_one(self, tmp_path: Path) -> None:
        content = "openapi: 3.1.0\n"
        files = {"openapi/released.yaml": content, "openapi/shop.yaml": content, "z.yaml": content}
        assert guesses(look(tmp_path, files))["openapi.path"] == "openapi/shop.yaml"

    @pytest.mark.parametrize(
        ("arguments", "path"), [("", "/openapi.json"), ("openapi_url='/v1/api.json'", "/v1/api.json")]
    )
    def test_is_served_by_fastapi(self, tmp_path: Path, arguments: str, path: str) -> None:
        found = look(tmp_path, {"main.py": f"{FASTAPI}app = FastAPI({arguments})"})
        assert guesses(found)["openapi.path"] == path

    def test_is_asked_for_when_fastapi_is_told_not_to_serve_it(self, tmp_path: Path) -> None:
        assert questions(look(tmp_path, {"main.py": FASTAPI + "app = FastAPI(openapi_url=None)"})) == ["openapi.path"]


PACT = '{"consumer": {"name": "till"}, "provider": {"name": "%s"}, "interactions": [%s]}'


class TestPacts:
    def test_are_found_in_their_usual_folders(self, tmp_path: Path) -> None:
        found = look(tmp_path, {"pacts/a.json": PACT % ("shop", ""), "contracts/readme.json": "{}"})
        assert guesses(found)["contracts.pacts"] == ["pacts/*.json"]

    def test_with_several_providers_leave_a_question(self, tmp_path: Path) -> None:
        found = look(tmp_path, {"pacts/a.json": PACT % ("shop", ""), "pacts/b.json": PACT % ("bank", "")})
        assert "contracts.provider" in questions(found)


class TestTheCaller:
    APP = FLASK + "import os\nKEY = os.environ.get('SHOP_KEY', '')\napp = Flask('x')\n"

    @pytest.mark.parametrize(
        ("scheme", "header", "form"),
        [
            ("{type: http, scheme: bearer}", "Authorization", "Bearer {value}"),
            ("{type: http, scheme: Basic}", "Authorization", "Basic {value}"),
            ("{type: oauth2, flows: {}}", "Authorization", "Bearer {value}"),
            ("{type: apiKey, in: header, name: X-Key}", "X-Key", "{value}"),
            ("{type: apiKey, in: cookie, name: sid}", "Cookie", "sid={value}"),
        ],
    )
    def test_follows_from_the_documents_security(self, tmp_path: Path, scheme: str, header: str, form: str) -> None:
        document = f"openapi: 3.0.3\ncomponents:\n  securitySchemes:\n    main: {scheme}\n"
        found = look(tmp_path, {"openapi.yaml": document, "app.py": self.APP})
        identity = {"name": "tester", "header": header, "format": form, "environment": "SHOP_KEY"}
        assert guesses(found)["identities"] == [identity]
        assert questions(found) == ["app.environment.SHOP_KEY"]
        assert found.secrets == ("SHOP_KEY",)

    def test_follows_from_fastapis_classes(self, tmp_path: Path) -> None:
        code = "from fastapi.security import APIKeyHeader\nkey = APIKeyHeader(name='X-Key')\napp = FastAPI()"
        identity = guesses(look(tmp_path, {"main.py": FASTAPI + code}))["identities"][0]
        assert (identity["header"], identity["environment"]) == ("X-Key", "QUALITY_KEY")

    def test_sends_what_the_pacts_send(self, tmp_path: Path) -> None:
        document = '{"swagger": "2.0", "securityDefinitions": {"a": {"type": "oauth2"}}}'
        interaction = '{"request": {"headers": {"authorization": ["Bearer abc"]}}}'
        files = {"swagger.json": document, "app.py": self.APP, "pacts/a.json": PACT % ("shop", interaction)}
        assert look(tmp_path, files).questions[0].example == "abc"

    def test_is_nobody_when_nothing_is_protected(self, tmp_path: Path) -> None:
        found = look(tmp_path, {"openapi.yaml": "openapi: 3.0.3\n", "app.py": self.APP})
        assert "identities" not in guesses(found)
        assert questions(found) == []


class TestTheEnvironment:
    def app(self, code: str, imports: str = "import os") -> dict[str, str]:
        return {"main.py": f"{FASTAPI}{imports}\n{code}\napp = FastAPI()"}

    @pytest.mark.parametrize(
        ("code", "value"),
        [
            ("os.environ.get('SHOP_DATABASE', HERE / 'shop.sqlite3')", "{state}/quality.sqlite3"),
            ("os.getenv('SHOP_DATABASE', 'sqlite:///./shop.db')", "sqlite:///{state}/quality.sqlite3"),
            (
                "os.getenv('SHOP_DATABASE', 'sqlite+aiosqlite:///shop.db')",
                "sqlite+aiosqlite:///{state}/quality.sqlite3",
            ),
        ],
    )
    def test_gives_a_run_a_database_file_of_its_own(self, tmp_path: Path, code: str, value: str) -> None:
        assert guesses(look(tmp_path, self.app(code)))["app.environment.SHOP_DATABASE"] == value

    @pytest.mark.parametrize("default", ["':memory:'", "'sqlite://'", "'sqlite:///:memory:'", "None"])
    def test_leaves_a_database_in_memory_alone(self, tmp_path: Path, default: str) -> None:
        found = look(tmp_path, self.app(f"os.getenv('SHOP_DB', {default})"))
        assert "app.environment.SHOP_DB" not in {*guesses(found), *questions(found)}

    @pytest.mark.parametrize(
        ("code", "imports"),
        [
            ("os.environ['DATABASE_URL']", "import os"),
            ("environ['DATABASE_URL']", "from os import environ"),
            ("os.getenv('DATABASE_URL', 'postgresql://db/shop')", "import os"),
            ("env('DATABASE_URL')", "import environ\nenv = environ.Env()"),
            ("env.db('DATABASE_URL')", "from environ import Env\nenv = Env()"),
            ("class S(BaseSettings):\n    database_url: str", "from pydantic_settings import BaseSettings"),
            (
                "class S(B):\n    model_config = dict(env_prefix='DATABASE_')\n    url: str",
                "from pydantic_settings import BaseSettings as B",
            ),
        ],
    )
    def test_asks_for_a_database_that_tests_may_write_to(self, tmp_path: Path, code: str, imports: str) -> None:
        assert questions(look(tmp_path, self.app(code, imports))) == ["app.environment.DATABASE_URL"]

    def test_asks_for_what_the_app_fails_without(self, tmp_path: Path) -> None:
        code = "os.environ['REGION']\nos.getenv('LEVEL', 'INFO')\nos.environ['SEEN'] = '1'"
        assert questions(look(tmp_path, self.app(code))) == ["app.environment.REGION"]

    def test_makes_up_what_is_only_signed_with(self, tmp_path: Path) -> None:
        found = look(tmp_path, self.app("os.environ['SECRET_KEY']"))
        assert guesses(found)["app.environment.SECRET_KEY"] == discovery.SIGNED_WITH
        assert questions(found) == []

    def test_does_not_ask_again_for_what_was_answered(self, tmp_path: Path) -> None:
        found = look(tmp_path, self.app("os.environ['REGION']"), app__environment__REGION="north")
        assert questions(found) == []


class TestInstallation:
    @pytest.mark.parametrize(
        ("files", "arguments"),
        [
            ({}, ()),
            (
                {"requirements.txt": "", "requirements-dev.txt": ""},
                ("-r", "requirements.txt", "-r", "requirements-dev.txt"),
            ),
            (
                {"pyproject.toml": "[project]\n[dependency-groups]\ndev = []"},
                ("-r", "pyproject.toml", "--group", "dev"),
            ),
            (
                {"pyproject.toml": "[build-system]\n[project.optional-dependencies]\ntest = []\nfast = []"},
                ("-e", ".[test]"),
            ),
        ],
    )
    def test_follows_from_the_projects_files(
        self, tmp_path: Path, files: dict[str, str], arguments: tuple[str, ...]
    ) -> None:
        assert look(tmp_path, files).install == arguments


def test_what_can_not_be_parsed_is_passed_over(tmp_path: Path) -> None:
    files = {
        "old.py": "print 'x'",
        "app.py": FLASK + "app = Flask('x')",
        "pacts/a.json": "{",
        "openapi.json": '{"openapi": "3',
    }
    assert guesses(look(tmp_path, files))["app.target"] == "app:app"
