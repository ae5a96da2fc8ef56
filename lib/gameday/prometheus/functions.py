"""
The functions of the query language, on plain values.

`rate`, `increase` and `delta` do what Prometheus 2 does: a counter that fell was reset, and what the samples show is
extended to the whole range, by at most half a sample's distance where there is nothing, and never below zero.
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from gameday.prometheus import aggregate, labelset, number
from gameday.prometheus.labelset import Labels
from gameday.prometheus.matching import ExecutionFailed, Sample, Vector
from gameday.prometheus.series import Window
from gameday.prometheus.syntax import pattern

BUCKET = "le"
EXTENDS = 1.1  # a gap this many times the usual one is where the series began or ended

_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_GROUP = re.compile(r"\$(?:(\$)|(\w+)|\{(\w+)\})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Span:
    """The range that a function looks at."""

    first_ms: int
    last_ms: int

    @property
    def seconds(self) -> float:
        return (self.last_ms - self.first_ms) / 1000


def rate(window: Window, span: Span) -> float | None:
    return _extrapolated(window, span, counter=True, per_s=span.seconds)


def increase(window: Window, span: Span) -> float | None:
    return _extrapolated(window, span, counter=True)


def delta(window: Window, span: Span) -> float | None:
    return _extrapolated(window, span, counter=False)


def irate(window: Window, _: Span) -> float | None:
    """Return the rate between the last two samples."""
    if len(window.times) < 2:
        return None
    before, last = window.values[-2:]
    gained = last if last < before else last - before
    return gained / ((window.times[-1] - window.times[-2]) / 1000)


def _extrapolated(window: Window, span: Span, *, counter: bool, per_s: float = 1.0) -> float | None:
    """Compute in Prometheus' own order, so that a threshold is passed by the same last bit."""
    if len(window.times) < 2:
        return None
    gained = _gained(window.values, counter=counter)
    sampled = (window.times[-1] - window.times[0]) / 1000
    extended = _extended(window, span, gained if counter else 0.0)
    return gained * (extended / sampled / per_s)


def _gained(values: Sequence[float], *, counter: bool) -> float:
    gained = values[-1] - values[0]
    for before, after in pairwise(values):
        if counter and after < before:
            gained += before
    return gained


def _extended(window: Window, span: Span, gained: float) -> float:
    """Return the seconds that the samples stand for. *gained* is what a counter did, else 0."""
    times, first = window.times, window.values[0]
    sampled = (times[-1] - times[0]) / 1000
    distance = sampled / (len(times) - 1)
    to_start, to_end = (times[0] - span.first_ms) / 1000, (span.last_ms - times[-1]) / 1000
    if gained > 0 and first >= 0:
        to_start = min(to_start, sampled * (first / gained))  # further back it would be below zero
    extended = sampled
    for gap in (to_start, to_end):
        extended += gap if gap < distance * EXTENDS else distance / 2
    return extended


def _over_time(reduce: Callable[[Sequence[float]], float]) -> Callable[[Window, Span], float | None]:
    return lambda window, _: reduce(window.values) if window.values else None


OF_RANGE: dict[str, Callable[[Window, Span], float | None]] = {
    "rate": rate,
    "irate": irate,
    "increase": increase,
    "delta": delta,
    "avg_over_time": _over_time(aggregate.mean),
    "min_over_time": _over_time(aggregate.smallest),
    "max_over_time": _over_time(aggregate.largest),
    "sum_over_time": _over_time(lambda values: float(sum(values))),
    "count_over_time": _over_time(lambda values: float(len(values))),
    "last_over_time": _over_time(lambda values: values[-1]),
}
KEEPS_NAME = {"last_over_time"}


def _whole(rounded: Callable[[float], float]) -> Callable[[float], float]:
    """Return *rounded*, which raises for NaN and infinities, so that it leaves them as they are."""
    return lambda value: math.copysign(rounded(value), value) if math.isfinite(value) else value


floor = _whole(lambda value: float(math.floor(value)))

OF_VALUE: dict[str, Callable[[float], float]] = {
    "abs": abs,
    "ceil": _whole(lambda value: float(math.ceil(value))),
    "floor": floor,
}


def clamp_min(value: float, limit: float) -> float:
    if math.inf in {value, limit}:
        return math.inf
    return math.nan if math.isnan(value) or math.isnan(limit) else max(value, limit)


