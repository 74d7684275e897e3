"""Markdown that shows foreign text as it is."""

from __future__ import annotations

import re
from collections.abc import Sequence

from orchestrator import text


def escape(value: str) -> str:
    """Return foreign text that Markdown shows as it is, on one line."""
    flat = " ".join(text.visible(value).split())
    flat = flat.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    flat = re.sub(r"([\\`*_{}\[\]()#+!|~@])", r"\\\1", flat)
    return re.sub(r"^(\d*)([-.=])", r"\1\\\2", flat)  # no list, no heading, where a line begins with it


def code(value: str) -> str:
    """Return foreign text as a code block, whatever backticks it holds."""
    shown = text.visible(value)
    longest = max((len(run) for run in re.findall(r"`+", shown)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{shown}\n{fence}"


def folded(title: str, lines: Sequence[str]) -> list[str]:
    """Return lines that are opened by a click, or only the title when there are none.

    Args:
        title: Text of ours.
        lines: Markdown.
    """
    if not lines:
        return [title]
    return [f"<details><summary>{title}</summary>", "", *lines, "", "</details>"]
