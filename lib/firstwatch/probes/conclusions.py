"""
What follows from several findings together, and from none of them alone. Pure, and free of any scenario's name.

A change is blamed only when harm began just after it, when it touched a field that can do harm, and when nothing else
began nearer. What was made together with the rest, and not touched since, is no change. A log's error is BAD only when
somebody is hurt. A field that a revision touched says which of two explanations is right: pods that are not ready since
their readiness probe was changed wait for the probe.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeAlias

from firstwatch.mechanisms import MECHANISMS, Weight, weight
from firstwatch.model import Finding, Verdict, clock_time
from firstwatch.probes.rollouts import FEWER, MADE

Seen: TypeAlias = tuple[Finding, ...]

NEAR = timedelta(minutes=10)  # how long before the harm a change may have come, to be suspected
SOON = timedelta(minutes=2)  # and how long a scaling down: pods that are missed are missed at once
TOGETHER = timedelta(minutes=1)  # within which what is set up at once is made
SLACK = timedelta(seconds=30)  # and how long after: a rate lags what it counts, and clocks differ
FELT = (
    "errors-served",
    "latency-high",
    "traffic-vanished",
    "health-failing",
)  # in the order in which they are believed
HARMLESS = {"labels"}  # fields that change nothing of how a program runs
PLACES = ("env", "args", "command")  # fields that say where a program finds what it needs
LOST = {"dependency-down", "name-not-resolved", "database-down", "credentials-refused", "dependency-slow"}
OF_CHANGE = {"rollouts": "bad-release", "settings": "flag-change", "scaling": "too-few-replicas"}
# A field that was touched, and what it makes of a mechanism.
TOUCHED = {
    ("readinessProbe", "not-ready"): "readiness-probe-wrong",
    ("ports", "not-ready"): "readiness-probe-wrong",
    ("livenessProbe", "crash-loop"): "liveness-probe-wrong",
    ("limits", "out-of-memory"): "memory-limit",
}


def conclude(seen: Seen) -> Seen:
    """Return *seen* with what follows from all of it."""
    rules: tuple[Callable[[Seen], Seen], ...] = (logged, misled, overdue, specified, suspected)
    for rule in rules:
        seen = rule(seen)
    return seen


def hurt(seen: Seen) -> Seen:
    """Return what users feel, the most telling first."""
    felt = [each for each in seen if each.verdict is Verdict.BAD and each.mechanism in FELT]
    return tuple(sorted(felt, key=lambda each: FELT.index(each.mechanism)))


def onset(seen: Seen) -> datetime | None:
    """Return when the harm began; None when there is none, or nobody knows."""
    return next((each.since for each in hurt(seen) if each.since), None)


def logged(seen: Seen) -> Seen:
    """Make an error of the logs BAD when it names a mechanism, goes on, and something is wrong for somebody."""
    wrong = [each for each in seen if each.verdict is Verdict.BAD and weight(each.mechanism) < Weight.REMARK]
    began = onset(seen)
    if not wrong:
        return seen
    return tuple(_bad(each, each.mechanism) if _goes_with(each, began) else each for each in seen)


def _goes_with(each: Finding, began: datetime | None) -> bool:
    logs = each.probe == "logs" and each.verdict is Verdict.UNKNOWN and each.mechanism not in ("", "blind")
    return logs and (began is None or each.since is None or each.since >= began - NEAR)


def _bad(each: Finding, mechanism: str, why: str = "") -> Finding:
    then = MECHANISMS[mechanism].then
    return replace(
        each, verdict=Verdict.BAD, mechanism=mechanism, why_here=why or each.why_here, next=then or each.next
    )


def misled(seen: Seen) -> Seen:
    """Blame the change nearest before the harm when the workload since then cannot reach what others reach."""
    lost = [each for each in seen if each.probe == "logs" and each.verdict is Verdict.BAD and each.mechanism in LOST]
    down = any(each.probe != "logs" and each.verdict is Verdict.BAD and each.mechanism in LOST for each in seen)
    if not lost or down:
        return seen
    began = onset(seen) or min((each.since for each in lost if each.since), default=None)
    nearest = _misleading(seen, began)
    why = f"it changed where the workload looks, and its log says: {lost[0].observed[-120:]}"
    return tuple(_bad(each, "configuration-wrong", why) if each is nearest else each for each in seen)


def _misleading(seen: Seen, began: datetime | None) -> Finding | None:
    """
    Return the change of ours that came nearest before the harm; none when another workload was released nearer.

    A revision says which place it changed, so it comes before a ConfigMap that was written at the same time.
    """
    if began is None:
        return None
    ours = [each for each in seen if _moved(each, began) and not _set_up(each, seen)]
    others = [each for each in seen if each.probe == "neighbours" and _just_before(each.since, began)]
    found = min((*ours, *others), key=lambda each: (_distance(each, began), each.probe != "rollouts"), default=None)
    return found if found in ours else None


def _moved(each: Finding, began: datetime | None) -> bool:
    places = any(field.split()[-2:-1] == ["env"] or field.split()[-1] in (*PLACES, "envFrom") for field in each.touched)
    named = each.probe == "settings" or (each.probe == "rollouts" and places)
    return named and each.mechanism != "blind" and _just_before(each.since, began)


def overdue(seen: Seen) -> Seen:
    """Take no pod for one that is just starting any more, once its workload's rollout is stuck."""
    told = [each for each in seen if each.verdict is Verdict.BAD and each.probe in ("rollouts", "neighbours")]
    stuck = {each.object for each in told if each.mechanism in ("rollout-stuck", "not-ready")}
    why = "its rollout is stuck, so that these pods have had their time"
    return tuple(_bad(each, each.mechanism, why) if _starts(each) and each.object in stuck else each for each in seen)