def clamp_max(value: float, limit: float) -> float:
    return -clamp_min(-value, -limit)


def nearest(value: float, multiple: float = 1.0) -> float:
    """Return the multiple that is nearest to *value*; of two, the larger."""
    inverse = 1 / multiple if multiple else math.inf
    return floor(value * inverse + 0.5) / inverse if inverse else math.nan


WITH_NUMBER: dict[str, Callable[..., float]] = {"clamp_min": clamp_min, "clamp_max": clamp_max, "round": nearest}


def sort(vector: Vector) -> Vector:
    return sorted(vector, key=lambda each: (math.isnan(each.value), each.value))


def sort_desc(vector: Vector) -> Vector:
    return sorted(vector, key=lambda each: (math.isnan(each.value), -each.value))


def scalar(vector: Vector) -> float:
    """Return the value of the only sample; NaN when there are none or several."""
    return vector[0].value if len(vector) == 1 else math.nan


def label_replace(vector: Vector, target: str, replacement: str, source: str, expression: str) -> Vector:
    """Set *target* to *replacement*, with `$1` or `${name}` of the match, where *source* matches wholly."""
    try:
        compiled = pattern(expression)
    except ValueError as error:
        raise ExecutionFailed(f"invalid regular expression in label_replace(): {error}") from error
    if not _LABEL.fullmatch(target):
        raise ExecutionFailed(f"invalid destination label name in label_replace(): {target}")
    return [Sample(_replaced(each.labels, target, replacement, source, compiled), each.value) for each in vector]


def _replaced(labels: Labels, target: str, replacement: str, source: str, compiled: re.Pattern[str]) -> Labels:
    match = compiled.fullmatch(labelset.get(labels, source))
    if not match:
        return labels

    def group(reference: re.Match[str]) -> str:
        name = reference[2] or reference[3]
        if reference[1]:
            return "$"
        known = int(name) <= compiled.groups if name.isdigit() else name in compiled.groupindex
        return (match[int(name) if name.isdigit() else name] or "") if known else ""

    return labelset.update(labels, {target: _GROUP.sub(group, replacement)})


def histogram_quantile(wanted: float, vector: Vector) -> Vector:
    """Return the quantile of each histogram, taken as evenly spread within the bucket that it falls into."""
    histograms: dict[Labels, dict[float, float]] = {}
    for each in vector:
        try:
            bound = number.parse(labelset.get(each.labels, BUCKET))
        except ValueError:
            continue  # a series without a bound is no bucket
        buckets = histograms.setdefault(labelset.drop(each.labels, (BUCKET, labelset.NAME)), {})
        buckets[bound] = buckets.get(bound, 0.0) + each.value
    return [Sample(labels, _bucket_quantile(wanted, buckets)) for labels, buckets in histograms.items()]


def _bucket_quantile(wanted: float, buckets: dict[float, float]) -> float:
    if math.isnan(wanted) or not 0 <= wanted <= 1:
        return math.nan if math.isnan(wanted) else math.copysign(math.inf, wanted)
    bounds = sorted(buckets)
    counts = _growing([buckets[bound] for bound in bounds])
    if bounds[-1] != math.inf or len(bounds) < 2 or not counts[-1]:
        return math.nan
    rank = wanted * counts[-1]
    index = next((i for i, count in enumerate(counts[:-1]) if count >= rank), len(counts) - 1)
    if index == len(counts) - 1:
        return bounds[-2]
    if index == 0 and bounds[0] <= 0:
        return bounds[0]
    start, below = (bounds[index - 1], counts[index - 1]) if index else (0.0, 0.0)
    inside = counts[index] - below
    return start + (bounds[index] - start) * ((rank - below) / inside if inside else math.nan)


def _growing(counts: list[float]) -> list[float]:
    """Return cumulative counts made to grow: buckets that were scraped apart can seem to shrink."""
    found, most = [], -math.inf
    for count in counts:
        most = max(most, count)  # of NaN and a number this is the first, so that NaN stays alone
        found.append(count if math.isnan(count) else most)
    return found


OF_ALL: dict[str, Callable[..., float | Vector]] = {
    "histogram_quantile": histogram_quantile,
    "label_replace": label_replace,
    "scalar": scalar,
    "sort": sort,
    "sort_desc": sort_desc,
    "vector": lambda value: [Sample((), value)],
}
