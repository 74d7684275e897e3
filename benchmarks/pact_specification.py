"""Does our verification of contracts say what the official verifier says on its own?

    python benchmarks/pact_specification.py [--checkout DIR] [--pacts DIR] [--fetch] [--json FILE]

`--checkout` is a clone of https://github.com/pact-foundation/pact-specification with its branches; without it, it is
cloned. Each of its cases for responses and messages becomes an interaction that expects `expected`, and the served app
answers with `actual`. Cases for requests compare what a consumer sends with what it promised: that is a mock server's
affair, and no verifier of a provider can run them. They are counted, and not run.

`--pacts` is a folder of pact files, `OWNER/NAME/…/FILE.json`. Each is verified against an app that answers with the
pact's own examples, and against one whose answers are a little wrong. With `--fetch`, the files that
`public_pacts.json` lists (repository, commit, path) are first taken from GitHub into that folder; they are not ours,
and are not kept here.

Both verifiers are given the very same file and the very same served app: ours as the stage `contracts` uses it, and
pact-python's bare `Verifier` in a process that imports nothing of ours. Compared are, for each interaction, whether it
holds and, if not, kind and place of each mismatch.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import contextlib
import http.client
import json
import re
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import urlsplit

import msgspec

from orchestrator import config, text
from orchestrator.adapters import agent, pact
from orchestrator.config import Project
from orchestrator.errors import OrchestratorError
from orchestrator.model.contracts import Interaction, Verification

REPOSITORY: Final = "https://github.com/pact-foundation/pact-specification"
PUBLIC: Final = Path(__file__).with_name("public_pacts.json")
VERSIONS: Final = {  # branch of the specification: how a pact names that version
    "version-1": "1.0.0",
    "version-1.1": "1.1.0",
    "version-2": "2.0.0",
    "version-3": "3.0.0",
    "version-4": "4.0",
}
NO_REQUESTS: Final = "compares requests, which a consumer sends: a provider's verifier has nothing to hold it against"
HTTP: Final = "Synchronous/HTTP"  # the type of an interaction in version 4
SETTINGS: Final = """\
[app]
target = "pact_answers:app"
[contracts]
states = "pact_answers:states"
messages = "pact_answers:messages"
"""
# One process for all files, for the library takes as long to load as a pact to verify.
BARE: Final = """\
import json, sys
from urllib.parse import urlsplit
from pact import Verifier
for line in sys.stdin:
    job = json.loads(line)
    message = urlsplit(job["message"])
    verifier = Verifier(job["provider"], "127.0.0.1").add_transport(url=job["url"]).add_source(job["file"])
    verifier.add_transport(protocol="message", port=message.port, path=message.path, scheme="http")
    verifier.state_handler(job["state"], teardown=False, body=True)
    try:
        verifier.verify()
        said = ""
    except RuntimeError as error:
        said = str(error)
    with open(job["output"], "w") as file:
        json.dump({"results": verifier.results, "said": said}, file)
    print("done", flush=True, file=sys.stderr)
"""
# Why ours may refuse what the core does not; a difference that is not told here is a fault.
STORIES: Final[dict[str, str]] = {
    "has no interaction": "the core verifies nothing and ends well; an empty pact proves nothing, so ours refuses it",
    "KeyError 'name'": "no interaction either: the core verifies nothing and ends well",
    "has the unknown matcher": "the core fails the interaction where the matcher is the response's, and does not look "
    "at it where it is the request's; ours refuses the pact for both",
}

Told = tuple[str, tuple[tuple[str, str], ...]]  # the result, and kind and place of each mismatch


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One case of the specification that a provider's verifier can run."""

    name: str
    version: str
    kind: str
    match: bool
    expected: dict[str, Any]
    actual: dict[str, Any]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What both said of one pact file; `refused` and `gave_up` say why one said nothing."""

    ours: dict[tuple[str, tuple[str, ...]], list[Told]] = {}
    bare: dict[tuple[str, tuple[str, ...]], list[Told]] = {}
    refused: str = ""
    gave_up: str = ""

    @property
    def is_unreadable(self) -> bool:
        """Whether the core can't read the pact, and says so, and ours says so too."""
        is_silent = all(told.startswith(Verification.NOT_RUN) for told in _said(self.ours))
        return bool(self.gave_up and not self.bare and is_silent)


def _said(results: Mapping[Any, Sequence[Told]]) -> list[str]:
    return [told for some in results.values() for told, _ in some]


IN_PART: Final = "the core can't read one interaction, and then verifies none of the pact; ours verifies the others"


