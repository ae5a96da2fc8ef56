"""
Time, passed in: a function that needs "now" takes a clock, so that nothing has to be patched to test it.

`WallClock` is the machine's. A replay brings a clock of its own (`systems.tape`), driven by the recording.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """Return the time in UTC. Advisory: it can jump."""

    def monotonic_ns(self) -> int:
        """Return nanoseconds that never go back on one machine."""

    def sleep(self, seconds: float) -> None: ...


class WallClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Pace:
    """
    How fast time goes for the people of a world: since `origin`, `rate` times as fast as UTC. At 1 it is UTC itself.

    Events keep true UTC; this tells what time it was in the world.
    """

    origin: datetime = datetime(2000, 1, 1, tzinfo=UTC)
    rate: float = 1.0

    def world(self, moment: datetime) -> datetime:
        """Return the world's time at the true *moment*."""
        return moment if self.rate == 1 else self.origin + (moment - self.origin) * self.rate


def duration(text: str) -> timedelta:
    """
    Return the time span that *text* names: `90s`, `5m`, `2h`, or plain seconds.

    Raises:
        ValueError: It names none.
    """
    unit = {"s": 1, "m": 60, "h": 3600, "d": 86400}.get(text[-1:], 0)
    number = float(text[:-1]) if unit else float(text)
    if not 0 <= number < 1e7:
        raise ValueError(f"{text!r} is not a time span such as 90s, 5m or 2h")
    return timedelta(seconds=number * (unit or 1))
