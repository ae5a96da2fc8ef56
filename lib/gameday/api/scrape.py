"""
What kubelets measured, read twice: CPU is counted in seconds since the start, and how fast it grows is what is asked.

The last reading of each node is kept, so that whoever asks again waits for one answer only; the first time, two
readings are taken half a second apart.
"""

import asyncio
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import aiohttp

from firstwatch.model import Json
from gameday.api import reach
from gameday.api.errors import Refusal
from gameday.api.reach import Reach

log = logging.getLogger(__name__)

DEADLINE_S = 3.0
SHORTEST_S, LONGEST_S = 0.5, 60.0

_SAMPLE = re.compile(r"(?P<metric>\w+)(?:\{(?P<labels>.*)\})? (?P<value>\S+) (?P<at>\d+)")
_LABEL = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Series:
    """One number that is followed: a node's, or a container's."""

    metric: str
    namespace: str = ""
    pod: str = ""
    container: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """All numbers of one node at one time. `taken` is when, in seconds of the event loop."""

    at: datetime
    taken: float
    values: Mapping[Series, float]


@dataclass(frozen=True, slots=True)
class Interval:
    """Two readings of one node."""

    before: Reading
    after: Reading

    @property
    def seconds(self) -> float:
        return (self.after.at - self.before.at).total_seconds()

    def rate(self, series: Series) -> float:
        """Return how fast *series* grew, a second; of a container that was not there before, since its start."""
        now = self.after.values[series]
        if series in self.before.values:
            return max(0.0, now - self.before.values[series]) / self.seconds
        began = Series("container_start_time_seconds", series.namespace, series.pod, series.container)
        age = self.after.at.timestamp() - self.after.values.get(began, 0.0)
        return now / max(age, SHORTEST_S)


class Scrape:
    """Reads the kubelets' numbers and remembers each node's last."""

    def __init__(self, token: str) -> None:
        self._reach = Reach(token)
        self._last: dict[str, Reading] = {}

    async def measure(self, nodes: list[Json]) -> Mapping[str, Interval]:
        """Return the last interval of each of *nodes*, by name; a node that does not answer has none."""
        found = await asyncio.gather(*map(self._measure, nodes))
        return {node["metadata"]["name"]: each for node, each in zip(nodes, found, strict=True) if each}

    async def close(self) -> None:
        await self._reach.close()

    async def _measure(self, node: Json) -> Interval | None:
        try:
            before = self._known(node) or await self._read(node)
            await asyncio.sleep(SHORTEST_S - (_now() - before.taken))
            after = self._last[node["metadata"]["name"]] = await self._read(node)
        except (*reach.TROUBLE, Refusal) as error:
            log.warning("metrics of node %s: %s %s", node["metadata"]["name"], type(error).__name__, error)
            return None
        return Interval(before, after) if after.at > before.at else None

    def _known(self, node: Json) -> Reading | None:
        last = self._last.get(node["metadata"]["name"])
        return last if last and _now() - last.taken <= LONGEST_S else None

    async def _read(self, node: Json) -> Reading:
        limit = aiohttp.ClientTimeout(total=DEADLINE_S)
        address = f"{reach.url(node)}/metrics/resource"
        async with self._reach.session.get(address, timeout=limit, raise_for_status=True) as answer:
            return reading(await answer.text(), _now())


def reading(text: str, taken: float) -> Reading:
    """Return the numbers in *text*, which has Prometheus' format; all of one reading have the same time."""
    values, at = {}, 0
    for found in filter(None, map(_SAMPLE.fullmatch, text.splitlines())):
        labels = dict(_LABEL.findall(found["labels"] or ""))
        where = (labels.get(name, "") for name in ("namespace", "pod", "container"))
        values[Series(found["metric"], *where)] = float(found["value"])
        at = int(found["at"])
    return Reading(datetime.fromtimestamp(at / 1000, UTC), taken, values)


def _now() -> float:
    return asyncio.get_running_loop().time()
