"""A secret that is found later: purged, now and then after a purge that was broken off, and looked for everywhere."""

import errno
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from random import Random

from faults.disk import Fault
from faults.journal import ID, journal
from faults.programme import Figure, Row, Trial
from firstwatch.errors import RecordNotWritable
from firstwatch.record.anchor import Anchor
from firstwatch.record.event import Event
from firstwatch.record.journal import Journal, read
from firstwatch.record.purge import purge
from firstwatch.record.store import attach
from firstwatch.record.verify import verify

BREAKING = ("open", "write", "fsync", "replace")


def purged(trial: Trial) -> Figure:
    """Put a secret that no pattern knows into events and files, purge those, and look for it and for what is left."""
    bad = []
    for number in range(trial.count):
        folder = trial.folder / str(number)
        folder.mkdir()
        if wrong := _left(folder, trial.random):
            bad.append(f"{number}: {wrong}")
        shutil.rmtree(folder)
        trial.tell(number + 1)
    return Figure(trial.count, len(bad), "; ".join(bad[:3]))


def _left(folder: Path, random: Random) -> str:
    """Return what is wrong after a purge."""
    book, secret = journal(folder), f"blue {random.getrandbits(60)} horses"
    told = [_told(book, secret, random) for _ in range(random.randrange(2, 15))]
    files = [_file(book, secret, number) for number in range(random.randrange(3))]
    before, numbers = read(book.path), [seq for seq, has in enumerate(told, 1) if has]
    anchor = Anchor(ID, before[-1].seq, before[-1].hash, "chat")
    _purge(journal(folder), numbers, files, random)
    book.append("note", {"text": "after"})  # by one who had the journal open all the while
    return _wrong(folder / ID, secret, before, numbers, anchor)


def _told(book: Journal, secret: str, random: Random) -> bool:
    has = random.random() < 0.4
    book.append("note", {"text": secret if has else "nothing of it", "of": [{"more": secret * has}]})
    return has


def _file(book: Journal, secret: str, number: int) -> str:
    path = book.path.with_name(f"file-{number}")
    path.write_text(f"before {secret} after")
    attach(book, path, "a file")
    return path.name


def _purge(book: Journal, numbers: list[int], files: list[str], random: Random) -> None:
    """Purge; every other time a call of the system fails on the way, and it is done again."""
    if random.random() < 0.5:
        fault = Fault(random.choice(BREAKING), random.randrange(1, 6), random.choice((errno.EIO, errno.ENOSPC)))
        with fault.injected(), suppress(RecordNotWritable):
            purge(book, numbers, files, "a password")
            return
    purge(journal(book.path.parents[1]), numbers, files, "a password")


def _wrong(record: Path, secret: str, before: Sequence[Event], numbers: list[int], anchor: Anchor) -> str:
    checked, events = verify(record, [anchor]), read(record / "journal.jsonl")
    kept = [old for old, new in zip(before, events, strict=False) if (new.purged, new) != (False, old)]
    if any(secret.encode() in path.read_bytes() for path in record.rglob("*") if path.is_file()):
        return "it is still there"
    if not checked.whole or checked.anchored != anchor:
        return str(checked)
    return "" if [each.seq for each in kept] == numbers else f"other events were changed: {kept}"


ROWS = [
    Row("T69", "a secret found later; a purge that was broken off", "gone from every file; all else whole and anchored",
        1000, purged, least=40),
]  # fmt: skip
