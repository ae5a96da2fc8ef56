"""
What goes when something else went: the garbage collector, and the emptying of a namespace that is deleted.

It follows every write, notes which objects name which owners, and looks again at what may have to go. Its own
deletions are those of any client: pods keep their grace, finalizers are respected.
"""

import asyncio
import contextlib
import logging
from typing import TypeAlias

from firstwatch.model import Json
from gameday.api import departure, resources
from gameday.api.errors import Refusal
from gameday.api.options import Deletion, Options
from gameday.api.registry import Registry
from gameday.api.store import Change
from gameday.api.target import Target
from gameday.kinds import NAMESPACE, Kind

log = logging.getLogger(__name__)

Uid: TypeAlias = str
MANAGER = Options(manager="garbage-collector")


class Collector:
    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._alive: dict[Uid, Target] = {}
        self._owned: dict[Uid, set[Uid]] = {}
        self._queue: asyncio.Queue[Uid] = asyncio.Queue()
        registry.store.on_change(self._changed)

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            uid = await self._queue.get()
            try:
                self._look(uid)
            except Refusal as refusal:
                log.warning("%s", refusal)
            except Exception:  # one odd object must not keep all others
                log.exception("collecting %s", self._alive.get(uid))

    def _changed(self, kind: Kind, change: Change) -> None:
        item = change.present or change.former
        uid, place = item["metadata"]["uid"], _target(kind, item)
        before, now = _owners(change.former), _owners(change.present)
        for owner in before - now:
            self._owned.get(owner, set()).discard(uid)
        for owner in now - before:
            self._owned.setdefault(owner, set()).add(uid)
        if change.present is None:
            self._gone(uid, place, before)
        else:
            self._alive[uid] = place
            if now != before or "deletionTimestamp" in item["metadata"]:
                self._queue.put_nowait(uid)

    def _gone(self, uid: Uid, place: Target, owners: set[Uid]) -> None:
        self._alive.pop(uid, None)
        for each in [*self._owned.pop(uid, ()), *owners]:
            self._queue.put_nowait(each)
        namespace = self._registry.store.get(NAMESPACE, "", place.namespace) if place.namespace else None
        if namespace is not None and "deletionTimestamp" in namespace["metadata"]:
            self._queue.put_nowait(namespace["metadata"]["uid"])

    def _look(self, uid: Uid) -> None:
        target = self._alive.get(uid)
        if target is None:
            return
        item = self._registry.get(target)
        owners = _owners(item)
        if owners and not any(each in self._alive for each in owners):
            self._delete(target, uid)
        if "deletionTimestamp" not in item["metadata"]:
            return
        finalizers = item["metadata"].get("finalizers") or []
        if departure.FOREGROUND in finalizers:
            self._foreground(target, item)
        elif departure.ORPHAN in finalizers:
            self._orphan(target, item)
        elif target.resource.kind == NAMESPACE:
            self._empty(target, item)

    def _foreground(self, target: Target, item: Json) -> None:
        """Delete what *item* owns first; it goes with the last of them."""
        for uid in self._dependents(item):
            self._delete(self._alive[uid], uid, "Foreground")
        if not self._dependents(item):
            self._finish(target, departure.FOREGROUND)

    def _orphan(self, target: Target, item: Json) -> None:
        """Let what *item* owns live on without it."""
        for uid in self._dependents(item):
            place = self._alive[uid]
            dependent = self._registry.get(place)
            references = [
                each for each in dependent["metadata"]["ownerReferences"] if each["uid"] != item["metadata"]["uid"]
            ]
            freed = {**dependent, "metadata": {**dependent["metadata"], "ownerReferences": references}}
            self._registry.write(place, dependent, freed, MANAGER)
        self._finish(target, departure.ORPHAN)

    def _empty(self, target: Target, item: Json) -> None:
        """Delete what is in the namespace *item*; it goes with the last of them."""
        name = item["metadata"]["name"]
        inside = [(uid, place) for uid, place in self._alive.items() if place.namespace == name]
        for uid, place in inside:
            self._delete(place, uid)
        if not any(place.namespace == name for place in self._alive.values()):
            emptied = {**item, "spec": {name: each for name, each in item["spec"].items() if name != "finalizers"}}
            self._registry.store.remove(target.resource.kind, emptied)

    def _finish(self, target: Target, finalizer: str) -> None:
        item = self._registry.get(target)
        left = [each for each in item["metadata"].get("finalizers") or [] if each != finalizer]
        freed = {**item, "metadata": {**item["metadata"], "finalizers": left}}
        self._registry.write(target, item, freed, MANAGER)

    def _dependents(self, item: Json) -> list[Uid]:
        return [uid for uid in self._owned.get(item["metadata"]["uid"], ()) if uid in self._alive]

    def _delete(self, target: Target, uid: Uid, propagation: str = "Background") -> None:
        """Delete what is there, unless it is on its way out already."""
        with contextlib.suppress(Refusal):
            if "deletionTimestamp" not in self._registry.get(target)["metadata"]:
                self._registry.delete(target, Deletion(uid=uid, propagation=propagation))


def _target(kind: Kind, item: Json) -> Target:
    return Target(resources.of(kind), item["metadata"].get("namespace", ""), item["metadata"]["name"])


def _owners(item: Json) -> set[Uid]:
    return {each["uid"] for each in (item or {"metadata": {}})["metadata"].get("ownerReferences") or []}
