"""
Verification: whether every byte, link and attached file of a record is what was written. Offline.

A line must be the canonical form of itself, its body must match `body_sha256` (or be a tombstone), its hash must match
the line, its `prev` the line before, its `seq` its place. A cut exactly between two lines leaves a shorter record that
is consistent; it shows only against an anchor, so the answer says whether there is one.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from firstwatch.model import canonical
from firstwatch.record.journal import FIRST, VERSION, body_sha256, chain_hash

TOMBSTONE = "purged"  # the one key of a body that was purged


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong: where, in words, and the line of the journal, counted from 1 (0 for a file beside it)."""

    line: int
    text: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.text}" if self.line else self.text


@dataclass(frozen=True, slots=True)
class Verification:
    """What was checked. `head` is the hash of the last good event."""

    events: int
    head: str
    torn: bool
    problems: tuple[Problem, ...]

    @property
    def consistent(self) -> bool:
        return not self.problems

    def __str__(self) -> str:
        if self.problems:
            return "\n".join(["damaged", *map(str, self.problems)])
        torn = "; its last line is torn, by a crash, and was never acknowledged" if self.torn else ""
        return f"consistent, not anchored: {self.events} events, head {self.head[:16]}{torn}"


def verify(folder: Path) -> Verification:
    """Return what is wrong with the record in *folder*: the journal's bytes, its links, the attached files."""
    try:
        data = (folder / "journal.jsonl").read_bytes()
    except OSError as error:
        return Verification(0, FIRST, False, (Problem(0, f"the journal cannot be read: {error}"),))
    *lines, tail = data.split(b"\n")
    problems, events = _lines(lines)
    problems += _attachments(folder, events)
    head = events[-1].get("hash", FIRST) if events else FIRST
    if not events:
        problems.append(Problem(0, "the journal has no event"))
    return Verification(len(events), str(head), bool(tail), tuple(problems))


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
    body = event.get("body")
    return body == {TOMBSTONE: event.get("body_sha256")} or body_sha256(body) == event.get("body_sha256")


def _attachments(folder: Path, events: list[dict[str, Any]]) -> list[Problem]:
    latest = {
        e["body"]["path"]: e["body"] for e in events if e.get("kind") == "attached" and "path" in e.get("body", {})
    }
    return [Problem(0, text) for body in latest.values() if (text := _attachment(folder, body))]


def _attachment(folder: Path, body: dict[str, Any]) -> str:
    path = folder / str(body["path"])
    if not path.resolve().is_relative_to(folder.resolve()):
        return f"{body['path']} is outside the record"
    try:
        same = hashlib.sha256(path.read_bytes()).hexdigest() == body.get("sha256")
    except OSError as error:
        return f"{body['path']} cannot be read: {error}"
    return "" if same else f"{body['path']} was changed after it was attached"
