"""How far the contract is covered: which responses and fields are described, seen, checked by a test, and read.

That a test checks a field is known of fields that a mutant has changed alone: the test that saw it failed, or passed.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from orchestrator.model.description import FieldUse, ResponseUse, described_as, pattern_of
from orchestrator.model.mutation import Mutant
from orchestrator.model.run import Run

_ITEM: Final = re.compile(r"\[\d+\]")
_QUOTED: Final = re.compile(r'\[("(?:[^"\\]|\\.)*")\]')

Place = tuple[str, int, str]  # operation, status, path as `FieldUse` has it


class Covered(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the responses of an operation with one status.

    Attributes:
        use: Who has seen and who reads them.
        status_checked: A test that failed when a mutant changed nothing but the status; empty: none is known.
        checked: Fields that a mutant changed alone, and the test that saw it failed.
        missed: Those of the others that a mutant changed, and the test that saw it passed.
        unknown: The other fields: no mutant has changed them alone.
    """

    use: ResponseUse
    status_checked: str
    checked: tuple[str, ...]
    missed: tuple[str, ...]
    unknown: tuple[str, ...]


def covered(run: Run) -> list[Covered]:
    """Return what is known of each response, in the document's order; empty: nothing was computed."""
    uses = (run.description.responses if run.description else None) or ()
    mutants = run.mutation.mutants if run.mutation else ()
    checked, missed = _checked(mutants), _missed(mutants)
    described = {(use.operation, use.status) for use in uses}
    return [_covered(use, _of(use, checked, described), _of(use, missed, described)) for use in uses]


def _checked(mutants: Iterable[Mutant]) -> dict[Place, str]:
    """Return the places that a test checks, with one that does."""
    found: dict[Place, str] = {}
    for mutant in mutants:
        if (one := mutant.checked) and one.operation and mutant.status.is_detected:
            found.setdefault((one.operation, one.status, path_of(one.place)), mutant.killer)
    return found


def _missed(mutants: Iterable[Mutant]) -> dict[Place, str]:
    """Return the places that differed under a mutant for a test that passed, with the test."""
    found: dict[Place, str] = {}
    for mutant in mutants:
        for gap in mutant.gaps:
            if gap.layer == "unit" and gap.operation and gap.status:
                for difference in gap.differences:
                    found.setdefault((gap.operation, gap.status, path_of(difference.place)), gap.test)
    return found


def path_of(place: str) -> str:
    """Return the path of a field by the place in a response: `$.items[].total` for `length of $.items[3]["total"]`."""
    path = _ITEM.sub("[]", place.removeprefix("length of "))
    return _QUOTED.sub(lambda quoted: f".{json.loads(quoted[1])}", path)


def _of(use: ResponseUse, places: Mapping[Place, str], described: set[tuple[str, str]]) -> dict[str, str]:
    """Return the places in a response: a status belongs to `4XX` or `default` where it is not described itself."""
    found: dict[str, str] = defaultdict(str)
    for (operation, status, path), test in places.items():
        name = next((name for name in described_as(status) if (operation, name) in described), "")
        if (operation, name) == (use.operation, use.status):
            found.setdefault(path, test)
    return found


def _covered(use: ResponseUse, checked: Mapping[str, str], missed: Mapping[str, str]) -> Covered:
    fields = [field for field in use.fields if field.described or field.seen]
    known = [field.path for field in fields if _is_in(field, checked)]
    passed = [field.path for field in fields if field.path not in known and _is_in(field, missed)]
    return Covered(
        use=use,
        status_checked=checked.get("status", ""),
        checked=tuple(known),
        missed=tuple(passed),
        unknown=tuple(field.path for field in fields if field.path not in known and field.path not in passed),
    )


def _is_in(field: FieldUse, places: Mapping[str, str]) -> bool:
    """Whether one of the places is a field, or inside of it."""
    pattern = pattern_of(field.path)
    return any(re.match(rf"{pattern}(?:[.\[]|$)", place) for place in places)
