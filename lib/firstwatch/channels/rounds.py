"""
Rounds: one look at every incident, what is owed of it, and what has still to arrive; `firstwatch remind` makes them.

Nothing is held that matters: which reminders were given is in the records, so a round that was killed anywhere goes on
as the next one. A reminder's texts are queued first, under ids that its occasion decides; then `reminded` says that it
was given; then they are sent. Whoever dies in between leaves texts that are found again, never a second set of them.
"""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from firstwatch.channels import outbox
from firstwatch.channels.channel import Channel
from firstwatch.channels.outbox import Outbox
from firstwatch.channels.reminders import Desk, Reminder, owed, wakes
from firstwatch.errors import FirstwatchError, RecordNotWritable
from firstwatch.policy.duties import duties
from firstwatch.record.incident import Incident
from firstwatch.record.messages import Message
from firstwatch.record.store import Record, Store, Writer

RETRY_S = 20.0  # how long a text that did not arrive waits for its next try
POLL_S = 1.0  # how soon a new event or a clock that jumped is noticed
AT_ONCE = 8  # incidents whose texts are sent side by side


@dataclass(frozen=True, slots=True)
class Given:
    """A reminder that was given, with its texts and what became of each."""

    incident: str
    at: datetime
    reminder: Reminder
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why one incident could not be looked after; `exit_code` is what a command ends with that did nothing else."""

    incident: str
    text: str
    exit_code: int


@dataclass(frozen=True, slots=True)
class Round:
    """
    What one round did.

    So many incidents are `open`, so many approved texts have still to arrive. `next` is when something is owed, in the
    world's time. Nothing is to be done for `rest_s`, at most `POLL_S`.
    """

    given: tuple[Given, ...]
    troubles: tuple[Trouble, ...]
    open: int
    pending: int
    next: datetime | None
    rest_s: float


@dataclass(slots=True)
class _Case:
    """One incident as it was read last: `mark` tells whether its journal has changed since."""

    mark: tuple[int, int]
    state: Incident
    seen: datetime | None = None
    wakes: datetime | None = None
    tried_ns: int | None = None


@dataclass(slots=True)
class Rounds:
    """Whoever goes the rounds. What is kept here only saves work: a journal that has not changed is not read again."""

    store: Store
    writer: Writer
    desk: Desk
    channels: Mapping[str, Channel]
    within_s: float = 6.0
    _cases: dict[str, _Case] = field(default_factory=dict)

    def go(self) -> Round:
        """Go round once. What is wrong with one incident is in `troubles`, and keeps nobody from the others."""
        records = [Record(self.store.root / name) for name in self.store.ids()]
        self._cases = {each.id: self._cases[each.id] for each in records if each.id in self._cases}
        given: list[Given] = []
        troubles: list[Trouble] = []
        for record in records:
            with _noted(record.id, troubles):
                for each in self._visit(record):  # what was given before a trouble came was given
                    given.append(each)  # noqa: PERF402
        self._send(records, {each.incident for each in given}, troubles)
        return self._told(given, troubles)

    def _visit(self, record: Record) -> Iterator[Given]:
        case = self._case(record)
        if case is None or case.state.replay:
            return
        now = self._now(case.state)
        if case.seen and case.seen <= now and (case.wakes is None or now < case.wakes):
            case.seen = now
            return
        found = duties(self.desk.policy, case.state.people, now)
        for each in owed(self.desk.policy, found, case.state.reminded, now):
            yield Given(record.id, now, each, self._remind(record, case.state, each))
        case.seen, case.wakes = now, wakes(self.desk.policy, found, now)

    def _case(self, record: Record) -> _Case | None:
        """Return the incident as it is now; None when it has not even begun."""
        if not record.journal.is_file():
            return None
        found = record.journal.stat()
        mark, known = (found.st_size, found.st_mtime_ns), self._cases.get(record.id)
        if known is None or known.mark != mark:
            state = record.incident()  # `seen` is None again: what is owed may be something else now
            self._cases[record.id] = replace(known, mark=mark, state=state, seen=None) if known else _Case(mark, state)
        return self._cases[record.id]

    def _now(self, state: Incident) -> datetime:
        return state.pace.world(self.writer.clock.now())

    def _remind(self, record: Record, state: Incident, reminder: Reminder) -> tuple[Message, ...]:
        """Give *reminder*: queue its texts, then say that it was given."""
        ids = self._outbox(record).queue(*self.desk.drafts(reminder, state.people))
        body = {"duty": reminder.duty.id, "due": reminder.duty.due, "stage": reminder.stage, "messages": ids}
        self.writer.journal(record).append("reminded", body)
        return tuple(each for each in record.incident().messages if each.id in ids)

    def _send(self, records: Iterable[Record], new: set[str], troubles: list[Trouble]) -> None:
        """Send what is new, and try again what waits, the incidents side by side: a dead channel delays no other."""
        wanted = [each for each in records if each.id in new or self._patient(each.id)]
        if wanted:
            with ThreadPoolExecutor(AT_ONCE) as pool:
                list(pool.map(lambda each: self._deliver(each, troubles), wanted))

    def _patient(self, name: str) -> bool:
        """Whether texts of an incident wait, and waited long enough since they were tried last."""
        case = self._cases.get(name)
        if case is None or not _waiting(case.state):
            return False
        return case.tried_ns is None or self.writer.clock.monotonic_ns() - case.tried_ns >= RETRY_S * 1e9

    def _deliver(self, record: Record, troubles: list[Trouble]) -> None:
        with _noted(record.id, troubles):
            self._outbox(record).deliver()
            if case := self._case(record):
                case.tried_ns = self.writer.clock.monotonic_ns()

    def _outbox(self, record: Record) -> Outbox:
        return Outbox(record, self.writer, self.channels, self.within_s)

    def _told(self, given: list[Given], troubles: list[Trouble]) -> Round:
        gaps = list(self._gaps())
        return Round(
            tuple(map(self._after, given)), tuple(troubles),
            sum(each.state.status not in ("resolved", "closed") for each in self._cases.values()),
            sum(_waiting(each.state) for each in self._cases.values()),
            min(gaps)[1] if gaps else None, max(0.0, min((POLL_S, *(gap for gap, _ in gaps)))),
        )  # fmt: skip

    def _after(self, given: Given) -> Given:
        """Return *given* with what became of its texts."""
        known = {each.id: each for each in self._cases[given.incident].state.messages}
        return replace(given, messages=tuple(known.get(each.id, each) for each in given.messages))

    def _gaps(self) -> Iterator[tuple[float, datetime]]:
        """Yield, an incident each, the true seconds until something of it is owed, and when that is in its world."""
        for case in self._cases.values():
            if case.wakes:
                span = case.wakes - self._now(case.state)
                yield span / timedelta(seconds=case.state.pace.rate), case.wakes


def _waiting(state: Incident) -> int:
    """Return how many texts a channel has still to take, and may take now."""
    return sum(each.pending and not outbox.waits(each, state) for each in state.messages)


@contextmanager
def _noted(name: str, troubles: list[Trouble]) -> Iterator[None]:
    """Note what is wrong with the incident *name*, and go on."""
    try:
        yield
    except FirstwatchError as error:
        troubles.append(Trouble(name, str(error), error.exit_code))
    except OSError as error:
        troubles.append(Trouble(name, str(error), RecordNotWritable.exit_code))


@contextmanager
def alone(root: Path) -> Iterator[bool]:
    """
    Be the only one on this machine who reminds of the records under *root*; False when somebody does already.

    Raises:
        RecordNotWritable: Nothing can be written there.
    """
    with outbox.alone(root / ".turns" / "remind", 0) as ours:
        yield ours
