"""`status`, `resolve` and `reopen`."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from firstwatch.cli import duties as owing
from firstwatch.cli import screen, telling
from firstwatch.cli.acting import moment, needed
from firstwatch.cli.app import As, Incident, Json, Office, app, office
from firstwatch.errors import BadParameter, NotFound

if TYPE_CHECKING:
    from firstwatch.model import Approval
    from firstwatch.policy.links import Link
    from firstwatch.record.incident import Applied, Run
    from firstwatch.record.incident import Incident as State
    from firstwatch.record.store import Record


NOT_KNOWN = "not known yet"


def changed(record: "Record", *, json: bool, text: str, **more: Any) -> None:
    """Render the page of *record*, which has just changed, and say so; *more* is in the document too."""
    from firstwatch.publish import pages

    pages.write(record)
    if json:
        return screen.document(document(record) | more)
    return screen.say(f"incident [bold]{record.id}[/]: {text}")


def document(record: "Record", at: datetime | None = None) -> dict[str, Any]:
    """Return what `--json` shows of an incident, now or as it was, or will be, *at* another moment."""
    state = _state(record, at)
    now = at or state.pace.world(datetime.now(UTC))
    return {
        "id": record.id, "declared_at": state.declared_at and state.pace.world(state.declared_at),
        "severity": state.severity, "status": state.status, "title": state.title, "impact": state.impact,
        "practice": state.practice, "record": str(record.folder), "clock": {"now": now, "rate": state.pace.rate},
        "duties": owing.owed(state, now), "suggested": owing.suggested(state, now),
        "vendors": [
            {"whom": v.whom, "flag": v.flag, "vendor": v.vendor and v.vendor.model_dump()} for v in owing.vendors(state)
        ],
        "roles": state.people.roles, "findings": state.findings, "bad_before": state.bad_before,
        "runs": [_run(r, record) for r in state.runs],
        "plans": [
            {"hash": p.hash, "action": p.action, "target": str(p.target), "destructive": p.destructive}
            for p in state.plans
        ],
        "changes_in_force": [
            {"change": c.key, "action": c.plan.action, "target": str(c.plan.target), "owner": c.owner}
            for c in state.in_force
        ],
        "in_doubt": [c.key for c in state.in_doubt],
        "links": _links(state, at),
        "broken_glass": [
            {"by": a.by, "plan": a.plan, "reason": a.reason, "review": a.review, "reviewed_by": a.reviewed_by}
            for a in state.broken
        ],
    }  # fmt: skip


@app.command(rich_help_panel="Incidents")
def status(
    incident: Annotated[
        str, typer.Argument(help="Its id; else the only open one, else all.", metavar="[INCIDENT]")
    ] = "",
    at: Annotated[
        str, typer.Option(help="As of that moment, past or future: 02:03, 10m (ago), +2h.", metavar="TIME")
    ] = "",
    json: Json = False,
) -> None:
    """Show what is known: the incident, who owes what by when, what was seen last, the changes in force."""
    here = office()
    then = moment("--at", at, here.now(), future=True) if at else None
    records = [here.store.get(incident)] if incident else here.store.unresolved()
    if json:
        return screen.document(
            [document(each, then) for each in records] if len(records) != 1 else document(records[0], then)
        )
    if not records:
        return screen.say(f"no incident is open{_last(here)}")
    for record in records:
        state = _state(record, then)
        _show(state, record, then or here.now(state))
        _look(_links(state, then))
    return None


def _links(state: "State", then: datetime | None) -> "tuple[Link, ...]":
    """Return where to look, up to *then*, else to now."""
    from firstwatch.publish.around import Around

    return Around.here().links(state, then or datetime.now(UTC))


def _look(links: "tuple[Link, ...]") -> None:
    for each in links:
        screen.say(f"[dim]{each.name}, {each.about}: {screen.safe(each.url)}[/]")


def _last(here: Office) -> str:
    """Return where the incident is that was resolved last: it is watched, and its post-mortem is owed."""
    try:
        return f"; firstwatch status {here.store.resolved_last().id} shows what is owed of the last one"
    except NotFound:
        return ""


def _state(record: "Record", at: datetime | None) -> "State":
    """Return what the record says, or what it said *at* a moment of its world."""
    from firstwatch.record.incident import fold
    from firstwatch.record.journal import read
    from firstwatch.record.people import pace

    if at is None:
        return record.incident()
    events = tuple(read(record.journal))
    goes = pace(events)
    return fold(each for each in events if goes.world(each.time) <= at)


def _show(state: "State", record: "Record", now: datetime) -> None:
    practice = "  [yellow]PRACTICE[/]" if state.practice else ""
    title = screen.safe(state.title or "not declared")
    screen.say(f"[bold]{record.id}[/]  {state.severity or '-'}  {state.status}  {title}{practice}")
    if state.impact:
        screen.say(f"impact: {screen.safe(state.impact)}")
    if state.pace.rate != 1:
        screen.say(
            f"[yellow]the clock of this game day is {state.pace.rate:g} times as fast[/]: {screen.when(now)} there"
        )
    if state.people.roles:
        screen.say(", ".join(f"{role}: {screen.safe(who)}" for role, who in state.people.roles.items()))
    owing.show(owing.owed(state, now), now)
    owing.advise(state, now)
    screen.findings(state.findings)
    for sight in state.bad_before:
        said = f"{screen.safe(sight.finding.probe)}  {screen.safe(sight.finding.seen)}"
        screen.say(f"  [dim]at {screen.when(state.pace.world(sight.at))}, not looked at since:[/] [red]BAD[/]  {said}")
    runs = [
        (screen.when(state.pace.world(r.started)), r.runbook, r.mode, _run_state(r, record), r.by) for r in state.runs
    ]
    screen.rows(("STARTED", "RUN", "MODE", "STATE", "BY"), runs)
    for jump in state.jumps:
        screen.say(f"[yellow]the times mislead[/]: {screen.safe(jump)}; the order is right")
    for change in state.in_force:
        screen.say(_stands(change))
    for each in state.broken:
        screen.say(_glass(each))


def _glass(broken: "Approval") -> str:
    """Return who broke the glass and why; loud until somebody has reviewed it."""
    said = f"by {screen.safe(broken.by)}, plan {broken.plan}: {screen.safe(broken.reason)}"
    if broken.waits:
        return f"[bold red]BREAK-GLASS[/] {said}  [dim]waits for a review: firstwatch review {broken.plan} TEXT[/]"
    return f"BREAK-GLASS {said}  [dim]reviewed by {screen.safe(broken.reviewed_by)}: {screen.safe(broken.review)}[/]"


def _stands(change: "Applied") -> str:
    """Return how a change in force, or in doubt, stands, and the command that goes on from there."""
    what = f"{change.plan.action} {screen.safe(change.plan.target)}"
    if change.in_doubt:
        return f"[bold red]in doubt[/]: {what}, its outcome is not known  [dim]firstwatch resume[/]"
    drift = f", changed since: {screen.safe(change.drift[0])}" if change.drift else ""
    owner = f", {screen.safe(change.owner)} answers until {screen.when(change.owned_until)}" if change.owner else ""
    return f"in force: {what} ({change.result or 'unknown'}{drift}{owner})  [dim]firstwatch undo {change.key}[/]"


def _run(run: "Run", record: "Record") -> dict[str, Any]:
    return {"run": run.id, "runbook": run.runbook, "state": _run_state(run, record), "cells": dict(run.cells)}


def _run_state(run: "Run", record: "Record") -> str:
    """Return the run's state; one without an end is running only while its process lives."""
    from firstwatch.record.journal import read
    from firstwatch.runs.resume import NOT_RECORDED, alive

    if run.state != "running":
        return run.state
    started = next(e for e in read(record.journal) if e.kind == "run-started" and e.run == run.id)
    return "running" if alive(started) else NOT_RECORDED


