"""`runbooks`, `show` and `run`."""

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from firstwatch.cli import screen
from firstwatch.cli.app import As, Incident, Json, Office, app, office
from firstwatch.errors import BadParameter
from firstwatch.model import Mode, Plan

if TYPE_CHECKING:
    from firstwatch.record.event import Event
    from firstwatch.record.journal import Journal
    from firstwatch.record.store import Record
    from firstwatch.runs.catalog import Runbook
    from firstwatch.runs.supervisor import Ended, Order


TOLD = ("looked", "verified", "planned", "gate", "outcome", "skewed")  # what is said while a run goes on


def _names() -> list[str]:
    from firstwatch.runs import catalog

    return catalog.names(catalog.root())


@app.command("runbooks", rich_help_panel="Runbooks")
def list_runbooks(json: Json = False) -> None:
    """List the runbooks: what each is for, and whether it changes anything."""
    from firstwatch.runs import catalog

    books = [catalog.find(name) for name in _names()]
    if json:
        return screen.document([{"name": b.name, "kind": b.kind, "title": b.title, **b.metadata} for b in books])
    return screen.rows(
        ("RUNBOOK", "CHANGES", "FOR"), [(b.name, "yes" if b.kind == "mitigate" else "-", b.title) for b in books]
    )


@app.command(rich_help_panel="Runbooks")
def show(
    runbook: Annotated[str, typer.Argument(help="For example mitigate/rollback.", autocompletion=_names)],
    json: Json = False,
) -> None:
    """Show a runbook as a procedure: when to use it, its parameters, its steps."""
    from firstwatch.runs import catalog, parameters

    book = catalog.find(runbook)
    declared = parameters.declared(book)
    if json:
        return screen.document({"name": book.name, "title": book.title, **book.metadata, "parameters": declared})
    screen.say(f"[bold]{screen.safe(book.title)}[/]\n\n{screen.safe(book.about)}\n")
    screen.rows(("PARAMETER", "TYPE", "DEFAULT", ""), [(p.name, p.type, repr(p.default), p.help) for p in declared])
    return screen.say(f"\n[dim]firstwatch run {book.name}[/]")


@app.command(rich_help_panel="Runbooks")
def run(
    runbook: Annotated[str, typer.Argument(help="For example investigate/first-five-minutes.", autocompletion=_names)],
    incident: Incident = "",
    parameter: Annotated[list[str] | None, typer.Option("-p", help="A parameter.", metavar="NAME=VALUE")] = None,
    file: Annotated[Path | None, typer.Option("-f", help="Parameters from a TOML file.", metavar="FILE")] = None,
    apply: Annotated[bool, typer.Option("--apply", help="May change things, once a plan is approved.")] = False,
    deadline: Annotated[str, typer.Option(help="End the run after this long: 90s, 10m, 2h.")] = "10m",
    replay: Annotated[
        bool, typer.Option("--replay", help="Against its recording: nothing is asked or changed.")
    ] = False,
    broken: Annotated[
        str, typer.Option(help="With --replay: break one system, such as prometheus=slow.", metavar="SYSTEM=WAY")
    ] = "",
    recording: Annotated[Path | None, typer.Option(help="Record what the systems answer.", metavar="DIR")] = None,
    acting_as: As = "",
    json: Json = False,
) -> None:
    """
    Run a runbook, and leave it in the record.

    Without an incident one is opened. A runbook that changes things only plans, unless `--apply` is given; then it
    stops at the gate until somebody else approves its plan, and running it again goes on from there.

    Examples:

        firstwatch run investigate/first-five-minutes

        firstwatch run mitigate/rollback --apply

        firstwatch run mitigate/rollback -p to_revision=5 --apply -i 2026-11-24-020304
    """
    from firstwatch.runs import catalog

    book = catalog.find(runbook)
    here = office(acting_as)
    order = _order(
        book, here, parameter or [], file, apply=apply, deadline=deadline, replay=replay, recording=recording
    )
    order = replace(order, broken=_broken(order, broken)) if broken else order
    ended, record = perform(here, order, incident, json=json)
    raise typer.Exit(ended.exit or _pending(book, record, json=json))


def _pending(book: "Runbook", record: "Record", *, json: bool) -> int:
    """Return 9 when a runbook that tells people left a text that has not arrived."""
    from firstwatch.cli.telling import told

    return told(record, json=json) if book.kind == "coordinate" else 0


def perform(here: Office, order: "Order", incident: str, *, json: bool) -> "tuple[Ended, Record]":
    """Run *order* into its record, and print what came of it."""
    journal, record = _journal(here, order, incident)
    ended = _execute(order, journal, record, quiet=json)
    _report(ended, record, order.runbook.name, journal.run, json=json)
    return ended, record


def applying(name: str, here: Office, given: list[str]) -> "Order":
    """Return the order that runs *name* with the parameters *given*, and may change things."""
    from firstwatch.runs import catalog

    return _order(catalog.find(name), here, given, None, apply=True, deadline="10m", replay=False, recording=None)


