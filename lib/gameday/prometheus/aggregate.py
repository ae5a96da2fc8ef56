"""What becomes of many series in one: sum, avg, min, max, count, group, quantile, and the k largest or smallest."""

import math
from collections.abc import Callable, Sequence

from gameday.prometheus import labelset
from gameday.prometheus.labelset import NAME, Labels
from gameday.prometheus.matching import ExecutionFailed, Sample, Vector
from gameday.prometheus.syntax import Aggregate


def aggregate(node: Aggregate, vector: Vector, parameter: float) -> Vector:
    """Return one sample a group, or for topk and bottomk at most *parameter* of each, the best first."""
    groups = _groups(node, vector)
    if node.operation in {"topk", "bottomk"}:
        count = _count(parameter)
        best = [_best(group, count, largest=node.operation == "topk") for group in groups.values()]
        return [sample for group in best for sample in group]
    if node.operation == "quantile":
        values = {labels: [each.value for each in group] for labels, group in groups.items()}
        return [Sample(labels, quantile(parameter, each)) for labels, each in values.items()]
    reduce = REDUCTIONS[node.operation]
    return [Sample(labels, reduce([each.value for each in group])) for labels, group in groups.items()]


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def largest(values: Sequence[float]) -> float:
    """Return the largest number; NaN only when there is no other."""
    return max((each for each in values if not math.isnan(each)), default=math.nan)


def smallest(values: Sequence[float]) -> float:
    return min((each for each in values if not math.isnan(each)), default=math.nan)


def quantile(wanted: float, values: Sequence[float]) -> float:
    if math.isnan(wanted) or not 0 <= wanted <= 1:
        return math.nan if math.isnan(wanted) else math.copysign(math.inf, wanted)
    ordered = sorted(values, key=lambda value: (not math.isnan(value), value))
    rank = wanted * (len(ordered) - 1)
    lower = math.floor(rank)
    upper, weight = min(lower + 1, len(ordered) - 1), rank - lower
    return ordered[lower] * (1 - weight) + ordered[upper] * weight


REDUCTIONS: dict[str, Callable[[Sequence[float]], float]] = {
    "sum": lambda values: float(sum(values)),
    "avg": mean,
    "min": smallest,
    "max": largest,
    "count": lambda values: float(len(values)),
    "group": lambda _: 1.0,
}


def _groups(node: Aggregate, vector: Vector) -> dict[Labels, Vector]:
    groups: dict[Labels, Vector] = {}
    for sample in vector:
        if node.without:
            key = labelset.drop(sample.labels, (*node.labels, NAME))
        else:
            key = labelset.keep(sample.labels, node.labels)
        groups.setdefault(key, []).append(sample)
    return groups


def _count(parameter: float) -> int:
    if math.isnan(parameter) or abs(parameter) >= 2**63:
        raise ExecutionFailed(f"scalar value {parameter:g} is no number of series")
    return max(int(parameter), 0)


def _best(group: Vector, count: int, *, largest: bool) -> Vector:
    """Return the *count* best samples; NaN is worse than any number."""

    def rank(sample: Sample) -> tuple[bool, float]:
        return math.isnan(sample.value), -sample.value if largest else sample.value

    return sorted(group, key=rank)[:count]
