from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from orchestrator.adapters import openapi, pact
from orchestrator.adapters.agent import StateFailure
from orchestrator.errors import Code, OrchestratorError
from orchestrator.model.contracts import Interaction, Verification
from tests import builders
from tests.record import DATA

PACTS = DATA / "shop" / "pacts"
RESULTS = DATA / "pact" / "4.2.0"
CLOSED = StateFailure(state="the shop is closed", parameters={}, code="QO504", error="RuntimeError: nobody can")
OK: dict[str, Any] = {"result": "OK"}


def read(name: str) -> pact.Pact:
    return pact.read(PACTS / f"{name}.json", DATA / "shop")


def recorded(name: str) -> dict[str, Any]:
    results: dict[str, Any] = json.loads((RESULTS / f"{name}.result.json").read_bytes())
    return results


def interpreted(name: str, *failures: StateFailure, **more: Any) -> tuple[Interaction, ...]:
    document = openapi.parse((DATA / "shop" / "openapi.yaml").read_bytes(), "openapi.yaml")
    return pact.interpret(read(name), recorded(name), failures, document, root=DATA / "shop", **more)


def made(*interactions: dict[str, Any], version: str = "3.0.0", **more: Any) -> dict[str, Any]:
    return {
        "consumer": {"name": "web"},
        "provider": {"name": "shop"},
        "interactions": list(interactions),
        "metadata": {"pactSpecification": {"version": version}},
        **more,
    }


def written(folder: Path, raw: dict[str, Any]) -> pact.Pact:
    file = folder / "made.json"
    file.write_text(json.dumps(raw), "utf-8")
    return pact.read(file, folder)


def judged(folder: Path, raw: dict[str, Any], results: list[dict[str, Any]], **more: Any) -> list[Interaction]:
    failures = more.pop("failures", ())
    gone = more.pop("gone", "")
    told = {"interactionResults": results, **more}
    found = pact.interpret(written(folder, raw), told, failures, None, root=folder, secrets=("s3cr3t!",), gone=gone)
    return list(found)


def test_a_pact_of_version_3_is_read() -> None:
    of = read("web-shop")
    assert (of.consumer, of.provider, of.specification) == ("web", "shop", "3.0.0")
    first = of.interactions[0]
    assert (first.method, first.path, first.pending) == ("GET", "/v1/items/1", False)
    assert first.states == (("an item exists", {"id": "1"}),)
    assert of.interactions[2].states == ()


def test_a_pact_of_version_2_is_read() -> None:
    (only,) = read("app-shop").interactions
    assert (only.method, only.path) == ("GET", "/v1/items")
    assert only.states == (("an item exists", {}),)


def test_a_pact_of_version_4_is_read() -> None:
    of = read("kiosk-shop")
    (only,) = of.interactions
    assert (of.specification, only.pending) == ("4.0", True)


def test_messages_of_version_3_are_interactions_without_a_request(tmp_path: Path) -> None:
    raw = made(version="3.0.0", messages=[{"description": "an item was sold", "contents": {}}])
    (only,) = written(tmp_path, raw).interactions
    assert (only.description, only.method, only.path) == ("an item was sold", "", "")


def test_several_states_keep_their_order_and_parameters(tmp_path: Path) -> None:
    states = [{"name": "b", "params": {"n": [1, None]}}, {"name": "a", "params": None}, {"name": "b"}]
    (only,) = written(tmp_path, made({"description": "d", "providerStates": states})).interactions
    assert only.states == (("b", {"n": [1, None]}), ("a", {}), ("b", {}))


@pytest.mark.parametrize(
    "states", [{"providerStates": []}, {"providerState": None}, {"providerState": ""}, {"providerStates": None}, {}]
)
def test_no_state_is_no_state(tmp_path: Path, states: dict[str, Any]) -> None:
    (only,) = written(tmp_path, made({"description": "d", **states})).interactions
    assert only.states == ()


