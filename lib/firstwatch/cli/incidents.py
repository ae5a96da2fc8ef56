"""`declare`, `status`, `note` and `resolve`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from firstwatch.cli import screen
from firstwatch.cli.app import As, Incident, Json, Office, app, office
from firstwatch.errors import BadParameter
from firstwatch.model import severity as parse_severity

if TYPE_CHECKING:
    from firstwatch.record.incident import Incident as State
    from firstwatch.record.incident import Run
    from firstwatch.record.store import Record

SOURCES = ("alert", "customer", "team", "third-party")
MOST_LETTERS = 200


@app.command(rich_help_panel="Incidents")
def declare(
    title: Annotated[str, typer.Argument(help="What is wrong, in a few words.")],
    impact: Annotated[str, typer.Option(help="What customers feel. It must not be empty.")],
    severity: Annotated[str, typer.Option(help="SEV1 to SEV4.", metavar="SEVn")] = "SEV2",
    source: Annotated[str, typer.Option(help=f"Who noticed: {', '.join(SOURCES)}.")] = "team",
    incident: Incident = "",
    acting_as: As = "",
    json: Json = False,
) -> None:
    """
    Declare an incident, on the record that is open, or on a new one.

    Example:

        firstwatch declare "API errors" --impact "6 of 10 requests fail" --severity SEV1 --source alert
    """
    body = _declaration(title, impact, severity, source)
    here = office(acting_as)
    record = _declarable(here, incident)
    here.writer.journal(record).append("declared", body)
    _changed(record, json=json, text=f"declared {body['severity']}: {screen.safe(body['title'])}")


def _declaration(title: str, impact: str, severity: str, source: str) -> dict[str, str]:
    for name, text in (("title", title), ("--impact", impact)):
        if not text.strip():
            raise BadParameter(f"{name} is empty: people act on it")
        if len(text) > MOST_LETTERS:
            raise BadParameter(f"{name} has {len(text)} letters; {MOST_LETTERS} are the most")
    if source not in SOURCES:
        raise BadParameter(f"--source {source!r} is not one of {', '.join(SOURCES)}")
    return {"title": title.strip(), "impact": impact.strip(), "severity": parse_severity(severity), "source": source}


def _declarable(here: Office, incident: str) -> "Record":
    from firstwatch.runs.scene import opening
    from firstwatch.systems import connect

    if incident or here.store.unresolved():
        record = here.store.single(incident)
        if record.incident().declared_at:
            raise BadParameter(f"incident {record.id} is declared already; resolve it first, or note what is new")
        return record
    settings = here.configured()
    return here.store.open(here.writer, opening(settings, connect(settings).cluster.context))


def _changed(record: "Record", *, json: bool, text: str) -> None:
    """Render the page of *record*, which has just changed, and say so."""
    from firstwatch.publish import pages

    pages.write(record)
    if json:
        return screen.document(document(record))
    return screen.say(f"incident [bold]{record.id}[/]: {text}")


def document(record: "Record") -> dict[str, Any]:
    """Return what `--json` shows of an incident."""
    state = record.incident()
    return {
        "id": record.id, "declared_at": state.declared_at, "severity": state.severity, "status": state.status,
        "title": state.title, "impact": state.impact, "practice": state.practice, "record": str(record.folder),
        "duties": [], "findings": state.findings,
        "runs": [{"run": r.id, "runbook": r.runbook, "state": _run_state(r, record)} for r in state.runs],
        "changes_in_force": [
            {"change": c.key, "action": c.plan.action, "target": str(c.plan.target)} for c in state.in_force
        ],
        "in_doubt": [c.key for c in state.in_doubt],
    }  # fmt: skip


@app.command(rich_help_panel="Incidents")
def status(
    incident: Annotated[
        str, typer.Argument(help="Its id; else the only open one, else all.", metavar="[INCIDENT]")
    ] = "",
    json: Json = False,
) -> None:
    """Show what is known: the incident, its runs, what was seen last, the changes in force."""
    here = office()
    records = [here.store.get(incident)] if incident else here.store.unresolved()
    if json:
        return screen.document([document(each) for each in records] if len(records) != 1 else document(records[0]))
    if not records:
        return screen.say("no incident is open")
    for record in records:
        _show(record.incident(), record)
    return None


def _show(state: "State", record: "Record") -> None:
    practice = "  [yellow]PRACTICE[/]" if state.practice else ""
    title = screen.safe(state.title or "not declared")
    screen.say(f"[bold]{record.id}[/]  {state.severity or '-'}  {state.status}  {title}{practice}")
    if state.impact:
        screen.say(f"impact: {screen.safe(state.impact)}")
    screen.findings(state.findings)
    runs = [(screen.when(r.started), r.runbook, r.mode, _run_state(r, record), r.by) for r in state.runs]
    screen.rows(("STARTED", "RUN", "MODE", "STATE", "BY"), runs)
    for change in state.in_force:
        result = change.result or "no outcome recorded"
        screen.say(
            f"in force: {change.plan.action} {change.plan.target} ({result})  [dim]firstwatch undo {change.key}[/]"
        )


def _run_state(run: "Run", record: "Record") -> str:
    """Return the run's state; one without an end is running only while its process lives."""
    import psutil

    from firstwatch.record.journal import read

    if run.state != "running":
        return run.state
    started = next(e for e in read(record.journal) if e.kind == "run-started" and e.run == run.id)
    alive = psutil.pid_exists(started.body.get("pid", -1))
    return "running" if alive else "end not recorded"


@app.command(rich_help_panel="Incidents")
def note(
    text: Annotated[str, typer.Argument(help="What happened, was decided or ruled out.")],
    incident: Incident = "",
    acting_as: As = "",
    json: Json = False,
) -> None:
    """Add a line to the timeline."""
    if not text.strip():
        raise BadParameter("the note is empty")
    here = office(acting_as)
    record = here.store.single(incident)
    here.writer.journal(record).append("note", {"text": text.strip()[:4000]})
    _changed(record, json=json, text="noted")


@app.command(rich_help_panel="Incidents")
def resolve(
    summary: Annotated[str, typer.Argument(help="What was wrong and what mended it, in a sentence.")],
    incident: Incident = "",
    acting_as: As = "",
    json: Json = False,
) -> None:
    """Say that the incident is over. Changes in force are listed: they still need an owner."""
    if not summary.strip():
        raise BadParameter("the summary is empty")
    here = office(acting_as)
    record = here.store.single(incident)
    in_force = record.incident().in_force
    here.writer.journal(record).append("resolved", {"summary": summary.strip()[:4000]})
    _changed(
        record, json=json, text="resolved" + "".join(f"\n  in force: {c.plan.action} {c.plan.target}" for c in in_force)
    )
