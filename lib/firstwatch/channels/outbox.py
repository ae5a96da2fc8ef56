"""
The outbox: a text is in the record before it is sent, and stays there until it has arrived.

Queued durably, then tried, then delivered or not: a channel that is down delays nobody, loses nothing, and is tried
again. Each channel works side by side with the others, within one short deadline for all. Texts of one lane (a channel
and a place in it) arrive in their order. Before a request leaves, `delivering` is on the disk, so that after a crash it
is known that the text may have gone: then its channel is asked first. Nothing customers read leaves unread.
"""

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid5

from firstwatch.channels import texts
from firstwatch.channels.channel import Case, Channel
from firstwatch.channels.slack import Slack
from firstwatch.channels.texts import Fields
from firstwatch.errors import BadParameter, FirstwatchError, NotFound, RecordNotWritable, Unavailable, nearest
from firstwatch.record.incident import Incident
from firstwatch.record.journal import Journal
from firstwatch.record.messages import NEEDED, PENDING, Made, Message, State
from firstwatch.record.store import Record, Writer

EXIT_PENDING = 9
ROOM = "slack"  # the channel that has a room for each incident
POLL_S = 0.02
NAMESPACE = UUID("6f0c3a52-6f6d-5d0e-9a43-0f1e9b1f6f0a")
IN_ORDER = ("statuspage",)  # where a text that waits for a person keeps those behind it waiting, too
NONSENSE = (KeyError, TypeError, ValueError, AttributeError, IndexError)  # an answer that is not of its form


@dataclass(frozen=True, slots=True)
class Draft:
    """
    A text to be: what it is made of and where it goes.

    `key` names the occasion, such as `update-3`. Asked twice for the same occasion, channel and place, it is one text.
    A `text` that is written already is sent as it is.
    """

    key: str
    template: str
    channel: str
    to: str
    fields: Fields
    text: str = ""


@dataclass(frozen=True, slots=True)
class Outbox:
    """One incident's texts, and the channels that take them. `within_s` is how long `deliver` may take."""

    record: Record
    writer: Writer
    channels: Mapping[str, Channel]
    within_s: float = 6.0

    def queue(self, *drafts: Draft) -> list[str]:
        """
        Put *drafts* into the record, and return their ids; those that are there already stay as they are.

        Raises:
            BadParameter: A field is missing, or there is no such template or channel. None of them is queued then.
            RecordNotWritable: They could not be recorded.
        """
        ready = [self._body(draft) for draft in drafts]
        known = {each.id for each in self.record.incident().messages}
        journal = self._journal()
        for body in ready:
            if body["id"] not in known:
                journal.append("message", body)
        return [str(body["id"]) for body in ready]

    def check(self, drafts: Iterable[Draft]) -> None:
        """Raise what `queue` would raise of *drafts*: before that is recorded which they tell of."""
        for each in drafts:
            self._body(each)

    def _body(self, draft: Draft) -> dict[str, object]:
        if draft.channel not in self.channels:
            raise NotFound(f"there is no channel {draft.channel!r}; {nearest(draft.channel, list(self.channels))}")
        occasion = f"{self.record.id} {draft.key} {draft.channel} {draft.to}"
        return {
            "id": str(uuid5(NAMESPACE, occasion)), "channel": draft.channel, "template": draft.template, "to": draft.to,
            "text": draft.text or texts.render(draft.template, draft.fields), "fields": dict(draft.fields),
            "approval": NEEDED if draft.template in texts.CUSTOMERS else "none",
        }  # fmt: skip

    def deliver(self, *, room: bool = False) -> None:
        """
        Try to send what is pending, every channel at once; return within `within_s`.

        Args:
            room: Make the incident's chat channel even when nothing waits for it.

        Raises:
            RecordNotWritable: What was about to be sent, or had been, could not be recorded.
        """
        until = time.monotonic() + self.within_s
        wanted = {each.channel for each in self.record.incident().messages if each.state in PENDING}
        names = [name for name in self.channels if name in wanted or (room and name == ROOM)]
        errors: list[Exception] = []
        threads = [threading.Thread(target=self._kept, args=(name, until, room, errors), daemon=True) for name in names]
        for each in threads:
            each.start()
        for each in threads:
            each.join(max(0.0, until - time.monotonic()))
        for error in errors:
            raise error

    def _kept(self, name: str, until: float, room: bool, errors: list[Exception]) -> None:
        try:
            with alone(self.record.folder.parent / ".turns" / f"{self.record.id}-{name}", until) as ours:
                if ours:
                    self._drain(name, until, room=room)
        except (FirstwatchError, OSError) as error:
            errors.append(error)

    def _drain(self, name: str, until: float, *, room: bool) -> None:
        """Send what waits for the channel *name*, in order; a lane stops at the first text that cannot go on."""
        incident, journal = self.record.incident(), self._journal()
        made, closed = dict(incident.made), set[tuple[str, str]]()
        case = Case(incident.id, incident.opened_at or self.writer.clock.now(), made, _keeping(journal, made))
        channel = self.channels[name]
        if room and isinstance(channel, Slack) and not _opened(channel, case):
            return
        for message in incident.messages:
            if message.channel != name or message.state not in PENDING or message.lane in closed:
                continue
            if waits(message, incident):
                closed |= {message.lane} if name in IN_ORDER else set()
            elif time.monotonic() > until or not _Sending(channel, case, journal).one(message, closed):
                return

    def _journal(self) -> Journal:
        return self.writer.journal(self.record)

    def approve(self, message_id: str, *, reason: str = "") -> None:
        """Record that a person has read the text and lets it go; a *reason* when the linter had something to say."""
        self._journal().append("released-message", {"id": message_id, **({"reason": reason} if reason else {})})

    def pasted(self, message: Message) -> None:
        """Record that a person has brought *message* to its place by hand."""
        receipt = f"by hand, {self.writer.actor.name}"
        self._journal().append("delivered", {"id": message.id, "attempt": message.attempts, "receipt": receipt})

    def drop(self, message: Message, reason: str) -> None:
        """Record that *message* will not be sent."""
        self._undelivered(message, f"dropped: {reason}", State.DROPPED)

    def _undelivered(self, message: Message, error: str, state: State) -> None:
        body = {"id": message.id, "attempt": message.attempts, "error": error, "pending": False, "state": state}
        self._journal().append("undelivered", body)