def test_a_ruby_pacts_metadata_is_understood(tmp_path: Path) -> None:
    raw = made({"description": "d"}) | {"metadata": {"pact-specification": {"version": "1.1.0"}}}
    assert written(tmp_path, raw).specification == "1.1.0"
    assert written(tmp_path, raw | {"metadata": {}}).specification == ""


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "line 1, column 1"),
        (b'{"consumer":\n {,}}', "line 2, column 3"),
        (b"\xff\xfe", "can't be read"),
        (b"[]", "not a pact"),
        (b"3", "not a pact"),
        (b'{"consumer": {"name": "a"}}', "'provider'"),
        (b'{"consumer": "a", "provider": "b"}', "not a pact"),
        (b'{"consumer": {"name": 3}, "provider": {"name": "b"}}', "not a pact"),
        (b'{"consumer": {"name": "a"}, "provider": {"name": "b"}, "interactions": null}', "not a pact"),
        (b'{"consumer": {"name": "a"}, "provider": {"name": "b"}, "interactions": [{"response": 3}]}', "not a pact"),
        (b'{"consumer": {"name": "a"}, "provider": {"name": "b"}, "interactions": ["x"]}', "not a pact"),
        (b'{"consumer": {"name": "a"}, "provider": {"name": "b"}, "metadata": []}', "has no interaction"),
        (b'{"consumer": {"name": "a"}, "provider": {"name": "b"}, "metadata": ["x"]}', "not a pact"),
        (b'{"a":' * 20_000, "not a pact"),
    ],
)
def test_a_broken_pact_is_refused_by_its_name(tmp_path: Path, data: bytes, said: str) -> None:
    file = tmp_path / "pacts" / "web.json"
    file.parent.mkdir()
    file.write_bytes(data)
    with pytest.raises(OrchestratorError) as caught:
        pact.read(file, tmp_path)
    problem = caught.value.problem
    assert problem.code == Code.PACT_UNREADABLE
    assert problem.message.startswith("pacts/web.json ")
    assert said in problem.message
    assert problem.hint


