"""A large run that could be real: the same sizes give the same run.

Its mutants have sources in which their diffs fit, tests that kill them or see them pass, and operations that lead to
them; their code is put together from a dozen pieces, so that it packs about as well as people's code does.
"""

from __future__ import annotations

import difflib
import random
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

import msgspec

from orchestrator import config, gates, history
from orchestrator.model.contracts import Contracts, Interaction, Mismatch, Verification
from orchestrator.model.description import Description, FieldUse, ResponseUse
from orchestrator.model.fingerprint import fingerprint
from orchestrator.model.mutation import (
    InputGap,
    Mutant,
    MutantStatus,
    Mutation,
    Notice,
    OracleGap,
    Proposal,
    ResponseDifference,
    SelfCheck,
    Step,
)
from orchestrator.model.operations import Operation
from orchestrator.model.properties import Cases, Finding, Phase, Properties, Request, Response
from orchestrator.model.run import SCHEMA_VERSION, OperationRow, Point, Report, Run
from orchestrator.model.strength import strengths
from orchestrator.model.suite import Exchange, FileCoverage, Outcome, Suite, Test
from tests import builders

FINDINGS: Final = 20
MISMATCHES: Final = 10
RUNS: Final = 60
CONSUMERS: Final = ("billing", "mobile-app", "web-frontend")
AREAS: Final = (
    "catalog",
    "sales",
    "stock",
    "billing",
    "people",
    "support",
    "shipping",
    "returns",
    "partners",
    "audit",
    "pricing",
    "media",
    "search",
    "payments",
    "loyalty",
    "reports",
    "devices",
    "events",
    "access",
    "exports",
)
NOUNS: Final = (
    "order",
    "customer",
    "invoice",
    "parcel",
    "voucher",
    "supplier",
    "contract",
    "ticket",
    "review",
    "product",
)
# A method, what follows the resource, the function's verb.
SHAPES: Final = (
    ("GET", "", "list"),
    ("POST", "", "add"),
    ("GET", "/{id}", "read"),
    ("PUT", "/{id}", "replace"),
    ("PATCH", "/{id}", "change"),
    ("DELETE", "/{id}", "remove"),
    ("POST", "/{id}/cancel", "cancel"),
    ("GET", "/{id}/history", "trace"),
    ("GET", "/{id}/items", "items_of"),
    ("POST", "/{id}/items", "add_item_to"),
)
LAYERS_OF_CODE: Final = ("services", "routes", "storage", "rules", "views", "tasks")
PER_FUNCTION: Final = 10  # mutants, and one test

# A piece of a function, and its two mutants: (line, before, after), with {noun} and a number {n}.
PIECES: Final[tuple[tuple[str, tuple[tuple[int, str, str], tuple[int, str, str]]], ...]] = (
    (
        'if limit > {n}:\n    raise BadRequest("the limit of {noun}s is {n}")',
        ((0, "limit > {n}", "limit >= {n}"), (1, '"the limit of {noun}s is {n}"', "None")),
    ),
    (
        'found = store.get("{noun}", key)\nif found is None or found.deleted:\n    raise NotFound(key)',
        ((0, '"{noun}", key', '"{noun}", None'), (1, " or ", " and ")),
    ),
    (
        "lines = [line for line in {noun}.lines if line.count > 0]",
        ((0, "count > 0", "count > 1"), (0, "[line for", "[None for")),
    ),
    (
        "total = sum(line.count * line.cents for line in lines) + {noun}.fee",
        ((0, "count * line", "count / line"), (0, " + {noun}", " - {noun}")),
    ),
    (
        "page = rows[offset : offset + {n}]\nmore = len(rows) > offset + {n}",
        ((0, "offset + {n}", "offset - {n}"), (1, "> offset", ">= offset")),
    ),
    (
        'body = {"id": {noun}.id, "state": {noun}.state, "total": shown(total)}',
        ((0, '"state"', '"XXstateXX"'), (0, "shown(total)", "shown(None)")),
    ),
    (
        "if not user.may({noun}, Right.WRITE):\n    raise Forbidden(user.name)",
        ((0, "if not", "if"), (1, "user.name", "None")),
    ),
    (
        "due = {noun}.made + timedelta(days={n})\nlate = due < now()",
        ((0, "days={n}", "days={n} + 1"), (1, "due < now", "due <= now")),
    ),
    (
        'store.add(Event("{noun}", {noun}.id, at=now()))\nstore.commit()',
        ((0, '"{noun}", {noun}', "None, {noun}"), (0, "at=now()", "at=None")),
    ),
    (
        "rate = RATES.get({noun}.country, {n})\ntax = round(total * rate / 100)",
        ((0, ", {n})", ")"), (1, "/ 100", "/ 101")),
    ),
    (
        "name = (given or {noun}.name).strip()[:{n}]",
        ((0, " or ", " and "), (0, "[:{n}]", "[:{n} + 1]")),
    ),
    (
        'if {noun}.version != seen:\n    return conflict("{noun}", {noun}.version)',
        ((0, "!=", "=="), (1, "{noun}.version)", "None)")),
    ),
)


