"""The pacts that a run gets from a broker, whichever kind it is, and the results that it gives back."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from orchestrator import codec, text
from orchestrator.adapters import broker, git, pact
from orchestrator.adapters.broker import Checked, Offered, Outcome, Source, Version, Wanted
from orchestrator.adapters.git_branch import Branch
from orchestrator.adapters.hal import Credential, Server
from orchestrator.config import Broker, Project
from orchestrator.contracts import shelf, stores
from orchestrator.errors import Code, OrchestratorError, UsageError
from orchestrator.model.contracts import Interaction, Verification
from orchestrator.model.problem import Problem

_PATIENCE: Final = 30.0  # seconds for a pact that has an address
DEFAULT_FOLDER: Final = "contracts"  # where a shelf is if the settings name no broker
_BRANCH_VARIABLES: Final = (  # where CI checks a commit out, and no branch
    "GITHUB_HEAD_REF",
    "GITHUB_REF_NAME",
    "CI_COMMIT_REF_NAME",
    "BUILDKITE_BRANCH",
    "CIRCLE_BRANCH",
    "TRAVIS_BRANCH",
    "BITBUCKET_BRANCH",
    "BUILD_SOURCEBRANCHNAME",
    "CIRRUS_BRANCH",
    "BRANCH_NAME",
    "GIT_BRANCH",
)


class Supply(msgspec.Struct, frozen=True):
    """What a broker gave for this run.

    Attributes:
        pacts: What it says of each pact, by the file as interactions name it.
        source: Who takes the results; None: nobody.
    """

    pacts: Mapping[str, Offered] = {}
    source: Source | None = None

    def judged(self, interactions: Sequence[Interaction]) -> tuple[Interaction, ...]:
        """Return the interactions as they count: what fails in a pact that was never fulfilled is pending."""
        return tuple(self._judged(interaction) for interaction in interactions)

    def _judged(self, interaction: Interaction) -> Interaction:
        offered = self.pacts.get(interaction.pact)
        fails = interaction.result in (Verification.MISMATCH, Verification.STATE_FAILED)
        if offered is None or not offered.pending or not fails:
            return interaction
        return msgspec.structs.replace(interaction, result=Verification.PENDING)

    def published(self, project: Project, interactions: Sequence[Interaction]) -> list[Problem]:
        """Tell the broker what was found, if the settings say so; return why it was not told.

        A pact of which something was not run is not told of: then nobody knows whether it is fulfilled.
        """
        settings = project.settings.contracts
        if self.source is None or not settings.broker.publish:
            return []
        if not settings.broker.version and git.subject("", project.root).dirty:
            return [
                Problem(
                    code=Code.RESULTS_NOT_PUBLISHED,
                    message="the results are not published: the work tree is not what was committed",
                    hint="Commit it, or say in `contracts.broker.version` which version this is.",
                )
            ]
        try:
            self.source.keep(version(project, settings.provider), self._outcomes(interactions))
        except OrchestratorError as error:
            return [error.problem]
        return []

    def _outcomes(self, interactions: Sequence[Interaction]) -> list[Outcome]:
        found = []
        for file, offered in self.pacts.items():
            own = [interaction for interaction in interactions if interaction.pact == file]
            if own and all(interaction.result is not Verification.NOT_RUN for interaction in own):
                found.append(Outcome(offered, _tests(offered, own)))
        return found


def _tests(offered: Offered, own: Sequence[Interaction]) -> tuple[Checked, ...]:
    ids = broker.interaction_ids(offered.data)
    if len(ids) != len(own):
        ids = [""] * len(own)
    return tuple(
        Checked(
            description=interaction.description,
            success=interaction.result is Verification.VERIFIED,
            id=name,
            mismatches=interaction.mismatches,
            error=interaction.error,
        )
        for name, interaction in zip(ids, own, strict=True)
    )


def fetched(project: Project) -> Supply:
    """Fetch what lies elsewhere into the project's state folder: pacts with an address, and those of the broker.

    Raises:
        OrchestratorError: a pact is not there, the broker has none, or a server can't be asked.
    """
    settings = project.settings.contracts
    addresses = [told for told in settings.pacts or () if pact.is_url(told)]
    from_where = opened(project) if settings.broker.url else None
    if from_where is None and not addresses:
        return Supply()
    offered = [*map(_at, addresses), *(asked(project, from_where) if from_where else ())]
    folder = project.state / pact.FETCHED
    shutil.rmtree(folder, ignore_errors=True)  # of an earlier run
    files = written(offered, folder, project)
    return Supply({file: one for file, one in files.items() if one.name not in addresses}, from_where)


def _at(url: str) -> Offered:
    """Return the pact of an address; nobody is told what becomes of it."""
    content = Server(url, Credential(), timeout=_PATIENCE).ask().content
    return Offered(data=json.dumps(content).encode(), name=url)


def opened(project: Project) -> broker.PactBroker | shelf.Shelf:
    """Return the broker of the settings; if they name none, the shelf in the folder of contracts.

    Raises:
        OrchestratorError: it is a branch that can't be used.
    """
    settings = project.settings.contracts.broker
    return broker.pact_broker(settings) if settings.is_server else opened_shelf(project)


def opened_shelf(project: Project) -> shelf.Shelf:
    """Return the broker of the settings where it is a folder or a branch of git.

    Raises:
        OrchestratorError: it is a branch that can't be used.
    """
    url = project.settings.contracts.broker.url
    if url.startswith("git:"):
        return shelf.Shelf(stores.GitBranch(Branch(project.root, url.removeprefix("git:"))))
    return shelf.Shelf(
        stores.Folder(project.root / (url.removeprefix("file://").removeprefix("file:") or DEFAULT_FOLDER))
    )


def asked(project: Project, from_where: Source) -> list[Offered]:
    """Return the pacts that a broker wants this API to fulfil.

    Raises:
        UsageError: the settings don't say what this API is called.
        OrchestratorError: there is none, or the broker can't be asked.
    """
    settings = project.settings.contracts
    if not settings.provider:
        raise UsageError(
            Code.SETTINGS_INVALID,
            f"{project.file.name}: `contracts.provider` is not set",
            hint="A broker has the pacts of many: say what this API is called in them.",
        )
    wanted = Wanted(
        provider=settings.provider,
        branch=settings.broker.provider_branch or branch(project),
        selectors=settings.broker.selectors or broker.DEFAULT_SELECTORS,
        pending=settings.broker.pending,
        wip_since=str(settings.broker.include_wip_since or ""),
    )
    found = from_where.offered(wanted)
    if not found:
        raise OrchestratorError(
            Code.NO_PACTS,
            f"the broker has no pact for {text.one_line(settings.provider)!r} that `contracts.broker.selectors` choose",
            hint="Check `contracts.provider` and the selectors: the usual ones choose pacts that were published with a "
            "main branch, or are deployed.",
        )
    return found


def written(offered: Sequence[Offered], folder: Path, project: Project) -> dict[str, Offered]:
    """Write pacts into a folder; return what is said of each, by its file.

    Raises:
        OrchestratorError: they can't be written.
    """
    found: dict[str, Offered] = {}
    for one in offered:
        name = _name(one)
        while (file := project.shown(folder / f"{name}.json")) in found:
            name += "-again"
        codec.write_atomically(folder / f"{name}.json", one.data)
        found[file] = one
    return found


def _name(offered: Offered) -> str:
    """Return a file's name for a pact: for people to recognise, and the same as long as the content is."""
    try:
        what, who = shelf.digest(offered.data), "-".join(shelf.names_in(offered.data))
    except (ValueError, KeyError, TypeError, AttributeError):  # no pact: whoever reads the file will say so
        what, who = hashlib.sha256(offered.data).hexdigest(), "pact"
    return f"{re.sub(r'[^A-Za-z0-9]+', '-', who).strip('-')[:60]}-{what[:12]}".lstrip("-")


def version(project: Project, of: str) -> Version:
    """Return which version the project is: the settings', or git's commit.

    Raises:
        UsageError: neither says.
    """
    settings = project.settings.contracts.broker
    number = expanded(settings.version) if settings.version else git.subject("", project.root).commit
    if not number or "$" in number:
        raise UsageError(
            Code.SETTINGS_INVALID,
            f"no version is known: `contracts.broker.version` is {settings.version!r}, and git has no commit here"
            if not settings.version
            else f"`contracts.broker.version` = {settings.version!r} names a variable that is not set",
            hint="Set it, or give --version.",
        )
    return Version(of=of, number=number, branch=branch(project))


def branch(project: Project) -> str:
    """Return the project's branch: the settings', or git's, or where git has none that of the CI; empty: none."""
    settings: Broker = project.settings.contracts.broker
    if settings.branch:
        told = expanded(settings.branch)
        return "" if "$" in told else told
    of_git = git.subject("", project.root).branch
    if of_git not in ("", "HEAD"):
        return of_git
    return next((os.environ[name] for name in _BRANCH_VARIABLES if os.environ.get(name)), "") if of_git else ""


def expanded(told: str) -> str:
    """Return a setting with the environment variables that it names replaced by their values."""
    return os.path.expandvars(told)