def test_pacts_are_found_where_the_settings_say(tmp_path: Path) -> None:
    for name in ("contracts/b.json", "contracts/a.json", "pacts/c.json", "contracts/deep/d.json", "contracts/e.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("{}")

    def found(**settings: Any) -> list[str]:
        return [p.relative_to(tmp_path).as_posix() for p in pact.find(builders.project(tmp_path, **settings))]

    assert found() == ["contracts/a.json", "contracts/b.json", "pacts/c.json"]
    assert found(contracts={"pacts": ["contracts/**/*.json", "contracts/a.json"]}) == [
        "contracts/a.json",
        "contracts/b.json",
        "contracts/deep/d.json",
    ]


def test_recorded_results_are_told_interaction_by_interaction() -> None:
    one, none, price, closed = interpreted("web-shop", CLOSED)
    assert (one.result, one.mismatches, one.error) == (Verification.VERIFIED, (), "")
    assert none.result is Verification.MISMATCH
    assert price.result is Verification.MISMATCH
    assert (closed.result, closed.error) == (Verification.STATE_FAILED, "QO504: RuntimeError: nobody can")
    assert {i.operation for i in (one, none, price)} == {"GET /items/{item_id}"}
    assert closed.operation == "GET /items"
    assert {i.pact for i in (one, none, price, closed)} == {"pacts/web-shop.json"}
    assert one.seconds is not None
    assert 0 < one.seconds < 1


def test_recorded_mismatches_say_where_and_what() -> None:
    _, none, price, _ = interpreted("web-shop", CLOSED)
    body, status = none.mismatches
    assert (status.kind, status.expected, status.actual) == ("Status", "200", "404")
    assert (body.kind, body.path, body.expected) == ("Body", "$", '["id"]')
    assert "missing the following keys: id" in body.message
    assert {(m.kind, m.path) for m in price.mismatches} == {("BodyType", ""), ("Header", "Content-Type")}


def test_the_same_description_with_other_states_is_another_interaction() -> None:
    one, none, *_ = interpreted("web-shop", CLOSED)
    assert one.description == none.description == "read an item"
    assert one.fingerprint != none.fingerprint
    assert (one.states, none.states) == (("an item exists",), ("there is none",))


def test_the_order_of_the_results_does_not_matter() -> None:
    shuffled = recorded("web-shop")
    shuffled["interactionResults"].reverse()
    found = pact.interpret(read("web-shop"), shuffled, [CLOSED], None, root=DATA / "shop")
    assert [i.result for i in found] == [i.result for i in interpreted("web-shop", CLOSED)]


def test_a_recorded_pending_interaction_is_no_failure_and_keeps_its_mismatches() -> None:
    (only,) = interpreted("kiosk-shop")
    assert only.result is Verification.PENDING
    assert not only.result.is_failure
    assert only.mismatches


def test_a_recorded_interaction_of_version_2_is_verified() -> None:
    (only,) = interpreted("app-shop")
    assert (only.consumer, only.result, only.operation) == ("app", Verification.VERIFIED, "GET /items")


def test_an_interaction_without_a_result_was_not_run(tmp_path: Path) -> None:
    raw = made({"description": "a"}, {"description": "b"})
    a, b = judged(tmp_path, raw, [{"description": "a", **OK}])
    assert (a.result, b.result) == (Verification.VERIFIED, Verification.NOT_RUN)
    assert b.error == "the Pact core gave no result for it"
    (a, b) = judged(tmp_path, raw, [], error="not verified within 3 s")
    assert (a.result, b.result, b.error) == (Verification.NOT_RUN, Verification.NOT_RUN, "not verified within 3 s")


def test_a_core_that_said_nothing_verified_nothing(tmp_path: Path) -> None:
    raw = made({"description": "a"})
    for results in ({}, {"interactionResults": None}, {"error": "it broke down"}):
        (only,) = pact.interpret(written(tmp_path, raw), results, (), None, root=tmp_path)
        assert only.result is Verification.NOT_RUN


def test_one_result_is_not_taken_for_two_interactions(tmp_path: Path) -> None:
    raw = made({"description": "a"}, {"description": "b"})
    assert [i.result for i in judged(tmp_path, raw, [{"description": "a", **OK}])] == [
        Verification.VERIFIED,
        Verification.NOT_RUN,
    ]


def test_a_pact_with_two_interactions_of_one_name_is_told(tmp_path: Path) -> None:
    one, like_it = {"description": "a", "providerState": "b"}, {"description": "a"}
    assert pact.named_twice([written(tmp_path, made(one, like_it))], tmp_path) == []
    (told,) = pact.named_twice([written(tmp_path, made(one, like_it, one))], tmp_path)
    assert (told.code, told.message) == (Code.NAMED_TWICE, "made.json has 2 interactions called 'a' given b")


def test_interactions_of_one_name_have_the_results_in_their_order_and_names_of_their_own(tmp_path: Path) -> None:
    raw = made({"description": "a"}, {"description": "b"}, {"description": "a"}, {"description": "a"})
    results = [{"description": "a", **OK}, {"description": "b", **OK}, {"description": "a", "result": "Error"}]
    found = judged(tmp_path, raw, results)
    assert [i.result for i in found] == [
        Verification.VERIFIED,
        Verification.VERIFIED,
        Verification.MISMATCH,
        Verification.NOT_RUN,
    ]
    assert len({i.fingerprint for i in found}) == len(found)
    (alone,) = judged(tmp_path, made({"description": "a"}), [])
    assert found[0].fingerprint == alone.fingerprint


def test_an_interaction_without_a_name_is_called_as_the_core_calls_it(tmp_path: Path) -> None:
    raw = made({"description": "a"}, {}, {"description": 3}, messages=[{"description": "m"}, {}])
    names = [i.description for i in written(tmp_path, raw).interactions]
    assert names == ["a", "Interaction 1", "3", "m", "Message 1"]


def test_a_request_without_method_and_path_is_no_message(tmp_path: Path) -> None:
    (only,) = written(tmp_path, made({"description": "a"})).interactions
    assert (only.method, only.path, only.is_message) == ("GET", "/", False)


def test_the_types_of_version_4_say_what_is_a_message(tmp_path: Path) -> None:
    replies = [{"contents": {"content": 1}}, {"contents": {"content": 2}}]
    raw = made(
        {"type": "Synchronous/HTTP", "description": "a"},
        {"type": "Asynchronous/Messages", "description": "b", "contents": {"content": 1}},
        {"type": "Synchronous/Messages", "description": "c", "request": {"contents": {}}, "response": replies},
        {"type": "Synchronous/Messages", "description": "d", "request": {"contents": {}}, "response": []},
        version="4.0",
    )
    assert [i.is_message for i in written(tmp_path, raw).interactions] == [False, True, True, True]


@pytest.mark.parametrize(
    ("told", "states"),
    [
        ({"provider_state": "x"}, [("x", {})]),  # pact-ruby's, of old
        ({"providerState": "x", "provider_state": "y"}, [("x", {})]),
        ({"providerState": None, "provider_state": "y"}, []),
        ({"providerState": 3}, [("3", {})]),
        ({"providerStates": "x"}, []),
        ({"providerStates": None, "providerState": "x"}, []),
        ({"providerStates": ["x", {"params": {"n": 1}}]}, [("unknown provider states", p) for p in ({}, {"n": 1})]),
        ({"providerStates": [{"name": "x", "params": [1]}]}, [("x", {})]),
    ],
)
def test_states_are_those_that_the_core_reads(
    tmp_path: Path, told: dict[str, Any], states: list[tuple[str, dict[str, Any]]]
) -> None:
    (only,) = written(tmp_path, made({"description": "a", **told})).interactions
    assert list(only.states) == states


def test_pending_is_a_word_of_version_4_and_no_text(tmp_path: Path) -> None:
    def pending(told: Any, version: str) -> bool:
        (only,) = written(tmp_path, made({"description": "a", "pending": told}, version=version)).interactions
        return only.pending

    assert pending(True, "4.0")
    assert not pending("true", "4.0")
    assert not pending(True, "3.0.0")


@pytest.mark.parametrize("version", [None, "4", {"version": None}, {"version": "newest"}, []])
def test_a_version_that_says_nothing_is_none(tmp_path: Path, version: Any) -> None:
    raw = made({"description": "a", "response": {"body": {"content": 1}}})
    raw["metadata"]["pactSpecification"] = version
    (only,) = written(tmp_path, raw).interactions
    assert only.body == {"content": 1}


@pytest.mark.parametrize(
    "rules",
    [
        {"body": {"$.id": {"matchers": [{"match": "frobnicate"}]}}},
        {"$.body.id": {"match": "frobnicate"}},
        {"header": {"X-A": {"matchers": [{"match": "type"}, {"match": "frobnicate"}]}}},
    ],
)
def test_a_matcher_that_nobody_knows_is_refused(tmp_path: Path, rules: dict[str, Any]) -> None:
    interaction = {"description": "a", "response": {"status": 200, "matchingRules": rules}}
    with pytest.raises(OrchestratorError, match="has the unknown matcher 'frobnicate'"):
        written(tmp_path, made(interaction))


@pytest.mark.parametrize("name", ["real", "min", "max-type", "content-type", "contentType", "each-key", "notEmpty"])
def test_matchers_that_the_core_knows_are_taken(tmp_path: Path, name: str) -> None:
    rules = {"body": {"$.id": {"matchers": [{"match": name}]}}}
    assert written(tmp_path, made({"description": "a", "response": {"matchingRules": rules}})).interactions


def test_a_matcher_is_refused_where_its_letters_are_others_than_the_cores_and_in_replies(tmp_path: Path) -> None:
    rules = {"body": {"$.id": {"matchers": [{"match": "Type"}]}}}
    replies = [{"contents": {}}, {"contents": {}, "matchingRules": rules}]
    raw = made({"type": "Synchronous/Messages", "description": "a", "request": {}, "response": replies}, version="4.0")
    with pytest.raises(OrchestratorError, match="has the unknown matcher 'Type'"):
        written(tmp_path, raw)


def test_results_of_equal_descriptions_go_to_the_interactions_with_their_states(tmp_path: Path) -> None:
    raw = made(
        *({"description": "a", "providerStates": [{"name": n} for n in names]} for names in (["x"], ["y"], ["x", "y"]))
    )
    bad = {"description": "a", "result": "Error", "providerStates": ["x"]}
    results = [
        {"description": "a", "providerStates": ["x", "y"], **OK},
        {"description": "a", "providerStates": [{"name": "y"}], **OK},
        bad,
    ]
    assert [i.result for i in judged(tmp_path, raw, results)] == [
        Verification.MISMATCH,
        Verification.VERIFIED,
        Verification.VERIFIED,
    ]


def test_an_interaction_whose_result_is_missing_takes_none_of_another_state(tmp_path: Path) -> None:
    raw = made(*({"description": "a", "providerStates": [{"name": n}]} for n in ("x", "y")))
    found = judged(tmp_path, raw, [{"description": "a", "providerStates": ["y"], **OK}])
    assert [i.result for i in found] == [Verification.NOT_RUN, Verification.VERIFIED]


def test_a_state_that_failed_outweighs_a_response_that_fits(tmp_path: Path) -> None:
    raw = made(
        {"description": "a", "providerStates": [{"name": "x", "params": {"n": 1}}]},
        {"description": "b", "providerStates": [{"name": "x", "params": {"n": 2}}]},
    )
    failure = StateFailure(state="x", parameters={"n": 1}, code="QO503", error="unknown s3cr3t!")
    a, b = judged(
        tmp_path,
        raw,
        [{"description": "a", "providerStates": ["x"], **OK}, {"description": "b", "providerStates": ["x"], **OK}],
        failures=[failure],
    )
    assert (a.result, a.error, a.mismatches) == (Verification.STATE_FAILED, "QO503: unknown [redacted]", ())
    assert b.result is Verification.VERIFIED


def test_an_error_without_mismatches_says_why(tmp_path: Path) -> None:
    error = {"description": "a", "result": "Error", "mismatch": {"type": "error", "message": "connection refused"}}
    (only,) = judged(tmp_path, made({"description": "a"}), [error])
    assert (only.result, only.error) == (Verification.MISMATCH, "connection refused")
    for odd in ({}, {"mismatch": None}, {"mismatch": {"mismatches": None}}):
        (only,) = judged(tmp_path, made({"description": "a"}), [{"description": "a", "result": "Error", **odd}])
        assert only.result is Verification.MISMATCH


def test_hostile_text_and_secrets_leave_harmless(tmp_path: Path) -> None:
    description = "a\x1b[31m\ud800"
    mismatch = {"path": "$.\u202e", "mismatch": "got s3cr3t!", "expected": {"a": 1}, "actual": "s3cr3t!\x00"}
    results = [{"description": description, "result": "Error", "mismatch": {"mismatches": [mismatch]}}]
    (only,) = judged(tmp_path, made({"description": description}), results)
    assert (only.result, only.description) == (Verification.MISMATCH, "a\\ud800")
    (shown,) = only.mismatches
    assert (shown.path, shown.message, shown.expected) == ("$.\\u202e", "got [redacted]", '{"a": 1}')
    assert shown.actual == "[redacted]\\x00"
    assert msgspec.json.encode(only)


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [("24ms", 0.024), ("1.5s", 1.5), ("0ms", 0.0), ("900µs", None), ("", None), ("soon", None), (None, None)],
)
def test_durations_are_seconds_or_unknown(tmp_path: Path, duration: str | None, seconds: float | None) -> None:
    (only,) = judged(tmp_path, made({"description": "a"}), [{"description": "a", "duration": duration, **OK}])
    assert only.seconds == seconds


