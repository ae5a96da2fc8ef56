"""`update`, `outbox`, `preview` and `approve-text`."""

import sys
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from firstwatch.cli import screen
from firstwatch.cli.acting import Acting, acting
from firstwatch.cli.app import As, Incident, Json, Office, app, office
from firstwatch.cli.telling import desk_of, outbox_of, tell, told
from firstwatch.errors import BadParameter, GateClosed, NotFound, nearest
from firstwatch.model import Severity, timestamp
from firstwatch.record import conduct
from firstwatch.record.conduct import STATUSES

if TYPE_CHECKING:
    from firstwatch.channels.announce import Desk
    from firstwatch.channels.lint import Complaint
    from firstwatch.policy.facts import Update
    from firstwatch.record.incident import Incident as State
    from firstwatch.record.messages import Message
    from firstwatch.record.store import Record

LEAST_LETTERS = 10


@app.command(rich_help_panel="People")
def update(
    status: Annotated[str, typer.Option(help=f"{', '.join(STATUSES)}.", metavar="STATUS")] = "",
    summary: Annotated[str, typer.Option(help="What was learned, and what is being done.")] = "",
    impact: Annotated[str, typer.Option(help="What customers feel now; as declared when it is left out.")] = "",
    eta: Annotated[str, typer.Option(help="When it should be over.")] = "",
    actions: Annotated[str, typer.Option(help="What is done next.")] = "",
    next_: Annotated[str, typer.Option("--next", help="Until the next one; else the schedule.", metavar="15m")] = "",
    incident: Incident = "",
    acting_as: As = "",
    json: Json = False,
) -> None:
    """
    Tell people how it stands: the update numbers itself, and sets when the next one is due.

    What is missing is asked for on a terminal.

    Example:

        firstwatch update --status MITIGATING --summary "2.4.1 is bad" --eta "10 minutes" --actions "rolling back"
    """
    from firstwatch.channels import announce

    at = acting(incident, acting_as)
    record = at.record
    state = conduct.declared(record.incident())
    given = _Said(
        conduct.status(state, status), _asked("summary", summary), impact.strip() or state.impact, _asked("eta", eta),
        _asked("actions", actions),
    )  # fmt: skip
    desk = desk_of(at.here)
    made = _append(at, given, conduct.following(at.policy, Severity(state.severity), next_), desk)
    tell(at.here, record, announce.updated(record.incident(), made, desk))
    _rendered(record)
    if json:
        screen.document({
            "id": record.id, "update": made.number, "status": made.status, "next": made.next,
            "messages": [_document(each) for each in record.incident().messages],
        })  # fmt: skip
    else:
        screen.say(f"update #{made.number}; the next one is due at {screen.when(made.next)}")
    raise typer.Exit(told(record, json=json))


@dataclass(frozen=True, slots=True)
class _Said:
    """What an update says."""

    status: str
    summary: str
    impact: str
    eta: str
    actions: str


def _asked(name: str, given: str) -> str:
    """Return *given*, or what a person at a terminal answers; BadParameter when there is neither."""
    value = given.strip()
    if not value and sys.stdin.isatty():
        value = str(typer.prompt(name, err=True)).strip()
    if not value:
        raise BadParameter(f"--{name} is empty: people wait for it")
    return value


def _append(at: Acting, said: _Said, span: timedelta, desk: "Desk") -> "Update":
    """Record the update under the next free number, which nobody takes meanwhile: two at once get two numbers."""
    from firstwatch.channels import announce
    from firstwatch.policy.facts import Update

    def numbered(state: "State") -> dict[str, Any]:
        number, now = conduct.numbered(state), at.now
        trial = Update(at=now, by=at.me, number=number, next=now + span, **asdict(said))
        outbox_of(at.here, at.record).check(announce.updated(state, trial, desk))
        return {"number": number, **asdict(said), "next": timestamp(now + span)}

    number = at.event("update", numbered).body["number"]
    return next(each for each in at.record.incident().people.updates if each.number == number)


def _rendered(record: "Record") -> None:
    from firstwatch.publish import pages

    pages.write(record)


@app.command(rich_help_panel="People")
def outbox(
    retry: Annotated[bool, typer.Option("--retry", help="Try again to send what waits.")] = False,
    show: Annotated[
        str, typer.Option(help="Show one text, or all that has not arrived, to paste.", metavar="ID|all")
    ] = "",
    pasted: Annotated[str, typer.Option(help="You have pasted it.", metavar="ID")] = "",
    drop: Annotated[str, typer.Option(help="Do not send it.", metavar="ID")] = "",
    reason: Annotated[str, typer.Option(help="Why it is dropped.")] = "",
    incident: Incident = "",
    acting_as: As = "",
    json: Json = False,
) -> None:
    """
    List the texts of an incident and what became of each; try again, or paste them yourself.

    It ends with 9 while a channel has still to take one.
    """
    from firstwatch.channels.outbox import exit_code

    here = office(acting_as)
    record = _told_of(here, incident)
    box = outbox_of(here, record)
    if pasted:
        box.pasted(_message(record, pasted))
    if drop:
        box.drop(_message(record, drop), _asked("reason", reason))
    if retry:
        box.deliver()
    state = record.incident()
    if json:
        screen.document({"id": record.id, "messages": [_document(each) for each in state.messages]})
    elif show:
        _paste([_message(record, show)] if show != "all" else [m for m in state.messages if m.state != "delivered"])
    else:
        _list(state)
    raise typer.Exit(exit_code(state))


