from __future__ import annotations

from typing import Any

import pytest

from orchestrator.contracts import comparator
from tests.contracts.cases import KEY, api, exchange, pact, secured, swagger

BASIC = {"type": "http", "scheme": "basic"}
LOGIN = {"type": "openIdConnect", "openIdConnectUrl": "https://login.test"}


def codes(document: dict[str, Any], **more: Any) -> list[str]:
    return [f.code for f in comparator.check(pact(exchange(**more)), document)]


def test_one_of_several_alternatives_will_do() -> None:
    document = secured({"key": []}, {"basic": []}, key=KEY, basic=BASIC)
    assert codes(document, headers={"X-Key": "k"}) == []
    assert codes(document, headers={"Authorization": "basic abc"}) == []
    assert codes(document) == ["request.authorization.missing"] * 2


def test_a_token_may_stand_for_a_key() -> None:
    document = secured({"key": []}, {"login": []}, key=KEY, login=LOGIN)
    assert codes(document, headers={"Authorization": "Bearer abc"}) == []
    assert codes(document) == ["request.credentials.missing"]


def test_the_name_of_a_key_needs_no_description() -> None:
    query = secured({"key": []}, key={**KEY, "in": "query", "name": "key"})
    assert codes(query, query="key=k&other=1") == ["request.query.unknown"]
    assert codes(secured({"key": []}, key=KEY), headers={"x-key": "k"}) == []


def test_swagger_2_has_its_schemes_elsewhere() -> None:
    document = swagger({"security": [{"basic": []}]}, securityDefinitions={"basic": {"type": "basic"}})
    assert codes(document, headers={"Authorization": "Basic abc"}) == []
    assert codes(document) == ["request.authorization.missing"]


def test_the_documents_security_holds_where_an_operation_says_nothing() -> None:
    schemes = {"securitySchemes": {"key": KEY}}
    assert codes(api(security=[{"key": []}], components=schemes)) == ["request.authorization.missing"]
    assert codes(api({"security": []}, security=[{"key": []}], components=schemes)) == []


@pytest.mark.parametrize(
    "scheme", [{}, {"type": "unheard of"}, {"type": "apiKey", "in": "heaven"}, {"type": "mutualTLS"}]
)
def test_what_says_nothing_that_can_be_looked_for_is_not_asked_for(scheme: Any) -> None:
    assert codes(secured({"it": []}, it=scheme)) == []


def test_a_request_that_is_meant_to_be_refused_needs_no_credentials() -> None:
    document = secured({"key": []}, key=KEY)
    document["paths"]["/things"]["post"]["responses"]["401"] = {"description": "who are you?"}
    assert codes(document, status=401) == []
