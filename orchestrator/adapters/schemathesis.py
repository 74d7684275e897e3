"""Property tests: readable pytest modules from the OpenAPI document, and what running them found.

The modules are made for schemathesis' pytest mode (its public interface); `schemathesis_recorder` listens while
they run. Each phase has a test of its own, because pytest mode stops at an operation's first failing case.
"""

from __future__ import annotations

import itertools
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from orchestrator import text
from orchestrator.adapters import generated
from orchestrator.adapters.openapi import Document
from orchestrator.config import Project
from orchestrator.errors import Code
from orchestrator.model.fingerprint import fingerprint
from orchestrator.model.operations import Operation
from orchestrator.model.problem import Problem
from orchestrator.model.properties import Cases, Finding, Phase, Request, Response

RECORDER: Final = "orchestrator.adapters.schemathesis_recorder"
RECORD_VARIABLE: Final = "ORCHESTRATOR_PROPERTIES"
SCENARIOS_VARIABLE: Final = "ORCHESTRATOR_SCENARIOS"
UNSAVED: Final = ("operation", "_auth")  # what is not kept of a case
STEPS: Final = 6
_SEQUENCES: Final = "sequences"
_ENDINGS: Final = {
    "examples": "with_the_documents_examples",
    "coverage": "at_the_boundaries",
    "fuzzing": "with_random_data",
}
_SEVERITIES: Final = ("critical", "high", "medium", "low")


def identifier(operation: Operation) -> str:
    """Return the operation's name as people say it, as the rest of a Python name: `create_record`."""
    return generated.snake_case(operation.operation_id or f"{operation.method} {operation.path}") or "operation"


def render(document: Document, project: Project) -> dict[str, str]:
    """Return the generated files: name in the folder, content without the first line.

    Args:
        document: The API's description.
        project: Whose settings decide about phases, limits and identities.
    """
    settings = project.settings
    environment = generated.environment()
    environment.filters["identifier"] = identifier
    folder = project.root / settings.properties.directory
    served = settings.openapi.path.startswith("/")
    phases = [p for p in ("examples", "coverage", "fuzzing") if p in settings.properties.phases]
    title = generated.comment(f"{document.title} {document.version}".strip())
    files = {
        "__init__.py": '"""Property tests that follow from the OpenAPI document."""\n',
        "conftest.py": environment.get_template("conftest.py.jinja").render(),
        "api.py": environment.get_template("api.py.jinja").render(
            directory=settings.properties.directory,
            base_path=generated.literal(document.base_path),
            file="" if served else generated.literal(_relative(project.root / settings.openapi.path, folder)),
            config=settings.properties.config
            and generated.literal(_relative(project.root / settings.properties.config, folder)),
            url_path=generated.literal(settings.openapi.path),
            seed=settings.seed,
            max_examples=settings.properties.max_examples,
            scenarios=settings.properties.scenarios,
            checks={name: {"enabled": False} for name in sorted(settings.properties.disable_checks)},
            request_timeout=settings.properties.request_timeout,
            identities=[
                generated.literal((i.name, i.header, i.format, i.environment or _variable(i.name), list(i.operations)))
                for i in settings.identities
            ],
        ),
    }
    imported = [*(["check"] if set(phases) - {"coverage"} else []), *(["check_all"] if "coverage" in phases else [])]
    if phases:
        for tag, operations in _by_tag(document.tested):
            files[f"test_{_module_name(tag)}.py"] = environment.get_template("operations.py.jinja").render(
                title=title,
                tag=generated.comment(tag),
                operations=operations,
                phases=phases,
                imported=[*imported, "load", "only"],
                endings=_ENDINGS,
            )
    if "stateful" in settings.properties.phases:
        files[f"test_{_SEQUENCES}.py"] = environment.get_template("sequences.py.jinja").render(
            title=title, steps=STEPS, excluded=sorted(o.label for o in document.operations if o.excluded)
        )
    return files


def _variable(name: str) -> str:
    return "API_IDENTITY_" + re.sub(r"[^0-9A-Z]+", "_", name.upper())


def _relative(path: Path, folder: Path) -> str:
    return Path(os.path.relpath(path, folder)).as_posix()


def _module_name(tag: str) -> str:
    name = re.sub(r"[^0-9a-z]+", "_", tag.lower()).strip("_") or "operations"
    return f"{name}_operations" if name == _SEQUENCES else name


def _by_tag(operations: Iterable[Operation]) -> list[tuple[str, list[Operation]]]:
    """Group operations by their tag, those whose tags give the same file name together."""
    groups = itertools.groupby(sorted(operations, key=lambda o: _module_name(o.tag)), lambda o: _module_name(o.tag))
    listed = [list(members) for _, members in groups]
    return [(members[0].tag, _with_distinct_names(members)) for members in listed]


def _with_distinct_names(operations: Sequence[Operation]) -> list[Operation]:
    """Two operations whose names would be the same Python name are told apart by a number."""
    names = generated.apart(map(identifier, operations))
    return [msgspec.structs.replace(o, operation_id=name) for o, name in zip(operations, names, strict=True)]


def inputs_of(files: Mapping[str, str], document: Document) -> str:
    """Return what the generated files depend on, as a fingerprint."""
    return fingerprint(*itertools.chain.from_iterable(sorted(files.items())), document.source)


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """What a run of the generated modules found.

    Attributes:
        cases: Per operation and phase.
        findings: Deduplicated per operation and check.
        tests: How many generated tests ran.
        errors: Tests that could not judge.
        finished: Whether the session came to its end.
    """

    cases: tuple[Cases, ...]
    findings: tuple[Finding, ...]
    tests: int
    errors: tuple[Problem, ...]
    finished: bool


