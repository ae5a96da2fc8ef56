"""
The gate to closing an incident: the procedures' seven points, what stands in the way, and how complete the record is.

A point that can be measured is measured, the others a person ticks; all can be overridden, with a reason. What stands
in the way cannot: an incident that is not resolved, a change of which nobody knows whether it happened, a change in
force that nobody answers for, a break-glass that nobody has reviewed. Those stay open until somebody has seen to them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from firstwatch.model import cell, table
from firstwatch.policy.checklists import Tick, ticks
from firstwatch.policy.tables import Policy
from firstwatch.record.incident import Applied, Incident

CLOSURE, DOCUMENTATION = "closure", "documentation"


@dataclass(frozen=True, slots=True)
class Closing:
    """How the closing of `incident` stands. `documentation` are the five things that are written down of it."""

    incident: str
    points: tuple[Tick, ...]
    obstacles: tuple[str, ...]
    documentation: tuple[Tick, ...]

    @property
    def missing(self) -> tuple[Tick, ...]:
        return tuple(each for each in self.points if not each.ticked)

    @property
    def open(self) -> bool:
        """Whether the gate is open: nothing is missing and nothing in the way."""
        return not (self.missing or self.obstacles)

    @property
    def completeness(self) -> int:
        """Return how much of the documentation is there, in per cent."""
        return round(100 * sum(each.ticked for each in self.documentation) / len(self.documentation))

    def __repr__(self) -> str:
        lines = [f"{'x' if each.ticked else ' '} {each.text} ({each.how})" for each in self.points]
        lines += [f"! {each}" for each in self.obstacles]
        return "\n".join([*lines, f"documentation {self.completeness} % complete"])

    def _repr_markdown_(self) -> str:
        rows = [("x" if each.ticked else "", each.text, each.how) for each in self.points]
        written = [("x" if each.ticked else "", each.text, each.how) for each in self.documentation]
        parts = [table(("", "Point", "By"), rows), *(f"- in the way: {cell(each)}" for each in self.obstacles)]
        return "\n\n".join(
            [*parts, f"Documentation: {self.completeness} % complete", table(("", "Line", "By"), written)]
        )


def closing(policy: Policy, incident: Incident, now: datetime) -> Closing:
    """Return how the closing of *incident* stands at *now*."""
    points, written = (ticks(policy, incident.people, incident.findings, each) for each in (CLOSURE, DOCUMENTATION))
    return Closing(incident.id, points, tuple(_obstacles(incident, now)), written)


def _obstacles(incident: Incident, now: datetime) -> Iterator[str]:
    if incident.status not in ("resolved", "closed"):
        yield f"incident {incident.id} is {incident.status}: firstwatch resolve"
    for each in incident.in_doubt:
        yield f"{_named(each)} is in doubt: firstwatch resume {incident.id}"
    for plan, by in {each.plan: each.by for each in incident.broken if each.waits}.items():
        yield f"{by} broke the glass for plan {plan}, and nobody has reviewed it: firstwatch review {plan} TEXT"
    for each in incident.in_force:
        if not each.in_doubt and not _owned(each, now):
            how = f"firstwatch undo {each.key} or firstwatch accept {each.key} --owner NAME --until TIME"
            yield f"{_named(each)} is in force and {_unowned(each)}: {how}"


def _unowned(change: Applied) -> str:
    if change.owned_until is None:
        return "nobody answers for it"
    return f"{change.owner} answered for it only until {change.owned_until:%Y-%m-%d %H:%M UTC}"


def _named(change: Applied) -> str:
    return f"{change.plan.action} of {change.plan.target.name}"


def _owned(change: Applied, now: datetime) -> bool:
    return bool(change.owner) and change.owned_until is not None and change.owned_until > now
