"""
The sweep: many probes at once, each with its own deadline, and their findings ranked.

Its time is that of its slowest probe. A probe that does not come back is UNKNOWN; what the others found is kept.

Ranking needs no model. A release that came just before the errors began is named first, with the distance in time;
then contradictions of state (a crash loop), then thresholds (errors served), then what could not be seen, then what is
well. Within a rank, the older onset first.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from firstwatch.errors import Unavailable
from firstwatch.model import Finding, Findings, Verdict, clock_time
from firstwatch.probes.probe import Probe, ask, unknown
from firstwatch.systems import Systems
from firstwatch.systems.deadline import bounded

DEADLINE_S = 30.0
NEAR = timedelta(minutes=10)  # how long before the errors a change may have come, to be suspected
SLACK = timedelta(seconds=30)  # and how long after: a rate lags what it counts, and clocks differ

# State that contradicts itself outranks a threshold that was passed; a word that is missing here ranks with the latter.
CONTRADICTIONS = {
    "crash-loop", "image-pull", "configuration-missing", "scaled-to-zero", "node-not-ready", "not-scheduled",
}  # fmt: skip


def sweep(probes: Sequence[Probe], systems: Systems, now: datetime, *, deadline_s: float = DEADLINE_S) -> Findings:
    """
    Return what all *probes* found, ranked.

    Args:
        probes: What to ask; at least one.
        systems: Whom.
        now: The time of asking, the same for all.
        deadline_s: Each probe's, in seconds. One that is not back by then is UNKNOWN.
    """

    def asked(probe: Probe) -> Findings:
        try:
            return bounded(deadline_s, f"probe {probe.name}", lambda: ask(probe, systems, now))
        except Unavailable as error:
            return Findings((unknown(probe, systems, error),))

    with ThreadPoolExecutor(len(probes), "sweep") as pool:
        return rank(finding for findings in pool.map(asked, probes) for finding in findings)


def rank(findings: Iterable[Finding]) -> Findings:
    """Return *findings* in the order in which to act on them; a suspected release is marked BAD and put first."""
    seen = suspected(tuple(findings))
    return Findings(sorted(seen, key=_order))


def suspected(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Return *findings*, with a rollout that came just before the errors began marked as what brought them."""
    failing = [each for each in findings if each.mechanism == "errors-served" and each.since]
    if not failing:
        return findings
    return tuple(_suspect(each, failing[0]) if each.probe == "rollouts" else each for each in findings)


def _suspect(rollout: Finding, failing: Finding) -> Finding:
    if rollout.verdict is Verdict.UNKNOWN or not rollout.since or not failing.since:
        return rollout
    distance = failing.since - rollout.since
    if not -SLACK <= distance <= NEAR:
        return rollout
    seconds = abs(distance.total_seconds())
    order = "after" if distance >= timedelta(0) else "before"
    why = f"errors began at {clock_time(failing.since)}, {seconds:.0f} s {order} this revision"
    return replace(
        rollout, verdict=Verdict.BAD, mechanism="bad-release", why_here=why, next="firstwatch run mitigate/rollback",
    )  # fmt: skip


def _order(finding: Finding) -> tuple[int, datetime, str, str]:
    if finding.verdict is Verdict.BAD:
        place = 0 if finding.mechanism == "bad-release" else 1 if finding.mechanism in CONTRADICTIONS else 2
    else:
        place = 3 if finding.verdict is Verdict.UNKNOWN else 4
    return place, finding.since or datetime.max.replace(tzinfo=UTC), finding.probe, finding.object
