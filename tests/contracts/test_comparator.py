from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.adapters import bundle, openapi
from orchestrator.adapters import pact as pacts
from orchestrator.contracts import comparator
from orchestrator.contracts.findings import LEVELS, OURS
from orchestrator.errors import Code, OrchestratorError
from orchestrator.model.contracts import Level
from tests.contracts import oracle
from tests.contracts.cases import (
    NUMBER,
    PAIRS,
    TEXT,
    Pair,
    answered,
    answering,
    api,
    exchange,
    pact,
    sent,
    taking,
    thing,
)

ROOT = Path(__file__).parents[2]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 10**20) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def codes(document: dict[str, Any], *interactions: Any, **more: Any) -> list[str]:
    return [finding.code for finding in comparator.check(pact(*interactions, **more), document)]


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
def test_of_each_pair_one_fits_and_the_other_does_not(pair: Pair) -> None:
    (document, fits), (broken, breaks) = pair.cases()
    assert [f.code for f in comparator.check(fits, document)] == list(pair.also)
    assert [f.code for f in comparator.check(breaks, broken) if f.code not in pair.also] == [pair.code]


def test_every_code_has_a_pair() -> None:
    assert {pair.code for pair in PAIRS} == LEVELS.keys()


@pytest.mark.skipif(bool(oracle.missing()), reason=oracle.missing())
def test_the_reference_says_the_same_of_every_pair() -> None:
    pairs = [pair for pair in PAIRS if not pair.exception]
    cases = [case for pair in pairs for case in pair.cases()]
    answers = oracle.ask(cases, Path(os.environ[oracle.VARIABLE]))
    ours = [oracle.told(comparator.check(case[1], case[0])) for case in cases]
    names = [pair.name for pair in pairs for _ in pair.cases()]
    assert {n: (a, o) for n, a, o in zip(names, answers, ours, strict=True) if a != o} == {}


@pytest.mark.skipif(bool(oracle.missing()), reason=oracle.missing())
@pytest.mark.parametrize("pair", [pair for pair in PAIRS if pair.exception], ids=lambda pair: pair.name)
def test_every_exception_is_still_one(pair: Pair) -> None:
    cases = pair.cases()
    answers = oracle.ask(cases, Path(os.environ[oracle.VARIABLE]))
    assert answers != [oracle.told(comparator.check(case[1], case[0])) for case in cases]


def test_what_only_we_say_is_a_warning_but_for_an_interaction_that_is_none() -> None:
    assert {code for code in OURS if LEVELS[code] is Level.ERROR} == {"interaction.unreadable"}


def test_the_projects_own_pacts_fit_its_document() -> None:
    document = openapi.parse((ROOT / "openapi/uuid-service.yaml").read_bytes(), "openapi/uuid-service.yaml")
    own = [pacts.read(file, ROOT) for file in sorted((ROOT / "contracts").glob("*.json"))]
    found = comparator.compare(own, document, root=ROOT)
    assert Counter(one.code for one in found if one.level is Level.ERROR) == {}
    assert {one.pact for one in found} <= {f"contracts/{file.name}" for file in (ROOT / "contracts").glob("*.json")}


def compared(folder: Path, document: dict[str, Any], *interactions: Any) -> tuple[Any, ...]:
    file = folder / "shop-things.json"
    file.write_text(json.dumps(pact(*interactions)), "utf-8")
    read = openapi.parse(json.dumps(document).encode(), "api.json")
    return comparator.compare([pacts.read(file, folder)], read, root=folder)


def test_an_incompatibility_names_both_places(tmp_path: Path) -> None:
    interaction = sent({"sizes": [1, "2"]})
    document = taking(
        {"$ref": "#/components/schemas/Thing"},
        components={"schemas": {"Thing": thing(sizes={"type": "array", "items": NUMBER})}},
    )
    other = {**exchange(headers={"Content-Type": "application/json"}), "description": "another"}
    (found,) = compared(tmp_path, document, other, interaction)
    assert found.code == "request.body.incompatible"
    assert found.level is Level.ERROR
    assert (found.consumer, found.description, found.pact) == ("shop", "one asks for a thing", "shop-things.json")
    assert found.operation == "POST /things"
    assert found.at_pact == "/interactions/1/request/body/sizes/1"
    assert found.at_document == "/components/schemas/Thing/properties/sizes/items/type"
    assert found.message == 'the request body at sizes/1: "2" is not of type "integer"'


def test_a_place_in_a_part_of_an_all_of_is_named_where_it_is_written(tmp_path: Path) -> None:
    document = answering({"allOf": [thing(a=TEXT), {"allOf": [thing(b=NUMBER)]}]})
    (found,) = compared(tmp_path, document, answered({"b": "x"}))
    schema = "/paths/~1things/post/responses/200/content/application~1json/schema"
    assert found.at_document == f"{schema}/allOf/1/allOf/0/properties/b/type"


