"""
What somebody should think of: a role of the extended team, a level of the ladder. Pure.

A suggestion is no duty: it has no clock, and nothing does it by itself. It goes when it is done, or the incident is
over; only a flag's stays, as what the law asks for does not end with the outage.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from firstwatch.model import clock_time
from firstwatch.policy import spans
from firstwatch.policy.clocks import extended
from firstwatch.policy.facts import NOT_A_NUMBER, Facts
from firstwatch.policy.tables import Policy, Role

NOTHING = (*NOT_A_NUMBER, "0 ")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """`what` is a role or a level; `command` is what to type, when a person thinks so too."""

    what: str
    why: str
    command: str


def suggestions(policy: Policy, facts: Facts, now: datetime) -> tuple[Suggestion, ...]:
    """Return what *facts* suggest at *now*: roles first, in the policy's order, then the levels."""
    return (*_roles(policy, facts, now), *_levels(policy, facts))


def _roles(policy: Policy, facts: Facts, now: datetime) -> Iterator[Suggestion]:
    for name, role in policy.roles.items():
        why = "; ".join(_asks(policy, role, facts, now))
        if why and name not in facts.roles:
            reason = " --reason TEXT" if role.extended else ""
            yield Suggestion(name, why, f"firstwatch assign {name} PERSON{reason}")


def _asks(policy: Policy, role: Role, facts: Facts, now: datetime) -> Iterator[str]:
    """Yield each reason for which *role* is suggested."""
    yield from (f"flag {each}" for each in role.suggested_by if facts.flag(each))
    yield from _costs(role.suggested_by_impact, facts)
    since = _extended(policy, facts)
    if role.suggested_when_extended and since and since <= now:
        yield f"extended since {clock_time(since)}, beyond {policy.extended.update_periods} update periods"


def _levels(policy: Policy, facts: Facts) -> Iterator[Suggestion]:
    for name, rung in policy.ladder.levels.items():
        why = "; ".join(_costs(rung.suggested_by_impact, facts))
        if why and facts.level < name:
            yield Suggestion(name, why, f"firstwatch escalate --level {name} --reason TEXT")


def _costs(names: Iterable[str], facts: Facts) -> Iterator[str]:
    """Yield what was assessed of *names* while the incident goes on, but for what costs nothing or is not known."""
    for name in names if _unresolved(facts) else ():
        found = facts.assessed(name)
        said = str(getattr(found, name)) if found else ""
        if found and not f"{said} ".lower().startswith(NOTHING):
            yield f"{name} {said} (from {found.source})"


def _extended(policy: Policy, facts: Facts) -> datetime | None:
    present = _unresolved(facts)
    return extended(policy, present[-1]) if present else None


def _unresolved(facts: Facts) -> tuple[spans.Span, ...]:
    """Return the present span; nothing when the incident is not declared, or over."""
    return tuple(each for each in spans.spans(facts, spans.worked(facts)) if each.end is None)