def main() -> int:
    """Run both, write the result; the exit status is 1 if there is a difference without a story."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkout", type=Path, help="a clone of the specification; else it is cloned")
    parser.add_argument("--pacts", type=Path, help="a folder of pact files; without it the specification alone")
    parser.add_argument("--fetch", action="store_true", help="take the public pacts from GitHub into that folder")
    parser.add_argument("--source", default="https://github.com/{}", help="where `--fetch` finds a repository")
    parser.add_argument("--json", type=Path, help="where the result is written")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        checkout = arguments.checkout or cloned(folder / "checkout")
        if arguments.fetch and arguments.pacts:
            fetch(arguments.pacts, arguments.source)
        (folder / "orchestrator.toml").write_text(SETTINGS)
        (folder / "pact_answers.py").write_text(Path(__file__).with_name("pact_answers.py").read_text())
        with Both(config.load(folder)) as both:
            result: dict[str, Any] = {"specification": specification(checkout, both, folder)}
            if arguments.pacts:
                result["public"] = public(arguments.pacts, both, folder)
    written = json.dumps(result, indent=1)
    print(written)
    if arguments.json:
        arguments.json.write_text(written + "\n", "utf-8")
    return int(any(part["differences"] for part in result.values()))


class Both:
    """Both verifiers, on one served app."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._exits = contextlib.ExitStack()
        self._bare: subprocess.Popen[str] | None = None

    def __enter__(self) -> Both:
        self._app = self._exits.enter_context(agent.running(self._project))
        self._exits.callback(self._end_bare)
        return self

    def __exit__(self, *_: object) -> None:
        self._exits.close()

    def asked(self, file: Path, answers: list[dict[str, Any]]) -> Outcome:
        """Have both verify a pact against an app that answers as told."""
        told = self._project.state / "answers.json"
        told.parent.mkdir(parents=True, exist_ok=True)
        told.write_text(json.dumps(answers))
        self._begin(told)
        bare, gave_up = self._asked_bare(file)
        self._begin(told)
        try:
            one = pact.read(file, self._project.root)
        except OrchestratorError as error:
            return Outcome(bare=bare, gave_up=gave_up, refused=error.problem.message.partition(" ")[2])
        found, _ = pact.verify(one, self._app, self._project, None, timeout=300)
        return Outcome(ours=_grouped((_name_of(i), _told_of(i)) for i in found), bare=bare, gave_up=gave_up)

    def _begin(self, told: Path) -> None:
        connection = http.client.HTTPConnection(urlsplit(self._app.url).netloc)
        connection.request("POST", "/-/begin", str(told))
        if connection.getresponse().status != 204:
            raise SystemExit("the app does not begin")
        connection.close()

    def _asked_bare(self, file: Path) -> tuple[dict[tuple[str, tuple[str, ...]], list[Told]], str]:
        output = self._project.state / "bare.json"
        output.unlink(missing_ok=True)
        job = {"file": str(file), "url": self._app.url, "output": str(output), "provider": "provider"}
        job |= {"state": f"{self._app.control}/state", "message": f"{self._app.control}/message"}
        orders, words = self._started_bare()
        orders.write(json.dumps(job) + "\n")
        orders.flush()
        while (line := words.readline()) and line != "done\n":
            """The core's own words."""
        if not output.exists():
            self._end_bare()
            return {}, "the core broke down"
        told = json.loads(output.read_bytes())
        results = (told["results"] or {}).get("interactionResults") or []
        return _grouped((_name_of_bare(r), _told_of_bare(r)) for r in results), "" if results else told["said"]

    def _started_bare(self) -> tuple[IO[str], IO[str]]:
        if self._bare is None:
            self._bare = subprocess.Popen(
                [sys.executable, "-c", BARE],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                cwd=self._project.root,
            )
        if self._bare.stdin is None or self._bare.stderr is None:
            raise SystemExit("the bare verifier has no pipes")
        return self._bare.stdin, self._bare.stderr

    def _end_bare(self) -> None:
        if self._bare is not None:
            self._bare.communicate(timeout=60)
            self._bare = None


def _grouped(
    results: Iterator[tuple[tuple[str, tuple[str, ...]], Told]],
) -> dict[tuple[str, tuple[str, ...]], list[Told]]:
    """Put results of one name together, in their order."""
    grouped = defaultdict(list)
    for name, told in results:
        grouped[name].append(told)
    return dict(grouped)


def _name_of(interaction: Interaction) -> tuple[str, tuple[str, ...]]:
    return interaction.description, interaction.states


