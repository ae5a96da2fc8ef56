"""
Watches: an answer that does not end, one line for each change, from a version that a list gave.

An object that begins to be selected is told as added, one that no longer is as deleted. A client that asks for
`sendInitialEvents` gets the list itself in this way, and a bookmark where it ends.
"""

import asyncio
import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from aiohttp import web

from firstwatch.model import Json
from gameday.api import options
from gameday.api.errors import Refusal
from gameday.api.selectors import Selects
from gameday.api.store import Change, Feed, Store
from gameday.api.target import Target
from gameday.api.views import View

BOOKMARK_S = 60.0
LONGEST_S = (1800.0, 3600.0)


@dataclass(slots=True)
class Watch:
    """One client's. `told` is the version up to which it knows everything."""

    target: Target
    view: View
    selects: Selects
    query: Mapping[str, str]
    told: int = 0
    first: bool = field(default=True)

    async def answer(self, request: web.Request, store: Store) -> web.StreamResponse:
        """Tell what happens until the client goes, its time is over, or the server ends."""
        seconds = options.number(self.query, "timeoutSeconds") or random.uniform(*LONGEST_S)  # noqa: S311 - no secret
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        kind = self.target.resource.kind
        try:
            begin = [*self._begin(store)]
            feed = store.follow(kind, self.told)
        except Refusal as refusal:
            await response.write(_line({"type": "ERROR", "object": refusal.status}))
            return response
        try:
            if begin:
                await response.write(b"".join(begin))
            await self._follow(response, store, feed, seconds)
        finally:
            store.leave(kind, feed)
        return response

    def _begin(self, store: Store) -> Iterator[bytes]:
        """Yield what is there now, for one who did not list before."""
        version = self.query.get("resourceVersion") or "0"
        initial = options.boolean(self.query.get("sendInitialEvents", ""))
        if version != "0" and not initial:
            self.told = options.number(self.query, "resourceVersion")
            return
        self.told = store.version
        for item in store.list(self.target.resource.kind, self.target.namespace):
            if self.selects(item):
                yield self._event("ADDED", item)
        if initial and self._bookmarks:
            yield _line(self.view.bookmark(self.told, initial=True))

    async def _follow(self, response: web.StreamResponse, store: Store, feed: Feed, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while (left := end - loop.time()) > 0:
            try:
                changes = await asyncio.wait_for(feed.take(), min(left, BOOKMARK_S))
            except TimeoutError:
                if self._bookmarks:
                    await response.write(_line(self.view.bookmark(store.version)))
                continue
            lines = [line for change in changes if change for line in self._lines(change)]
            if lines:
                await response.write(b"".join(lines))
            if None in changes:
                return

    def _lines(self, change: Change) -> Iterator[bytes]:
        former, present = (each if self._selected(each) else None for each in (change.former, change.present))
        if present is not None:
            yield self._event("MODIFIED" if former is not None else "ADDED", present)
        elif former is not None:
            metadata = {**former["metadata"], "resourceVersion": str(change.version)}
            yield self._event("DELETED", {**former, "metadata": metadata})

    def _selected(self, item: Json) -> bool:
        if item is None or (self.target.namespace and item["metadata"].get("namespace") != self.target.namespace):
            return False
        return self.selects(item)

    def _event(self, kind: str, item: Json) -> bytes:
        line = _line(self.view.event(kind, item, first=self.first))
        self.first = False
        return line

    @property
    def _bookmarks(self) -> bool:
        return options.boolean(self.query.get("allowWatchBookmarks", ""))


def _line(event: Json) -> bytes:
    return json.dumps(event, separators=(",", ":")).encode() + b"\n"
