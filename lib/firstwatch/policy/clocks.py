"""
The clocks: a row for each thing that somebody owes, with the rule that says by when and the moment it was done.

A row says nothing about now; `duties` judges it. By when something is owed is a function of the span: of the severity,
and of what it counts from.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from firstwatch.model import Severity, clock_time
from firstwatch.policy import calendar, spans
from firstwatch.policy.facts import Facts, Moment, Told, Update
from firstwatch.policy.spans import Span
from firstwatch.policy.tables import External, Limit, Policy, Rung, Rungs, Schedule, Term

MANAGEMENT = ("manager", "director", "executive")
LADDER: tuple[tuple[Rungs, Rungs], ...] = (("L1", "L2"), ("L2", "L3"), ("L3", "L4"))
PUBLIC = ("slack", "statuspage", "mail")  # channels on which people, not machines, are told
REACHED = "reached"  # the result of a call that is a notice too


@dataclass(frozen=True, slots=True)
class Due:
    """By when, why, and since when that clock runs."""

    at: datetime
    why: str
    since: datetime


Rule = Callable[[Span], Due | None]
Terms = Mapping[Severity, tuple[str, Term | None]]  # a severity's words, and how long; None: it has no such clock


@dataclass(frozen=True, slots=True)
class Row:
    """One clock. `spans` are when it ran; `due` says by when under one of them, None when that severity has none."""

    id: str
    owner: str
    spans: tuple[Span, ...]
    due: Rule
    done: Moment | None
    notes: tuple[str, ...] = ()


def rows(policy: Policy, facts: Facts) -> Iterator[Row]:
    """Yield every clock of an incident; ids are unique."""
    book = Book(policy, facts, spans.spans(facts, spans.worked(facts)))
    yield from book.response()
    yield from book.updates()
    yield from book.roles()
    yield from book.publishing()
    yield from book.ladder()
    yield from book.notices()
    yield from book.external()
    yield from book.afterwards()


@dataclass(frozen=True, slots=True)
class Book:
    """The rows, group by group; `spans` are when the incident was unresolved."""

    policy: Policy
    facts: Facts
    spans: tuple[Span, ...]

    def response(self) -> Iterator[Row]:
        levels = {severity: (level.response, level.within) for severity, level in self.policy.levels.items()}
        yield Row("acknowledge", "on-call", self.spans, self._graded(levels), first(self.facts.acknowledged))
        initial = _terms({severity: each.initial for severity, each in self._schedule.items()})
        told = first((*self.facts.updates, *self._told(*PUBLIC), *self._notices("stakeholders", "support")))
        yield Row("first-response", self._owner("communications-lead"), self.spans, self._graded(initial), told)
        channel = {severity: (self.policy.channel.text, term) for severity, term in self.policy.channel.within.items()}
        made = first(each for each in self.facts.made if each.channel in ("slack", "tracker"))
        yield Row("channel", self._owner("incident-commander"), self.spans, self._graded(channel), made)

    def updates(self) -> Iterator[Row]:
        """Yield a row an update, each counted from the one before; the last row is the one that is owed next."""
        owner, before = self._owner("communications-lead"), None
        given = [each for each in self.facts.updates if self.spans and each.at >= self.spans[0].since]
        for number, each in enumerate(given, 1):
            cut = spans.clipped(self.spans, before.at if before else self.spans[0].begin, each.at)
            yield Row(f"update-{number}", owner, cut, self._next(before, each), each)
            before = each
        cut = spans.clipped(self.spans, before.at) if before else self.spans
        yield Row("update", owner, cut, self._next(before), None)

    def _next(self, before: Update | None, given: Update | None = None) -> Rule:
        """Return the rule of the update after *before*: by the schedule, sooner if promised or if customers see it."""

        def due(span: Span) -> Due | None:
            limit = self.policy.schedule[span.severity].update
            base = before if before and before.at >= span.since else None
            scheduled = self._due(span, limit.text, limit.within, base)
            promised = (
                Due(base.next, "promised by the last update", base.at)
                if base and base.next and base.next > base.at
                else None
            )
            seen = self._page(span.severity, base.at if base else span.since, given)
            return min((each for each in (scheduled, promised, seen) if each), key=lambda each: each.at, default=None)

        return due

    def _page(self, severity: Severity, after: datetime, given: Update | None) -> Due | None:
        """Return by when customers are told of a maintenance page that came or went *after* a moment."""
        seen = (each for each in self.facts.maintenance if each.at > after and not (given and each.at > given.at))
        page = next(seen, None)
        if page is None:
            return None
        what = "customers see the maintenance page" if page.shown else "the maintenance page is gone"
        due = calendar.later(self.policy.calendar, page.at, self._response(severity))
        return Due(due, f"{what} since {clock_time(page.at)}", page.at)

    def _response(self, severity: Severity) -> Term:
        """Return how soon a severity's first response is given; one that has none takes the longest of the others."""
        within = {each: limit.initial.within for each, limit in self._schedule.items()}
        own = within[severity]
        return own if own is not None else max(each for each in within.values() if isinstance(each, timedelta))

    def roles(self) -> Iterator[Row]:
        for name, role in self.policy.roles.items():
            terms = {severity: (f"{role.name} assigned", term) for severity, term in role.within.items()}
            done = first(each for each in self.facts.assignments if each.role == name)
            owner = "on-call" if name == "incident-commander" else self._owner("incident-commander")
            if terms:
                yield Row(_assign(name), owner, self.spans, self._graded(terms), done)

    def publishing(self) -> Iterator[Row]:
        """Yield the status page and the mail; while a breach holds them back it is for legal to let them go."""
        held = self.facts.held_back
        owner = self._owner("legal" if held else "communications-lead")
        notes = ("held back by the breach flag until they are released: firstwatch release",) if held else ()
        made = (each for each in self.facts.made if each.channel == "statuspage")
        page = first((*self._told("statuspage"), *made, *self._notices("status-page")))
        letters = (each for each in self._told("mail") if each.template.startswith("customer"))
        mail = first((*letters, *self._notices("customers")))
        pages = {severity: each.status_page for severity, each in self._schedule.items()}
        yield Row("status-page", owner, self.spans, self._extended(pages), page, notes)
        mails = {severity: each.customer_email for severity, each in self._schedule.items()}
        yield Row("customer-email", owner, self.spans, self._extended(mails), mail, notes)

    def _extended(self, limits: Mapping[Severity, Limit]) -> Rule:
        """Return the rule of something that is owed within a time, or once the incident is extended."""
        periods = self.policy.extended.update_periods

        def due(span: Span) -> Due | None:
            limit, beginning = limits[span.severity], extended(self.policy, span)
            if not limit.extended or beginning is None:
                return self._due(span, limit.text, limit.within)
            beyond = f"{limit.text}, which is beyond {periods} update periods"
            return Due(beginning, f"{span.severity}: {beyond}, {self._from(span)}", span.since)

        return due

    def ladder(self) -> Iterator[Row]:
        """Yield a row a level. A flag that was taken off again asks for nothing, but where it was the only reason."""
        owner = self._owner("incident-commander")
        for below, level in LADDER:
            rung = self.policy.ladder.levels[level]
            periods = self.facts.periods(rung.flag)
            on, off = (periods[0][0], periods[-1][1]) if periods else (None, None)
            alone = not any(map(self._climb(rung, below, None), self.spans))
            due = self._climb(rung, below, on if alone or not off else None)
            reached = first(each for each in self.facts.escalations if each.level >= level)
            done = reached or (off if alone else None)
            yield Row(f"escalate-{level.lower()}", owner, self.spans, due, done, _dismissed(done, off))

    def _climb(self, rung: Rung, below: str, flag: Moment | None) -> Rule:
        def due(span: Span) -> Due | None:
            return min(self._climbs(rung, below, flag, span), key=lambda each: each.at, default=None)

        return due

    def _climbs(self, rung: Rung, below: str, flag: Moment | None, span: Span) -> Iterator[Due]:
        """Yield each reason to climb to *rung*, with by when."""
        arrived = self._arrived(below, span)
        if span.severity in rung.after and arrived:
            term = rung.after[span.severity]
            why = f"{span.severity}: not resolved {spoken(term)} after {below}, {clock_time(arrived)}"
            yield Due(arrived + term, why, arrived)
        if span.severity in rung.lasting:
            term = rung.lasting[span.severity]
            why = f"{span.severity}: lasting longer than {spoken(term)}, {self._from(span)}"
            yield Due(span.since + term, why, span.since)
        if flag:
            yield Due(flag.at, f"{(rung.flag, *rung.text)[-1]}, flagged at {clock_time(flag.at)}", flag.at)

    def _arrived(self, level: str, span: Span) -> datetime | None:
        """Return when *level* was reached, for the clock that counts from there; None when it was not."""
        if level == "L1" or self.policy.ladder.count_from == "declaration":
            return span.since
        found = first(each for each in self.facts.escalations if each.level >= level)
        return max(found.at, span.since) if found else None

    def notices(self) -> Iterator[Row]:
        owner = self._owner("incident-commander")
        for whom in MANAGEMENT:
            limits = _terms({severity: getattr(each, whom) for severity, each in self.policy.notices.items()})
            yield Row(f"notify-{whom}", owner, self.spans, self._graded(limits), first(self._notices(whom)))

    def external(self) -> Iterator[Row]:
        for name, each in self.policy.external.items():
            periods = self.facts.periods(each.flag)
            for number, (on, off) in enumerate(periods, 1):
                yield self._outside(f"{name}-{number}" if number < len(periods) else name, each, on, off)

    def _outside(self, name: str, each: External, on: Moment, off: Moment | None) -> Row:
        """Return the row of somebody outside; what outlives the resolution needs no declaration, and no severity."""
        due = Due(on.at + each.within, f"{each.name}: {each.text}, flagged at {clock_time(on.at)}", on.at)
        always = (Span(Severity.SEV1, on.at, on.at),)
        ran = always if each.outlives else spans.clipped(self.spans, on.at)
        told = first(notice for notice in self._notices(each.whom) if notice.at >= on.at)
        done = first(moment for moment in (told, off) if moment)
        return Row(name, self._owner("incident-commander"), ran, lambda _: due, done, _dismissed(done, off))

    def afterwards(self) -> Iterator[Row]:
        over = spans.resolved(self.facts)
        closed = next((each.at for each in self.facts.closures if over and each.at >= over[-1][0]), None)
        watched = spans.clipped(spans.spans(self.facts, over[-1:]), datetime.min.replace(tzinfo=UTC), closed)
        due = self._graded(_terms(self.policy.monitoring), "the resolution")
        yield Row("monitor", self._owner("technical-lead"), watched, due, self._watched(watched, due))
        terms = {s: (self.policy.post_mortem.text, term) for s, term in self.policy.post_mortem.within.items()}
        held = first(each for each in self.facts.meetings if each.state == "held")
        ran = spans.spans(self.facts, over)
        owner = self._owner("incident-commander")
        yield Row("post-mortem", owner, ran, self._graded(terms, "the resolution"), held)

    def _watched(self, ran: tuple[Span, ...], due: Rule) -> Moment | None:
        """Return when the window was watched to its end: its last look was OK; without one, the first OK after it."""
        ends = due(ran[-1]) if ran and ran[-1].end is None else None
        if ends is None:
            return None
        looks = [each for each in self.facts.looks if each.at >= ran[0].since]
        within = [each for each in looks if each.at <= ends.at]
        if within and within[-1].verdict == "OK":
            return Moment(at=ends.at, by=within[-1].by)
        return first(each for each in looks if each.at > ends.at and each.verdict == "OK")

    def _graded(self, terms: Terms, after: str = "") -> Rule:
        """Return the rule of a clock that only the severity decides."""

        def due(span: Span) -> Due | None:
            text, term = terms.get(span.severity, ("", None))
            return self._due(span, text, term, after=after)

        return due

    def _due(self, span: Span, text: str, term: Term | None, last: Update | None = None, after: str = "") -> Due | None:
        """Return by when something is due that is owed *term* after *last*, else after the span's own beginning."""
        if term is None:
            return None
        since = last.at if last else span.since
        words = f"from update {last.number} at {clock_time(since)}" if last else self._from(span, after)
        return Due(calendar.later(self.policy.calendar, since, term), f"{span.severity}: {text}, {words}", since)

    def _from(self, span: Span, after: str = "") -> str:
        declared = any(each.at == span.since for each in self.facts.declared)
        return f"from {after or ('the declaration' if declared else 'the reopening')} at {clock_time(span.since)}"

    @property
    def _schedule(self) -> Mapping[Severity, Schedule]:
        return self.policy.schedule

    def _owner(self, role: str) -> str:
        return self.facts.holder(role)

    def _told(self, *channels: str) -> Iterator[Told]:
        return (each for each in self.facts.told if each.channel in channels)

    def _notices(self, *whom: str) -> Iterator[Moment]:
        """Yield each notice of *whom*, and each call that reached them."""
        yield from (each for each in self.facts.notices if each.whom in whom)
        yield from (each for each in self.facts.calls if each.whom in whom and each.result == REACHED)


def extended(policy: Policy, span: Span) -> datetime | None:
    """Return from when an incident of *span* is extended; None when its severity has no update period."""
    every, moment = policy.schedule[span.severity].update.within, span.since
    if every is None:
        return None
    for _ in range(policy.extended.update_periods):
        moment = calendar.later(policy.calendar, moment, every)
    return moment


def first(moments: Iterable[Moment]) -> Moment | None:
    return min(moments, key=lambda each: each.at, default=None)


def spoken(term: timedelta) -> str:
    """Return *term* as people say it: `30 minutes`, `1 hour`."""
    minutes = int(term.total_seconds() // 60)
    number, unit = (minutes // 60, "hour") if minutes and minutes % 60 == 0 else (minutes, "minute")
    return f"{number} {unit}{'' if number == 1 else 's'}"


def _terms(limits: Mapping[Severity, Limit]) -> Terms:
    return {severity: (limit.text, limit.within) for severity, limit in limits.items()}


def _assign(role: str) -> str:
    return f"assign-{role.removeprefix('incident-').removesuffix('-lead')}"


def _dismissed(done: Moment | None, off: Moment | None) -> tuple[str, ...]:
    return (f"dismissed by {off.by}: {off.reason}",) if off and done is off else ()
