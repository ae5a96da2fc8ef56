"""
What runbooks are worth: how often each was used and helped, and what has become stale. Pure, but for its recording.

A runbook that nobody has practised, reviewed or recorded for long may no longer be true, and the night is no time to
find that out.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import islice
from statistics import median

from firstwatch.model import parse_time
from firstwatch.record.score import Ran
from firstwatch.runs.catalog import Runbook
from firstwatch.systems.tape import TAPE

MOST_DAYS = {"practised": 90, "reviewed": 180, "recorded": 180}  # older than that is stale


@dataclass(frozen=True, slots=True)
class Use:
    """How often it ran and helped, and how many minutes it took at the median; None when no end was recorded."""

    times: int
    helped: int
    minutes: float | None


@dataclass(frozen=True, slots=True)
class Efficacy:
    """One runbook: its `use` in incidents and its `practice` in game days, apart; days are None when never."""

    runbook: str
    title: str
    alerts: tuple[str, ...]
    use: Use
    practice: Use
    practised: date | None
    reviewed: date | None
    recorded: date | None
    stale: tuple[str, ...] = ()


def efficacy(books: Iterable[Runbook], ran: Iterable[Ran], today: date) -> tuple[Efficacy, ...]:
    """Return how each of *books* fared in what *ran*, by name."""
    known = tuple(ran)
    return tuple(_one(book, [each for each in known if each.runbook == book.name], today) for book in books)


def _one(book: Runbook, ran: list[Ran], today: date) -> Efficacy:
    drills = [each for each in ran if each.practice]
    found = Efficacy(
        book.name, book.title, tuple(map(str, book.metadata.get("alerts", ()))),
        _use(each for each in ran if not each.practice), _use(drills),
        max((each.at.date() for each in drills), default=None), _day(book.metadata.get("reviewed")), _recorded(book),
    )  # fmt: skip
    return replace(found, stale=tuple(_stale(found, today)))


def _use(ran: Iterable[Ran]) -> Use:
    known = list(ran)
    took = [each.took_s / 60 for each in known if each.took_s is not None]
    return Use(len(known), sum(each.helped for each in known), round(median(took), 2) if took else None)


def _stale(found: Efficacy, today: date) -> Iterable[str]:
    for word, most in MOST_DAYS.items():
        day: date | None = getattr(found, word)
        if day is None:
            yield f"never {word}"
        elif today - day > timedelta(days=most):
            yield f"{word} {(today - day).days} days ago"


def _day(text: object) -> date | None:
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        return None


def _recorded(book: Runbook) -> date | None:
    """Return the day of the book's recording, from its first line; None when there is none, or it cannot be read."""
    try:
        with (book.recording / TAPE).open(encoding="utf-8") as file:
            return parse_time(json.loads("".join(islice(file, 1)))["at"]).date()
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


@dataclass(frozen=True, slots=True)
class Covered:
    """An alert, and the runbooks that name it. `fired`: somebody saw it firing in an incident."""

    alert: str
    investigate: tuple[str, ...]
    mitigate: tuple[str, ...]
    fired: bool

    @property
    def gap(self) -> bool:
        return not self.investigate


def coverage(books: Iterable[Efficacy], fired: Iterable[str]) -> tuple[Covered, ...]:
    """Return each alert that a runbook names or that has fired, by name, with where it leads."""
    known, seen = tuple(books), frozenset(fired)
    names = sorted({alert for book in known for alert in book.alerts} | seen)
    return tuple(
        Covered(name, _lead(known, name, "investigate"), _lead(known, name, "mitigate"), name in seen) for name in names
    )


def _lead(books: Iterable[Efficacy], alert: str, kind: str) -> tuple[str, ...]:
    return tuple(each.runbook for each in books if alert in each.alerts and each.runbook.startswith(f"{kind}/"))
