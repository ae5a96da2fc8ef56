"""
A copy of the API's objects that keeps itself up to date: list once, then watch.

When the API ends a watch it goes on from the last version; when the API forgot that version (410), or went away, it
lists again and tells what differs. What a write answered is put in at once by `observe`, so that a controller does not
create a second pod only because its watch has not told it of the first.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import TypeAlias

from firstwatch.model import Json
from gameday.client import ApiError, Client, patiently
from gameday.kinds import Kind

log = logging.getLogger(__name__)

Key: TypeAlias = tuple[str, str]
Handler: TypeAlias = Callable[[Json, Json], None]  # what was there before, and what is now; None for nothing

GONE = 410
PAUSE_S = 0.05  # an API that ends each watch at once must not keep us busy
MOST_DELETED = 1000


def key_of(item: Json) -> Key:
    """Return namespace and name; the namespace of a cluster's object is empty."""
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]


def version_of(item: Json) -> int:
    return int(item["metadata"]["resourceVersion"])


class Informer:
    """All objects of one kind, or those that *query* (`labelSelector`, `fieldSelector`) selects."""

    def __init__(self, client: Client, kind: Kind, namespace: str = "", **query: str) -> None:
        self.synced = asyncio.Event()
        self._client, self._kind, self._namespace, self._query = client, kind, namespace, query
        self._items: dict[Key, Json] = {}
        self._handlers: list[Handler] = []
        self._written: set[Key] = set()
        self._deleted: dict[str, None] = {}

    def __iter__(self) -> Iterator[Json]:
        return iter(list(self._items.values()))

    def get(self, key: Key) -> Json:
        """Return the object, not to be changed, or None."""
        return self._items.get(key)

    def within(self, namespace: str) -> list[Json]:
        return [item for (where, _), item in self._items.items() if where == namespace]

    def on_change(self, handler: Handler) -> None:
        """Call *handler* with each object's former and present state, from now on."""
        self._handlers.append(handler)

    def observe(self, item: Json) -> None:
        """Take in *item*, which the API answered to a write, unless something newer is known."""
        self._written.add(key_of(item))
        if item["metadata"]["uid"] not in self._deleted:
            self._put(item)

    async def run(self) -> None:
        """Keep up to date until cancelled."""
        attempt = 0
        while True:
            try:
                version = await self._list()
                attempt = 0
                await self._follow(version)
            except ApiError as error:
                if error.status != GONE:
                    log.warning("%s", error)
                    await patiently(attempt)
                attempt += 1

    async def _list(self) -> str:
        self._written.clear()
        answer = await self._client.list(self._kind, self._namespace, **self._query)
        version: str = answer["metadata"]["resourceVersion"]
        listed = {key_of(item): item for item in answer.get("items") or []}
        for key in self._items.keys() - listed.keys():
            if not (key in self._written and version_of(self._items[key]) > int(version)):
                self._drop(self._items[key])
        for key, item in listed.items():
            if key in self._written:
                self._put(item)
            elif self._items.get(key) != item:
                self._set(key, item)
        self.synced.set()
        return version

    async def _follow(self, version: str) -> None:
        while True:
            async for event in self._client.watch(self._kind.path(self._namespace), version, self._query):
                item = event["object"]
                version = item["metadata"]["resourceVersion"]
                if event["type"] == "DELETED":
                    self._drop(item)
                elif event["type"] != "BOOKMARK":
                    self._put(item)
            await asyncio.sleep(PAUSE_S)

    def _put(self, item: Json) -> None:
        known = self._items.get(key_of(item))
        if known is None or version_of(item) > version_of(known):
            self._set(key_of(item), item)

    def _set(self, key: Key, item: Json) -> None:
        former, self._items[key] = self._items.get(key), item
        self._tell(former, item)

    def _drop(self, item: Json) -> None:
        self._deleted[item["metadata"]["uid"]] = None
        if len(self._deleted) > MOST_DELETED:
            del self._deleted[next(iter(self._deleted))]
        known = self._items.get(key_of(item))
        if known is not None and known["metadata"]["uid"] == item["metadata"]["uid"]:
            del self._items[key_of(item)]
            self._tell(known, None)

    def _tell(self, former: Json, present: Json) -> None:
        for handler in self._handlers:
            handler(former, present)
