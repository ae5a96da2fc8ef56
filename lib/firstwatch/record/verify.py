"""
Verification: whether every byte, link and attached file of a record is what was written. Offline.

A line must be the canonical form of itself, its body must match `body_sha256` (or be a tombstone that a later `purged`
event tells of), its hash must match the line, its `prev` the line before, its `seq` its place. Bytes after the last
line are torn: a crash leaves them, and so may a hand, so they do not pass either.

A cut exactly between two lines leaves a shorter record that is consistent, and so does a chain that was made anew. They
show only against an anchor, so the answer says how far there is one.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from firstwatch.model import canonical
from firstwatch.record import anchor as anchoring
from firstwatch.record.anchor import Anchor
from firstwatch.record.disk import read_still
from firstwatch.record.event import FIRST, TOMBSTONE, VERSION, body_sha256, chain_hash

BEGINNING = b'{"actor":{'  # of every line


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong: where, in words, and the line of the journal, counted from 1 (0 for a file beside it)."""

    line: int
    text: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.text}" if self.line else self.text


@dataclass(frozen=True, slots=True)
class Verification:
    """
    What was checked. `head` is the hash of the last good event, `anchored` the furthest anchor that holds.

    A torn record is consistent as far as it goes, and is not `whole`.
    """

    events: int
    head: str
    torn: bool
    problems: tuple[Problem, ...]
    anchored: Anchor | None = None

    @property
    def consistent(self) -> bool:
        return not self.problems

    @property
    def whole(self) -> bool:
        return self.consistent and not self.torn

    def __str__(self) -> str:
        if self.problems:
            return "\n".join(["damaged", *map(str, self.problems)])
        torn = "torn after its last event, by a crash or by somebody; the next event cuts it and says so; else "
        return f"{torn if self.torn else ''}consistent, {self._anchored}: {self.events} events, head {self.head[:16]}"

    @property
    def _anchored(self) -> str:
        if self.anchored is None:
            return "not anchored"
        return f"anchored at event {self.anchored.seq} ({self.anchored.where})"


def verify(folder: Path, anchors: Iterable[Anchor] = ()) -> Verification:
    """
    Return what is wrong with the record in *folder*: the journal's bytes, its links, the attached files.

    Args:
        folder: The record's.
        anchors: Those of this record that are known; each must hold.
    """
    try:
        data = read_still(folder / "journal.jsonl")
    except OSError as error:
        return Verification(0, FIRST, False, (Problem(0, f"the journal cannot be read: {error}"),))
    *lines, tail = data.split(b"\n")
    problems, events = _lines(lines)
    problems += _tail(tail, len(lines)) + _purges(events) + _attachments(folder, events)
    held, broken = _held(anchors, [str(event.get("hash")) for event in events])
    head = events[-1].get("hash", FIRST) if events else FIRST
    if not events:
        problems.append(Problem(0, "the journal has no event"))
    return Verification(len(events), str(head), bool(tail), tuple(problems + broken), held)


def _lines(lines: list[bytes]) -> tuple[list[Problem], list[dict[str, Any]]]:
    problems: list[Problem] = []
    events: list[dict[str, Any]] = []
    prev = FIRST
    for number, line in enumerate(lines, 1):
        event, wrong = check_line(line, number, prev)
        problems += [Problem(number, text) for text in wrong]
        events.append(event)
        prev = str(event.get("hash", ""))
    return problems, events


def check_line(line: bytes, seq: int, prev: str) -> tuple[dict[str, Any], list[str]]:
    """Return the event in *line*, and what is wrong with it as number *seq* after the event whose hash is *prev*."""
    try:
        event = json.loads(line)
        exact = canonical(event) == line
    except (ValueError, RecursionError):
        return {}, ["not JSON"]
    if not isinstance(event, dict):
        return {}, ["not an event"]
    if event.get("v") != VERSION:
        return event, [f"version {event.get('v')!r} is not known to this program; its bytes were kept"]
    checks = {
        "its bytes are not the canonical ones": exact,
        "its hash does not match it": event.get("hash") == chain_hash(event),
        "its body was changed": _body_holds(event),
        f"its number is {event.get('seq')!r}, not {seq}": event.get("seq") == seq and type(event.get("seq")) is int,
        "it does not follow the line before": event.get("prev") == prev,
    }
    return event, [text for text, holds in checks.items() if not holds]


def _body_holds(event: dict[str, Any]) -> bool:
    return _purged(event) or body_sha256(event.get("body")) == event.get("body_sha256")


def _purged(event: dict[str, Any]) -> bool:
    return bool(event.get("body") == {TOMBSTONE: event.get("body_sha256")})


def _tail(tail: bytes, lines: int) -> list[Problem]:
    """Tell a torn line from bytes that no crash leaves: a crash leaves the beginning of an event, perhaps zeros."""
    written = tail.rstrip(b"\0")
    if not (written.startswith(BEGINNING) or BEGINNING.startswith(written)):
        return [Problem(lines + 1, "what follows the last line is not the beginning of an event")]
    ended, _ = check_line(tail[:-1], lines + 1, "")
    return [Problem(lines + 1, "its end was changed")] if ended and tail else []


def _purges(events: list[dict[str, Any]]) -> list[Problem]:
    """Find bodies that were taken out without an event that says by whom."""
    told = {seq for event in events for seq in _told(event, "events")}
    return [
        Problem(number, "its body was purged, and no event says by whom")
        for number, event in enumerate(events, 1)
        if event and _purged(event) and number not in told
    ]


def _told(event: dict[str, Any], what: str) -> list[Any]:
    body = event.get("body")
    named = body.get(what) if event.get("kind") == "purged" and isinstance(body, dict) else None
    return [each for each in named if isinstance(each, int | str)] if isinstance(named, list) else []


def _attachments(folder: Path, events: list[dict[str, Any]]) -> list[Problem]:
    """Check the latest version of each attached file, which is a tombstone when it was purged after that."""
    latest: dict[str, dict[str, Any]] = {}
    for event in events:
        body = event.get("body")
        if event.get("kind") == "attached" and isinstance(body, dict) and isinstance(body.get("path"), str):
            latest[body["path"]] = body
        latest |= {name: latest[name] | {TOMBSTONE: True} for name in _told(event, "attachments") if name in latest}
    return [Problem(0, text) for body in latest.values() if (text := _attachment(folder, body))]


def _attachment(folder: Path, body: dict[str, Any]) -> str:
    path = folder / body["path"]
    if not path.resolve().is_relative_to(folder.resolve()):
        return f"{body['path']} is outside the record"
    try:
        data = path.read_bytes()
    except OSError as error:
        return f"{body['path']} cannot be read: {error}"
    if body.get(TOMBSTONE):
        return "" if data == tombstone(body.get("sha256")) else f"{body['path']} is not the tombstone that was left"
    same = hashlib.sha256(data).hexdigest() == body.get("sha256")
    return "" if same else f"{body['path']} was changed after it was attached"


def tombstone(sha256: object) -> bytes:
    """Return what stands in the place of a purged file."""
    return canonical({TOMBSTONE: sha256}) + b"\n"


def _held(anchors: Iterable[Anchor], hashes: list[str]) -> tuple[Anchor | None, list[Problem]]:
    """Return the furthest of *anchors* that holds, and what the others show."""
    told = [(each, anchoring.wrong(each, hashes)) for each in anchors]
    broken = [Problem(each.seq if each.seq <= len(hashes) else 0, text) for each, text in told if text]
    holding = [each for each, text in told if not text]
    return max(holding, key=lambda each: each.seq, default=None), broken
