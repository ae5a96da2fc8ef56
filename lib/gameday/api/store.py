"""
The objects, and what happened to them: the part that etcd plays in a real control plane.

Objects are kept by kind, each a mapping that is never changed once it is here. Every write has the next number of one
count, the resourceVersion, and is told to whoever follows that kind. The last changes of each kind are kept, so that a
watch can begin where a list ended; one that begins earlier than that is told that its version expired.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from firstwatch.model import Json
from gameday.api import errors
from gameday.informer import Key, key_of
from gameday.kinds import Kind

KEPT_CHANGES = 5000
MOST_UNREAD = 20_000  # a reader that is further behind is ended, and lists again

Handler: TypeAlias = Callable[[Kind, "Change"], None]


@dataclass(frozen=True, slots=True)
class Change:
    """One write: what was there before and what is there now, None for nothing."""

    version: int
    former: Json
    present: Json


class Feed:
    """The changes of one kind, as they come, for one reader."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Change | None] = asyncio.Queue()

    def put(self, change: Change | None) -> None:
        """Add *change*; None is the end."""
        self._queue.put_nowait(change if self._queue.qsize() < MOST_UNREAD else None)

    async def take(self) -> list[Change | None]:
        """Wait for a change and return it with all others that are there by now."""
        taken = [await self._queue.get()]
        while not self._queue.empty():
            taken.append(self._queue.get_nowait())
        return taken


@dataclass(slots=True)
class _Shelf:
    """One kind's objects, its last changes, and the version of the newest change that is forgotten."""

    items: dict[Key, Json] = field(default_factory=dict)
    changes: deque[Change] = field(default_factory=deque)
    forgotten: int = 0
    feeds: set[Feed] = field(default_factory=set)


class Store:
    def __init__(self) -> None:
        self.version = 1
        self._shelves: dict[Kind, _Shelf] = {}
        self._handlers: list[Handler] = []

    def get(self, kind: Kind, namespace: str, name: str) -> Json:
        """Return the object, or None."""
        return self._shelf(kind).items.get((namespace, name))

    def list(self, kind: Kind, namespace: str = "") -> Iterator[Json]:
        """Yield the objects of *kind* in one namespace, or in all, by namespace and name."""
        items = self._shelf(kind).items
        for key in sorted(items):
            if not namespace or key[0] == namespace:
                yield items[key]

    def put(self, kind: Kind, item: Json) -> Json:
        """Keep *item* in place of the one of its name, and return it with its version."""
        shelf = self._shelf(kind)
        kept = self._numbered(item)
        former, shelf.items[key_of(item)] = shelf.items.get(key_of(item)), kept
        self._tell(kind, Change(self.version, former, kept))
        return kept

    def remove(self, kind: Kind, item: Json) -> Json:
        """Forget *item* and return what is told as its last state."""
        del self._shelf(kind).items[key_of(item)]
        last = self._numbered(item)
        self._tell(kind, Change(self.version, last, None))
        return last

    def follow(self, kind: Kind, since: int) -> Feed:
        """
        Return a feed of what happens to *kind* after the version *since*; `leave` ends it.

        Raises:
            Refusal: The changes after *since* are no longer known (410), or it is no version of this server (504).
        """
        shelf, feed = self._shelf(kind), Feed()
        if since < shelf.forgotten:
            raise errors.expired(f"too old resource version: {since} ({shelf.forgotten})")
        if since > self.version:
            raise errors.Refusal(504, "Timeout", f"Too large resource version: {since}, current: {self.version}")
        for change in shelf.changes:
            if change.version > since:
                feed.put(change)
        shelf.feeds.add(feed)
        return feed

    def leave(self, kind: Kind, feed: Feed) -> None:
        self._shelf(kind).feeds.discard(feed)

    def close(self) -> None:
        """End all feeds."""
        for shelf in self._shelves.values():
            for feed in shelf.feeds:
                feed.put(None)

    def on_change(self, handler: Handler) -> None:
        """Call *handler* with every change of any kind, from now on."""
        self._handlers.append(handler)

    def _shelf(self, kind: Kind) -> _Shelf:
        return self._shelves.setdefault(kind, _Shelf())

    def _numbered(self, item: Json) -> Json:
        self.version += 1
        return {**item, "metadata": {**item["metadata"], "resourceVersion": str(self.version)}}

    def _tell(self, kind: Kind, change: Change) -> None:
        shelf = self._shelf(kind)
        shelf.changes.append(change)
        if len(shelf.changes) > KEPT_CHANGES:
            shelf.forgotten = shelf.changes.popleft().version
        for feed in shelf.feeds:
            feed.put(change)
        for handler in self._handlers:
            handler(kind, change)
