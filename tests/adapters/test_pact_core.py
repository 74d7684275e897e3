"""What we say of a pact is what the Pact core says on its own: the same file, the same served app, both asked.

Cases of our own, of each version of the specification; `benchmarks/pact_specification.py` has the specification's own,
and pacts of public projects.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from orchestrator import config
from orchestrator.adapters import agent, pact
from orchestrator.model.contracts import Interaction, Verification

APP: Final = '''
import json, pathlib
told = json.loads(pathlib.Path(__file__).with_name("told.json").read_text())


def app(environ, start_response):
    """Answers a path with what is told for it."""
    answer = told["answers"][environ["PATH_INFO"]]
    body = answer.get("body", "").encode()
    headers = [*answer.get("headers", {}).items(), ("Content-Length", str(len(body)))]
    start_response(f"{answer.get('status', 200)} OK", headers)
    return [body]


def states(state, parameters):
    """Accepts every state."""


def messages(name):
    """Makes the message that is told."""
    return tuple(told["messages"][name])
'''
SETTINGS: Final = '[app]\ntarget = "boats:app"\n[contracts]\nstates = "boats:states"\nmessages = "boats:messages"\n'
BARE: Final = """\
import json, sys
from urllib.parse import urlsplit
from pact import Verifier
url, control, *files = sys.argv[1:]
message = urlsplit(control + "/message")
for file in files:
    verifier = Verifier("boats", "127.0.0.1").add_transport(url=url).add_source(file)
    verifier.add_transport(protocol="message", port=message.port, path=message.path, scheme="http")
    verifier.state_handler(control + "/state", teardown=False, body=True)
    try:
        verifier.verify()
    except RuntimeError:
        pass
    with open(file + ".bare", "w") as output:
        json.dump(verifier.results["interactionResults"], output)
