"""Whatever goes wrong with pacts, in whole runs: a clear coded result, in bounded time, and nothing silently passed."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.errors import ExitCode
from orchestrator.model.contracts import Contracts, Interaction, Verification
from orchestrator.model.problem import Problem
from tests import hal
from tests.acceptance import tiny
from tests.acceptance.support import Ended, edit, orchestrator, report_of, setting, stage
from tests.acceptance.tiny import interaction, pact

TOKEN = "t0ken-of-the-broker"
VERIFIED, NOT_RUN, STATE_FAILED = Verification.VERIFIED, Verification.NOT_RUN, Verification.STATE_FAILED


def run(project: Path, *stages: str) -> Ended:
    """Run stages, and see that the report is written and that it took no longer than anybody would wait."""
    begun = time.monotonic()
    asked = [word for name in ("contracts", *stages) for word in ("--stage", name)]
    ended = orchestrator(project, "run", *asked, PACT_BROKER_TOKEN=TOKEN)
    assert time.monotonic() - begun < 30
    assert (project / "reports" / "quality.html").read_text("utf-8").startswith("<!doctype html>")
    reports = b"".join(file.read_bytes() for file in (project / "reports").rglob("*") if file.is_file())
    assert TOKEN.encode() not in reports + ended.output.encode()
    return ended


def failed(project: Path, ended: Ended, code: str) -> Problem:
    """Return why the stage failed, which is told with a code."""
    error = stage(project, "contracts").error
    assert error is not None
    assert (error.code, ended.code) == (code, ExitCode.STAGE_FAILED)
    assert code in ended.output
    assert error.hint
    return error


def interactions(project: Path) -> dict[str, Interaction]:
    data = stage(project, "contracts").data
    assert isinstance(data, Contracts)
    return {i.description: i for i in data.interactions}


# Brokers

FAULTS = {
    401: "QO507",
    404: "QO508",
    500: "QO508",
    "slow": "QO506",
    "drips": "QO506",
    "drips_body": "QO506",
    "broken": "QO508",
    "breaks_off": "QO506",
    "hangs_up": "QO506",
}


@pytest.fixture
def broker() -> Iterator[hal.Broker]:
    with hal.running() as found:
        found.authorization = f"Bearer {TOKEN}"
        found.publish(pact(interaction("/a")))
        yield found


@pytest.fixture
def provider(tmp_path: Path, broker: hal.Broker) -> Path:
    project = tiny.made(tmp_path)
    setting(project, 'contracts.provider = "tiny"')
    setting(project, f'contracts.broker.url = "{broker.url}"')
    setting(project, "contracts.broker.timeout = 0.5")
    setting(project, "contracts.broker.publish = true")
    setting(project, 'contracts.broker.version = "7"')
    setting(project, 'contracts.broker.branch = "main"')
    return project


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broker_that_fails_while_pacts_are_fetched(provider: Path, broker: hal.Broker, fault: int | str) -> None:
    broker.fault = {"GET /pacts": fault}
    ended = run(provider)
    assert failed(provider, ended, FAULTS[fault]).message.startswith(broker.url)
    assert not tiny.results(provider)
    assert not broker.results


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("place", ["POST /pacts/provider/tiny/consumer"])
def test_a_broker_that_fails_while_results_are_published(
    provider: Path, broker: hal.Broker, place: str, fault: int | str
) -> None:
    broker.fault = {place: fault}
    ended = run(provider)
    assert failed(provider, ended, FAULTS[fault]).message.startswith(broker.url)
    assert tiny.results(provider) == {"read /a": VERIFIED}  # known here, and only here
    assert not broker.results


def test_results_go_with_version_and_branch(provider: Path, broker: hal.Broker) -> None:
    assert run(provider).code == ExitCode.PASSED
    ((_, _, sent),) = broker.results
    assert (sent["success"], sent["providerApplicationVersion"]) == (True, "7")
    assert broker.branches == {("tiny", "7"): "main"}


# Filters


def test_selectors_that_choose_nothing_are_an_error(provider: Path) -> None:
    with (provider / "pyproject.toml").open("a") as file:
        file.write('\n[[tool.orchestrator.contracts.broker.selectors]]\ntag = "nobody-has-it"\n')
    assert "`contracts.broker.selectors` choose" in failed(provider, run(provider), "QO501").message


def test_a_provider_that_the_broker_does_not_know_is_an_error(provider: Path) -> None:
    setting(provider, 'contracts.provider = "other"')
    assert "knows no provider 'other'" in failed(provider, run(provider), "QO501").message


def test_a_provider_that_no_pact_is_about_is_an_error(tmp_path: Path) -> None:
    project = tiny.made(tmp_path, a=pact(interaction("/a")))
    setting(project, 'contracts.provider = "other"')
    assert "no pact is about the provider 'other'" in failed(project, run(project), "QO501").message
    assert not tiny.results(project)


@pytest.mark.parametrize("pacts", [["nowhere/*.json"], ["pacts/*.json", "nowhere/*.json"], ["pacts", "empty"]])
def test_a_glob_that_matches_nothing_is_an_error_and_the_others_are_verified(tmp_path: Path, pacts: list[str]) -> None:
    project = tiny.made(tmp_path, a=pact(interaction("/a")))
    (project / "empty").mkdir()
    setting(project, f"contracts.pacts = {json.dumps(pacts)}")
    assert "matches no file" in failed(project, run(project), "QO501").message
    assert tiny.results(project) == ({"read /a": VERIFIED} if len(pacts) > 1 else {})


# Pacts

UNKNOWN = interaction(
    "/b", response={"status": 200, "matchingRules": {"body": {"$": {"matchers": [{"match": "odd"}]}}}}
)
BAD: dict[str, tuple[Any, str]] = {
    "no interactions": (pact(), "has no interaction: an empty pact proves nothing"),
    "an unknown matcher": (pact(UNKNOWN), "has the unknown matcher 'odd'"),
    "broken JSON": (b'{"consumer": ', "is not JSON"),
    "not UTF-8": (b"\xff\xfe", "can't be read"),
    "50 MB in a body": (b'{"interactions": [{"body": "' + b"x" * (50 << 20) + b'"}]}', "has 50.0 MiB"),
    "50 MB of interactions": (b'{"interactions": [' + b'{"description": "read /b"}, ' * 2_000_000, "has 53.4 MiB"),
}


@pytest.mark.parametrize("bad", BAD)
def test_a_pact_that_proves_nothing_is_refused_and_the_others_are_verified(tmp_path: Path, bad: str) -> None:
    content, said = BAD[bad]
    project = tiny.made(tmp_path, a=pact(interaction("/a")), z=pact(interaction("/z")))
    file = project / "pacts" / "m.json"
    file.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    begun = time.monotonic()
    assert f"pacts/m.json {said}" in failed(project, run(project), "QO502").message
    assert time.monotonic() - begun < 10
    assert tiny.results(project) == {"read /a": VERIFIED, "read /z": VERIFIED}


def test_two_interactions_of_one_name_are_both_verified_and_told(tmp_path: Path) -> None:
    project = tiny.made(tmp_path, a=pact(interaction("/b"), interaction("/b")))
    assert run(project).code == 0
    (found,) = stage(project, "contracts").notices
    assert (found.code, found.message) == ("QO513", "pacts/a.json has 2 interactions called 'read /b'")
    found_in = stage(project, "contracts").data
    assert isinstance(found_in, Contracts)
    assert [i.result for i in found_in.interactions] == [VERIFIED, VERIFIED]


def test_what_the_core_cannot_read_costs_that_interaction_alone(tmp_path: Path) -> None:
    rules = {"body": {"$.a[]": {"matchers": [{"match": "type"}]}}}
    unreadable = interaction("/b", response={"status": 200, "matchingRules": rules})
    project = tiny.made(tmp_path, a=pact(interaction("/a"), unreadable, interaction("/c")))
    failed(project, run(project), "QO505")
    assert tiny.results(project) == {"read /a": VERIFIED, "read /b": NOT_RUN, "read /c": VERIFIED}
    why = interactions(project)["read /b"].error
    assert "'a.json' - Empty bracket expressions are not allowed" in why
    assert str(tmp_path) not in why


def test_what_is_no_file_is_no_pact_and_is_not_waited_for(tmp_path: Path) -> None:
    project = tiny.made(tmp_path, a=pact(interaction("/a")))
    os.mkfifo(project / "pacts" / "pipe.json")
    (project / "pacts" / "gone.json").symlink_to("nowhere")
    failed(project, run(project), "QO502")
    assert tiny.results(project) == {"read /a": VERIFIED}


# States

HOOKS = """
import ctypes, os, sys, threading, time
import tiny

