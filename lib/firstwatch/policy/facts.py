"""
What happened among people, as the duties need it: frozen, in the order of the journal, each with its moment.

The moments are made steady by whoever folds them (`record.people`): none is later than one that came after it. The
incident's severity, roles, flags and spells are read off here, never stored.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime, timedelta
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Something happened, and who did it. The kinds below add what."""

    at: datetime
    by: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade(Moment):
    severity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag(Moment):
    flag: str
    value: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned(Moment):
    role: str
    person: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer(Moment):
    """A role was offered to somebody, who has accepted it, or it was withdrawn. `state` says which."""

    state: str
    role: str
    giver: str
    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalated(Moment):
    level: str
    to: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice(Moment):
    whom: str
    how: str = ""
    reference: str = ""
    acknowledged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Moment):
    whom: str
    number: str
    result: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Update(Moment):
    """An update as it was given; `next` is when the next one was promised, or None."""

    number: int
    status: str
    summary: str = ""
    impact: str = ""
    eta: str = ""
    actions: str = ""
    next: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypothesis(Moment):
    """A cause that somebody thinks of: `open`, `eliminated` or `confirmed`."""

    text: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Note(Moment):
    """A line that somebody added, at the moment of which it tells."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked(Moment):
    item: str
    value: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Told(Moment):
    """A text that arrived: by which channel, made from which template."""

    channel: str
    template: str
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made(Moment):
    """A place that was made for this incident: a chat channel, a status page incident, a ticket."""

    channel: str
    reference: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintenance(Moment):
    """Customers began to see the maintenance page, or it was taken away."""

    shown: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Look(Moment):
    """A look at the system: the worst that it saw, and the worst of each probe. `verified`: until all was well."""

    verdict: str
    probes: Mapping[str, str] = field(default_factory=dict)
    verified: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn(Moment):
    """It was resolved, or reopened; the reason is the summary, or why it was. `cause` is what was known of it then."""

    resolved: bool
    cause: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting(Moment):
    """The post-mortem was `scheduled` or `held`, for or at the moment `when`."""

    state: str
    when: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Written(Moment):
    """The post-mortem as a `draft` or `final`: which version of it, and the hash of that text."""

    state: str
    version: int
    sha256: str


NOT_A_NUMBER = ("none", "no ", "not known")  # what else an impact may begin with


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact(Moment):
    """What it cost, in words with a number and a unit; `source` says who knows. What is empty was not said."""

    customers: str = ""
    money: str = ""
    reputation: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion(Moment):
    """What people made of it. `part`: `cause`, `direct`, `factor`, `safeguards`, `well`, `improve`, `lesson`."""

    part: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Item(Moment):
    """An action item as it was last said: `open` or `done`; `evidence` links what answered it."""

    id: str
    action: str
    owner: str
    due: date
    priority: str
    state: str = "open"
    evidence: str = ""

    def overdue(self, today: date) -> bool:
        return self.state == "open" and self.due < today


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket(Moment):
    """The tracker has an action item; `reference` is its address there, or its key."""

    item: str
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The people's side of one incident. Every field is a tuple, oldest first; `declared` has one moment at most."""

    declared: tuple[Moment, ...] = ()
    grades: tuple[Grade, ...] = ()
    acknowledged: tuple[Moment, ...] = ()
    flags: tuple[Flag, ...] = ()
    releases: tuple[Moment, ...] = ()
    assignments: tuple[Assigned, ...] = ()
    offers: tuple[Offer, ...] = ()
    escalations: tuple[Escalated, ...] = ()
    notices: tuple[Notice, ...] = ()
    calls: tuple[Call, ...] = ()
    updates: tuple[Update, ...] = ()
    hypotheses: tuple[Hypothesis, ...] = ()
    notes: tuple[Note, ...] = ()
    checks: tuple[Checked, ...] = ()
    told: tuple[Told, ...] = ()
    made: tuple[Made, ...] = ()
    looks: tuple[Look, ...] = ()
    turns: tuple[Turn, ...] = ()
    meetings: tuple[Meeting, ...] = ()
    detections: tuple[Moment, ...] = ()
    mitigations: tuple[Moment, ...] = ()
    maintenance: tuple[Maintenance, ...] = ()
    closures: tuple[Moment, ...] = ()
    impacts: tuple[Impact, ...] = ()
    conclusions: tuple[Conclusion, ...] = ()
    items: tuple[Item, ...] = ()
    tickets: tuple[Ticket, ...] = ()
    written: tuple[Written, ...] = ()

    def moments(self) -> Iterator[Moment]:
        """Yield everything that happened, kind by kind."""
        for each in fields(self):
            yield from getattr(self, each.name)

    @property
    def last(self) -> datetime | None:
        return max((each.at for each in self.moments()), default=None)

    def earlier(self, by: timedelta) -> Self:
        """Return the same facts, each *by* so much earlier: as a clock that was set back tells them."""
        moved = {f.name: tuple(replace(e, at=e.at - by) for e in getattr(self, f.name)) for f in fields(self)}
        return replace(self, **moved)

    @property
    def severity(self) -> str:
        return self.grades[-1].severity if self.grades else ""

    @property
    def roles(self) -> dict[str, str]:
        """Return who holds each role now."""
        return {each.role: each.person for each in self.assignments}

    def holder(self, role: str) -> str:
        """Return the person who holds *role*, else the role's own name."""
        return self.roles.get(role, role)

    def offered(self, role: str) -> Offer | None:
        """Return the offer of *role* that nobody has accepted or withdrawn, or None."""
        found = [each for each in self.offers if each.role == role]
        return found[-1] if found and found[-1].state == "offered" else None

    def periods(self, flag: str) -> tuple[tuple[Flag, Flag | None], ...]:
        """Return each time that *flag* was on, with what took it off: that takes a name and a reason."""
        found: list[tuple[Flag, Flag | None]] = []
        for each in self.flags:
            on = bool(found) and found[-1][1] is None
            if each.flag == flag and each.value and not on:
                found.append((each, None))
            elif each.flag == flag and not each.value and on and each.by and each.reason.strip():
                found[-1] = (found[-1][0], each)
        return tuple(found)

    def flag(self, name: str) -> Flag | None:
        """Return since when the flag *name* is on; None when it is off."""
        return next((on for on, off in self.periods(name)[-1:] if off is None), None)

    @property
    def held_back(self) -> bool:
        """Whether nothing may be published: a breach was flagged, and nobody released the texts since."""
        breach = self.flag("breach")
        return breach is not None and not any(each.at >= breach.at for each in self.releases)

    @property
    def level(self) -> str:
        """Return the level of the ladder that was reached."""
        return max((each.level for each in self.escalations), default="L1")

    @property
    def todo(self) -> tuple[Item, ...]:
        """Return each action item as it stands, in the order in which they came up."""
        return tuple({each.id: each for each in self.items}.values())

    @property
    def filed(self) -> dict[str, str]:
        """Return where each action item is tracked, by its id."""
        return {each.item: each.reference for each in self.tickets}

    def assessed(self, what: str) -> Impact | None:
        """Return what was last said of `customers`, `money` or `reputation`."""
        return next((each for each in reversed(self.impacts) if getattr(each, what)), None)

    def cause(self) -> str:
        """Return the cause as it is known: what was concluded, else a confirmed hypothesis, else the resolution's."""
        concluded = [each.text for each in self.conclusions if each.part == "cause"]
        thought = {each.text: each.state for each in self.hypotheses}
        confirmed = [text for text, state in thought.items() if state == "confirmed"]
        told = [each.cause for each in self.turns if each.cause]
        return next((found[-1] for found in (concluded, confirmed, told) if found), "")

    def checked(self, item: str) -> Checked | None:
        """Return the last word on the checklist line *item*."""
        return next((each for each in reversed(self.checks) if each.item == item), None)