"""
JSON: Final = {"Content-Type": "application/json"}
XML: Final = {"Content-Type": "application/xml"}
TEXT: Final = {"Content-Type": "text/plain"}
ALIKE: Final = "the same name twice"

OK: Final = Verification.VERIFIED
WRONG: Final = Verification.MISMATCH


def rule(path: str, *matchers: dict[str, Any], of: str = "body") -> dict[str, Any]:
    """Return matching rules as versions 3 and 4 have them."""
    return {of: {path: {"matchers": list(matchers)}}}


def content(value: Any, kind: str = "application/json", **more: Any) -> dict[str, Any]:
    """Return a body as version 4 has it."""
    return {"content": value, "contentType": kind, "encoded": False, **more}


# By version: what the consumer expects, what is answered, how it ends. A description is the case's name if it has none.
Case = tuple[str, dict[str, Any], dict[str, Any], Verification]
HTTP: Final[dict[str, list[Case]]] = {
    "1.0.0": [
        ("a status", {"status": 201}, {"status": 201}, OK),
        ("another status", {"status": 201}, {"status": 200}, WRONG),
        ("a null", {"body": {"skipper": None}}, {"headers": JSON, "body": '{"skipper": null, "crew": 3}'}, OK),
        ("a null that is left out", {"body": {"skipper": None}}, {"headers": JSON, "body": "{}"}, WRONG),
        ("a text", {"headers": TEXT, "body": "ahoy"}, {"headers": TEXT, "body": "ahoy"}, OK),
        ("another text", {"headers": TEXT, "body": "ahoy"}, {"headers": TEXT, "body": "adieu"}, WRONG),
        ("a list that is longer", {"body": [1]}, {"headers": JSON, "body": "[1, 2]"}, WRONG),
    ],
    "2.0.0": [
        (
            "a regex",
            {"body": {"sail": "KN-1"}, "matchingRules": {"$.body.sail": {"match": "regex", "regex": "[A-Z]+-\\d+"}}},
            {"headers": JSON, "body": '{"sail": "LM-22"}'},
            OK,
        ),
        (
            "a regex that does not match",
            {"body": {"sail": "KN-1"}, "matchingRules": {"$.body.sail": {"match": "regex", "regex": "[A-Z]+-\\d+"}}},
            {"headers": JSON, "body": '{"sail": "none"}'},
            WRONG,
        ),
        (
            "too few",
            {"body": {"oars": [1, 1]}, "matchingRules": {"$.body.oars": {"match": "type", "min": 2}}},
            {"headers": JSON, "body": '{"oars": [4]}'},
            WRONG,
        ),
        (
            "a header by a regex",
            {
                "headers": {"X-Berth": "A1"},
                "matchingRules": {"$.headers.X-Berth": {"match": "regex", "regex": "[A-C]\\d"}},
            },
            {"headers": {"x-berth": "C9"}},
            OK,
        ),
        ("no header", {"headers": {"X-Berth": "A1"}}, {}, WRONG),
    ],
    "3.0.0": [
        (
            "XML with its attributes in another order",
            {"headers": XML, "body": '<?xml version="1.0"?><boat name="Ida" oars="2"/>'},
            {"headers": XML, "body": '<?xml version="1.0"?><boat oars="2" name="Ida"/>'},
            OK,
        ),
        (
            "XML that says something else",
            {"headers": XML, "body": "<boat><name>Ida</name></boat>"},
            {"headers": XML, "body": "<boat><name>Eva</name></boat>"},
            WRONG,
        ),
        (
            "no whole number",
            {"body": {"length": 7}, "matchingRules": rule("$.length", {"match": "integer"})},
            {"headers": JSON, "body": '{"length": 7.5}'},
            WRONG,
        ),
        (
            "a matcher of an old name",
            {"body": {"length": 7.5}, "matchingRules": rule("$.length", {"match": "real"})},
            {"headers": JSON, "body": '{"length": 9.25}'},
            OK,
        ),
        ("any body", {"status": 200}, {"headers": TEXT, "body": "whatever"}, OK),
        (ALIKE, {"status": 200}, {"status": 404}, WRONG),
        (ALIKE, {"status": 200}, {"status": 200}, OK),
    ],
    "4.0": [
        (
            "a class of statuses",
            {"status": 400, "matchingRules": rule("", {"match": "status-code", "status": "clientError"}, of="status")},
            {"status": 422},
            OK,
        ),
        (
            "each value",
            {
                "body": content({"a": 1}),
                "matchingRules": rule("$", {"match": "each-value", "rules": [{"match": "integer"}], "value": "1"}),
            },
            {"headers": JSON, "body": '{"b": 2, "c": "three"}'},
            WRONG,
        ),
        (
            "nothing where something has to be",
            {"body": content({"name": "Ida"}), "matchingRules": rule("$.name", {"match": "not-empty"})},
            {"headers": JSON, "body": '{"name": ""}'},
            WRONG,
        ),
        (
            "what lies in base64",
            {"headers": TEXT, "body": content("YWhveQ==", "text/plain", encoded="base64")},
            {"headers": TEXT, "body": "ahoy"},
            OK,
        ),
    ],
}
# What is not the response: fields of the interaction itself, by its version and its name.
FIELDS: Final[dict[tuple[str, str], dict[str, Any]]] = {
    ("1.0.0", "a status"): {"provider_state": "a boat lies here"},
    ("1.0.0", "another status"): {"providerState": "a boat lies here"},
    ("2.0.0", "no header"): {"providerStates": "no list, so none"},
    ("3.0.0", "any body"): {"providerStates": [{"name": "boats", "params": {"count": 2}}, {"name": "no wind"}]},
    ("3.0.0", "no whole number"): {"pending": True},  # means nothing before version 4
    ("4.0", "each value"): {"pending": True},
}
# Messages: the pact's, what is made, how it ends.
MESSAGES: Final[list[Case]] = [
    (
        "a boat came",
        {"contents": {"name": "Ida"}, "matchingRules": rule("$.name", {"match": "type"})},
        {"contents": {"name": "Eva"}},
        OK,
    ),
    ("a boat left", {"contents": {"name": "Ida"}}, {"contents": {"name": 7}}, WRONG),
    ("a topic", {"contents": {}, "metaData": {"topic": "in"}}, {"contents": {}, "metadata": {"topic": "out"}}, WRONG),
]
MESSAGES_OF_4: Final[list[Case]] = [
    (
        "a boat came by",
        {"type": "Asynchronous/Messages", "contents": content({"name": "Ida"})},
        {"contents": {"name": "Ida"}},
        OK,
    ),
    (
        "where to",
        {
            "type": "Synchronous/Messages",
            "request": {"contents": content({"name": "Ida"})},
            "response": [{"contents": content({"berth": "A1"})}],
        },
        {"contents": {"berth": "A1"}},
        OK,
    ),
    (
        "how long",
        {
            "type": "Synchronous/Messages",
            "request": {"contents": content({"name": "Ida"})},
            "response": [{"contents": content({"days": 2})}],
        },
        {"contents": {"days": "two"}},
        WRONG,
    ),
]

Told = tuple[str, str, tuple[str, ...], list[tuple[str, str]]]
Both = dict[str, tuple[tuple[Interaction, ...], list[dict[str, Any]]]]  # ours, and the core's own results


def made(version: str, interactions: list[dict[str, Any]], of: str = "interactions") -> dict[str, Any]:
    """Return a pact."""
    return {
        "consumer": {"name": "harbour"},
        "provider": {"name": "boats"},
        of: interactions,
        "metadata": {"pactSpecification": {"version": version}},
    }


def pacts() -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """Return the pact of each version, and what the app is told for them."""
    found, answers = {}, {"/": {"status": 500}}
    for version, cases in HTTP.items():
        interactions = []
        for number, (name, response, answer, _) in enumerate(cases):
            path = f"/{version}/{number}"
            one = {"description": name, "request": {"method": "get", "path": path}, "response": response}
            one |= FIELDS.get((version, name), {})
            interactions.append({**one, **({"type": "Synchronous/HTTP"} if version == "4.0" else {})})
            answers[path] = answer
        found[version] = made(version, interactions)
    found["3.0.0"]["interactions"] += [{"response": {"status": 200}}]  # no name, no request: GET / then
    found["4.0"]["interactions"] += [{"description": name, **one} for name, one, _, _ in MESSAGES_OF_4]
    nameless = {"contents": {"name": "Ida"}}
    messages = [*({"description": name, **one} for name, one, _, _ in MESSAGES), nameless]
    found["messages"] = made("3.0.0", messages, "messages")
    told = {name: answer for name, _, answer, _ in (*MESSAGES, *MESSAGES_OF_4)} | {"Message 3": nameless}
    found["unreadable"] = made("4.0", [{"description": "of no type"}, {"description": "of no type either"}])
    contents = {name: [answer["contents"], answer.get("metadata", {})] for name, answer in told.items()}
    return found, {"answers": answers, "messages": contents}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Both:
    """What both say of each version's pact, interaction by interaction."""
    folder = tmp_path_factory.mktemp("boats")
    found, told = pacts()
    (folder / "told.json").write_text(json.dumps(told))
    (folder / "boats.py").write_text(APP)
    (folder / "orchestrator.toml").write_text(SETTINGS)
    files = {version: folder / f"{version}.json" for version in found}
    for version, file in files.items():
        file.write_text(json.dumps(found[version]))
    project = config.load(folder)
    with agent.running(project) as app:
        command = [sys.executable, "-c", BARE, app.url, app.control, *map(str, files.values())]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        return {
            version: (
                pact.verify(pact.read(file, folder), app, project, None, timeout=60)[0],
                json.loads(Path(f"{file}.bare").read_bytes()),
            )
            for version, file in files.items()
        }


