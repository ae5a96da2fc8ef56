"""
What the service counts, in Prometheus' text format.

Every code is there from the start with 0: a series that appears only with the first failure has no rate, and the rule
that divides by it has no value.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

CODES = (200, 404, 500, 503)
BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


@dataclass(slots=True)
class Counters:
    """Requests by route and code, and how long they took, in seconds."""

    version: str
    requests: Counter[tuple[str, int]] = field(default_factory=Counter)
    buckets: Counter[float] = field(default_factory=Counter)
    seconds: float = 0.0

    def count(self, route: str, code: int, seconds: float) -> None:
        self.requests[route, code] += 1
        self.seconds += seconds
        self.buckets.update(limit for limit in BUCKETS_S if seconds <= limit)

    def text(self, routes: tuple[str, ...], flags: Mapping[str, bool]) -> str:
        """Return all series; *routes* have one for each code, counted or not."""
        return "\n".join([*self._lines(routes, flags), ""])

    def _lines(self, routes: tuple[str, ...], flags: Mapping[str, bool]) -> Iterator[str]:
        known = sorted({*self.requests, *((route, code) for route in routes for code in CODES)})
        yield from ("# HELP http_requests_total Requests answered.", "# TYPE http_requests_total counter")
        for route, code in known:
            yield f'http_requests_total{{route="{route}",code="{code}"}} {self.requests[route, code]}'
        yield from self._durations(self.requests.total())
        yield from ("# HELP build_info The release that runs.", "# TYPE build_info gauge")
        yield f'build_info{{version="{self.version}"}} 1'
        yield from ("# HELP feature_flag Whether a flag of the ConfigMap is on.", "# TYPE feature_flag gauge")
        yield from (f'feature_flag{{flag="{name}"}} {int(on)}' for name, on in sorted(flags.items()))

    def _durations(self, requests: int) -> Iterator[str]:
        name = "http_request_duration_seconds"
        yield from (f"# HELP {name} How long answers took.", f"# TYPE {name} histogram")
        yield from (f'{name}_bucket{{le="{limit}"}} {self.buckets[limit]}' for limit in BUCKETS_S)
        yield f'{name}_bucket{{le="+Inf"}} {requests}'
        yield f"{name}_sum {self.seconds:.6f}"
        yield f"{name}_count {requests}"
