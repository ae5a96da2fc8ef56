"""
The releases of the service: what each does differently, mistakes included.

`1.5.0` takes the region out of every record, and some records are older than regions. `1.5.1` wants a setting that
nobody has set. `1.5.2` reads each record anew from where it is kept. `1.5.3` tells its metrics at another path.
`1.5.4` reads its regions by a module that was not packed. `1.5.5` waits for its disk in the loop that serves everybody.
`1.5.6` keeps each answer that it has given.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from firstwatch.model import Json

# What the service keeps. Three of five are older than regions.
DEPLOYMENTS: tuple[Mapping[str, str], ...] = (
    {"id": "d-1001", "model": "large", "state": "serving", "region": "eu-west-1"},
    {"id": "d-1002", "model": "small", "state": "serving"},
    {"id": "d-1003", "model": "large", "state": "draining"},
    {"id": "d-1004", "model": "small", "state": "serving", "region": "us-east-1"},
    {"id": "d-1005", "model": "small", "state": "serving"},
)


@dataclass(frozen=True, slots=True)
class Release:
    """
    One version. `show` makes an answer of a record; `settings` must be in its environment when it starts.

    `waits_s` is how long it waits for its records, in seconds, and `holds_s` how long nobody else is served meanwhile;
    `metrics` is the path at which it tells its metrics; `modules` are imported at its start; `keeps` is how many
    bytes it does not let go of after each request.
    """

    version: str
    show: Callable[[Mapping[str, str]], Json]
    settings: tuple[str, ...] = ()
    waits_s: float = 0.0
    metrics: str = "/metrics"
    holds_s: float = 0.0
    modules: tuple[str, ...] = ()
    keeps: int = 0


def _shown(record: Mapping[str, str]) -> Json:
    return dict(record)


def _shown_with_place(record: Mapping[str, str]) -> Json:
    return {**record, "place": record["region"].split("-")[0]}


RELEASES: Mapping[str, Release] = {
    each.version: each
    for each in (
        Release("1.4.1", _shown),
        Release("1.4.2", _shown),
        Release("1.5.0", _shown_with_place),
        Release("1.4.3", _shown),
        Release("1.5.1", _shown, settings=("REGION_TABLE",)),
        Release("1.5.2", _shown, waits_s=0.9),
        Release("1.5.3", _shown, metrics="/internal/metrics"),
        Release("1.5.4", _shown, modules=("region_table",)),
        Release("1.5.5", _shown, holds_s=0.2),
        Release("1.5.6", _shown, keeps=2 << 20),
    )
}
