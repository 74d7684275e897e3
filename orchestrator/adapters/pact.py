"""Pact files, and verifying them with the real Pact core.

The core is loaded in a process of its own (`pact_worker`): it writes to file descriptors, holds threads, and can
only be stopped by ending its process.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from orchestrator import codec, process, text
from orchestrator.adapters import source
from orchestrator.adapters.agent import Agent, StateFailure
from orchestrator.adapters.openapi import Document
from orchestrator.agent.server import MARK
from orchestrator.config import Project
from orchestrator.errors import Code, OrchestratorError
from orchestrator.model.contracts import Interaction, Mismatch, Verification
from orchestrator.model.fingerprint import fingerprint
from orchestrator.model.problem import Problem

DEFAULT_PACTS: Final = ("contracts/*.json", "pacts/*.json")
FETCHED: Final = "contracts/fetched"  # of the state folder: the pacts that the broker gave
WORKER: Final = "orchestrator.adapters.pact_worker"
_SAFE: Final = ("GET", "HEAD", "OPTIONS")  # methods: RFC 9110, section 9.2.1
UNFIT: Final = 75  # the worker's exit status if the app takes no requests any more: EX_TEMPFAIL of sysexits.h
TIME_IS_UP: Final = f"{Code.STAGE_TIMED_OUT}: the stage's time was up (`contracts.timeout`)"
LIMIT: Final = 16 << 20  # bytes of a pact: the Pact core needs a hundred times as much memory
_MOST_MISMATCHES: Final = 100  # of one interaction that are told
_MARGIN: Final = 1.0  # seconds


class Described(msgspec.Struct, frozen=True, kw_only=True):
    """One interaction as its pact describes it.

    Attributes:
        description: The consumer's words.
        states: Names and parameters of the provider states.
        method: Of the request; empty for a message.
        path: Of the request; empty for a message.
        status: Of the expected response; None: none is told.
        body: Of the expected response, as the example has it; None: there is none, or it is no JSON.
        pending: The consumer does not yet rely on it.
    """

    description: str
    states: tuple[tuple[str, dict[str, Any]], ...]
    method: str
    path: str
    status: int | None = None
    body: Any = None
    pending: bool = False

    @property
    def name(self) -> tuple[str, ...]:
        """What an interaction is known by: its description and its provider states."""
        return (self.description, *(state for state, _ in self.states))

    @property
    def is_message(self) -> bool:
        """Whether it is a message, and no request."""
        return not self.method


class Pact(msgspec.Struct, frozen=True, kw_only=True):
    """A pact file, read: what one consumer expects of one provider."""

    file: Path
    consumer: str
    provider: str
    specification: str
    interactions: tuple[Described, ...]

    @property
    def changes_nothing(self) -> bool:
        """Whether it needs no provider state and its requests only read: others may be verified at the same time."""
        return all(i.method in _SAFE and not i.states for i in self.interactions)


def find(project: Project) -> list[Path]:
    """Return the pact files that the settings name, or that lie in the usual folders; and those that were fetched."""
    settings = project.settings.contracts
    usual = () if settings.broker.url else DEFAULT_PACTS
    patterns = usual if settings.pacts is None else settings.pacts
    found = {file for pattern in patterns for file in _matched(pattern, project.root)}
    if settings.broker.url or any(map(is_url, patterns)):
        found.update((project.state / FETCHED).glob("*.json"))
    return sorted(found)


def unmatched(project: Project) -> list[Problem]:
    """Return which globs of the settings match nothing, while others do: a pact that was renamed is not left out."""
    patterns = [p for p in project.settings.contracts.pacts or () if not is_url(p)]
    return [
        Problem(
            code=Code.NO_PACTS,
            message=f"`contracts.pacts`: {text.one_line(pattern)!r} matches no file",
            hint="Run the consumers' tests that write the pacts, mend the glob, or take it away.",
        )
        for pattern in patterns
        if not any(_matched(pattern, project.root))
    ]


def _matched(pattern: str, root: Path) -> Iterator[Path]:
    """Yield the files that a glob means, and those in the folders that it means; none for an address."""
    for path in () if is_url(pattern) else root.glob(pattern):
        if path.is_dir():
            yield from path.glob("*.json")
        else:
            yield path


def is_url(pattern: str) -> bool:
    """Whether a setting names a pact by its address."""
    return pattern.startswith(("http://", "https://"))


def read(file: Path, root: Path) -> Pact:
    """Return the pact that a file holds.

    Raises:
        OrchestratorError: it can't be read, is not JSON or is no pact.
    """
    name = source.relative(file, root)
    _require_fit(name, file)
    try:
        raw = json.loads(file.read_text("utf-8"))
    except RecursionError as error:
        raise OrchestratorError(
            Code.PACT_UNREADABLE, f"{name} is not a pact: nested too deeply", hint="Check that it is the right file."
        ) from error
    except json.JSONDecodeError as error:
        raise OrchestratorError(
            Code.PACT_UNREADABLE,
            f"{name} is not JSON: {error.msg} at line {error.lineno}, column {error.colno}",
            hint="Write it again with the consumer's tests.",
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise OrchestratorError(
            Code.PACT_UNREADABLE, f"{name} can't be read: {error}", hint="Check the file and its permissions."
        ) from error
    try:
        made = _pact(file, raw)
        _require_sound(name, raw, made)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise OrchestratorError(
            Code.PACT_UNREADABLE,
            f"{name} is not a pact: {type(error).__name__} {error}",
            hint="A pact has `consumer`, `provider` and `interactions`; write it with the consumer's tests.",
        ) from error
    return made


def _require_fit(name: str, file: Path) -> None:
    """Refuse what would never come to an end, or need more memory and time than anybody expects of a pact.

    Raises:
        OrchestratorError: one of these.
    """
    if file.exists() and not file.is_file():
        raise OrchestratorError(
            Code.PACT_UNREADABLE, f"{name} can't be read: it is no file", hint="Mend the globs of `contracts.pacts`."
        )
    size = file.stat().st_size if file.exists() else 0
    if size > LIMIT:
        raise OrchestratorError(
            Code.PACT_UNREADABLE,
            f"{name} has {size / (1 << 20):.1f} MiB: pacts of more than {LIMIT >> 20} MiB are not verified",
            hint="Bodies are examples: a few values with matchers say what long ones do. Or split it into several.",
        )


# As the Pact core spells them; what it spells otherwise, it does not know.
_MATCHERS: Final = frozenset(
    """
    type regex equality include number integer decimal real date time timestamp datetime null boolean semver values
    min max min-type max-type contentType content-type arrayContains array-contains statusCode status-code
    notEmpty not-empty eachKey each-key eachValue each-value
    """.split()  # noqa: SIM905 - a list would have a line for each
)


def _require_sound(name: str, raw: Mapping[str, Any], pact: Pact) -> None:
    """Refuse what the Pact core would let pass: nothing to verify, a matcher that it does not know.

    Raises:
        OrchestratorError: one of these.
    """
    if not pact.interactions:
        raise OrchestratorError(
            Code.PACT_UNREADABLE,
            f"{name} has no interaction: an empty pact proves nothing",
            hint="Write it again with the consumer's tests, or take the file away.",
        )
    unknown = next((m for m in _matchers(raw) if m not in _MATCHERS), None)
    if unknown is not None:
        raise OrchestratorError(
            Code.PACT_UNREADABLE,
            f"{name} has the unknown matcher {text.one_line(unknown)!r}",
            hint="The Pact core has none of that name: mend the consumer's test.",
        )


def _matchers(raw: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of all matchers of a pact."""
    waiting: list[Any] = [
        part.get("matchingRules")
        for interaction in [*raw.get("interactions", ()), *raw.get("messages", ())]
        for part in (interaction, interaction.get("request"), *_responses(interaction))
        if isinstance(part, dict)
    ]
    while waiting:
        rules = waiting.pop()
        if isinstance(rules, dict):
            if isinstance(rules.get("match"), str):
                yield rules["match"]
            waiting += rules.values()
        elif isinstance(rules, list):
            waiting += rules


