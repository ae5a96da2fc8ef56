"""Who does what: `ack`, `assign`, `hand-over`, `escalate`, `notify`, `call`, `flag` and `release`."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from firstwatch.cli import duties, screen, telling
from firstwatch.cli.acting import Acting, acting, needed
from firstwatch.cli.app import As, Incident, Json, app
from firstwatch.errors import BadParameter, GateClosed, nearest
from firstwatch.record import conduct
from firstwatch.record.conduct import COMMANDER

if TYPE_CHECKING:
    from firstwatch.record.incident import Incident as State

RESULTS = ("reached", "no answer", "message left")
Role = Annotated[str, typer.Argument(help="incident-commander, technical-lead, communications-lead, scribe, sme, …")]


@app.command(rich_help_panel="People")
def ack(incident: Incident = "", acting_as: As = "", json: Json = False) -> None:
    """Say that you have seen it and work on it."""
    at = acting(incident, acting_as)

    def first(state: "State") -> dict[str, Any]:
        for each in state.people.acknowledged[:1]:
            raise BadParameter(f"{each.by} acknowledged incident {state.id} at {screen.when(each.at)} already")
        return {}

    at.event("acknowledged", first)
    telling.acknowledged(at.here, at.record)
    at.say(f"acknowledged by {screen.safe(at.me)}", json=json)
    raise typer.Exit(telling.told(at.record, json=json))


@app.command(rich_help_panel="People")
def assign(
    role: Role,
    person: Annotated[str, typer.Argument(help="Who, as in contacts.toml.")],
    reason: Annotated[
        str, typer.Option(help="Why them: for the extended team, and when they are not listed or the role is taken.")
    ] = "",
    incident: Incident = "",
    acting_as: As = "",
    json: Json = False,
) -> None:
    """
    Give somebody a role. There is one commander at a time: a role that is held is handed over, or taken with a reason.

    Whoever joins from the extended team (sme, support, legal, sponsor) joins for a reason; a terminal asks for it.

    Examples:

        firstwatch assign incident-commander responder-2

        firstwatch assign sme security --reason "a token was used from outside"
    """
    from firstwatch.policy import roster

    at = acting(incident, acting_as)
    reason = _joins(at, roster.role(at.policy, role), reason)
    name = conduct.eligible(at.roster, role, person, reason)
    at.event("assigned", lambda state: conduct.assigned(state, role, name, reason))
    at.say(f"{role} is {screen.safe(name)}{_anybody(at)}", json=json)


def _joins(at: Acting, role: str, reason: str) -> str:
    """Return why somebody gets *role*; of the extended team it is asked for, and never left out."""
    if role not in at.policy.core and not reason.strip() and sys.stdin.isatty():
        reason = str(typer.prompt(f"Why is {role} needed", default="", show_default=False, err=True))
    conduct.joins(at.policy, role, reason)
    return reason


def _anybody(at: Acting) -> str:
    from firstwatch.policy.roster import ANYBODY

    return "" if at.roster.people else f"  [yellow]{ANYBODY}[/]"


@app.command("hand-over", rich_help_panel="People")
def hand_over(
    role: Role,
    to: Annotated[str, typer.Option(help="Offer it to this person.", metavar="PERSON")] = "",
    accept: Annotated[bool, typer.Option("--accept", help="Take over what was offered to you.")] = False,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Take the offer back.")] = False,
    incident: Incident = "",
    acting_as: As = "",
    json: Json = False,
) -> None:
    """
    Hand a role over: one offers it, the other reads the brief and accepts. Until then the role stays where it is.

    Example:

        firstwatch hand-over incident-commander --to responder-2
        firstwatch hand-over incident-commander --accept --as responder-2
    """
    from firstwatch.policy import roster

    if [bool(to), accept, withdraw].count(True) != 1:
        raise BadParameter("one of --to PERSON, --accept and --withdraw")
    at = acting(incident, acting_as)
    roster.role(at.policy, role)
    name = conduct.eligible(at.roster, role, to) if to else ""

    def handed(state: "State") -> dict[str, Any]:
        if to:
            return conduct.offered(state, role, name)
        return conduct.answered_offer(state, role, at.me, accept=accept)

    body = at.event("hand-over", handed).body
    if accept and not json:
        from firstwatch.cli.notes import tell_brief

        tell_brief(at)
    at.say(f"{role} {body['state']}: {screen.safe(body['from'])} → {screen.safe(body['to'])}", json=json)


@app.command(rich_help_panel="People")
def escalate(
    reason: Annotated[str, typer.Option(help="Why, in a few words.")],
    level: Annotated[str, typer.Option(help="L2, L3 or L4; else the next one.", metavar="Ln")] = "",
    incident: Incident = "",
    acting_as: As = "",
    json: Json = False,
) -> None:
    """
    Climb the ladder, at any time: nobody has to wait for its clock. Those of the level are paged, else mailed.

    Example:

        firstwatch escalate --reason "the pool does not recover"
    """
    why, at = needed("--reason", reason), acting(incident, acting_as)
    wanted = conduct.rung(at.policy, level)
    body = at.event("escalated", lambda state: conduct.climbed(state, at.policy, at.roster, wanted, why)).body
    telling.escalated(at.here, at.record)
    at.say(f"escalated to {body['level']}: {screen.safe(', '.join(body['to']))}", json=json)
    raise typer.Exit(telling.told(at.record, json=json))


@app.command(rich_help_panel="People")
def notify(
    whom: Annotated[str, typer.Argument(help="manager, director, executive, legal, compliance, aws, stakeholders, …")],
    how: Annotated[str, typer.Option(help="By what: phone, chat, portal …")] = "",
    reference: Annotated[str, typer.Option(help="A case or ticket number.")] = "",
    acknowledged: Annotated[bool, typer.Option("--acknowledged", help="They have said that they know.")] = False,
    incident: Incident = "",
    acting_as: As = "",
    json: Json = False,
) -> None:
    """
    Tell management, legal or a vendor, or record that you did: their clock is met by it.

    With `--how`, `--reference` or `--acknowledged` it only records. Without, they are mailed what is known, when mail
    is configured and `contacts.toml` has their address; the clock is met when it has arrived.

    For AWS the case's text is printed, to paste; give the case's number with `--reference` once you have it.

    Examples:

        firstwatch notify director

        firstwatch notify aws

        firstwatch notify aws --how portal --reference 8123
    """
    from firstwatch.policy import roster

    roster.whom(whom)
    at = acting(incident, acting_as)
    body = {"whom": whom, "how": how.strip(), "reference": reference.strip(), "acknowledged": acknowledged}
    only = any(body[name] for name in ("how", "reference", "acknowledged"))
    more = {"case": telling.case(at.here, at.record)} if whom == "aws" and not only else {}
    if more and not json:
        _paste(at, more["case"])
    if not only and telling.notified(at.here, at.record, whom):
        at.say(f"by mail, to {whom}{_reach(at, whom)}", json=json, **more)  # what has not arrived is told beneath
        raise typer.Exit(telling.told(at.record, json=json))
    at.event("notified", lambda _: body)
    at.say(f"notified {whom}{_reach(at, whom)}", json=json, **more)


def _paste(at: Acting, text: str) -> None:
    """Print the text of a case, and what to know before it is pasted."""
    screen.say(f"{screen.safe(text)}\n")
    if at.record.incident().people.held_back:
        screen.err.print("[bold yellow]a breach is flagged[/]: legal or the commander releases it first")
    if "not known" in text:
        screen.err.print("[dim]firstwatch run investigate/load-balancer finds what is not known[/]")


def _reach(at: Acting, whom: str) -> str:
    """Return how those of the roster are reached that *whom* means."""
    ways = [
        f"{each.name}: {way}"
        for each in at.roster.told(whom)
        if (way := each.phone or each.slack or each.email or each.portal)
    ]
    return f"  [dim]{screen.safe('; '.join(ways))}[/]" if ways else ""


@app.command(rich_help_panel="People")
def call(
    whom: Annotated[str, typer.Argument(help="Whom: manager, director, legal, or a person's name.")],
    result: Annotated[str, typer.Option(help=f"{', '.join(RESULTS)}.")],
    number: Annotated[str, typer.Option(help="The number; else the one in contacts.toml.")] = "",
    incident: Incident = "",
    acting_as: As = "",
    json: Json = False,
) -> None:
    """Record a phone call and what came of it. One that reached them is a notice too."""
    from firstwatch.policy import roster

    if result not in RESULTS:
        raise BadParameter(f"--result {result!r}; {nearest(result, list(RESULTS))}")
    at = acting(incident, acting_as)
    people = at.roster.told(whom) if whom in roster.WHOM else (at.roster.find(whom),)
    known = number.strip() or next((each.phone for each in people if each.phone), "")
    if not known:
        raise BadParameter(f"contacts.toml has no number of {whom}; give it with --number")
    at.event("called", lambda _: {"whom": whom, "number": known, "result": result})
    at.say(f"called {screen.safe(whom)}, {screen.safe(known)}: {result}", json=json)


@app.command(rich_help_panel="People")
def flag(
    flag: Annotated[str, typer.Argument(help="breach, customer-data, regulatory, infrastructure, business-impact, …")],
    off: Annotated[bool, typer.Option("--off", help="Take it off again; that needs a reason.")] = False,
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    incident: Incident = "",
    acting_as: As = "",
    json: Json = False,
) -> None:
    """
    Say what kind of incident it is: its clocks begin at once. A breach holds every text back until `release`.

    Example:

        firstwatch flag breach --reason "a token was used from outside"
    """
    at = acting(incident, acting_as)
    conduct.flag(at.policy, flag)
    why = needed("--reason", reason) if off else reason.strip()
    at.event("flagged", lambda state: conduct.turned(state, flag, why, on=not off))
    at.say(f"flag {flag} {'taken off' if off else 'set'}", json=json)
    if not (off or json):
        duties.advise(at.record.incident(), at.now)


@app.command(rich_help_panel="People")
def release(
    reason: Annotated[str, typer.Option(help="What was decided, and by whom.")],
    incident: Incident = "",
    acting_as: As = "",
    json: Json = False,
) -> None:
    """Let texts be published in spite of a breach. Legal does it, or the commander on their word."""
    why, at = needed("--reason", reason), acting(incident, acting_as)

    def released(state: "State") -> dict[str, Any]:
        if not state.people.held_back:
            raise BadParameter(f"nothing of incident {state.id} is held back")
        _entitled(at, state)
        return {"reason": why}

    at.event("released", released)
    at.say(f"released by {screen.safe(at.me)}: texts may be published", json=json)


def _entitled(at: Acting, state: "State") -> None:
    from firstwatch.policy.gate import person as same

    held = [state.people.roles[name] for name in ("legal", COMMANDER) if name in state.people.roles]
    allowed = [*held, *at.roster.eligible("legal")]
    if same(at.me) not in map(same, allowed):
        named = ", ".join(allowed) or "nobody yet: firstwatch assign legal PERSON"
        raise GateClosed(f"only legal or the commander releases texts of a breach ({named}), and you are {at.me}")
