"""How duties are shown: who owes what by when, the late ones first."""

import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from firstwatch.cli import screen
from firstwatch.model import clock_time

if TYPE_CHECKING:
    from firstwatch.policy.duties import Duty
    from firstwatch.policy.roster import Called
    from firstwatch.policy.suggestions import Suggestion
    from firstwatch.policy.tables import Policy
    from firstwatch.record.incident import Incident as State

FIRST = ("overdue", "due", "missed", "met")


def policy() -> "Policy":
    """Return the policy that applies to this command."""
    from firstwatch import environment
    from firstwatch.policy import tables

    return tables.load(environment.find(os.environ, Path.cwd()))


def owed(state: "State", now: datetime) -> "tuple[Duty, ...]":
    from firstwatch.policy.duties import duties

    return duties(policy(), state.people, now)


def suggested(state: "State", now: datetime) -> "tuple[Suggestion, ...]":
    from firstwatch.policy.suggestions import suggestions

    return suggestions(policy(), state.people, now)


def vendors(state: "State") -> "tuple[Called, ...]":
    """Return whom to call outside, of each flag that is set and asks for somebody."""
    from firstwatch import environment
    from firstwatch.policy import roster

    rules = policy()
    return roster.load(environment.find(os.environ, Path.cwd()), rules).called(rules, state.people)


def advise(state: "State", now: datetime) -> None:
    """Print whom to call outside, and what somebody should think of."""
    for each in vendors(state):
        screen.say(f"[bold]{screen.safe(each.whom)}[/]: {screen.safe(each)}")
    for one in suggested(state, now):
        screen.say(f"  [dim]next: {screen.safe(one.command)}: {screen.safe(one.why)}[/]")


def show(found: "tuple[Duty, ...]", now: datetime) -> None:
    """Print *found*: what is late, what comes next, what was missed; those that were met in one line."""
    open_ = sorted(
        (each for each in found if each.state != "met"), key=lambda each: (FIRST.index(each.state), each.due)
    )
    if open_:
        lines = [(each.state.upper(), _when(each.due, now), each.owner, each.id, each.why) for each in open_]
        screen.rows(("DUTY", "BY", "WHO", "WHAT", "WHY"), lines)
    met = [each.id for each in found if each.state == "met"]
    if met:
        screen.say(f"[green]met[/]: {screen.safe(', '.join(met))}")


def _when(due: datetime, now: datetime) -> str:
    """Return `12:05 UTC, 3 min ago`, with the date when that is another day."""
    day = "" if due.date() == now.date() else f"{due:%Y-%m-%d} "
    gap = abs(due - now)
    return f"{day}{clock_time(due)}, {_span(gap)} ago" if due < now else f"{day}{clock_time(due)}, in {_span(gap)}"


def _span(gap: timedelta) -> str:
    seconds = int(gap.total_seconds())
    if seconds < 60:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"
