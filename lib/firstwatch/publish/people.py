"""
What a coordinate runbook's cells call: each tells people, or shows who has to be told, and leaves it in the record.

In mode `observe` all of it is rehearsed on a copy of the record that goes away: what would be recorded is shown, and
every text as it would be sent; nothing is recorded or sent. A replay tells nobody either. What a run is not given, a
replay takes from its recording, and a live run refuses: nobody is told an example.
"""

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from firstwatch import environment
from firstwatch.channels import announce, switchboard, wiki
from firstwatch.channels.announce import Desk, Ending
from firstwatch.channels.channel import ByHand, Channel
from firstwatch.channels.outbox import Draft, Outbox
from firstwatch.errors import BadParameter, NotFound, nearest
from firstwatch.model import Mode, Severity, cell, escaped, table, timestamp
from firstwatch.policy import roster, tables, triage
from firstwatch.policy.duties import Duty, duties
from firstwatch.policy.facts import Update
from firstwatch.policy.levels import Proposal, propose
from firstwatch.policy.roster import Roster
from firstwatch.policy.tables import Policy
from firstwatch.publish.brief import brief as told_briefly
from firstwatch.record import conduct
from firstwatch.record.conduct import Body
from firstwatch.record.event import Event
from firstwatch.record.evidence import evidence
from firstwatch.record.incident import Incident, fold
from firstwatch.record.messages import Message
from firstwatch.record.sentences import describe
from firstwatch.record.store import Record, Writer
from firstwatch.runs.watch import Watch
from firstwatch.text import visible

STEPS = ("offer", "accept")
NOT_KNOWN = "not known yet"
MOST_LETTERS = 1000
MOST_LINES = 16


@dataclass(frozen=True, slots=True)
class Said:
    """What was put into the record, and the texts that came of it; `real` is False of a rehearsal."""

    sentence: str
    texts: tuple[Message, ...] = ()
    real: bool = True

    @property
    def _begins(self) -> str:
        return "Recorded" if self.real else "Rehearsed, so nothing is recorded or sent"

    def __repr__(self) -> str:
        lines = [f"{self._begins}: {self.sentence}"]
        for each in self.texts:
            lines += [f"-- {each.channel}, {each.to}: {each.state} --", *_beginning(each)]
        return "\n".join(map(visible, lines))

    def _repr_markdown_(self) -> str:
        lines = [f"**{self._begins}**: {cell(self.sentence)}"]
        for each in self.texts:
            quoted = "\n".join(f"> {escaped(line)}  " for line in _beginning(each))
            lines.append(f"{cell(each.channel)}, {cell(each.to)}, {cell(each.state)}:\n\n{quoted}")
        return "\n\n".join(lines)


def _beginning(message: Message) -> list[str]:
    """Return the lines of a text; of a long one, as the wiki's page, how it begins."""
    lines = message.text.splitlines()
    left = len(lines) - MOST_LINES
    more = f"… and {left} more lines: firstwatch outbox --show {message.id[:8]}"
    return lines if left <= 0 else [*lines[:MOST_LINES], more]


@dataclass(frozen=True, slots=True)
class Shown:
    """A table to read."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    nothing: str = "Nothing."

    def __repr__(self) -> str:
        return "\n".join(visible("  ".join(row)) for row in self.rows) or self.nothing

    def _repr_markdown_(self) -> str:
        return table(self.head, self.rows) if self.rows else self.nothing


@dataclass(frozen=True, slots=True)
class _Side:
    """The people's side of one watch: the record, or its copy, and what the texts are made with."""

    watch: Watch
    record: Record
    channels: Mapping[str, Channel]
    policy: Policy
    roster: Roster
    examples: Mapping[str, Any] = field(default_factory=dict)

    @property
    def writer(self) -> Writer:
        journal = self.watch.journal
        return Writer(self.watch.clock, journal.actor, journal.credential)

    @property
    def real(self) -> bool:
        return self.watch.mode is Mode.APPLY

    @property
    def desk(self) -> Desk:
        return Desk(self.watch.scene.settings.channels, self.policy, self.roster)

    @property
    def outbox(self) -> Outbox:
        return Outbox(self.record, self.writer, self.channels, self.watch.scene.settings.channels.deadline_s + 1)

    def now(self, state: Incident) -> datetime:
        return state.pace.world(self.watch.clock.now())

    def given(self, name: str, value: str, otherwise: str | None = None) -> str:
        """Return *value*, or what a replay's recording has of it; BadParameter when there is neither."""
        found = str(value or self.examples.get(name, "") or (otherwise if otherwise is not None else "")).strip()
        if not found and otherwise is None:
            raise BadParameter(f"{name} is empty: people read it; give it by -p {name}=TEXT")
        if len(found) > MOST_LETTERS:
            raise BadParameter(f"{name} has {len(found):,} letters; {MOST_LETTERS:,} are the most")
        return found

    def event(self, kind: str, decide: Callable[[Incident], Body]) -> Event:
        journal = self.writer.journal(self.record, self.watch.journal.run)
        return journal.decided(kind, lambda events: decide(fold(events)))

    def said(self, event: Event, drafts: Iterable[Draft] = (), *, room: bool = False) -> Said:
        """Queue *drafts*, send what can be sent, and return what was said."""
        before = {each.id for each in self.record.incident().messages}
        box = self.outbox
        box.queue(*drafts)
        box.deliver(room=room)
        texts = tuple(each for each in self.record.incident().messages if each.id not in before)
        return Said(describe(event), texts, self.real)


