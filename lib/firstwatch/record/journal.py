"""
The journal: the append-only, hash-chained events of one incident. It is the record; everything else renders it.

One canonical JSON line an event. `hash` covers the line without `body` and `hash`; `body` is covered by `body_sha256`,
so that a body can be purged later and leave a tombstone behind that still verifies. `prev` is the hash of the event
before. Bytes that are not canonical are refused, so no byte of a line is free to change.

An append takes the journal's lock, writes every byte, calls fsync, and only then returns. Order is `seq`, never the
wall clock. It reads no more than the last line, so it costs the same in a long journal. A torn last line, left by a
crash, is cut at the next append by an event that says so.

A full disk refuses events, and a mitigation with them. What closes a run must fit all the same, so there is a reserve
beside the journal, and no change is begun without it.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from firstwatch.clock import Clock
from firstwatch.errors import RecordNotWritable, RecordUnreadable
from firstwatch.model import Actor, Json, canonical, parse_time, plain, timestamp
from firstwatch.record import disk
from firstwatch.record.redact import redacted

VERSION = 1
FIRST = "0" * 64  # the `prev` of the first event
CLOSING = ("outcome", "run-ended")  # what was done, and how it ended: these may use the reserve
TOMBSTONE = "purged"  # the one key of a body that was purged


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the journal. `mono` is nanoseconds of the writing machine's monotonic clock."""

    v: int
    seq: int
    prev: str
    incident: str
    run: str
    actor: dict[str, str]
    credential: str
    at: str
    mono: int
    kind: str
    body_sha256: str
    body: dict[str, Any]
    hash: str

    @property
    def time(self) -> datetime:
        return parse_time(self.at)

    @property
    def who(self) -> str:
        return self.actor.get("name", "")

    @property
    def purged(self) -> bool:
        """Whether the body was taken out; nothing is known but its hash."""
        return self.body == {TOMBSTONE: self.body_sha256}


def body_sha256(body: Json) -> str:
    return hashlib.sha256(canonical(body)).hexdigest()


def chain_hash(line: dict[str, Json]) -> str:
    """Return the SHA-256 of an event without its `body` and `hash`."""
    return hashlib.sha256(canonical({k: v for k, v in line.items() if k not in ("body", "hash")})).hexdigest()


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
    incident: str = field(init=False)
    _log: disk.Log = field(init=False, repr=False)
    _last: tuple[int, str] = field(default=(0, FIRST), repr=False)
    _who: dict[str, str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._log = disk.Log(self.path)
        self._who, self.incident = plain(self.actor), self.path.parent.name

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
        with self.held(kind):
            return self._write(kind, said)

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
    def held(self, kind: str) -> Iterator[disk.Log]:
        """Hold the journal for an event of *kind*, caught up with what others added; errors as in `append`."""
        try:
            with self._log.held():
                self._catch_up(kind)
                if kind == "intent":
                    disk.set_aside(self.reserve)
                yield self._log
        except (OSError, ValueError) as error:  # ValueError: JSON has no such value
            after = f"its {kind} is not recorded" if kind in CLOSING else "nothing was attempted"
            raise RecordNotWritable(f"cannot write to the record {self.path}: {error}; {after}") from error

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
        content = canonical(body)
        line: dict[str, Json] = {
            "v": VERSION, "seq": seq + 1, "prev": prev, "incident": self.incident, "run": self.run,
            "actor": self._who, "credential": self.credential, "at": timestamp(self.clock.now()),
            "mono": self.clock.monotonic_ns(), "kind": kind, "body_sha256": hashlib.sha256(content).hexdigest(),
        }  # fmt: skip
        head = canonical(line)
        line["hash"] = hashlib.sha256(head).hexdigest()
        whole = _inserted(head, b"body", content, b"body_sha256")
        whole = _inserted(whole, b"hash", b'"%b"' % line["hash"].encode(), b"incident")
        return Event(**line, body=body), whole + b"\n"

    def _catch_up(self, kind: str) -> None:
        """Learn what the last event is; cut a torn tail, by an event that says so."""
        size = self._log.size
        if size == self._log.end and size:
            return
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


def _inserted(line: bytes, key: bytes, value: bytes, before: bytes) -> bytes:
    """Return the canonical *line* with one more key, which sorts just before another: quicker than writing it anew."""
    first, rest = line.split(b',"%b":' % before, 1)
    return b'%b,"%b":%b,"%b":%b' % (first, key, value, before, rest)


def parse(data: bytes, path: Path) -> Iterator[Event]:
    """
    Yield the events in whole lines of *data*, unverified.

    Raises:
        RecordUnreadable: A line is not an event, or of a version that is not known; `firstwatch verify` says more.
    """
    for line in data.splitlines():
        try:
            event = json.loads(line)
            known = event["v"] == VERSION
            yield Event(**event) if known else _unknown(event["v"], path)
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise RecordUnreadable(
                f"{path} holds a line that is not an event: {error}; try firstwatch verify"
            ) from error


def _unknown(version: object, path: Path) -> Event:
    raise RecordUnreadable(
        f"{path} holds an event of version {version!r}; this program knows version {VERSION}. Its bytes are kept"
    )


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
