"""`quick`: the four changes of the quick card, each a runbook, with two questions at most."""

import sys
import time
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from firstwatch.cli import screen
from firstwatch.cli.app import As, Incident, Json, Office, app, office
from firstwatch.cli.runbooks import applying, perform

if TYPE_CHECKING:
    from firstwatch.record.store import Record

CLOSED, POLL_S = 3, 1.0


class Word(StrEnum):
    """What stands on the card."""

    ROLLBACK = "rollback"
    SCALE = "scale"
    BREAKER = "breaker"
    MAINTENANCE = "maintenance"


BOOKS = {
    Word.ROLLBACK: "mitigate/rollback",
    Word.SCALE: "mitigate/scale-out",
    Word.BREAKER: "mitigate/circuit-breaker",
    Word.MAINTENANCE: "mitigate/maintenance-page",
}
# The one parameter that a word takes: its name, the question, and what is meant by no answer.
ASKED = {
    Word.ROLLBACK: ("to_revision", "To which revision? 0 is the one before", "0"),
    Word.SCALE: ("replicas", "How many pods?", "10"),
    Word.BREAKER: ("value", "true opens the breaker, false closes it", "true"),
}


@app.command(rich_help_panel="Changes")
def quick(
    word: Annotated[Word, typer.Argument(help="rollback, scale, breaker or maintenance.")],
    value: Annotated[str, typer.Argument(help="The revision, the number of pods, or true or false.")] = "",
    incident: Incident = "",
    acting_as: As = "",
    json: Json = False,
) -> None:
    """
    Roll back, scale, open the breaker or show the maintenance page: the runbook behind each, in one line.

    It plans, says whose approval is missing, waits for it, applies and verifies; `firstwatch undo` takes it back. Asked
    are at most the value and whether to wait. Without a terminal nothing is asked, and it ends at the gate with exit 3.

    Examples:

        firstwatch quick rollback

        firstwatch quick scale 10
    """
    here = office(acting_as)
    asks = sys.stdin.isatty() and not json
    order = applying(BOOKS[word], here, _given(word, value, asks=asks))
    ended, record = perform(here, order, incident, json=json)
    if ended.exit == CLOSED and asks and _approved(here, record):
        ended, _ = perform(here, order, record.id, json=json)
    raise typer.Exit(ended.exit)


def _given(word: Word, value: str, *, asks: bool) -> list[str]:
    if word not in ASKED:
        return []
    name, question, default = ASKED[word]
    said = value or (typer.prompt(question, default=default, err=True) if asks else default)
    return [f"{name}={said}"]


def _approved(here: Office, record: "Record") -> bool:
    """Ask whether to wait, and wait until the newest plan's gate is open; False when it is not, in good time."""
    if not typer.confirm("Wait here until somebody else has approved it?", default=True, err=True):
        return False
    until = here.writer.clock.now() + timedelta(minutes=here.configured().approval.minutes)
    while here.writer.clock.now() < until:
        if _open(here, record):
            return True
        time.sleep(POLL_S)
    screen.err.print("nobody has approved it in time")
    return False


def _open(here: Office, record: "Record") -> bool:
    from firstwatch.policy.gate import Rule
    from firstwatch.runs.applying import admitted

    incident, settings = record.incident(), here.configured()
    plan = next(each for each in reversed(incident.plans) if each.changes)
    rule = Rule(settings.approval.self and settings.practice, approvers=settings.approval.approvers)
    return admitted(plan, incident, here.writer.journal(record), rule).open