here = os.getcwd()

def reset():
    tiny.things.clear()

def fine():
    pass

def raises():
    raise ValueError("no till \\x1b[31mhere\\u202e <script>alert(1)</script>")

def exits():
    sys.exit(0)

def hangs():
    time.sleep(3600)

def loops():
    while True:
        pass

def leaves_data():
    tiny.things.append(1)

def tears_down():
    tiny.things.append(1)
    yield
    tiny.things.clear()

def hangs_behind():
    yield
    time.sleep(3600)

def raises_behind():
    yield
    raise ValueError("not cleaned")

def goes_elsewhere():
    os.chdir("/")
    os.environ.pop("SHOP")
    os.environ["LEFT"] = "1"

def still_here():
    assert (os.getcwd(), os.environ.get("SHOP"), os.environ.get("LEFT")) == (here, "open", None)

def leaks():
    global held
    held = [open(os.devnull) for _ in range(300)] + [bytearray(50_000_000)]
    for _ in range(100):
        threading.Thread(target=time.sleep, args=(3600,), daemon=True).start()

def prints():
    print("\\x1b[2J\\u202e</script>" * 100_000)
    sys.stdout.close()

def not_a_number():
    return {"id": float("nan")}

def takes_all_files():
    global held
    held = []
    while True:
        held.append(open(os.devnull))

