"""
Spans: the stretches of an incident during which one severity held and one clock ran.

A severity's clocks count from the declaration, also those of a severity that came later: what it makes overdue is
overdue at once. After a reopening they count from there. A stretch without an `end` is the present one.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from firstwatch.model import Severity
from firstwatch.policy.facts import Facts

Stretch = tuple[datetime, datetime | None]


@dataclass(frozen=True, slots=True)
class Span:
    """From `begin` to `end` the severity held. Clocks count from `since`: a declaration, reopening or resolution."""

    severity: Severity
    since: datetime
    begin: datetime
    end: datetime | None = None

    def ended(self, now: datetime) -> datetime:
        return min(self.end, now) if self.end else now


def worked(facts: Facts) -> list[Stretch]:
    """Return when the incident was unresolved: from the declaration, and from each reopening."""
    starts = [each.at for each in facts.declared]
    return list(_stretches(starts, facts, from_resolution=False))


def resolved(facts: Facts) -> list[Stretch]:
    """Return when it was resolved: from each resolution to the reopening after it."""
    return list(_stretches([], facts, from_resolution=True))


def whole(facts: Facts) -> list[Stretch]:
    """Return all of its life, the resolution or not."""
    return [(each.at, None) for each in facts.declared]


def _stretches(starts: list[datetime], facts: Facts, *, from_resolution: bool) -> Iterator[Stretch]:
    """Yield the stretches between resolutions and reopenings, in the order that they happened."""
    since = starts[0] if starts else None
    for turn in facts.turns if facts.declared else ():
        if turn.resolved is from_resolution:
            since = since or turn.at
        elif since is not None:
            yield since, turn.at
            since = None
    if since is not None:
        yield since, None


def spans(facts: Facts, stretches: Iterable[Stretch]) -> tuple[Span, ...]:
    """Return *stretches* cut where the severity changed; empty when none was ever given."""
    return tuple(span for begin, end in stretches for span in _graded(facts, begin, end))


def _graded(facts: Facts, begin: datetime, end: datetime | None) -> Iterator[Span]:
    known = [each for each in facts.grades if each.severity in Severity.__members__]
    grades = [each for n, each in enumerate(known) if n == 0 or each.severity != known[n - 1].severity]
    for number, grade in enumerate(grades):
        until = grades[number + 1].at if number + 1 < len(grades) else None
        first = begin if number == 0 else max(begin, grade.at)
        last = min((each for each in (until, end) if each), default=None)
        if last is None or first <= last:  # one that lasted no time asked for things all the same
            yield Span(Severity(grade.severity), begin, first, last)


def clipped(cut: Iterable[Span], begin: datetime, end: datetime | None = None) -> tuple[Span, ...]:
    """Return what of *cut* lies between *begin* and *end*."""
    kept = (span for span in cut if (span.end is None or span.end >= begin) and (end is None or span.begin <= end))
    return tuple(
        replace(span, begin=max(span.begin, begin), end=min((e for e in (span.end, end) if e), default=None))
        for span in kept
    )