def read_all(files: Sequence[Path], project: Project) -> tuple[list[Pact], list[Problem]]:
    """Return the pacts of files that are about the project's provider, and why others can't be used."""
    pacts, problems = [], []
    provider = project.settings.contracts.provider
    for file in files:
        try:
            one = read(file, project.root)
        except OrchestratorError as error:
            problems.append(error.problem)
            continue
        if not provider or one.provider == provider:
            pacts.append(one)
    if not pacts and not problems:
        problems.append(
            Problem(
                code=Code.NO_PACTS,
                message=f"no pact is about the provider {provider!r} (`contracts.provider`)",
                hint="Check the name against `provider.name` in the pacts.",
            )
        )
    return pacts, problems


def named_twice(pacts: Sequence[Pact], root: Path) -> list[Problem]:
    """Return a notice of each pact in which two interactions have one name."""
    found = []
    for one in pacts:
        ((description, *states), count) = Counter(i.name for i in one.interactions).most_common(1)[0]
        if count > 1:
            given = f" given {', '.join(states)}" if states else ""
            message = f"{source.relative(one.file, root)} has {count} interactions called {description!r}{given}"
            found.append(
                Problem(
                    code=Code.NAMED_TWICE,
                    message=text.one_line(message),
                    hint="Give each its own description in the consumer's tests.",
                )
            )
    return found


