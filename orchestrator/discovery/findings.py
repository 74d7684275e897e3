"""What looking around gives: guesses that become settings, and questions that only a person can answer."""

from __future__ import annotations

from typing import Any

import msgspec


class Guess(msgspec.Struct, frozen=True, kw_only=True):
    """A setting whose value was found.

    Attributes:
        key: The setting, dotted: `app.target`.
        value: As TOML would hold it.
        because: What was seen, in a few words.
    """

    key: str
    value: Any
    because: str


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A setting that a person has to fill in.

    Attributes:
        key: The setting, dotted: `app.environment.API_TOKEN`.
        about: What is asked for, and why.
        example: A value as it may look.
    """

    key: str
    about: str
    example: str = ""


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was found in a project.

    Attributes:
        framework: `Flask`, `FastAPI`, `Django`, …; empty: no app was found.
        guesses: In the order in which they are told.
        questions: The weightiest first.
        remarks: What is missing and may stay so, one line each.
        install: Arguments for `uv pip install` that install the app and its tests.
        secrets: Environment variables that hold a credential, for CI to fill in.
    """

    framework: str
    guesses: tuple[Guess, ...]
    questions: tuple[Question, ...] = ()
    remarks: tuple[str, ...] = ()
    install: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
