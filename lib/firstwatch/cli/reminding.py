"""`remind`: remind people of what they owe, and tell whoever is above them when it stays undone."""

from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from firstwatch.cli import screen
from firstwatch.cli.app import As, Office, app, office, stoppable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from firstwatch.channels.rounds import Given, Round, Rounds, Trouble

EXIT_PENDING = 9
FIRST = (7, 6, 5, 3, 8, 4, 2, 1)  # of several troubles the one that endangers most


@app.command(rich_help_panel="People")
def remind(
    once: Annotated[bool, typer.Option("--once", help="Go round once and end: for cron.")] = False,
    acting_as: As = "",
    json: Annotated[bool, typer.Option("--json", help="Print one JSON line for each reminder.")] = False,
) -> None:
    """
    Remind people of what they owe: ahead, when it is late, and then whoever is above them too.

    It stays until it is stopped, follows every incident, also new ones, and tries again what has not arrived. Each
    reminder is in the record, so that none is forgotten or given twice, whenever it was killed and started again. A
    second one on this machine says so and ends.

    Examples:

        firstwatch remind

        firstwatch remind --once
    """
    from firstwatch.channels import rounds

    here = office(acting_as)
    with rounds.alone(here.store.root) as ours:
        if not ours:
            screen.err.print(f"somebody reminds already of the records in {screen.safe(here.store.root)}")
            return
        if once:
            raise typer.Exit(_once(going(here), json=json))
        _stays(going(here), json=json)


def going(here: Office) -> "Rounds":
    """Return who goes the rounds, with the policy, the roster and the channels that apply."""
    from firstwatch.channels import switchboard
    from firstwatch.channels.reminders import Desk
    from firstwatch.channels.rounds import Rounds
    from firstwatch.policy import roster, tables

    policy = tables.load(here.path)
    pager = here.settings.channels.pager if here.settings else None
    desk = Desk(policy, roster.load(here.path, policy), tuple(pager.keys) if pager else ())
    within = here.settings.channels.deadline_s + 1 if here.settings else 1.0
    return Rounds(here.store, here.writer, desk, switchboard.connect(here.settings, here.writer.clock), within)


def _once(rounds: "Rounds", *, json: bool) -> int:
    done = rounds.go()
    _show(done.given, json=json)
    _complain(done.troubles)
    codes = {each.exit_code for each in done.troubles}
    return next((each for each in FIRST if each in codes), EXIT_PENDING if done.pending else 0)


def _stays(rounds: "Rounds", *, json: bool) -> NoReturn:
    """Go round and round, until SIGINT or SIGTERM."""
    stoppable()
    screen.err.print(f"reminding of the incidents in {screen.safe(rounds.store.root)}; Ctrl-C ends it")
    known: tuple[Trouble, ...] = ()
    with screen.busy("looking") as tell:
        while True:
            done = rounds.go()
            _show(done.given, json=json)
            _complain(each for each in done.troubles if each not in known)
            known = done.troubles
            tell(_standing(done))
            rounds.writer.clock.sleep(done.rest_s)


def _show(given: "tuple[Given, ...]", *, json: bool) -> None:
    for each in given:
        if json:
            screen.line(_document(each))
        else:
            told = "; ".join(f"{m.channel} {m.to}: {m.state}" for m in each.messages)
            duty = each.reminder.duty
            said = f"{screen.when(each.at)}  {each.incident}  {duty.id}, {duty.owner}, by {screen.when(duty.due)}"
            screen.say(f"{screen.safe(said)}  [bold]{each.reminder.stage}[/]  [dim]{screen.safe(told)}[/]")


def _document(given: "Given") -> dict[str, Any]:
    duty = given.reminder.duty
    texts = [{"id": m.id, "channel": m.channel, "to": m.to, "state": m.state} for m in given.messages]
    return {
        "at": given.at, "incident": given.incident, "duty": duty.id, "owner": duty.owner, "due": duty.due,
        "stage": given.reminder.stage, "messages": texts,
    }  # fmt: skip


def _complain(troubles: "Iterable[Trouble]") -> None:
    for each in troubles:
        screen.err.print(f"[bold red]{each.incident}[/] {screen.safe(each.text)}", soft_wrap=True)


def _standing(done: "Round") -> str:
    """Return one line on how it stands: how many incidents, what waits, when something is owed next."""
    waits = f", {done.pending} text{'' if done.pending == 1 else 's'} not delivered yet" if done.pending else ""
    after = f"; next at {screen.when(done.next)}" if done.next else ""
    return f"{done.open} incident{'' if done.open == 1 else 's'} open{waits}{after}"
