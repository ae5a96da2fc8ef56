"""
What an incident scores against the procedures' five objectives, and which runbooks it used. Pure.

Downtime, customers affected, updates in time, completeness of the record, what it took of the promise: a number each,
or nothing where nobody said. A game day's record is practice and says so: it is never counted among incidents.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from firstwatch.model import Json
from firstwatch.policy import assessment, course, sla
from firstwatch.policy.duties import duties
from firstwatch.policy.sla import Spent
from firstwatch.policy.tables import Policy
from firstwatch.record.closing import closing
from firstwatch.record.event import UNREADABLE, Event
from firstwatch.record.incident import Incident, fold
from firstwatch.settings import Sla


@dataclass(frozen=True, slots=True)
class Score:
    """
    One incident's numbers.

    `after_s` is how many seconds after the detection each later key moment came. `updates` and `clocks` are how many
    were in time, of how many. `complete` is in per cent. `open` and `overdue` count action items.
    """

    incident: str
    title: str
    severity: str
    status: str
    practice: bool
    began: datetime | None
    downtime_s: float
    after_s: dict[str, float]
    customers: str
    updates: tuple[int, int]
    clocks: tuple[int, int]
    complete: int
    spent: Spent | None
    lessons: tuple[str, ...]
    open: int
    overdue: int


@dataclass(frozen=True, slots=True)
class Ran:
    """
    One run of a runbook: how long it took, in seconds, or None when its end was not recorded.

    It `helped` when a change of it was followed by a verification that said OK; one that changes nothing, when it saw
    something BAD, or verified that all is well.
    """

    runbook: str
    at: datetime
    took_s: float | None
    practice: bool
    helped: bool


def score(policy: Policy, promise: Sla | None, incident: Incident, now: datetime) -> Score | None:
    """Return what *incident* scores at *now*; None when nobody declared it."""
    facts = incident.people
    if not facts.declared:
        return None
    owed = duties(policy, facts, now)
    informed, all_ = assessment.updates(owed), assessment.assess(owed)
    begun, felt, outage = course.course(facts), facts.assessed("customers"), course.lasted(facts, now)
    return Score(
        incident=incident.id, title=incident.title, severity=incident.severity, status=incident.status,
        practice=incident.practice, began=begun[0].at if begun else None, downtime_s=outage.total_seconds(),
        after_s={name: span.total_seconds() for name, span in course.between(facts).items()},
        customers=felt.customers if felt else "", updates=(informed.in_time, informed.judged),
        clocks=(all_.in_time, all_.judged), complete=closing(policy, incident, now).completeness,
        spent=sla.spent(promise, outage, incident.severity) if promise else None,
        lessons=tuple(each.text for each in facts.conclusions if each.part == "lesson"),
        open=sum(each.state == "open" for each in facts.todo),
        overdue=sum(each.overdue(now.date()) for each in facts.todo),
    )  # fmt: skip


def runs(events: Iterable[Event]) -> tuple[Ran, ...]:
    """Return the runs that *events* tell of, oldest first."""
    told = tuple(events)
    incident = fold(told)
    of: dict[str, list[Event]] = {}
    for event in told:
        of.setdefault(event.run, []).append(event)
    return tuple(
        Ran(each.runbook, each.started, _took(of[each.id]), incident.practice, _helped(each.runbook, of[each.id]))
        for each in incident.runs
    )


def alerts(events: Iterable[Event]) -> frozenset[str]:
    """Return the names of the alerts that fired, as far as somebody looked."""
    found = (finding for event in events for finding in _findings(event))
    fired = (str(each.get("observed", "")) for each in found if each.get("mechanism") == "alert-firing")
    return frozenset(text.removesuffix(" fires") for text in fired if text.endswith(" fires"))


def _took(events: list[Event]) -> float | None:
    ends = [each for each in events if each.kind == "run-ended"]
    begins = [each for each in events if each.kind == "run-started"]
    if not ends or not begins:
        return None
    span: timedelta = ends[-1].time - begins[0].time
    return max(0.0, span.total_seconds())


def _helped(runbook: str, events: list[Event]) -> bool:
    if not runbook.startswith("mitigate/"):
        return any(_saw(each) for each in events)
    done = [n for n, each in enumerate(events) if each.kind == "outcome" and _says(each, "result") == "ok"]
    return bool(done) and any(_well(each) for each in events[done[0] :])


def _saw(event: Event) -> bool:
    return _well(event) or any(each.get("verdict") == "BAD" for each in _findings(event))


def _well(event: Event) -> bool:
    return event.kind == "verified" and _says(event, "verdict") == "OK"


def _says(event: Event, name: str) -> Json:
    return event.body.get(name) if isinstance(event.body, dict) else None


def _findings(event: Event) -> list[dict[str, Json]]:
    """Return the findings of *event*; none when it has none, or they cannot be read."""
    try:
        return [dict(each) for each in event.body["findings"]] if event.kind in ("looked", "verified") else []
    except UNREADABLE:
        return []