def test_the_fingerprint_does_not_depend_on_the_file_or_the_result(tmp_path: Path) -> None:
    raw = made({"description": "a", "providerStates": [{"name": "x"}]})
    (one,) = judged(tmp_path, raw, [{"description": "a", "providerStates": ["x"], **OK}])
    moved = msgspec.structs.replace(written(tmp_path, raw), file=tmp_path / "x.json")
    (other,) = pact.interpret(moved, {}, (), None, root=tmp_path)
    assert (one.pact, other.pact) == ("made.json", "x.json")
    assert one.fingerprint == other.fingerprint


@pytest.mark.parametrize(
    ("rules", "place", "told"),
    [
        ({"body": {"$.total": {"matchers": [{"match": "type"}]}}}, "$.total", "$.total"),
        ({"body": {"$.items": {"matchers": [{"match": "type"}]}}}, "$.items[0].total", "$.items"),
        ({"body": {"$.items[*].total": {"matchers": [{"match": "type"}]}}}, "$.items[12].total", "$.items[*].total"),
        ({"body": {"$": {"match": "type"}, "$.a": {"match": "type"}}}, "$.a.b", "$.a"),
        ({"body": {"$['a']": {"match": "type"}}}, "$.a", "$['a']"),
        ({"body": {"$.items": {"match": "type", "min": 1}}}, "length of $.items", "$.items"),
        ({"$.body.total": {"match": "type"}}, "$.total", "$.body.total"),
        ({"header": {"Location": {"matchers": [{"match": "regex"}]}}}, "header location", "header location"),
        ({"body": {"$.tot": {"matchers": [{"match": "type"}]}}}, "$.total", None),
        ({}, "$.total", None),
    ],
)
def test_the_matcher_that_lets_a_difference_through_is_the_one_nearest_to_it(
    tmp_path: Path, rules: Any, place: str, told: str | None
) -> None:
    file = tmp_path / "till.json"
    file.write_text(json.dumps({"interactions": [{"response": {"matchingRules": rules}}]}))
    found = pact.let_through(str(file), 0, place)
    assert found.startswith(f"the matcher at {told}: " if told else f"the pact says nothing of {place}")


