"""The scorecard: the five objectives in numbers, by incident and by month, and what the runbooks are worth."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from statistics import median

from firstwatch.errors import FirstwatchError
from firstwatch.model import Json, cell, escaped, plain, table
from firstwatch.policy.sla import Spent
from firstwatch.policy.tables import Policy
from firstwatch.publish.clean import heading
from firstwatch.record.incident import fold
from firstwatch.record.journal import read
from firstwatch.record.score import Ran, Score, alerts, runs, score
from firstwatch.record.store import Store
from firstwatch.runs.catalog import Runbook
from firstwatch.runs.efficacy import Covered, Efficacy, Use, coverage, efficacy
from firstwatch.settings import Sla

PLACE = "SCORECARD_TABLES"  # what stands in the page where the tables go
HEAD = (
    "Incident", "Title", "Severity", "Downtime", "Restored after", "Customers", "Updates in time", "Clocks met",
    "Record", "SLA",
)  # fmt: skip
DASH = "-"


@dataclass(frozen=True, slots=True)
class Scorecard:
    """Everything that is counted. `unreadable` are records that are not in it."""

    scores: tuple[Score, ...]
    runbooks: tuple[Efficacy, ...]
    alerts: tuple[Covered, ...]
    unreadable: tuple[str, ...]

    @property
    def incidents(self) -> tuple[Score, ...]:
        return tuple(each for each in self.scores if not each.practice)

    @property
    def drills(self) -> tuple[Score, ...]:
        return tuple(each for each in self.scores if each.practice)

    def json(self) -> Json:
        """Return all of it as JSON; game days apart."""
        parts = {
            "incidents": self.incidents, "practice": self.drills, "months": months(self.incidents),
            "runbooks": self.runbooks, "alerts": self.alerts, "unreadable": self.unreadable,
        }  # fmt: skip
        return json.loads(json.dumps(plain(parts), default=_other))


def _other(value: object) -> Json:
    """Return days as text and spans in seconds."""
    return value.isoformat() if isinstance(value, date) else value.total_seconds()  # type: ignore[attr-defined]


def scorecard(
    store: Store, books: Iterable[Runbook], policy: Policy, promise: Sla | None, now: datetime
) -> Scorecard:  # fmt: skip
    """Return the scorecard of all records in *store*; one that cannot be read is named and left out."""
    scores: list[Score] = []
    ran: list[Ran] = []
    fired: set[str] = set()
    unreadable: list[str] = []
    for record in store.records():
        try:
            events = tuple(read(record.journal))
            state = fold(events)
            found = score(policy, promise, state, state.pace.world(now))
        except FirstwatchError:
            unreadable.append(record.id)
            continue
        scores += [found] if found else []
        ran += runs(events)
        fired |= alerts(events)
    known = efficacy(books, ran, now.date())
    return Scorecard(tuple(scores), known, coverage(known, fired), tuple(unreadable))


@dataclass(frozen=True, slots=True)
class Month:
    """What the incidents that began in a `month` add up to; medians are None, and shares, when there is nothing."""

    month: str
    incidents: int
    downtime_s: float
    restored_s: float | None
    updates: tuple[int, int]
    complete: float
    spent: Spent | None


def months(scores: Iterable[Score]) -> tuple[Month, ...]:
    """Return the months of *scores*, newest first."""
    by: dict[str, list[Score]] = {}
    for each in scores:
        by.setdefault(f"{each.began:%Y-%m}" if each.began else each.incident[:7], []).append(each)
    return tuple(_month(name, by[name]) for name in sorted(by, reverse=True))


def _month(name: str, scores: list[Score]) -> Month:
    restored = [each.after_s["restored"] for each in scores if "restored" in each.after_s]
    spent = [each.spent for each in scores if each.spent]
    total = replace(spent[0], spent=sum((each.spent for each in spent[1:]), spent[0].spent)) if spent else None
    return Month(
        name, len(scores), sum(each.downtime_s for each in scores), median(restored) if restored else None,
        (sum(each.updates[0] for each in scores), sum(each.updates[1] for each in scores)),
        round(sum(each.complete for each in scores) / len(scores), 1), total,
    )  # fmt: skip


def markdown(card: Scorecard, links: Mapping[str, str]) -> str:
    """Return *card* as Markdown; *links* are the links to the pages of records and runbooks, by their names."""
    return "\n\n".join(_parts(card, links))


def _parts(card: Scorecard, links: Mapping[str, str]) -> Iterator[str]:
    yield "## Incidents"
    yield _scores(card.incidents, links) or "There was none yet."
    if card.incidents:
        yield "### Month by month"
        yield _months(card.incidents)
    yield "## Game days"
    yield _scores(card.drills, links) or "There was none yet."
    yield "## Runbooks"
    yield _runbooks(card.runbooks, links)
    yield "### Stale"
    yield _listed(_stale(card.runbooks, links), "Nothing is stale.")
    yield "## Alerts"
    yield _alerts(card.alerts, links)
    unnamed = [each for each in card.runbooks if not each.alerts]
    yield "No alert leads to these; a finding or a symptom does:"
    yield _listed((_link(each.runbook, links) for each in unnamed), "none.")
    yield "## Lessons learned"
    yield _listed(_lessons(card, links), "None is written down yet.")
    if card.unreadable:
        yield f"**Not counted**, since they cannot be read: {', '.join(map(escaped, card.unreadable))}."


def _stale(found: Iterable[Efficacy], links: Mapping[str, str]) -> Iterator[str]:
    by: dict[str, list[str]] = {}
    for each in found:
        for why in each.stale:
            by.setdefault(why, []).append(_link(each.runbook, links))
    yield from (f"{why}: {', '.join(names)}" for why, names in by.items())


def _lessons(card: Scorecard, links: Mapping[str, str]) -> Iterator[str]:
    for each in card.scores:
        for lesson in each.lessons:
            yield f"{escaped(lesson)} ({_link(each.incident, links)}{', practice' if each.practice else ''})"


def _listed(lines: Iterable[str], none: str) -> str:
    return "\n".join(f"- {each}" for each in lines) or none


def _link(name: str, links: Mapping[str, str]) -> str:
    return links.get(name, escaped(name))


def _scores(scores: Iterable[Score], links: Mapping[str, str]) -> str:
    rows = [_score(each, links) for each in sorted(scores, key=lambda each: each.incident, reverse=True)]
    return _table((HEAD[0], *HEAD[2:]), rows) if rows else ""


def _score(each: Score, links: Mapping[str, str]) -> tuple[str, ...]:
    _, title, *numbers = columns(each)
    return (f"{_link(each.incident, links)} {cell(heading(title))}", *map(cell, numbers))


def columns(each: Score) -> tuple[str, ...]:
    """Return the numbers of *each* incident as text, in the order of `HEAD`."""
    kept = DASH if each.spent is None else ("kept" if each.spent.kept else "VIOLATED")
    return (
        each.incident, each.title, each.severity, spoken(each.downtime_s), spoken(each.after_s.get("restored")),
        each.customers or "not assessed", of(each.updates), of(each.clocks), f"{each.complete} %", kept,
    )  # fmt: skip


def _months(scores: Iterable[Score]) -> str:
    head = ("Month", "Incidents", "Downtime", "Median to restore", "Updates in time", "Record", "SLA")
    return _table(head, [
        (m.month, str(m.incidents), spoken(m.downtime_s), spoken(m.restored_s), of(m.updates), f"{m.complete:g} %",
         cell(str(m.spent)) if m.spent else DASH) for m in months(scores)
    ])  # fmt: skip


def _runbooks(found: Iterable[Efficacy], links: Mapping[str, str]) -> str:
    head = (
        "Runbook",
        "Used, helped",
        "Takes",
        "Practised, helped",
        "Takes",
        "Last practised",
        "Reviewed",
        "Recorded",
    )
    rows = [
        (_link(e.runbook, links), times(e.use), takes(e.use), times(e.practice), takes(e.practice),
         *map(_day, (e.practised, e.reviewed, e.recorded))) for e in found
    ]  # fmt: skip
    return _table(head, rows)


def _day(day: date | None) -> str:
    """Return *day* with hyphens at which no line is broken."""
    return f"{day}".replace("-", "\u2011") if day else "never"


def _alerts(found: Iterable[Covered], links: Mapping[str, str]) -> str:
    rows = [
        (f"{cell(e.alert)}{' (has fired)' if e.fired else ''}",
         ", ".join(_link(n, links) for n in e.investigate) or "**none**",
         ", ".join(_link(n, links) for n in e.mitigate) or "none") for e in found
    ]  # fmt: skip
    return _table(("Alert", "Look first", "What may help"), rows) if rows else "No alert is known."


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table whose cells are Markdown already; `model.table` would escape their links."""
    titles = list(head)
    return "\n".join([*table(titles, ()).splitlines(), *(f"| {' | '.join(row)} |" for row in rows)])


def of(pair: tuple[int, int]) -> str:
    return f"{pair[0]} of {pair[1]}" if pair[1] else DASH


def times(use: Use) -> str:
    return f"{use.times}, {use.helped}" if use.times else DASH


def takes(use: Use) -> str:
    return DASH if use.minutes is None else spoken(use.minutes * 60)


def spoken(seconds: float | None) -> str:
    """Return *seconds* as people say them: `45 s`, `12 min`, `3.5 h`."""
    if seconds is None:
        return DASH
    return (
        f"{seconds:.0f} s"
        if seconds < 120
        else f"{seconds / 60:.0f} min"
        if seconds < 7200
        else f"{seconds / 3600:.1f} h"
    )


def fill(page: Path, card: Scorecard, links: Mapping[str, str]) -> None:
    """Put the tables of *card* into their place in *page*."""
    page.write_text(page.read_text("utf-8").replace(PLACE, markdown(card, links)), "utf-8")
