"""
Which reminders were given, as the events say: so that none is given twice, and none is forgotten.

A reminder is known by its duty, when that is due, and its stage. When a clock is set back, the moments of all events
before are told anew in the terms of the clock as it is now (`people.steady`), and what is due moves with them. So does
the time that a reminder names.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from firstwatch.model import parse_time
from firstwatch.record import people
from firstwatch.record.event import UNREADABLE, Event


@dataclass(frozen=True, slots=True)
class Reminded:
    """One reminder. `due` is the world's time, in the newest clock's terms; `messages` are the ids of its texts."""

    duty: str
    due: datetime
    stage: str
    messages: tuple[str, ...] = ()


def reminded(events: Sequence[Event]) -> tuple[Reminded, ...]:
    """Return the reminders that *events* tell of, oldest first."""
    rate = people.pace(events).rate
    told = zip(events, people.steady(events), strict=True)
    return tuple(
        each for event, at in told if event.kind == "reminded" for each in _read(event, (at - event.time) * rate)
    )


def _read(event: Event, moved: timedelta) -> Iterator[Reminded]:
    try:
        body = event.body
        ids = tuple(map(str, body.get("messages", ())))
        yield Reminded(str(body["duty"]), parse_time(body["due"]) + moved, str(body["stage"]), ids)
    except UNREADABLE:
        return
