"""
What containers wrote, line by line with the time and the stream, in the format of real nodes.

    2026-11-24T15:30:18.123456000Z stdout F a whole line
    2026-11-24T15:30:18.123457000Z stderr P a part of a very long one

Each start of a container has a file of its own, so that the previous one's log can still be read. A file is capped: at
its limit it becomes the old one, and what was old is dropped, so at least the last `LIMIT` bytes are kept.
"""

import asyncio
import os
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from firstwatch.clock import Clock
from gameday import timestamps

LIMIT = 10 * 1024 * 1024
LONGEST = 16 * 1024  # of one entry, as in real container runtimes


class Log:
    """The log of one start of one container, being written."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path, self.closed, self.written = path, False, 0
        self._clock = clock
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab")
        self._size = path.stat().st_size
        self._told: set[asyncio.Future[None]] = set()

    async def take(self, stream: str, source: asyncio.StreamReader, also: Callable[[str, bytes], None]) -> None:
        """Write what comes from *source* until it ends, and hand it to *also* as it comes."""
        rest = b""
        while chunk := await source.read(LONGEST):
            also(stream, chunk)
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                self._write(stream, "F", line)
            while len(rest) >= LONGEST:
                self._write(stream, "P", rest[:LONGEST])
                rest = rest[LONGEST:]
            self._flush()
        if rest:
            self._write(stream, "P", rest)
            self._flush()

    def close(self) -> None:
        self.closed = True
        self._file.close()
        self._wake()

    def replaced(self, descriptor: int) -> bool:
        """Tell whether the open file *descriptor* is no longer the one that is written to."""
        return os.fstat(descriptor).st_ino != self.path.stat().st_ino

    async def more_than(self, known: int) -> None:
        """Wait until more than *known* was written, or until the container ended."""
        if not self.closed and self.written == known:
            future = asyncio.get_running_loop().create_future()
            self._told.add(future)
            try:
                await future
            finally:
                self._told.discard(future)

    def _write(self, stream: str, tag: str, line: bytes) -> None:
        entry = b"%s %s %s %s\n" % (timestamps.nano(self._clock.now()).encode(), stream.encode(), tag.encode(), line)
        if self._size + len(entry) > LIMIT:
            self._file.close()
            self.path.replace(older(self.path))
            self._file, self._size = self.path.open("ab"), 0
        self._size += self._file.write(entry)
        self.written += len(entry)

    def _flush(self) -> None:
        self._file.flush()
        self._wake()

    def _wake(self) -> None:
        for future in self._told:
            if not future.done():
                future.set_result(None)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a reader asks for; None is no limit. `since` leaves out what was written before."""

    follow: bool = False
    timestamps: bool = False
    tail: int | None = None
    since: datetime | None = None
    limit: int | None = None


def older(path: Path) -> Path:
    return path.with_name(path.name + ".old")


async def read(path: Path, writing: Log | None, wish: Wish) -> AsyncIterator[bytes]:
    """Yield the log at *path* as *wish* says; with `follow`, go on while *writing* is open."""
    left = wish.limit
    async for entry in _entries(path, writing if wish.follow else None, wish):
        text = _shown(entry, wish)
        if left is not None:
            text, left = text[:left], left - len(text)
        if text:
            yield text
        if left is not None and left <= 0:
            return


async def _entries(path: Path, writing: Log | None, wish: Wish) -> AsyncIterator[bytes]:
    """Yield whole entries: the writer flushes nothing else, and runs in the same thread."""
    file = path.open("rb")
    try:
        for entry in _recent(path, file.readlines(), wish):
            yield entry
        while writing is not None:
            known, ended = writing.written, writing.closed
            for entry in file.readlines():
                yield entry
            if writing.replaced(file.fileno()) and writing.written == known:
                file.close()
                file = path.open("rb")
            elif ended:
                return
            else:
                await writing.more_than(known)
    finally:
        file.close()


def _recent(path: Path, lines: list[bytes], wish: Wish) -> Iterator[bytes]:
    before = older(path).read_bytes().splitlines(keepends=True) if older(path).exists() else []
    since = timestamps.nano(wish.since).encode() if wish.since else b""
    kept = (line for line in (*before, *lines) if line.endswith(b"\n") and line[: len(since)] >= since)
    if wish.tail is None:
        yield from kept
    else:
        yield from deque(kept, maxlen=wish.tail)


def _shown(entry: bytes, wish: Wish) -> bytes:
    moment, _, rest = entry.partition(b" ")
    _, _, rest = rest.partition(b" ")
    tag, _, line = rest.partition(b" ")
    text = line[:-1] if tag == b"P" else line
    return moment + b" " + text if wish.timestamps else text
