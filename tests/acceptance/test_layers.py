"""Who notices a mutant: the shop's own tests, the generated ones, the till's pact. All is real, from the command on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestrator.errors import Code
from orchestrator.model.mutation import Mutant, MutantStatus, Mutation, Notice, OracleGap, Step
from orchestrator.model.strength import consumers
from tests.acceptance.support import SHOP, copy_of, edit, orchestrator, report_of, stage

REVEALED, PROPAGATED, REACHED, NOT_REACHED = Step.REVEALED, Step.PROPAGATED, Step.REACHED, Step.NOT_REACHED


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop after a run.

    Its pact says of the price only that it is a number, its document leaves a field out, and a second consumer reads
    less than the first.
    """
    project = copy_of(SHOP, tmp_path_factory.mktemp("layers"))
    edit(project / "pyproject.toml", 'mutation.layers = ["unit"]\n', "")
    described = "required: [id, item, count, total, shown]\n      additionalProperties: false"
    edit(project / "openapi.yaml", described, "required: [id, item, count, total]")
    file = project / "pacts" / "till-shop.json"
    pact = json.loads(file.read_text())
    pact["interactions"][0]["response"]["matchingRules"] = {
        "body": {"$.total": {"matchers": [{"match": "integer"}]}, "$.shown": {"matchers": [{"match": "type"}]}}
    }
    file.write_text(json.dumps(pact))
    body = pact["interactions"][0]["response"]["body"]
    del pact["interactions"][1], pact["interactions"][0]["response"]["matchingRules"], body["shown"], body["total"]
    (project / "pacts" / "web-shop.json").write_text(json.dumps({**pact, "consumer": {"name": "web"}}))
    ended = orchestrator(project, "run", "--all-tests")
    assert ended.code == 0, ended.output
    return project


@pytest.fixture(scope="module")
def mutation(shop: Path) -> Mutation:
    found = report_of(shop).run.mutation
    assert found
    return found


def mutant(mutation: Mutation, change: str) -> Mutant:
    """Return the one mutant that adds a line with this text."""
    (one,) = [
        m for m in mutation.mutants if any(change in line for line in m.diff.splitlines()[2:] if line.startswith("+"))
    ]
    return one


def notice(one: Mutant, layer: str) -> Notice:
    (found,) = [n for n in one.noticed if n.layer == layer and n.by != "web"]
    return found


def gap(one: Mutant, layer: str) -> OracleGap:
    (found,) = [g for g in one.gaps if g.layer == layer and not g.test.startswith("web: ")]
    return found


@pytest.mark.parametrize(
    ("change", "unit", "generated", "contract"),
    [
        ("prices.total(251, count)", PROPAGATED, PROPAGATED, PROPAGATED),  # another price: nobody says which it is
        ("amount -= amount / 10", Step.REACHED_UNSEEN, REVEALED, NOT_REACHED),  # no integer
        ('"XXitemXX": item', PROPAGATED, REVEALED, REVEALED),
        ("self._orders.append(None)", REVEALED, REVEALED, REVEALED),  # what was made is not there
        ("if count > DISCOUNT_FROM", REVEALED, REACHED, REACHED),
        ("cents = None", REVEALED, REVEALED, REACHED),  # its provider state fails: that is no mismatch
    ],
)
def test_each_layer_has_the_step_that_the_damage_reaches(
    mutation: Mutation, change: str, unit: Step, generated: Step, contract: Step
) -> None:
    assert mutant(mutation, change).layers == {"unit": unit, "property": generated, "contract": contract}


def test_only_what_no_layer_reveals_survives(mutation: Mutation) -> None:
    for one in mutation.mutants:
        if one.status is MutantStatus.SURVIVED:
            assert REVEALED not in one.layers.values()
    assert mutant(mutation, "prices.total(251, count)").status is MutantStatus.SURVIVED
    only_property = mutant(mutation, "amount -= amount / 10")
    assert only_property.status is MutantStatus.KILLED
    assert only_property.killer.endswith(": response_schema_conformance")


def test_a_check_that_fails_is_told_with_a_line_that_sends_the_request_and_without_the_key(mutation: Mutation) -> None:
    found = notice(mutant(mutation, "amount -= amount / 10"), "property")
    assert found.by.startswith("tests/generated/test_orders.py::test_add_order_")
    assert (found.what, found.operation) == ("response_schema_conformance", "POST /orders")
    assert found.message.startswith("Response violates schema: ")
    assert found.reproduce.startswith("curl -X POST")
    assert '"$API_URL"/orders' in found.reproduce
    assert '-H "X-Shop-Key: $SHOP_KEY"' in found.reproduce
    assert "key-of-the-shop" not in found.reproduce


def test_the_consumer_whose_interaction_breaks_is_named(mutation: Mutation) -> None:
    found = notice(mutant(mutation, '"XXitemXX": item'), "contract")
    assert (found.by, found.what, found.operation) == ("till", "a request for an order", "GET /orders/{number}")
    assert "item" in found.message


def test_what_let_it_through_is_told(mutation: Mutation) -> None:
    one = mutant(mutation, "prices.total(251, count)")
    pact = gap(one, "contract")
    assert (pact.test, pact.request) == ("till: a request for an order", "GET /orders/1")
    assert [(d.place, d.before, d.after) for d in pact.differences] == [
        ("$.shown", '"5.00"', '"5.02"'),
        ("$.total", "500", "502"),
    ]
    assert pact.through == 'the matcher at $.shown: {"matchers": [{"match": "type"}]}'
    case = gap(one, "property")
    assert case.operation == "POST /orders"
    assert {d.place for d in case.differences} == {"$.shown", "$.total"}


