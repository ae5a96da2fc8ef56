"""
The journal: the append-only, hash-chained events of one incident. It is the record; everything else renders it.

One canonical JSON line an event. `hash` covers the line without `body` and `hash`; `body` is covered by `body_sha256`,
so that a body can be purged later and leave a tombstone behind that still verifies. `prev` is the hash of the event
before. Bytes that are not canonical are refused, so no byte of a line is free to change.

An append takes the journal's lock, writes every byte, calls fsync, and only then returns. Order is `seq`, never the
wall clock. A torn last line, left by a crash, is cut at the next append by an event that says so.
"""

import hashlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from firstwatch.clock import Clock
from firstwatch.errors import RecordNotWritable, RecordUnreadable
from firstwatch.model import Actor, Json, canonical, parse_time, plain, timestamp
from firstwatch.record.redact import redacted

VERSION = 1
FIRST = "0" * 64  # the `prev` of the first event
LOCK_S = 10.0


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
    _end: int = field(default=0, repr=False)
    _last: tuple[int, str] = field(default=(0, FIRST), repr=False)

    @property
    def incident(self) -> str:
        return self.path.parent.name

    def append(self, kind: str, body: object) -> Event:
        """
        Add one event, durably, and return it.

        Raises:
            RecordNotWritable: It could not be written to the disk, or the lock was not free within 10 s.
            RecordUnreadable: What is there already is not a journal.
        """
        try:
            self.path.parent.stat()  # the lock would make the folder again
            with FileLock(f"{self.path}.lock", timeout=LOCK_S):
                self._catch_up()
                return self._write(kind, redacted(plain(body)))
        except (OSError, Timeout) as error:
            raise RecordNotWritable(
                f"cannot write to the record {self.path}: {error}; nothing was attempted"
            ) from error

    def _write(self, kind: str, body: Json) -> Event:
        seq, prev = self._last
        line: dict[str, Json] = {
            "v": VERSION, "seq": seq + 1, "prev": prev, "incident": self.incident, "run": self.run,
            "actor": plain(self.actor), "credential": self.credential, "at": timestamp(self.clock.now()),
            "mono": self.clock.monotonic_ns(), "kind": kind, "body_sha256": body_sha256(body), "body": body,
        }  # fmt: skip
        line["hash"] = chain_hash(line)
        data = canonical(line) + b"\n"
        _append_all(self.path, data)
        self._end += len(data)
        self._last = (seq + 1, line["hash"])
        return Event(**line)

    def _catch_up(self) -> None:
        """Read what was added since the last append; cut a torn tail, by an event that says so."""
        with self.path.open("ab+") as file:
            if file.tell() < self._end:
                raise RecordUnreadable(f"{self.path} is shorter than it was; try firstwatch verify")
            file.seek(self._end)
            added = file.read()
            whole = added.rfind(b"\n") + 1
            for event in parse(added[:whole], self.path):
                self._last = (event.seq, event.hash)
            self._end += whole
            if whole < len(added):
                file.truncate(self._end)
                os.fsync(file.fileno())
                self._write("repaired", {"cut_bytes": len(added) - whole, "cut": added[whole:].hex()[:400]})


def _append_all(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        left = memoryview(data)
        while left:
            left = left[os.write(descriptor, left) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def parse(data: bytes, path: Path) -> Iterator[Event]:
    """
    Yield the events in whole lines of *data*, unverified.

    Raises:
        RecordUnreadable: A line is not an event; `firstwatch verify` says more.
    """
    for line in data.splitlines():
        try:
            yield Event(**json.loads(line))
        except (ValueError, TypeError) as error:
            raise RecordUnreadable(
                f"{path} holds a line that is not an event: {error}; try firstwatch verify"
            ) from error


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