class Function(msgspec.Struct, frozen=True):
    """A function of the made-up service: where it is, its lines, its mutants as (line, before, after)."""

    path: str
    name: str
    operation: Operation
    test: str
    lines: tuple[str, ...]
    changes: tuple[tuple[int, str, str], ...]


def report(operations: int, mutants: int) -> Report:
    """Return a report on a run of these sizes, beside a baseline in which less was wrong."""
    chance = random.Random(operations * 1_000_003 + mutants)  # noqa: S311 - no secret
    now = _run(operations, mutants, chance)
    comparison = history.compare(now, _earlier(now), history.BASELINE)
    made = Report(
        schema=SCHEMA_VERSION, run=now, verdict=gates.evaluate(now, comparison, config.Gates()), comparison=comparison
    )
    return msgspec.structs.replace(made, history=tuple(_points(made, chance)))


def _run(operations: int, mutants: int, chance: random.Random) -> Run:
    described = _operations(operations)
    functions = list(_functions(described, -(-mutants // PER_FUNCTION), chance))
    sources, first_lines = _sources(functions)
    judged = tuple(islice(_mutants(functions, sources, first_lines, chance), mutants))
    suite = Suite(
        tests=tuple(_test(number, function, chance) for number, function in enumerate(functions)),
        workers=8,
        coverage=tuple(
            FileCoverage(path=p, statements=s.count("\n"), covered=s.count("\n") - 3) for p, s in sources.items()
        ),
    )
    properties = Properties(
        cases=tuple(
            Cases(operation=o.label, phase=Phase.FUZZING, sent=100, statuses={"200": 88, "422": 12}) for o in described
        ),
        findings=tuple(_finding(o, n) for n, o in enumerate(described[:: max(1, operations // FINDINGS)][:FINDINGS])),
        tests=operations * 3,
        seed=1,
        reached={},
    )
    contracts = Contracts(interactions=tuple(_interactions(described)))
    mutation = Mutation(
        mutants=judged,
        critical=("shop/**/*.py",),
        reused=mutants // 2,
        self_check=SelfCheck(checked=200, seconds=41.5),
        sources=sources,
    )
    generated = builders.generated(title="Shop", version="4.2", operations=described)
    return builders.run(
        generated,
        suite,
        properties,
        contracts,
        Description(responses=tuple(_responses(described))),
        mutation,
        seconds=1_234.5,
        operations=tuple(_rows(described, suite, properties, contracts, mutation)),
    )


def _operations(count: int) -> tuple[Operation, ...]:
    resources = ((area, noun) for area in AREAS for noun in NOUNS)
    every = (
        Operation(
            method=method,
            path=f"/v1/{area}/{noun}s{rest}",
            operation_id=f"{verb}_{area}_{noun}",
            tag=area,
            summary=f"{verb.replace('_', ' ').capitalize()} {noun}s of {area}",
        )
        for area, noun in resources
        for method, rest, verb in SHAPES
    )
    found = tuple(islice(every, count))
    assert len(found) == count, f"at most {len(AREAS) * len(NOUNS) * len(SHAPES)} operations"
    return found


def _functions(operations: Sequence[Operation], count: int, chance: random.Random) -> Iterator[Function]:
    for number in range(count):
        turn, place = divmod(number, len(operations))
        operation = operations[place]
        _, _, area, plural = operation.path.split("/")[:4]
        noun = plural.removesuffix("s")
        layer = LAYERS_OF_CODE[turn] if turn < len(LAYERS_OF_CODE) else f"part{turn}"
        verb = operation.operation_id.removesuffix(f"_{area}_{noun}")
        lines = [f"def {verb}_{noun}(store, user, {noun}, key, limit=50, offset=0):", f'    """{operation.summary}."""']
        changes: list[tuple[int, str, str]] = []
        for text, mutants in chance.sample(PIECES, PER_FUNCTION // 2):
            words = {"{noun}": noun, "{n}": str(chance.randrange(2, 400))}
            changes += [(len(lines) + at, _filled(old, words), _filled(new, words)) for at, old, new in mutants]
            lines += [f"    {line}" for line in _filled(text, words).split("\n")]
        yield Function(
            f"shop/{area}/{layer}/{plural}.py",
            f"{verb}_{noun}",
            operation,
            f"tests/{area}/{layer}/test_{plural}.py::test_{verb}_{noun}_does_what_is_asked",
            (*lines, "    return answer(locals())", "", ""),
            tuple(changes),
        )


def _filled(text: str, words: Mapping[str, str]) -> str:
    for name, word in words.items():
        text = text.replace(name, word)
    return text


def _sources(functions: Sequence[Function]) -> tuple[dict[str, str], dict[tuple[str, str], int]]:
    """Return the text of each file, and where in it each function begins, counted from 0."""
    files: dict[str, list[str]] = {}
    begins: dict[tuple[str, str], int] = {}
    for function in functions:
        head = [f'"""The {function.operation.tag} of the shop."""', "", "from shop.common import *", "", ""]
        lines = files.setdefault(function.path, head)
        begins[function.path, function.name] = len(lines)
        lines += function.lines
    return {path: "\n".join(lines) for path, lines in files.items()}, begins


def _mutants(
    functions: Sequence[Function],
    sources: dict[str, str],
    begins: dict[tuple[str, str], int],
    chance: random.Random,
) -> Iterator[Mutant]:
    lines = {path: source.split("\n") for path, source in sources.items()}
    for function in functions:
        first = begins[function.path, function.name]
        for number, (offset, before, after) in enumerate(function.changes, 1):
            at = first + offset
            changed = lines[function.path][at].replace(before, after, 1)
            mutant = Mutant(
                fingerprint=fingerprint(function.path, function.name, str(number)),
                id=f"{function.path[:-3].replace('/', '.')}.x_{function.name}__mutmut_{number}",
                path=function.path,
                function=function.name,
                line=at + 1,
                diff=_diff(function.path, lines[function.path], at, changed),
                status=MutantStatus.KILLED,
                seconds=round(chance.uniform(0.004, 0.09), 4),
                operations=(function.operation.label,),
                tests=chance.randrange(1, 9),
            )
            yield _judged(mutant, function, chance)


def _diff(path: str, lines: list[str], at: int, changed: str) -> str:
    start, end = max(0, at - 3), min(len(lines), at + 4)
    before, after = lines[start:end], [*lines[start:at], changed, *lines[at + 1 : end]]
    told = list(difflib.unified_diff(before, after, f"a/{path}", f"b/{path}", lineterm=""))
    told[2] = f"@@ -{start + 1},{end - start} +{start + 1},{end - start} @@"
    return "\n".join(told)


def _judged(mutant: Mutant, function: Function, chance: random.Random) -> Mutant:
    """Return a mutant with what became of it: about one in eight survives, in all the ways there are."""
    lot = chance.random()
    if lot < 0.85:
        return _killed(mutant, function, chance)
    if lot < 0.88:
        status = chance.choice([MutantStatus.TIMEOUT, MutantStatus.EQUIVALENT, MutantStatus.DUPLICATE])
        return msgspec.structs.replace(mutant, status=status)
    if lot < 0.89:
        condition = f"offset > {chance.randrange(100)}"
        layers = dict.fromkeys(("unit", "property", "contract"), Step.NOT_REACHED)
        return msgspec.structs.replace(
            mutant, status=MutantStatus.NO_TESTS, tests=0, layers=layers, condition=condition
        )
    survivor = msgspec.structs.replace(mutant, status=MutantStatus.SURVIVED)
    if lot < 0.93:
        gap = _oracle_gap(function, chance, with_proposal=lot < 0.915)
        layers = {"unit": Step.PROPAGATED, "property": Step.REACHED, "contract": Step.NOT_REACHED}
        return msgspec.structs.replace(survivor, layers=layers, gaps=(gap,))
    layers = {"unit": Step.REACHED, "property": Step.REACHED, "contract": Step.NOT_REACHED}
    return msgspec.structs.replace(survivor, layers=layers, input_gap=_input_gap(function, chance, found=lot < 0.96))


def _killed(mutant: Mutant, function: Function, chance: random.Random) -> Mutant:
    asserted = f"assert {chance.randrange(900)} == {chance.randrange(900)}"
    steps = {"unit": Step.REVEALED, "property": Step.REACHED, "contract": Step.NOT_REACHED}
    label, noticed = function.operation.label, []
    if chance.random() < 0.3:
        steps["property"] = Step.REVEALED
        test = f"tests/generated/test_{function.operation.tag}.py::test_{function.operation.operation_id}"
        message = "Response violates schema"
        noticed.append(
            Notice(layer="property", by=test, what="response_schema_conformance", message=message, operation=label)
        )
    if chance.random() < 0.2:
        steps["contract"] = Step.REVEALED
        told = f"a request to {label}"
        noticed.append(
            Notice(layer="contract", by=chance.choice(CONSUMERS), what=told, message="$.total differs", operation=label)
        )
    return msgspec.structs.replace(mutant, killer=function.test, message=asserted, layers=steps, noticed=tuple(noticed))


def _difference(chance: random.Random) -> ResponseDifference:
    place = chance.choice(["$.total", "$.state", "$.lines[0].count", "length of $.rows", "$.due", "status"])
    before = chance.randrange(200, 900)
    return ResponseDifference(place=place, before=str(before), after=str(before + chance.randrange(1, 9)))


def _proposal(function: Function, seen: ResponseDifference, line: int) -> Proposal:
    path, _, name = function.test.partition("::")
    assertion = f'assert answer.json()["{seen.place}"] == {seen.before}'
    diff = (
        f"--- a/{path}\n+++ b/{path}\n@@ -{line},3 +{line},4 @@\n def {name}(client):\n"
        f"     answer = client.request()\n+    {assertion}\n     assert answer.status_code == 200\n"
    )
    return Proposal(path=path, line=line + 2, assertion=assertion, diff=diff)


def _request(function: Function, chance: random.Random) -> str:
    return f"{function.operation.method} {function.operation.path.replace('{id}', str(chance.randrange(1, 99)))}"


def _oracle_gap(function: Function, chance: random.Random, *, with_proposal: bool) -> OracleGap:
    seen = _difference(chance)
    return OracleGap(
        layer="unit",
        test=function.test,
        request=_request(function, chance),
        number=chance.randrange(1, 4),
        differences=(seen,),
        operation=function.operation.label,
        proposal=_proposal(function, seen, chance.randrange(5, 200)) if with_proposal else None,
    )


def _input_gap(function: Function, chance: random.Random, *, found: bool) -> InputGap:
    if not found:
        return InputGap(tried=chance.randrange(0, 30))
    seen, request = _difference(chance), _request(function, chance)
    return InputGap(
        tried=chance.randrange(1, 30),
        test=function.test,
        request=request,
        call=f'client.{function.operation.method.lower()}("{request.partition(" ")[2]}", json={{"count": 0}})',
        operation=function.operation.label,
        differences=(seen,),
        proposal=_proposal(function, seen, chance.randrange(5, 200)),
    )


def _responses(operations: Sequence[Operation]) -> Iterator[ResponseUse]:
    for number, operation in enumerate(operations):
        for at, status in enumerate(("200", "400", "401", "404", "409", "500")):
            fields = ("$.id", "$.items", "$.items[].total", "$.detail") if at else ("$.title", "$.detail", "$.errors")
            yield ResponseUse(
                operation=operation.label,
                status=status,
                described=(number + at) % 9 != 0,
                seen={"suite": number % 7, "property": 40} if status != "500" else {},
                consumers=CONSUMERS[: number % 3],
                fields=tuple(
                    FieldUse(path=path, described=True, seen=40, consumers=CONSUMERS[: (number + k) % 2])
                    for k, path in enumerate(fields)
                ),
            )


def _test(number: int, function: Function, chance: random.Random) -> Test:
    is_red = number % 90 == 80
    return Test(
        id=function.test,
        outcome=Outcome.FAILED if is_red else Outcome.PASSED,
        seconds=round(chance.uniform(0.005, 0.4), 4),
        message="assert 409 == 200" if is_red else "",
        exchanges=(
            Exchange(
                method=function.operation.method,
                path=_request(function, chance).partition(" ")[2],
                status=200,
                operation=function.operation.label,
            ),
        ),
    )


def _finding(operation: Operation, number: int) -> Finding:
    check, title, severity = (
        ("not_a_server_error", "Server error", "critical"),
        ("response_schema_conformance", "Response violates schema", "high"),
        ("positive_data_acceptance", "Schema-valid request rejected", "medium"),
    )[number % 3]
    body = f'{{"count": {number}, "name": "\\u0000"}}'
    return Finding(
        fingerprint=fingerprint(operation.label, check),
        operation=operation.label,
        check=check,
        title=title,
        message=f"{title}\n\nExpected: what the document says of {operation.label}",
        severity=severity,
        phases=(Phase.COVERAGE, Phase.FUZZING),
        cases=number + 1,
        request=Request(
            method=operation.method,
            url=f"http://127.0.0.1:8000{operation.path}",
            headers=(("Accept", "*/*"), ("Content-Type", "application/json")),
            body=body,
        ),
        response=Response(status=500, headers=(("content-type", "application/json"),), body='{"error": "boom"}'),
        curl=f"curl -X {operation.method} -H 'Content-Type: application/json' -d '{body}' \"$API_URL\"{operation.path}",
        test=f"tests/generated/test_{operation.tag}.py::test_{operation.operation_id}",
    )


def _interactions(operations: Sequence[Operation]) -> Iterator[Interaction]:
    failing = {o.label for o in operations[3 :: max(1, len(operations) // MISMATCHES)][:MISMATCHES]}
    for number, operation in enumerate(operations):
        for at, consumer in enumerate(CONSUMERS):
            fails = operation.label in failing and at == number % len(CONSUMERS)
            if not fails and (number + at) % 3 == 0:
                continue
            description = f"a request to {operation.summary[:1].lower()}{operation.summary[1:]}"
            yield Interaction(
                fingerprint=fingerprint(consumer, description),
                consumer=consumer,
                description=description,
                states=(f"there are {operation.path.split('/')[3]}",),
                operation=operation.label,
                result=Verification.MISMATCH if fails else Verification.VERIFIED,
                pact=f"pacts/{consumer}-shop.json",
                seconds=0.01,
                mismatches=(
                    Mismatch(
                        kind="BodyMismatch",
                        path="$.total",
                        message="Expected 500, got 502",
                        expected="500",
                        actual="502",
                    ),
                )
                if fails
                else (),
            )


def _rows(
    operations: Sequence[Operation], suite: Suite, properties: Properties, contracts: Contracts, mutation: Mutation
) -> Iterator[OperationRow]:
    """Yield the matrix as `orchestrator.matrix` makes it, which looks through everything for every operation."""
    tests: dict[str, list[Test]] = {o.label: [] for o in operations}
    mutants: dict[str, list[Mutant]] = {o.label: [] for o in operations}
    interactions: dict[str, list[Interaction]] = {o.label: [] for o in operations}
    for test in suite.tests:
        tests[test.exchanges[0].operation].append(test)
    for mutant in mutation.mutants:
        mutants[mutant.operations[0]].append(mutant)
    for interaction in contracts.interactions:
        interactions[interaction.operation].append(interaction)
    for operation in operations:
        label = operation.label
        yield OperationRow(
            operation=label,
            summary=operation.summary,
            tests=len(tests[label]),
            red_tests=sum(t.outcome.is_red for t in tests[label]),
            cases=100,
            findings=tuple(f.fingerprint for f in properties.findings if f.operation == label),
            interactions={i.consumer: 1 for i in interactions[label]},
            failures=tuple(i.fingerprint for i in interactions[label] if i.result.is_failure),
            mutants=len(mutants[label]),
            detected=sum(m.status.is_detected for m in mutants[label]),
            survivors=tuple(m.fingerprint for m in mutants[label] if m.status.is_undetected),
            strengths=strengths(mutants[label]),
        )


def _earlier(now: Run) -> Run:
    """Return the run before: every tenth survivor was killed then, and as many others lived; half the findings."""

    def then(number: int, mutant: Mutant) -> Mutant:
        if mutant.status.is_undetected and number % 10 == 0:
            return msgspec.structs.replace(mutant, status=MutantStatus.KILLED)
        if mutant.status.is_detected and number % 90 == 0:
            return msgspec.structs.replace(mutant, status=MutantStatus.SURVIVED)
        return mutant

    stages = []
    for stage in now.stages:
        data = stage.data
        if isinstance(data, Mutation):
            data = msgspec.structs.replace(data, mutants=tuple(then(n, m) for n, m in enumerate(data.mutants)))
        elif isinstance(data, Properties):
            data = msgspec.structs.replace(data, findings=data.findings[::2])
        stages.append(msgspec.structs.replace(stage, data=data))
    return msgspec.structs.replace(now, stages=tuple(stages), started="2026-01-01T03:04:05Z")


def _points(made: Report, chance: random.Random) -> Iterator[Point]:
    last = made.point
    assert last.score is not None
    assert last.survivors is not None
    for back in range(RUNS, 0, -1):
        yield msgspec.structs.replace(
            last,
            started=f"2025-{12 - back // 28:02}-{28 - back % 28:02}T03:04:05Z",
            commit=fingerprint(str(back)),
            score=last.score - back / 10 + chance.random(),
            survivors=last.survivors + back * 7 - chance.randrange(9),
            findings=FINDINGS + back // 10,
            seconds=last.seconds + chance.randrange(-90, 90),
        )