def test_what_the_document_would_have_to_say_is_told(shop: Path, mutation: Mutation) -> None:
    one = mutant(mutation, '"XXshownXX": prices.shown')
    assert one.layers["property"] is PROPAGATED
    amendment = gap(one, "property").amendment
    assert amendment
    assert amendment.at == "#/components/schemas/Order"
    assert json.loads(amendment.update) == {"required": ["count", "id", "item", "shown", "total"]}
    assert amendment.seen > 10
    told = "at #/components/schemas/Order, say"
    assert told in orchestrator(shop, "explain", one.fingerprint).output
    page = (shop / "reports" / "quality.html").read_text()
    assert "<code>#/components/schemas/Order</code>" in page


def test_what_nothing_exercises_in_the_document_is_told(shop: Path, mutation: Mutation) -> None:
    noticed = {(one.at.rpartition("/schema")[2], one.change): one.noticed for one in mutation.document}
    count = "s/Order/properties/count"
    assert noticed[count, "minimum: 2"] == ("property",)
    assert noticed["s/Order", "without the field shown"] == ("contract", "property")
    assert noticed["/properties/count", "maximum: 100"] == ("property",)  # a hundred are refused
    silent = [one for one in mutation.document if not one.noticed]
    assert len(silent) < len(mutation.document) / 2
    told = f"{len(silent)} of {len(mutation.document)} changes to the OpenAPI document would go unnoticed"
    assert told in (shop / "reports" / "quality.html").read_text()


def test_nothing_is_proposed_that_the_answers_without_a_mutant_break(mutation: Mutation) -> None:
    assert gap(mutant(mutation, "prices.total(251, count)"), "property").amendment is None


def test_each_consumer_says_what_its_pact_reveals(shop: Path, mutation: Mutation) -> None:
    noticing = {
        change: {n.by for n in mutant(mutation, change).noticed if n.layer == "contract"}
        for change in ('"XXitemXX": item', '"XXshownXX": prices.shown', "prices.total(251, count)")
    }
    assert list(noticing.values()) == [{"till", "web"}, {"till"}, set()]
    found = consumers(mutation)
    assert found["till"].revealed > found["web"].revealed > 0
    assert "Its pact reveals" in (shop / "reports" / "quality.html").read_text()


def test_the_operations_say_who_protects_them(shop: Path) -> None:
    rows = {row.operation: row for row in report_of(shop).run.operations}
    strengths = rows["POST /orders"].strengths
    assert set(strengths) == {"unit", "property", "contract"}
    assert strengths["unit"].revealed > strengths["unit"].alone > 0
    assert not rows["POST /orders"].only_unit


def test_explain_tells_the_whole_story(shop: Path, mutation: Mutation) -> None:
    one = mutant(mutation, "amount -= amount / 10")
    told = orchestrator(shop, "explain", one.fingerprint).output
    assert "property layer: revealed: a generated case fails a check" in told
    assert notice(one, "property").reproduce in told
    assert "contract layer: not reached: no interaction executes the changed code" in told
    survivor = orchestrator(shop, "explain", mutant(mutation, "prices.total(251, count)").fingerprint).output
    assert "contract layer: till: a request for an order passes, though request 1" in survivor
    assert "What let it through: the matcher at $.shown" in survivor


def test_the_page_tells_it_too(shop: Path) -> None:
    page = (shop / "reports" / "quality.html").read_text()
    assert "What let it through: the matcher at $.shown" in page
    assert "Only the project" not in page
    assert "key-of-the-shop" not in page


def test_recorded_requests_are_kept_for_their_owner_alone(shop: Path) -> None:
    for name in ("properties/scenarios.ndjson", "properties/scenarios.about.json", "contracts/scenarios.json"):
        assert (shop / ".orchestrator" / name).stat().st_mode & 0o077 == 0


def test_without_the_other_layers_only_the_own_tests_are_asked(shop: Path, tmp_path: Path) -> None:
    project = copy_of(shop, tmp_path)
    edit(project / "pyproject.toml", "mutation.critical", 'mutation.layers = ["unit"]\nmutation.critical')
    orchestrator(project, "run", "--stage", "mutation")
    found = report_of(project).run.mutation
    assert found
    assert {tuple(m.layers) for m in found.mutants if m.layers} == {("unit",)}


def test_an_app_with_a_thread_has_its_own_tests_and_the_reason(shop: Path, tmp_path: Path) -> None:
    project = copy_of(shop, tmp_path)
    edit(
        project / "shop" / "app.py",
        "    app = Flask(__name__)\n",
        "    import threading\n    app = Flask(__name__)\n"
        "    threading.Thread(target=threading.Event().wait, name='mailer', daemon=True).start()\n",
    )
    orchestrator(project, "run")
    found = stage(project, "mutation")
    assert [notice.code for notice in found.notices if "mailer" in notice.message] == [Code.NOT_REPLAYABLE]
    assert isinstance(found.data, Mutation)
    assert {tuple(m.layers) for m in found.data.mutants if m.layers} == {("unit",)}
