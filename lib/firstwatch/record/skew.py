"""
Whether a clock jumped: between two events of one machine the wall clock and the monotonic one must agree.

The order of a record is its sequence, so a jump loses nothing; but the times beside it mislead, and a reader must know.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from firstwatch.record.event import Event

NOTICED = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Jump:
    """The wall clock of `machine` went on by `by` more than time did, before the event `seq`."""

    seq: int
    machine: str
    by: timedelta

    def __str__(self) -> str:
        forward = self.by > timedelta(0)
        way, doubt = ("forward", ", or it slept") if forward else ("back", "")
        return f"the clock of {self.machine} went {way} by {abs(self.by)} before event {self.seq}{doubt}"


def jumps(events: Iterable[Event]) -> tuple[Jump, ...]:
    """Return the jumps of more than two seconds, in the order of *events*. A machine that restarted is not judged."""
    return tuple(_jumps(events))


def _jumps(events: Iterable[Event]) -> Iterator[Jump]:
    last: dict[str, Event] = {}
    for event in events:
        before, machine = last.get(event.credential), event.credential
        last[machine] = event
        if before is None or event.mono < before.mono:
            continue
        passed = timedelta(microseconds=(event.mono - before.mono) // 1000)
        by = event.time - before.time - passed
        if abs(by) > NOTICED:
            yield Jump(event.seq, machine, timedelta(seconds=round(by.total_seconds())))