def test_what_is_missing_in_the_pact_is_told_where_it_would_be(tmp_path: Path) -> None:
    document = api({"parameters": [{"name": "X-Size", "in": "header", "required": True, "schema": NUMBER}]})
    (found,) = compared(tmp_path, document, exchange())
    assert found.at_pact == "/interactions/0/request"
    assert found.at_document == "/paths/~1things/post/parameters/0"


def test_a_fingerprint_stays_when_another_interaction_comes_first(tmp_path: Path) -> None:
    broken = exchange(status=404)
    other = {**exchange(), "description": "another"}
    (alone,) = compared(tmp_path, api(), broken)
    (second,) = compared(tmp_path, api(), other, broken)
    assert alone.fingerprint == second.fingerprint
    assert alone.at_pact != second.at_pact
    assert len({f.fingerprint for f in compared(tmp_path, api(), broken, {**broken, "description": "another"})}) == 2


def test_a_pact_that_is_gone_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "shop-things.json"
    file.write_text(json.dumps(pact(exchange())), "utf-8")
    read = pacts.read(file, tmp_path)
    file.unlink()
    with pytest.raises(OrchestratorError) as caught:
        comparator.compare([read], openapi.parse(json.dumps(api()).encode(), "api.json"))
    assert caught.value.problem.code == Code.PACT_UNREADABLE


def test_one_interaction_can_be_held_against_another_document() -> None:
    interaction = answered({"size": 2})
    before, after = comparator.Comparator(answering(thing(size=NUMBER))), comparator.Comparator(answering(thing()))
    assert before.interaction(interaction, 3) == ()
    assert [f.code for f in after.interaction(interaction, 3)] == ["response.body.incompatible"]


def test_messages_are_left_out() -> None:
    message = {"type": "Asynchronous/Messages", "description": "m", "contents": {"content": "x"}}
    typed = {**exchange(), "type": "Synchronous/HTTP"}
    assert codes(api(), message, typed, {**message, "type": "Synchronous/Messages"}, version="4.0") == []


def test_what_is_left_out_is_counted_with_the_reason(tmp_path: Path) -> None:
    message = {"description": "a message", "contents": {"content": "x"}}
    listed = [{**message, "type": "Asynchronous/Messages", "description": f"message {k}"} for k in range(3)]
    mixed, silent, old = (tmp_path / f"{name}.json" for name in ("mixed", "silent", "old"))
    mixed.write_text(json.dumps(pact(exchange(), *listed, version="4.0")), "utf-8")
    silent.write_text(json.dumps(pact(exchange())), "utf-8")
    third = {k: v for k, v in pact().items() if k != "interactions"}
    old.write_text(json.dumps({**third, "messages": [message]}), "utf-8")
    read = [pacts.read(file, tmp_path) for file in (mixed, silent, old)]
    found = comparator.not_compared(read, root=tmp_path)
    assert [(one.consumer, one.pact, one.count) for one in found] == [
        ("shop", "mixed.json", 3),
        ("shop", "old.json", 1),
    ]
    assert {one.reason for one in found} == {"they are messages, and OpenAPI describes none"}
    assert comparator.compare(read, openapi.parse(json.dumps(api()).encode(), "api.json")) == ()


def test_a_document_in_several_files_is_held_as_one_would_be(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models/thing.yaml").write_text(
        "Thing:\n  type: object\n  properties:\n    size: {$ref: 'size.json'}\n"
    )
    (tmp_path / "models/size.json").write_text(json.dumps(NUMBER))
    (tmp_path / "api.json").write_text(json.dumps(taking({"$ref": "models/thing.yaml#/Thing"})))
    (tmp_path / "shop.json").write_text(json.dumps(pact(sent({"size": "two"}))))
    file = tmp_path / "api.json"
    document = openapi.parse(file.read_bytes(), "api.json", beside=openapi.beside(file, tmp_path))
    (found,) = comparator.compare([pacts.read(tmp_path / "shop.json", tmp_path)], document)
    assert (found.code, found.at_pact) == ("request.body.incompatible", "/interactions/0/request/body/size")
    assert found.at_document == "models/size.json#/type"
    alone = openapi.parse(file.read_bytes(), "api.json")
    (found,) = comparator.compare([pacts.read(tmp_path / "shop.json", tmp_path)], alone)
    assert found.code == "document.reference.unresolved"


