"""Scenarios are read from what property tests and pacts have written down."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from orchestrator.adapters import pact, scenarios
from orchestrator.adapters.scenarios import Scenario
from tests import builders

ID = "0190a5f0-7c1e-7b3a-9d52-6f1c2a4b8e01"


def wire(method: str = "GET", target: str = "/", body: str = "", **headers: str) -> dict[str, Any]:
    told = [[name.replace("_", "-"), value] for name, value in headers.items()]
    return {"method": method, "target": target, "headers": told, "body": base64.b64encode(body.encode()).decode()}


def case(*wires: dict[str, Any], answer: object = None, status: int = 200, **more: Any) -> dict[str, Any]:
    content = "" if answer is None else json.dumps(answer)
    told = {"case": "pickled", "operation": "GET /a", "phase": "coverage", "id": "x", "parent": None, "checked": True}
    return {**told, "wires": list(wires), "main": 0, "status": status, "answer": [], "content": content, **more}


def read(root: Path, *tests: list[list[dict[str, Any]]], cut: bool = False) -> tuple[Scenario, ...]:
    project = builders.project(root)
    file = scenarios.recorded(project)
    file.parent.mkdir(parents=True)
    lines = [json.dumps({"test": f"test_{k}", "scenarios": found}) + "\n" for k, found in enumerate(tests)]
    text = "".join(lines)
    file.write_text(text[:-20] if cut else text)
    return scenarios.read(project, [], None).scenarios


def holes(scenario: Scenario, step: int) -> list[tuple[str, int, list[Any]]]:
    return [(hole["value"], hole["step"], hole["place"]) for hole in scenario.steps[step]["holes"]]


def test_what_the_app_gave_is_a_hole_in_later_requests(tmp_path: Path) -> None:
    made = case(
        wire("POST", "/things", '{"name": "a lamp"}'), answer={"id": ID, "name": "a lamp", "tags": [{"id": "t-00017"}]}
    )
    made["answer"] = [["ETag", '"abcdef-1"'], ["Set-Cookie", "way=up"], ["set-cookie", "session=s-00042; Path=/"]]
    headers = {"If_Match": '"abcdef-1"', "Cookie": "way=up; session=s-00042"}
    used = case(wire("PUT", f"/things/{ID}?tag=t-00017", '{"name": "a lamp"}', **headers))
    (scenario,) = read(tmp_path, [[made, used]])
    assert holes(scenario, 0) == []
    assert holes(scenario, 1) == [
        ('"abcdef-1"', 0, ["header", "etag"]),
        ("s-00042", 0, ["cookie", "session"]),
        (ID, 0, ["body", "id"]),
        ("t-00017", 0, ["body", "tags", 0, "id"]),
    ]


def test_what_the_client_said_first_is_no_hole(tmp_path: Path) -> None:
    made = case(wire("POST", f"/things/{ID}"), answer={"id": ID})
    (scenario,) = read(tmp_path, [[made, case(wire("GET", f"/things/{ID}"))]])
    assert holes(scenario, 1) == []


def test_a_value_is_found_where_the_path_quotes_it(tmp_path: Path) -> None:
    made = case(wire("POST", "/things"), answer={"name": "käse & brot"})
    (scenario,) = read(tmp_path, [[made, case(wire("GET", "/things/k%C3%A4se%20%26%20brot"))]])
    assert holes(scenario, 1) == [("käse & brot", 0, ["body", "name"])]


def test_requests_of_checks_belong_to_their_case(tmp_path: Path) -> None:
    probed = case(wire(target="/a"), wire(target="/a", X_Key="wrong"))
    (scenario,) = read(tmp_path, [[case(wire(target="/first")), probed]])
    assert [step["target"] for step in scenario.steps] == ["/first", "/a", "/a"]
    assert [(c["first"], c["main"], c["count"]) for c in scenario.judged] == [(0, 0, 1), (1, 0, 2)]


def test_cases_without_an_answer_or_without_a_check_are_left_out(tmp_path: Path) -> None:
    silent = case(wire(), main=None)
    unkept = case(wire(), case="")
    unchecked = case(wire(), checked=False)
    found = read(tmp_path, [[silent], [unkept], [unchecked], [case(wire(target="/kept"))]])
    assert [scenario.steps[0]["target"] for scenario in found] == ["/kept"]


def test_a_record_that_was_cut_off_keeps_what_it_has(tmp_path: Path) -> None:
    found = read(tmp_path, [[case(wire(target="/whole"))]], [[case(wire(target="/cut"))]], cut=True)
    assert [scenario.steps[0]["target"] for scenario in found] == ["/whole"]


def test_the_content_of_a_scenario_does_not_depend_on_the_number_of_a_case(tmp_path: Path) -> None:
    one, other = read(
        tmp_path,
        [[case(wire(X_Schemathesis_TestCaseId="abc", Accept="*/*"))]],
        [[case(wire(X_Schemathesis_TestCaseId="xyz", Accept="*/*"))]],
    )
    assert scenarios.content(one).replace("test_0", "") == scenarios.content(other).replace("test_1", "")


PACT = {
    "consumer": {"name": "till"},
    "provider": {"name": "shop"},
    "interactions": [
        {"description": "a look", "request": {"method": "GET", "path": "/orders/1"}, "response": {"status": 200}},
        {"description": "an order", "request": {"method": "POST", "path": "/orders"}, "response": {"status": 201}},
    ],
}


def of_pact(root: Path, *played: dict[str, Any]) -> scenarios.Recorded:
    project = builders.project(root)
    (root / "till.json").write_text(json.dumps(PACT))
    scenarios.keep_played(project, {"till.json": played})
    return scenarios.read(project, [pact.read(root / "till.json", root)], None)


def test_interactions_are_told_apart_by_their_requests_and_states_belong_to_what_follows(tmp_path: Path) -> None:
    state = {"state": "an order", "params": {"item": "tea"}, "returned": {"id": 417}}
    none = {"state": "", "params": {}, "returned": {}}
    found = of_pact(tmp_path, state, wire("GET", "/orders/417"), none, wire("POST", "/orders"))
    assert [s.title for s in found.scenarios] == ["till: a look", "till: an order"]
    assert [len(s.steps) for s in found.scenarios] == [2, 1]
    assert holes(found.scenarios[0], 1) == [("417", 0, ["state", "id"])]
    assert found.problems == ()


def test_requests_that_are_not_those_of_the_interactions_are_a_problem(tmp_path: Path) -> None:
    found = of_pact(tmp_path, wire("GET", "/orders/1"))
    assert found.scenarios == ()
    assert found.problems == ("till.json: the Pact core sent 1 requests for 2 interactions",)