def parse_record(
    lines: Iterable[str], *, secrets: Sequence[str] = (), variables: Mapping[str, str] = {}, url: str = ""
) -> Recorded:
    """Return what the recorder wrote.

    Args:
        lines: Its JSON lines; a last line that is cut off is left out.
        secrets: Credentials, to be redacted.
        variables: Header in lower case → shell variable that holds the credential, for the curl lines.
        url: Where the app was served for this run only; empty: it is served there all the time.
    """
    sent: dict[tuple[str, Phase], dict[str, int]] = {}
    findings: dict[tuple[str, str], list[dict[str, Any]]] = {}
    errors = []
    tests: set[str] = set()
    finished = False
    for line in lines:
        try:
            record = json.loads(line)  # not msgspec: it refuses lone surrogates
        except json.JSONDecodeError:
            break  # the session was ended while it wrote
        if "cases" in record:
            tests.add(record["test"])
        for operation, phase, status, count in record.get("cases", ()):
            statuses = sent.setdefault((operation, Phase(phase)), {})
            statuses[str(status)] = statuses.get(str(status), 0) + count
        for found in record.get("findings", ()):
            findings.setdefault((found["operation"], found["check"]), []).append(found | {"test": record["test"]})
        if record.get("error"):
            errors.append(_error(record["test"], record["error"], secrets))
        finished = finished or "exit" in record
    return Recorded(
        cases=tuple(
            Cases(
                operation=operation, phase=phase, sent=sum(statuses.values()), statuses=dict(sorted(statuses.items()))
            )
            for (operation, phase), statuses in sent.items()
        ),
        findings=tuple(
            sorted((_finding(found, secrets, variables, url) for found in findings.values()), key=_importance)
        ),
        tests=len(tests),
        errors=tuple(errors),
        finished=finished,
    )


def _importance(finding: Finding) -> tuple[int, str, str]:
    return _SEVERITIES.index(finding.severity), finding.operation, finding.check


def _error(test: str, message: str, secrets: Sequence[str]) -> Problem:
    return Problem(
        code=Code.PROPERTIES_FAILED,
        message=f"{text.one_line(test)} could not judge: {text.one_line(message, secrets=secrets)}",
        hint="It is usually the document: run that test alone with `orchestrator serve` and pytest.",
        detail=text.clean(message, secrets=secrets),
    )


def _finding(seen: Sequence[dict[str, Any]], secrets: Sequence[str], variables: Mapping[str, str], url: str) -> Finding:
    """Put together what several tests saw of one operation and check: the smallest request stands for all."""
    smallest = min(seen, key=lambda found: (len(found["curl"]), found["curl"]))
    request, response = smallest["request"], smallest["response"]
    severities = [found["severity"] for found in seen if found["severity"] in _SEVERITIES]
    return Finding(
        fingerprint=fingerprint("property", smallest["operation"], smallest["check"]),
        operation=text.one_line(smallest["operation"]),
        check=text.one_line(smallest["check"]),
        title=text.one_line(smallest["title"]),
        message=text.clean(smallest["message"], secrets=secrets),
        severity=min(severities, key=_SEVERITIES.index, default="medium"),
        phases=tuple(p for p in Phase if any(found["phase"] == p for found in seen)),
        cases=sum(found["cases"] for found in seen),
        request=request
        and Request(
            method=text.one_line(request["method"]),
            url=text.clean(request["url"], limit=2000, secrets=secrets),
            headers=_headers(request["headers"], secrets),
            body=text.clean(request["body"], secrets=secrets),
        ),
        response=response
        and Response(
            status=response["status"],
            headers=_headers(response["headers"], secrets),
            body=text.clean(response["body"], secrets=secrets),
        ),
        curl=shown_curl(smallest["curl"], secrets, variables, url),
        test=text.one_line(smallest["test"]),
    )


def shown_curl(curl: str, secrets: Sequence[str], variables: Mapping[str, str], url: str) -> str:
    """Return a curl line as people may see it: without credentials, and with variables in their place.

    Args:
        curl: As schemathesis writes it.
        secrets: Credentials.
        variables: Header in lower case → shell variable that holds the credential.
        url: Where the app was served for this run only; empty: it is served there all the time.
    """
    return _with_address(_with_variables(text.clean(curl, limit=8000, secrets=secrets), variables), url)


def _headers(pairs: Sequence[Sequence[str]], secrets: Sequence[str]) -> tuple[tuple[str, str], ...]:
    cleaned = (text.one_line(f"{name}: {value}", secrets=secrets).partition(": ") for name, value in pairs)
    return tuple((name, value) for name, _, value in cleaned)


def _with_variables(curl: str, variables: Mapping[str, str]) -> str:
    """Return the curl line with `$VARIABLE` where schemathesis, or we, left a credential out."""

    def name(match: re.Match[str]) -> str:
        variable = variables.get(match[1].lower())
        return f'-H "{match[1]}: {variable}"' if variable else match[0]

    return re.sub(r"-H '([^:']+): [^']*\[(?:Filtered|redacted)\]'", name, curl)


def _with_address(curl: str, url: str) -> str:
    """Return the curl line with `$API_URL` for an address that is gone when the run has ended."""
    if not url:
        return curl
    return curl.replace(f"'{url}", '"$API_URL"\'').replace(url, '"$API_URL"')


def credential_variables(project: Project) -> dict[str, str]:
    """Return, per header in lower case, what stands for its credential in a curl line: `Bearer $TOKEN`."""
    return {
        i.header.lower(): i.format.replace("{value}", "$" + (i.environment or _variable(i.name)))
        for i in reversed(project.settings.identities)
    }
