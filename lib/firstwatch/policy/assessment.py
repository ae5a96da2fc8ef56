"""
What the clocks say of a response: what was in time and what was late, as sentences to begin a post-mortem with. Pure.

They name duties, not people: a clock that nobody could have met is a fault of the procedure.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from firstwatch.model import clock_time
from firstwatch.policy.duties import Duty

JUDGED = ("met", "missed", "overdue")


@dataclass(frozen=True, slots=True)
class Assessment:
    """Suggestions for what went `well` and what could `improve`; `in_time` of `judged` clocks were met."""

    well: tuple[str, ...]
    improve: tuple[str, ...]
    in_time: int
    judged: int

    @property
    def share(self) -> float | None:
        """Return the share of clocks that were met, 0 to 1; None when none has ended."""
        return self.in_time / self.judged if self.judged else None


def assess(duties: Iterable[Duty]) -> Assessment:
    """Return what *duties* say, those that were late by the longest first."""
    judged = [each for each in duties if each.state in JUDGED]
    met = [each for each in judged if each.state == "met"]
    late = sorted((each for each in judged if each.state != "met"), key=_late_by, reverse=True)
    said = [f"In time: {', '.join(each.id for each in met)}."] if met else []
    return Assessment(tuple(said), tuple(map(_late, late)), len(met), len(judged))


def updates(duties: Iterable[Duty]) -> Assessment:
    """Return the same of the first response and the updates alone: of how people were kept informed."""
    return assess(each for each in duties if each.id == "first-response" or each.id.startswith("update"))


def _late_by(duty: Duty) -> timedelta:
    return duty.done_at - duty.due if duty.done_at else timedelta.max


def _late(duty: Duty) -> str:
    when = f"due at {clock_time(duty.due)}"
    if duty.done_at is None:
        return f"{duty.id} was never done, {when}. {duty.why}"
    return f"{duty.id} came {_spoken(duty.done_at - duty.due)} late, {when}. {duty.why}"


def _spoken(span: timedelta) -> str:
    seconds = max(0, round(span.total_seconds()))
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"
