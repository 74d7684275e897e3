"""Choose the tests to propose: few that notice the most survivors, each tried where it counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from importlib.util import decode_source
from pathlib import Path, PurePosixPath

import msgspec

from orchestrator.config import Project
from orchestrator.model.mutation import Mutant, MutantStatus, Mutation, Proposal, score
from orchestrator.mutation import testfiles
from orchestrator.mutation.testfiles import Taken
from orchestrator.mutation.trial import Trial
from orchestrator.patches import DoesNotFit, patched

Watch = Callable[[int, int, str], None]


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Tests to add to a project's own.

    Attributes:
        files: Their text, by path relative to the project.
        tests: Of each test, its node id's end and the mutants that it notices and those before it don't, by
            fingerprint; the ones that notice most come first.
        left: Of survivors with a proposal that no test was made of, or whose test did not hold: the reason.
        undetected: How many mutants nobody notices now.
        before: The mutation score now, in percent; None: nothing was judged.
        after: The mutation score with the tests.
    """

    files: dict[str, str]
    tests: tuple[tuple[str, tuple[str, ...]], ...]
    left: dict[str, str]
    undetected: int
    before: float | None
    after: float | None

    @property
    def noticed(self) -> int:
        """How many survivors the tests notice."""
        return sum(len(mutants) for _, mutants in self.tests)


class _Made(msgspec.Struct, frozen=True):
    """A test, and the mutant and the folder it is for."""

    mutant: Mutant
    test: Taken
    folder: str


def plan(
    project: Project,
    mutation: Mutation,
    wanted: Sequence[Mutant],
    *,
    reached: Mapping[str, Sequence[str]] | None,
    folder: str,
    watch: Watch,
) -> Plan:
    """Make tests of the proposals for survivors, try them, and choose.

    Args:
        project: Whose.
        mutation: What the last run found.
        wanted: The survivors to make tests for.
        reached: What each operation's requests executed in it.
        folder: Where the tests go, relative to the project; those whose own folder is within it stay there.
        watch: Told how many runs are done, of how many, and of what.

    Raises:
        OrchestratorError: the source is not that of the run any more.
    """
    undetected = [m for m in mutation.mutants if m.status.is_undetected]
    made, left = _made(project, wanted, folder)
    groups = [[made[k] for k in group] for group in testfiles.merged(m.test for m in made)]
    if not groups:
        return _plan(mutation, {}, (), left)
    everything, names = _files(groups)
    with Trial(project, everything, watch) as trial:
        passing = trial.passing()
        noticed = _by_test(trial.noticing(undetected, reached, quick=mutation.quick), names, passing)
        chosen = _fewest(noticed)
        seen = [m for m in undetected if any(m.fingerprint in noticed[k] for k in chosen)]
        again = _by_test(trial.confirmed(seen), names, passing)
        # Once is no proof: what counts is what holds each time.
        sure = {k: noticed[k] & again[k] for k in chosen}
    chosen = _fewest(sure)
    told = {fingerprint for k in chosen for fingerprint in sure[k]}
    left |= {
        one.mutant.fingerprint: "its test does not pass without it, or not fail under it, each time"
        for one in made
        if one.mutant.fingerprint not in told
    }
    files, final = _files([groups[k] for k in chosen], [sure[k] for k in chosen], undetected)
    order = _news([sure[k] for k in chosen])
    return _plan(mutation, files, tuple((final[k], mutants) for k, mutants in enumerate(order)), left)


def _plan(
    mutation: Mutation, files: dict[str, str], tests: tuple[tuple[str, tuple[str, ...]], ...], left: dict[str, str]
) -> Plan:
    noticed = {fingerprint for _, mutants in tests for fingerprint in mutants}
    now = tuple(
        msgspec.structs.replace(m, status=MutantStatus.KILLED) if m.fingerprint in noticed else m
        for m in mutation.mutants
    )
    return Plan(
        files=files,
        tests=tests,
        left=left,
        undetected=sum(m.status.is_undetected for m in mutation.mutants),
        before=mutation.score,
        after=score(now),
    )


