"""
The metrics API: what `kubectl top` shows, which in a real cluster an add-on serves.

Nothing is kept here but the kubelets' last numbers. What nobody measured yet is not in a list, as with that add-on.
"""

import math
import re
from collections.abc import Callable, Mapping

from firstwatch.model import Json
from gameday import timestamps
from gameday.api import resources, selectors
from gameday.api.errors import Refusal
from gameday.api.scrape import Interval, Scrape, Series
from gameday.kinds import NODE, POD, Kind

API = "metrics.k8s.io/v1beta1"
CPU, MEMORY = "cpu_usage_seconds_total", "memory_working_set_bytes"

_PATH = re.compile(
    rf"/apis/{re.escape(API)}/(?:(?P<nodes>nodes)|(?:namespaces/(?P<namespace>[^/]+)/)?pods)(?:/(?P<name>[^/]+))?"
)


class Metrics:
    """Answers what nodes and pods use now, of those that *store_list* knows; kubelets let *token* in."""

    def __init__(self, store_list: Callable[[Kind, str], list[Json]], token: str) -> None:
        self._list, self._scrape = store_list, Scrape(token)

    async def answer(self, path: str, query: Mapping[str, str]) -> Json | None:
        """
        Return the metrics at *path*, or None when it is no path of theirs.

        Raises:
            Refusal: Nothing of that name was measured (404), or the selector cannot be read (400).
        """
        asked = _PATH.fullmatch(path.rstrip("/"))
        if not asked or (asked["name"] and not (asked["nodes"] or asked["namespace"])):
            return None
        kind = NODE if asked["nodes"] else POD
        items = _selected(self._list(kind, asked["namespace"] or ""), kind, asked["name"], query)
        intervals = await self._scrape.measure(items if kind is NODE else self._nodes(items))
        measured = [each for item in items if (each := _measured(kind, item, intervals))]
        return _one(kind, asked, measured) if asked["name"] else _several(kind, measured)

    async def close(self) -> None:
        await self._scrape.close()

    def _nodes(self, pods: list[Json]) -> list[Json]:
        names = {each["spec"].get("nodeName") for each in pods}
        return [each for each in self._list(NODE, "") if each["metadata"]["name"] in names]


def _selected(items: list[Json], kind: Kind, name: str | None, query: Mapping[str, str]) -> list[Json]:
    if name:
        return [item for item in items if item["metadata"]["name"] == name]
    resource = resources.by_path("", "v1", kind.plural)
    assert resource  # nodes and pods are always served
    selects = selectors.selects(resource, query.get("labelSelector", ""), query.get("fieldSelector", ""))
    return [item for item in items if selects(item)]


def _several(kind: Kind, measured: list[Json]) -> Json:
    return {"kind": f"{kind.kind}MetricsList", "apiVersion": API, "metadata": {}, "items": measured}


def _one(kind: Kind, asked: re.Match[str], measured: list[Json]) -> Json:
    if not measured:
        name = "/".join(filter(None, (asked["namespace"], asked["name"])))
        message = f'{kind.kind.lower()}metrics.metrics.k8s.io "{name}" not found'
        raise Refusal(404, "NotFound", message)
    return {"kind": f"{kind.kind}Metrics", "apiVersion": API} | measured[0]


def _measured(kind: Kind, item: Json, intervals: Mapping[str, Interval]) -> Json | None:
    if kind is NODE:
        interval = intervals.get(item["metadata"]["name"])
        return _about(item, interval) | {"usage": _usage(interval, "node", Series("node"))} if interval else None
    interval = intervals.get(item["spec"].get("nodeName", ""))
    containers = _containers(item["metadata"], interval) if interval else []
    return _about(item, interval) | {"containers": containers} if interval and containers else None


def _about(item: Json, interval: Interval) -> dict[str, Json]:
    at = timestamps.seconds(interval.after.at)
    kept = {name: item["metadata"][name] for name in ("name", "namespace", "labels") if name in item["metadata"]}
    return {"metadata": kept | {"creationTimestamp": at}, "timestamp": at, "window": f"{interval.seconds:.3f}s"}


def _containers(pod: Json, interval: Interval) -> list[Json]:
    mine = [
        each for each in interval.after.values
        if (each.metric, each.namespace, each.pod) == (f"container_{CPU}", pod["namespace"], pod["name"])
    ]  # fmt: skip
    return [{"name": each.container, "usage": _usage(interval, "container", each)} for each in mine]


def _usage(interval: Interval, scope: str, of: Series) -> Json:
    cpu, memory = (
        Series(f"{scope}_{metric}", of.namespace, of.pod, of.container) for metric in (CPU, MEMORY)
    )  # fmt: skip
    cores, used = interval.rate(cpu), interval.after.values[memory]
    return {"cpu": f"{math.ceil(cores * 1e9)}n", "memory": f"{math.ceil(used / 1024)}Ki"}
