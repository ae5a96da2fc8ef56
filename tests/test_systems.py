"""The clients against servers that misbehave: what is sent once, what ends in time, what is never sent at all."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import fakes
import pytest
from wire import Behave, Wire, answer, dripping, dropping, saying, silent

from firstwatch import settings
from firstwatch.errors import BadParameter, FirstwatchError, OutcomeUnknown, Unavailable
from firstwatch.systems import Systems, connect
from firstwatch.systems.http import Http
from firstwatch.systems.retry import Budget

QUICK = Budget(deadline_s=2.0, pauses_s=(0.02, 0.02))
BAD_NAMES = ["", ".", "..", "-x", "a b", "a;b", "a/b", "a%2fb", "A", "é", "🚨", "a" * 254, "a\x00", "a\n", "../nodes"]
NONSENSE = [b"<html>", b"null", b"[]", b'"text"', b'{"items":', b"{}", b"\xff\xfe", b"[" * 5000, b'{"kind":1}', b""]


@pytest.fixture
def wire(tmp_path: Path) -> Iterator[Callable[[Behave], tuple[Wire, Systems]]]:
    with ExitStack() as stack:

        @contextmanager
        def served(behave: Behave) -> Iterator[Wire]:
            made = Wire(behave)
            yield made
            made.close()

        def start(behave: Behave) -> tuple[Wire, Systems]:
            made = stack.enter_context(served(behave))
            systems = connect(settings.load(fakes.configuration(tmp_path, made.url)), budget=QUICK)
            stack.callback(systems.close)
            return made, systems

        yield start


Start = Callable[[Behave], tuple[Wire, Systems]]


def patch(systems: Systems) -> None:
    systems.cluster.patch("Deployment", fakes.NAMESPACE, fakes.NAME, [{"op": "test", "path": "/a", "value": 1}])


@pytest.mark.parametrize(
    "behave",
    [
        pytest.param(dropping, id="dropped after the request"),
        pytest.param(saying("500 Internal Server Error", b"{}"), id="500"),
        pytest.param(saying("503 Service Unavailable", b"{}", "Retry-After: 0"), id="503 with Retry-After"),
        pytest.param(saying("504 Gateway Timeout", b""), id="504"),
        pytest.param(saying("200 OK", b"<html>"), id="nonsense"),
    ],
)
def test_a_write_is_sent_once_and_its_outcome_is_unknown(wire: Start, behave: Behave) -> None:
    made, systems = wire(behave)
    with pytest.raises(OutcomeUnknown):
        patch(systems)
    assert made.sent("PATCH") == 1


def test_a_write_that_is_told_to_wait_is_sent_once_and_refused(wire: Start) -> None:
    made, systems = wire(saying("429 Too Many Requests", b'{"message":"slowly"}', "Retry-After: 0"))
    with pytest.raises(Unavailable, match="slowly"):
        patch(systems)
    assert made.sent("PATCH") == 1


def test_a_cluster_that_is_gone_got_no_write(wire: Start) -> None:
    made, systems = wire(silent)
    made.close()
    with pytest.raises(Unavailable, match="the connection was refused; is it running"):
        patch(systems)


@pytest.mark.parametrize("behave", [silent, dripping], ids=["black hole", "a byte now and then"])
def test_every_call_ends_in_time(wire: Start, behave: Behave) -> None:
    made, systems = wire(behave)
    for call in (
        lambda: systems.cluster.list("Pod", fakes.NAMESPACE),
        lambda: systems.http.get(f"{made.url}/health", budget=QUICK),
    ):
        began = time.monotonic()
        with pytest.raises(Unavailable, match=r"no answer within 2 s|no answer in time|timed out|Timeout"):
            call()
        assert time.monotonic() - began < 4.0


@pytest.mark.parametrize("name", BAD_NAMES, ids=repr)
def test_a_name_that_is_none_is_refused_before_anything_is_sent(wire: Start, name: str) -> None:
    made, systems = wire(saying("200 OK", b"{}"))
    for call in (
        lambda: systems.cluster.get("Deployment", fakes.NAMESPACE, name),
        lambda: systems.cluster.patch("Deployment", fakes.NAMESPACE, name, []),
        lambda: systems.cluster.logs(fakes.NAMESPACE, name),
        lambda: systems.cluster.get("Deployment", name or "..", fakes.NAME),
    ):
        with pytest.raises(BadParameter):
            call()
    assert made.requests == []


@pytest.mark.parametrize("body", NONSENSE, ids=[repr(each[:12]) for each in NONSENSE])
def test_an_answer_of_another_kind_is_one_error_that_names_the_call(wire: Start, body: bytes) -> None:
    _, systems = wire(saying("200 OK", body))
    with pytest.raises(FirstwatchError, match="deployments"):
        systems.cluster.get("Deployment", fakes.NAMESPACE, fakes.NAME)
    with pytest.raises(FirstwatchError, match="rate"):
        systems.prometheus.instant("rate")


def test_a_redirect_is_not_followed_and_the_token_goes_nowhere_else(wire: Start) -> None:
    elsewhere = Wire(saying("200 OK", b'{"items":[],"metadata":{}}'))
    made, systems = wire(saying("302 Found", b"", f"Location: {elsewhere.url}/api/v1/nodes"))
    with pytest.raises(FirstwatchError):
        systems.cluster.list("Node")
    assert systems.http.get(f"{made.url}/health").status == 302
    assert elsewhere.requests == []
    assert any(b"t-for-tests" in each for each in made.requests)
    elsewhere.close()


def test_the_environments_proxies_are_not_used(wire: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = Wire(saying("200 OK", b"{}"))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, proxy.url)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    made, systems = wire(saying("200 OK", b'{"items":[],"metadata":{}}'))
    systems.cluster.list("Node")
    systems.http.get(f"{made.url}/health")
    assert (len(made.requests), proxy.requests) == (2, [])
    proxy.close()


def test_an_answer_without_end_is_cut_off(wire: Start) -> None:
    def flood(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        for _ in range(1000):
            connection.sendall(b" " * 1_000_000)

    made, _ = wire(flood)
    http = Http()
    with pytest.raises(Unavailable, match="larger than"):
        http.get(f"{made.url}/metrics", budget=Budget(20))
    http.close()


def served(times: int, first: bytes, then: bytes) -> Behave:
    left = [first] * times
    return lambda connection, _: connection.sendall(left.pop() if left else then)


LIST = answer("200 OK", b'{"items":[]}')


@pytest.mark.parametrize("times", [0, 1, 2, 3])
def test_a_read_is_asked_three_times_at_most(wire: Start, times: int) -> None:
    made, systems = wire(served(times, answer("503 Busy", b'{"message":"starting"}'), LIST))
    if times < 3:
        assert systems.cluster.list("Node") == []
    else:
        with pytest.raises(Unavailable, match=r"GET /api/v1/nodes of cluster test at http\S+: answered 503: starting"):
            systems.cluster.list("Node")
    assert made.sent("GET") == min(times + 1, 3)


def test_what_asks_for_more_time_than_there_is_is_not_waited_for(wire: Start) -> None:
    made, systems = wire(saying("429 Slowly", b"{}", "Retry-After: 600"))
    with pytest.raises(Unavailable, match="it asked to wait 600 s, longer than the 2 s of a call"):
        systems.cluster.list("Node")
    assert made.sent("GET") == 1


def test_an_error_of_a_client_has_a_name_that_the_exit_codes_know(wire: Start) -> None:
    made, systems = wire(silent)
    made.close()
    for call in (lambda: systems.cluster.list("Node"), lambda: systems.http.get(made.url), lambda: patch(systems)):
        with pytest.raises(Unavailable) as raised:
            call()
        assert type(raised.value) is Unavailable


def test_a_log_that_stops_coming_is_shown_as_far_as_it_came(wire: Start) -> None:
    def halting(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\none\ntwo\x1b\xff")
        time.sleep(4)

    _, systems = wire(halting)
    log = systems.cluster.logs(fakes.NAMESPACE, "p")
    assert log.lines == ("one", r"two\x1b\xff")
    assert log.cut.startswith("only 9 bytes came: GET /api/v1/namespaces/")


def test_a_log_that_is_denied_is_no_log(wire: Start) -> None:
    _, systems = wire(saying("403 Forbidden", b'{"message":"no"}'))
    with pytest.raises(FirstwatchError, match="answered 403: no"):
        systems.cluster.logs(fakes.NAMESPACE, "p")
