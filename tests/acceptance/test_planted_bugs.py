"""It finds what is planted: bugs in copies of the backend, each by those stages that should; and none where none is."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest

from orchestrator.adapters import openapi
from orchestrator.errors import ExitCode
from orchestrator.model.run import Run
from tests.acceptance.support import edit, orchestrator, report_of, setting

ROOT = Path(__file__).parents[2]
NEEDED = ("backend", "openapi", "contracts", "tests/backend", "tests/consumers", "tests/__init__.py", "pyproject.toml")

MINT = "POST /v1/uuids"
NAMESPACES = "GET /v1/namespaces"
CREATE_NAMESPACE = "POST /v1/namespaces"
RECORD = "GET /v1/records/{uuid}"
REGISTER = "POST /v1/namespaces/{namespace}/records"
RECORDS = "GET /v1/namespaces/{namespace}/records"
DELETE = "DELETE /v1/records/{uuid}"
INSPECT = "GET /v1/uuids/{uuid}"


class Bug(msgspec.Struct, frozen=True):
    """A bug, and who should find it.

    Attributes:
        name: What is wrong.
        file: Within `backend/app`.
        before: The code as it is.
        after: The code with the bug.
        checks: The checks of schemathesis that find it, if any does; empty: no property follows from the document.
        operations: Those that the property tests are narrowed to, so that the test is quick.
        contracts: Whether a consumer's pact finds it.
        suite: Whether the service's own tests find it.
    """

    name: str
    file: str
    before: str
    after: str
    checks: frozenset[str] = frozenset()
    operations: tuple[str, ...] = ()
    contracts: bool = True
    suite: bool = True


BUGS = (
    Bug(
        "a wrong status",
        "routes/uuids.py",
        "writers.reply(answer, 201,",
        "writers.reply(answer, 202,",
        frozenset({"status_code_conformance"}),
        (MINT,),
    ),
    Bug(
        "a missing field",
        "routes/writers.py",
        '        "remaining": use.remaining,\n',
        "",
        frozenset({"response_schema_conformance"}),
        (NAMESPACES,),
    ),
    Bug(
        "a field of the wrong type",
        "routes/writers.py",
        '"revision": record.revision,',
        '"revision": str(record.revision),',
        frozenset({"response_schema_conformance"}),
        (RECORD,),
    ),
    Bug(
        "a status that the document does not have",
        "routes/records.py",
        "Response(status=204)",
        "Response(status=205)",
        frozenset({"status_code_conformance"}),
        (DELETE,),
    ),
    Bug(
        "an exception on odd input",
        "utils/validation.py",
        "if not isinstance(value, str) or not pattern.fullmatch(value):",
        "if not pattern.fullmatch(value):  # type: ignore[arg-type]",
        frozenset({"not_a_server_error"}),
        (CREATE_NAMESPACE,),
        contracts=False,
    ),
    Bug(
        "requests without a key are answered",
        "utils/auth.py",
        "return self._keys.get(_digest(secret))",
        "return self._keys.get(_digest(secret)) or next(iter(self._keys.values()))",
        frozenset({"ignored_auth"}),
        (NAMESPACES, RECORD),
    ),
    Bug(
        "a page with one item too few",
        "services/paging.py",
        "items = found[:limit]",
        "items = found[: max(1, limit - 1)]",
    ),
    Bug(
        "a lost update",
        "services/records.py",
        "if expected_revision is not None and expected_revision != record.revision:",
        "if expected_revision is not None and expected_revision > record.revision:",
    ),
    Bug(
        "a field that consumers read has another name",
        "routes/writers.py",
        '"next_cursor": page.next_cursor',
        '"next": page.next_cursor',
        frozenset({"response_schema_conformance"}),
        (NAMESPACES,),
    ),
    Bug(
        "a quota that lets one too many in",
        "services/records.py",
        "if namespaces.use_of(session, namespace).remaining == 0:",
        "if namespaces.use_of(session, namespace).used > namespace.quota:",
    ),
    Bug(
        "a deleted record can still be read",
        "services/records.py",
        "    if record.deleted_at is not None:",
        "    if record.deleted_at is not None and not uuid:",
        frozenset({"use_after_free"}),
        (REGISTER, DELETE, RECORD),
    ),
    Bug(
        "a header that is promised is missing",
        "routes/writers.py",
        """return reply(record_document(record), status, ETag=f'"{record.revision}"', **headers)""",
        "return reply(record_document(record), status, **headers)",
        frozenset({"response_headers_conformance"}),
        (RECORD,),
    ),
    Bug(
        "another media type",
        "routes/writers.py",
        'content_type="application/json"',
        'content_type="text/html"',
        frozenset({"content_type_conformance"}),
        (NAMESPACES,),
    ),
    Bug(
        "input that the document forbids is taken",
        "routes/readers.py",
        "lambda text: decimal(text, 1, MAX_LIMIT)",
        "lambda text: decimal(text, 1, 10 * MAX_LIMIT)",
        frozenset({"negative_data_rejection"}),
        (NAMESPACES,),
        contracts=False,
    ),
    Bug(
        "a retired record comes back",
        "services/records.py",
        '"retired": frozenset(),',
        '"retired": frozenset({"active"}),',
        contracts=False,
    ),
    Bug(
        "a history out of order when the clock is set back",
        "services/records.py",
        "return max(last, now)",
        "return now",
        contracts=False,
    ),
)


def copy_of_backend(folder: Path) -> Path:
    """Return a copy of the service with its tests, its pacts and its settings."""
    for name in NEEDED:
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target)
    return folder


def narrow(project: Path, operations: tuple[str, ...]) -> None:
    """Exclude every other operation: the property tests of a few are quick."""
    data = (project / "openapi" / "uuid-service.yaml").read_bytes()
    document = openapi.parse(data, "openapi/uuid-service.yaml")
    with (project / "pyproject.toml").open("a") as file:
        for operation in document.operations:
            if operation.label not in operations:
                line = f'operation = "{operation.label}"\nreason = "not concerned"\n'
                file.write(f"\n[[tool.orchestrator.openapi.exclude]]\n{line}")


def found_by(run: Run) -> set[str]:
    """Return the stages that report something."""
    found = set()
    if run.properties and run.properties.findings:
        found.add("properties")
    if run.contracts and run.contracts.failures:
        found.add("contracts")
    if run.suite and any(test.outcome.is_red for test in run.suite.tests):
        found.add("suite")
    return found


@pytest.mark.slow
@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name.replace(" ", "-"))
def test_a_planted_bug_is_found_by_the_stages_that_should(bug: Bug, tmp_path: Path) -> None:
    project = copy_of_backend(tmp_path)
    edit(project / "backend" / "app" / bug.file, bug.before, bug.after)
    setting(project, "gates.suite-success = 100")  # by default two red tests of hundreds are let pass
    setting(project, "tests.coverage = false")
    setting(project, "tests.workers = 1")  # these tests are run side by side themselves
    expected = {"suite"} if bug.suite else set()
    if bug.checks:
        narrow(project, bug.operations)
        expected.add("properties")
    if bug.contracts:
        expected.add("contracts")
    ended = orchestrator(project, "run", *(f"--stage={name}" for name in sorted(expected)))
    run = report_of(project).run
    assert found_by(run) == expected, ended.output
    assert ended.code == ExitCode.GATE_FAILED, ended.output
    if bug.checks:
        assert run.properties is not None
        assert bug.checks <= {f.check for f in run.properties.findings}
        assert {f.operation for f in run.properties.findings} <= set(bug.operations)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2026, 987_654])
def test_nothing_is_reported_on_the_clean_service(seed: int, tmp_path: Path) -> None:
    project = copy_of_backend(tmp_path)
    stages = ("--stage=properties", "--stage=contracts", *(["--stage=suite"] if seed == 1 else []))
    ended = orchestrator(project, "run", *stages, "--seed", str(seed))
    assert ended.code == ExitCode.PASSED, ended.output
    run = report_of(project).run
    assert found_by(run) == set()
    assert run.properties is not None
    assert run.properties.sent > 500
    assert run.contracts is not None
    assert len(run.contracts.interactions) >= 20
