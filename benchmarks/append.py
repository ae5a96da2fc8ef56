"""
The journal's append against what cannot be left out of it: the same bytes, written and synced by a bare loop.

Both write to a new file on the disk that the project is on, in a folder of their own. The peer keeps its file open too.
The difference is what the journal adds: the lock, redaction, the hashes of the chain, looking for what others wrote.
"""

import os
import tempfile
import time
from pathlib import Path

from firstwatch.clock import WallClock
from firstwatch.model import Actor
from firstwatch.record.journal import Journal

EVENTS = 1000
BODY = {"id": "check-pods", "state": "done"}
DISK = Path(__file__).resolve().parents[1] / "build"  # not /tmp, which may be memory


def ours() -> dict[str, float]:
    with tempfile.TemporaryDirectory(dir=DISK) as folder:
        book = _journal(Path(folder))
        began = time.perf_counter()
        for _ in range(EVENTS):
            book.append("cell", BODY)
        return {f"{EVENTS} appends": time.perf_counter() - began}


def bare() -> dict[str, float]:
    with tempfile.TemporaryDirectory(dir=DISK) as folder:
        book = _journal(Path(folder))
        book.append("cell", BODY)
        line = book.path.read_bytes()
        descriptor = os.open(Path(folder) / "bare", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        began = time.perf_counter()
        for _ in range(EVENTS):
            os.write(descriptor, line)
            os.fsync(descriptor)
        took = time.perf_counter() - began
        os.close(descriptor)
        return {f"{EVENTS} appends": took}


def _journal(folder: Path) -> Journal:
    record = folder / "2026-11-24-020304"
    record.mkdir(parents=True)
    return Journal(record / "journal.jsonl", WallClock(), Actor("on-call"), "on-call@laptop", "r1")
