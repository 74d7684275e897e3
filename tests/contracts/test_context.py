from __future__ import annotations

from orchestrator.contracts import comparator
from tests.contracts.cases import NUMBER, TEXT, answered, answering, exchange, pact, parameter, thing


def test_a_finding_names_the_value_and_the_place_in_it() -> None:
    (found,) = comparator.check(pact(answered({"a": {"b": ["x"]}})), answering(thing(a=thing(b={"items": NUMBER}))))
    assert found.message == 'the response body at a/b/0: "x" is not of type "integer"'
    assert found.at_pact == ("response", "body", "a", "b", "0")


def test_a_schema_that_is_none_is_told_where_it_is_needed_and_the_rest_goes_on() -> None:
    document = answering(thing(a={"type": "thing"}))
    document["paths"]["/things"]["post"]["parameters"] = [parameter("page", "query", TEXT, required=True)]
    found = comparator.check(pact(answered({"a": 1}), exchange()), document)
    assert [(f.index, f.code) for f in found] == [
        (0, "request.query.incompatible"),
        (0, "document.schema.unreadable"),
        (1, "request.query.incompatible"),
    ]
    assert found[1].at_document[-1] == "schema"
