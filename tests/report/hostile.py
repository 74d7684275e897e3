"""Strings that have broken pages, tables, terminals, data formats and logs before."""

from __future__ import annotations

from typing import Final

STRINGS: Final = (
    # Markup, and what ends an element or an attribute
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "</title></textarea></noscript></template><img src=x onerror=alert(1)>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "` onfocus=alert(1) autofocus x=`",
    "<!-- --!><svg/onload=alert(1)>",
    "<svg><script href=data:,alert(1) /></svg>",
    '<math><mi//xlink:href="data:x,<script>alert(1)</script>">',
    "<iframe srcdoc='<script>parent.alert(1)</script>'>",
    "<base href=//evil.test/><form action=//evil.test><input name=a>",
    "<meta http-equiv=refresh content=0;url=//evil.test>",
    "<details open ontoggle=alert(1)>",
    "<b id=main><b id=filter><b id=packed-cards>",
    "]]><x/>",
    "<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>&a;",
    "&lt;script&gt;&amp;#60;",
    "&#x0; &#xD800; &notanentity;",
    # Addresses
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "//evil.test/%2e%2e/../../etc/passwd#mutant-1",
    # Templates
    "{{ 7 * 7 }}{% raw %}",
    "${7*7} #{7*7} <%= 7*7 %> $(id) `id` %(name)s {0} %n",
    # Markdown and tables
    "| a | b |\n|---|---|",
    "```\n# heading\n```",
    "`code` *bold* _it_ ~~no~~ [a](http://evil.test) ![b](x) <http://x>",
    "@somebody #1 GH-1",
    "- [ ] task\n1. one\n> quote",
    "</details></summary>",
    "[a]: javascript:alert(1)\n[b][a]",
    # Terminals, logs and other formats
    "[red]markup[/red] [/] [link=http://evil.test]x[/link] :boom: \\",
    "\x1b[31mred\x1b]0;title\x07\x00\x08\x7f",
    "\x1b]8;;http://evil.test\x1b\\link\x1b]8;;\x1b\\\x9b2J",
    "::error file=a.py,line=1::owned%0A::set-output name=x::y",
    "##[group]x\r\n::add-mask::y\n::endgroup::",
    '=HYPERLINK("http://evil.test","x")',
    "+1-2@SUM(1+1)*cmd|' /C calc'!A0",
    'orchestrator_exit_code{a="b"} 7\n# TYPE x counter\n\\n"',
    '","level":"none","x":"\\u0000',
    # Characters that act, hide or can't be encoded
    "\u202egnp.exe\u2066\u200b\ufeff\u2028",
    "a\u200db\u00adc\u2060d\u180ee\u115ff\u3164g",
    "lone \ud800 and \udfff",
    "\udc80\ud83d",
    "\U000e0041\U000e007f\ufffe\uffff\U0010ffff",
    "日本語 e\u0301 🙂 \U0001f468\u200d\U0001f469",
    "\u0430dmin Ａ Ⅷ ﷽ " + "e" + "\u0301" * 50,
    "\x00",
    # Length and emptiness
    " \t\n ",
    "a" * 5_000 + "\r\n\t" + "b c" * 50,
)
