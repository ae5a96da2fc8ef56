"""`scorecard`: the five objectives in numbers, and what the runbooks are worth."""

from typing import TYPE_CHECKING

from firstwatch.cli import screen
from firstwatch.cli.app import Json, app, office

if TYPE_CHECKING:
    from firstwatch.publish.scorecard import Scorecard
    from firstwatch.runs.efficacy import Efficacy


@app.command(rich_help_panel="Learning")
def scorecard(json: Json = False) -> None:
    """
    Show what the records add up to: downtime, customers, updates in time, completeness, SLA. Game days are apart.

    Then each runbook: how often it was used and helped, how long it takes, and what of it is stale.
    """
    from firstwatch.policy import tables
    from firstwatch.publish.scorecard import scorecard as made
    from firstwatch.runs import catalog

    here = office()
    folder = catalog.root()
    books = [catalog.find(name) for name in catalog.names(folder)]
    promise = here.settings.sla if here.settings else None
    card = made(here.store, books, tables.load(here.path), promise, here.writer.clock.now())
    return screen.document(card.json()) if json else _show(card)


def _show(card: "Scorecard") -> None:
    from firstwatch.publish.scorecard import HEAD, columns

    for title, scores in {"Incidents": card.incidents, "Game days": card.drills}.items():
        screen.say(f"[bold]{title}[/]" + ("" if scores else ": none yet"))
        if scores:
            screen.rows(map(str.upper, HEAD), map(columns, reversed(scores)))
    screen.say("[bold]Runbooks[/]")
    screen.rows(("RUNBOOK", "USED", "HELPED", "TAKES", "PRACTISED", "STALE"), map(_row, card.runbooks))
    for each in card.alerts:
        if each.gap:
            screen.say(f"[yellow]no runbook looks into[/] {screen.safe(each.alert)}")
    for name in card.unreadable:
        screen.err.print(f"[yellow]UNKNOWN[/] {screen.safe(name)} cannot be read, so it is not counted")


def _row(found: "Efficacy") -> tuple[object, ...]:
    from firstwatch.publish.scorecard import takes

    use, drill = found.use, found.practice
    return (found.runbook, use.times, use.helped, takes(use), drill.times, ", ".join(found.stale) or "-")