@pytest.mark.parametrize(
    "pair", [pair for pair in PAIRS if "schemas" in pair.document.get("components", {})], ids=lambda pair: pair.name
)
def test_a_pair_whose_schemas_are_in_another_file_is_still_one(pair: Pair) -> None:
    for document, promised in pair.cases():
        whole = json.loads(json.dumps(document).replace('"#/components/schemas/', '"schemas.json#/'))
        schemas = json.loads(json.dumps(whole["components"].pop("schemas")).replace('"schemas.json#/', '"#/'))
        bundle.bundle(whole, "api.json", {"schemas.json": schemas}.get)
        here, there = comparator.check(promised, document), comparator.check(promised, whole)
        assert [(f.code, f.at_pact) for f in there] == [(f.code, f.at_pact) for f in here]


def test_a_request_that_is_meant_to_be_refused_need_not_keep_to_the_document() -> None:
    document = {**taking({**thing(size=NUMBER), "required": ["size"]}), "security": [{"key": []}]}
    operation = document["paths"]["/things"]["post"]
    operation["parameters"] = [{"name": "page", "in": "query", "required": True, "schema": NUMBER}]
    operation["responses"]["400"] = {"description": "refused"}
    refused = exchange(status=400, headers={"Content-Type": "application/json", "X-Other": "1"}, body={"size": "x"})
    assert codes(document, refused) == []
    accepted = {**refused, "response": {"status": 200}}
    assert len(codes(document, accepted)) == 3


def test_a_path_fits_with_the_server_in_front_and_without() -> None:
    document = api(servers=[{"url": "https://things.test/v1"}, {"url": "/v2/"}])
    assert codes(document, exchange("/v1/things"), exchange("/v2/things"), exchange("/things")) == []
    assert codes(document, exchange("/v3/things")) == ["request.path-or-method.unknown"]


def test_circles_of_references_come_to_an_end() -> None:
    schemas = {
        "A": {"allOf": [{"$ref": "#/components/schemas/A"}, thing(a={"$ref": "#/components/schemas/B"})]},
        "B": {"allOf": [{"$ref": "#/components/schemas/A"}, thing(a={"$ref": "#/components/schemas/A"})]},
        "C": {"$ref": "#/components/schemas/D"},
        "D": {"$ref": "#/components/schemas/C"},
        "E": {"oneOf": [{"$ref": "#/components/schemas/E"}, TEXT]},
        "F": {"allOf": [{"$ref": "#/components/schemas/F"}] * 3, **thing(a=NUMBER)},
    }
    for name in schemas:
        document = answering({"$ref": f"#/components/schemas/{name}"}, components={"schemas": schemas})
        codes(document, answered({"a": {"a": {"a": {}}}, "b": 1}), answered("x"))


def test_hostile_text_is_shown_safely() -> None:
    document = answering(thing(size=NUMBER))
    nasty = {"\x1b[31mred\u202e\nx": 1, "size": "password=hunter22\x00"}
    for found in comparator.check(pact(answered(nasty)), document):
        assert found.message.isprintable()
        assert "hunter22" not in found.message


def test_lone_surrogates_and_deep_nesting_are_findings() -> None:
    deep: Any = "x"
    for _ in range(600):
        deep = [deep]
    document = answering({"type": "array", "items": {**TEXT, "pattern": "^a"}})
    assert codes(document, answered(["\ud800"])) == ["interaction.unreadable"]
    assert codes(document, answered(deep)) == ["interaction.unreadable"]


def shaken(draw: st.DrawFn, value: Any) -> Any:
    """Return a value with something else in one place of it, or nothing."""
    if not isinstance(value, dict | list) or not value or draw(st.integers(0, 3)) == 0:
        return draw(JSON)
    keys = sorted(value) if isinstance(value, dict) else range(len(value))
    key = draw(st.sampled_from(list(keys)))
    if isinstance(value, dict) and draw(st.integers(0, 5)) == 0:
        return {k: v for k, v in value.items() if k != key}
    changed = value.copy()
    changed[key] = shaken(draw, value[key])
    return changed


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_whatever_a_document_or_a_pact_holds_there_are_findings_and_no_crash(data: st.DataObject) -> None:
    document, promised = data.draw(st.sampled_from([case for pair in PAIRS for case in pair.cases()]))
    if data.draw(st.booleans()):
        document = data.draw(st.composite(lambda draw: shaken(draw, document))())
    else:
        promised = data.draw(st.composite(lambda draw: shaken(draw, promised))())
    if isinstance(document, dict) and isinstance(promised, dict):
        for found in comparator.check(promised, document):
            assert found.message.isprintable()


@settings(max_examples=100, deadline=None)
@given(JSON, JSON)
def test_any_json_at_all_is_no_crash(one: Any, other: Any) -> None:
    comparator.check({"interactions": [one, {"request": one, "response": other}]}, {"paths": other, "openapi": one})
    comparator.check(pact(answered(one)), answering(other))
    comparator.check(pact(sent(one)), taking(other))
