"""`verify`."""

from typing import Annotated

import typer

from firstwatch.cli import screen
from firstwatch.cli.app import Json, app, office


@app.command(rich_help_panel="Records")
def verify(
    incident: Annotated[list[str] | None, typer.Argument(help="Ids; all records when none is given.")] = None,
    json: Json = False,
) -> None:
    """
    Check every byte, link and attached file of records, offline.

    Ends with 8 when one is damaged. A record cut exactly between two events is consistent, and only shorter; that
    shows against an anchor only, so the answer says that there is none.
    """
    from firstwatch.record.verify import verify as check

    store = office().store
    records = [store.get(each) for each in incident or []] or [store.get(each) for each in store.ids()]
    checked = {record.id: check(record.folder) for record in records}
    if json:
        screen.document({name: {"consistent": v.consistent, "events": v.events, "head": v.head, "anchored": False,
                                "problems": [str(p) for p in v.problems]} for name, v in checked.items()})  # fmt: skip
    else:
        for name, result in checked.items():
            colour = "green" if result.consistent else "bold red"
            screen.say(f"{name}  [{colour}]{screen.safe(result)}[/]")
    if not all(result.consistent for result in checked.values()):
        raise typer.Exit(8)