def _starts(each: Finding) -> bool:
    return each.probe == "pods" and each.verdict is Verdict.UNKNOWN and each.mechanism not in ("", "blind")


def specified(seen: Seen) -> Seen:
    """Name the probe or the limit when the newest revision touched just that; at once when no pod is ready."""
    fields = {field.split()[-1] for each in seen if each.probe == "rollouts" for field in each.touched}
    known = {was: better for (field, was), better in TOUCHED.items() if field in fields}
    none = any(each.verdict is Verdict.BAD and each.mechanism == "no-endpoints" for each in seen)
    bad = [_judged(each, none) and each.mechanism in known for each in seen]
    why = "the newest revision changed that field"
    return tuple(
        _bad(each, known[each.mechanism], why) if chosen else each for each, chosen in zip(seen, bad, strict=True)
    )


def _judged(each: Finding, none: bool) -> bool:
    return each.probe == "pods" and (each.verdict is Verdict.BAD or (none and _starts(each)))


def suspected(seen: Seen) -> Seen:
    """Mark the change that came nearest before the harm as what brought it; a spike of traffic is no change of ours."""
    began = onset(seen)
    candidates = [each for each in seen if _may_have(each, began) and not _set_up(each, seen)]
    if began is None or not candidates:
        return seen
    nearest = min(candidates, key=lambda each: _distance(each, began))
    return tuple(_blamed(each, seen, began) if each is nearest and each.probe in OF_CHANGE else each for each in seen)


def _set_up(each: Finding, seen: Seen) -> bool:
    """Whether *each* is as it was made, when others were: what alone was made again is a change."""
    return each.touched == (MADE,) and any(other is not each and _made_with(other, each) for other in seen)


def _made_with(other: Finding, each: Finding) -> bool:
    if other.touched != (MADE,) or other.since is None or each.since is None:
        return False
    return abs(other.since - each.since) <= TOGETHER


def _may_have(each: Finding, began: datetime | None) -> bool:
    if not _just_before(each.since, began):
        return False
    if each.mechanism == "traffic-spike":
        return True
    if each.probe == "scaling" and (FEWER not in each.touched or not _just_before(each.since, began, SOON)):
        return False
    harmless = bool(each.touched) and set(each.touched) <= HARMLESS
    return each.probe in OF_CHANGE and not harmless and (each.verdict is not Verdict.BAD) and each.mechanism != "blind"


def _just_before(changed: datetime | None, began: datetime | None, near: timedelta = NEAR) -> bool:
    return changed is not None and began is not None and -SLACK <= began - changed <= near


def _distance(each: Finding, began: datetime) -> timedelta:
    assert each.since is not None
    return abs(began - each.since)


def _blamed(each: Finding, seen: Seen, began: datetime) -> Finding:
    mechanism, worst = OF_CHANGE[each.probe], hurt(seen)[0].mechanism
    if (mechanism, worst) == ("bad-release", "latency-high"):
        mechanism = "slow-release"
    what = {"errors-served": "errors", "latency-high": "slow answers"}.get(worst, "harm")
    assert each.since is not None
    order = "after" if began >= each.since else "before"
    made = {"rollouts": "revision", "settings": "change", "scaling": "scaling down"}[each.probe]
    why = f"{what} began at {clock_time(began)}, {_distance(each, began).total_seconds():.0f} s {order} this {made}"
    return _bad(each, mechanism, why)
