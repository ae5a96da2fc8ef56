"""
Whether a contact can be believed at night: there is a way to reach them, and somebody has tried it lately. Pure.

A number that was right a year ago is not known to be right now. What was never tried is not taken for good.
"""

from dataclasses import dataclass
from datetime import date

from firstwatch.policy.roster import FILE, Person, Roster


@dataclass(frozen=True, slots=True)
class Standing:
    """`state` is `fresh`, `stale`, `unchecked` or `unreachable`; `next` says what to do, and is empty when fresh."""

    person: Person
    state: str
    next: str = ""


def standings(roster: Roster, today: date) -> tuple[Standing, ...]:
    """Return how each contact of *roster* stands *today*, in its own order."""
    return tuple(standing(each, today, roster.fresh_days) for each in roster.people)


def standing(person: Person, today: date, fresh_days: int) -> Standing:
    """Return how *person* stands; a date that is still to come is not believed."""
    ways = [way for way in (person.phone, person.email, person.slack, person.portal) if way]
    if not ways:
        return Standing(person, "unreachable", f"put a phone, email, slack or portal into {FILE}")
    again = f"reach them by {ways[0]}, then set checked = {today} in {FILE}"
    if person.checked is None:
        return Standing(person, "unchecked", f"nobody has said that it works: {again}")
    if person.checked > today:
        return Standing(person, "stale", f"checked on {person.checked}, which is still to come: {again}")
    days = (today - person.checked).days
    if days > fresh_days:
        return Standing(person, "stale", f"checked {days} days ago, and {fresh_days} are the most: {again}")
    return Standing(person, "fresh")