def _told_of(here: Office, incident: str) -> "Record":
    """Return the record named, the only open one, or, with none open, the newest: its last texts may still wait."""
    ids = here.store.ids()
    return here.store.single(incident) if incident or here.store.unresolved() or not ids else here.store.get(ids[-1])


def _message(record: "Record", prefix: str) -> "Message":
    messages = record.incident().messages
    found = [each for each in messages if prefix and each.id.startswith(prefix)]
    if len(found) != 1:
        hint = nearest(prefix, [each.id[:8] for each in messages])
        raise NotFound(f"incident {record.id} has no text {prefix!r}, or more than one; {hint}")
    return found[0]


def _document(message: "Message") -> dict[str, Any]:
    return {
        "id": message.id, "channel": message.channel, "to": message.to, "template": message.template,
        "state": message.state, "attempts": message.attempts, "receipt": message.receipt, "error": message.error,
        "approval": message.approval, "text": message.text,
    }  # fmt: skip


def _list(state: "State") -> None:
    from firstwatch.channels.outbox import waits

    lines = [
        (m.id[:8], m.channel, m.to, m.template, m.state, m.receipt or waits(m, state) or m.error)
        for m in state.messages
    ]  # fmt: skip
    screen.rows(("TEXT", "CHANNEL", "TO", "WHAT", "STATE", ""), lines)


def _paste(messages: "list[Message]") -> None:
    for each in messages:
        screen.say(f"[dim]── {each.channel}, {screen.safe(each.to)}, {each.template} ({each.state}) ──[/]")
        screen.say(f"{screen.safe(each.text)}\n")


@app.command(rich_help_panel="People")
def preview(
    text: Annotated[str, typer.Argument(help="Its id; else all that wait for approval.", metavar="[ID]")] = "",
    incident: Incident = "",
    json: Json = False,
) -> None:
    """Show a text for customers as it would be sent, and what should not be in it."""
    here = office()
    record = _told_of(here, incident)
    held = [each for each in record.incident().messages if each.held and each.state != "dropped"]
    found = [_message(record, text)] if text else held
    complaints = {each.id: _complaints(here, record, each) for each in found}
    if json:
        return screen.document([_document(m) | {"complaints": list(map(str, complaints[m.id]))} for m in found])
    for each in found:
        _paste([each])
        for complaint in complaints[each.id]:
            screen.say(f"  [bold red]{complaint.rule}[/] {screen.safe(str(complaint).partition(': ')[2])}")
        screen.say(f"[dim]firstwatch approve-text {each.id[:8]}[/]\n")
    return None if found else screen.say("no text waits for approval")


def _complaints(here: Office, record: "Record", message: "Message") -> "list[Complaint]":
    from firstwatch.channels import lint, switchboard

    state = record.incident()
    said = {each.template: each.fields for each in state.messages if each.template in ("declaration", "update")}
    said[message.template] = message.fields
    found = lint.check(message.template, message.text, switchboard.house(here.settings))
    return [*found, *(lint.impacts(Severity(state.severity), said) if state.severity else ())]


@app.command("approve-text", rich_help_panel="People")
def approve_text(
    text: Annotated[str, typer.Argument(help="Its id, as preview shows it.", metavar="ID")],
    confirm: Annotated[str, typer.Option(help="Why it may leave in spite of what was found.", metavar="REASON")] = "",
    incident: Incident = "",
    acting_as: As = "",
    json: Json = False,
) -> None:
    """
    Let a text for customers leave, after you have read it.

    When something was found that should not be in it, this stops (3). Somebody other than who wrote it can confirm it
    then, with a reason.
    """
    here = office(acting_as)
    record = _told_of(here, incident)
    message = _message(record, text)
    if not message.held:
        raise BadParameter(f"text {message.id[:8]} does not wait for an approval")
    _confirmed(_complaints(here, record, message), confirm, here, message)
    box = outbox_of(here, record)
    box.approve(message.id, reason=confirm.strip())
    box.deliver()
    _rendered(record)
    if json:
        screen.document(_document(_message(record, message.id)))
    else:
        screen.say(f"approved by {screen.safe(here.writer.actor.name)}: {_message(record, message.id).state}")
    raise typer.Exit(told(record, json=json))


def _confirmed(found: "list[Complaint]", confirm: str, here: Office, message: "Message") -> None:
    """Refuse a text with complaints, unless somebody else than its author confirms it with a reason."""
    from firstwatch.policy.gate import person

    if not found:
        return
    if len(confirm.strip()) < LEAST_LETTERS:
        raise GateClosed(f"{'; '.join(map(str, found))}. Write it anew, or say why it may leave: --confirm REASON")
    alone = bool(here.settings and here.settings.practice and here.settings.approval.self)
    if person(here.writer.actor.name) == person(message.by) and not alone:
        raise GateClosed(f"{message.by} wrote it; somebody else has to confirm it")