def said(interaction: Interaction) -> Told:
    places = sorted((m.kind, m.path) for m in interaction.mismatches)
    return interaction.result, interaction.description, interaction.states, places


def said_by_the_core(result: dict[str, Any]) -> Told:
    ends = {"OK": OK, "Error": Verification.PENDING if result["pending"] else WRONG}
    mismatches = result.get("mismatch", {}).get("mismatches", [])
    places = sorted((m["type"].removesuffix("Mismatch"), m.get("path") or m.get("key") or "") for m in mismatches)
    return ends[result["result"]], result["description"], tuple(result.get("providerStates", ())), places


@pytest.mark.parametrize("version", [*HTTP, "messages"])
def test_each_interaction_ends_as_it_does_with_the_core_alone(both: Both, version: str) -> None:
    ours, bare = both[version]
    assert list(map(said, ours)) == list(map(said_by_the_core, bare))
    assert bare


def test_each_case_ends_as_it_is_meant_to(both: Both) -> None:
    """So the cases are of both kinds, and the app answers what they say."""
    ends = {version: [(i.description, i.result) for i in ours] for version, (ours, _) in both.items()}
    del ends["unreadable"]
    wanted = {version: [(name, end) for name, _, _, end in cases] for version, cases in HTTP.items()}
    wanted["3.0.0"].append(("Interaction 7", WRONG))
    wanted["4.0"] += [(name, end) for name, _, _, end in MESSAGES_OF_4]
    wanted["4.0"][1] = ("each value", Verification.PENDING)
    wanted["messages"] = [*((name, end) for name, _, _, end in MESSAGES), ("Message 3", OK)]
    assert ends == wanted


def test_provider_states_are_named_as_the_core_names_them(both: Both) -> None:
    states = {(version, i.description): i.states for version, (ours, _) in both.items() for i in ours if i.states}
    assert states == {
        ("1.0.0", "a status"): ("a boat lies here",),
        ("1.0.0", "another status"): ("a boat lies here",),
        ("3.0.0", "any body"): ("boats", "no wind"),
    }


def test_a_pact_that_the_core_can_not_read_is_not_run_and_the_core_says_why(both: Both) -> None:
    ours, bare = both["unreadable"]
    assert bare == []
    assert [i.result for i in ours] == [Verification.NOT_RUN, Verification.NOT_RUN]
    assert "Interaction 0 has no type attribute" in ours[0].error
