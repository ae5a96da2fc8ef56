"""
Purging: a secret that was found in a record later is taken out, and the record still verifies.

A body leaves a tombstone with its hash, a file a tombstone of its own. Who did it, why and to what is an event, which
comes into the journal by the same replacement of the file: there is no moment with one and without the other. Other
copies (an executed notebook, git's history, a backup) are not reached from here.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from firstwatch.errors import BadParameter, NotFound, RecordNotWritable, RecordUnreadable
from firstwatch.model import canonical
from firstwatch.record import disk
from firstwatch.record.event import TOMBSTONE, Event, parse
from firstwatch.record.incident import Incident, fold
from firstwatch.record.journal import Journal
from firstwatch.record.redact import redacted
from firstwatch.record.verify import tombstone


def purge(journal: Journal, numbers: Sequence[int], attachments: Sequence[str], reason: str) -> Event:
    """
    Take the bodies of the events *numbers* and the files *attachments* out of the record, and return the event of it.

    Raises:
        NotFound: There is no such event, or no such file was attached.
        BadParameter: It must stay: what a change in force or in doubt needs, and who purged what.
        RecordNotWritable: It could not be replaced; the journal is as it was.
    """
    with journal.held("purged"):
        lines = journal.path.read_bytes().splitlines()
        events = tuple(parse(b"\n".join(lines), journal.path))
        _may_go(numbers, events, fold(events))
        files = {name: _attached(name, events) for name in attachments}
        for name, sha256 in files.items():
            _replace(journal.path.parent / name, sha256)
        body = {"events": sorted(set(numbers)), "attachments": sorted(files), "reason": reason}
        event, line = journal.sealed("purged", redacted(body))
        kept = [_without_body(each) if number in numbers else each for number, each in enumerate(lines, 1)]
        disk.replaced(journal.path, b"\n".join(kept) + b"\n" + line)
    return event


def _may_go(numbers: Sequence[int], events: Sequence[Event], state: Incident) -> None:
    needed = {change.key for change in (*state.in_force, *state.in_doubt)}
    for number in numbers:
        if not 1 <= number <= len(events):
            raise NotFound(f"there is no event {number}; there are 1 to {len(events)}")
        event = events[number - 1]
        if event.seq != number:
            raise RecordUnreadable(f"line {number} is not event {number}; try firstwatch verify")
        if event.kind == "purged":
            raise BadParameter(f"event {number} says what was purged, so it stays")
        if event.kind in ("intent", "outcome") and event.body.get("key") in needed:
            raise BadParameter(f"event {number} is of a change that is in force or in doubt: undo or settle it first")


def _attached(name: str, events: Sequence[Event]) -> str:
    """Return the recorded hash of the file *name*."""
    named = [event.body for event in events if event.kind == "attached" and event.body.get("path") == name]
    if not named or ".." in name.split("/"):
        raise NotFound(f"no file {name!r} is attached; its path is as in the record's folder")
    return str(named[-1]["sha256"])


def _replace(path: Path, sha256: str) -> None:
    """Put a tombstone in the place of a file that is what was attached."""
    if path.is_symlink():
        raise RecordNotWritable(f"{path} is a link, which was not attached; try firstwatch verify")
    left = tombstone(sha256)
    data = path.read_bytes()
    if data != left and hashlib.sha256(data).hexdigest() != sha256:
        raise RecordNotWritable(f"{path} is not what was attached; try firstwatch verify")
    disk.replaced(path, left)


def _without_body(line: bytes) -> bytes:
    event = json.loads(line)
    return canonical(event | {"body": {TOMBSTONE: event["body_sha256"]}})