def _side(watch: Watch) -> _Side:
    if watch.scene.replay:
        given = watch.scene.replay.tape.header.get("parameters", {})
        return _Side(watch, _record(watch), _nobody("a replay tells nobody"), tables.load(), Roster(), given)
    path = environment.find(os.environ, Path.cwd())
    policy = tables.load(path)
    known = roster.load(path, policy)
    if watch.mode is Mode.OBSERVE:
        return _Side(watch, _record(watch), _nobody("observing: nothing is sent"), policy, known)
    return _Side(watch, _record(watch), switchboard.connect(watch.scene.settings, watch.clock), policy, known)


def _nobody(why: str) -> dict[str, Channel]:
    return {name: ByHand(name, why) for name in switchboard.NAMES}


def _record(watch: Watch) -> Record:
    """Return the record of *watch*; while it observes, the copy that goes away with this process."""
    real = Record(watch.journal.path.parent)
    if watch.mode is Mode.APPLY:
        return real
    root = Path(tempfile.gettempdir()) / f"firstwatch-rehearsal-{os.getpid()}-{watch.journal.run}"
    copy = Record(root / watch.journal.incident)
    if not copy.journal.exists():
        copy.folder.mkdir(parents=True, mode=0o700)
        shutil.copyfile(real.journal, copy.journal)
        atexit.register(shutil.rmtree, root, ignore_errors=True)
    return copy


def proposal(watch: Watch, answers: str = "") -> Shown:
    """Return the severity that *answers*, `down=no many-customers=yes`, and what was seen propose, and why."""
    side = _side(watch)
    found = _proposed(side, _answers(side, answers))
    lines = [("Severity", found.severity), ("Rule", found.rule)]
    lines += [("Asked", each) for each in found.path] + [("Because", each) for each in found.reasons]
    return Shown(("Proposed", ""), tuple(lines))


def _answers(side: _Side, answers: str) -> dict[str, bool]:
    return dict(triage.answer(side.policy, each) for each in side.given("answers", answers, "").split())


def _proposed(side: _Side, answers: Mapping[str, bool]) -> Proposal:
    state = Record(side.watch.journal.path.parent).incident()
    return propose(side.policy, answers, *evidence(state))


def declare(
    watch: Watch, *, title: str = "", impact: str = "", severity: str = "", source: str = "", answers: str = "",
    reason: str = "",
) -> Said:  # fmt: skip
    """
    Declare the incident of *watch*, and tell everybody of it.

    Raises:
        BadParameter: Something is empty or no such word, it is declared already, or *severity* is lower than what is
            proposed, without a *reason*.
    """
    side = _side(watch)
    given = _answers(side, answers)
    found = _proposed(side, given)
    body = {
        "title": side.given("title", title), "impact": side.given("impact", impact),
        "source": conduct.noticed(side.given("source", source, conduct.TEAM)),
        "detected_at": "", "answers": given, "reason": reason.strip(),
        "severity": conduct.graded(found, side.given("severity", severity, ""), reason),
        "proposed": {"severity": found.severity, "rule": found.rule, "path": found.path},
    }  # fmt: skip
    conduct.undeclared(side.record.incident())
    for flagged in conduct.answered(side.record.incident(), side.policy, given):
        side.event("flagged", lambda _, body=flagged: body)  # type: ignore[misc]

    def first(state: Incident) -> Body:
        conduct.undeclared(state)
        return body

    event = side.event("declared", first)
    state = side.record.incident()
    pages = list(announce.pages(state))
    return side.said(event, [*pages, *announce.declared(state, side.desk)], room=state.severity != Severity.SEV4)


def assign(watch: Watch, role: str, person: str = "", *, reason: str = "") -> Said:
    """Give *role* to *person*; one that is held is handed over, or taken with a *reason*."""
    side = _side(watch)
    conduct.joins(side.policy, roster.role(side.policy, role), reason)
    name = conduct.eligible(side.roster, role, side.given(role.rpartition("-")[2], person), reason)
    return side.said(side.event("assigned", lambda state: conduct.assigned(state, role, name, reason)))


def update(
    watch: Watch, *, status: str = "", summary: str = "", impact: str = "", eta: str = "", actions: str = "",
    following: str = "",
) -> Said:  # fmt: skip
    """
    Tell how it stands. It numbers itself; *following* is the time until the next one, else the schedule's.

    Raises:
        BadParameter: Something is empty, or the next one would be later than the schedule allows.
    """
    side = _side(watch)

    def numbered(state: Incident) -> Body:
        severity = Severity(conduct.declared(state).severity)
        span = conduct.following(side.policy, severity, side.given("following", following, ""))
        body: Body = {
            "number": conduct.numbered(state), "status": conduct.status(state, side.given("status", status, "")),
            "summary": side.given("summary", summary), "impact": side.given("impact", impact, state.impact),
            "eta": side.given("eta", eta), "actions": side.given("actions", actions),
        }  # fmt: skip
        now = side.now(state)
        made = Update(at=now, by="", next=now + span, **body)
        side.outbox.check(announce.updated(state, made, side.desk))
        return body | {"next": timestamp(now + span)}

    event = side.event("update", numbered)
    state = side.record.incident()
    return side.said(event, announce.updated(state, state.people.updates[-1], side.desk))


