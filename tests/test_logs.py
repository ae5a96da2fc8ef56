"""What programs say of themselves: grouped over all pods, bounded, with the mechanism that the words say."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import fakes
import pytest

from firstwatch import probes
from firstwatch.mechanisms import MECHANISMS
from firstwatch.model import Findings, Verdict
from firstwatch.probes.probe import ask
from firstwatch.probes.signatures import MEANINGS, groups, meaning, signature
from firstwatch.systems import Systems
from firstwatch.systems.logs import MOST, TAIL, Line

Connect = Callable[[fakes.Server], Systems]
AT = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
TRACEBACK = """\
ERROR GET /v1/deployments
Traceback (most recent call last):
  File "app.py", line 70, in _count
    return record["region"]
           ~~~~~~^^^^^^^^^^
KeyError: 'region'"""


def lines(text: str, pod: str = "p-1") -> list[Line]:
    return [Line(pod, "api", AT + timedelta(seconds=i), each) for i, each in enumerate(text.splitlines())]


@pytest.mark.parametrize(
    ("text", "mechanism"),
    [
        ("psycopg.OperationalError: FATAL: sorry, too many clients already", "connections-exhausted"),
        ("FATAL:  remaining connection slots are reserved", "connections-exhausted"),
        ('FATAL: password authentication failed for user "api"', "credentials-refused"),
        ("ClientResponseError: 401, message='Unauthorized', url='http://catalog:80/v1'", "credentials-refused"),
        ("cannot execute INSERT in a read-only transaction", "database-read-only"),
        ("FATAL: the database system is starting up", "database-down"),
        ('connection to server at "db", port 5432 failed: Connection refused', "database-down"),
        ("ERROR: deadlock detected", "deadlocks"),
        ('relation "orders" does not exist', "schema-mismatch"),
        ("canceling statement due to lock timeout", "lock-wait"),
        ("QueuePool limit of size 5 overflow 10 reached", "pool-exhausted"),
        ("psycopg_pool.PoolTimeout: couldn't get a connection after 30.00 sec", "pool-exhausted"),
        ("canceling statement due to statement timeout", "slow-query"),
        ("KeyError: 'REGION_TABLE'", "setting-missing"),
        ("KeyError: 'region'", ""),
        ("OSError: [Errno 28] No space left on device", "disk-full"),
        ("OSError: [Errno 24] Too many open files", "file-descriptors-exhausted"),
        ("socket.gaierror: [Errno -2] Name or service not known", "name-not-resolved"),
        ("ssl.SSLCertVerificationError: certificate verify failed: certificate has expired", "certificate-expired"),
        ("certificate verify failed: self-signed certificate", "certificate-untrusted"),
        ("certificate is not yet valid", "clock-skew"),
        ("ConnectionRefusedError: [Errno 111] Connect call failed ('127.0.0.1', 9090)", "dependency-down"),
        ("dial tcp 10.0.0.7:80: connect: connection refused", "dependency-down"),
        ("Cannot connect to host rates:443 ssl:default [Connection reset by peer]", "dependency-down"),
        ("ConnectionResetError: [Errno 104] Connection reset by peer", ""),
        ("httpx.ReadTimeout: timed out", "dependency-slow"),
        ("something odd happened", ""),
    ],
)
def test_words_say_their_mechanism(text: str, mechanism: str) -> None:
    assert meaning(text) == mechanism


def test_every_mechanism_of_the_words_is_one_of_the_list() -> None:
    assert {mechanism for _, mechanism in MEANINGS} <= set(MECHANISMS)


def test_a_traceback_is_one_error_named_by_its_last_line() -> None:
    found = groups(lines(f"INFO begins\n{TRACEBACK}\nINFO goes on\n{TRACEBACK}"))
    assert [(each.signature, each.count) for each in found] == [("KeyError: 'region'", 2)]
    assert found[0].first < found[0].last


def test_an_error_without_a_traceback_is_one_too_and_lines_of_information_are_none() -> None:
    assert [each.count for each in groups(lines("INFO error rate is fine\nERROR cannot write"))] == [1]


def test_what_differs_each_time_is_left_out_of_a_signature() -> None:
    first = signature("2026-11-24T02:00:00Z order 17 of 3f2504e0-4f89-11d3-9a0c-0305e82c3301 took 1.5")
    assert first == signature("2026-11-24T03:10:09Z order 4711 of 9f2504e0-4f89-11d3-9a0c-0305e82c3301 took 22.75")


def test_lines_of_several_pods_are_one_group_that_says_so() -> None:
    (found,) = groups([*lines("ERROR x 1", "p-1"), *lines("ERROR x 2", "p-2")])
    assert (found.count, found.pods) == (2, 2)


def test_a_group_knows_the_host_that_its_line_names() -> None:
    (found,) = groups(lines("ERROR GET http://rates.internal:9000/x: connection refused"))
    assert found.host == "rates.internal"


def test_what_a_long_line_says_at_its_end_counts_and_its_sample_is_short() -> None:
    (found,) = groups(lines(f"ERROR {'passed on by ' * 20}certificate has expired"))
    assert (found.mechanism, len(found.sample)) == ("certificate-expired", 200)


# On the wire.


def logged(world: fakes.Server, texts: dict[str, str], seconds_ago: float = 5) -> fakes.Server:
    """Let pods have logs, each line written *seconds_ago*."""
    for name, text in texts.items():
        body = "".join(f"{fakes.ago(seconds_ago)} {line}\n" for line in text.splitlines())
        world.on(f"{fakes.PODS}/{name}/log", 200, body.encode())
    return world


def all_pods(text: str) -> dict[str, str]:
    return {f"{fakes.NAME}-6b7f-{letter}": text for letter in "abc"}


def look(systems: Systems) -> Findings:
    return ask(probes.logs, systems, datetime.now(UTC))


def test_logs_without_an_error_are_ok(systems: Connect) -> None:
    found = look(systems(logged(fakes.healthy(), all_pods("INFO a\nINFO b"))))[0]
    assert (found.verdict, found.observed) == (Verdict.OK, "6 lines of 3 logs")


def test_an_error_that_goes_on_is_unknown_with_its_count_and_a_sample(systems: Connect) -> None:
    found = look(systems(logged(fakes.healthy(), all_pods(TRACEBACK))))[0]
    assert (found.verdict, found.object) == (Verdict.UNKNOWN, f"Deployment/{fakes.NAMESPACE}/{fakes.NAME}")
    assert found.observed.startswith("3 times in 3 pods, ")
    assert found.observed.endswith("KeyError: 'region'")


def test_an_error_that_has_ended_is_ok(systems: Connect) -> None:
    found = look(systems(logged(fakes.healthy(), all_pods(TRACEBACK), seconds_ago=300)))[0]
    assert found.verdict is Verdict.OK
    assert "KeyError" in found.observed


def test_a_dependency_that_is_named_is_what_the_finding_is_about(systems: Connect) -> None:
    text = "ConnectionRefusedError: http://rates:9000/v1: connection refused"
    found = look(systems(logged(fakes.healthy(), all_pods(text))))[0]
    assert (found.object, found.mechanism) == ("Dependency//rates", "dependency-down")


def test_a_secret_in_a_log_is_not_shown(systems: Connect) -> None:
    text = "ERROR login with password=hunter2-hunter2 failed"
    assert "hunter2" not in look(systems(logged(fakes.healthy(), all_pods(text))))[0].observed


def test_the_log_before_a_restart_is_read_and_the_one_of_a_container_that_waits_is_not(systems: Connect) -> None:
    world = fakes.healthy()
    world.on(fakes.PODS, 200, {"items": [fakes.pod("p", waiting="CrashLoopBackOff", restarts=2, ready=False)]})
    look(systems(logged(world, {"p": "KeyError: 'REGION_TABLE'"})))
    asked = [each.query for each in world.asked if each.path.endswith("/log")]
    assert [(each.get("previous"), each["tailLines"], each["timestamps"]) for each in asked] == [
        (["true"], [str(TAIL)], ["true"])
    ]


def test_logs_of_which_some_cannot_be_read_say_so(systems: Connect) -> None:
    world = logged(fakes.healthy(), all_pods("INFO a"))
    world.on(f"{fakes.PODS}/{fakes.NAME}-6b7f-a/log", 403, fakes.status_object(403, "no"))
    assert "1 logs could not be read" in look(systems(world))[0].observed


@pytest.mark.parametrize("broken", [(500, {}), (403, {}), (0, b"")], ids=["500", "403", "dropped"])
def test_logs_that_cannot_be_read_at_all_are_unknown_and_blind(systems: Connect, broken: Any) -> None:
    world = fakes.healthy()
    for name in all_pods(""):
        world.answers["GET", f"{fakes.PODS}/{name}/log"] = broken
    found = look(systems(world))[0]
    assert (found.verdict, found.mechanism) == (Verdict.UNKNOWN, "blind")


def test_no_pods_have_no_logs(systems: Connect) -> None:
    world = fakes.healthy()
    world.on(fakes.PODS, 200, {"items": []})
    assert look(systems(world)).verdict is Verdict.UNKNOWN


def test_no_more_than_so_many_logs_are_read(systems: Connect) -> None:
    world = fakes.healthy()
    world.on(fakes.PODS, 200, {"items": [fakes.pod(f"p-{i}") for i in range(MOST + 10)]})
    look(systems(logged(world, {f"p-{i}": "INFO" for i in range(MOST + 10)})))
    assert sum(each.path.endswith("/log") for each in world.asked) == MOST