@dataclass(frozen=True, slots=True)
class _Sending:
    """One attempt at one text, with its events."""

    channel: Channel
    case: Case
    journal: Journal

    def one(self, message: Message, closed: set[tuple[str, str]]) -> bool:
        """Try *message*; close its lane when it has to wait, and return whether the channel is worth another try."""
        try:
            self._attempt(message)
        except BadParameter as error:
            self._failed(message, error, pending=False)
        except NONSENSE as error:
            self._failed(message, Unavailable(f"{self.channel.name} answered nonsense: {error!r}"), pending=True)
            return False
        except Unavailable as error:
            self._failed(message, error, pending=True)
            closed.add(message.lane)
            return type(error) is not Unavailable  # refused here, another place may do; no answer here is none anywhere
        return True

    def _attempt(self, message: Message) -> None:
        if self.channel.by_hand:
            body = {"id": message.id, "attempt": 0, "error": self.channel.by_hand, "pending": False}
            self.journal.append("undelivered", body | {"state": State.PASTE})
            return
        receipt = self._before(message) if message.attempts else ""
        if not receipt:
            self.journal.append("delivering", {"id": message.id, "attempt": message.attempts + 1})
            receipt = self.channel.send(message, self.case)
        self.journal.append("delivered", {"id": message.id, "attempt": message.attempts + 1, "receipt": receipt})

    def _before(self, message: Message) -> str:
        try:
            return self.channel.arrived(message, self.case)
        except (FirstwatchError, *NONSENSE) as error:
            raise Unavailable(f"it may have arrived, and that cannot be seen now: {error}") from error

    def _failed(self, message: Message, error: FirstwatchError, *, pending: bool) -> None:
        body = {"id": message.id, "attempt": message.attempts + 1, "error": str(error)[:500], "pending": pending}
        self.journal.append("undelivered", body)


@contextmanager
def alone(path: Path, until: float) -> Iterator[bool]:
    """Be the only one on this machine who holds the lock file *path*; False when another still does at *until*."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise RecordNotWritable(f"cannot take a turn in {path}: {error}") from error
    try:
        yield _locked(descriptor, until)
    finally:
        os.close(descriptor)


def _keeping(journal: Journal, made: dict[str, Made]) -> Callable[[str, Made], None]:
    def keep(channel: str, what: Made) -> None:
        journal.append("channel-made", {"channel": channel, "reference": what.reference, "url": what.url})
        made[channel] = what

    return keep


def _opened(slack: Slack, case: Case) -> bool:
    """Make the incident's chat channel; False when it cannot be made now, and nothing can be posted then."""
    try:
        slack.channel(case)
    except (Unavailable, *NONSENSE):
        return False
    return True


def _locked(descriptor: int, until: float) -> bool:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                return False
            time.sleep(POLL_S)
        else:
            return True


def waits(message: Message, incident: Incident) -> str:
    """Return for what *message* waits before it may be sent, or nothing."""
    if message.held:
        return "somebody has to read and approve it"
    if incident.people.held_back and message.template in texts.PUBLIC:
        return "a breach: nothing is published until it is released"
    return ""


def exit_code(incident: Incident) -> int:
    """Return 9 while an approved text has still to arrive, or was refused for good; else 0."""
    left = [m for m in incident.messages if m.state is State.REFUSED or (m.pending and not waits(m, incident))]
    return EXIT_PENDING if left else 0
