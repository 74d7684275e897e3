from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator import text
from orchestrator.model.mutation import MutantStatus
from orchestrator.model.run import Report
from orchestrator.report import workflow_commands
from orchestrator.report.workflow_commands import lines
from tests import builders
from tests.builders import finding, mutation, properties, run
from tests.report.hostile import STRINGS
from tests.report.runs import broken, compared, small
from tests.report.test_problems import waived

hostile = st.text(st.sampled_from("%0AaD:,;=\r\n\t\x85\u2028\ud800\x1b[m "), max_size=20)


def read(line: str) -> tuple[str, dict[str, str], str]:
    """What the runner makes of a command: its name, its parameters and its message."""
    match = re.fullmatch(r"::(\w+) ([^:]*)::(.*)", line)
    assert match
    parameters = dict(part.split("=", 1) for part in match[2].split(","))
    return match[1], {key: unescaped(value) for key, value in parameters.items()}, unescaped(match[3])


def unescaped(value: str) -> str:
    for sign, escape in ((":", "%3A"), (",", "%2C"), ("\r", "%0D"), ("\n", "%0A"), ("%", "%25")):
        value = value.replace(escape, sign)
    return value


def names(report: Report) -> list[str]:
    return [read(line)[0] for line in lines(report)]


@given(hostile)
def test_a_message_is_one_line_and_comes_out_as_it_went_in(value: str) -> None:
    written = workflow_commands.data(value)
    assert "".join(written.splitlines()) == written
    assert unescaped(written) == text.visible(value)


@given(hostile)
def test_the_value_of_a_parameter_ends_nothing_and_comes_out_as_it_went_in(value: str) -> None:
    written = workflow_commands.parameter(value)
    assert not set(":,\n\r") & set(written)
    assert unescaped(written) == text.visible(value)


@pytest.mark.parametrize("said", STRINGS)
def test_whatever_foreign_text_holds_each_line_is_one_command(said: str) -> None:
    report = builders.report(builders.full_run(said))
    shown = workflow_commands.render(report).decode().splitlines()
    assert shown == lines(report)
    assert names(report) == names(builders.report(builders.full_run()))
    assert not [line for line in shown if line.count("::") > 2 and "::" in line.split("::", 2)[1]]


def test_a_command_names_file_line_and_title() -> None:
    name, parameters, message = read(lines(builders.report(run(mutation(MutantStatus.SURVIVED))))[-1])
    assert name == "warning"
    assert parameters == {
        "file": "shop/prices.py",
        "line": "7",
        "title": "Nobody notices when this code breaks: total, `1` becomes `2`",
    }
    assert message == "In total, `1` becomes `2`, and everything passes."


def test_what_has_no_file_names_none() -> None:
    _, parameters, _ = read(lines(builders.report(broken()))[0])
    assert parameters == {"title": "generate did not complete"}


def test_a_run_without_faults_has_no_commands() -> None:
    assert workflow_commands.render(builders.report()) == b""


def test_everything_is_told_where_it_is_little() -> None:
    assert names(builders.report(small())) == ["error"] * 7 + ["warning"] * 2


def test_of_much_the_worst_is_told_and_how_many_more_there_are() -> None:
    report = builders.report(
        run(properties(*(finding(check=str(n)) for n in range(20))), mutation(*[MutantStatus.SURVIVED] * 30))
    )
    assert names(report) == ["error"] * 10 + ["warning"] * 10 + ["notice"]
    assert read(lines(report)[0])[1]["title"].startswith("Gate: ")
    assert read(lines(report)[-1])[2] == "32 more are in the report."  # 2 gates, 20 findings, 30 survivors, less 20


def test_what_somebody_answers_for_is_no_news() -> None:
    report = builders.report(small())
    assert len(lines(waived(report, "m-0", "m-1", "i-read b"))) == len(lines(report)) - 3


def test_the_same_report_gives_the_same_bytes() -> None:
    assert workflow_commands.render(compared()) == workflow_commands.render(compared())
