"""A judge in a process of its own: asked with a JSON line, answers with one."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from orchestrator import process, text
from orchestrator.errors import Code, OrchestratorError

_PATIENCE: Final = 120.0  # seconds that an answer may take


class Judge:
    """A running judge."""

    def __init__(self, running: subprocess.Popen[bytes], asking: int, answering: int, log: Path) -> None:
        self._running = running
        self._asking = os.fdopen(asking, "wb", buffering=0)
        self._answering = os.fdopen(answering, "rb")
        self._log = log

    def ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer to a question.

        Raises:
            OrchestratorError: the judge is gone, or can't judge.
        """
        try:
            self._asking.write(json.dumps(question).encode() + b"\n")
            is_late = not select.select([self._answering], [], [], _PATIENCE)[0]
            line = b"" if is_late else self._answering.readline()
        except OSError:
            is_late, line = False, b""
        why = f"no answer comes in {_PATIENCE:g} s" if is_late else "its process is gone"
        answer: dict[str, Any] = json.loads(line) if line.endswith(b"\n") else {"error": why}
        if "error" in answer:
            raise OrchestratorError(
                Code.JUDGE_FAILED,
                f"responses can't be judged: {text.one_line(answer['error'])}",
                hint=f"What was said is in {process.told(self._log)}.",
                detail=text.clean(process.tail(self._log)),
            )
        return answer

    def close(self) -> None:
        """Let it end."""
        for stream in (self._asking, self._answering):
            with contextlib.suppress(OSError):
                stream.close()


def serve(incoming: int, outgoing: int, answered: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Be a judge: answer each question until nobody asks any more.

    Args:
        incoming: Where questions come from: a file descriptor.
        outgoing: Where answers go.
        answered: Returns the answer to a question; what it raises is told to who asked.
    """
    with os.fdopen(incoming, "rb") as questions, os.fdopen(outgoing, "wb", buffering=0) as answers:
        for line in questions:
            try:
                answer = answered(json.loads(line))
            except BaseException as error:  # noqa: BLE001 - whoever asked must hear of it
                traceback.print_exc()
                answer = {"error": f"{type(error).__name__}: {error}"}
            answers.write(json.dumps(answer).encode() + b"\n")


@contextlib.contextmanager
def started(
    module: str, *arguments: str, directory: Path, environment: Mapping[str, str], log: Path
) -> Iterator[Judge]:
    """Start a judge, and end it when the block is left.

    Args:
        module: What runs: it is given two file descriptors, to read questions and to write answers, and `arguments`.
        arguments: What else it is told.
        directory: Where it runs.
        environment: Its whole environment.
        log: Where its output goes.
    """
    their_in, asking = os.pipe()
    answering, their_out = os.pipe()
    command = [sys.executable, "-m", module, str(their_in), str(their_out), *arguments]
    with process.started_group(
        command, directory=directory, environment=environment, log=log, pass_fds=(their_in, their_out)
    ) as running:
        os.close(their_in)
        os.close(their_out)
        judge = Judge(running, asking, answering, log)
        try:
            yield judge
        finally:
            judge.close()
