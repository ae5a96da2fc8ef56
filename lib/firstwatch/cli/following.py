"""What is done about an incident: `action` and `actions`, until each is done."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from firstwatch.cli import screen, telling
from firstwatch.cli.acting import needed
from firstwatch.cli.app import As, Incident, Json, Office, app, office
from firstwatch.cli.closing import after
from firstwatch.cli.learning import keep, report_of, text_of
from firstwatch.errors import BadParameter, NotFound, RecordUnreadable, nearest

if TYPE_CHECKING:
    from firstwatch.policy.facts import Item
    from firstwatch.record.incident import Incident as State
    from firstwatch.record.store import Record

PRIORITIES = ("High", "Medium", "Low")


@app.command(rich_help_panel="Learning")
def action(
    text: Annotated[str, typer.Argument(help="What will be done.")],
    owner: Annotated[str, typer.Option(help="Who will do it: one name.", metavar="NAME")],
    due: Annotated[str, typer.Option(help="By when: 2026-12-01, or 14d.", metavar="DATE")],
    priority: Annotated[str, typer.Option(help=f"{', '.join(PRIORITIES)}.")] = "Medium",
    corrects: Annotated[str, typer.Option(help="The item that this one takes the place of.", metavar="ID")] = "",
    incident: Incident = "",
    acting_as: As = "",
    json: Json = False,
) -> None:
    """
    Add an action item of the post-mortem, and file it in the tracker. Nobody's, or without a date, is none.

    Example:

        firstwatch action "Add a timeout to the catalog's client" --owner responder-2 --due 14d --priority High
    """
    here = office(acting_as)
    record = _of(here, incident, corrects)
    ranks = {each.lower(): each for each in PRIORITIES}
    if priority.lower() not in ranks:
        raise BadParameter(f"--priority {priority!r}; {nearest(priority, list(PRIORITIES))}")
    until = _day(due, here.now(record.incident()).date())
    said = {"action": needed("the action", text), "owner": needed("--owner", owner), "state": "open",
            "priority": ranks[priority.lower()], "due": until.isoformat()}  # fmt: skip
    _blameless(here, record, said["action"])
    item = _added(here, record, said, corrects)
    _file(here, record, item)
    _renewed(here, record)
    if json:
        screen.document(item | {"id": f"{record.id}/{item['id']}"})
    else:
        shown = f"{screen.safe(item['action'])}; {screen.safe(item['owner'])}, due {item['due']}"
        screen.say(f"action item [bold]{record.id}/{item['id']}[/]: {shown}")
    raise typer.Exit(telling.told(record, json=json))


def _of(here: Office, incident: str, item: str) -> "Record":
    """Return the record of the action item *item*, else of *incident*, else the one that was resolved last."""
    return here.store.get(item.partition("/")[0]) if item else after(here, incident)


def _day(text: str, today: date) -> date:
    from firstwatch.clock import duration

    try:
        day = today + duration(text) if text[-1:] in tuple("dh") else date.fromisoformat(text)
    except (ValueError, OverflowError) as error:
        raise BadParameter(f"--due {text!r} is not a day such as 2026-12-01 or 14d") from error
    if day < today:
        raise BadParameter(f"--due {day} is past")
    return day


def _blameless(here: Office, record: "Record", text: str) -> None:
    from firstwatch.publish.proofread import passage

    for wrong in passage(text, report_of(here, record).names):
        raise BadParameter(f"the action: {wrong}")


def _added(here: Office, record: "Record", said: dict[str, Any], corrects: str) -> dict[str, Any]:
    """Record the item, under the next number or in the place of the one that it corrects, and return its body."""
    from firstwatch.record.incident import fold

    def decide(state: "State") -> dict[str, Any]:
        known = state.people.todo
        number = _item(state, corrects).id if corrects else str(len(known) + 1)
        return {"id": number} | said

    return here.writer.journal(record).decided("action-item", lambda events: decide(fold(events))).body


def _item(state: "State", item: str) -> "Item":
    known = {f"{state.id}/{each.id}": each for each in state.people.todo}
    if item not in known:
        raise NotFound(f"there is no action item {item!r}; {nearest(item, list(known))}")
    return known[item]


def _file(here: Office, record: "Record", item: dict[str, Any]) -> None:
    """Queue the ticket of *item*; one that has a ticket already gets no second one."""
    from firstwatch.channels import announce

    telling.tell(here, record, [announce.item(record.id, item)])


def _renewed(here: Office, record: "Record") -> None:
    """Show in the post-mortem, if it has been begun, how its action items stand; its state stays as it is."""
    from firstwatch.publish import pages

    report, before = report_of(here, record), text_of(record)
    if not (before and report.facts.written):
        pages.write(record)
        return
    state = report.facts.written[-1].state
    keep(here, record, report.version(before, state), state)


@app.command(rich_help_panel="Learning")
def actions(
    incident: Annotated[str, typer.Argument(help="Only its items; else all.", metavar="[INCIDENT]")] = "",
    done: Annotated[str, typer.Option(help="This one is done.", metavar="ID")] = "",
    evidence: Annotated[str, typer.Option(help="What shows it: a link to the commit, page or alert.")] = "",
    every: Annotated[bool, typer.Option("--all", help="Those that are done, too.")] = False,
    acting_as: As = "",
    json: Json = False,
) -> None:
    """
    Show the action items of all post-mortems until they are done, the most overdue first.

    Example:

        firstwatch actions --done 2026-11-24-020304/1 --evidence https://github.com/example/api/commit/4f2a9c1
    """
    if bool(done) is not bool(evidence.strip()):
        raise BadParameter("--done and --evidence belong together: what shows that it is done?")
    here = office(acting_as)
    if done:
        _done(here, done, needed("--evidence", evidence))
    records = [here.store.get(incident)] if incident else here.store.records()
    today = here.now().date()
    items = sorted(_items(records, every=every or bool(done)), key=lambda each: (each[1].state, each[1].due))
    if json:
        return screen.document([_shown(record, each, ticket, today) for record, each, ticket in items])
    if not items:
        return screen.say("no action item is open")
    rows = [_row(_shown(record, each, ticket, today)) for record, each, ticket in items]
    return screen.rows(("ITEM", "ACTION", "OWNER", "DUE", "PRIORITY", "STATE", "TICKET"), rows)


def _done(here: Office, item: str, evidence: str) -> None:
    from firstwatch.record.incident import fold

    record = _of(here, "", item)

    def decide(state: "State") -> dict[str, Any]:
        each = _item(state, item)
        return {"id": each.id, "action": each.action, "owner": each.owner, "due": each.due.isoformat(),
                "priority": each.priority, "state": "done", "evidence": evidence}  # fmt: skip

    here.writer.journal(record).decided("action-item", lambda events: decide(fold(events)))
    _renewed(here, record)


def _items(records: "Iterable[Record]", *, every: bool) -> "Iterator[tuple[str, Item, str]]":
    """Yield each item with its record's id and its ticket; a record that cannot be read is named, and passed over."""
    for record in records:
        try:
            facts = record.incident().people
        except RecordUnreadable as error:
            screen.err.print(f"[yellow]UNKNOWN[/] {record.id}: {screen.safe(error)}", soft_wrap=True)
            continue
        yield from ((record.id, e, facts.filed.get(e.id, "")) for e in facts.todo if every or e.state == "open")


def _shown(record: str, item: "Item", ticket: str, today: date) -> dict[str, Any]:
    return {
        "id": f"{record}/{item.id}", "action": item.action, "owner": item.owner, "due": item.due.isoformat(),
        "priority": item.priority, "state": "overdue" if item.overdue(today) else item.state,
        "overdue_days": (today - item.due).days if item.overdue(today) else 0, "ticket": ticket,
        "evidence": item.evidence,
    }  # fmt: skip


def _row(shown: dict[str, Any]) -> tuple[str, ...]:
    late = f"overdue {shown['overdue_days']} d" if shown["overdue_days"] else shown["state"]
    where = shown["ticket"] or "not filed yet"
    return (*(shown[name] for name in ("id", "action", "owner", "due", "priority")), late, shown["evidence"] or where)
