"""
What the journal means: an incident's state, as a pure fold over its events.

Nothing here is stored. A new reader of an old journal says the same. An event of a kind that it does not know is kept
in the timeline as it is, and changes nothing else; so is one whose body cannot be read.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from firstwatch.clock import Pace
from firstwatch.model import Approval, Findings, Plan, Result, finding, parse_time
from firstwatch.policy.facts import Facts
from firstwatch.policy.lease import Lease
from firstwatch.record import messages, people, reminded, sights, skew
from firstwatch.record.event import UNREADABLE, Event
from firstwatch.record.messages import Made, Message
from firstwatch.record.reminded import Reminded
from firstwatch.record.sentences import describe
from firstwatch.record.sights import Sight


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the timeline."""

    seq: int
    time: datetime
    who: str
    text: str
    kind: str


@dataclass(frozen=True, slots=True)
class Run:
    """
    One run of a runbook. `state` is running, done, failed, gate closed, interrupted, or end not recorded.

    `findings` are the newest of each probe that it asked, in all of its looks.
    """

    id: str
    runbook: str
    mode: str
    started: datetime
    by: str
    state: str = "running"
    exit: int | None = None
    cells: tuple[tuple[str, str], ...] = ()
    findings: Findings = field(default_factory=Findings)


@dataclass(frozen=True, slots=True)
class Applied:
    """
    A change that was sent, or may have been.

    `result` is None from the intent until the outcome; meanwhile, until `lease`, nobody else acts on the target. `mark`
    is what the request writes beside its change, and `version` the resourceVersion that it was bound to: by these
    `firstwatch resume` can tell what became of it, and `settled` is what that said. It is *in force* while it is not
    undone. `owner` answers for it, until `owned_until`.
    """

    key: str
    plan: Plan
    at: datetime
    by: str
    result: Result | None = None
    undone_by: str = ""
    generation: int = 0
    mark: str = ""
    version: str = ""
    lease: datetime | None = None
    settled: str = ""
    detail: str = ""
    drift: tuple[str, ...] = ()
    owner: str = ""
    owned_until: datetime | None = None

    @property
    def in_force(self) -> bool:
        """A restart is over when it is done: there is nothing left of it that could be undone."""
        left = self.result in (Result.UNKNOWN, None) or (self.result is Result.OK and bool(self.plan.undo))
        return left and not self.undone_by and not self.plan.undoes

    @property
    def in_doubt(self) -> bool:
        return self.result in (Result.UNKNOWN, None) and not self.owner


@dataclass(frozen=True, slots=True)
class Measured:
    """A series that was read during the incident, for its plot: seconds since the epoch and values."""

    name: str
    unit: str
    points: tuple[tuple[float, float], ...]
    limit: float


@dataclass(frozen=True, slots=True)
class Incident:
    """The state that the events add up to."""

    id: str = ""
    opened_at: datetime | None = None
    declared_at: datetime | None = None
    resolved_at: datetime | None = None
    title: str = ""
    impact: str = ""
    severity: str = ""
    source: str = ""
    status: str = "open"
    practice: bool = False
    replay: bool = False
    cluster: str = ""
    service: str = ""
    resolution: str = ""
    runs: tuple[Run, ...] = ()
    findings: Findings = field(default_factory=Findings)
    sights: tuple[Sight, ...] = ()
    plans: tuple[Plan, ...] = ()
    approvals: tuple[Approval, ...] = ()
    changes: tuple[Applied, ...] = ()
    measured: Measured | None = None
    attachments: tuple[str, ...] = ()
    messages: tuple[Message, ...] = ()
    made: Mapping[str, Made] = field(default_factory=dict)
    people: Facts = field(default_factory=Facts)
    pace: Pace = field(default_factory=Pace)
    reminded: tuple[Reminded, ...] = ()
    timeline: tuple[Entry, ...] = ()
    jumps: tuple[skew.Jump, ...] = ()
    skewed: str = ""

    @property
    def in_force(self) -> tuple[Applied, ...]:
        return tuple(change for change in self.changes if change.in_force)

    @property
    def in_doubt(self) -> tuple[Applied, ...]:
        return tuple(change for change in self.changes if change.in_doubt)

    @property
    def unowned(self) -> tuple[Applied, ...]:
        return tuple(change for change in self.in_force if not change.owner)

    @property
    def leases(self) -> tuple[Lease, ...]:
        begun = [(each, each.lease) for each in self.changes if each.result is None]
        return tuple(Lease(each.plan.target.uid, each.by, each.key, until) for each, until in begun if until)

    @property
    def broken(self) -> tuple[Approval, ...]:
        """When the glass was broken: each waits for a review, or has had one."""
        return tuple(each for each in self.approvals if each.reason)

    @property
    def bad_before(self) -> tuple[Sight, ...]:
        """What an earlier run saw to be BAD, and nobody has asked again since."""
        return sights.bad_before(self.sights, self.findings)

    def plan(self, plan_hash: str) -> Plan | None:
        """Return the plan whose hash begins with *plan_hash*, or None when there is none or more than one."""
        found = {plan.hash: plan for plan in self.plans if plan_hash and plan.hash.startswith(plan_hash)}
        return next(iter(found.values())) if len(found) == 1 else None