def test_of_a_pact_that_is_gone_nothing_is_said(tmp_path: Path) -> None:
    assert pact.let_through(str(tmp_path / "gone.json"), 0, "$.total") == ""


# What is known when something has ended in the middle

THREE = [{"description": name} for name in "abc"]
ERROR: dict[str, Any] = {
    "result": "ERROR",
    "mismatch": {"type": "error", "message": "error sending request for url (x)"},
}
GONE = "QO206: the app is gone"


def results(*told: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"description": name, **one} for name, one in zip("abc", told, strict=False)]


def test_what_was_asked_of_an_app_that_is_gone_is_not_known(tmp_path: Path) -> None:
    found = judged(tmp_path, made(*THREE), results(OK, ERROR, ERROR), gone=GONE)
    assert [i.result for i in found] == [Verification.VERIFIED, Verification.NOT_RUN, Verification.NOT_RUN]
    assert {i.error for i in found[1:]} == {GONE}


def test_an_answer_that_failed_before_the_app_was_gone_stays_a_mismatch(tmp_path: Path) -> None:
    found = judged(tmp_path, made(*THREE), results(ERROR, OK), gone=GONE)
    assert [i.result for i in found] == [Verification.MISMATCH, Verification.VERIFIED, Verification.NOT_RUN]
    assert found[0].error.startswith("the app gave no answer")


