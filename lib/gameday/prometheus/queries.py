"""
Instant and range queries, as the API takes them: parameters read and checked, a deadline kept.

Everything runs in one loop, scrapes and rules too, so a range query lets the others go on between its steps.
"""

import asyncio
from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar, cast

from firstwatch.clock import Clock
from firstwatch.errors import BadParameter, DeadlinePassed
from firstwatch.model import Json
from gameday.prometheus import answers, language, moments
from gameday.prometheus.evaluate import Evaluation, Value
from gameday.prometheus.labelset import Labels
from gameday.prometheus.matching import ExecutionFailed, Sample, Vector
from gameday.prometheus.series import Store, Window
from gameday.prometheus.syntax import Kind, Node, kind

T = TypeVar("T")

MOST_STEPS = 11_000
MOST_POINTS = 2_000_000
DEADLINE_MS = 60_000
STEPS_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Queries:
    """Answers queries of one store."""

    store: Store
    clock: Clock

    def instant(self, asked: Mapping[str, str]) -> Json:
        query = _query(asked)
        at_ms = self.moment(asked, "time") if asked.get("time") else moments.of(self.clock.now())
        return answers.instant(kind(query), Evaluation(self.store, query).at(at_ms), at_ms)

    async def over(self, asked: Mapping[str, str]) -> Json:
        """
        Answer a range query.

        Raises:
            BadParameter: A parameter is missing or wrong, or wants too many steps.
            ExecutionFailed: The series do not fit the query, or are too many.
            DeadlinePassed: It took longer than its `timeout`.
        """
        query, steps = _query(asked), self._steps(asked)
        if kind(query) not in {Kind.SCALAR, Kind.VECTOR}:
            problem = f"invalid expression type {kind(query)!s} for range query, must be Scalar or instant Vector"
            raise BadParameter(f'invalid parameter "query": {problem}')
        timeout = min(_read(asked, "timeout", moments.step), DEADLINE_MS) if asked.get("timeout") else DEADLINE_MS
        found = await self._collect(query, steps, self.clock.monotonic_ns() + timeout * 1_000_000)
        return answers.matrix(found)

    def moment(self, asked: Mapping[str, str], name: str) -> int:
        return _read(asked, name, moments.moment)

    def _steps(self, asked: Mapping[str, str]) -> range:
        start, end = self.moment(asked, "start"), self.moment(asked, "end")
        step = _read(asked, "step", moments.step)
        if end < start:
            raise BadParameter('invalid parameter "end": end timestamp must not be before start time')
        if step <= 0:
            raise BadParameter(
                'invalid parameter "step": zero or negative query resolution step widths are not accepted'
            )
        if (end - start) // step > MOST_STEPS:
            raise BadParameter(f"exceeded maximum resolution of {MOST_STEPS} points per timeseries; use a larger step")
        return range(start, end + 1, step)

    async def _collect(self, query: Node, steps: range, until_ns: int) -> list[Window]:
        evaluation = Evaluation(self.store, query)
        found: dict[Labels, tuple[array[int], array[float]]] = {}
        points = 0
        for count, at_ms in enumerate(steps, 1):
            for labels, value in _samples(evaluation.at(at_ms)):
                times, values = found.setdefault(labels, (array("q"), array("d")))
                times.append(at_ms)
                values.append(value)
                points += 1
            if self.clock.monotonic_ns() > until_ns:
                raise DeadlinePassed("query timed out in expression evaluation")
            if points > MOST_POINTS:
                raise ExecutionFailed("query processing would load too many samples into memory in query execution")
            if count % STEPS_AT_ONCE == 0:
                await asyncio.sleep(0)
        return [Window(labels, *found[labels]) for labels in sorted(found)]


def _samples(value: Value) -> Vector:
    return cast("Vector", value) if isinstance(value, list) else [Sample((), cast("float", value))]


def _query(asked: Mapping[str, str]) -> Node:
    return _read(asked, "query", language.parse)


def _read(asked: Mapping[str, str], name: str, parse: Callable[[str], T]) -> T:
    try:
        return parse(asked.get(name, ""))
    except (ValueError, BadParameter) as error:
        raise BadParameter(f'invalid parameter "{name}": {error}') from error
