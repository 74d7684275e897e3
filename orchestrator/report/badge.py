"""A badge for a README: whether the API passes, and its mutation score."""

from __future__ import annotations

from typing import Final
from xml.sax.saxutils import escape, quoteattr

import msgspec

from orchestrator import text
from orchestrator.errors import ExitCode
from orchestrator.model.run import GateVerdict, Report

LABEL: Final = "API quality"
# White on each of them has a contrast of at least 5 : 1.
_GREEN: Final = "#2e7d32"
_RED: Final = "#c62828"
_GREY: Final = "#616161"
_CHARACTER: Final = 6.6  # about as wide as one of 11 pixels; `textLength` makes up for the font
_PADDING: Final = 12


class Badge(msgspec.Struct, frozen=True, kw_only=True):
    """What a badge says.

    Attributes:
        message: What stands behind the label.
        color: Behind the message.
        failing: Whether something is wrong.
    """

    message: str
    color: str
    failing: bool = False


def badge(report: Report) -> Badge:
    """Return what the badge of a report says: it never says that what was not judged passes."""
    verdict = report.verdict
    failing = [gate for gate in verdict.failing if gate.id != "judged"]
    if failing:
        return Badge(message=f"fails: {text.plural(len(failing), 'gate')}", color=_RED, failing=True)
    if verdict.exit_code == ExitCode.GATE_FAILED or (verdict.passed and not _holding(report)):
        return Badge(message="nothing judged", color=_GREY, failing=not verdict.passed)
    if not verdict.passed:
        return Badge(message="did not complete", color=_RED, failing=True)
    waived = sum(g.verdict is GateVerdict.WAIVED for g in verdict.gates)
    score = report.run.score
    said = [
        "passes",
        *([text.percent(score)] if score is not None else []),
        *([f"{text.plural(waived, 'gate')} waived"] if waived else []),
    ]
    return Badge(message=", ".join(said), color=_GREEN)


def _holding(report: Report) -> bool:
    return any(g.verdict in (GateVerdict.PASS, GateVerdict.WAIVED) for g in report.verdict.gates)


def render(report: Report) -> bytes:
    """Return the badge as an image."""
    shown = badge(report)
    left, right = (_PADDING + round(len(part) * _CHARACTER) for part in (LABEL, shown.message))
    said = f"{LABEL}: {shown.message}"
    font = 'font-family="Verdana,DejaVu Sans,Geneva,sans-serif" font-size="11"'
    image = f"""\
<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" aria-label={quoteattr(said)}>
<title>{escape(said)}</title>
<rect width="{left}" height="20" fill="#424242"/>
<rect x="{left}" width="{right}" height="20" fill="{shown.color}"/>
<g fill="#fff" text-anchor="middle" {font}>
{_text(LABEL, left / 2, left)}
{_text(shown.message, left + right / 2, right)}
</g>
</svg>
"""
    return image.encode()


def _text(said: str, middle: float, width: int) -> str:
    return f'<text x="{middle:g}" y="14" textLength="{width - _PADDING}">{escape(said)}</text>'