def _told_of(interaction: Interaction) -> Told:
    names = {Verification.VERIFIED: "OK", Verification.MISMATCH: "Error", Verification.PENDING: "Error, pending"}
    places = tuple(sorted((m.kind, m.path) for m in interaction.mismatches))
    return names.get(interaction.result, f"{interaction.result}: {interaction.error}"), places


def _name_of_bare(result: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    # Ours shows foreign text on one line and without characters that act: that alone is not compared as it stands.
    return text.one_line(result["description"]), tuple(map(text.one_line, result.get("providerStates") or ()))


def _told_of_bare(result: Mapping[str, Any]) -> Told:
    if result["result"] == "OK":
        return "OK", ()
    mismatches = (result.get("mismatch") or {}).get("mismatches") or ()
    places = (
        (
            m["type"].removesuffix("Mismatch"),
            text.one_line(str(m.get("path") or m.get("key") or m.get("parameter") or "")),
        )
        for m in mismatches
    )
    return "Error, pending" if result.get("pending") else "Error", tuple(sorted(places))


# The specification's own cases


def cloned(checkout: Path) -> Path:
    """Return a clone of the specification."""
    command = ("git", "clone", "--quiet", REPOSITORY, str(checkout))
    subprocess.run(command, check=True, timeout=600)
    return checkout


def specification(checkout: Path, both: Both, folder: Path) -> dict[str, Any]:
    """Return on how many cases both agree, and where not."""
    cases, not_runnable, agree = [], Counter[str](), 0
    differences, others, verified = [], [], Counter[str]()
    for branch in VERSIONS:
        for case in read_cases(checkout, branch):
            if case.kind == "request":
                not_runnable[branch] += 1
            else:
                cases.append(case)
    for branch, kind in sorted({(case.version, case.kind) for case in cases}):
        some = [case for case in cases if (case.version, case.kind) == (branch, kind)]
        file = folder / f"{branch}-{kind}.json"
        file.write_text(json.dumps(pact_of(some, VERSIONS[branch], is_message=kind == "message")))
        answers = [answered(case, number) for number, case in enumerate(some)]
        outcome = both.asked(file, answers)
        for case in some:
            ours, bare = (side.get((case.name, ()), []) for side in (outcome.ours, outcome.bare))
            verified[f"{branch} {kind}"] += 1
            if len(bare) == 1 and ours == bare:
                agree += 1
            else:
                why = {"refused": outcome.refused, "gave_up": outcome.gave_up}
                differences.append({"case": f"{branch}/{case.name}", "ours": ours, "bare": bare, **why})
            if bare and (bare[0][0] == "OK") is not case.match:
                others.append({"case": f"{branch}/{case.name}", "match": case.match, "core": bare[0]})
    return {
        "cases": len(cases),
        "by_version": dict(verified),
        "agree": agree,
        "differences": differences,
        "not_runnable": {"cases": not_runnable.total(), "why": NO_REQUESTS, "by_version": dict(not_runnable)},
        "core_differs_from_specification": others,
    }


def read_cases(checkout: Path, branch: str) -> Iterator[Case]:
    """Yield the cases of one version."""
    git = ("git", "-C", str(checkout))
    known = subprocess.run((*git, "rev-parse", "--verify", "--quiet", branch), capture_output=True, check=False)
    revision = branch if known.returncode == 0 else f"origin/{branch}"
    names = subprocess.run(
        (*git, "ls-tree", "-r", "-z", "--name-only", revision, "testcases/"), capture_output=True, check=True
    )
    for name in names.stdout.decode().split("\0"):
        if name.endswith(".json"):
            shown = subprocess.run((*git, "show", f"{revision}:{name}"), capture_output=True, check=True).stdout
            raw = json.loads(shown.decode("utf-8-sig"), strict=False)
            short = name.removeprefix("testcases/").removesuffix(".json")
            yield Case(
                name=short,
                version=branch,
                kind=short.partition("/")[0],
                match=raw["match"],
                expected=raw["expected"],
                actual=raw["actual"],
            )


def pact_of(cases: Sequence[Case], version: str, *, is_message: bool) -> dict[str, Any]:
    """Return a pact in which each case is an interaction."""
    is_v4 = version.startswith("4")
    interactions = []
    for number, case in enumerate(cases):
        if is_message:
            one = {"description": case.name, **case.expected}
        else:
            one = {"description": case.name, "request": {"method": "GET", "path": f"/{number}"}}
            one["response"] = case.expected
        if is_v4:
            one["type"] = "Asynchronous/Messages" if is_message else "Synchronous/HTTP"
        interactions.append(one)
    return {
        "consumer": {"name": "the specification"},
        "provider": {"name": "provider"},
        "messages" if is_message and not is_v4 else "interactions": interactions,
        "metadata": {"pactSpecification": {"version": version}},
    }


def answered(case: Case, number: int) -> dict[str, Any]:
    """Return what the app answers in a case."""
    is_v4 = case.version == "version-4"
    if case.kind == "message":
        return message_of(case.name, case.actual, is_v4=is_v4)
    return {"method": "GET", "path": f"/{number}", **response_of(case.actual, is_v4=is_v4)}


# What an app answers that says what a pact's example says


def response_of(response: Mapping[str, Any], *, is_v4: bool) -> dict[str, Any]:
    """Return an answer with a response's status, headers and body."""
    headers = [
        (name, re.sub(r"\r?\n[ \t]+", " ", str(value)))  # a line may not be folded any more
        for name, values in (response.get("headers") or {}).items()
        for value in (values if isinstance(values, list) else [values])
    ]
    kind = next((value for name, value in headers if name.lower() == "content-type"), "")
    body = response.get("body")
    if is_v4:
        data, told = content_of(body)
        if told and not kind:
            headers.append(("Content-Type", told))
    else:
        data = body_of(body, kind) if "body" in response else b""
    status = response.get("status", 200)
    return {"status": int(status), "headers": headers, "body": base64.b64encode(data).decode()}


def message_of(name: str, message: Mapping[str, Any], *, is_v4: bool) -> dict[str, Any]:
    """Return a message with the contents and the metadata that are told."""
    metadata = dict(message.get("metadata") or message.get("metaData") or {})
    if is_v4:
        data, kind = content_of(message.get("contents"))
        metadata |= {"contentType": kind} if kind and "contentType" not in metadata else {}
    else:
        kinds = (v for k, v in metadata.items() if k.lower() in ("contenttype", "content-type"))
        data = body_of(message.get("contents"), str(next(kinds, "application/json")))
        metadata.setdefault("contentType", "application/json")
    return {"message": name, "metadata": metadata, "body": base64.b64encode(data).decode()}


def content_of(body: Any) -> tuple[bytes, str]:
    """Return the bytes and the content type of a body as version 4 has it."""
    if not isinstance(body, dict):
        return b"", ""
    content, kind = body.get("content"), str(body.get("contentType") or "")
    if str(body.get("encoded")).lower() in ("base64", "true"):
        return base64.b64decode(content), kind
    return body_of(content, kind), kind


def body_of(body: Any, kind: str) -> bytes:
    """Return a body as it travels; texts that say JSON or base64 are taken by their content type."""
    if body is None or body == "":
        return b""
    if not isinstance(body, str):
        return json.dumps(body).encode()
    if "json" in kind:
        with contextlib.suppress(ValueError):
            json.loads(body)
            return body.encode()
        return json.dumps(body).encode()
    if kind.startswith(("image/", "application/octet-stream", "application/pdf", "application/zip")):
        with contextlib.suppress(binascii.Error):
            return base64.b64decode(body, validate=True)
    return body.encode()


def examples(raw: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what an app answers that says what the pact's examples say."""
    is_v4 = _version(raw.get("metadata")).startswith("4")
    found = []
    for number, one in enumerate([*(raw.get("interactions") or ()), *(raw.get("messages") or ())]):
        name = str(one.get("description", f"Interaction {number}"))
        is_http = str(one.get("type", HTTP)) == HTTP if is_v4 else number < len(raw.get("interactions") or ())
        replies = one.get("response")
        if is_http:
            request = one.get("request") or {}
            where = {"method": str(request.get("method", "GET")).upper(), "path": str(request.get("path", "/"))}
            found.append({**where, **response_of(replies if isinstance(replies, dict) else {}, is_v4=is_v4)})
        else:  # of a message that is answered, what is answered
            told = next(iter(replies), {}) if isinstance(replies, list) else one
            found.append(message_of(name, told, is_v4=is_v4))
    return found


def _version(metadata: Any) -> str:
    """Return the version of the specification that a pact names; empty: none, and the core takes it for 3."""
    told = metadata.get("pactSpecification") or metadata.get("pact-specification") if isinstance(metadata, dict) else {}
    return str(told.get("version") or "") if isinstance(told, dict) else ""


def spoiled(answer: dict[str, Any], number: int) -> dict[str, Any]:
    """Return an answer that is a little wrong, each third in another way: a field, the headers, the status."""
    way = number % 3
    if way == 0 or "message" in answer:
        with contextlib.suppress(ValueError):
            body = json.loads(base64.b64decode(answer["body"]))
            if isinstance(body, (dict, list)) and body:
                del body[next(iter(body)) if isinstance(body, dict) else -1]
                return {**answer, "body": base64.b64encode(json.dumps(body).encode()).decode()}
        if "message" in answer:
            return {**answer, "body": base64.b64encode(b"something else").decode()}
    if way == 1 and answer["headers"]:
        return {**answer, "headers": [("Content-Type", "text/x-other")]}
    return {**answer, "status": 418 if answer["status"] != 418 else 200}


# Pact files of public projects


def public(pacts: Path, both: Both, folder: Path) -> dict[str, Any]:
    """Return on how many files and interactions both agree, and where not."""
    counts, files, results = Counter[str](), Counter[str](), defaultdict[str, Counter[str]](Counter)
    versions = Counter[str]()
    differences, unreadable, explained = [], set[str](), defaultdict[str, list[str]](list)
    for file in sorted(pacts.rglob("*.json")):
        name = file.relative_to(pacts).as_posix()
        repository = "/".join(name.split("/")[:2])
        try:
            raw = json.loads(file.read_text("utf-8-sig"))
            right = examples(raw)
        except (ValueError, AttributeError, TypeError) as error:
            right, raw = [], {}
            print(f"{name}: no examples: {error}", file=sys.stderr)
        files[repository] += 1
        versions[_version(raw.get("metadata"))] += 1
        counts["messages"] += sum("message" in answer for answer in right)
        wrong = [spoiled(answer, number) for number, answer in enumerate(right)]
        for variant, answers in (("as its examples", right), ("a little wrong", wrong)):
            outcome = both.asked(file.resolve(), answers)
            counts["runs"] += 1
            results[variant].update(t[0] for some in outcome.bare.values() for t in some)
            counts["interactions"] += sum(map(len, outcome.bare.values()))
            if outcome.is_unreadable:
                counts["not run by either"] += 1
                unreadable.add(name)
                continue
            if not outcome.refused and outcome.ours == outcome.bare:
                counts["agree"] += 1
                continue
            if story(outcome):
                counts["explained"] += 1
                explained[story(outcome)].append(f"{name} ({variant})")
                continue
            differences.append(
                {
                    "file": name,
                    "variant": variant,
                    "refused": outcome.refused,
                    "gave_up": outcome.gave_up,
                    "ours": _only(outcome.ours, outcome.bare),
                    "bare": _only(outcome.bare, outcome.ours),
                }
            )
    return {
        "files": files.total(),
        "repositories": dict(sorted(files.items())),
        "versions": dict(sorted(versions.items())),
        **counts,
        "core_says": {variant: dict(found) for variant, found in results.items()},
        "explained": [{"story": story, "runs": len(runs), "which": runs} for story, runs in explained.items()],
        "not_run_by_either": sorted(unreadable),
        "differences": differences,
    }


def _only(one: dict[Any, list[Told]], other: dict[Any, list[Told]]) -> list[Any]:
    return [[*name, told] for name, told in one.items() if other.get(name) != told][:20]


def story(outcome: Outcome) -> str:
    """Return why ours says something else; empty: it should not."""
    if outcome.gave_up and not outcome.bare and any(t.startswith(Verification.NOT_RUN) for t in _said(outcome.ours)):
        return IN_PART
    return next((told for words, told in STORIES.items() if words in outcome.refused), "")


def fetch(pacts: Path, source: str) -> None:
    """Take the files that are listed from their repositories."""
    for listed in json.loads(PUBLIC.read_bytes()):
        wanted = {path: pacts / listed["repository"] / path for path in listed["files"]}
        if all(file.exists() for file in wanted.values()):
            continue
        with tempfile.TemporaryDirectory() as clone:
            git = ("git", "-C", clone)
            subprocess.run((*git, "init", "--quiet"), check=True)
            address = source.format(listed["repository"])
            subprocess.run((*git, "fetch", "--quiet", "--depth", "1", address, listed["commit"]), check=True)
            for path, file in wanted.items():
                file.parent.mkdir(parents=True, exist_ok=True)
                shown = subprocess.run((*git, "show", f"{listed['commit']}:{path}"), check=True, capture_output=True)
                file.write_bytes(shown.stdout)


if __name__ == "__main__":
    sys.exit(main())