def test_a_state_that_failed_is_told_to_the_interaction_that_needed_it_then(tmp_path: Path) -> None:
    raw = made(*({"description": name, "providerStates": [{"name": "s"}]} for name in "ab"))
    failure = {"state": "s", "parameters": {}, "message": "", "code": "QO504", "error": "no"}
    told = [one | {"providerStates": ["s"]} for one in results(OK | {"failures": []}, OK | {"failures": [failure]})]
    found = judged(tmp_path, raw, told)
    assert [i.result for i in found] == [Verification.VERIFIED, Verification.STATE_FAILED]


def test_data_that_could_not_be_reset_are_told_to_an_interaction_without_states(tmp_path: Path) -> None:
    failure = {"state": "", "parameters": {}, "message": "", "code": "QO204", "error": "no"}
    (found,) = judged(tmp_path, made(THREE[0]), results(OK | {"failures": [failure]}))
    assert (found.result, found.error) == (Verification.STATE_FAILED, "QO204: no")


def test_a_state_that_the_core_did_not_wait_for_is_no_mismatch(tmp_path: Path) -> None:
    said = "One or more of the setup state change handlers has failed"
    (found,) = judged(tmp_path, made(THREE[0]), results({"result": "ERROR", "mismatch": {"message": said}}))
    assert found.result is Verification.STATE_FAILED
    assert found.error.startswith("QO504")


def test_a_pact_above_the_limit_is_refused_without_being_read(tmp_path: Path) -> None:
    file = tmp_path / "big.json"
    with file.open("wb") as big:
        big.truncate(pact.LIMIT + 1)  # nothing but a size
    with pytest.raises(OrchestratorError, match=r"big\.json has 16\.0 MiB: pacts of more than 16 MiB") as caught:
        pact.read(file, tmp_path)
    assert caught.value.problem.code == Code.PACT_UNREADABLE