def fold(events: Iterable[Event]) -> Incident:
    """Return the incident that *events* add up to, in the order of the journal."""
    incident, timeline, told = Incident(), [], tuple(events)
    for event in told:
        incident = _after(incident, event)
        timeline.append(Entry(event.seq, event.time, event.who, describe(event), event.kind))
    return replace(
        incident, people=people.facts(told), pace=people.pace(told), reminded=reminded.reminded(told),
        timeline=tuple(timeline), jumps=skew.jumps(told),
    )  # fmt: skip


def _after(now: Incident, event: Event) -> Incident:
    """Return the state after *event*. A purged body says no more than its kind does, and may say nothing at all."""
    handler = HANDLERS.get(event.kind)
    if handler is None:
        return now
    try:
        return handler(now, event._replace(body={}) if event.purged else event)
    except UNREADABLE:
        return now


def _opened(now: Incident, event: Event) -> Incident:
    body = event.body
    return replace(
        now,
        id=event.incident,
        opened_at=event.time,
        practice=bool(body.get("practice")),
        replay=bool(body.get("replay")),
        cluster=body.get("cluster", ""),
        service=body.get("service", ""),
    )


def _declared(now: Incident, event: Event) -> Incident:
    said = {key: event.body.get(key, "") for key in ("title", "impact", "severity", "source")}
    return replace(now, declared_at=event.time, status=_later(now.status, "investigating"), **said)


def _run_started(now: Incident, event: Event) -> Incident:
    body = event.body
    run = Run(event.run, body["runbook"], body.get("mode", ""), event.time, event.who)
    return replace(now, runs=(*now.runs, run))


def _on_run(now: Incident, event: Event, change: Callable[[Run], Run]) -> Incident:
    return replace(now, runs=tuple(change(run) if run.id == event.run else run for run in now.runs))


def _cell(now: Incident, event: Event) -> Incident:
    cell = (event.body["id"], event.body["state"])
    return _on_run(now, event, lambda run: replace(run, cells=(*(c for c in run.cells if c[0] != cell[0]), cell)))


def _run_ended(now: Incident, event: Event) -> Incident:
    body = event.body
    cells = body.get("cells", {})
    return _on_run(now, event, lambda run: _ended(run, body, cells))


def _ended(run: Run, body: dict[str, Any], cells: dict[str, str]) -> Run:
    """Return *run* with its end; the end of a run says of every cell what became of it."""
    told = (*((c, s) for c, s in run.cells if c not in cells), *cells.items())
    return replace(run, state=body["state"], exit=body.get("exit"), cells=told)


def _looked(now: Incident, event: Event) -> Incident:
    """Take up what was seen. The looks of one run add up: one that is OK hides nothing that another probe said."""
    before = next((run.findings for run in now.runs if run.id == event.run), Findings())
    seen = Findings(finding(each) for each in event.body["findings"])
    found, each_last = seen.after(before), sights.after(now.sights, seen, event.time)
    return replace(_on_run(now, event, lambda run: replace(run, findings=found)), findings=found, sights=each_last)