def _pact(file: Path, raw: dict[str, Any]) -> Pact:
    version = _version(raw.get("metadata") or {})
    is_v4 = version.partition(".")[0] == "4"
    return Pact(
        file=file,
        consumer=text.one_line(raw["consumer"]["name"]),
        provider=text.one_line(raw["provider"]["name"]),
        specification=text.one_line(version),
        interactions=(
            *(_described(i, f"Interaction {n}", is_v4=is_v4) for n, i in enumerate(raw.get("interactions", ()))),
            *(_described(m, f"Message {n}", is_message=True) for n, m in enumerate(raw.get("messages", ()))),
        ),
    )


def _version(metadata: Mapping[str, Any]) -> str:
    told = metadata.get("pactSpecification") or metadata.get("pact-specification")
    return str(told.get("version") or "") if isinstance(told, dict) else ""


def _described(raw: dict[str, Any], name: str, *, is_v4: bool = False, is_message: bool = False) -> Described:
    """Return an interaction as the Pact core reads it, with its defaults: else its result could not be found.

    Args:
        raw: As the pact has it.
        name: How the core calls it if it has no description.
        is_v4: Whether the pact is of version 4 of the specification: bodies have a content type beside them, there are
            several types of interactions, and `pending` means something.
        is_message: Whether it is one of the pact's `messages`.
    """
    is_message = is_message or (is_v4 and str(raw.get("type", _HTTP)) != _HTTP)
    request = raw.get("request") or {}
    response: Any = next(_responses(raw), {})
    return Described(
        description=_text(raw.get("description", name)),
        states=tuple(_states(raw)),
        method="" if is_message else str(request.get("method", "GET")).upper(),
        path="" if is_message else str(request.get("path", "/")),
        status=response["status"] if isinstance(response.get("status"), int) else None,
        body=_content(response.get("body")) if is_v4 else response.get("body"),
        pending=is_v4 and raw.get("pending") is True,
    )


_HTTP: Final = "Synchronous/HTTP"


def _responses(raw: Mapping[str, Any]) -> Iterator[Any]:
    """Yield what an interaction answers: a synchronous message may do so several times."""
    told = raw.get("response")
    if told:
        yield from told if isinstance(told, list) else (told,)


def _content(body: Any) -> Any:
    return body.get("content") if isinstance(body, dict) and not body.get("encoded") else None


