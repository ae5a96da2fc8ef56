"""
Duties: who owes what by when, as one pure function of the policy, what happened, and now.

Nothing is held in memory, so a restart forgets nothing. A duty that was missed stays missed: it is judged under every
severity that held, so lowering the severity later takes nothing back, and raising it flags what that makes late.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from firstwatch.model import clock_time
from firstwatch.policy import clocks
from firstwatch.policy.clocks import Due, Row
from firstwatch.policy.facts import Facts, Moment
from firstwatch.policy.spans import Span
from firstwatch.policy.tables import Policy


@dataclass(frozen=True, slots=True)
class Duty:
    """
    What `owner`, a person or a role that nobody holds, owes by `due`.

    Its clock runs since `since`. `state` is `due`, `overdue` (not done yet), `met`, or `missed`: done late, or never
    while it could be. `why` names the rule and what it counts from. `done_at` and `by` are None and empty until then.
    """

    id: str
    owner: str
    due: datetime
    state: str
    why: str
    since: datetime
    done_at: datetime | None = None
    by: str = ""


def duties(policy: Policy, facts: Facts, now: datetime) -> tuple[Duty, ...]:
    """
    Return all duties of an incident at *now*, the earliest due first.

    Past updates are duties too, `update-1` and so on; `update` is the next one. Whatever *facts* hold after *now* shows
    that the clock was set back: they are taken as having just happened.
    """
    last = facts.last
    if last and last > now:
        facts = facts.earlier(last - now)
    found = (judged(row, now) for row in clocks.rows(policy, facts))
    return tuple(sorted((each for each in found if each), key=lambda each: (each.due, each.id)))


def judged(row: Row, now: datetime) -> Duty | None:
    """Return the duty that *row* is at *now*; None when nobody owes it, or ever did."""
    if row.done and row.done.at > now:  # a window is watched to its end only when it has ended
        row = replace(row, done=None)
    ran = [(span, due) for span in row.spans if (due := row.due(span))]
    late = [(span, due) for span, due in ran if _late(span, due, row.done, now)]
    if row.done is not None:
        return _done(row, row.done, ran, late)
    present = ran[-1] if ran and ran[-1][0] is row.spans[-1] and row.spans[-1].end is None else None
    if present is None:
        return _duty(row, late[-1], "missed", _never(late)) if late else None
    state = "overdue" if now > present[1].at else "due"
    before = [each for each in late if each[0] is not present[0]]
    return _duty(row, present, state, (*_made_late(present), *(f"overdue under {span.severity}" for span, _ in before)))


Judged = tuple[Span, Due]
AT_ONCE = timedelta(seconds=10)  # a page that leaves with the declaration is there a moment after it


def _late(span: Span, due: Due, done: Moment | None, now: datetime) -> bool:
    """Whether the duty was late while *span* held: not done by then, and the span reached beyond."""
    allowed = due.at + AT_ONCE if due.at == due.since else due.at
    return (done is None or done.at > allowed) and span.ended(now) > due.at


def _done(row: Row, done: Moment, ran: list[Judged], late: list[Judged]) -> Duty | None:
    if not ran:
        return None
    if late:
        return _duty(row, late[-1], "missed", _made_late(late[-1]))
    under = [each for each in ran if each[0].begin <= done.at]
    return _duty(row, (under or ran[:1])[-1], "met", ())


def _never(late: Iterable[Judged]) -> tuple[str, ...]:
    return ("never done", *(line for each in late for line in _made_late(each)))


def _made_late(judged: Judged) -> tuple[str, ...]:
    """Say so when the severity came after the time by which it asks for the duty."""
    span, due = judged
    if span.begin <= due.at or span.begin == span.since:
        return ()
    return (f"{span.severity} since {clock_time(span.begin)} makes it late",)


def _duty(row: Row, at: Judged, state: str, notes: Iterable[str]) -> Duty:
    why = "; ".join((at[1].why, *notes, *row.notes))
    done = row.done
    return Duty(
        row.id, row.owner, at[1].at, state, why, at[1].since, done.at if done else None, done.by if done else ""
    )
