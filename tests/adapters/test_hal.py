"""A server that speaks HAL: whatever it does, a question ends in time, with an answer or a coded error."""

from __future__ import annotations

import time
import urllib.parse
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.adapters.hal import Credential, NotFoundError, Server, filled, quoted, resolved
from orchestrator.errors import Code, OrchestratorError
from tests import hal

TOKEN = "t0ken-of-the-broker"


@pytest.fixture
def broker() -> Iterator[hal.Broker]:
    with hal.running() as found:
        yield found


def server(broker: hal.Broker, credential: Credential | None = None, timeout: float = 5.0) -> Server:
    return Server(broker.url, Credential(token=TOKEN) if credential is None else credential, timeout=timeout)


def failure(broker: hal.Broker, timeout: float = 5.0) -> OrchestratorError:
    with pytest.raises(OrchestratorError) as caught:
        server(broker, timeout=timeout).ask()
    return caught.value


def test_the_index_is_asked_for_with_the_credential(broker: hal.Broker) -> None:
    answer = server(broker).ask()
    assert answer.link("pb:nothing", "pb:publish-contracts") == f"{broker.url}/contracts/publish"
    assert answer.link("pb:nothing") == ""
    (asked,) = broker.asked
    assert (asked.method, asked.headers["Authorization"]) == ("GET", f"Bearer {TOKEN}")


def test_a_user_is_told_as_the_standard_says(broker: hal.Broker) -> None:
    broker.authorization = "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="  # the example of RFC 7617
    assert server(broker, Credential(username="Aladdin", password="open sesame")).ask().content


@pytest.mark.parametrize("token", ["s3cret\r\nX: 1", "s3cret-wörd", "s3cret\0", "s3cret\ud800"])
def test_a_token_that_no_header_can_hold_is_refused_and_not_shown(broker: hal.Broker, token: str) -> None:
    with pytest.raises(OrchestratorError) as caught:
        server(broker, Credential(token=token)).ask()
    assert caught.value.problem.code == Code.BROKER_REFUSED
    assert "s3cret" not in str(caught.value.problem)
    assert not broker.asked


def test_nobody_in_particular_sends_no_credential(broker: hal.Broker) -> None:
    server(broker, Credential()).ask()
    assert "Authorization" not in broker.asked[0].headers


@pytest.mark.parametrize(
    ("fault", "code", "said"),
    [
        (401, Code.BROKER_REFUSED, "answers 401"),
        (403, Code.BROKER_REFUSED, "answers 403"),
        (404, Code.BROKER_UNCLEAR, "answers 404"),
        (409, Code.BROKER_UNCLEAR, "answers 409"),
        (500, Code.BROKER_UNCLEAR, "answers 500"),
        (503, Code.BROKER_UNCLEAR, "answers 503"),
        ("broken", Code.BROKER_UNCLEAR, "not JSON"),
        ("page", Code.BROKER_UNCLEAR, "text/html that is not JSON"),
        ("array", Code.BROKER_UNCLEAR, "no object"),
        ("breaks_off", Code.BROKER_UNREACHABLE, "broke off"),
        ("hangs_up", Code.BROKER_UNREACHABLE, "can't be reached"),
    ],
)
def test_each_fault_is_a_coded_error_without_the_credential(
    broker: hal.Broker, fault: int | str, code: Code, said: str
) -> None:
    broker.fault = {"/": fault}
    problem = failure(broker).problem
    assert (problem.code, said in problem.message) == (code, True), problem.message
    assert TOKEN not in problem.message + problem.hint + problem.detail
    assert problem.hint


@pytest.mark.parametrize("fault", ["slow", "drips"])
def test_a_slow_answer_is_not_waited_for(broker: hal.Broker, fault: str) -> None:
    broker.fault = {"/": fault}
    begun = time.monotonic()
    problem = failure(broker, timeout=0.5).problem
    assert time.monotonic() - begun < 3
    assert problem.code == Code.BROKER_UNREACHABLE


