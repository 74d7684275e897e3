"""Every error that a user can cause: its code, what happened, the way out.

A problem is data (it travels in a run and is shown on the page); an `OrchestratorError` carries one up to
whoever can answer it. Each code has a section of the same name in `docs/errors.md`; a test checks that.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Final

from orchestrator.model.problem import Problem

DOCUMENTATION: Final = "docs/errors.md"


class ExitCode(IntEnum):
    """How the command ends. Where several hold, `worst` says which one is told."""

    PASSED = 0
    GATE_FAILED = 1
    USAGE = 2
    STAGE_FAILED = 3
    NOTHING_WORKS = 4  # no test of the unmutated code passes, or the API can't be reached
    BUG = 70  # EX_SOFTWARE of sysexits.h: a fault of ours
    INTERRUPTED = 130  # 128 + SIGINT, as shells say it

    @classmethod
    def worst(cls, *codes: ExitCode) -> ExitCode:
        """Return the code with the weightiest reason; `PASSED` if there is none."""
        for code in (
            cls.INTERRUPTED,
            cls.BUG,
            cls.USAGE,
            cls.NOTHING_WORKS,
            cls.STAGE_FAILED,
            cls.GATE_FAILED,
        ):
            if code in codes:
                return code
        return cls.PASSED


class Code(StrEnum):
    """The codes, in the order of the page that explains them. A number is never given twice."""

    # Settings and usage
    SETTINGS_MISSING = "QO101"
    SETTINGS_INVALID = "QO102"
    SETTINGS_UNKNOWN_KEY = "QO103"
    UNSUPPORTED_PLATFORM = "QO104"
    UNKNOWN_STAGE = "QO105"
    RUN_UNREADABLE = "QO106"
    NOT_WRITABLE = "QO107"
    PLUGIN_BROKEN = "QO108"
    SETTINGS_EXIST = "QO109"
    APP_NOT_FOUND = "QO110"
    PROPOSE_UNCLEAR = "QO111"
    # The user's interpreter and app
    INTERPRETER_MISSING = "QO201"
    APP_IMPORT_FAILED = "QO202"
    APP_NOT_AN_APP = "QO203"
    HOOK_FAILED = "QO204"
    APP_UNREACHABLE = "QO205"
    APP_DIED = "QO206"
    IDENTITY_FAILED = "QO207"
    WRONG_BASE_PATH = "QO208"
    INTERPRETER_UNFIT = "QO209"
    # The OpenAPI document and the generated tests
    DOCUMENT_MISSING = "QO301"
    DOCUMENT_UNREADABLE = "QO302"
    DOCUMENT_INVALID = "QO303"
    EDITED_BY_HAND = "QO304"
    NO_OPERATIONS = "QO305"
    PROPERTIES_FAILED = "QO306"
    UNKNOWN_OPERATION = "QO307"
    # The project's own suite
    NO_TESTS = "QO401"
    ALL_TESTS_RED = "QO402"
    TESTS_QUARANTINED = "QO403"
    COLLECTION_FAILED = "QO404"
    TOOL_NOT_INSTALLED = "QO405"
    # Contracts
    NO_PACTS = "QO501"
    PACT_UNREADABLE = "QO502"
    UNKNOWN_STATE = "QO503"
    STATE_FAILED = "QO504"
    VERIFIER_FAILED = "QO505"
    BROKER_UNREACHABLE = "QO506"
    BROKER_REFUSED = "QO507"
    BROKER_UNCLEAR = "QO508"
    BROKER_CLIENT_FAILED = "QO509"
    PACT_CONFLICT = "QO510"
    SHELF_FAILED = "QO511"
    RESULTS_NOT_PUBLISHED = "QO512"
    NAMED_TWICE = "QO513"
    # Mutation (QO602 and QO611 were given once, and nothing has them now)
    NO_CRITICAL_PATH = "QO601"
    MUTMUT_FAILED = "QO603"
    NOT_MUTATED = "QO604"
    UNKNOWN_MUTANT = "QO605"
    SESSION_DIED = "QO606"
    NOT_FORKABLE = "QO607"
    SELF_CHECK_FAILED = "QO608"
    SELF_CHECK_IMPOSSIBLE = "QO609"
    NOT_REACHED = "QO610"
    FLAKY_TESTS = "QO612"
    SUPPRESSION_USELESS = "QO613"
    UNKNOWN_REVISION = "QO614"
    SHARD_UNKNOWN = "QO615"
    SHARDS_UNLIKE = "QO616"
    TYPE_CHECK_FAILED = "QO617"
    CLUSTER_UNFIT = "QO618"
    CLUSTER_FAILED = "QO619"
    NOT_REPLAYABLE = "QO620"
    JUDGE_FAILED = "QO621"
    NOT_REPEATED = "QO622"
    # Runs
    STAGE_TIMED_OUT = "QO701"
    INTERRUPTED = "QO702"
    BASELINE_UNREADABLE = "QO703"
    INTERNAL = "QO900"


class OrchestratorError(Exception):
    """Something that the user can mend.

    Attributes:
        problem: What is shown: code, one-line message, hint.
    """

    def __init__(self, code: Code, message: str, *, hint: str = "", detail: str = "") -> None:
        super().__init__(f"{code}: {message}")
        self.problem = Problem(code=code, message=message, hint=hint, detail=detail)

    @property
    def exit_code(self) -> ExitCode:
        """How the command ends when nothing catches the error."""
        return exit_code_of(self.problem.code)


class UsageError(OrchestratorError):
    """The settings or the command line are at fault: nothing was run."""


_USAGE: Final = frozenset(
    {
        Code.BASELINE_UNREADABLE,
        Code.UNKNOWN_MUTANT,
        Code.UNKNOWN_REVISION,
        Code.SHARD_UNKNOWN,
        Code.SHARDS_UNLIKE,
    }
)
_NOTHING_WORKS: Final = frozenset(
    {
        Code.INTERPRETER_MISSING,
        Code.INTERPRETER_UNFIT,
        Code.APP_IMPORT_FAILED,
        Code.APP_NOT_AN_APP,
        Code.HOOK_FAILED,
        Code.APP_UNREACHABLE,
        Code.IDENTITY_FAILED,
        Code.WRONG_BASE_PATH,
        Code.ALL_TESTS_RED,
    }
)


def exit_code_of(code: str) -> ExitCode:
    """Return how the command ends for a problem that stopped something."""
    if code == Code.INTERNAL:
        return ExitCode.BUG
    if code == Code.INTERRUPTED:
        return ExitCode.INTERRUPTED
    if code in _USAGE or (code.startswith("QO1") and code != Code.NOT_WRITABLE):
        return ExitCode.USAGE
    return ExitCode.NOTHING_WORKS if code in _NOTHING_WORKS else ExitCode.STAGE_FAILED


def anchor(code: str) -> str:
    """Return where `code` is explained, relative to the project's root."""
    return f"{DOCUMENTATION}#{code.lower()}"
