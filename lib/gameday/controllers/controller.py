"""
What all controllers have in common: a queue of keys, and one `sync` that makes one key right.

A key says *look here*, never what happened, so that keys can be merged, repeated and lost without harm. `sync` reads
what is there now and does what is missing. When the API refuses or does not answer, the key comes again, later each
time: 5 ms doubling to 10 s.
"""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from gameday.client import ApiError
from gameday.informer import Informer, Key, key_of

log = logging.getLogger(__name__)

FIRST_RETRY_S = 0.005
LAST_RETRY_S = 10.0
EXPECTED = {404, 409}  # it vanished, or somebody wrote first: nothing to complain about


class Queue:
    """Keys to look at, each at most once at a time, in the order in which they came."""

    def __init__(self) -> None:
        self._ready: asyncio.Queue[Key] = asyncio.Queue()
        self._waiting: set[Key] = set()
        self._timers: dict[Key, asyncio.TimerHandle] = {}
        self._failures: dict[Key, int] = {}

    def add(self, key: Key) -> None:
        if key not in self._waiting:
            self._waiting.add(key)
            self._ready.put_nowait(key)

    def add_after(self, key: Key, seconds: float) -> None:
        """Add *key* in so many *seconds*, or earlier if it is already due earlier."""
        loop, known = asyncio.get_running_loop(), self._timers.get(key)
        due = loop.time() + max(seconds, 0.0)
        if known is not None and not known.cancelled() and loop.time() <= known.when() <= due:
            return
        if known is not None:
            known.cancel()
        self._timers[key] = loop.call_at(due, self._due, key)

    def retry(self, key: Key) -> None:
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        self.add_after(key, min(FIRST_RETRY_S * 2 ** min(failures - 1, 20), LAST_RETRY_S))

    def settled(self, key: Key) -> None:
        self._failures.pop(key, None)

    async def take(self) -> Key:
        key = await self._ready.get()
        self._waiting.discard(key)
        return key

    def _due(self, key: Key) -> None:
        self._timers.pop(key, None)
        self.add(key)


class Controller(ABC):
    """One loop of the control plane. `reads` are the informers that must know everything before it starts."""

    name: ClassVar[str]

    def __init__(self, reads: Sequence[Informer]) -> None:
        self.queue = Queue()
        self._reads = reads

    @abstractmethod
    async def sync(self, key: Key) -> None:
        """Make what *key* names as it should be."""

    def follow(self, informer: Informer) -> None:
        """Look at each object of *informer* that changes."""
        informer.on_change(lambda former, present: self.queue.add(key_of(present or former)))

    async def run(self) -> None:
        """Work until cancelled."""
        for informer in self._reads:
            await informer.synced.wait()
        while True:
            key = await self.queue.take()
            try:
                await self.sync(key)
                self.queue.settled(key)
            except ApiError as error:
                log.log(logging.DEBUG if error.status in EXPECTED else logging.WARNING, "%s: %s", self.name, error)
                self.queue.retry(key)
            except Exception:  # one odd object must not stop the control of all others
                log.exception("%s: %s/%s", self.name, *key)
                self.queue.retry(key)
