"""The page: one self-contained HTML file, rendered with Jinja2 from the report alone.

Its Content-Security-Policy allows its own style sheet and scripts, by their hashes, and nothing else: text from
responses is shown, whatever it holds. What is too much for the page as such lies in it packed: the cards of survivors
after the first hundred, the mutants by file, and the viewer of these.
"""

from __future__ import annotations

import base64
import contextlib
import gzip
import hashlib
import re
import shlex
from functools import cache
from pathlib import Path
from typing import Any, Final

import jinja2
import msgspec
from jinja2.bccache import Bucket
from markupsafe import Markup

from orchestrator import errors, text
from orchestrator.model.mutation import LAYERS, Mutant, Step
from orchestrator.model.run import Report
from orchestrator.report import stryker
from orchestrator.report.view import MOST_USES, View, target, test_id, view

FOLDER: Final = Path(__file__).parent
TEMPLATES: Final = FOLDER / "templates"
VIEWER: Final = FOLDER / "vendor" / "mutation-test-elements.js"
LONGEST: Final = 20_000  # characters of one text on the page; run.json has it whole

# A step, how it is shown, its sign: the colour is never the only one.
_STEPS: Final[dict[Step | None, tuple[str, str]]] = {
    Step.REVEALED: ("good", "●"),
    Step.PROPAGATED: ("bad", "◐"),
    Step.REACHED: ("warn", "○"),
    Step.REACHED_UNSEEN: ("warn", "○"),
    Step.NOT_REACHED: ("none", "–"),
    None: ("none", "?"),
}
_GLOSSARY: Final = {
    "operation": "One method on one path of the API, as the OpenAPI document describes it.",
    "mutant": "A small change made to the code on purpose, to see whether anybody notices.",
    "survivor": "A mutant that nobody notices: every test, generated case and interaction still passes.",
    "layer": "Who could notice: the project's own tests (unit), the tests generated from the OpenAPI document "
    "(property), the consumers' pacts (contract).",
    "not reached": "Nothing of the layer executes the changed code.",
    "reached": "The changed code is executed, and every response stays the same.",
    "propagated": "A response differs, and whoever gets it says nothing.",
    "revealed": "Somebody notices: a test, a check or an interaction fails.",
    "oracle gap": "A test gets the broken response and passes: an assertion is missing.",
    "input gap": "No request of the tests makes a difference visible: a request is missing.",
    "finding": "A promise of the OpenAPI document that the API does not keep.",
    "consumer": "A program that uses the API, and says in a pact what it relies on.",
    "interaction": "A request and the response that a consumer relies on.",
    "gate": "A condition that the run must meet.",
    "baseline": "An earlier run that was accepted, which this one is compared with.",
    "waiver": "Leave for a gate or a finding to fail until a day; somebody answers for it.",
}


def render(report: Report) -> bytes:
    """Return the page."""
    shown = view(report)
    environment = _environment()
    style, script, frame = (_asset(name) for name in ("style.css", "page.js", "frame.js"))
    archives = _archives(report, shown, environment, frame)
    page = environment.get_template("page.html.jinja").render(
        report=report,
        run=report.run,
        verdict=report.verdict,
        view=shown,
        sections=_sections(report, shown),
        archives=archives,
        style=style,
        script=script,
        policy=_policy(style, script, frame, with_viewer=bool(report.run.mutation and report.run.mutation.mutants)),
    )
    return page.encode("utf-8", errors="backslashreplace")


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        bytecode_cache=_kept(),
        finalize=_shown,
    )
    environment.globals |= {"GLOSSARY": _GLOSSARY, "LAYERS": LAYERS, "STEPS": _STEPS, "MOST_USES": MOST_USES}
    environment.filters |= {
        "plural": text.plural,
        "duration": text.seconds,
        "percent": _percent,
        "anchor": errors.anchor,
        "moment": _moment,
        "slug": _slug,
        "link": target,
        "seen_by": _seen_by,
        "test_id": test_id,
    }
    return environment


def _shown(value: Any) -> Any:
    """Return what a template writes: foreign text made visible once more, for the run may come from elsewhere."""
    return text.cut(text.visible(value), LONGEST) if type(value) is str else value


class _CompiledTemplates(jinja2.FileSystemBytecodeCache):
    """Compiled templates, kept in a folder of the user's own: to compile them takes longer than to render a page."""

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep a template, if that can be done."""
        with contextlib.suppress(OSError):
            super().dump_bytecode(bucket)


def _kept() -> _CompiledTemplates | None:
    try:
        return _CompiledTemplates()
    except (OSError, RuntimeError):  # there is no folder that is the user's own
        return None


@cache
def _asset(name: str) -> str:
    return (TEMPLATES / name).read_text("utf-8").strip()


@cache
def _viewer() -> str:
    """Return the viewer's code, without the one style attribute that the policy would have to allow."""
    return VIEWER.read_text("utf-8").replace(' style="box-shadow: none"', "")


