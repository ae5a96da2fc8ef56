"""
How a pair is measured: ours and the peer in turn, and the ratio of each pair.

A machine drifts, so A B A B; a ratio is taken pair by pair and the median of those is what is claimed. One round before
the first is not counted. Nothing here asserts a time.
"""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Measure = Callable[[], dict[str, float]]  # one execution: seconds by name


@dataclass(frozen=True, slots=True)
class Row:
    """One measured quantity of a pair, in seconds, and ours over the peer's."""

    name: str
    ours: tuple[float, ...]
    peer: tuple[float, ...]

    @property
    def ratio(self) -> float:
        return statistics.median(a / b for a, b in zip(self.ours, self.peer, strict=True))

    def __str__(self) -> str:
        ours, peer = (
            f"{statistics.median(side):6.2f} s ({min(side):.2f} to {max(side):.2f})" for side in (self.ours, self.peer)
        )
        return f"{self.name:<16} ours {ours}   peer {peer}   ours/peer {self.ratio:.2f}"


def compare(ours: Measure, peer: Measure, rounds: int, progress: Callable[[str], None]) -> list[Row]:
    """Return a row for each quantity that both sides report, over *rounds* interleaved rounds after one to warm up."""
    pairs = []
    for number in range(rounds + 1):
        progress(f"round {number} of {rounds}")
        pairs.append((ours(), peer()))
    return _rows(pairs[1:])


def _rows(pairs: Sequence[tuple[dict[str, float], dict[str, float]]]) -> list[Row]:
    names = pairs[0][0]
    return [Row(name, tuple(a[name] for a, _ in pairs), tuple(b[name] for _, b in pairs)) for name in names]
