"""
Turns: on one machine, one process at a time changes a target, in whatever incident.

The lock is the operating system's, on a file beside the records, so it ends with its process, however that went. It
says nothing to other machines: there the lease in the journal does, and the API's own refusal of a stale write.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from firstwatch.errors import Conflict, RecordNotWritable
from firstwatch.model import Target


@contextmanager
def turn(records: Path, target: Target, who: str) -> Iterator[None]:
    """
    Be the only process that changes *target* for the length of a `with` block.

    Raises:
        Conflict: Another one does; the message says who.
        RecordNotWritable: The lock cannot be made.
    """
    name = hashlib.sha256(f"{target} {target.uid}".encode()).hexdigest()[:32]
    path = records / ".turns" / name
    try:
        path.parent.mkdir(exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise RecordNotWritable(f"cannot make the lock {path}: {error}; nothing was attempted") from error
    try:
        _take(descriptor, path, target, who)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, path: Path, target: Target, who: str) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, who.encode(), 0)
    except BlockingIOError as error:
        holder = path.read_text("utf-8", "replace") or "somebody"
        raise Conflict(f"{target} is being changed now, by {holder}; look again in a moment") from error
    except OSError as error:
        raise RecordNotWritable(f"cannot lock {path}: {error}; nothing was attempted") from error
