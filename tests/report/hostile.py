"""Twenty strings that have broken pages, tables and terminals before."""

from __future__ import annotations

from typing import Final

STRINGS: Final = (
    "<script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "<!-- --!><svg/onload=alert(1)>",
    "javascript:alert(1)",
    "]]><x/>",
    "&lt;script&gt;&amp;#60;",
    "{{ 7 * 7 }}{% raw %}",
    "| a | b |\n|---|---|",
    "```\n# heading\n```",
    "`code` *bold* _it_ ~~no~~ [a](http://evil.test) ![b](x) <http://x>",
    "@somebody #1 GH-1",
    "- [ ] task\n1. one\n> quote",
    "[red]markup[/red] [/] [link=http://evil.test]x[/link] :boom: \\",
    "\x1b[31mred\x1b]0;title\x07\x00\x08\x7f",
    "\u202egnp.exe\u2066\u200b\ufeff\u2028",
    "lone \ud800 and \udfff",
    "日本語 e\u0301 🙂 \U0001f468\u200d\U0001f469",
    "a" * 5_000 + "\r\n\t" + "b c" * 50,
)