def test_a_server_that_is_not_there_is_told() -> None:
    with hal.running() as gone:
        pass
    assert failure(gone).problem.code == Code.BROKER_UNREACHABLE


def test_a_name_that_nobody_has_is_told() -> None:
    with pytest.raises(OrchestratorError) as caught:
        Server("http://broker.invalid", Credential(), timeout=10).ask()
    assert caught.value.problem.code == Code.BROKER_UNREACHABLE


def test_a_credential_never_follows_a_redirect_to_another_server(broker: hal.Broker) -> None:
    with hal.running() as thief:
        broker.fault, broker.host = {"/": "elsewhere"}, thief.url
        problem = failure(broker).problem
        assert problem.code == Code.BROKER_REFUSED
        assert f"sends us elsewhere, to {thief.url}/" in problem.message
        assert not thief.asked


def test_links_are_followed_on_the_server_that_was_asked(broker: hal.Broker) -> None:
    with hal.running() as thief:
        broker.host = thief.url
        asked = server(broker)
        asked.ask(asked.ask().link("pb:pacticipant"), pacticipant="shop")
        assert [a.path for a in broker.asked] == ["/", "/pacticipants/shop"]
        assert not thief.asked


def test_a_broker_below_a_path_is_asked_below_it() -> None:
    with hal.running("/pacts-of/us") as broker:
        broker.host = "http://elsewhere.example"
        asked = server(broker)
        asked.ask(asked.ask().link("pb:pacticipant"), pacticipant="shop")
        assert [a.path for a in broker.asked] == ["/pacts-of/us", "/pacts-of/us/pacticipants/shop"]


def test_what_is_not_there_is_told_apart(broker: hal.Broker) -> None:
    with pytest.raises(NotFoundError):
        server(broker).ask("/nothing/here")


def test_without_a_credential_a_refusal_says_where_one_goes(broker: hal.Broker) -> None:
    broker.authorization = "Bearer other"
    with pytest.raises(OrchestratorError) as caught:
        server(broker, Credential()).ask()
    assert "It was sent no credential" in caught.value.problem.hint


@pytest.mark.parametrize(
    ("base", "link", "expected"),
    [
        ("http://a", "", "http://a/"),
        ("http://a/", "http://b/x?y=1#z", "http://a/x?y=1"),
        ("http://a/sub", "http://b/x", "http://a/sub/x"),
        ("http://a/sub", "http://b/sub/x", "http://a/sub/x"),
        ("http://a/sub", "/subway", "http://a/sub/subway"),
        ("http://a/sub", "x", "http://a/sub/x"),
        ("https://a:8443", "//b/x", "https://a:8443/x"),
        ("http://a", "/ü x?y=ä%20b#z", "http://a/%C3%BC%20x?y=%C3%A4%20b"),
    ],
)
def test_a_link_is_resolved_as_the_core_does(base: str, link: str, expected: str) -> None:
    assert resolved(base, link) == expected


@pytest.mark.parametrize("link", ["http://[", "http://a]/x", "\ud800", "\r\nX: 1", "http://b:x/y"])
def test_a_link_that_leads_nowhere_is_an_error_of_the_server(broker: hal.Broker, link: str) -> None:
    with pytest.raises(OrchestratorError) as caught:
        server(broker).ask(link)
    assert caught.value.problem.code == Code.BROKER_UNCLEAR
    assert all("X" not in a.headers for a in broker.asked)


@given(st.text(alphabet=st.characters(codec="utf-8"), min_size=1))
def test_a_name_in_a_link_is_one_segment_whatever_it_is(name: str) -> None:
    link = filled("http://a/pacts/{provider}/for-{this}", provider=name)
    before, segment, after = link.removeprefix("http://a").split("/")[1:]
    assert (before, after, urllib.parse.unquote(segment)) == ("pacts", "for-{this}", name)
    assert quoted(name) not in (".", "..")
