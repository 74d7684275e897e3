from __future__ import annotations

import pytest

from orchestrator.contracts import media


@pytest.mark.parametrize(
    ("asked", "offered", "meant"),
    [
        ("application/json", ["text/plain", "application/json"], "application/json"),
        ("APPLICATION/JSON", ["application/json"], "application/json"),
        ("text/html;charset=utf-8", ["text/html", "text/html; charset=utf-8"], "text/html; charset=utf-8"),
        ("text/html;charset=utf-8", ["text/html"], "text/html"),
        ("application/problem+json", ["application/json"], "application/json"),
        ("application/json", ["application/vnd.a+json"], "application/vnd.a+json"),
        ("application/xml", ["application/json"], None),
        ("image/png", ["text/*", "image/*"], "image/*"),
        ("image/png", ["*/*"], "*/*"),
        ("image/*", ["text/plain", "image/png"], "image/png"),
        ("*/*", ["text/plain", "image/png"], "text/plain"),
        ("text/html;q=0.2, application/json", ["text/html", "application/json"], "application/json"),
        ("text/html;q=0.9, application/json;q=0", ["application/json", "text/html"], "text/html"),
        ("text/html;q=often", ["text/html"], "text/html"),
        ("*/*", [], None),
        ("", ["text/plain"], None),
        ("json", ["application/json"], None),
    ],
)
def test_the_nearest_offered_type_is_meant(asked: str, offered: list[str], meant: str | None) -> None:
    assert media.matching(asked, offered) == meant


def test_bodies_of_json_and_forms_can_be_read() -> None:
    assert [media.readable(one) for one in ("application/problem+json", media.FORM, media.MULTIPART)] == [True] * 3
    assert [media.readable(one) for one in ("text/plain", "application/xml", "")] == [False] * 3


def test_a_parameter_is_found_by_its_name() -> None:
    assert media.parameter('multipart/form-data; Boundary="a b"; x=1', "boundary") == "a b"
    assert media.parameter("multipart/form-data", "boundary") == ""
    assert media.bare(" Text/HTML ; charset=utf-8") == "text/html"
