"""
An event: one line of the journal, and how it is written.

A line is canonical JSON: `hash` covers it without `body` and `hash`; `body` is covered by `body_sha256`, so that a body
can be purged later and leave a tombstone behind that still verifies. `prev` is the hash of the event before.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from firstwatch.errors import FirstwatchError, RecordUnreadable
from firstwatch.model import Actor, Json, canonical, parse_time, plain

VERSION = 1
FIRST = "0" * 64  # the `prev` of the first event
TOMBSTONE = "purged"  # the one key of a body that was purged
# What a body raises that is not what its kind says. The record's other events are good, so it is read on.
UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, FirstwatchError)


class Event(NamedTuple):
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


@dataclass(frozen=True, slots=True)
class Pen:
    """What writes the events of one actor in one run: what is the same in all of them is made JSON once."""

    incident: str
    run: str
    actor: Actor
    credential: str
    _who: dict[str, str] = field(init=False, repr=False)
    _json: tuple[str, str, str, str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        who = plain(self.actor)
        object.__setattr__(self, "_who", who)
        object.__setattr__(self, "_json", tuple(map(_json, (who, self.credential, self.incident, self.run))))

    def line(self, seq: int, prev: str, at: str, mono: int, kind: str, body: Json) -> tuple[Event, bytes]:
        """
        Return an event, and its line.

        The line is put together from its three covered parts, between which `body` and `hash` have their places:
        quicker than to write the whole as JSON twice. A test holds it to `canonical`.
        """
        who, credential, incident, run = self._json
        said = canonical(body)
        said_sha256 = _sha256(said)
        first = f'{{"actor":{who},"at":"{at}"'.encode()
        second = f',"body_sha256":"{said_sha256}","credential":{credential}'.encode()
        third = (
            f',"incident":{incident},"kind":{_kind(kind)},"mono":{mono},"prev":"{prev}","run":{run},"seq":{seq}'
            f',"v":{VERSION}}}'
        ).encode()
        digest = _sha256(first + second + third)
        event = Event(
            VERSION, seq, prev, self.incident, self.run, self._who, self.credential, at, mono, kind, said_sha256, body,
            digest,
        )  # fmt: skip
        return event, b'%b,"body":%b%b,"hash":"%b"%b\n' % (first, said, second, digest.encode(), third)


def _json(value: Json) -> str:
    return canonical(value).decode()


_kind = cache(_json)


def body_sha256(body: Json) -> str:
    return _sha256(canonical(body))


def chain_hash(line: dict[str, Json]) -> str:
    """Return the SHA-256 of an event without its `body` and `hash`."""
    return _sha256(canonical({k: v for k, v in line.items() if k not in ("body", "hash")}))


_NOTHING = hashlib.sha256()


def _sha256(data: bytes) -> str:
    digest = _NOTHING.copy()  # quicker than to ask OpenSSL for another
    digest.update(data)
    return digest.hexdigest()


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
