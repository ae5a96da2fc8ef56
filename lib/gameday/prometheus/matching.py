"""
Operators between two values: arithmetic, comparisons and sets, and how series of two sides find each other.

Arithmetic is that of IEEE 754, where Python would raise: a division by zero is infinite or NaN.
"""

import math
import operator
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from firstwatch.errors import FirstwatchError
from gameday.prometheus import labelset
from gameday.prometheus.labelset import Labels
from gameday.prometheus.syntax import COMPARISONS, Binary, Matching


class Sample(NamedTuple):
    labels: Labels
    value: float


Vector: TypeAlias = list[Sample]


class ExecutionFailed(FirstwatchError):
    """A query is well formed, but the series that are there do not fit it."""


def divide(left: float, right: float) -> float:
    if right:
        return left / right
    if math.isnan(left) or left == 0:
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1, right)


def power(left: float, right: float) -> float:
    odd = right % 2 == 1 if math.isfinite(right) else False
    try:
        return math.pow(left, right)
    except OverflowError:
        return -math.inf if left < 0 and odd else math.inf
    except ValueError:
        if left:
            return math.nan
        return math.copysign(math.inf, left) if odd else math.inf


def modulo(left: float, right: float) -> float:
    return math.nan if right == 0 or math.isinf(left) else math.fmod(left, right)


OPERATORS: dict[str, Callable[[float, float], float]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": divide, "%": modulo, "^": power,
    "==": operator.eq, "!=": operator.ne, ">": operator.gt, "<": operator.lt, ">=": operator.ge, "<=": operator.le,
}  # fmt: skip


def scalars(node: Binary, left: float, right: float) -> float:
    return float(OPERATORS[node.operator](left, right))


def with_scalar(node: Binary, vector: Vector, scalar: float, *, scalar_left: bool) -> Vector:
    """Apply an operator between each sample and a number. A comparison that filters keeps the sample's own value."""
    apply = OPERATORS[node.operator]
    results = [apply(scalar, each.value) if scalar_left else apply(each.value, scalar) for each in vector]
    if node.operator in COMPARISONS and not node.returns_bool:
        return [each for each, kept in zip(vector, results, strict=True) if kept]
    pairs = zip(vector, results, strict=True)
    return [Sample(labelset.nameless(each.labels), float(result)) for each, result in pairs]


def sets(node: Binary, left: Vector, right: Vector) -> Vector:
    key = node.matching.key
    if node.operator == "or":
        known = {key(each.labels) for each in left}
        return left + [each for each in right if key(each.labels) not in known]
    others = {key(each.labels) for each in right}
    return [each for each in left if (key(each.labels) in others) == (node.operator == "and")]


def vectors(node: Binary, left: Vector, right: Vector) -> Vector:
    """Apply an operator to the samples of both sides that belong together."""
    swapped = node.matching.many == "right"
    many, one = (right, left) if swapped else (left, right)
    if not many or not one:
        return []
    ones = _by_key(one, node.matching, "left" if swapped else "right")
    found: Vector = []
    taken: set[tuple[Labels, Labels | None]] = set()
    for each in many:
        key = node.matching.key(each.labels)
        other = ones.get(key)
        result = other and _pair(node, each, other, swapped=swapped)
        if result:
            _once(taken, key, result.labels if node.matching.many else None)
            found.append(result)
    return found


def _pair(node: Binary, many: Sample, one: Sample, *, swapped: bool) -> Sample | None:
    left, right = (one.value, many.value) if swapped else (many.value, one.value)
    result = OPERATORS[node.operator](left, right)
    filters = node.operator in COMPARISONS and not node.returns_bool
    if filters and not result:
        return None
    labels = _labels(node, many.labels, one.labels, nameless=not filters)
    return Sample(labels, left if filters else float(result))


def _labels(node: Binary, many: Labels, one: Labels, *, nameless: bool) -> Labels:
    matching = node.matching
    if nameless:
        many = labelset.nameless(many)
    if not matching.many:
        many = labelset.keep(many, matching.labels) if matching.on else labelset.drop(many, matching.labels)
    included = {name: labelset.get(one, name) for name in matching.include}
    return labelset.update(many, included) if included else many


def _by_key(vector: Vector, matching: Matching, side: str) -> dict[Labels, Sample]:
    found: dict[Labels, Sample] = {}
    for each in vector:
        key = matching.key(each.labels)
        if key in found:
            both = f"[{labelset.show(each.labels)}, {labelset.show(found[key].labels)}]"
            raise ExecutionFailed(
                f"found duplicate series for the match group {labelset.show(key)} on the {side} hand-side of the "
                f"operation: {both};many-to-many matching not allowed: matching labels must be unique on one side"
            )
        found[key] = each
    return found


def _once(taken: set[tuple[Labels, Labels | None]], key: Labels, labels: Labels | None) -> None:
    """Refuse a second result for the same match: of one to one, or with the same labels."""
    if (key, labels) in taken:
        how = "many-to-one matching must be explicit (group_left/group_right)"
        raise ExecutionFailed(
            f"multiple matches for labels: {how if labels is None else 'grouping labels must ensure unique matches'}"
        )
    taken.add((key, labels))