@app.command(rich_help_panel="Incidents")
def resolve(
    summary: Annotated[str, typer.Argument(help="What was wrong and what mended it, in a sentence.")],
    incident: Incident = "",
    cause: Annotated[str, typer.Option(help="The cause, as far as it is known; for the team.")] = NOT_KNOWN,
    customers_cause: Annotated[str, typer.Option(help="The cause, without technical words; for customers.")] = (
        "We are still looking into the cause"
    ),
    prevention: Annotated[str, typer.Option(help="What will prevent it from now on; for customers.")] = (
        "We are reviewing what happened and will act on it"
    ),
    acting_as: As = "",
    json: Json = False,
) -> None:
    """
    Say that the incident is over, to all who were told of it. Changes in force are listed: they still need an owner.

    What customers read waits until somebody has approved it: `firstwatch preview`.
    """
    end = telling.ending(summary, cause, customers_cause, prevention)
    here = office(acting_as)
    record = here.store.single(incident)
    left = record.incident().unowned
    known = {"cause": end.cause} if cause != NOT_KNOWN else {}
    here.writer.journal(record).append("resolved", {"summary": end.summary} | known)
    lines = [f"\n  in force, and nobody answers for it: {c.plan.action} {c.plan.target} ({c.key})" for c in left]
    telling.resolved(here, record, end)
    changed(record, json=json, text=f"resolved{''.join(lines)}")
    raise typer.Exit(telling.told(record, json=json))


@app.command(rich_help_panel="Incidents")
def reopen(
    reason: Annotated[str, typer.Option(help="What came back.")],
    incident: Annotated[str, typer.Argument(help="Its id; else the one that was resolved last.")] = "",
    acting_as: As = "",
    json: Json = False,
) -> None:
    """
    Open a resolved incident again, and tell all who are told of a declaration.

    Its clocks begin anew, and the monitoring window with the next resolution.
    """
    from firstwatch.record.incident import fold

    why, here = needed("--reason", reason), office(acting_as)
    record = here.store.get(incident) if incident else here.store.resolved_last()

    def again(state: "State") -> dict[str, str]:
        if state.status not in ("resolved", "closed"):
            raise BadParameter(f"incident {state.id} is {state.status}: it is open already")
        return {"reason": why}

    here.writer.journal(record).decided("reopened", lambda events: again(fold(events)))
    telling.reopened(here, record)
    changed(record, json=json, text="reopened")
    raise typer.Exit(telling.told(record, json=json))