def escalate(watch: Watch, *, reason: str = "", level: str = "") -> Said:
    """Climb the ladder to *level*, else to the next; BadParameter when it has been reached."""
    side = _side(watch)
    wanted = conduct.rung(side.policy, side.given("level", level, ""))

    def climbed(state: Incident) -> Body:
        return conduct.climbed(state, side.policy, side.roster, wanted, side.given("reason", reason))

    event = side.event("escalated", climbed)
    state = side.record.incident()
    return side.said(event, announce.escalated(state, state.people.escalations[-1], side.desk))


def flag(watch: Watch, name: str, *, reason: str = "") -> Said:
    """Say what kind of incident it is; its clocks begin. Of a breach nothing is published until it is released."""
    side = _side(watch)
    conduct.flag(side.policy, name)
    why = side.given("reason", reason)
    return side.said(side.event("flagged", lambda state: conduct.turned(state, name, why)))


def notify(watch: Watch, whom: str, *, how: str = "", reference: str = "") -> Said:
    """Record that *whom* was told, and by what; their clock is met by it."""
    side = _side(watch)
    roster.whom(whom)
    body = {"whom": whom, "how": side.given("how", how), "reference": reference.strip(), "acknowledged": False}
    return side.said(side.event("notified", lambda _: body))


def hand_over(watch: Watch, role: str = "", *, step: str = "offer", to: str = "") -> Said:
    """
    Pass *role* on. *step* `offer` is by who holds it; `accept` by the one to whom it was offered, as themselves.

    Raises:
        BadParameter: Nobody holds it, nobody offered it, or it was offered to somebody else.
    """
    side = _side(watch)
    name = roster.role(side.policy, side.given("role", role, conduct.COMMANDER))
    if step not in STEPS:
        raise NotFound(f"step {step!r}; {nearest(step, list(STEPS))}")
    return side.said(side.event("hand-over", lambda state: _passed(side, state, name, step, to)))


def _passed(side: _Side, state: Incident, role: str, step: str, to: str) -> Body:
    if step == "accept":
        return conduct.answered_offer(state, role, side.watch.journal.actor.name, accept=True)
    return conduct.offered(state, role, conduct.eligible(side.roster, role, side.given("to", to)))


def resolve(
    watch: Watch, *, summary: str = "", cause: str = "", customers_cause: str = "", prevention: str = ""
) -> Said:
    """Say that it is over, to all who were told of it; what customers read waits until somebody has approved it."""
    side = _side(watch)
    ending = Ending(
        side.given("summary", summary), side.given("cause", cause, NOT_KNOWN),
        side.given("customers_cause", customers_cause, "We are still looking into the cause"),
        side.given("prevention", prevention, "We are reviewing what happened and will act on it"),
    )  # fmt: skip

    def over(state: Incident) -> Body:
        if state.status in ("resolved", "closed"):
            raise BadParameter(f"incident {state.id} is {state.status} already")
        return {"summary": ending.summary} | ({"cause": ending.cause} if ending.cause != NOT_KNOWN else {})

    event = side.event("resolved", over)
    state = side.record.incident()
    return side.said(event, announce.resolved(state, ending, side.desk, wiki.page(state)))


def owed(watch: Watch) -> Shown:
    """Return who owes what by when, and what was met or missed."""
    side = _side(watch)
    state = side.record.incident()
    found = duties(side.policy, state.people, side.now(state))
    return Shown(("What", "By", "Who", "State", "Why"), tuple(map(_line, found)), "Nothing is owed.")


def _line(duty: Duty) -> tuple[str, ...]:
    return duty.id, f"{duty.due:%Y-%m-%d %H:%M} UTC", duty.owner, duty.state, duty.why


def brief(watch: Watch) -> Shown:
    """Return where things stand, for somebody who takes over."""
    side = _side(watch)
    state = side.record.incident()
    made = told_briefly(state, duties(side.policy, state.people, side.now(state)), side.policy)
    rows = tuple((title, line) for title, lines in made.items() for line in lines)
    return Shown(("Part", "What"), rows)


def waiting(watch: Watch) -> Shown:
    """Return every text that has not arrived, and for what it waits: approval, a release, its channel, a person."""
    side = _side(watch)
    left = [each for each in side.record.incident().messages if each.state not in ("delivered", "dropped")]
    rows = tuple((each.channel, each.to, each.template, each.state, _why(each, side)) for each in left)
    return Shown(("Channel", "To", "Text", "State", "Waits for"), rows, "No text waits.")


def _why(message: Message, side: _Side) -> str:
    from firstwatch.channels.outbox import waits

    return waits(message, side.record.incident()) or message.error
