"""What is found out, ticked off and passed on: `note`, `hypothesis`, `check` and `brief`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from firstwatch.cli import duties as owing
from firstwatch.cli import screen
from firstwatch.cli.acting import Acting, acting, moment, needed
from firstwatch.cli.app import As, Incident, Json, app
from firstwatch.errors import BadParameter, NotFound, nearest
from firstwatch.model import timestamp

if TYPE_CHECKING:
    from firstwatch.record.incident import Incident as State

STATES = ("open", "eliminated", "confirmed")
MOST_LETTERS = 4000


@app.command(rich_help_panel="Incidents")
def note(
    text: Annotated[str, typer.Argument(help="What happened, was decided or ruled out.")],
    at: Annotated[str, typer.Option(help="When it happened, if not now: 02:03, 10m, 2026-11-24T02:03Z.")] = "",
    corrects: Annotated[int, typer.Option(help="The number of the event that was wrong; it stays.", min=0)] = 0,
    incident: Incident = "",
    acting_as: As = "",
    json: Json = False,
) -> None:
    """Add a line to the timeline; also one of earlier, or one that corrects another."""
    if not text.strip():
        raise BadParameter("the note is empty")
    here = acting(incident, acting_as)
    body: dict[str, Any] = {"text": text.strip()[:MOST_LETTERS]}
    if at:
        body["at"] = timestamp(moment("--at", at, here.now))
    if corrects:
        body["corrects"] = corrects
    here.event("note", lambda state: _known(state, body))
    here.say("noted", json=json)


def _known(state: "State", body: dict[str, Any]) -> dict[str, Any]:
    if "corrects" in body and not any(each.seq == body["corrects"] for each in state.timeline):
        last = state.timeline[-1].seq
        raise NotFound(f"--corrects {body['corrects']}: incident {state.id} has events up to {last}")
    return body


@app.command(rich_help_panel="Incidents")
def hypothesis(
    text: Annotated[str, typer.Argument(help="What may be the cause.")],
    state: Annotated[str, typer.Option(help=f"{', '.join(STATES)}.")] = "open",
    incident: Incident = "",
    acting_as: As = "",
    json: Json = False,
) -> None:
    """
    Keep a possible cause, and say later what became of it: whoever takes over must not try it again.

    Example:

        firstwatch hypothesis "the pool is exhausted"
        firstwatch hypothesis "the pool is exhausted" --state eliminated
    """
    if state not in STATES:
        raise BadParameter(f"--state {state!r}; {nearest(state, list(STATES))}")
    words, at = needed("the hypothesis", text), acting(incident, acting_as)
    at.event("hypothesis", lambda _: {"text": words, "state": state})
    at.say(f"hypothesis {state}: {screen.safe(words)}", json=json)


@app.command(rich_help_panel="Incidents")
def check(
    item: Annotated[str, typer.Argument(help="The line's name; without it all lists are shown.")] = "",
    off: Annotated[bool, typer.Option("--off", help="Take the tick off.")] = False,
    reason: Annotated[str, typer.Option(help="Why, where the record would tick it by itself.")] = "",
    incident: Incident = "",
    acting_as: As = "",
    json: Json = False,
) -> None:
    """
    Show the checklists, or tick a line that nothing ticks by itself.

    A line that is measured needs a reason, and one that is shown by something elsewhere a link to it: `--reason URL`.
    """
    from firstwatch.policy import checklists

    at = acting(incident, acting_as)
    if not item:
        return _lists(at, json=json)
    line = checklists.line(at.policy, item)
    why = needed("--reason", reason) if line.by or line.evidence or off else reason.strip()
    at.event("checked", lambda _: {"item": item, "state": not off, "reason": why})
    return at.say(f"{'took the tick off' if off else 'ticked'} {item}: {line.text}", json=json)


def _lists(at: Acting, *, json: bool) -> None:
    from firstwatch.policy.checklists import ticks

    state = at.record.incident()
    found = {name: ticks(at.policy, state.people, state.findings, name) for name in at.policy.checklists}
    if json:
        return screen.document(found)
    for name, lines in found.items():
        screen.say(f"[bold]{at.policy.checklists[name].title}[/]")
        for each in lines:
            mark = "[green]x[/]" if each.ticked else " "
            screen.say(f"  \\[{mark}] {screen.safe(each.text)}  [dim]{screen.safe(each.how)}[/]")
    return None


@app.command(rich_help_panel="Incidents")
def brief(incident: Incident = "", json: Json = False) -> None:
    """Say where things stand, for somebody who takes over: from the record, nothing else."""
    at = acting(incident, "")
    if json:
        return screen.document({"incident": at.record.id, "brief": _brief(at)})
    return tell_brief(at)


def _brief(at: Acting) -> dict[str, tuple[str, ...]]:
    from firstwatch.publish.around import Around
    from firstwatch.publish.brief import brief as made

    state = at.record.incident()
    look = Around(at.policy, at.here.settings).links(state, at.here.writer.clock.now())
    return made(state, owing.owed(state, at.now), at.policy, look)


def tell_brief(at: Acting) -> None:
    for title, lines in _brief(at).items():
        screen.say(f"[bold]{title}[/]")
        for each in lines or ("none",):
            screen.say(f"  {screen.safe(each)}")
