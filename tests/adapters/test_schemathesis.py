from __future__ import annotations

import ast
import json
import keyword
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.adapters import generated, openapi, schemathesis
from orchestrator.config import Project
from orchestrator.model.operations import Operation
from orchestrator.model.properties import Phase
from tests import builders
from tests.record import DATA

PHASES = ("examples", "coverage", "fuzzing", "stateful")
RECORD = (DATA / "schemathesis" / "4.32.5" / "record.ndjson").read_text("utf-8").splitlines()
KEY = "shop-key-for-tests-only"
HERE = Path("/somewhere/shop")  # nothing is read or written there


def project(**settings: Any) -> Project:
    return builders.project(HERE, **{"openapi": {"path": "openapi.yaml"}, **settings})


def document(*operations: Operation, title: str = "Shop", base_path: str = "") -> openapi.Document:
    return openapi.Document(
        source="openapi.yaml",
        raw={},
        whole={},
        specification="OpenAPI 3.1",
        title=title,
        version="1",
        base_path=base_path,
        operations=operations or (Operation(method="GET", path="/a", operation_id="readA", tag="a"),),
    )


def operation(operation_id: str, tag: str = "a", path: str = "") -> Operation:
    return Operation(method="GET", path=path or f"/{operation_id}", operation_id=operation_id, tag=tag)


