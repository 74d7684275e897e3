"""What mutation testing found."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class MutantStatus(StrEnum):
    """What became of a mutant."""

    KILLED = "killed"
    SURVIVED = "survived"
    TIMEOUT = "timeout"
    CRASHED = "crashed"  # the process that ran the tests died of it
    TYPE_CHECK = "caught by type check"
    NO_TESTS = "no tests"  # no test executes the changed code
    SUSPICIOUS = "suspicious"  # it could not be judged
    EQUIVALENT = "equivalent"  # the compiler makes the same of it
    DUPLICATE = "duplicate"  # the compiler makes the same of it as of another mutant
    TRIVIAL = "trivial"  # logging, a representation, types: it says nothing about the API
    INVALID = "invalid"  # it is no Python
    SUPPRESSED = "suppressed"  # the user says that it need not be judged, and why
    NOT_RUN = "not run"

    @property
    def is_detected(self) -> bool:
        """Whether somebody would notice."""
        return self in (
            MutantStatus.KILLED,
            MutantStatus.TIMEOUT,
            MutantStatus.CRASHED,
            MutantStatus.TYPE_CHECK,
        )

    @property
    def is_undetected(self) -> bool:
        """Whether nobody would notice: it survived, or nothing executes it."""
        return self in (MutantStatus.SURVIVED, MutantStatus.NO_TESTS)


# Of each status in which a mutant is not judged: why.
WHY_NOT_JUDGED = {
    MutantStatus.EQUIVALENT: "compiled it is the original",
    MutantStatus.DUPLICATE: "compiled it is another mutant",
    MutantStatus.TRIVIAL: "logging, a representation, types",
    MutantStatus.INVALID: "it is no Python",
    MutantStatus.SUPPRESSED: "the settings say that it need not be",
    MutantStatus.SUSPICIOUS: "the tools failed",
    MutantStatus.NOT_RUN: "no time was left, or it was not asked for",
}


class MutantKind(StrEnum):
    """Which code is changed."""

    FUNCTION = "function"
    HANDLER = "handler"  # a function with decorators
    DEFAULT = "default"  # a default of a function's parameter
    CLASS = "class"  # the body of a class
    MODULE = "module"  # code of a module outside of functions

    @property
    def at_import(self) -> bool:
        """Whether the code runs when its module is imported."""
        return self in (MutantKind.DEFAULT, MutantKind.CLASS, MutantKind.MODULE)


# Of each layer: who sends requests, one of them, and what it means that it notices.
_WORDS = {
    "unit": ("tests", "test", "a test fails"),
    "property": ("generated cases", "generated case", "a generated case fails a check"),
    "contract": ("interactions", "interaction", "an interaction does not hold any more"),
}
LAYERS = tuple(_WORDS)


class Step(StrEnum):
    """How far the damage of a mutant gets in one layer of tests: the furthest step.

    The steps are those of the RIPR model (reachability, infection, propagation, revealability: Ammann and Offutt,
    Introduction to Software Testing, 2nd edition, 2016); an infected state is not seen from outside.
    """

    NOT_REACHED = "not reached"  # nothing executes the changed code
    REACHED_UNSEEN = "reached, no exchange"  # it is executed only where there is no HTTP exchange to look at
    REACHED = "reached"  # it is executed, and every response stays the same
    PROPAGATED = "propagated"  # a response differs, and the test that saw it passes
    REVEALED = "revealed"  # a test fails, ends in a time-out or dies

    def meaning(self, layer: str) -> str:
        """Return what it says of a layer, in words."""
        all_of_them, one, revealed = _WORDS[layer]
        return {
            Step.NOT_REACHED: f"no {one} executes the changed code",
            Step.REACHED_UNSEEN: f"{all_of_them} execute it, where there is no HTTP exchange to look at",
            Step.REACHED: f"{all_of_them} execute it, and every response that they see stays the same",
            Step.PROPAGATED: f"a response differs, and the {one} that sees it passes",
            Step.REVEALED: revealed,
        }[self]


class ResponseDifference(msgspec.Struct, frozen=True, kw_only=True):
    """A place in a response that is not what it is without a mutant.

    Attributes:
        place: `status`, `header location`, `$.items[0].total`, `length of $.items`, `body`; or `request`.
        before: What it is without the mutant: JSON, or what it is in all runs where it varies by itself.
        after: What it is under it.
    """

    place: str
    before: str
    after: str


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """An assertion that a test lacks: the test was run with it, passed three times, and failed under the mutant.

    Attributes:
        path: The test's file, relative to pytest's root folder.
        line: Where it stands in the changed file.
        assertion: The statement.
        diff: Unified diff of the file.
    """

    path: str
    line: int
    assertion: str
    diff: str


class Amendment(msgspec.Struct, frozen=True, kw_only=True):
    """What the OpenAPI document lacks: with it all recorded responses pass as before, and that of the mutant does not.

    Attributes:
        at: Where in the document, as a JSON Pointer (RFC 6901) behind a `#`.
        update: What would have to be said there, as JSON: an object whose members are added, or put in place of others.
        seen: How many recorded responses it was held against there.
    """

    at: str
    update: str
    seen: int

    @property
    def told(self) -> str:
        """It in words."""
        return f"at {self.at}, say {self.update} (all {self.seen:,} responses seen there keep to it)"


class Notice(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who notices a mutant beside the project's own tests.

    Attributes:
        layer: `property` or `contract`.
        by: The generated test, or the consumer.
        what: The check in schemathesis' words, or the interaction's description.
        message: What it says.
        operation: The label of the operation; empty: none in the OpenAPI document.
        reproduce: A command line that sends the request; empty: there is none.
    """

    layer: str
    by: str
    what: str
    message: str
    operation: str = ""
    reproduce: str = ""


