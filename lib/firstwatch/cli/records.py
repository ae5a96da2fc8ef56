"""`verify`, `anchor` and `purge`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from firstwatch.cli import screen
from firstwatch.cli.app import As, Json, Office, app, office
from firstwatch.errors import BadParameter

if TYPE_CHECKING:
    from firstwatch.record.anchor import Anchor
    from firstwatch.record.verify import Verification


@app.command(rich_help_panel="Records")
def verify(
    incident: Annotated[list[str] | None, typer.Argument(help="Ids; all records when none is given.")] = None,
    anchor: Annotated[
        list[str] | None, typer.Option(help="A line that firstwatch anchor printed, from where it was kept.")
    ] = None,
    json: Json = False,
) -> None:
    """
    Check every byte, link and attached file of records, offline.

    Ends with 8 when one is damaged, torn, or not what was anchored. A record cut exactly between two events, or made
    anew, is consistent; that shows against an anchor only: a line given with `--anchor`, or a git tag.
    """
    from firstwatch.record.verify import verify as check

    here = office()
    records = [here.store.get(each) for each in incident or here.store.ids()]
    anchors = _anchors(here, anchor or [], [record.id for record in records])
    checked = {record.id: check(record.folder, [a for a in anchors if a.incident == record.id]) for record in records}
    if json:
        screen.document({name: _document(result) for name, result in checked.items()})
    else:
        for name, result in checked.items():
            screen.say(f"{name}  [{'green' if result.whole else 'bold red'}]{screen.safe(result)}[/]")
    if not all(result.whole for result in checked.values()):
        raise typer.Exit(8)


def _anchors(here: Office, lines: list[str], ids: list[str]) -> "list[Anchor]":
    from firstwatch.record import anchor as anchoring

    given = [anchoring.pasted(line) for line in lines]
    for each in given:
        if each.incident not in ids:
            raise BadParameter(f"--anchor is of incident {each.incident}, which is not among those to verify")
    return [*given, *anchoring.tagged(here.store.root)]


def _document(result: "Verification") -> dict[str, Any]:
    return {
        "consistent": result.consistent, "torn": result.torn, "events": result.events, "head": result.head,
        "anchored": result.anchored is not None,
        "anchor": {"seq": result.anchored.seq, "where": result.anchored.where} if result.anchored else None,
        "problems": [str(each) for each in result.problems],
    }  # fmt: skip


@app.command(rich_help_panel="Records")
def anchor(
    incident: Annotated[str, typer.Argument(help="Its id; else the only open one.", metavar="[INCIDENT]")] = "",
    git_tag: Annotated[bool, typer.Option("--git-tag", help="Keep it as an annotated tag, too. Push it.")] = False,
    only_print: Annotated[bool, typer.Option("--print", help="Print the line alone, for a pipe into chat.")] = False,
    acting_as: As = "",
    json: Json = False,
) -> None:
    """
    Put the record's head where others see it: a line to paste into chat, a git tag.

    Everything up to it is then fixed: `firstwatch verify --anchor "LINE"` finds what was cut off or made anew.
    """
    from firstwatch.publish import pages
    from firstwatch.record.anchor import tag
    from firstwatch.record.verify import verify as check

    here = office(acting_as)
    record = here.store.single(incident)
    made = _anchor(record.id, check(record.folder))
    where = ["printed", *([f"git tag {tag(here.store.root, made)}"] if git_tag else [])]
    here.writer.journal(record).append("anchored", {"seq": made.seq, "head": made.head, "where": where})
    pages.write(record)
    if json:
        return screen.document({"incident": record.id, "seq": made.seq, "head": made.head, "where": where,
                                "line": str(made)})  # fmt: skip
    screen.say(str(made))
    if not only_print:
        screen.say("[dim]Paste this line where the team sees it, such as the incident's channel.[/]")
    if git_tag and not only_print:
        screen.say(f"[dim]tagged; push it: git push origin {made.tag}[/]")
    return None


def _anchor(incident: str, checked: "Verification") -> "Anchor":
    from firstwatch.errors import RecordUnreadable
    from firstwatch.record.anchor import Anchor

    if not checked.consistent:
        raise RecordUnreadable(f"record {incident} is damaged, so it is not anchored; firstwatch verify says where")
    return Anchor(incident, checked.events, checked.head)


@app.command(rich_help_panel="Records")
def purge(
    incident: Annotated[str, typer.Argument(help="Its id.")],
    seq: Annotated[list[int] | None, typer.Argument(help="The numbers of the events whose body goes.")] = None,
    attachment: Annotated[list[str] | None, typer.Option(help="An attached file that goes.", metavar="PATH")] = None,
    reason: Annotated[str, typer.Option(help="Why, without the secret itself.")] = "a secret",
    acting_as: As = "",
    json: Json = False,
) -> None:
    """
    Take a secret that was found later out of a record, for good; the record still verifies.

    Revoke the secret first: this does not reach copies elsewhere, such as git's history or a backup.

    Example:

        firstwatch purge 2026-11-24-020304 17 --attachment notebooks/0002-mitigate-rollback.ipynb
    """
    from firstwatch.publish import pages
    from firstwatch.record.purge import purge as take_out

    if not seq and not attachment:
        raise BadParameter("name what goes: the number of an event, or --attachment PATH")
    here = office(acting_as)
    record = here.store.get(incident)
    event = take_out(here.writer.journal(record), seq or [], attachment or [], reason)
    pages.write(record)
    if json:
        return screen.document({"incident": record.id, "seq": event.seq, **event.body})
    gone = [*(f"event {n}" for n in event.body["events"]), *event.body["attachments"]]
    return screen.say(f"purged {screen.safe(', '.join(gone))}; event {event.seq} of {record.id} says so")
