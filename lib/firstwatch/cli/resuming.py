"""`resume` and `accept`: what became of changes, and who answers for those that stay."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from firstwatch.cli import screen
from firstwatch.cli.app import As, Incident, Json, Office, app, office
from firstwatch.errors import BadParameter, NotFound, OutcomeUnknown, nearest
from firstwatch.model import parse_time, timestamp

if TYPE_CHECKING:
    from firstwatch.record.store import Record
    from firstwatch.runs.resume import Resumed

COLOURS = {"done": "green", "not done": "yellow", "unknown": "bold red"}


@app.command(rich_help_panel="Changes")
def resume(
    incident: Annotated[str, typer.Argument(help="Its id; else all that are open.", metavar="[INCIDENT]")] = "",
    acting_as: As = "",
    json: Json = False,
) -> None:
    """
    After a crash: ask the live system what became of each change whose outcome is not known.

    Nothing is changed. Each is recorded as done, not done or unknown; runs whose process is gone are ended in the
    record. While anything stays unknown this exits 6.
    """
    from firstwatch.publish import pages
    from firstwatch.runs import resume as resuming
    from firstwatch.systems import connect

    here = office(acting_as)
    records = [here.store.get(incident)] if incident else here.store.unresolved()
    told: dict[str, tuple[Resumed, ...]] = {}
    with connect(here.configured()) as systems:
        for record in records:
            told[record.id] = resuming.resume(record, systems, here.writer)
            pages.write(record)
    _tell(told, json=json)
    doubts = [each for settled in told.values() for each in settled if each.result == "unknown"]
    if doubts:
        raise OutcomeUnknown(f"{len(doubts)} not settled; the first: {doubts[0].detail}")


def _tell(told: "dict[str, tuple[Resumed, ...]]", *, json: bool) -> None:
    if json:
        return screen.document(told)
    if not any(told.values()):
        return screen.say("nothing is in doubt")
    for incident, settled in told.items():
        for each in settled:
            said = f"[{COLOURS[each.result]}]{each.result}[/]: {each.action} {screen.safe(each.target)}"
            screen.say(f"{incident}  change {each.change} {said}: {screen.safe(each.detail)}")
    return None


@app.command(rich_help_panel="Changes")
def accept(
    change: Annotated[str, typer.Argument(help="The change, as firstwatch status names it.", metavar="CHANGE")],
    owner: Annotated[str, typer.Option(help="Who answers for it.", metavar="NAME")],
    until: Annotated[str, typer.Option(help="When it is looked at again: 3d, or 2026-12-01T09:00Z.", metavar="TIME")],
    incident: Incident = "",
    acting_as: As = "",
    json: Json = False,
) -> None:
    """
    Let a change stay in force, with somebody who answers for it until a time.

    A change that nothing can settle (`firstwatch resume` says unknown) can be accepted too, once somebody has looked.
    """
    here = office(acting_as)
    record = here.store.single(incident)
    key = _change(record, change)
    if not owner.strip():
        raise BadParameter("--owner is empty: somebody has to answer for it")
    ends = _moment(here, until)
    body = {"key": key, "owner": owner.strip()[:100], "until": timestamp(ends)}
    here.writer.journal(record).append("accepted", body)
    _render(record)
    if json:
        return screen.document({"incident": record.id, **body})
    return screen.say(f"change {key} stays; {screen.safe(owner.strip())} answers for it until {timestamp(ends)}")


def _change(record: "Record", prefix: str) -> str:
    state = record.incident()
    keys = [each.key for each in state.in_force]
    found = [key for key in keys if key == prefix] or [key for key in keys if prefix and key.startswith(prefix)]
    if len(found) != 1:
        raise NotFound(f"incident {record.id} has no change {prefix!r} in force; {nearest(prefix, keys)}")
    return found[0]


def _moment(here: Office, text: str) -> datetime:
    from firstwatch.clock import duration

    now = here.writer.clock.now()
    try:
        ends = now + duration(text) if text[-1:] in "smhd" else parse_time(text)
    except ValueError as error:
        raise BadParameter(
            f"--until {text!r} is neither a time span such as 3d nor a time such as 2026-12-01T09:00Z"
        ) from error
    if ends <= now:
        raise BadParameter(f"--until {text} is not in the future")
    return ends


def _render(record: "Record") -> None:
    from firstwatch.publish import pages

    pages.write(record)
