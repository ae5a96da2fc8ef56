"""
Prometheus: instant and range queries.

A value is a float that may be NaN or infinite, and a query may match nothing: both mean that it is not known, which is
for the probe to say. Here neither is turned into a number.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from firstwatch.errors import Refused, Unavailable
from firstwatch.model import Json, timestamp
from firstwatch.systems.http import Http

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
        result = self._ask("query", {"query": expression})
        return tuple(_sample(each["metric"], each["value"]) for each in result)

    def range(self, expression: str, start: datetime, end: datetime, step: timedelta) -> tuple[Sample, ...]:
        """Return the values between *start* and *end*, in time order; a step that makes too many is widened."""
        finest = (end - start).total_seconds() / MOST_POINTS
        seconds = max(step.total_seconds(), finest, 0.001)
        asked = {"query": expression, "start": timestamp(start), "end": timestamp(end), "step": f"{seconds:g}"}
        result = self._ask("query_range", asked)
        samples = [_sample(each["metric"], value) for each in result for value in each["values"]]
        return tuple(sorted(samples, key=lambda sample: sample.at))

    def _ask(self, endpoint: str, query: dict[str, str]) -> list[Json]:
        asking = f"{query['query']!r} of Prometheus at {self.url}"
        answer = self.http.get(f"{self.url.rstrip('/')}/api/v1/{endpoint}", query)
        if answer.status in (400, 401, 403, 422):
            raise Refused(f"{asking}: answered {answer.status}: {answer.text[:200]}")
        try:
            data = json.loads(answer.body)["data"]
            result: list[Json] = (
                data["result"] if data["resultType"] != "scalar" else [{"metric": {}, "value": data["result"]}]
            )
            return result
        except (ValueError, KeyError, TypeError) as error:
            raise Unavailable(f"{asking}: answered {answer.status}, not a Prometheus answer") from error


def _sample(labels: dict[str, str], value: list[Json]) -> Sample:
    return Sample(labels, float(value[1]), datetime.fromtimestamp(float(value[0]), UTC))