def _order(
    book: "Runbook", here: Office, given: list[str], file: Path | None, *, apply: bool, deadline: str, replay: bool,
    recording: Path | None,
) -> "Order":  # fmt: skip
    from firstwatch.clock import duration
    from firstwatch.runs import parameters
    from firstwatch.runs.supervisor import Order, code_cells

    code_cells(book)
    values = parameters.values(book, _from_file(file) | dict(parameters.assignments(given)))
    mode = Mode.APPLY if apply else Mode.OBSERVE
    known = {each.name for each in parameters.declared(book)}
    own = {"service": "" if replay else here.configured().service.name, "mode": mode.value}
    try:
        seconds = duration(deadline).total_seconds()
    except ValueError as error:
        raise BadParameter(f"--deadline: {error}") from error
    return Order(
        runbook=book, parameters=values | {k: v for k, v in own.items() if k in known}, mode=mode, deadline_s=seconds,
        replay=str(book.recording) if replay else "", recording=str(recording.absolute()) if recording else "",
    )  # fmt: skip


def _broken(order: "Order", text: str) -> str:
    """Return *text* when it says what to break in the replay of *order*; BadParameter otherwise."""
    from firstwatch.systems.broken import Broken
    from firstwatch.systems.tape import Tape

    if not order.replay:
        raise BadParameter("--broken breaks a system in a replay: give --replay too")
    Broken.parse(text, Tape.load(Path(order.replay)).header)
    return text


def _from_file(file: Path | None) -> dict[str, Any]:
    from firstwatch import settings
    from firstwatch.runs import parameters

    return settings.toml(file, "the parameters of -f", parameters.MOST_BYTES) if file else {}


def _journal(here: Office, order: "Order", incident: str) -> "tuple[Journal, Record]":
    """Return the journal of the run's record, opening a record when none is open; a replay's is never an incident's."""
    from firstwatch.record.journal import new_run
    from firstwatch.record.store import Store

    if order.replay:
        from platformdirs import user_state_path

        record = Store(user_state_path("firstwatch") / "replays").open(here.writer, {"replay": True})
    else:
        record = here.store.over(incident) if order.runbook.kind == "review" else _record(here, incident)
    return here.writer.journal(record, new_run()), record


def _record(here: Office, incident: str) -> "Record":
    from firstwatch.runs.scene import opening
    from firstwatch.systems import connect

    if incident or here.store.unresolved():
        return here.store.single(incident)
    settings = here.configured()
    with connect(settings) as systems:
        return here.store.open(here.writer, opening(settings, systems.cluster.context))


def _execute(order: "Order", journal: "Journal", record: "Record", *, quiet: bool) -> "Ended":
    from firstwatch.publish import pages
    from firstwatch.runs import supervisor

    os.environ["FIRSTWATCH_RECORDS"] = str(record.folder.parent)
    with screen.busy(f"{order.runbook.name}, incident {record.id}") as tell:
        ended = supervisor.run(order, journal, _progress(tell, order, quiet=quiet))
        tell("writing the page")
        pages.write(record)
    return ended


def _progress(tell: Any, order: "Order", *, quiet: bool) -> Any:
    def told(event: "Event") -> None:
        if event.kind == "cell" and event.body["state"] == "running":
            tell(f"{order.runbook.name}: {event.body['id']}")
        elif event.kind in TOLD and not quiet:
            screen.err.print(f"[dim]{screen.when(event.time)}[/] {screen.safe(_told(event))}", soft_wrap=True)

    return told


def _told(event: "Event") -> str:
    """Return what is told while a run goes on: of a look only the counts, as the findings are shown at its end."""
    from firstwatch.record.sentences import describe

    said = describe(event)
    return said.partition(". First: ")[0] if event.kind in ("looked", "verified") else said


def _report(ended: "Ended", record: "Record", name: str, run_id: str, *, json: bool) -> None:
    incident = ended.incident
    if json:
        return screen.document(_document(ended, record, name, run_id))
    screen.say("")
    screen.findings(incident.findings)
    for change in incident.in_force:
        screen.say(f"  in force: {change.plan.action} {change.plan.target}  [dim]firstwatch undo {change.key}[/]")
    state = f"[bold]{ended.state}[/]" + (f": {screen.safe(ended.why)}" if ended.why else "")
    screen.say(f"\n{name} {state}\nincident {incident.id}   page {record.folder / 'page.md'}")
    return None


def _document(ended: "Ended", record: "Record", name: str, run_id: str) -> dict[str, Any]:
    incident = ended.incident
    plan = next((each for each in reversed(incident.plans) if each.changes), None)
    outcome = next((c.result for c in reversed(incident.changes) if plan and c.plan.hash == plan.hash), None)
    return {
        "incident": incident.id, "run": run_id, "runbook": name, "status": ended.state, "exit": ended.exit,
        "why": ended.why, "record": str(record.folder), "findings": incident.findings, "outcome": outcome,
        "plan": _plan_document(plan) if plan else None,
    }  # fmt: skip


def _plan_document(plan: Plan) -> dict[str, Any]:
    return {"hash": plan.hash, "action": plan.action, "target": str(plan.target), "summary": plan.summary}
