"""
The samples of the last two hours, in memory.

A series that ends (its target vanished, a scrape failed, a rule gave no such result) is marked as ended at that
moment: from then on it is absent, and not for five minutes more what it was last. Prometheus writes a special NaN for
this; here the ends are kept beside the samples, so that arithmetic never meets one.

Both the number of series and that of all samples are bounded. Beyond the first a new series is refused; beyond the
second the past is kept for half as long.
"""

import logging
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from firstwatch.errors import FirstwatchError
from gameday.prometheus import labelset
from gameday.prometheus.labelset import NAME, Labels
from gameday.prometheus.syntax import Matcher

log = logging.getLogger(__name__)

LOOKBACK_MS = 5 * 60_000
RETENTION_MS = 2 * 3_600_000
MOST_SERIES = 30_000
MOST_SAMPLES = 20_000_000


class TooManySeries(FirstwatchError):
    """The store holds as many series as it may; the message says how many."""


class Point(NamedTuple):
    at_ms: int
    value: float


class Window(NamedTuple):
    """What one series had between two moments, oldest first."""

    labels: Labels
    times: Sequence[int]
    values: Sequence[float]


class Series:
    """One series: samples in the order of their times, and the moments at which it ended."""

    __slots__ = ("_ends", "_times", "_values", "labels")

    def __init__(self, labels: Labels) -> None:
        self.labels = labels
        self._times, self._values, self._ends = array("q"), array("d"), array("q")

    def __len__(self) -> int:
        return len(self._times)

    def append(self, at_ms: int, value: float) -> bool:
        """Add a sample; one that is not newer than the last is dropped, and False returned."""
        if self._times and at_ms <= self._times[-1]:
            return False
        self._times.append(at_ms)
        self._values.append(value)
        return True

    def end(self, at_ms: int) -> None:
        self._ends.append(at_ms)

    def latest(self, at_ms: int) -> Point | None:
        """Return the last sample up to *at_ms*, unless it is too old or the series ended after it."""
        index = bisect_right(self._times, at_ms) - 1
        if index < 0 or self._times[index] < at_ms - LOOKBACK_MS:
            return None
        ended = bisect_right(self._ends, at_ms) - 1
        if ended >= 0 and self._ends[ended] > self._times[index]:
            return None
        return Point(self._times[index], self._values[index])

    def window(self, first_ms: int, last_ms: int) -> Window:
        """Return the samples between two moments, both included, as Prometheus 2 does."""
        low, high = bisect_left(self._times, first_ms), bisect_right(self._times, last_ms)
        return Window(self.labels, self._times[low:high], self._values[low:high])

    def forget(self, before_ms: int) -> None:
        count = bisect_left(self._times, before_ms)
        del self._times[:count], self._values[:count]
        del self._ends[: bisect_left(self._ends, before_ms)]


class Store:
    """All series, found by their labels; by their name first, as nearly every query gives one."""

    def __init__(self, most_series: int = MOST_SERIES) -> None:
        self._named: dict[str, dict[Labels, Series]] = {}
        self._most, self._count, self._retention_ms = most_series, 0, RETENTION_MS

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Series]:
        for group in self._named.values():
            yield from group.values()

    def admit(self, several: Iterable[Labels]) -> None:
        """Refuse *several* series when there is not room for all of them, before any is written."""
        new = [labels for labels in set(several) if labels not in self._named.get(labelset.get(labels, NAME), {})]
        if self._count + len(new) > self._most:
            first = labelset.show(min(new))
            raise TooManySeries(f"the store takes at most {self._most} series, and {len(new)} are new: {first}")

    def append(self, labels: Labels, at_ms: int, value: float) -> bool:
        """Add a sample, and its series if it is new; False when a later sample is already there."""
        group = self._named.setdefault(labelset.get(labels, NAME), {})
        series = group.get(labels)
        if series is None:
            self.admit([labels])
            self._count += 1
            series = group[labels] = Series(labels)
        return series.append(at_ms, value)

    def end(self, several: Iterable[Labels], at_ms: int) -> None:
        """Say that these series are no more, from *at_ms* on."""
        for labels in several:
            if series := self._named.get(labelset.get(labels, NAME), {}).get(labels):
                series.end(at_ms)

    def select(self, matchers: Sequence[Matcher]) -> list[Series]:
        """Return the series that all *matchers* hold of, ordered by their labels."""
        names = [each.value for each in matchers if each.label == NAME and each.operator == "="]
        among: Iterable[Series] = self._named.get(names[0], {}).values() if names else self
        found = [series for series in among if all(each.holds(series.labels) for each in matchers)]
        return sorted(found, key=lambda series: series.labels)

    def forget(self, now_ms: int) -> None:
        """Drop what is older than the retention, and series of which nothing is left."""
        for name, group in list(self._named.items()):
            for labels, series in list(group.items()):
                series.forget(now_ms - self._retention_ms)
                if not series:
                    del group[labels]
            if not group:
                del self._named[name]
        self._count = sum(map(len, self._named.values()))
        if (samples := sum(map(len, self))) > MOST_SAMPLES:
            self._retention_ms //= 2
            log.warning("%d samples: from now on only %d s are kept", samples, self._retention_ms // 1000)
