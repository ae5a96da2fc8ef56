"""
Prometheus: instant and range queries.

A value is a float that may be NaN or infinite, and a query may match nothing: both mean that it is not known, which is
for the probe to say. Here neither is turned into a number.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from firstwatch.errors import Refused, Unavailable
from firstwatch.model import Json, timestamp
from firstwatch.systems.answer import Answer
from firstwatch.systems.http import Http
from firstwatch.systems.retry import waiting

MOST_POINTS = 11_000  # Prometheus refuses more for one series


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of one series. `at` is when Prometheus evaluated it."""

    labels: dict[str, str]
    value: float
    at: datetime


@dataclass(frozen=True, slots=True)
class Prometheus:
    url: str
    http: Http

    def instant(self, expression: str) -> tuple[Sample, ...]:
        """
        Return the current value of each series that *expression* matches; empty when it matches none.

        Raises:
            Unavailable: No answer, or one that is not Prometheus'.
            Refused: It answered 401, 403, or that the expression is wrong.
        """
        return self._ask("query", {"query": expression})

    def range(self, expression: str, start: datetime, end: datetime, step: timedelta) -> tuple[Sample, ...]:
        """Return the values between *start* and *end*, in time order; a step that makes too many is widened."""
        finest = (end - start).total_seconds() / MOST_POINTS
        seconds = max(step.total_seconds(), finest, 0.001)
        asked = {"query": expression, "start": timestamp(start), "end": timestamp(end), "step": f"{seconds:g}"}
        return tuple(sorted(self._ask("query_range", asked), key=lambda sample: sample.at))

    def _ask(self, endpoint: str, query: dict[str, str]) -> tuple[Sample, ...]:
        asking = f"GET {query['query']!r} of Prometheus at {self.url}"
        answer = self.http.get(f"{self.url.rstrip('/')}/api/v1/{endpoint}", query)
        if answer.status in (400, 401, 403, 422):
            raise Refused(f"{asking}: answered {answer.status}: {_said(answer)}; ask for access, or mend the query")
        if answer.status != 200:
            later = waiting(answer, self.http.budget, self.http.clock)
            raise Unavailable(f"{asking}: answered {answer.status}: {_said(answer)}{later}; look at Prometheus itself")
        try:
            return tuple(_samples(json.loads(answer.body)["data"]))
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError, OverflowError, OSError) as error:
            raise Unavailable(
                f"{asking}: not a Prometheus answer ({type(error).__name__}); is this its address?"
            ) from error


def _samples(data: Json) -> Iterator[Sample]:
    """Yield what an answer holds; raises what reading another shape raises."""
    if data["resultType"] == "scalar":
        yield _sample({}, data["result"])
        return
    for series in data["result"]:
        for value in series["values"] if "values" in series else [series["value"]]:
            yield _sample(dict(series["metric"]), value)


def _sample(labels: dict[str, str], value: Json) -> Sample:
    at, number = value
    return Sample(labels, float(number), datetime.fromtimestamp(float(at), UTC))


def _said(answer: Answer) -> str:
    try:
        return str(json.loads(answer.body)["error"])[:200]
    except (ValueError, LookupError, TypeError, RecursionError):
        return answer.text[:200]
