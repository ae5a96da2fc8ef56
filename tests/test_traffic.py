"""What users feel, by Prometheus: each value is held against what was usual, and none is believed when it is old."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import fakes
import pytest

from firstwatch import probes, settings
from firstwatch.model import Findings, Verdict
from firstwatch.probes.probe import Probe, ask
from firstwatch.probes.traffic import baseline, onset
from firstwatch.systems import connect
from firstwatch.systems.prometheus import Sample

Look = Callable[[Probe, fakes.Server], Findings]
LATENCY, REQUESTS, SHARES = "latency_seconds", "sum(rate(requests))", "errors_by_version"
AT = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)


@pytest.fixture
def look(serve: Callable[[fakes.Server], fakes.Server], tmp_path: Path) -> Look:
    """Ask a probe of a world whose configuration names every series."""

    def asked(probe: Probe, world: fakes.Server) -> Findings:
        path = fakes.configuration(tmp_path, serve(world).url)
        named = f'latency = "{LATENCY}"\nrequests = "{REQUESTS}"\nerror_rate_by = "{SHARES}"\n'
        path.write_text(path.read_text().replace("[prometheus]\n", f"[prometheus]\n{named}"))
        return ask(probe, connect(settings.load(path)), datetime.now(UTC))

    return asked


def told(now: float | None, before: float = 0.1, *, ago_s: float = 1, changed_ago_s: float = 120) -> fakes.Server:
    """Return a world in which every series has a value now, and had another until *changed_ago_s*."""
    world = fakes.healthy()
    world.answers["GET", fakes.QUERY] = fakes.rates(now, ago_s)
    points = [(3600 - 15 * i, before if 3600 - 15 * i > changed_ago_s else now or 0) for i in range(240)]
    world.on(fakes.RANGE, 200, fakes.matrix(points))
    return world


@pytest.mark.parametrize(
    ("probe", "now", "before", "mechanism"),
    [
        (probes.latency, 0.1, 0.1, ""),
        (probes.latency, 0.24, 0.1, ""),
        (probes.latency, 0.9, 0.1, "latency-high"),
        (probes.latency, 1.4, 1.0, ""),
        (probes.latency, 1.6, 1.0, "latency-high"),
        (probes.latency, 5.1, 5.1, "latency-high"),
        (probes.request_rate, 21, 20, ""),
        (probes.request_rate, 61, 20, "traffic-spike"),
        (probes.request_rate, 1, 20, "traffic-vanished"),
        (probes.request_rate, 0, 20, "traffic-vanished"),
        (probes.request_rate, 0, 0, ""),
    ],
    ids=["as usual", "slower, and fast", "slow", "a little slower", "half as slow again", "always too slow",
         "as many", "three times as many", "few", "none", "never any"],
)  # fmt: skip
def test_a_value_is_held_against_what_was_usual(
    look: Look, probe: Probe, now: float, before: float, mechanism: str
) -> None:
    found = look(probe, told(now, before))[0]
    assert (found.verdict, found.mechanism) == (Verdict.BAD if mechanism else Verdict.OK, mechanism)


@pytest.mark.parametrize(("probe", "now"), [(probes.latency, 0.9), (probes.request_rate, 0.0)])
def test_its_onset_is_when_it_changed(look: Look, probe: Probe, now: float) -> None:
    since = look(probe, told(now, 0.1 if probe is probes.latency else 20.0, changed_ago_s=300))[0].since
    assert since is not None
    assert 270 < (datetime.now(UTC) - since).total_seconds() < 330


@pytest.mark.parametrize("probe", [probes.latency, probes.request_rate, probes.error_rate], ids=lambda each: each.name)
@pytest.mark.parametrize(
    ("value", "ago_s"),
    [(None, 1), ("NaN", 1), ("+Inf", 1), (0.1, 300)],
    ids=["vanished", "no traffic", "infinite", "old"],
)
def test_what_is_not_a_fresh_number_is_unknown_and_blind(look: Look, probe: Probe, value: Any, ago_s: float) -> None:
    world = told(0.1)
    world.answers["GET", fakes.QUERY] = fakes.rates(value, ago_s)
    found = look(probe, world)[0]
    assert (found.verdict, found.mechanism) == (Verdict.UNKNOWN, "blind")


@pytest.mark.parametrize(("age_s", "verdict"), [(200, "UNKNOWN"), (900, "BAD")], ids=["as it fills", "later"])
def test_a_rate_that_grows_as_its_first_window_fills_is_no_spike(look: Look, age_s: int, verdict: str) -> None:
    world = told(20)
    world.on(fakes.RANGE, 200, fakes.matrix([(age_s - 10 * i, 2 if age_s - 10 * i > 60 else 20) for i in range(20)]))
    assert look(probes.request_rate, world).verdict == verdict


@pytest.mark.parametrize(("now", "verdict"), [(20, "OK"), (61, "UNKNOWN")], ids=["as before", "more than ever"])
def test_requests_that_come_back_after_an_outage_are_no_spike(look: Look, now: float, verdict: str) -> None:
    """They were as many half an hour ago, and hardly any from two minutes later on for eight."""
    world = told(now)
    points = [(1800 - 10 * i, 1 if 1200 <= 1800 - 10 * i < 1680 else now if i > 170 else 20) for i in range(180)]
    world.on(fakes.RANGE, 200, fakes.matrix(points))
    assert look(probes.request_rate, world).verdict == verdict


def test_requests_that_were_never_measured_before_are_unknown(look: Look) -> None:
    world = told(20)
    world.on(fakes.RANGE, 200, fakes.matrix([]))
    assert look(probes.request_rate, world).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(("now", "verdict"), [(0.24, "OK"), (0.9, "UNKNOWN"), (5.1, "BAD")])
def test_slowness_that_nobody_can_compare_is_unknown_until_it_is_too_slow_for_anybody(
    look: Look, now: float, verdict: str
) -> None:
    world = told(now)
    world.on(fakes.RANGE, 200, fakes.matrix([]))
    found = look(probes.latency, world)[0]
    assert (found.verdict, found.mechanism) == (verdict, "latency-high" if verdict == "BAD" else "")


def test_of_a_short_life_more_is_asked_to_know_what_is_usual(look: Look) -> None:
    """Three values, ten seconds apart, say nothing; six of the same half minute do."""
    world, began = told(0.9), datetime.now(UTC).timestamp() - 30

    def answer(asked: fakes.Asked) -> fakes.Answer:
        step = float(asked.query["step"][0])
        points = [(30 - step * i, 0.1 if step * i < 15 else 0.9) for i in range(int(30 / step))]
        return 200, fakes.matrix(points)

    world.answers["GET", fakes.RANGE] = answer
    found = look(probes.latency, world)[0]
    assert (found.verdict, found.usual) == (Verdict.BAD, 0.1)
    assert found.since is not None
    assert 10 <= found.since.timestamp() - began <= 20


@pytest.mark.parametrize("broken", [(500, {}), (403, {}), (0, b""), (200, b"<html>"), (200, b"null"), (200, [])])
@pytest.mark.parametrize(
    "probe",
    [probes.latency, probes.request_rate, probes.error_shares, probes.alerts],
    ids=lambda each: each.name,
)
def test_a_prometheus_that_cannot_be_read_is_unknown(look: Look, probe: Probe, broken: Any) -> None:
    world = told(0.1)
    world.answers["GET", fakes.QUERY] = broken
    found = look(probe, world)[0]
    assert (found.verdict, found.mechanism) == (Verdict.UNKNOWN, "blind")


def by_label(*series: tuple[dict[str, str], float]) -> fakes.Answer:
    result = [{"metric": labels, "value": [time.time(), str(value)]} for labels, value in series]
    return 200, {"status": "success", "data": {"resultType": "vector", "result": result}}


@pytest.mark.parametrize(("failing", "verdict"), [(0.61, "BAD"), (0.001, "OK")])
def test_versions_that_fail_are_named_the_worst_first(look: Look, failing: float, verdict: str) -> None:
    world = told(0.1)
    world.answers["GET", fakes.QUERY] = by_label(({"version": "1.4.2"}, 0.0), ({"version": "1.5.0"}, failing))
    found = look(probes.error_shares, world)[0]
    assert (found.verdict, found.observed.split(", ")[1]) == (verdict, "1.4.2 0.0 %")


def test_no_version_with_a_rate_is_unknown(look: Look) -> None:
    world = told(0.1)
    world.answers["GET", fakes.QUERY] = by_label(({"version": "1.4.2"}, float("nan")))
    assert look(probes.error_shares, world).verdict is Verdict.UNKNOWN


def alerting(firing: list[str], *, scraped: bool = True) -> fakes.Server:
    world = told(0.1)

    def answer(asked: fakes.Asked) -> fakes.Answer:
        query = asked.query["query"][0]
        if query == "count(up)":
            return by_label(*([({}, 3.0)] if scraped else []))
        since = time.time() - 90 if query == "ALERTS_FOR_STATE" else 1.0
        return by_label(*(({"alertname": name}, since) for name in firing))

    world.answers["GET", fakes.QUERY] = answer
    return world


def test_an_alert_that_fires_is_bad_with_its_beginning(look: Look) -> None:
    found = look(probes.alerts, alerting(["High"]))[0]
    assert (found.mechanism, found.observed) == ("alert-firing", "High fires")
    assert found.since is not None
    assert 85 < (datetime.now(UTC) - found.since).total_seconds() < 95


def test_no_alert_is_ok_only_of_a_prometheus_that_scrapes(look: Look) -> None:
    assert look(probes.alerts, alerting([])).verdict is Verdict.OK
    assert look(probes.alerts, alerting([], scraped=False)).verdict is Verdict.UNKNOWN


def samples(*values: float) -> list[Sample]:
    return [Sample({}, value, AT + timedelta(seconds=15 * i)) for i, value in enumerate(values)]


def test_usual_is_the_first_third_and_too_few_values_say_nothing() -> None:
    assert baseline(samples(1, 1, 3, 9, 9, 9, 9, 9, 9)) == 1
    assert baseline(samples(1, float("nan"), 1, 1)) is None


def test_an_onset_is_the_last_rise_that_stayed() -> None:
    assert onset(samples(0, 5, 0, 5, 5), 5) == AT + timedelta(seconds=45)
    assert onset(samples(0, 5, 0), 5) is None
    assert onset(samples(5, 5, 5), 5) is None


@pytest.mark.parametrize("probe", [probes.latency, probes.request_rate, probes.error_shares], ids=lambda p: p.name)
def test_a_series_that_nobody_named_is_unknown_when_asked_alone(
    systems: Callable[[fakes.Server], Any], probe: Probe
) -> None:
    found = ask(probe, systems(fakes.healthy()), AT)[0]
    assert (found.verdict, "not configured: prometheus." in found.observed) == (Verdict.UNKNOWN, True)
