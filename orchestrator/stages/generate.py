"""Read the OpenAPI document and write readable property tests from it."""

from __future__ import annotations

from orchestrator import text
from orchestrator.adapters import generated, schemathesis
from orchestrator.errors import Code
from orchestrator.model.problem import Problem
from orchestrator.model.stage import Generated, StageResult
from orchestrator.stages.context import Context, completed, skipped

NAME = "generate"


def run(context: Context) -> StageResult:
    """Write the modules whose inputs changed.

    Raises:
        OrchestratorError: the document is missing or broken.
    """
    project = context.project
    if not project.settings.openapi.path:
        return skipped(NAME, "no OpenAPI document: `openapi.path` is not set")
    document = context.document()
    files = schemathesis.render(document, project)
    folder = project.root / project.settings.properties.directory
    modules = generated.write(files, schemathesis.inputs_of(files, document), folder, project.root)
    found = Generated(
        title=document.title,
        version=document.version,
        specification=document.specification,
        base_path=document.base_path,
        operations=document.operations,
        modules=modules,
    )
    edited = [
        Problem(
            code=Code.EDITED_BY_HAND,
            message=f"{m.path} was edited by hand and is left alone",
            hint="Delete it to have it generated again.",
        )
        for m in modules
        if m.state == "edited by hand"
    ]
    written = sum(m.state == "written" for m in modules)
    summary = (
        f"{text.plural(len(found.tested), 'operation')}, {text.plural(sum(m.tests for m in modules), 'test')}"
        f" in {project.settings.properties.directory} ({f'{written} files written' if written else 'unchanged'})"
    )
    return completed(NAME, found, summary, *edited)
