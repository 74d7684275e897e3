from __future__ import annotations

import contextlib
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator import config
from orchestrator.errors import Code, ExitCode, UsageError

TARGET = 'app.target = "shop.main:app"\n'


def parse(toml: str, file: str = "orchestrator.toml") -> config.Settings:
    """The settings of this TOML text, on top of an app's target."""
    return config.parse(tomllib.loads(TARGET + toml), Path(file))


def refused(toml: str, file: str = "orchestrator.toml") -> tuple[Code, str, str]:
    """The code, the message and the hint with which settings are refused."""
    with pytest.raises(UsageError) as caught:
        parse(toml, file)
    problem = caught.value.problem
    assert caught.value.exit_code is ExitCode.USAGE
    assert problem.message.startswith(f"{file}: ")
    assert "\n" not in problem.message
    assert problem.hint
    return Code(problem.code), problem.message, problem.hint


def test_the_defaults_are_those_of_the_documentation() -> None:
    settings = parse("")
    assert settings.tests.paths == ("tests",)
    assert settings.properties.phases == ("examples", "coverage", "fuzzing", "stateful")
    assert settings.contracts.pacts is None
    assert settings.mutation.critical == ()
    assert (settings.reports, settings.baseline, settings.seed, settings.directory) == ("reports", "", 1, ".")
    gates = settings.gates
    assert (gates.suite_success, gates.suite_seconds, gates.mutation_score) == (98.0, 60.0, 60.0)
    assert (gates.property_findings, gates.contract_failures) == (0, 0)
    assert (gates.operations, gates.interactions, gates.mutants) == (1, 1, 1)
    assert gates.no_worse is True


def test_keys_are_written_with_dashes() -> None:
    settings = parse('[tests]\nknown-red = [{test = "a::b", reason = "r"}]\n[gates]\nsuite-success = 90\n')
    assert settings.tests.known_red == (config.KnownRed(test="a::b", reason="r"),)
    assert settings.gates.suite_success == 90


@pytest.mark.parametrize(
    ("toml", "key", "suggestion"),
    [
        ("sed = 1", "sed", "seed"),
        ("[gates]\nmutation_score = 3", "gates.mutation_score", "mutation-score"),
        ("[gates]\nsuite-sucess = 3", "gates.suite-sucess", "suite-success"),
        ("[apps]\ntarget = 'a:b'", "apps", "app"),
        ("[[identities]]\nname = 'a'\nenv = 'b'", "identities[0].env", ""),
        ("[[identities]]\nname = 'a'\nenvironmnt = 'b'", "identities[0].environmnt", "environment"),
        (
            "[openapi]\nexclude = [{operation = 'a', reason = 'b'}, {opration = 'a'}]",
            "openapi.exclude[1].opration",
            "operation",
        ),
        ("[tests]\nknown-red = [{tests = 'a'}]", "tests.known-red[0].tests", "test"),
        ("zzzzzz = 1", "zzzzzz", ""),
    ],
)
def test_an_unknown_key_is_named_and_one_suggested(toml: str, key: str, suggestion: str) -> None:
    code, message, hint = refused(toml)
    assert code is Code.SETTINGS_UNKNOWN_KEY
    assert message == f"orchestrator.toml: unknown key `{key}`"
    assert hint == (f"Did you mean `{suggestion}`?" if suggestion else "docs/settings.md lists every key.")


def test_keys_of_pyproject_have_their_prefix() -> None:
    _, message, _ = refused("sed = 1", "pyproject.toml")
    assert message == "pyproject.toml: unknown key `tool.orchestrator.sed`"
    _, message, _ = refused("seed = 'x'", "pyproject.toml")
    assert message.startswith("pyproject.toml: `tool.orchestrator.seed`: ")


