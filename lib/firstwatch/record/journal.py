"""
The journal: the append-only, hash-chained events of one incident. It is the record; everything else renders it.

One canonical JSON line an event (`event`). Bytes that are not canonical are refused, so no byte of a line is free to
change.

An append takes the journal's lock, writes every byte, calls fsync, and only then returns. Order is `seq`, never the
wall clock. It reads no more than the last line, so it costs the same in a long journal. A torn last line, left by a
crash, is cut at the next append by an event that says so.

A full disk refuses events, and a mitigation with them. What closes a run must fit all the same, so there is a reserve
beside the journal, and no change is begun without it.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from firstwatch.clock import Clock
from firstwatch.errors import RecordNotWritable, RecordUnreadable
from firstwatch.model import Actor, Json, plain, timestamp
from firstwatch.record import disk
from firstwatch.record.event import FIRST, Event, Pen, parse
from firstwatch.record.redact import redacted

CLOSING = ("outcome", "run-ended")  # what was done, and how it ended: these may use the reserve
_REFUSED = (OSError, ValueError)  # by the disk, or by JSON, which has no such value


@dataclass(slots=True)
class Journal:
    """
    One incident's journal, open for appending by one actor.

    Several processes may hold the same journal: each append locks it and reads what others added.
    """

    path: Path
    clock: Clock
    actor: Actor
    credential: str
    run: str = ""
    _log: disk.Log = field(init=False, repr=False)
    _last: tuple[int, str] = field(default=(0, FIRST), repr=False)
    _pen: Pen = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._log = disk.Log(self.path)
        self._pen = Pen(self.incident, self.run, self.actor, self.credential)

    @property
    def incident(self) -> str:
        return self.path.parent.name

    @property
    def reserve(self) -> Path:
        return self.path.with_suffix(".reserve")

    def append(self, kind: str, body: object) -> Event:
        """
        Add one event, durably, and return it.

        Raises:
            RecordNotWritable: It could not be written to the disk, or the lock was not free within 10 s. After a
                failed fsync every later append fails too.
            RecordUnreadable: What is there already is not a journal.
        """
        said = redacted(plain(body))
        try:  # as `held` does, without its generator
            with self._log:
                self._catch_up(kind)
                return self._write(kind, said)
        except _REFUSED as error:
            raise self._not_written(kind, error) from error

    def decided(self, kind: str, decide: Callable[[tuple[Event, ...]], object]) -> Event:
        """
        Add one event whose body depends on those before it: of two that decide at once, the second sees the first.

        Args:
            kind: The event's.
            decide: Returns the body, given all events so far; what it raises leaves the journal as it was.

        Raises:
            RecordNotWritable, RecordUnreadable: As of `append`.
        """
        with self.held(kind):
            return self._write(kind, redacted(plain(decide(read(self.path)))))

    @contextmanager
    def held(self, kind: str) -> Iterator[None]:
        """Hold the journal for an event of *kind*, caught up with what others added; errors as in `append`."""
        try:
            with self._log:
                self._catch_up(kind)
                yield
        except _REFUSED as error:
            raise self._not_written(kind, error) from error

    def _not_written(self, kind: str, error: Exception) -> RecordNotWritable:
        after = f"its {kind} is not recorded" if kind in CLOSING else "nothing was attempted"
        return RecordNotWritable(f"cannot write to the record {self.path}: {error}; {after}")

    def _write(self, kind: str, body: Json, closes: str = "") -> Event:
        event, data = self.sealed(kind, body)
        fresh = not self._log.end
        self._append(data, closing=(closes or kind) in CLOSING)
        self._last = (event.seq, event.hash)
        if fresh:
            with suppress(OSError):  # an intent will insist on it
                disk.set_aside(self.reserve)
        return event

    def _append(self, data: bytes, *, closing: bool) -> None:
        try:
            self._log.append(data)
        except OSError as error:
            if not closing or error.errno not in disk.FULL or self._log.given_up or not disk.release(self.reserve):
                raise
            self._log.append(data)

    def sealed(self, kind: str, body: Json) -> tuple[Event, bytes]:
        """Return the next event and its line, not written yet. The journal is held."""
        seq, prev = self._last
        return self._pen.line(seq + 1, prev, timestamp(self.clock.now()), self.clock.monotonic_ns(), kind, body)

    def _catch_up(self, kind: str) -> None:
        """Learn what the last event is; cut a torn tail, by an event that says so. An intent insists on the reserve."""
        if self._log.size != self._log.end or not self._log.end:
            self._read_on(self._log.size, kind)
        if kind == "intent":
            disk.set_aside(self.reserve)

    def _read_on(self, size: int, kind: str) -> None:
        line, whole = self._log.last_line(size)
        known = self._last if self._log.end else (0, FIRST)
        last = next(((each.seq, each.hash) for each in parse(line, self.path)), known)
        if size < self._log.end or last[0] < self._last[0]:
            raise RecordUnreadable(f"{self.path} is shorter than it was; try firstwatch verify")
        self._last, self._log.end = last, whole
        if whole < size:
            self._cut(whole, size, kind)

    def _cut(self, whole: int, size: int, kind: str) -> None:
        torn = self._log.read(whole, size)
        self._log.cut(whole)
        self._write("repaired", {"cut_bytes": len(torn), "cut": torn.hex()[:400]}, closes=kind)


def read(path: Path) -> tuple[Event, ...]:
    """Return all whole events of the journal at *path*; RecordUnreadable when it cannot be read."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RecordUnreadable(f"cannot read the record {path}: {error}") from error
    return tuple(parse(data[: data.rfind(b"\n") + 1], path))


def new_run() -> str:
    """Return an id for a run: enough to tell runs of one incident apart."""
    return f"{time.time_ns():x}"[-10:]
