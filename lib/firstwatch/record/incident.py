"""
What the journal means: an incident's state, as a pure fold over its events.

Nothing here is stored. A new reader of an old journal says the same; an event of a kind that it does not know is kept
in the timeline as it is, and changes nothing else.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from firstwatch.model import Approval, Finding, Findings, Json, Plan, Result, finding, parse_time
from firstwatch.record.journal import Event


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
    """One run of a runbook. `state` is running, done, failed, gate closed, interrupted, or end not recorded."""

    id: str
    runbook: str
    mode: str
    started: datetime
    by: str
    state: str = "running"
    exit: int | None = None
    cells: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Applied:
    """
    A change that was sent, or may have been.

    `result` is None from the intent until the outcome. It is *in force* while it is not undone. `after` is what the
    target had in the changed fields once it was written, which is what an undo expects to find.
    """

    key: str
    plan: Plan
    at: datetime
    by: str
    result: Result | None = None
    undone_by: str = ""
    generation: int = 0

    @property
    def in_force(self) -> bool:
        return self.result in (Result.OK, Result.UNKNOWN, None) and not self.undone_by and not self.plan.undoes


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
    plans: tuple[Plan, ...] = ()
    approvals: tuple[Approval, ...] = ()
    changes: tuple[Applied, ...] = ()
    measured: Measured | None = None
    attachments: tuple[str, ...] = ()
    timeline: tuple[Entry, ...] = ()

    @property
    def in_force(self) -> tuple[Applied, ...]:
        return tuple(change for change in self.changes if change.in_force)

    @property
    def in_doubt(self) -> tuple[Applied, ...]:
        return tuple(change for change in self.changes if change.result in (Result.UNKNOWN, None))

    def plan(self, plan_hash: str) -> Plan | None:
        """Return the plan whose hash begins with *plan_hash*, or None when there is none or more than one."""
        found = {plan.hash: plan for plan in self.plans if plan_hash and plan.hash.startswith(plan_hash)}
        return next(iter(found.values())) if len(found) == 1 else None


def fold(events: Iterable[Event]) -> Incident:
    """Return the incident that *events* add up to, in the order of the journal."""
    incident = Incident()
    for event in events:
        handler = HANDLERS.get(event.kind)
        incident = handler(incident, event) if handler else incident
        entry = Entry(event.seq, event.time, event.who, describe(event), event.kind)
        incident = replace(incident, timeline=(*incident.timeline, entry))
    return incident


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
    return _on_run(now, event, lambda run: replace(run, state=body["state"], exit=body.get("exit")))


def _looked(now: Incident, event: Event) -> Incident:
    return replace(now, findings=Findings(finding(each) for each in event.body["findings"]))


def _planned(now: Incident, event: Event) -> Incident:
    plan = Plan.from_json(event.body["plan"])
    return now if any(each.hash == plan.hash for each in now.plans) else replace(now, plans=(*now.plans, plan))


def _approved(now: Incident, event: Event) -> Incident:
    body = event.body
    approval = Approval(body["plan"], event.who, parse_time(body["until"]), bool(body.get("self_approved")))
    return replace(now, approvals=(*now.approvals, approval))


def _intent(now: Incident, event: Event) -> Incident:
    plan = Plan.from_json(event.body["plan"])
    change = Applied(event.body["key"], plan, event.time, event.who)
    return replace(now, changes=(*now.changes, change), status=_later(now.status, "mitigating"))


def _outcome(now: Incident, event: Event) -> Incident:
    key, result = event.body["key"], Result(event.body["result"])
    settled = tuple(
        replace(each, result=result, generation=event.body.get("generation", 0)) if each.key == key else each
        for each in now.changes
    )
    undone = next((each.plan.undoes for each in settled if each.key == key and result is Result.OK), "")
    return replace(now, changes=tuple(replace(e, undone_by=key) if undone and e.key == undone else e for e in settled))


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
    "intent": _intent,
    "outcome": _outcome,
    "verified": _verified,
    "resolved": _resolved,
    "measured": _measured,
    "attached": _attached,
}

STATUSES = ("open", "investigating", "mitigating", "monitoring", "resolved", "closed")


def _later(status: str, reached: str) -> str:
    return max(status, reached, key=STATUSES.index)


def describe(event: Event) -> str:
    """Return one line of plain text that says what *event* was. What others wrote is not escaped here."""
    said = _SENTENCES.get(event.kind)
    try:
        return said(event.body) if said else event.kind
    except (KeyError, TypeError, ValueError, AttributeError):
        return event.kind


def _findings_said(body: Json) -> str:
    findings = [finding(each) for each in body["findings"]]
    counts = ", ".join(f"{n} {v}" for v in ("BAD", "UNKNOWN", "OK") if (n := sum(f.verdict == v for f in findings)))
    return f"{counts}. First: {_finding_said(findings[0])}" if findings else "looked at nothing"


def _finding_said(first: Finding) -> str:
    return f"{first.object}: {first.observed}"


_SENTENCES: dict[str, Callable[[Any], str]] = {
    "opened": lambda b: f"Record opened{' (practice)' if b.get('practice') else ''}",
    "declared": lambda b: f"Declared {b['severity'] or 'without a severity'}: {b['title']}. Impact: {b['impact']}",
    "note": lambda b: b["text"],
    "run-started": lambda b: f"Runbook {b['runbook']} started ({b['mode']})",
    "run-ended": lambda b: f"Runbook {b['runbook']} ended: {b['state']}",
    "cell": lambda b: f"Cell {b['id']}: {b['state']}{': ' + b['error'] if b.get('error') else ''}",
    "looked": _findings_said,
    "verified": lambda b: f"Verification {b['verdict']}: {_findings_said(b)}",
    "planned": lambda b: f"Planned {b['plan']['action']} of {b['plan']['target']['name']}, plan {b['hash']}",
    "approved": lambda b: (
        f"Approved plan {b['plan']} until {b['until']}{', self-approved' if b['self_approved'] else ''}"
    ),
    "gate": lambda b: f"Gate {b['state']} for plan {b['plan']}{': ' + '; '.join(b['missing']) if b['missing'] else ''}",
    "intent": lambda b: f"About to {b['plan']['action']} {b['plan']['target']['name']}, plan {b['hash']}",
    "outcome": lambda b: f"Outcome of plan {b['plan']}: {b['result']}{': ' + b['detail'] if b.get('detail') else ''}",
    "resolved": lambda b: f"Resolved: {b['summary']}",
    "measured": lambda b: f"Measured {b['name']}: {len(b['points'])} points",
    "attached": lambda b: f"Attached {b['path']}",
    "repaired": lambda b: f"Cut a torn line of {b['cut_bytes']} bytes, left by a crash",
}