@pytest.mark.parametrize(
    ("toml", "key"),
    [
        ("seed = -1", "seed"),
        ("seed = 'x'", "seed"),
        ("seed = 1.5", "seed"),
        ("name = 3", "name"),
        ("source = 'shop'", "source"),
        ("app.start-timeout = 0", "app.start-timeout"),
        ("app.start-timeout = nan", "app.start-timeout"),
        ("app.interface = 'cgi'", "app.interface"),
        ("app.environment = {A = 1}", "app.environment"),
        ("[properties]\nphases = ['fuzz']", "properties.phases[0]"),
        ("[properties]\nmax-examples = 0", "properties.max-examples"),
        ("[tests]\nworkers = 'many'", "tests.workers"),
        ("[tests]\nworkers = -1", "tests.workers"),
        ("[tests]\nknown-red = [{test = 'a', reason = ''}]", "tests.known-red[0].reason"),
        ("[openapi]\nexclude = [{operation = 'GET /a'}]", "openapi.exclude[0]"),
        ("[gates]\nmutation-score = 101", "gates.mutation-score"),
        ("[gates]\nmutation-score = -1", "gates.mutation-score"),
        ("[gates]\nmutation-score = true", "gates.mutation-score"),
        ("[gates]\nno-worse = 'yes'", "gates.no-worse"),
        ("gates = 3", "gates"),
        ("identities = {}", "identities"),
        ("[[identities]]\nenvironment = 'A'", "identities[0]"),
        ("[[identities]]\nname = ''\nenvironment = 'A'", "identities[0].name"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_by_its_key(toml: str, key: str) -> None:
    code, message, _ = refused(toml)
    assert code is Code.SETTINGS_INVALID
    assert message.startswith(f"orchestrator.toml: `{key}")


@pytest.mark.parametrize(
    "gate",
    [
        "suite-success",
        "suite-seconds",
        "property-findings",
        "contract-failures",
        "operations",
        "interactions",
        "mutants",
        "mutation-score",
        "no-worse",
    ],
)
def test_every_gate_can_be_turned_off(gate: str) -> None:
    assert getattr(parse(f"[gates]\n{gate} = false").gates, gate.replace("-", "_")) is False


def test_an_app_has_to_be_somewhere() -> None:
    with pytest.raises(UsageError) as caught:
        config.parse({}, Path("orchestrator.toml"))
    assert caught.value.problem.code == Code.SETTINGS_INVALID
    assert "neither `app.target` nor `app.url` is set" in caught.value.problem.message
    assert config.parse({"app": {"url": "http://127.0.0.1:1"}}, Path("x")).app.target == ""


@pytest.mark.parametrize("value", ["shop.main", "a:b:c"])
@pytest.mark.parametrize("key", ["app.target", "app.prepare", "app.reset", "contracts.states"])
def test_what_is_imported_is_named_by_module_and_attribute(key: str, value: str) -> None:
    section, _, name = key.partition(".")
    table: dict[str, Any] = {"app": {"target": "a:b"}}
    table.setdefault(section, {})[name] = value
    with pytest.raises(UsageError) as caught:
        config.parse(table, Path("pyproject.toml"))
    assert caught.value.problem.code == Code.SETTINGS_INVALID
    assert f"`tool.orchestrator.{key}` is {value!r}, not `module:attribute`" in caught.value.problem.message


def test_an_identity_has_exactly_one_source() -> None:
    for sources in ("", "environment = 'A'\ncommand = ['x']", "environment = 'A'\ncallable = 'a:b'\ncommand = ['x']"):
        code, message, _ = refused(f"[[identities]]\nname = 'writer'\n{sources}")
        assert code is Code.SETTINGS_INVALID
        assert "`identities[0]` (writer) needs exactly one of" in message
    for source in ("environment = 'A'", "command = ['x']", "callable = 'a:b'"):
        (identity,) = parse(f"[[identities]]\nname = 'writer'\n{source}").identities
        assert (identity.header, identity.format, identity.operations) == ("Authorization", "{value}", ("*",))


def test_the_second_identity_is_named_by_its_number() -> None:
    good = "[[identities]]\nname = 'a'\nenvironment = 'A'\n"
    assert "`identities[1]` (b)" in refused(f"{good}[[identities]]\nname = 'b'")[1]


def test_two_identities_of_one_name_are_refused() -> None:
    one = "[[identities]]\nname = 'a'\nenvironment = 'A'\n"
    code, message, _ = refused(one + one)
    assert code is Code.SETTINGS_INVALID
    assert "`identities[1]`" in message
    assert "'a'" in message


def test_only_what_is_not_at_its_default_is_changed() -> None:
    assert config.told(parse(""))[0] == {"app.target": '"shop.main:app"'}
    assert config.told(
        parse("seed = 7\napp.arguments = {a = 1}\n[gates]\nmutation-score = false\n[tests]\npaths = ['tests']\n")
    )[0] == {
        "app.target": '"shop.main:app"',
        "app.arguments": '{"a":1}',
        "seed": "7",
        "gates.mutation-score": "false",
    }


def test_changed_settings_of_lists_are_shown_whole() -> None:
    shown, _ = config.told(parse("[[identities]]\nname = 'a'\ncommand = ['x', 'y']"))
    assert '"name":"a"' in shown["identities"]
    assert '"command":["x","y"]' in shown["identities"]


def write(folder: Path, name: str, body: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(body, "utf-8")
    return (folder / name).resolve()


def test_settings_are_found_here_or_above(tmp_path: Path) -> None:
    file = write(tmp_path, "pyproject.toml", f"[tool.orchestrator]\n{TARGET}")
    (tmp_path / "a" / "b").mkdir(parents=True)
    write(tmp_path / "a", "pyproject.toml", "[tool.other]\n")
    found = config.load(tmp_path / "a" / "b")
    assert (found.file, found.root) == (file, tmp_path.resolve())


def test_the_file_of_its_own_comes_before_pyproject(tmp_path: Path) -> None:
    write(tmp_path, "pyproject.toml", f"[tool.orchestrator]\nname = 'a'\n{TARGET}")
    file = write(tmp_path, "orchestrator.toml", f"name = 'b'\n{TARGET}")
    assert (config.load(tmp_path).file, config.load(tmp_path).name) == (file, "b")
    named = config.load(tmp_path / "elsewhere", tmp_path / "pyproject.toml")
    assert named.name == "a"


def test_a_project_is_called_by_its_folder_unless_it_has_a_name(tmp_path: Path) -> None:
    write(tmp_path / "shop", "orchestrator.toml", TARGET)
    assert config.load(tmp_path / "shop").name == "shop"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("[tool.other]\n", Code.SETTINGS_MISSING),
        ("tool = 3\n", Code.SETTINGS_MISSING),
        ("[tool]\norchestrator = 3\n", Code.SETTINGS_MISSING),
        ("[tool.orchestrator\n", Code.SETTINGS_INVALID),
    ],
)
def test_a_pyproject_without_settings_is_told(tmp_path: Path, body: str, code: Code) -> None:
    file = write(tmp_path, "pyproject.toml", body)
    for named in (None, file):
        with pytest.raises(UsageError) as caught:
            config.load(tmp_path, named)
        assert caught.value.problem.code == code
        assert caught.value.problem.hint


def test_a_settings_file_that_does_not_exist_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist") as caught:
        config.load(tmp_path, tmp_path / "none.toml")
    assert caught.value.problem.code == Code.SETTINGS_MISSING


@pytest.mark.parametrize(
    ("settings", "files", "source"),
    [
        ({}, ["shop/__init__.py"], ("shop",)),
        ({}, ["shop.py"], ("shop.py",)),
        ({}, ["other.py"], ()),
        ({"import-paths": ["src"]}, ["src/shop/__init__.py"], ("src/shop",)),
        ({"import-paths": ["src"]}, ["shop/__init__.py", "src/shop/__init__.py"], ("shop",)),
        ({"source": ["lib"]}, ["shop/__init__.py"], ("lib",)),
        ({"directory": "service"}, ["service/shop/__init__.py"], ("shop",)),
        ({"directory": "service"}, ["shop/__init__.py"], ()),
    ],
)
def test_the_source_is_the_top_package_of_the_app(
    tmp_path: Path, settings: dict[str, Any], files: list[str], source: tuple[str, ...]
) -> None:
    for name in files:
        write((tmp_path / name).parent, Path(name).name, "")
    file = tmp_path / "orchestrator.toml"
    parsed = config.parse({"app": {"target": "shop.main:app"}, **settings}, file)
    assert config.Project(root=tmp_path, file=file, settings=parsed).source == source


def test_folders_are_relative_to_the_project(tmp_path: Path) -> None:
    file = tmp_path / "orchestrator.toml"
    project = config.Project(root=tmp_path, file=file, settings=parse("directory = 'service'\nreports = 'out'"))
    assert (project.directory, project.reports) == (tmp_path / "service", tmp_path / "out")
    assert project.state == tmp_path / ".orchestrator"


def documented(kind: type[msgspec.Struct], prefix: str = "") -> dict[str, str]:
    """Every setting with its description."""
    found = {}
    for field in msgspec.inspect.type_info(kind).fields:  # type: ignore[attr-defined] # a struct's
        key = f"{prefix}{field.encode_name}"
        found[key] = str((getattr(field.type, "extra_json_schema", None) or {}).get("description", ""))
        section = config.section_of(next(f.type for f in msgspec.structs.fields(kind) if f.name == field.name))
        if section is not None:
            found |= documented(section, f"{key}.")
    return found


def test_every_setting_is_documented_by_a_sentence() -> None:
    for key, description in documented(config.Settings).items():
        assert description.endswith("."), key


tables = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*config.Settings.__struct_encode_fields__, "odd"]), tables, max_size=4))
def test_whatever_a_file_holds_it_is_read_or_refused_with_a_code(table: dict[str, Any]) -> None:
    settings = None
    with contextlib.suppress(UsageError):
        settings = config.parse(table, Path("orchestrator.toml"))
    assert settings is None or settings.app.target or settings.app.url