def _states(raw: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    if "providerStates" in raw:
        told = raw["providerStates"]
        for state in told if isinstance(told, list) else ():
            named = state if isinstance(state, dict) else {}
            parameters = named.get("params")
            name = _text(named.get("name", "unknown provider states"))  # the core's words for one without a name
            yield name, dict(parameters) if isinstance(parameters, dict) else {}
        return
    single = raw.get("providerState", raw.get("provider_state"))  # versions 1 and 2; the other is pact-ruby's of old
    if single not in (None, ""):
        yield _text(single), {}


def _text(value: Any) -> str:
    """Return a text as it is, and what is none as JSON."""
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def verify(
    pact: Pact,
    app: Agent,
    project: Project,
    document: Document | None,
    *,
    timeout: float,
    mark: str = "",
    watch: Callable[[], None] = lambda: None,
) -> tuple[tuple[Interaction, ...], OrchestratorError | None]:
    """Verify every interaction of a pact against the running app.

    Args:
        pact: What is verified.
        app: The running app; its control address sets provider states up.
        project: Whose pact.
        document: To tell which operation each interaction uses.
        timeout: Seconds.
        mark: Given to each request, where others are verified at the same time; then no provider state is set up.
        watch: Called several times a second; if it raises, the core is ended.

    Returns:
        Each interaction with its result, and why the app is gone; None: it is not. What was known by then is kept where
        the app died or the core was stopped or broke down; the rest is `not run`.
    """
    folder = project.state / "contracts"
    name = f"{pact.file.stem}-{mark}" if mark else pact.file.stem
    output = folder / f"{name}.result.json"
    output.parent.mkdir(parents=True, exist_ok=True)
    output.unlink(missing_ok=True)
    order = {
        "file": str(pact.file),
        "url": app.url,
        "state_url": "" if mark else f"{app.control}/state",
        "failures_url": f"{app.control}/failures",
        "output": str(output.with_suffix(".ndjson")),
        "unfit": UNFIT,
        "provider": pact.provider,
        "message_url": f"{app.control}/message" if any(i.is_message for i in pact.interactions) else "",
        "headers": {MARK: mark} if mark and app.serves else {},
        # A little more than a state has, so that the agent is the first to say that its time is up.
        "timeout": project.settings.contracts.request_timeout + _MARGIN,
    }
    job = folder / f"{name}.job.json"
    codec.write_atomically(job, json.dumps(order).encode())
    secrets = tuple(app.credentials())  # now: a dead app can't be asked
    app.state_failures()  # forget those of earlier pacts

    def look() -> None:
        app.require_alive()
        watch()

    try:
        finished = process.run(
            [sys.executable, "-m", WORKER, str(job)],
            directory=project.root,
            environment={**os.environ, "PACT_DO_NOT_TRACK": "true"},
            log=project.state / "logs" / f"pact-{name}.log",
            timeout=timeout,
            watch=look,
        )
        if finished.code == UNFIT:
            raise app.unfit()
        failures, gone = app.state_failures(), None
        why = TIME_IS_UP if finished.timed_out else "the Pact core broke down"
    except OrchestratorError as error:
        failures, gone, why = app.left_failures(), error, reason(error)
    results = _gathered(output.with_suffix(".ndjson"), why)
    codec.write_atomically(output, json.dumps(results).encode())
    found = interpret(pact, results, failures, document, root=project.root, secrets=secrets, gone=why if gone else "")
    return found, gone


def reason(error: OrchestratorError) -> str:
    """Return an error as the reason why an interaction has no result: its code first."""
    return f"{error.problem.code}: {error.problem.message}"


def _gathered(file: Path, why: str) -> dict[str, Any]:
    """Return the core's results of all pieces of a pact as if it had told them together.

    Args:
        file: A line for each piece; the last one may not be whole.
        why: What is said of interactions that the core told nothing of.
    """
    found: dict[str, Any] = {"interactionResults": [], "error": ""}
    with contextlib.suppress(OSError, ValueError), file.open("rb") as lines:
        for line in lines:
            one = json.loads(line)
            failures = {"failures": one["failures"]} if "failures" in one else {}
            found["interactionResults"] += [result | failures for result in one.get("interactionResults") or ()]
            found["error"] = found["error"] or one.get("error", "")
    found["error"] = found["error"] or why
    return found


def interpret(
    pact: Pact,
    results: dict[str, Any],
    failures: Sequence[StateFailure],
    document: Document | None,
    *,
    root: Path,
    secrets: Sequence[str] = (),
    gone: str = "",
) -> tuple[Interaction, ...]:
    """Put the core's results and the failed states together, one interaction of the pact after the other.

    Args:
        pact: Whose interactions.
        results: The core's; each may hold which `failures` there were while it was verified.
        failures: Of provider states, and of messages: for interactions whose result does not say.
        document: To tell which operation each interaction uses.
        root: What files are named relative to.
        secrets: What nobody may read.
        gone: Why the app is gone; empty: it is not. What was asked of it then is not known.
    """
    known = list(results.get("interactionResults") or ())
    while gone and known and _is_without_answer(known[-1]):
        known.pop()
    left: dict[tuple[str, ...], deque[dict[str, Any]]] = defaultdict(deque)
    for one in known:
        left[str(one.get("description")), *_state_names(one)].append(one)
    error = gone or str(results.get("error", ""))
    return tuple(
        _interaction(
            pact,
            described,
            _take(left, described),
            failures,
            document,
            nth=nth,
            root=root,
            error=error,
            secrets=secrets,
        )
        for described, nth in zip(pact.interactions, _numbered(pact), strict=True)
    )


def _numbered(pact: Pact) -> Iterator[int]:
    """Yield how many interactions of the same name come before each: the core gives their results in that order."""
    seen = Counter[tuple[str, ...]]()
    for described in pact.interactions:
        yield seen[described.name]
        seen[described.name] += 1


def _take(left: Mapping[tuple[str, ...], deque[dict[str, Any]]], described: Described) -> dict[str, Any] | None:
    """Take the core's result for an interaction: description and states are its name."""
    found = left.get(described.name)
    return found.popleft() if found else None


def _is_without_answer(result: dict[str, Any]) -> bool:
    """Whether the core has no answer that it could judge, and no state that failed is the reason."""
    return result.get("result") != "OK" and not _raw_mismatches(result) and not result.get("failures")


def _state_names(result: dict[str, Any]) -> list[str]:
    return [str(s.get("name", s) if isinstance(s, dict) else s) for s in result.get("providerStates") or ()]


def _interaction(
    pact: Pact,
    described: Described,
    result: dict[str, Any] | None,
    failures: Sequence[StateFailure],
    document: Document | None,
    *,
    nth: int,
    root: Path,
    error: str,
    secrets: Sequence[str],
) -> Interaction:
    operation = document.match(described.method, described.path) if document and described.method else None
    if result and "failures" in result:
        failures = msgspec.convert(result["failures"], tuple[StateFailure, ...])
    # For an interaction without states the core asks for one without a name: data are reset then.
    needed = described.states or (("", {}),)
    failed = next((f for f in failures if not f.message and (f.state, f.parameters) in needed), None)
    unmade = next((f for f in failures if described.is_message and f.message == described.description), None)
    raw = _raw_mismatches(result)
    mismatches = tuple(_mismatch(m, secrets) for m in raw[:_MOST_MISMATCHES])
    left_out = len(raw) - len(mismatches)
    why = f"{text.plural(left_out, 'more mismatch', 'more mismatches')}, left out here" if left_out else ""
    if failed:
        verification, why = Verification.STATE_FAILED, f"{failed.code}: {failed.error}"
    elif unmade:
        verification, why = Verification.NOT_RUN, f"{unmade.code}: the message can't be made: {unmade.error}"
    elif result is None:
        verification, why = Verification.NOT_RUN, error or "the Pact core gave no result for it"
    elif result.get("result") == "OK":
        verification = Verification.VERIFIED
    elif (said := _said(result)).startswith(_NO_STATE):
        verification = Verification.STATE_FAILED
        why = f"{Code.STATE_FAILED}: it gave no answer within `contracts.request-timeout`"
    else:
        verification = Verification.PENDING if described.pending or result.get("pending") else Verification.MISMATCH
        why = why if mismatches else _NO_ANSWER.sub(_without_answer, said)
    return Interaction(
        fingerprint=fingerprint("interaction", pact.consumer, *described.name, *([str(nth)] if nth else ())),
        consumer=pact.consumer,
        description=text.one_line(described.description),
        states=tuple(text.one_line(name) for name, _ in described.states),
        result=verification,
        pact=source.relative(pact.file, root),
        operation=operation.label if operation else "",
        seconds=_seconds(result),
        mismatches=() if failed else mismatches,
        error=text.one_line(why, secrets=secrets),
    )


# How the core says that a state's URL did not answer, and that the app did not.
_NO_STATE: Final = "One or more of the setup state change handlers has failed"
_NO_ANSWER: Final = re.compile(r"error (sending request|decoding response body|\w[\w ]*) for url \(\S*\)")


def _said(result: dict[str, Any]) -> str:
    return str((result.get("mismatch") or {}).get("message", ""))


def _without_answer(found: re.Match[str]) -> str:
    limit = "or took longer than `contracts.request-timeout`"
    if found[1] == "sending request":
        return f"the app gave no answer: it closed the connection, {limit}"
    if found[1] == "decoding response body":
        return f"the app's answer did not come to its end: it broke off, {limit}"
    return found[0]


def _raw_mismatches(result: dict[str, Any] | None) -> list[dict[str, Any]]:
    found = ((result or {}).get("mismatch") or {}).get("mismatches")
    return found if isinstance(found, list) else []


def _mismatch(raw: dict[str, Any], secrets: Sequence[str]) -> Mismatch:
    return Mismatch(
        kind=text.one_line(str(raw.get("type", ""))).removesuffix("Mismatch"),
        path=text.one_line(str(raw.get("path") or raw.get("key") or raw.get("parameter") or "")),
        message=text.clean(str(raw.get("mismatch", "")), limit=1000, secrets=secrets),
        expected=text.clean(_shown(raw.get("expected")), limit=1000, secrets=secrets),
        actual=text.clean(_shown(raw.get("actual")), limit=1000, secrets=secrets),
    )


def _shown(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def _seconds(result: dict[str, Any] | None) -> float | None:
    duration = str((result or {}).get("duration", ""))
    for unit, factor in (("ms", 0.001), ("s", 1.0)):
        number = duration.removesuffix(unit)
        if number != duration and number.replace(".", "", 1).isdigit():
            return round(float(number) * factor, 4)
    return None


def let_through(file: str, number: int, place: str) -> str:
    """Return what in a pact lets a response pass that differs at a place.

    Args:
        file: The pact.
        number: The interaction's, from 0.
        place: As `ResponseDifference` names it.
    """
    try:
        response = json.loads(Path(file).read_bytes())["interactions"][number]["response"]
        rules = response.get("matchingRules") or {}
        rules = {**rules.get("body", {}), **{f"header {k}": v for k, v in _headers_of(rules).items()}} or rules
        matched = max((p for p in rules if _covers(p, place)), key=len, default="")
    except (OSError, ValueError, KeyError, IndexError, AttributeError, TypeError):
        return ""
    if matched:
        return text.one_line(f"the matcher at {matched}: {json.dumps(rules[matched])}", limit=200)
    return f"the pact says nothing of {place}"


def _headers_of(rules: dict[str, Any]) -> dict[str, Any]:
    found = rules.get("header") or rules.get("headers") or {}
    return {str(name).lower(): rule for name, rule in found.items()}


def _covers(pattern: str, place: str) -> bool:
    """Whether a matching rule's path is that of a place, or of what it is in: a type holds for all that is inside."""
    escaped = re.escape(pattern.removeprefix("$.body") if pattern.startswith("$.body") else pattern.removeprefix("$"))
    expression = escaped.replace(r"\[\*\]", r"\[\d+\]").replace(r"\.\*", r"\.[^.\[]+")
    expression = re.sub(r"\\\['((?:[^'])+)'\\\]", r"\\.\1", expression)
    return bool(re.match(rf"{expression}(?=[.\[]|$)", place.removeprefix("length of ").removeprefix("$")))
