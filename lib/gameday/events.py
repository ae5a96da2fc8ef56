"""
Events: what a part of the world did to an object, in the words that responders know from real clusters.

The same event again is not a new object: its count goes up and its last time moves, as a real recorder does it. Events
are told by one task in the order in which they happened, and never hold up or break what they tell of; when the API
does not answer, the oldest are lost.
"""

import asyncio
import logging
from collections import OrderedDict
from dataclasses import dataclass
from typing import TypeAlias

from firstwatch.clock import Clock
from firstwatch.model import Json
from gameday import timestamps
from gameday.client import ApiError, Client
from gameday.kinds import EVENT, Kind

log = logging.getLogger(__name__)

NORMAL, WARNING = "Normal", "Warning"
MOST_WAITING = 500
MOST_REMEMBERED = 2000

_Same: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened to *item*. `field` says to which part, such as `spec.containers{api}`."""

    kind: Kind
    item: Json
    type: str
    reason: str
    message: str
    field: str = ""

    @property
    def same(self) -> _Same:
        """Return what an event has in common with its repetitions."""
        return self.item["metadata"].get("uid", ""), self.type, self.reason, self.message, self.field


class Recorder:
    """Tells the API of events, as *component*, on *host* when that is a node."""

    def __init__(self, client: Client, clock: Clock, component: str, host: str = "") -> None:
        self._client, self._clock, self._component, self._host = client, clock, component, host
        self._waiting: asyncio.Queue[Happening] = asyncio.Queue()
        self._known: OrderedDict[_Same, Json] = OrderedDict()

    def normal(self, kind: Kind, item: Json, reason: str, message: str, field: str = "") -> None:
        self._put(Happening(kind, item, NORMAL, reason, message, field))

    def warning(self, kind: Kind, item: Json, reason: str, message: str, field: str = "") -> None:
        self._put(Happening(kind, item, WARNING, reason, message, field))

    async def run(self) -> None:
        """Tell events until cancelled."""
        while True:
            happening = await self._waiting.get()
            try:
                await self._tell(happening)
            except ApiError as error:
                log.warning("event %s: %s", happening.reason, error)

    def _put(self, happening: Happening) -> None:
        if self._waiting.qsize() >= MOST_WAITING:
            self._waiting.get_nowait()
        self._waiting.put_nowait(happening)

    async def _tell(self, happening: Happening) -> None:
        known = self._known.get(happening.same)
        told = await self._again(known) if known else None
        self._known[happening.same] = told or await self._client.create(EVENT, self._event(happening))
        self._known.move_to_end(happening.same)
        if len(self._known) > MOST_REMEMBERED:
            self._known.popitem(last=False)

    async def _again(self, known: Json) -> Json:
        """Count *known* once more; None when the API has forgotten it, as it does with events after an hour."""
        change = {"count": known.get("count", 1) + 1, "lastTimestamp": timestamps.seconds(self._clock.now())}
        try:
            return await self._client.patch(EVENT, known, change)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def _event(self, happening: Happening) -> Json:
        about, now = happening.item["metadata"], self._clock.now()
        namespace = about.get("namespace") or "default"
        return {
            "metadata": {"name": f"{about['name']}.{self._clock.monotonic_ns():x}", "namespace": namespace},
            "involvedObject": _reference(happening),
            "type": happening.type,
            "reason": happening.reason,
            "message": happening.message[:1024],
            "source": {"component": self._component} | ({"host": self._host} if self._host else {}),
            "firstTimestamp": timestamps.seconds(now),
            "lastTimestamp": timestamps.seconds(now),
            "count": 1,
            "reportingComponent": self._component,
            "reportingInstance": self._host,
        }


def _reference(happening: Happening) -> Json:
    about = happening.item["metadata"]
    reference = {"kind": happening.kind.kind, "apiVersion": happening.kind.api, "name": about["name"]}
    optional = {"namespace": about.get("namespace"), "uid": about.get("uid"), "fieldPath": happening.field}
    optional["resourceVersion"] = about.get("resourceVersion")
    return reference | {name: value for name, value in optional.items() if value}
