"""What holds for all documents, whatever is in them."""

from __future__ import annotations

import copy
import random
import re
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.contracts import breaking
from orchestrator.contracts.evolution.rules import RULES
from tests.contracts.evolution.examples import EXAMPLES, Json, document

NAMES = st.sampled_from(["a", "b", "c"])
REFERENCES = st.sampled_from(["A", "B", "C"]).map(lambda name: {"$ref": f"#/components/schemas/{name}"})
LEAVES = st.one_of(
    st.fixed_dictionaries({"type": st.just("string")}, optional={"maxLength": st.integers(1, 9), "format": NAMES}),
    st.fixed_dictionaries({"type": st.sampled_from(["integer", "number"])}, optional={"minimum": st.integers(0, 9)}),
    st.fixed_dictionaries({"enum": st.lists(NAMES, min_size=1, unique=True)}),
    st.fixed_dictionaries({"type": st.just(["string", "null"])}),
)
# An `allOf` in which something is a part of itself says nothing: D refers to nothing.
PARTS = st.one_of(
    st.just({"$ref": "#/components/schemas/D"}),
    st.fixed_dictionaries({"properties": st.dictionaries(NAMES, LEAVES | REFERENCES), "required": st.lists(NAMES)}),
    LEAVES,
)


def _deeper(inner: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    properties = st.dictionaries(NAMES, inner, max_size=3)
    choices = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        st.fixed_dictionaries(
            {"type": st.just("object"), "properties": properties},
            optional={"required": st.lists(NAMES, unique=True), "additionalProperties": inner | st.just(False)},
        ),
        st.fixed_dictionaries({"type": st.just("array"), "items": inner}),
        st.fixed_dictionaries({"allOf": st.lists(PARTS, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"oneOf": choices}),
        st.fixed_dictionaries({"anyOf": choices}),
    )


SCHEMAS = st.recursive(LEAVES | REFERENCES, _deeper, max_leaves=8)
PARAMETERS = st.lists(
    st.fixed_dictionaries({"name": NAMES, "in": st.sampled_from(["query", "header"]), "schema": SCHEMAS}),
    max_size=3,
    unique_by=lambda parameter: (parameter["name"], parameter["in"]),
)


@st.composite
def documents(draw: st.DrawFn) -> Json:
    """Documents with schemas that refer to each other, in circles too."""

    def content() -> Json:
        return {"content": {"application/json": {"schema": draw(SCHEMAS)}}}

    operation = {"parameters": draw(PARAMETERS), "requestBody": content(), "responses": {"200": content()}}
    components = {"schemas": {**{name: draw(SCHEMAS) for name in "ABC"}, "D": draw(LEAVES)}}
    return document({"tags": ["b", "a"], "security": [{"k": []}, {"l": []}], **operation}, components=components)


def rewritten(value: Any, change: Callable[[Json], Json]) -> Any:
    """A document with every mapping in it changed, the inner ones first."""
    if isinstance(value, dict):
        return change({name: rewritten(inner, change) for name, inner in value.items()})
    return [rewritten(inner, change) for inner in value] if isinstance(value, list) else value


@given(documents())
def test_a_document_has_not_changed_from_itself(raw: Json) -> None:
    assert breaking.changes(raw, copy.deepcopy(raw)) == ()


@given(documents(), st.randoms(use_true_random=False))
def test_the_order_in_which_things_are_written_means_nothing(raw: Json, chance: random.Random) -> None:
    lists = {"parameters", "enum", "required", "oneOf", "anyOf", "allOf", "tags", "security"}

    def shuffle(mapping: Json) -> Json:
        names = chance.sample(list(mapping), len(mapping))
        return {n: chance.sample(mapping[n], len(mapping[n])) if n in lists else mapping[n] for n in names}

    assert breaking.changes(raw, rewritten(raw, shuffle)) == ()


@given(documents(), documents(), st.randoms(use_true_random=False))
def test_nor_for_what_has_changed(before: Json, after: Json, chance: random.Random) -> None:
    def shuffle(mapping: Json) -> Json:
        return {name: mapping[name] for name in chance.sample(list(mapping), len(mapping))}

    changes = breaking.changes(before, after)
    again = breaking.changes(rewritten(before, shuffle), rewritten(after, shuffle))
    assert [c.fingerprint for c in again] == [c.fingerprint for c in changes]


@given(documents())
def test_a_schema_that_is_written_out_says_what_the_reference_said(raw: Json) -> None:
    schemas = raw["components"]["schemas"]

    def written_out(mapping: Json) -> Json:
        reference = mapping.get("$ref")
        return copy.deepcopy(schemas[reference[-1]]) if isinstance(reference, str) else mapping

    assert breaking.changes(raw, rewritten(raw, written_out)) == ()
    assert breaking.changes(rewritten(raw, written_out), raw) == ()


@given(documents(), documents())
def test_each_change_has_a_fingerprint_of_its_own_and_a_sentence(before: Json, after: Json) -> None:
    changes = breaking.changes(before, after)
    assert len({change.fingerprint for change in changes}) == len(changes)
    for change in changes:
        assert change.rule in RULES
        assert change.message.endswith(".")
        assert change.message.count("\n") == 0


KEYWORDS = st.sampled_from(
    re.findall(
        r"\S+",
        """
        openapi swagger paths /a /a/{b} get post parameters name in schema type required properties items allOf oneOf
        anyOf $ref enum const default format responses 200 content application/json headers requestBody security
        components schemas securitySchemes flows implicit scopes discriminator mapping deprecated x-sunset tags
        operationId minimum exclusiveMinimum maxLength nullable dependentRequired patternProperties prefixItems
        x-extensible-enum webhooks propertyName collectionFormat style explode consumes produces not if then
        securityDefinitions
        """,
    )
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["#/", "#/paths", "#/components/schemas/A", "other.yaml#/A", "http://x.test/a", "query", "object"]),
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(KEYWORDS | st.integers() | st.text(), inner, max_size=6)
    ),
    max_leaves=40,
)
BROKEN = st.builds(
    lambda operation, components, more: {**document(operation, components=components), **more},
    st.dictionaries(KEYWORDS, ANYTHING, max_size=8),
    st.dictionaries(KEYWORDS, ANYTHING, max_size=4),
    st.dictionaries(KEYWORDS, ANYTHING, max_size=2),
)
HOSTILE = st.dictionaries(KEYWORDS | st.text(max_size=3), ANYTHING, max_size=6) | BROKEN


@given(HOSTILE, HOSTILE)
def test_whatever_a_document_holds_it_is_compared(before: Json, after: Json) -> None:
    for change in breaking.changes(before, after):
        assert change.rule in RULES
        assert change.message == change.message.encode("utf-8").decode("utf-8")


@given(HOSTILE)
def test_whatever_a_document_holds_it_has_not_changed_from_itself(raw: Json) -> None:
    assert breaking.changes(raw, copy.deepcopy(raw)) == ()


@given(st.sampled_from(sorted(EXAMPLES)), st.data())
def test_an_example_with_something_broken_in_it_is_compared(rule: str, data: st.DataObject) -> None:
    before, after = copy.deepcopy(EXAMPLES[rule])
    places: list[tuple[Any, Any]] = []

    def note(mapping: Json) -> Json:
        places.extend((mapping, name) for name in mapping)
        return mapping

    after = rewritten(after, note)
    mapping, name = data.draw(st.sampled_from(places))
    mapping[name] = data.draw(ANYTHING)
    breaking.changes(before, after)
    breaking.changes(after, before)
