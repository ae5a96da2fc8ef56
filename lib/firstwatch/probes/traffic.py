"""
The service as its users see it: the share of requests that fail, and its own health check.

An empty answer of Prometheus means that nothing was measured, not that nothing failed; NaN means no traffic; a sample
older than the threshold is history. All three are UNKNOWN.
"""

import math
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from firstwatch.model import Findings, Verdict
from firstwatch.probes.probe import Probe, probe
from firstwatch.systems import Systems
from firstwatch.systems.prometheus import Sample

LOOK_BACK = timedelta(minutes=15)
STEP = timedelta(seconds=5)


@probe(
    "How many requests fail?",
    about="Service/{namespace}/{name}",
    expected="below the threshold",
    command="firstwatch run investigate/first-five-minutes",
)
def error_rate(self: Probe, systems: Systems, now: datetime) -> Findings:
    settings = systems.settings
    limit, series = settings.thresholds.error_rate, settings.prometheus.error_rate
    words = {
        "expected": f"below {share(limit)}",
        "command": f"curl -s '{settings.prometheus.url}/api/v1/query?query={series}'",
    }
    samples = systems.prometheus.instant(series)
    known = [sample for sample in samples if math.isfinite(sample.value)]
    if not known:
        said = "no traffic: the rate is not a number" if samples else f"Prometheus has no series {series}"
        return Findings((self.says(settings.service, Verdict.UNKNOWN, said, **words),))
    worst = max(known, key=lambda sample: sample.value)
    age = _age(systems, series)
    if age > settings.thresholds.stale_s:
        said = f"{share(worst.value)} {age:.0f} s ago; nothing since"
        return Findings((self.says(settings.service, Verdict.UNKNOWN, said, age_s=round(age, 1), **words),))
    if worst.value < limit:
        return Findings(
            (self.says(settings.service, Verdict.OK, f"{share(worst.value)} fail", age_s=round(age, 1), **words),)
        )
    began = onset(history(systems, now), limit)
    next_ = "firstwatch run mitigate/rollback, if a release came just before"
    said = f"{share(worst.value)} of requests fail"
    bad = self.says(
        settings.service,
        Verdict.BAD,
        said,
        mechanism="errors-served",
        since=began,
        age_s=round(age, 1),
        next=next_,
        **words,
    )
    return Findings((bad,))


def _age(systems: Systems, series: str) -> float:
    """Return how old the series' sample is, in seconds: an instant query hides it behind the time of asking."""
    times = systems.prometheus.instant(f"timestamp({series})")
    return max(0.0, *((each.at.timestamp() - each.value) for each in times)) if times else math.inf


def history(systems: Systems, now: datetime, back: timedelta = LOOK_BACK) -> tuple[Sample, ...]:
    """Return the error rate over the last *back*, in time order, at most one sample every five seconds."""
    return systems.prometheus.range(systems.settings.prometheus.error_rate, now - back, now, STEP)


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


@probe(
    "Does the service answer?",
    about="Service/{namespace}/{name}",
    expected="three answers of 200",
    command="curl -f {health}",
)
def health(self: Probe, systems: Systems, now: datetime) -> Findings:
    service = systems.settings.service
    if not service.health:
        return Findings((self.says(service, Verdict.UNKNOWN, "the configuration names no health address"),))
    statuses = [systems.http.get(service.health, deadline_s=5).status for _ in range(3)]
    if all(status == 200 for status in statuses):
        return Findings((self.says(service, Verdict.OK, "answered 200, three times of three"),))
    said = f"answered {_listed(statuses)}"
    return Findings((self.says(service, Verdict.BAD, said, mechanism="health-failing", next="look at the pods"),))


def _listed(statuses: Iterable[int]) -> str:
    return ", ".join(map(str, statuses))
