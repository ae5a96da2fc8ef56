"""
The log of a container: as much of it as a person reads, what was left out, and a hash of what was read.

A log is other people's bytes, and as many as they like. They are read up to a limit; a line without an end is cut; what
is not UTF-8, or would not show as itself, is shown as an escape.
"""

import hashlib
from dataclasses import dataclass
from typing import Self

from firstwatch.text import visible

MOST_LOG_BYTES = 4_000_000
MOST_LINE_BYTES = 8_000


@dataclass(frozen=True, slots=True)
class Log:
    """
    `lines` are as they are shown, oldest first. `cut` says what is not among them; empty when they are all there were.
    `size` and `sha256` are of the bytes that were read, before anything was cut from them.
    """

    lines: tuple[str, ...]
    cut: str
    size: int
    sha256: str

    @classmethod
    def of(cls, raw: bytes, most_lines: int, late: str = "") -> Self:
        """Return the log that *raw* is, at most *most_lines* of it; *late* is why no more bytes came."""
        lines = raw.removesuffix(b"\n").split(b"\n", most_lines) if raw else []
        shown = lines[:most_lines]
        long = sum(len(line) > MOST_LINE_BYTES for line in shown)
        said = [
            f"only the first {len(raw):,} bytes were read" if len(raw) >= MOST_LOG_BYTES else "",
            f"only {len(raw):,} bytes came: {late}" if late else "",
            f"only the first {most_lines:,} lines are shown" if len(lines) > most_lines else "",
            f"{long} lines were shortened to {MOST_LINE_BYTES:,} bytes" if long else "",
        ]
        cut = "; ".join(filter(None, said))
        return cls(tuple(map(_line, shown)), cut, len(raw), hashlib.sha256(raw).hexdigest())

    def __repr__(self) -> str:
        return "\n".join((*self.lines, f"[{self.cut or 'whole'}; {self.size:,} bytes, sha256 {self.sha256}]"))


def _line(raw: bytes) -> str:
    rest = len(raw) - MOST_LINE_BYTES
    shown = visible(raw[:MOST_LINE_BYTES].removesuffix(b"\r").decode("utf-8", "backslashreplace"))
    return f"{shown}… ({rest:,} bytes more)" if rest > 0 else shown
