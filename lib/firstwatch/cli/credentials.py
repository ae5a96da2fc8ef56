"""`credential-used`: a shared credential was taken, by whom and why; from then on somebody owes its rotation."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from firstwatch.cli import screen, telling
from firstwatch.cli.acting import needed
from firstwatch.cli.app import As, Incident, Json, Office, app, office
from firstwatch.errors import BadParameter, NotFound, nearest

if TYPE_CHECKING:
    from firstwatch.record.incident import Incident as State
    from firstwatch.record.store import Record
    from firstwatch.settings import Shared


@app.command("credential-used", rich_help_panel="Incidents")
def credential_used(
    name: Annotated[str, typer.Argument(help="Its name, as in [[credentials]]: never the credential itself.")],
    reason: Annotated[str, typer.Option(help="What it was needed for.")],
    incident: Incident = "",
    acting_as: As = "",
    json: Json = False,
) -> None:
    """
    Record that you used a shared or break-glass credential. Its rotation becomes an action item, with a ticket.

    Only its name is kept. Who used it twice before it was rotated owes one rotation.

    Example:

        firstwatch credential-used aws-root --reason "nobody with the mitigate role can be reached"
    """
    here, why = office(acting_as), needed("--reason", reason)
    used = _known(here, name)
    record = here.store.single(incident) if incident or here.store.unresolved() else here.store.resolved_last()
    item = _owed(here, record, used)
    rotation = f"{record.id}/{item['id']}"
    here.writer.journal(record).append("credential-used", {"name": used.name, "reason": why, "rotation": rotation})
    _told(here, record, item)
    if json:
        screen.document({"id": record.id, "name": used.name, "reason": why, "rotation": item | {"id": rotation}})
    else:
        screen.say(f"incident [bold]{record.id}[/]: {used.name} was used by {screen.safe(here.writer.actor.name)}")
        screen.say(f"  {screen.safe(item['action'])}: {screen.safe(item['owner'])}, by {item['due']} ({rotation})")
        screen.say(f"  [dim]it is kept in: {screen.safe(used.reference)}[/]")
    raise typer.Exit(telling.told(record, json=json))


def _known(here: Office, name: str) -> "Shared":
    """Return the credential called *name*; a reference that is itself a secret is refused before it is shown."""
    from firstwatch.record.redact import redacted

    listed = {each.name: each for each in here.configured().credentials}
    if name not in listed:
        how = "add it to [[credentials]] in firstwatch.toml, with its name and where it is kept"
        raise NotFound(f"there is no shared credential of that name; {nearest(name, list(listed))}; {how}")
    if redacted(listed[name].reference) != listed[name].reference:
        raise BadParameter(
            f"[[credentials]] {name}: its reference looks like a secret; say where it is, not what it is"
        )
    return listed[name]


def _owed(here: Office, record: "Record", used: "Shared") -> dict[str, Any]:
    """Record who rotates it by when, unless that is owed already; return the action item."""
    from firstwatch.model import plain
    from firstwatch.record.incident import fold

    due = here.writer.clock.now().date() + timedelta(days=used.rotate_days)
    body = {
        "action": f"Rotate the shared credential {used.name}, and review its use", "due": due.isoformat(),
        "owner": used.owner or here.writer.actor.name, "priority": "High", "state": "open",
    }  # fmt: skip
    known = _open(record.incident(), used)
    if known is not None:
        return {name: str(plain(getattr(known, name))) for name in ("id", *body)}

    def numbered(state: "State") -> dict[str, Any]:
        before = sum(each.id.startswith(_prefix(used)) for each in state.people.todo)
        return {"id": f"{_prefix(used)}{before + 1}"} | body

    return here.writer.journal(record).decided("action-item", lambda events: numbered(fold(events))).body


def _open(state: "State", used: "Shared") -> Any:
    mine = (each for each in state.people.todo if each.id.startswith(_prefix(used)) and each.state == "open")
    return next(mine, None)


def _prefix(used: "Shared") -> str:
    return f"rotate-{used.name}."


def _told(here: Office, record: "Record", item: dict[str, Any]) -> None:
    from firstwatch.channels import announce
    from firstwatch.publish import pages

    telling.tell(here, record, [announce.item(record.id, item)])
    pages.write(record)