class OracleGap(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A test that saw a response differ, and passed.

    Attributes:
        layer: Whose test: `unit`, `property` or `contract`.
        test: The test: pytest's node id, or the consumer and the interaction's description.
        request: Method and path.
        number: Which of the test's requests, from 1.
        differences: Where the response differs.
        operation: The label of the operation; empty: none in the OpenAPI document.
        proposal: The assertion that would notice; None: none was found that does.
        through: What let it through, if that is known: the pact's matcher.
        amendment: What the OpenAPI document would have to say to notice it; None: nothing was found.
        status: Of the response without the mutant; None: there is none, or it is not known.
    """

    layer: str
    test: str
    request: str
    number: int
    differences: tuple[ResponseDifference, ...]
    operation: str = ""
    status: int | None = None
    proposal: Proposal | None = None
    through: str = ""
    amendment: Amendment | None = None


class InputGap(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came of a search for a request that shows a mutant, where every response of the tests stays the same.

    Attributes:
        tried: How many other requests were sent, at the end of tests whose own execute the mutant, or, where none does,
            its function.
        test: The test to which the one that shows it was added; empty: none was found.
        request: Its method and path.
        call: It, as the test sends it.
        operation: The label of its operation; empty: none in the OpenAPI document.
        differences: Where its response differs.
        proposal: The test with it, and the assertion.
        directed: Whether numbers were searched for that come near to those that the code compares them with.
    """

    tried: int = 0
    test: str = ""
    request: str = ""
    call: str = ""
    operation: str = ""
    differences: tuple[ResponseDifference, ...] = ()
    proposal: Proposal | None = None
    directed: bool = False

    @property
    def meaning(self) -> str:
        """What came of the search, in words."""
        if self.request:
            return f"A request that shows it is missing; {self.test} could send it:"
        if self.tried:
            return f"{self.tried:,} other requests were tried, and none is answered differently."
        return "No other request was tried: the requests of the tests that come to it can't be varied."


class Checked(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The only place in all responses that differed for the test that noticed a mutant: so the test looks there.

    Attributes:
        request: Method and path.
        status: Of the response without the mutant.
        place: `status`, `header location`, `$.items[].total`, `length of $.items`, `body`.
        operation: The label of the operation; empty: none in the OpenAPI document.
    """

    request: str
    status: int
    place: str
    operation: str = ""


class Mutant(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One change to the code.

    Attributes:
        fingerprint: The same from run to run while module, function and change are, wherever the lines are.
        id: The name that mutmut gives it.
        path: The source file, relative to the project.
        function: Qualified name within the module.
        line: The first changed line in the source file.
        diff: Unified diff with the file's true line numbers.
        kind: Which code is changed.
        status: What became of it: it is killed if any layer reveals it.
        killer: Who noticed first: a test, `collection` when the tests can't even be collected, or whoever noticed in
            another layer; empty: nobody did.
        killers: Every test that notices; empty: only the first one is known.
        message: What that test said.
        seconds: How long judging took; None: not known.
        operations: Labels of the operations whose requests execute the function.
        tests: How many tests execute the changed code; None: not known.
        reason: Why it is not judged, where its status does not say it.
        layers: How far it got in each layer. Layers that are missing: not computed.
        noticed: Who notices it beside the project's own tests: the generated tests once; one consumer, or each where
            all tests were asked.
        gaps: Tests that saw it and passed, at most three of the project's own, one of the generated ones, and one
            of a consumer, or of each where all tests were asked.
        input_gap: What came of the search for a request that shows it; None: none was made.
        checked: Where a response differed for the killer; None: in several places, in none, or not known.
        condition: Why no test executes the changed code: the condition that none meets; empty: tests do, or not known.
        changed: Whether it changes a line that is new since `Mutation.changed_since`.
    """

    fingerprint: str
    id: str
    path: str
    function: str
    line: int
    diff: str
    status: MutantStatus
    kind: MutantKind = MutantKind.FUNCTION
    killer: str = ""
    killers: tuple[str, ...] = ()
    message: str = ""
    reason: str = ""
    seconds: float | None = None
    operations: tuple[str, ...] = ()
    tests: int | None = None
    layers: dict[str, Step] = {}
    noticed: tuple[Notice, ...] = ()
    gaps: tuple[OracleGap, ...] = ()
    input_gap: InputGap | None = None
    checked: Checked | None = None
    condition: str = ""
    changed: bool = False

    @property
    def proposals(self) -> tuple[tuple[str, Proposal], ...]:
        """The proposed changes to tests that notice it, each with the label of its operation."""
        found: list[OracleGap | InputGap] = [*self.gaps, *([self.input_gap] if self.input_gap else [])]
        return tuple((one.operation, one.proposal) for one in found if one.proposal)


class DocumentMutant(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A change to the OpenAPI document.

    Attributes:
        at: Where, as a JSON Pointer (RFC 6901) behind a `#`.
        change: What is said there instead.
        noticed: Layers with a recorded exchange that the document describes and the changed one does not, or the other
            way round; empty: nothing exercises it.
    """

    at: str
    change: str
    noticed: tuple[str, ...] = ()


class Unmutated(msgspec.Struct, frozen=True, kw_only=True):
    """A critical function, or a file (whose `function` is empty), that has no mutant, with the reason."""

    path: str
    function: str
    line: int
    reason: str


class Disagreement(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict that plain pytest on changed source does not share.

    Attributes:
        mutant: The mutant's name.
        ours: What the stage says.
        plain: What plain pytest says.
        detail: How pytest ended.
    """

    mutant: str
    ours: MutantStatus
    plain: MutantStatus
    detail: str = ""


class SelfCheck(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """New verdicts judged again: the whole suite, plain pytest, a fresh interpreter, changed source.

    Attributes:
        checked: How many verdicts.
        disagreements: Those that differ.
        seconds: How long it took.
        reason: Why nothing could be checked; empty: it could, or nothing was new.
    """

    checked: int
    seconds: float = 0.0
    disagreements: tuple[Disagreement, ...] = ()
    reason: str = ""


class Mutation(msgspec.Struct, frozen=True, kw_only=True, tag="mutation", omit_defaults=True):
    """The result of the mutation stage.

    Attributes:
        mutants: Every mutant of the critical paths.
        unmutated: Critical functions and files that have no mutants.
        critical: The critical paths as the settings give them.
        mode: How they were judged: `warm` or `fresh`.
        quick: Whether the mutants are functions without their bodies, one each.
        all_tests: Whether all tests and all consumers that reach a mutant were asked, so that it is known which of them
            notice it.
        shard: Which part of the mutants was to be judged, `2/4`; empty: all.
        reused: How many verdicts are those of an earlier run, because nothing that they depend on has changed.
        seconds: What took how long: `collection`, `reach`, `judging`, `import-time`, `layers`,
            `layers-import-time`, `self-check`; `layers-cpu-median` is the CPU time that the property and the contract
            layer take of a mutant.
        self_check: What judging a sample again has shown; None: not done.
        document: Changes to the OpenAPI document, held against what was recorded; empty: not computed.
        sources: The text of each file that has a mutant, by path.
        changed_since: The git revision since which lines count as changed; empty: none is known.
    """

    mutants: tuple[Mutant, ...]
    critical: tuple[str, ...]
    unmutated: tuple[Unmutated, ...] = ()
    mode: str = "warm"
    quick: bool = False
    all_tests: bool = False
    shard: str = ""
    reused: int = 0
    seconds: dict[str, float] = {}
    self_check: SelfCheck | None = None
    document: tuple[DocumentMutant, ...] = ()
    sources: dict[str, str] = {}
    changed_since: str = ""

    def count(self, *statuses: MutantStatus) -> int:
        """Return how many mutants have one of these statuses."""
        return sum(m.status in statuses for m in self.mutants)

    @property
    def score(self) -> float | None:
        """Detected mutants among those judged, in percent; None: nothing was judged.

        The one place where a mutation score is computed. Mutants that were not judged, whatever the reason, count on
        neither side; mutants that no test executes are undetected.
        """
        return score(self.mutants)


def score(mutants: tuple[Mutant, ...]) -> float | None:
    """Return the share of detected mutants in percent; None: none of them was judged."""
    detected = sum(m.status.is_detected for m in mutants)
    judged = detected + sum(m.status.is_undetected for m in mutants)
    return 100 * detected / judged if judged else None
