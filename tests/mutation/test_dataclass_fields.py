from __future__ import annotations

import ast

import pytest

from orchestrator.mutation.dataclass_fields import AtImport, fields_of


def fields(code: str) -> dict[str, int | None] | None:
    (node,) = ast.parse(code).body
    assert isinstance(node, ast.ClassDef)
    return fields_of(node)


BODY = "class Draft:\n    owner: str\n    label: str = ''\n"


@pytest.mark.parametrize(
    "decorator",
    ["@dataclass", "@dataclass()", "@dataclasses.dataclass", "@dataclass(frozen=True, order=False, kw_only=False)"],
)
def test_the_fields_of_a_plain_dataclass_have_their_places(decorator: str) -> None:
    assert fields(f"{decorator}\n{BODY}") == {"owner": 0, "label": 1}


def test_fields_that_are_given_by_name_have_no_place() -> None:
    assert fields(f"@dataclass(kw_only=True)\n{BODY}") == {"owner": None, "label": None}
    code = "@dataclass\nclass Draft:\n    owner: str\n    _: KW_ONLY\n    label: str = ''\n    SIZE = 3\n"
    assert fields(code) == {"owner": 0, "label": None}


@pytest.mark.parametrize(
    "code",
    [
        BODY,
        f"@dataclass(slots=True)\n{BODY}",
        f"@dataclass(frozen=FROZEN)\n{BODY}",
        f"@dataclass(**options)\n{BODY}",
        f"@dataclass(Draft)\n{BODY}",
        f"@registered\n@dataclass\n{BODY}",
        f"@dataclass_transform()\n{BODY}",
        f"@dataclass\n{BODY}".replace("Draft:", "Draft(Base):"),
        f"@dataclass\n{BODY}".replace("Draft:", "Draft(metaclass=Meta):"),
        f"@dataclass\n{BODY}    made: ClassVar[int] = 3\n",
        f"@dataclass\n{BODY}    given: InitVar[int] = 3\n",
    ],
)
def test_other_classes_have_none(code: str) -> None:
    assert fields(code) is None


def leaves_out(code: str, *classes: str) -> bool:
    noted = AtImport()
    for statement in ast.parse(code).body:
        noted.note(statement)
    return noted.leaves_out(classes or {"Draft"}, "label", 1)


@pytest.mark.parametrize(
    "code",
    [
        "",
        "from commands import Draft",
        "'''Makes a Draft.'''",
        "__all__ = ['Draft']",
        "def make(draft: Draft) -> Draft: ...",
        "def make(*drafts: 'Draft', last: list[Draft]) -> None: ...",
        "async def make(draft: Draft | None = None) -> Draft: ...",
        "Command = Draft | Other | None",
        "Command: TypeAlias = Draft | list[Other]",
        "drafts: list[Draft] = []",
        "FIRST = Draft('team', 'first')",
        "FIRST = Draft('team', label='first')",
        "ALL = [commands.Draft(o, 'first') for o in owners]",
        "def make(draft: Draft = Draft('team', 'first')) -> None: ...",
        "Drafts = 3",
    ],
)
def test_what_gives_the_field_or_tells_a_type_leaves_nothing_out(code: str) -> None:
    assert not leaves_out(code)


@pytest.mark.parametrize(
    "code",
    [
        "FIRST = Draft('team')",
        "FIRST = Draft(owner='team')",
        "FIRST = Draft(*told)",
        "FIRST = Draft('team', **told)",
        "def make(draft: Draft = Draft('team')) -> None: ...",
        "@takes(Draft)\ndef make() -> None: ...",
        "KINDS = {'draft': Draft}",
        "Other = Draft",
        "LABEL = Draft.label",
        "TEXT = 'Draft'",
        "MADE = make(Draft)",
        "ALL = map(commands.Draft, owners)",
        "class Special(Draft): ...",
        "FIRST = Draft('team', 'first')\nSECOND = Draft('team')",
    ],
)
def test_what_makes_an_object_without_the_field_or_hands_the_class_on_leaves_it_out(code: str) -> None:
    assert leaves_out(code)


def test_a_class_is_known_by_all_of_its_names() -> None:
    assert leaves_out("FIRST = Note('team')", "Draft", "Note")
    assert not leaves_out("FIRST = Note('team')", "Draft")