def _planned(now: Incident, event: Event) -> Incident:
    plan = Plan.from_json(event.body["plan"])
    return now if any(each.hash == plan.hash for each in now.plans) else replace(now, plans=(*now.plans, plan))


def _approved(now: Incident, event: Event) -> Incident:
    body = event.body
    approval = Approval(
        body["plan"], event.who, parse_time(body["until"]), bool(body.get("self_approved")),
        str(event.actor.get("trust", "claimed")), str(body["reason"]) if event.kind == "break-glass" else "",
    )  # fmt: skip
    return replace(now, approvals=(*now.approvals, approval))


def _intent(now: Incident, event: Event) -> Incident:
    """Take a change up; a second intent under its key is the same change, sent again after a conflict."""
    body = event.body
    change = Applied(
        body["key"], Plan.from_json(body["plan"]), event.time, event.who, mark=body.get("mark", ""),
        version=body.get("version", ""), lease=parse_time(body["lease"]) if "lease" in body else None,
    )  # fmt: skip
    before = tuple(each for each in now.changes if each.key != change.key)
    return replace(now, changes=(*before, change), status=_later(now.status, "mitigating"))


def _outcome(now: Incident, event: Event) -> Incident:
    body = event.body
    result = Result(body["result"])
    return _on_change(
        now, body["key"], result=result, generation=body.get("generation", 0), detail=body.get("detail", "")
    )


def _settled(now: Incident, event: Event) -> Incident:
    """Take what the live system said of a change in doubt; *unknown* leaves it in doubt."""
    body = event.body
    said: dict[str, Any] = {"settled": body["result"], "detail": body.get("detail", "")}
    if body["result"] != "unknown":
        said["result"] = {"done": Result.OK, "not done": Result.FAILED}[body["result"]]
    return _on_change(now, body["key"], drift=tuple(map(str, body.get("drift", ()))), **said)


def _accepted(now: Incident, event: Event) -> Incident:
    body = event.body
    return _on_change(now, body["key"], owner=body["owner"], owned_until=parse_time(body["until"]))


def _on_change(now: Incident, key: str, **said: Any) -> Incident:
    changes = tuple(replace(each, **said) if each.key == key else each for each in now.changes)
    undone = {e.plan.undoes: key for e in changes if e.key == key and e.plan.undoes and e.result is Result.OK}
    return replace(now, changes=tuple(replace(e, undone_by=undone.get(e.key, e.undone_by)) for e in changes))


def _verified(now: Incident, event: Event) -> Incident:
    looked = _looked(now, event)
    healthy = event.body["verdict"] == "OK" and now.declared_at
    return replace(looked, status=_later(now.status, "monitoring")) if healthy else looked


def _resolved(now: Incident, event: Event) -> Incident:
    return replace(now, status="resolved", resolved_at=event.time, resolution=event.body.get("summary", ""))


def _measured(now: Incident, event: Event) -> Incident:
    body = event.body
    points = tuple((float(at), float(value)) for at, value in body["points"])
    return replace(now, measured=Measured(body["name"], body["unit"], points, float(body["limit"])))


def _skewed(now: Incident, event: Event) -> Incident:
    return replace(now, skewed=str(event.body["text"]))


def _attached(now: Incident, event: Event) -> Incident:
    return replace(now, attachments=(*now.attachments, event.body["path"]))


HANDLERS: dict[str, Callable[[Incident, Event], Incident]] = {
    "opened": _opened,
    "declared": _declared,
    "run-started": _run_started,
    "cell": _cell,
    "run-ended": _run_ended,
    "looked": _looked,
    "planned": _planned,
    "approved": _approved,
    "break-glass": _approved,
    "intent": _intent,
    "outcome": _outcome,
    "settled": _settled,
    "accepted": _accepted,
    "verified": _verified,
    "resolved": _resolved,
    "measured": _measured,
    "attached": _attached,
    "skewed": _skewed,
    **messages.HANDLERS,
    **people.HANDLERS,
}

STATUSES = ("open", "investigating", "mitigating", "monitoring", "resolved", "closed")


def _later(status: str, reached: str) -> str:
    return max(status, reached, key=STATUSES.index)
