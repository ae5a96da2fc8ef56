"""
The journal's append against a log of JSON lines, and against what cannot be left out of either: a write and an fsync.

All three write the same event a thousand times to new files on the disk that the project is on, and keep them open.
They take turns at each append, since the time of an fsync drifts within seconds. The first peer is what one would write
otherwise: take the time, make the event JSON, write it, sync it. The second has the finished bytes from the start. What
the journal adds to the first: the lock, redaction, the hashes of the chain, looking for what others wrote.
"""

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.bench import Row
from firstwatch.clock import WallClock
from firstwatch.model import Actor
from firstwatch.record.journal import Journal

EVENTS = 1000
BODY = {"id": "check-pods", "state": "done"}
DISK = Path(__file__).resolve().parents[1] / "build"  # not /tmp, which may be memory

Append = Callable[[], object]


def measure(rounds: int) -> list[Row]:
    """Return the seconds of a thousand appends, ours and each peer's, over *rounds* after one to warm up."""
    ours, lines, finished = zip(*[_turns() for _ in range(rounds + 1)][1:], strict=True)
    return [Row("to JSON lines", ours, lines), Row("to finished bytes", ours, finished)]


def _turns() -> tuple[float, ...]:
    with ExitStack() as stack:
        appends = [make(stack.enter_context(_journal())) for make in (_ours, _lines, _finished)]
        took = [0.0] * len(appends)
        for _ in range(EVENTS):
            for number, append in enumerate(appends):
                began = time.perf_counter()
                append()
                took[number] += time.perf_counter() - began
    return tuple(took)


def _ours(book: Journal) -> Append:
    return lambda: book.append("cell", BODY)


def _lines(book: Journal) -> Append:
    event = book.append("cell", BODY)._asdict()
    return _appending(book, lambda: json.dumps(event | _now()).encode() + b"\n")


def _finished(book: Journal) -> Append:
    book.append("cell", BODY)
    data = book.path.read_bytes()
    return _appending(book, lambda: data)


def _now() -> dict[str, str | int]:
    return {"at": datetime.now(UTC).isoformat(), "mono": time.monotonic_ns()}


def _appending(book: Journal, line: Callable[[], bytes]) -> Append:
    file = book.path.with_name("log").open("ab", buffering=0)

    def append() -> None:
        file.write(line())
        os.fsync(file.fileno())

    return append


@contextmanager
def _journal() -> Iterator[Journal]:
    DISK.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=DISK) as folder:
        record = Path(folder) / "2026-11-24-020304"
        record.mkdir()
        yield Journal(record / "journal.jsonl", WallClock(), Actor("on-call"), "on-call@laptop", "r1")
