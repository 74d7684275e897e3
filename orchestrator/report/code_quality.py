"""GitLab's code quality report: everything that is wrong in a file that is known.

Source of the format: https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from orchestrator import codec, text
from orchestrator.model.fingerprint import fingerprint
from orchestrator.model.run import Report
from orchestrator.report.problems import Found, found

_SEVERITIES: Final = {"critical": "blocker", "high": "critical", "medium": "major", "low": "minor"}
_DESCRIPTION: Final = 500  # GitLab shows it in one line


def render(report: Report) -> bytes:
    """Return the list of what is wrong, worst first."""
    times: Counter[str] = Counter()
    entries = []
    for one in found(report):
        if one.file:
            times[one.fingerprint] += 1
            entries.append(_entry(one, times[one.fingerprint]))
    return codec.to_json(entries)


def _entry(one: Found, occurrence: int) -> dict[str, Any]:
    title = one.title if one.accepted is None else f"{one.title} (accepted: {one.accepted})"
    return {
        "description": text.cut(f"{title}\n{one.message}", _DESCRIPTION),
        "check_name": one.rule.id,
        # GitLab shows one entry a fingerprint, whatever else is in the others.
        "fingerprint": fingerprint(one.kind, one.fingerprint, *([str(occurrence)] if occurrence > 1 else [])),
        "severity": _SEVERITIES[one.severity] if one.accepted is None else "info",
        "location": {"path": one.file, "lines": {"begin": one.line or 1}},  # a line must be named
    }
