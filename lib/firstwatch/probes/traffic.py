"""
The service as its users feel it, by Prometheus: how many requests fail, how long answers take, how many come.

An empty answer of Prometheus means that nothing was measured, not that nothing failed; NaN means no traffic; a sample
older than the threshold is history. All three are UNKNOWN. What is usual is not configured: it is what was measured in
the first third of the last half hour.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median

from firstwatch.errors import Unavailable
from firstwatch.model import Finding, Findings
from firstwatch.probes.probe import Probe, probe, unknown
from firstwatch.systems import Systems
from firstwatch.systems.prometheus import Sample

LOOK_BACK = timedelta(minutes=15)
STEP = timedelta(seconds=5)
BEFORE = timedelta(minutes=30)
BEFORE_STEP = timedelta(seconds=10)
LEAST_SAMPLES = 4  # fewer do not say what is usual
VANISHED = 0.1  # less than this share of the usual requests is none


@dataclass(frozen=True, slots=True)
class Current:
    """The worst value of an expression now, and how old it is in seconds; `doubt` is why it cannot be believed."""

    value: float
    age_s: float
    doubt: str = ""


def current(systems: Systems, expression: str) -> Current:
    """Return the highest value that *expression* has now, with the reason when that is not to be believed."""
    samples = systems.prometheus.instant(expression)
    known = [sample.value for sample in samples if math.isfinite(sample.value)]
    if not known:
        said = "no traffic: the rate is not a number" if samples else f"Prometheus has no series {expression}"
        return Current(math.nan, math.inf, said)
    age = _age(systems, expression)
    late = age > systems.settings.thresholds.stale_s
    return Current(max(known), round(age, 1), f"nothing since {age:.0f} s" if late else "")


def _age(systems: Systems, expression: str) -> float:
    """
    Return how old the sample is, in seconds: an instant query hides it behind the time of asking.

    Of an expression that is computed at the time of asking the same is true of all that it is computed from, so it is
    the age of the service's own rate that tells.
    """
    series = expression if expression.replace(":", "").isidentifier() else systems.settings.prometheus.error_rate
    times = systems.prometheus.instant(f"timestamp({series})")
    return max(0.0, *((each.at.timestamp() - each.value) for each in times)) if times else math.inf


@probe(
    "How many requests fail?",
    about="Service/{namespace}/{name}",
    expected="below the threshold",
    command="firstwatch run investigate/first-five-minutes",
)
def error_rate(self: Probe, systems: Systems, now: datetime) -> Findings:
    limit, series = systems.settings.thresholds.error_rate, systems.settings.prometheus.error_rate
    words = {"expected": f"below {share(limit)}", "command": _command(systems, series)}
    found = current(systems, series)
    known = f"{share(found.value)}; " if math.isfinite(found.value) else ""
    if found.doubt:
        return self.unknown(systems, known + found.doubt, mechanism="blind", **words | _age_of(found))
    if found.value < limit:
        few = too_few(systems)
        if few:
            return self.unknown(systems, f"{share(found.value)} fail, but {few}", age_s=found.age_s, **words)
        return self.ok(systems, f"{share(found.value)} fail", age_s=found.age_s, **words)
    unseen: tuple[Finding, ...] = ()
    try:
        began = onset((*history(systems, now), Sample({}, found.value, now)), limit)
    except Unavailable as error:  # that requests fail is known all the same, if not since when
        began, unseen = None, (unknown(self, systems, error, expected="the rate of the last 15 minutes"),)
    said = f"{share(found.value)} of requests fail"
    advice = "firstwatch run mitigate/rollback, if a release came just before"
    bad = self.bad(systems, "errors-served", said, since=began, age_s=found.age_s, **words | {"next": advice})
    return Findings((bad, *unseen))


def too_few(systems: Systems) -> str:
    """
    Return why so few requests do not tell that none fails; empty when there are enough, or nobody counts them.

    Enough are as many as let one failure reach the threshold: 100, when that is 1 %.
    """
    if not systems.settings.prometheus.requests:
        return ""
    counted = current(systems, systems.settings.prometheus.requests)
    if counted.doubt:
        return f"of how many is not known: {counted.doubt}"
    window, least = systems.settings.window.total_seconds(), 1 / systems.settings.thresholds.error_rate
    seen = counted.value * window
    return "" if seen >= least else f"{seen:.0f} requests in {window:.0f} s are too few to tell; {least:.0f} would do"


def _age_of(found: Current) -> dict[str, float]:
    return {"age_s": found.age_s} if math.isfinite(found.age_s) else {}


def _command(systems: Systems, expression: str) -> str:
    return f"curl -sG '{systems.settings.prometheus.url}/api/v1/query' --data-urlencode 'query={expression}'"


@probe(
    "Which versions or pods fail?",
    about="Service/{namespace}/{name}",
    expected="all alike below the threshold",
    command="firstwatch run investigate/workload",
    setting="prometheus.error_rate_by",
)
def error_shares(self: Probe, systems: Systems, now: datetime) -> Findings:
    limit, expression = systems.settings.thresholds.error_rate, systems.settings.prometheus.error_rate_by
    words = {"expected": f"each below {share(limit)}", "command": _command(systems, expression)}
    known = {_label(each): each.value for each in systems.prometheus.instant(expression) if math.isfinite(each.value)}
    if not known:
        return self.unknown(systems, "no version has a rate", mechanism="blind", **words)
    said = ", ".join(f"{label} {share(value)}" for label, value in sorted(known.items(), key=lambda item: -item[1]))
    if max(known.values()) < limit:
        return self.ok(systems, said, **words)
    return Findings((self.bad(systems, "errors-served", said, **words),))


def _label(sample: Sample) -> str:
    return ", ".join(value for _, value in sorted(sample.labels.items())) or "all"


@probe(
    "How long do answers take?",
    about="Service/{namespace}/{name}",
    expected="about as long as before",
    command="firstwatch run investigate/latency",
    setting="prometheus.latency",
)
def latency(self: Probe, systems: Systems, now: datetime) -> Findings:
    expression, limits = systems.settings.prometheus.latency, systems.settings.thresholds
    words = {"command": _command(systems, expression)}
    found = current(systems, expression)
    if found.doubt:
        return self.unknown(systems, found.doubt, mechanism="blind", **words)
    before = earlier(systems, expression, now)
    usual = baseline(before)
    numbers = {"value": found.value, "usual": usual}
    slow = limits.latency_s
    if usual is not None:
        slow = min(slow, max(limits.latency_least_s, limits.latency_ratio * usual))
    words["expected"] = f"below {slow:.2f} s" + (f"; usual are {usual:.2f} s" if usual is not None else "")
    said = f"answers take {found.value:.2f} s"
    if usual is None and limits.latency_least_s <= found.value < slow:
        return self.unknown(systems, f"{said}; what is usual is not known", age_s=found.age_s, **words, **numbers)
    if found.value < slow:
        return self.ok(systems, said, age_s=found.age_s, **words, **numbers)
    began = onset((*before, Sample({}, found.value, now)), slow)
    return Findings((self.bad(systems, "latency-high", said, since=began, age_s=found.age_s, **words, **numbers),))


@probe(
    "How many requests come?",
    about="Service/{namespace}/{name}",
    expected="about as many as before",
    command="firstwatch run investigate/latency",
    setting="prometheus.requests",
)
def request_rate(self: Probe, systems: Systems, now: datetime) -> Findings:
    expression = systems.settings.prometheus.requests
    words = {"command": _command(systems, expression)}
    found = current(systems, expression)
    if found.doubt:
        return self.unknown(systems, found.doubt, mechanism="blind", **words)
    before = earlier(systems, expression, now)
    usual = baseline(before)
    said = f"{found.value:.1f} requests a second"
    if usual is None:
        return self.unknown(systems, f"{said}; what is usual is not known", age_s=found.age_s, **words)
    words["expected"] = f"about {usual:.1f} requests a second, as before"
    series = (*before, Sample({}, found.value, now))
    if usual > 0 and found.value < VANISHED * usual:
        return Findings((self.bad(systems, "traffic-vanished", said, since=_fall(series, VANISHED * usual), **words),))
    ratio, first = systems.settings.thresholds.traffic_ratio, _first(before)
    if usual <= 0 or found.value < ratio * usual or found.value <= max(first):
        return self.ok(systems, said, age_s=found.age_s, **words)
    rose = onset(series, ratio * usual)
    if doubt := _no_measure(first, ratio, rose - series[0].at if rose else None, systems.settings.window):
        return self.unknown(systems, f"{said}{doubt}; what is usual is not known", age_s=found.age_s, **words)
    return Findings((self.bad(systems, "traffic-spike", said, since=rose, **words),))


def _no_measure(first: Sequence[float], ratio: float, rose: timedelta | None, window: timedelta) -> str:
    """Return why *first*, the first values, say nothing of what is usual. Rates rose *rose* after the first of them."""
    if rose and rose <= window:  # as every rate does while its first window fills
        return ", counted since a moment only"
    steady = max(first) <= ratio * min(first)  # as they are not in an outage
    return "" if steady else f", and between {min(first):.1f} and {max(first):.1f} at first"


def _fall(samples: Sequence[Sample], limit: float) -> datetime | None:
    """Return when the values last fell below *limit*, by the same rule as `onset`."""
    return onset([Sample(each.labels, -each.value, each.at) for each in samples], -limit)


@probe(
    "Which alerts fire?",
    about="Service/{namespace}/{name}",
    expected="none",
    command="firstwatch run investigate/first-five-minutes",
)
def alerts(self: Probe, systems: Systems, now: datetime) -> Findings:
    words = {"command": f"curl -s {systems.settings.prometheus.url}/api/v1/alerts"}
    firing = systems.prometheus.instant('ALERTS{alertstate="firing"}')
    if not firing:
        scraped = systems.prometheus.instant("count(up)")
        if not scraped:
            return self.unknown(systems, "no alert fires, and Prometheus scrapes nothing", mechanism="blind", **words)
        return self.ok(systems, "no alert fires", **words)
    since = {_name(each): each.value for each in systems.prometheus.instant("ALERTS_FOR_STATE")}
    names = sorted({_name(each) for each in firing})
    return Findings(
        self.bad(systems, "alert-firing", f"{name} fires", since=_moment(since.get(name)), **words) for name in names
    )


def _name(sample: Sample) -> str:
    return sample.labels.get("alertname", "an alert without a name")


def _moment(seconds: float | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def history(systems: Systems, now: datetime, back: timedelta = LOOK_BACK) -> tuple[Sample, ...]:
    """Return the error rate over the last *back*, in time order, one sample every five seconds."""
    return _ranged(systems, systems.settings.prometheus.error_rate, now, back, STEP)


def earlier(systems: Systems, expression: str, now: datetime) -> tuple[Sample, ...]:
    """
    Return the values of *expression* over the last half hour, in time order, one every ten seconds.

    Of what is measured since a minute only, that is too few to say what is usual: then one every five.
    """
    found = _ranged(systems, expression, now, BEFORE, BEFORE_STEP)
    return found if baseline(found) is not None else _ranged(systems, expression, now, BEFORE, STEP)


def _ranged(
    systems: Systems, expression: str, now: datetime, back: timedelta, step: timedelta
) -> tuple[Sample, ...]:  # fmt: skip
    """
    Return samples at whole multiples of the step.

    So whoever asks later sees the same ones, and the same onset; what came after the last multiple is not among them.
    """
    seconds = step.total_seconds()
    end = datetime.fromtimestamp(now.timestamp() // seconds * seconds, UTC)
    return systems.prometheus.range(expression, end - back, end, step)


def baseline(samples: Sequence[Sample]) -> float | None:
    """Return the median of the first third of the values; None when there are too few to say what is usual."""
    first = _first(samples)
    return median(first) if first else None


def _first(samples: Sequence[Sample]) -> list[float]:
    """Return the first third of the values; nothing when there are too few to say what is usual."""
    known = [sample.value for sample in samples if math.isfinite(sample.value)]
    return known[: max(LEAST_SAMPLES // 2, len(known) // 3)] if len(known) >= LEAST_SAMPLES else []


def onset(samples: Sequence[Sample], limit: float) -> datetime | None:
    """Return when the values last rose to *limit* and stayed there; None when they never did, or always were."""
    began: datetime | None = None
    for sample in samples:
        above = math.isfinite(sample.value) and sample.value >= limit
        began = (began or sample.at) if above else None
    return began if began and samples and began > samples[0].at else None


def share(value: float) -> str:
    """Return a share of requests as people read it: `61.3 %`."""
    return f"{value * 100:.1f} %"
