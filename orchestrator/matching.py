"""Tell that two things of two runs are the same, though their fingerprints differ.

A fingerprint holds the module, the function and the changed text. When a file gets another name, or its code another
layout, these change, and the thing does not. So what only one of two runs has is matched once more, by what it is.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Set

from orchestrator.model.mutation import Mutant
from orchestrator.model.replacement import replaced
from orchestrator.model.run import Run


def moved(kind: str, now: Set[str], then: Set[str], run: Run, earlier: Run) -> dict[str, str]:
    """Return what of one kind only has another fingerprint: the one of now → the one of then.

    Args:
        kind: As `history.KINDS` has them.
        now: Fingerprints of what is wrong only now, and of what nobody looked at now.
        then: Fingerprints of what was wrong only then.
        run: The run of now.
        earlier: The run of then.
    """
    if kind == "survivor" and run.mutation and earlier.mutation:
        return _moved_mutants(run.mutation.mutants, earlier.mutation.mutants, now, then)
    if kind == "test" and run.suite and earlier.suite:
        files = {t.id.partition("::")[0] for t in run.suite.tests}
        gone = {test for test in then if test.partition("::")[0] not in files}
        old_files = {t.id.partition("::")[0] for t in earlier.suite.tests}
        come = {test for test in now if test.partition("::")[0] not in old_files}
        return _pairs({t: t.partition("::")[2] for t in come}, {t: t.partition("::")[2] for t in gone})
    return {}


def _moved_mutants(now: Iterable[Mutant], then: Iterable[Mutant], new: Set[str], gone: Set[str]) -> dict[str, str]:
    """First in the same file, where the layout has changed; then in files of another name."""
    mutants, earlier = list(now), list(then)
    in_file = _pairs(_named(mutants, new, by_path=True), _named(earlier, gone, by_path=True))
    paths, old_paths = {m.path for m in mutants}, {m.path for m in earlier}
    in_renamed = _pairs(
        _named((m for m in mutants if m.path not in old_paths), new, by_path=False),
        _named((m for m in earlier if m.path not in paths), gone, by_path=False),
    )
    return {**in_renamed, **in_file}


def _named(mutants: Iterable[Mutant], wanted: Set[str], *, by_path: bool) -> dict[str, Hashable]:
    """Return what names each wanted mutant: function, replaced words, and the how manieth of these it is.

    All mutants are counted, not only the wanted ones: which of them survive changes from run to run.
    """
    counted: dict[Hashable, int] = {}
    found: dict[str, Hashable] = {}
    for mutant in sorted(mutants, key=lambda m: (m.path, m.line)):
        name = (mutant.path if by_path else "", mutant.function, *replaced(mutant.diff).words)
        counted[name] = counted.get(name, 0) + 1
        if mutant.fingerprint in wanted:
            found[mutant.fingerprint] = (name, counted[name])
    return found


def _pairs(now: Mapping[str, Hashable], then: Mapping[str, Hashable]) -> dict[str, str]:
    """Return the fingerprints that stand for the same name, where it is the only one of that name on either side."""
    by_name: dict[Hashable, list[str]] = {}
    for fingerprint, name in then.items():
        by_name.setdefault(name, []).append(fingerprint)
    names = list(now.values())
    return {
        fingerprint: by_name[name][0]
        for fingerprint, name in now.items()
        if len(by_name.get(name, ())) == 1 and names.count(name) == 1
    }