def _policy(style: str, *scripts: str, with_viewer: bool) -> str:
    """Return the page's policy. A frame made by `srcdoc` has that of its page, so what the viewer needs is in it."""
    allowed = [_hash(script) for script in (*scripts, *([_viewer()] if with_viewer else []))]
    rules = ["default-src 'none'", f"script-src {' '.join(allowed)}", f"style-src {_hash(style)}"]
    if with_viewer:
        rules.append("img-src data:")  # its icons
    return "; ".join([*rules, "base-uri 'none'", "form-action 'none'"])


@cache
def _hash(code: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()}'"


def _archives(report: Report, shown: View, environment: jinja2.Environment, frame: str) -> list[tuple[str, Markup]]:
    """Return what lies packed in the page: (id, gzip in base64)."""
    found = []
    if shown.ranked.rest:
        card = environment.get_template("sections/card.html.jinja").module.card  # type: ignore[attr-defined]
        rest = [
            ([text.visible(m.fingerprint) for m in c.mutants], text.visible(c.find), str(card(c)))
            for c in shown.ranked.rest
        ]
        found.append(("packed-cards", _packed(msgspec.json.encode(rest))))
    if report.run.mutation and report.run.mutation.mutants:
        found.append(("packed-mutants", _packed(msgspec.json.encode(_for_viewer(stryker.document(report))))))
        found.append(("packed-viewer", _packed_viewer()))
        found.append(("packed-frame", _packed(frame.encode())))
    return found


def _for_viewer(document: stryker.Document) -> dict[str, Any]:
    """Return Stryker's document in fewer bytes; `frame.js` makes whole again what the viewer shows of it."""
    files = {
        path: {"language": file.language, "source": file.source, "mutants": [_in_short(m) for m in file.mutants]}
        for path, file in document.files.items()
    }
    return {
        "schemaVersion": document.schema_version,
        "thresholds": document.thresholds,
        "framework": document.framework,
        "files": files,
        "testFiles": document.test_files,
    }


def _in_short(mutant: stryker.MutantResult) -> dict[str, Any]:
    """Return a mutant without its id and its duration, and without what is said twice.

    In its reason, a character that visible text can't have stands for its killer.
    """
    start, end = mutant.location.start, mutant.location.end
    killer, reason = next(iter(mutant.killed_by), ""), mutant.status_reason
    needed = {
        "mutatorName": mutant.mutator_name,
        "location": (start.line, start.column, end.line - start.line, end.column - start.column),
        "status": mutant.status,
        "replacement": mutant.replacement,
        "description": mutant.description,
    }
    more = {
        "statusReason": reason.replace(killer, "\0", 1) if killer else reason,
        "killedBy": mutant.killed_by,
        "coveredBy": mutant.covered_by if mutant.covered_by != mutant.killed_by else (),
        "static": mutant.static,
    }
    return {**needed, **{field: value for field, value in more.items() if value}}


def _packed(data: bytes) -> Markup:
    return Markup(base64.b64encode(gzip.compress(data, mtime=0)).decode())  # noqa: S704 - nothing in it acts


@cache
def _packed_viewer() -> Markup:
    return _packed(_viewer().encode())


def _sections(report: Report, shown: View) -> list[tuple[str, str, int]]:
    """Return the sections that the bar names: id, name, how much is in it that matters."""
    return [
        ("gates", "Gates", len(report.verdict.failing)),
        ("changes", "Changes", len(shown.new)),
        ("stages", "Stages", sum(bool(s.error) for s in report.run.stages)),
        ("operations", "Operations", 0),
        ("survivors", "Survivors", shown.survivors),
        ("findings", "Findings", len(shown.findings) + shown.hidden_findings),
        ("mismatches", "Mismatches", len(shown.mismatches) + shown.hidden_mismatches),
        ("description", "Description", len(report.run.description.felt) if report.run.description else 0),
        ("suite", "Tests", len(shown.red) + shown.hidden_red),
        ("mutants", "By file", 0),
        ("history", "History", 0),
        ("provenance", "Provenance", 0),
    ]


def _percent(value: float | None) -> str:
    return "not computed" if value is None else text.percent(value)


def _moment(started: str) -> str:
    return started.replace("T", " ").replace("Z", " UTC")


def _slug(name: str) -> str:
    return re.sub(r"\W+", "-", name)


def _seen_by(mutant: Mutant) -> str:
    """Return the tests that see a survivor's damage, as arguments of pytest."""
    return shlex.join(dict.fromkeys(gap.test for gap in mutant.gaps if gap.layer == "unit"))