def _made(project: Project, wanted: Iterable[Mutant], folder: str) -> tuple[list[_Made], dict[str, str]]:
    """Return tests of proposals, and why there is none."""
    made: list[_Made] = []
    left: dict[str, str] = {}
    for mutant in wanted:
        for operation, proposal in mutant.proposals:
            try:
                test = _taken(project, operation, proposal)
            except (OSError, SyntaxError, DoesNotFit):
                left[mutant.fingerprint] = "its test's file has changed since the run: run again"
                continue
            if test is None:
                left[mutant.fingerprint] = "its test stands where none can be taken from"
            else:
                made.append(_Made(mutant, test, testfiles.folder_of(test, folder)))
                left.pop(mutant.fingerprint, None)
                break
    return made, left


def _taken(project: Project, operation: str, proposal: Proposal) -> Taken | None:
    file = next(
        (f / proposal.path for f in _roots(project) if (f / proposal.path).is_file()), project.root / proposal.path
    )
    source = patched(decode_source(file.read_bytes()), proposal.diff)
    path = file.resolve().relative_to(project.root.resolve()).as_posix()
    return testfiles.taken(path, operation, source, proposal.line)


def _roots(project: Project) -> list[Path]:
    """Return the folders that pytest may have called its root folder: it is where its settings file is."""
    found = [project.directory]
    while found[-1] != project.root and project.root in found[-1].parents:
        found.append(found[-1].parent)
    return found


def _files(
    groups: Sequence[Sequence[_Made]], noticed: Sequence[set[str]] = (), undetected: Sequence[Mutant] = ()
) -> tuple[dict[str, str], dict[int, str]]:
    """Return files of tests by path, and the end of each test's node id by its number."""
    by_folder: dict[str, list[int]] = {}
    for number, group in enumerate(groups):
        by_folder.setdefault(group[0].folder, []).append(number)
    files: dict[str, str] = {}
    names: dict[int, str] = {}
    for folder, numbers in by_folder.items():
        told = []
        for number in numbers:
            group = groups[number]
            fingerprints = noticed[number] if noticed else {m.mutant.fingerprint for m in group}
            mutants = [m for m in undetected or [one.mutant for one in group] if m.fingerprint in fingerprints]
            purpose = testfiles.purpose([(m.fingerprint, m.function) for m in mutants])
            told.append((testfiles.joined([one.test for one in group]), purpose))
        for name, (content, found) in testfiles.files(told).items():
            path = str(PurePosixPath(folder) / name)
            files[path] = content
            names |= {numbers[k]: f"{path}::{end}" for k, end in found}
    return files, names


def _by_test(seen: Mapping[str, set[str]], names: Mapping[int, str], passing: set[str]) -> dict[int, set[str]]:
    """Return the mutants that each test notices, by its number: with items that pass without them."""
    return {
        number: {mutant for mutant, red in seen.items() if any(_is_of(item, name) for item in red & passing)}
        for number, name in names.items()
    }


def _is_of(item: str, name: str) -> bool:
    """Whether an item, as pytest calls it, is one of a test's: it may have parameters, and be called from elsewhere."""
    stem = item.partition("[")[0]
    return name == stem or name.endswith(f"/{stem}") or stem.endswith(f"/{name}")


def _fewest(noticed: Mapping[int, set[str]]) -> list[int]:
    """Return tests that notice all that any notices, those with the most news first: few, if not always the fewest."""
    chosen: list[int] = []
    known: set[str] = set()
    while True:
        best = max(noticed, key=lambda k: (len(noticed[k] - known), -k), default=None)
        if best is None or not noticed[best] - known:
            return chosen
        chosen.append(best)
        known |= noticed[best]


def _news(noticed: Sequence[set[str]]) -> list[tuple[str, ...]]:
    """Return what each notices that those before it don't."""
    known: set[str] = set()
    found = []
    for one in noticed:
        found.append(tuple(sorted(one - known)))
        known |= one
    return found


def write(project: Project, plan_: Plan) -> list[Path]:
    """Write the files of a plan; return where they are. One that is there already gets a name of its own.

    Raises:
        OSError: a file can't be written.
    """
    written = []
    for path, content in plan_.files.items():
        wanted = project.root / path
        wanted.parent.mkdir(parents=True, exist_ok=True)
        written.append(_written(wanted, content))
    return written


def _written(wanted: Path, content: str) -> Path:
    for number in range(1, 1000):
        file = wanted if number == 1 else wanted.with_stem(f"{wanted.stem}_{number}")
        with suppress(FileExistsError), file.open("x", encoding="utf-8") as opened:
            opened.write(content)
            return file
    raise FileExistsError(wanted)
