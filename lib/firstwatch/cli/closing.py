"""`close`: the end of an incident, behind a gate of seven points."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from firstwatch.cli import screen
from firstwatch.cli.acting import needed
from firstwatch.cli.app import As, Json, Office, app, office
from firstwatch.errors import BadParameter, GateClosed

if TYPE_CHECKING:
    from firstwatch.record.closing import Closing
    from firstwatch.record.incident import Incident as State
    from firstwatch.record.store import Record

DOCUMENT = "attachments/initial-documentation.md"
After = Annotated[str, typer.Argument(help="Its id; else the one that was resolved last.", metavar="[INCIDENT]")]


def after(here: Office, incident: str) -> "Record":
    """Return the record that is named, else the one whose incident was resolved last."""
    return here.store.get(incident) if incident else here.store.resolved_last()


@app.command(rich_help_panel="Incidents")
def close(
    incident: After = "",
    override: Annotated[bool, typer.Option("--override", help="Close although points are missing.")] = False,
    reason: Annotated[str, typer.Option(help="Why it is closed although points are missing.")] = "",
    acting_as: As = "",
    json: Json = False,
) -> None:
    """
    Close a resolved incident, when the seven points of closure hold. What can be measured is measured.

    Else this stops (3) and says what is missing. `--override --reason` closes all the same, but never while a change is
    in force that nobody answers for. The record gets its initial documentation.

    Example:

        firstwatch run investigate/verify-recovery -i 2026-11-24-020304 -p reports=none

        firstwatch close 2026-11-24-020304
    """
    if override is not bool(reason.strip()):
        raise BadParameter("--override and --reason belong together: say why points are left out")
    why, here = needed("--reason", reason) if override else "", office(acting_as)
    record = after(here, incident)
    _closed(here, record, why)
    found = _document(here, record)
    if json:
        return screen.document(_said(record, found))
    left = f", although {len(found.missing)} of {len(found.points)} points are missing" if found.missing else ""
    screen.say(f"incident [bold]{record.id}[/]: closed{left}; documentation {found.completeness} % complete")
    return screen.say(f"  [dim]{screen.safe(record.folder / DOCUMENT)}\n  next: firstwatch postmortem {record.id}[/]")


def standing(here: Office, state: "State") -> "Closing":
    """Return how the closing stands now."""
    from firstwatch.policy import tables
    from firstwatch.record.closing import closing

    return closing(tables.load(here.path), state, here.now(state))


def _closed(here: Office, record: "Record", why: str) -> None:
    from firstwatch.record.incident import fold

    def decide(state: "State") -> dict[str, Any]:
        if state.status == "closed":
            raise BadParameter(f"incident {state.id} is closed already")
        found = standing(here, state)
        if found.obstacles or (found.missing and not why):
            raise GateClosed(_sentence(found))
        return {"reason": why, "missing": [each.id for each in found.missing], "completeness": found.completeness}

    here.writer.journal(record).decided("closed", lambda events: decide(fold(events)))


def _sentence(found: "Closing") -> str:
    lines = [*found.obstacles, *(f"{each.text} ({each.how})" for each in found.missing)]
    rather = "" if found.obstacles else ". Or --override --reason TEXT"
    return f"not closed: {'; '.join(lines)}. Each command takes -i {found.incident}{rather}"


def _document(here: Office, record: "Record") -> "Closing":
    """Write the initial documentation into the record, attach it, and return what it was made from."""
    from firstwatch.publish import documentation, pages
    from firstwatch.record.store import attach, put

    state = record.incident()
    found = standing(here, state)
    path = put(record, DOCUMENT, documentation.documentation(state, found))
    attach(here.writer.journal(record), path, "initial documentation")
    pages.write(record)
    return found


def _said(record: "Record", found: "Closing") -> dict[str, Any]:
    return {
        "id": record.id, "status": record.incident().status, "points": found.points,
        "missing": [each.id for each in found.missing], "completeness": found.completeness,
        "documentation": str(record.folder / DOCUMENT),
    }  # fmt: skip
