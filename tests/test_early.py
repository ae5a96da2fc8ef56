"""Of what broke moments ago no rate tells yet: a look that finds nothing BAD then looks again, and soon stops."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import fakes
import pytest

from firstwatch import begin, probes
from firstwatch.model import Finding, Findings, Verdict
from firstwatch.probes.early import early

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)


def seen(verdict: Verdict, ago_s: float | None, mechanism: str = "") -> Finding:
    since = None if ago_s is None else NOW - timedelta(seconds=ago_s)
    return Finding(
        probe="rollouts", verdict=verdict, object="", expected="", observed="", since=since, mechanism=mechanism
    )


@pytest.mark.parametrize(
    ("found", "is_early"),
    [
        ([seen(Verdict.OK, 10)], True),
        ([seen(Verdict.UNKNOWN, 30)], True),
        ([seen(Verdict.OK, -5)], True),
        ([seen(Verdict.OK, 31)], False),
        ([seen(Verdict.UNKNOWN, None)], False),
        ([seen(Verdict.OK, 10), seen(Verdict.BAD, 10, "crash-loop")], False),
        ([seen(Verdict.OK, 10), seen(Verdict.BAD, 500, "disruption-blocked")], True),
    ],
    ids=["changed", "logged", "a clock ahead", "long ago", "unknown since when", "it is BAD", "a remark is not harm"],
)
def test_it_is_early_while_something_began_just_now_and_nothing_is_bad(found: list[Finding], is_early: bool) -> None:
    assert early(Findings(found), NOW) is is_early


@pytest.fixture
def changed(
    serve: Callable[[fakes.Server], fakes.Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> fakes.Server:
    """Stand in a world that was released five seconds ago."""
    world = serve(fakes.healthy())
    owned = [fakes.replicaset("api:2.3.0", 1, 7200), fakes.replicaset("api:2.4.0", 2, 5)]
    world.on(fakes.REPLICASETS, 200, {"items": owned})
    monkeypatch.setenv("FIRSTWATCH_CONFIG", str(fakes.configuration(tmp_path, world.url)))
    return world


def looked(*asked: probes.Probe) -> Findings:
    return begin("investigate/first-five-minutes", service=fakes.NAME).look(*asked)


def asked(world: fakes.Server) -> int:
    """Return how often the errors were asked for, in all."""
    return sum(each.path == fakes.RANGE or "error_rate_5m" in str(each.query) for each in world.asked)


def test_errors_that_are_measured_a_moment_later_are_found(changed: fakes.Server) -> None:
    began = time.monotonic()
    healthy, failing = fakes.rates(0.0), fakes.rates(0.61)

    def measured(each: fakes.Asked) -> fakes.Answer:
        return (failing if time.monotonic() - began > 3 else healthy)(each)

    changed.answers["GET", fakes.QUERY] = measured
    first = looked(probes.rollouts, probes.error_rate)[0]
    assert (first.verdict, first.mechanism) == (Verdict.BAD, "bad-release")


def test_where_all_stays_well_it_stops_and_says_so(changed: fakes.Server) -> None:
    began = time.monotonic()
    assert looked(probes.rollouts, probes.error_rate).verdict is Verdict.OK
    assert time.monotonic() - began >= 8
    many = asked(changed)
    assert looked(probes.error_rate).verdict is Verdict.OK
    assert asked(changed) - many <= many / 2  # one probe alone is asked once
