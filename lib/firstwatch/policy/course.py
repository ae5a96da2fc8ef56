"""
The course of an incident: when it was detected, declared, mitigated and over, and where each time comes from. Pure.

The four moments are the procedures' own, in their words. A moment that the record does not tell is not made up: its
source says what stands in for it. How long customers were without the service counts from the detection to the first
verification that stayed well; after a reopening, from there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from firstwatch.policy import spans
from firstwatch.policy.facts import Facts, Moment
from firstwatch.policy.spans import Stretch

DETECTED, DECLARED, MITIGATED, RESTORED = "detected", "declared", "mitigated", "restored"
WORDS = {
    DETECTED: "Initial detection",
    DECLARED: "Incident declared",
    MITIGATED: "Mitigation applied",
    RESTORED: "Service restored",
}
AT_WORK = ("MITIGATING", "MONITORING")


@dataclass(frozen=True, slots=True)
class Step:
    """One key moment; `source` says where its time comes from. `certain`: the record itself tells it."""

    id: str
    at: datetime
    source: str
    certain: bool = True

    @property
    def text(self) -> str:
        return WORDS[self.id]


def course(facts: Facts) -> tuple[Step, ...]:
    """Return the key moments that are known, in their order; all four once the incident is resolved."""
    steps = [each for each in (_detected(facts), _declared(facts), _mitigated(facts), restored(facts)) if each]
    return tuple(steps)


def complete(facts: Facts) -> bool:
    """Whether all four moments are there, each from the record itself, and none before the one that it follows."""
    found = course(facts)
    times = [each.at for each in found]
    return len(found) == len(WORDS) and all(each.certain for each in found) and times == sorted(times)


def _detected(facts: Facts) -> Step | None:
    return next((Step(DETECTED, each.at, each.reason or "as declared") for each in facts.detections), None)


def _declared(facts: Facts) -> Step | None:
    grade = facts.grades[0].severity if facts.grades else "no severity"
    return next((Step(DECLARED, each.at, f"as {grade}") for each in facts.declared), None)


def _mitigated(facts: Facts) -> Step | None:
    """Return the last change before the service was back; without one, what people said, else when it was over."""
    over = restored(facts)
    changes = [each for each in facts.mitigations if over is None or each.at <= over.at]
    if changes:
        return Step(MITIGATED, changes[-1].at, changes[-1].reason)
    said = [each for each in facts.updates if each.status in AT_WORK and (over is None or each.at <= over.at)]
    if said:
        return Step(MITIGATED, said[0].at, f"update {said[0].number}: {said[0].summary}")
    return Step(MITIGATED, over.at, "nothing was changed from here", certain=False) if over else None


def restored(facts: Facts) -> Step | None:
    """Return since when the service is back, as far as it was verified; None while the incident is not resolved."""
    ran = spans.worked(facts)
    return _over(facts, ran[-1]) if ran and ran[-1][1] else None


def _over(facts: Facts, ran: Stretch) -> Step | None:
    """Return the end of the stretch *ran*: the first of its last good verifications, else the resolution."""
    begin, end = ran
    if end is None:
        return None
    well: Moment | None = None
    for look in facts.looks:
        if begin <= look.at <= end and (look.verified or look.verdict != "OK"):
            well = (well or look) if look.verdict == "OK" else None
    return Step(RESTORED, well.at, "verified") if well else Step(RESTORED, end, "as resolved, not verified", False)


def lasted(facts: Facts, now: datetime) -> timedelta:
    """Return how long customers were without the service, until *now* while they still are."""
    return sum((end - begin for begin, end in outages(facts, now)), timedelta())


def outages(facts: Facts, now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield each time without the service; the first begins with the detection, the others with a reopening."""
    noticed = next((each.at for each in facts.detections), None)
    for number, ran in enumerate(spans.worked(facts)):
        over = _over(facts, ran)
        begin = min(noticed, ran[0]) if noticed and not number else ran[0]
        yield begin, max(begin, over.at if over else now)


def between(facts: Facts) -> dict[str, timedelta]:
    """Return how long after the detection each later key moment came, by its id; never less than nothing."""
    found = {each.id: each.at for each in course(facts)}
    begun = found.get(DETECTED)
    return {name: max(at - begun, timedelta()) for name, at in found.items() if begun and name != DETECTED}
