"""`approve`, `break-glass`, `review` and `undo`."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from firstwatch.cli import screen
from firstwatch.cli.acting import needed
from firstwatch.cli.app import As, Incident, Json, Office, app, office
from firstwatch.errors import BadParameter, GateClosed, NotFound, nearest
from firstwatch.model import Plan, timestamp

if TYPE_CHECKING:
    from firstwatch.policy.gate import Rule
    from firstwatch.record.incident import Applied
    from firstwatch.record.incident import Incident as State
    from firstwatch.record.store import Record
    from firstwatch.systems import Systems


@app.command(rich_help_panel="Changes")
def approve(
    plan: Annotated[str, typer.Argument(help="The plan's hash, or how it begins.", metavar="HASH")],
    incident: Incident = "",
    for_: Annotated[str, typer.Option("--for", help="How long the approval holds.", metavar="15m")] = "",
    acting_as: As = "",
    json: Json = False,
) -> None:
    """
    Approve one plan, by its hash, for a quarter of an hour.

    Read the plan first: `firstwatch run … ` without `--apply` shows it. Whoever applies it cannot approve it too.
    """
    here = office(acting_as)
    record = here.store.single(incident)
    found = _plan(record.incident(), plan, record.id)
    until = here.writer.clock.now() + _span(here, for_)
    asker = _asker(record, found.hash)
    body = {"plan": found.hash, "until": timestamp(until), "self_approved": asker == here.writer.actor.name}
    here.writer.journal(record).append("approved", body)
    _render(record)
    if json:
        return screen.document({"incident": record.id, **body, "by": here.writer.actor.name})
    _show(found)
    return screen.say(f"approved by {screen.safe(here.writer.actor.name)} until {screen.when(until)}")


BROKEN_FOR = timedelta(minutes=15)
LEAST_LETTERS = 10


@app.command("break-glass", rich_help_panel="Changes")
def break_glass(
    plan: Annotated[str, typer.Argument(help="The plan's hash, or how it begins.", metavar="HASH")],
    reason: Annotated[str, typer.Option(help="Why nobody else can be asked. It is read afterwards.")],
    incident: Incident = "",
    acting_as: As = "",
    json: Json = False,
) -> None:
    """
    Open the gate for one plan alone, when nobody can be asked: for yourself, for a quarter of an hour.

    It is never quiet: it is red in the status and on the page, and it stays on the list of what is left until somebody
    has reviewed it (`firstwatch review`). It opens nothing when it cannot be recorded.
    """
    if len(reason.strip()) < LEAST_LETTERS:
        raise BadParameter(f"--reason has {len(reason.strip())} letters; say in {LEAST_LETTERS} or more why")
    here = office(acting_as)
    record = here.store.single(incident)
    found = _plan(record.incident(), plan, record.id)
    until = here.writer.clock.now() + BROKEN_FOR
    body = {"plan": found.hash, "until": timestamp(until), "reason": reason.strip()[:1000]}
    here.writer.journal(record).append("break-glass", body)
    _render(record)
    if json:
        return screen.document({"incident": record.id, **body, "by": here.writer.actor.name})
    _show(found)
    by = screen.safe(here.writer.actor.name)
    return screen.say(f"[bold red]BREAK-GLASS[/] by {by} until {screen.when(until)}; it waits for a review")


@app.command(rich_help_panel="Changes")
def review(
    plan: Annotated[str, typer.Argument(help="The hash of the plan, or how it begins.", metavar="HASH")],
    text: Annotated[str, typer.Argument(help="What you make of it.", metavar="TEXT")],
    incident: Incident = "",
    acting_as: As = "",
    json: Json = False,
) -> None:
    """
    Record that you have reviewed a break-glass, which ends its waiting. Whoever broke the glass cannot.

    Without an incident it is the only open one, else the one that was resolved last. It cannot be closed before.

    Example:

        firstwatch review 9ae35150ed4f3bd4 "nobody could be reached; the rollback was right" --as responder-2
    """
    from firstwatch.record.incident import fold

    here, said = office(acting_as), needed("TEXT", text)
    record = here.store.single(incident) if incident or here.store.unresolved() else here.store.resolved_last()
    me = here.writer.actor.name
    event = here.writer.journal(record).decided(
        "reviewed", lambda events: {"plan": _broken(fold(events), plan, me), "text": said}
    )
    _render(record)
    if json:
        return screen.document({"incident": record.id, **event.body, "by": me})
    return screen.say(f"the break-glass for plan {event.body['plan']} is reviewed by {screen.safe(me)}")


def _broken(state: "State", prefix: str, me: str) -> str:
    """Return the hash of the plan for which the glass was broken, by others than *me*, and that waits for a review."""
    from firstwatch.policy.gate import person

    found = [each for each in state.broken if prefix and each.plan.startswith(prefix)]
    plans, waiting = sorted({each.plan for each in found}), [each for each in found if each.waits]
    if len(plans) != 1:
        hint = nearest(prefix, sorted({each.plan for each in state.broken}))
        raise NotFound(f"incident {state.id} has no break-glass for a plan {prefix!r}, or more than one; {hint}")
    if not waiting:
        raise BadParameter(f"the break-glass for plan {plans[0]} is reviewed already, by {found[-1].reviewed_by}")
    if any(person(each.by) == person(me) for each in waiting):
        raise GateClosed(f"{me} broke the glass for plan {plans[0]}; somebody else has to review it")
    return plans[0]


def _span(here: Office, text: str) -> timedelta:
    from firstwatch.clock import duration

    try:
        span = duration(text) if text else timedelta(minutes=here.configured().approval.minutes)
    except ValueError as error:
        raise BadParameter(f"--for: {error}") from error
    if not timedelta(0) < span <= timedelta(hours=4):
        raise BadParameter(f"--for {text}: between a second and four hours")
    return span


def _plan(state: "State", prefix: str, incident: str) -> Plan:
    found = state.plan(prefix)
    if found is None:
        hint = nearest(prefix, [each.hash for each in state.plans])
        raise NotFound(f"incident {incident} has no plan {prefix!r}, or more than one; {hint}")
    return found


def _asker(record: "Record", plan_hash: str) -> str:
    from firstwatch.record.journal import read

    planned = (e for e in read(record.journal) if e.kind == "planned" and e.body.get("hash") == plan_hash)
    return next((event.who for event in planned), "")


def _show(plan: Plan) -> None:
    screen.say(f"plan [bold]{plan.hash}[/]: {plan.action} {screen.safe(plan.target)}")
    for line in plan.summary:
        screen.say(f"  {screen.safe(line)}")
    for each in plan.sticks:
        screen.say(f"  will it stick? {screen.verdict(each.verdict)} {screen.safe(each.observed)}")


def _render(record: "Record") -> None:
    from firstwatch.publish import pages

    pages.write(record)


@app.command(rich_help_panel="Changes")
def undo(
    change: Annotated[str, typer.Argument(help="The change, as firstwatch status names it.", metavar="CHANGE")],
    incident: Incident = "",
    apply: Annotated[bool, typer.Option("--apply", help="Do it, once its plan is approved.")] = False,
    acting_as: As = "",
    json: Json = False,
) -> None:
    """
    Take back a change that is in force, if the world is still as the change left it.

    Undoing is a change too: without `--apply` it shows its plan, and somebody else approves it.
    """
    from firstwatch.systems import connect

    here = office(acting_as)
    record = here.store.single(incident)
    with connect(here.configured()) as systems:
        return _undo(here, record, systems, change, apply=apply, json=json)


def _undo(here: Office, record: "Record", systems: "Systems", change: str, *, apply: bool, json: bool) -> None:
    from firstwatch.actions.undo import undo as plan_undo
    from firstwatch.runs.applying import admitted, carry_out

    journal = here.writer.journal(record)
    done = _in_force(record.incident(), change)
    plan = plan_undo(systems, done.plan, done.key)
    journal.append("planned", {"hash": plan.hash, "plan": plan})
    if not json:
        _show(plan)
    gate = admitted(plan, record.incident(), journal, _rule(here))
    if not apply:
        return (
            screen.document({"plan": plan.hash, "gate": gate.missing}) if json else screen.say(screen.safe(repr(gate)))
        )
    if not gate.open:
        raise GateClosed(gate.sentence)
    outcome = carry_out(plan, systems, journal, _rule(here))
    _render(record)
    return screen.document(outcome) if json else screen.say(screen.safe(repr(outcome)))


def _in_force(state: "State", prefix: str) -> "Applied":
    exact = [each for each in state.in_force if each.key == prefix]
    found = exact or [each for each in state.in_force if each.key.startswith(prefix)]
    if len(found) != 1:
        hint = nearest(prefix, [each.key for each in state.in_force])
        raise NotFound(f"incident {state.id} has no change {prefix!r} in force; {hint}")
    return found[0]


def _rule(here: Office) -> "Rule":
    from firstwatch.policy.gate import Rule

    settings = here.configured()
    return Rule(settings.approval.self and settings.practice, approvers=settings.approval.approvers)