def dies():
    os._exit(0)

def dies_behind():
    yield
    os._exit(7)

states = {name: value for name, value in globals().items() if callable(value)}
"""
RUN_ON = [  # state, what is recorded for its interaction
    ("fine", ""),
    ("raises", "QO504: ValueError: no till here\\u202e <script>"),
    ("exits", "QO504: SystemExit: 0"),
    ("hangs", "QO504: it did not come to its end within 1 s"),
    ("loops", "QO504: it did not come to its end within 1 s"),
    ("goes_elsewhere", ""),
    ("still_here", ""),
    ("leaks", ""),
    ("prints", ""),
    ("not_a_number", "QO504: ValueError"),
    ("raises_behind", "QO504: ValueError: not cleaned"),
    ("hangs_behind", "QO504: it did not come to its end within 1 s"),
    ("nobody wrote it", "QO503: unknown provider state 'nobody wrote it'"),
    ("still_here", ""),
]


@pytest.fixture(scope="module")
def with_states(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ended, list[Interaction]]:
    """A run of a pact with a state after the other, and one of another consumer."""
    of = [interaction(f"/{n}", state) for n, (state, _) in enumerate(RUN_ON)]
    project = tiny.made(
        tmp_path_factory.mktemp("states"), hooks=HOOKS, a=pact(*of), b=pact(interaction("/z", "fine"), consumer="z")
    )
    setting(project, "contracts.request-timeout = 1")
    setting(project, 'app.environment = { SHOP = "open" }')
    ended = run(project)
    failed(project, ended, "QO504")
    return ended, list(interactions(project).values())


@pytest.mark.parametrize("number", range(len(RUN_ON)), ids=lambda n: f"{n}-{RUN_ON[n][0]}")
def test_a_state_that_fails_is_recorded_and_the_others_go_on(
    with_states: tuple[Ended, list[Interaction]], number: int
) -> None:
    found, (_, said) = with_states[1][number], RUN_ON[number]
    assert found.result is (STATE_FAILED if said else VERIFIED)
    assert found.error.startswith(said)


def test_other_pacts_are_verified_after_a_state_that_hung(with_states: tuple[Ended, list[Interaction]]) -> None:
    ended, found = with_states
    assert found[-1].consumer == "z"
    assert found[-1].result is VERIFIED
    assert "\x1b[31m" not in ended.output
    assert "\u202e" not in ended.output


@pytest.mark.parametrize(("state", "reset"), [("leaves_data", True), ("leaves_data", False), ("tears_down", False)])
def test_what_a_state_left_is_not_seen_by_the_next_interaction(tmp_path: Path, state: str, reset: bool) -> None:
    first, second = interaction("/a", state), interaction("/things", "fine", body=0)
    project = tiny.made(tmp_path, hooks=HOOKS, a=pact(first, second))
    if reset:
        setting(project, 'app.reset = "hooks:reset"')
    run(project)
    seen = state == "leaves_data" and not reset  # then nothing says how it could be taken away
    assert (tiny.results(project)["read /things"] is VERIFIED) is not seen


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("dies", (NOT_RUN, "QO206: the app's process ended in the middle of the run (exit status 0)")),
        ("takes_all_files", (STATE_FAILED, "QO504: OSError")),
    ],
)
def test_a_state_that_spoils_the_process_costs_the_rest_of_its_pact(
    tmp_path: Path, state: str, told: tuple[Verification, str]
) -> None:
    of = [interaction("/a", "raises"), interaction("/b"), interaction("/c", state), interaction("/d")]
    project = tiny.made(tmp_path, hooks=HOOKS, a=pact(*of), z=pact(interaction("/z"), consumer="z"))
    setting(project, "contracts.request-timeout = 1")
    failed(project, run(project), "QO206")
    found = interactions(project)
    assert tiny.results(project) == {
        "read /a": STATE_FAILED,
        "read /b": VERIFIED,
        "read /c": told[0],
        "read /d": NOT_RUN,
        "read /z": VERIFIED,
    }
    assert found["read /c"].error.startswith(told[1])
    assert found["read /d"].error.startswith("QO206: ")


def test_a_state_that_failed_is_known_though_the_app_answers_and_dies_then(tmp_path: Path) -> None:
    of = [interaction("/a"), interaction("/b", "raises", "dies_behind"), interaction("/c")]
    project = tiny.made(tmp_path, hooks=HOOKS, a=pact(*of))
    failed(project, run(project), "QO206")
    assert tiny.results(project) == {"read /a": VERIFIED, "read /b": STATE_FAILED, "read /c": NOT_RUN}


# Apps


@pytest.mark.parametrize(("path", "how"), [("/exit", "7"), ("/segfault", "-11"), ("/kill", "-9")])
def test_an_app_that_dies_costs_the_rest_of_the_pact(tmp_path: Path, path: str, how: str) -> None:
    early = pact(interaction("/early"), consumer="early")
    project = tiny.made(
        tmp_path,
        a=early,
        b=pact(interaction("/a"), interaction(path), interaction("/c")),
        c=pact(interaction("/z"), consumer="z"),
    )
    (project / "openapi.json").write_text(json.dumps(tiny.DOCUMENT))
    setting(project, 'openapi.path = "openapi.json"')
    error = failed(project, run(project, "description"), "QO206")
    assert error.message == f"the app's process ended in the middle of the run (exit status {how})"
    assert tiny.results(project) == {
        "read /early": VERIFIED,
        "read /a": VERIFIED,
        f"read {path}": NOT_RUN,
        "read /c": NOT_RUN,
        "read /z": VERIFIED,
    }
    assert stage(project, "description").status == "completed"
    assert report_of(project).run.contracts is not None


@pytest.mark.parametrize("path", ["/stop", "/busy"])
def test_an_app_whose_process_answers_nobody_is_ended(tmp_path: Path, path: str) -> None:
    of = pact(interaction("/a"), interaction(path), interaction("/c"))
    needs_state = pact(interaction("/z", "fine"), consumer="z")  # so it is not verified beside the other
    project = tiny.made(tmp_path, hooks=HOOKS, a=of, b=needs_state)
    setting(project, "contracts.request-timeout = 1")
    assert "took no requests any more" in failed(project, run(project), "QO206").message
    assert tiny.results(project) == {
        "read /a": VERIFIED,
        f"read {path}": NOT_RUN,
        "read /c": NOT_RUN,
        "read /z": VERIFIED,
    }


def test_an_app_that_does_not_start_again_costs_the_pacts_after_it(tmp_path: Path) -> None:
    needs_state = pact(interaction("/z", "fine"))  # so it is not verified beside the other
    project = tiny.made(tmp_path, a=pact(interaction("/a"), interaction("/exit")), b=needs_state)
    once = 'import os\nassert not os.path.exists("lock")\nopen("lock", "w").close()\n'
    (project / "tiny.py").write_text(once + tiny.APP)
    failed(project, run(project), "QO206")
    assert tiny.results(project) == {"read /a": VERIFIED, "read /exit": NOT_RUN, "read /z": NOT_RUN}
    assert interactions(project)["read /z"].error.startswith("QO202: ")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/close", "the app gave no answer"),
        ("/hang", "the app gave no answer"),
        ("/dripping", "the app's answer did not come to its end"),
        ("/endless", "the app's answer did not come to its end"),
    ],
)
def test_an_app_that_does_not_answer_breaks_that_interaction_alone(tmp_path: Path, path: str, said: str) -> None:
    project = tiny.made(tmp_path, a=pact(interaction("/a"), interaction(path), interaction("/c")))
    setting(project, "contracts.request-timeout = 1")
    assert run(project).code == ExitCode.GATE_FAILED
    assert tiny.results(project) == {
        "read /a": VERIFIED,
        f"read {path}": Verification.MISMATCH,
        "read /c": VERIFIED,
    }
    assert interactions(project)[f"read {path}"].error.startswith(said)


def test_what_was_verified_before_the_time_was_up_is_kept(tmp_path: Path) -> None:
    project = tiny.made(
        tmp_path, a=pact(interaction("/a"), interaction("/hang"), interaction("/c")), b=pact(interaction("/z"))
    )
    setting(project, "contracts.timeout = 2")
    failed(project, run(project), "QO701")
    assert tiny.results(project) == {
        "read /a": VERIFIED,
        "read /hang": NOT_RUN,
        "read /c": NOT_RUN,
        "read /z": VERIFIED,  # beside the other
    }
    assert "QO701: the stage's time was up" in interactions(project)["read /c"].error


def test_a_reset_that_hangs_is_bounded(tmp_path: Path) -> None:
    project = tiny.made(tmp_path, hooks=HOOKS, a=pact(interaction("/a")))
    setting(project, 'app.reset = "hooks:hangs"')
    setting(project, "app.start-timeout = 2")
    ended = run(project)
    assert ended.code == ExitCode.NOTHING_WORKS
    assert "QO204 `app.reset` did not come to its end within 2 s" in ended.output
    assert tiny.results(project) == {"read /a": NOT_RUN}


def test_thousands_of_mismatches_do_not_swell_the_report(tmp_path: Path) -> None:
    body = [{"id": 1}]
    rules = {"$": {"matchers": [{"match": "type"}]}, "$[*].id": {"matchers": [{"match": "integer"}]}}
    response = {"status": 200, "body": body, "matchingRules": {"body": rules}}
    project = tiny.made(tmp_path, a=pact(interaction("/a", response=response)))
    edit(project / "tiny.py", "b'{\"ok\": true}'", "b'[' + b','.join([b'{\"id\": true}'] * 10_000) + b']'")
    assert run(project).code == ExitCode.GATE_FAILED
    found = interactions(project)["read /a"]
    assert (len(found.mismatches), found.error) == (100, "9,900 more mismatches, left out here")
    assert (project / "reports" / "run.json").stat().st_size < 200_000