def functions_in(files: dict[str, str]) -> dict[str, list[str]]:
    """The names of the test functions of each module; every module is compiled on the way."""
    found = {}
    for name, body in files.items():
        tree = compile(body, name, "exec", ast.PyCF_ONLY_AST)
        functions = [n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
        found[name] = [f for f in functions if f.startswith("test_")]
    return found


def labels_in(files: dict[str, str]) -> list[str]:
    """The labels to which the modules narrow the document, one a test."""
    calls = [node for body in files.values() for node in ast.walk(ast.parse(body)) if isinstance(node, ast.Call)]
    return [ast.literal_eval(c.args[1]) for c in calls if isinstance(c.func, ast.Name) and c.func.id == "only"]


def test_each_tag_has_a_module_and_each_phase_a_test() -> None:
    files = schemathesis.render(
        document(operation("listItems", "Items"), operation("createItem", "Items"), operation("readUser", "users")),
        project(),
    )
    assert sorted(files) == [
        "__init__.py",
        "api.py",
        "conftest.py",
        "test_items.py",
        "test_sequences.py",
        "test_users.py",
    ]
    found = functions_in(files)
    assert found["test_items.py"] == [
        "test_list_items_with_the_documents_examples",
        "test_list_items_at_the_boundaries",
        "test_list_items_with_random_data",
        "test_create_item_with_the_documents_examples",
        "test_create_item_at_the_boundaries",
        "test_create_item_with_random_data",
    ]
    assert len(found["test_users.py"]) == 3


def test_the_recorded_shop_is_rendered() -> None:
    read = openapi.parse((DATA / "shop" / "openapi.yaml").read_bytes(), "openapi.yaml")
    files = schemathesis.render(read, project(identities=[{"name": "buyer", "environment": "SHOP_KEY"}]))
    assert labels_in(files) == ["GET /items"] * 3 + ["POST /items"] * 3 + ["GET /items/{item_id}"] * 3
    assert 'BASE_URL = API_URL + "/v1"' in files["api.py"]
    assert "# List items\n" in files["test_items.py"]
    assert '("buyer", "Authorization"' in files["api.py"].replace("'", '"')


@pytest.mark.parametrize("phases", [(), *((p,) for p in PHASES), ("examples", "fuzzing"), PHASES])
def test_only_the_phases_of_the_settings_are_rendered(phases: tuple[str, ...]) -> None:
    files = schemathesis.render(document(), project(properties={"phases": list(phases)}))
    found = functions_in(files)
    assert ("test_sequences.py" in found) == ("stateful" in phases)
    assert len(found.get("test_a.py", [])) == len(set(phases) - {"stateful"})
    for name in ("check_all", "check"):  # nothing is imported that is not used
        body = files.get("test_a.py", "")
        assert body.count(f"{name}, ") <= body.count(f"    {name}(")


@pytest.mark.parametrize(
    "settings",
    [
        {"properties": {"config": "schemathesis.toml"}},
        {"openapi": {"path": "/openapi.json"}},
        {"openapi": {"path": '/it\'s "here"'}},
        {"properties": {"disable-checks": ["a", "b'\"\\"]}},
        {"properties": {"directory": "tests/deep/er"}},
        {"identities": [{"name": "q\"'\\\n", "header": "X-'", "format": '"{value}"\\', "callable": "a:b"}]},
        {
            "identities": [
                {"name": "a", "command": ["x"], "operations": ["GET *", "P'\"T *"]},
                {"name": "b", "callable": "a:b"},
            ]
        },
    ],
)
def test_settings_are_rendered_as_literals(settings: dict[str, Any]) -> None:
    functions_in(schemathesis.render(document(base_path="/it's\\"), project(**settings)))


def test_an_identity_is_rendered_with_the_variable_that_holds_its_credential() -> None:
    own = {"name": "writer", "environment": "TOKEN", "format": "Bearer {value}", "operations": ["POST *"]}
    files = schemathesis.render(document(), project(identities=[own, {"name": "a reader", "callable": "a:b"}]))
    tree = ast.parse(files["api.py"])
    (rendered,) = (
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "IDENTITIES"
    )
    assert rendered == [
        ("writer", "Authorization", "Bearer {value}", "TOKEN", ["POST *"]),
        ("a reader", "Authorization", "{value}", "API_IDENTITY_A_READER", ["*"]),
    ]


def test_excluded_operations_have_no_test() -> None:
    kept, left_out = operation("a"), msgspec.structs.replace(operation("b"), excluded="too dangerous")
    files = schemathesis.render(document(kept, left_out), project())
    assert set(labels_in(files)) == {kept.label}
    assert repr([left_out.label]) in files["test_sequences.py"]


def test_a_tag_called_sequences_keeps_its_tests() -> None:
    files = schemathesis.render(document(operation("readA", "Sequences")), project())
    assert len(labels_in(files)) == 3
    assert "as_state_machine" in files["test_sequences.py"]


@pytest.mark.parametrize("tag", ["__init__", "conftest", "API", ""])
def test_no_tag_takes_the_place_of_a_helper_module(tag: str) -> None:
    files = schemathesis.render(document(operation("readA", tag)), project())
    assert len(files) == 5
    assert len(labels_in(files)) == 3


@pytest.mark.parametrize(
    ("operation_id", "name"),
    [
        ("createRecord", "create_record"),
        ("CreateHTTPRecord", "create_http_record"),
        ("get-v2.items", "get_v2_items"),
        ("", "get_v1_items_item_id"),
        ("größe", "gr_e"),
        ("日本語", "operation"),
        ("_x_", "x"),
    ],
)
def test_operations_are_named_as_people_say_them(operation_id: str, name: str) -> None:
    described = Operation(method="GET", path="/v1/items/{item_id}", operation_id=operation_id)
    assert schemathesis.identifier(described) == name


hostile = st.lists(
    st.sampled_from(
        [
            *("'", '"', "\\", "\n", '"""', "'''", "#", "{{", "}}", "{%", "%}", "{#", "/", " ", "_", "__", "é", "日"),
            *("class", "def", "None", "sequences", "_2", "2", "A", "a", "aB", "\u2028", "\x00", "\ud800", "\u202e"),
        ]
    ),
    max_size=6,
).map("".join)
labels = st.tuples(st.sampled_from(openapi.METHODS), hostile.map("/".__add__))
described = st.fixed_dictionaries(
    {"operationId": hostile | st.sampled_from([*keyword.kwlist, ""]), "summary": hostile, "tags": st.lists(hostile)}
)


@settings(max_examples=40)  # each renders every template
@given(st.dictionaries(labels, described, min_size=1, max_size=8), hostile)
def test_modules_compile_and_no_test_hides_another_whatever_the_document_says(
    operations: dict[tuple[str, str], dict[str, Any]], title: str
) -> None:
    paths: dict[str, Any] = {}
    for (method, path), definition in operations.items():
        paths.setdefault(path, {})[method] = definition
    raw = {"openapi": "3.1.0", "info": {"title": title, "version": title}, "paths": paths}
    read = openapi.parse(json.dumps(raw).encode(), "api.json")
    files = schemathesis.render(read, project())
    for name, body in files.items():
        assert name.isidentifier() or name.removesuffix(".py").isidentifier()
        assert body.encode()
    found = functions_in(files)
    for names in found.values():
        assert len(names) == len(set(names))
    assert sum(map(len, found.values())) == 3 * len(read.operations)
    assert sorted(labels_in(files)) == sorted([o.label for o in read.operations] * 3)


@given(st.text(max_size=12), st.text(max_size=12))
def test_names_are_identifiers_and_stay_as_they_are(operation_id: str, path: str) -> None:
    name = schemathesis.identifier(Operation(method="GET", path=path, operation_id=operation_id))
    assert f"test_{name}".isidentifier()
    assert name == schemathesis.identifier(Operation(method="GET", path="/", operation_id=name))


def generate(root: Path, *operations: Operation) -> dict[str, str]:
    """Write the modules for these operations; return each one's state."""
    read = document(*operations)
    files = schemathesis.render(read, project())
    modules = generated.write(files, schemathesis.inputs_of(files, read), root / "tests" / "generated", root)
    assert all((root / m.path).is_file() for m in modules)
    return {Path(m.path).name: m.state for m in modules}


def test_modules_are_written_once(tmp_path: Path) -> None:
    first = generate(tmp_path)
    assert set(first.values()) == {"written"}
    folder = tmp_path / "tests" / "generated"
    before = {p.name: (p.stat().st_mtime_ns, p.stat().st_ino) for p in folder.iterdir()}
    assert set(generate(tmp_path).values()) == {"unchanged"}
    assert {p.name: (p.stat().st_mtime_ns, p.stat().st_ino) for p in folder.iterdir()} == before


def test_the_number_of_tests_is_that_of_the_files(tmp_path: Path) -> None:
    read = document(operation("a"), operation("b"))
    files = schemathesis.render(read, project())
    modules = generated.write(files, "0" * 12, tmp_path / "generated", tmp_path)
    assert {m.path: m.tests for m in modules if m.tests} == {
        "generated/test_a.py": 6,
        "generated/test_sequences.py": 1,
    }


def test_a_changed_document_is_written_again(tmp_path: Path) -> None:
    generate(tmp_path, operation("a"))
    assert set(generate(tmp_path, operation("a"), operation("b")).values()) == {"written"}


@pytest.mark.parametrize("edit", ["# mine\n", "\n", "x = 'caf\xe9'\n"])
def test_a_module_that_a_person_edited_is_left_alone(tmp_path: Path, edit: str) -> None:
    generate(tmp_path, operation("a"))
    file = tmp_path / "tests" / "generated" / "test_a.py"
    edited = file.read_bytes() + edit.encode("latin-1")
    file.write_bytes(edited)
    states = generate(tmp_path, operation("a"), operation("b"))
    assert states.pop("test_a.py") == "edited by hand"
    assert set(states.values()) == {"written"}
    assert file.read_bytes() == edited


def test_a_file_that_was_never_ours_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "tests" / "generated"
    folder.mkdir(parents=True)
    (folder / "conftest.py").write_text("mine = True\n")
    (folder / "test_mine.py").write_text("mine = True\n")
    assert generate(tmp_path)["conftest.py"] == "edited by hand"
    assert (folder / "conftest.py").read_text() == (folder / "test_mine.py").read_text() == "mine = True\n"


def test_modules_of_a_tag_that_is_gone_are_removed_unless_edited(tmp_path: Path) -> None:
    generate(tmp_path, operation("a", "a"), operation("b", "b"), operation("c", "c"))
    folder = tmp_path / "tests" / "generated"
    (folder / "test_c.py").write_text((folder / "test_c.py").read_text() + "# mine\n")
    generate(tmp_path, operation("a", "a"))
    assert sorted(p.name for p in folder.glob("test_?.py")) == ["test_a.py", "test_c.py"]


def test_a_module_in_a_checkout_with_other_line_ends_is_still_ours(tmp_path: Path) -> None:
    generate(tmp_path)
    file = tmp_path / "tests" / "generated" / "test_a.py"
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert generate(tmp_path)["test_a.py"] == "unchanged"


def test_a_recorded_run_is_read() -> None:
    found = schemathesis.parse_record(RECORD)
    assert found.finished
    assert found.tests == 10
    assert found.errors == ()
    assert {(c.operation, c.phase) for c in found.cases} >= {
        ("GET /items", Phase.COVERAGE),
        ("GET /items", Phase.FUZZING),
        ("POST /items", Phase.FUZZING),
        ("GET /items/{item_id}", Phase.FUZZING),
        ("POST /items", Phase.STATEFUL),
    }
    assert all(c.sent == sum(c.statuses.values()) for c in found.cases)
    assert {(f.operation, f.check) for f in found.findings} == {
        ("GET /items", "not_a_server_error"),
        ("GET /items", "status_code_conformance"),
        ("POST /items", "response_schema_conformance"),
    }


def test_there_is_one_finding_an_operation_and_check() -> None:
    findings = schemathesis.parse_record(RECORD).findings
    assert len({f.fingerprint for f in findings}) == len(findings) == 3
    crash = findings[0]
    assert (crash.check, crash.severity) == ("not_a_server_error", "critical")
    assert crash.phases == (Phase.COVERAGE, Phase.FUZZING)
    noted = [f for line in RECORD for f in json.loads(line).get("findings", ()) if f["check"] == crash.check]
    assert crash.cases == sum(f["cases"] for f in noted)
    assert len(noted) > 1
    assert len(crash.curl) <= min(len(f["curl"]) for f in noted)
    assert crash.response is not None
    assert crash.response.status == 500


def test_the_worst_findings_come_first() -> None:
    lines = [
        line("t", found("GET /b", "low", severity="low")),
        line("t", found("GET /a", "odd", severity="unheard of")),
        line("t", found("GET /c", "critical", severity="critical")),
        line("t", found("GET /a", "high", severity="high")),
    ]
    assert [f.severity for f in schemathesis.parse_record(lines).findings] == ["critical", "high", "medium", "low"]


def test_a_curl_line_names_the_variable_that_holds_the_credential() -> None:
    read = schemathesis.parse_record(RECORD, secrets=[KEY], variables={"x-api-key": "$SHOP_KEY"})
    for finding in read.findings:
        assert '-H "X-API-Key: $SHOP_KEY"' in finding.curl
        assert "Filtered" not in finding.curl


@pytest.mark.parametrize(
    ("identity", "header", "shown"),
    [
        ({"environment": "TOKEN", "format": "Bearer {value}"}, "authorization", "Bearer $TOKEN"),
        ({"environment": "KEY", "header": "X-API-Key"}, "x-api-key", "$KEY"),
        ({"callable": "a:b", "header": "X-Who"}, "x-who", "$API_IDENTITY_THE_WRITER"),
        ({"environment": "TOKEN", "format": "Token token={value}"}, "authorization", "Token token=$TOKEN"),
    ],
)
def test_a_credential_is_written_as_its_format_says(identity: dict[str, Any], header: str, shown: str) -> None:
    variables = schemathesis.credential_variables(project(identities=[{"name": "the writer", **identity}]))
    assert variables == {header: shown}
    name = header.title()
    (finding,) = schemathesis.parse_record(
        [line("t", found(curl=f"curl -X GET -H '{name}: [Filtered]' http://x/"))], variables=variables
    ).findings
    assert finding.curl == f'curl -X GET -H "{name}: {shown}" http://x/'


def test_a_credential_in_a_header_that_schemathesis_shows_is_a_variable_too() -> None:
    sent = found(curl=f"curl -X GET -H 'X-Who: {KEY}' http://x/")
    (finding,) = schemathesis.parse_record([line("t", sent)], secrets=[KEY], variables={"x-who": "$WHO"}).findings
    assert finding.curl == 'curl -X GET -H "X-Who: $WHO" http://x/'


def test_secrets_are_nowhere_in_what_was_read() -> None:
    leaky = found(
        message=f"{KEY} was sent",
        curl=f"curl http://x/?key={KEY}",
        request={"method": "GET", "url": f"http://x/?key={KEY}", "headers": [["X-Who", KEY]], "body": KEY},
        response={"status": 500, "headers": [["X-Echo", f"a {KEY}"]], "body": f'{{"you": "{KEY}"}}'},
    )
    lines = [*RECORD, line("other", leaky, error=f"Boom: {KEY}")]
    assert KEY in "".join(lines)
    assert KEY not in msgspec.json.encode(schemathesis.parse_record(lines, secrets=[KEY])).decode()


def line(test: str, *findings: dict[str, Any], error: str = "") -> str:
    return json.dumps({"test": test, "cases": [], "findings": findings, "error": error})


def found(operation: str = "GET /a", check: str = "a_check", **more: Any) -> dict[str, Any]:
    """A finding as the recorder notes it."""
    return {
        "operation": operation,
        "check": check,
        "phase": "fuzzing",
        "title": "T",
        "message": "M",
        "severity": "high",
        "curl": "curl http://x/",
        "request": {"method": "GET", "url": "http://x/", "headers": [], "body": ""},
        "response": None,
        "cases": 1,
        **more,
    }


@pytest.mark.parametrize("length", [1, 20, 60])
def test_a_last_line_that_is_cut_off_is_left_out(length: int) -> None:
    whole = schemathesis.parse_record(RECORD[:3])
    cut = schemathesis.parse_record([*RECORD[:3], RECORD[3][:length]])
    assert cut == whole
    assert not cut.finished


def test_lone_surrogates_end_nothing() -> None:
    odd = found(
        message="got \ud800",
        title="T\udfff",
        request={"method": "GET", "url": "http://x/", "headers": [["a", "\ud800"]], "body": "\udcff"},
    )
    read = schemathesis.parse_record([line("t", odd), *RECORD])
    assert read.finished
    assert len(read.findings) == 4
    (finding,) = (f for f in read.findings if f.check == "a_check")
    assert (finding.message, finding.title) == ("got \\ud800", "T\\udfff")
    assert msgspec.json.encode(read)


def test_a_missing_response_is_a_finding_without_one() -> None:
    (finding,) = schemathesis.parse_record([line("t", found(check="response_received"))]).findings
    assert finding.response is None
    assert finding.request is not None


def test_a_test_that_could_not_judge_is_no_finding() -> None:
    read = schemathesis.parse_record([line("test_x", error="Boom: the schema\nis odd")])
    assert read.findings == ()
    (problem,) = read.errors
    assert problem.code == "QO306"
    assert "test_x could not judge: Boom: the schema" in problem.message
    assert problem.detail == "Boom: the schema\nis odd"


def test_a_module_that_cannot_be_collected_is_no_test() -> None:
    read = schemathesis.parse_record([json.dumps({"test": "tests/generated/test_a.py", "error": "SyntaxError"})])
    assert (read.tests, len(read.errors)) == (0, 1)


def test_an_empty_record_is_an_unfinished_run() -> None:
    read = schemathesis.parse_record([])
    assert (read.tests, read.cases, read.findings, read.finished) == (0, (), (), False)
