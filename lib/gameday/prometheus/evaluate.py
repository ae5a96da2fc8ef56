"""
The answer to a query at one moment, or at each of many.

An evaluation finds the series of each selector once, so that a range query costs its steps and not a search a step.
It is used for one query and then left: series that come later are not in it.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias, cast

from gameday.prometheus import aggregate, functions, labelset, matching
from gameday.prometheus.functions import Span
from gameday.prometheus.labelset import NAME, Labels
from gameday.prometheus.matching import ExecutionFailed, Sample, Vector
from gameday.prometheus.series import Series, Store, Window
from gameday.prometheus.syntax import SETS, Aggregate, Binary, Call, Matcher, Negative, Node, Number, Selector, Text

Value: TypeAlias = float | str | Vector | list[Window]


class Evaluation:
    """One query on one store."""

    def __init__(self, store: Store, query: Node) -> None:
        self._store, self._query = store, query
        self._selected: dict[tuple[Matcher, ...], list[Series]] = {}

    def at(self, moment_ms: int) -> Value:
        """
        Return the query's value: a number, a text, samples, or windows, in this order of kinds of `syntax.Kind`.

        Raises:
            ExecutionFailed: The series do not fit the query, such as several where one is wanted.
        """
        value = self._value(self._query, moment_ms)
        return self._in_order(value) if isinstance(value, list) else value

    def _in_order(self, value: Vector | list[Window]) -> Value:
        """Order samples by their labels, unless the query orders them itself."""
        match self._query:
            case Call(function="sort" | "sort_desc") | Aggregate(operation="topk" | "bottomk"):
                return value
            case _:
                return cast("Value", sorted(value, key=lambda each: each.labels))

    def _value(self, node: Node, at: int) -> Value:
        match node:
            case Number() | Text():
                return node.value
            case Selector(range_ms=0):
                return [Sample(labels, value) for labels, _, value in self._latest(node, at)]
            case Selector():
                return self._windows(node, at)
            case _:
                return self._computed(node, at)

    def _computed(self, node: Negative | Aggregate | Binary | Call, at: int) -> Value:
        match node:
            case Negative():
                return self._negative(node, at)
            case Aggregate():
                parameter = self._number(node.parameter, at) if node.parameter else 0.0
                return aggregate.aggregate(node, self._vector(node.operand, at), parameter)
            case Binary():
                return self._binary(node, at)
            case Call():
                return self._call(node, at)

    def _number(self, node: Node, at: int) -> float:
        return cast("float", self._value(node, at))

    def _vector(self, node: Node, at: int) -> Vector:
        return cast("Vector", self._value(node, at))

    def _series(self, node: Selector) -> list[Series]:
        if node.matchers not in self._selected:
            self._selected[node.matchers] = self._store.select(node.matchers)
        return self._selected[node.matchers]

    def _windows(self, node: Selector, at: int) -> list[Window]:
        span = _span(node, at)
        windows = [each.window(span.first_ms, span.last_ms) for each in self._series(node)]
        return [window for window in windows if window.times]

    def _latest(self, node: Selector, at: int) -> Iterator[tuple[Labels, int, float]]:
        for series in self._series(node):
            if point := series.latest(at - node.offset_ms):
                yield series.labels, point.at_ms, point.value

    def _negative(self, node: Negative, at: int) -> Value:
        value = self._value(node.operand, at)
        if isinstance(value, float):
            return -value
        vector = cast("Vector", value)
        return _distinct([Sample(labelset.nameless(each.labels), -each.value) for each in vector])

    def _binary(self, node: Binary, at: int) -> Value:
        left, right = self._value(node.left, at), self._value(node.right, at)
        match left, right:
            case float(), float():
                return matching.scalars(node, left, right)
            case list(), float():
                return _distinct(matching.with_scalar(node, cast("Vector", left), right, scalar_left=False))
            case float(), list():
                return _distinct(matching.with_scalar(node, cast("Vector", right), left, scalar_left=True))
        combine = matching.sets if node.operator in SETS else matching.vectors
        return _distinct(combine(node, cast("Vector", left), cast("Vector", right)))

    def _call(self, node: Call, at: int) -> Value:
        name, arguments = node.function, node.arguments
        if name == "time":
            return at / 1000
        if name == "timestamp":
            return _distinct(self._timestamps(arguments[0], at))
        if name == "absent":
            return [] if self._vector(arguments[0], at) else [Sample(_absent(arguments[0]), 1.0)]
        if name in functions.OF_RANGE:
            return _distinct(self._of_range(name, cast("Selector", arguments[0]), at))
        return _apply(name, [self._value(each, at) for each in arguments])

    def _timestamps(self, node: Node, at: int) -> Vector:
        """Return when each sample was taken; of what was computed, now."""
        if isinstance(node, Selector):
            return [Sample(labelset.nameless(labels), taken / 1000) for labels, taken, _ in self._latest(node, at)]
        return [Sample(labelset.nameless(each.labels), at / 1000) for each in self._vector(node, at)]

    def _of_range(self, name: str, node: Selector, at: int) -> Vector:
        function, span = functions.OF_RANGE[name], _span(node, at)
        found = []
        for window in self._windows(node, at):
            value = function(window, span)
            if value is not None:
                labels = window.labels if name in functions.KEEPS_NAME else labelset.nameless(window.labels)
                found.append(Sample(labels, value))
        return found


def _span(node: Selector, at: int) -> Span:
    last = at - node.offset_ms
    return Span(last - node.range_ms, last)


def _apply(name: str, values: Sequence[Value]) -> Value:
    """Call a function that needs no more than the values of its arguments."""
    if name in functions.OF_VALUE:
        return _each(functions.OF_VALUE[name], cast("Vector", values[0]))
    if name in functions.WITH_NUMBER:
        function, numbers = functions.WITH_NUMBER[name], values[1:]
        return _each(lambda value: function(value, *numbers), cast("Vector", values[0]))
    value = functions.OF_ALL[name](*values)
    return _distinct(value) if isinstance(value, list) else value


def _each(function: Callable[[float], float], vector: Vector) -> Vector:
    return _distinct([Sample(labelset.nameless(each.labels), function(each.value)) for each in vector])


def _distinct(vector: Vector) -> Vector:
    """Return *vector*; refuse two samples that would be one series, as two metrics are once their name is gone."""
    if len({each.labels for each in vector}) != len(vector):
        raise ExecutionFailed("vector cannot contain metrics with the same labelset")
    return vector


def _absent(node: Node) -> Labels:
    """Return the labels that the missing series would have had, as far as the selector tells."""
    matchers = node.matchers if isinstance(node, Selector) else ()
    labels = [each.label for each in matchers]
    sure = {each.label: each.value for each in matchers if each.operator == "=" and labels.count(each.label) == 1}
    return labelset.drop(labelset.of(sure), (NAME,))
