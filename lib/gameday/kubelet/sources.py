"""
ConfigMaps and Secrets that this node's pods use: each watched by itself, and only while a pod needs it.

So a change reaches the pod's files at once, and the kubelet never reads what no pod of its own refers to.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from firstwatch.model import Json
from gameday.client import Client
from gameday.informer import Informer
from gameday.kinds import CONFIG_MAP, SECRET, Kind

FIRST_LOOK_S = 5.0


@dataclass(frozen=True, slots=True)
class Source:
    """One ConfigMap or Secret, by name."""

    kind: Kind
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind.kind} {self.namespace}/{self.name}"


def config_map(namespace: str, name: str) -> Source:
    return Source(CONFIG_MAP, namespace, name)


def secret(namespace: str, name: str) -> Source:
    return Source(SECRET, namespace, name)


@dataclass(slots=True)
class _Watched:
    informer: Informer
    task: asyncio.Task[None]
    users: dict[str, Callable[[], None]] = field(default_factory=dict)


class Sources:
    """What is watched now, for whom."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._watched: dict[Source, _Watched] = {}

    async def get(self, source: Source, user: str, changed: Callable[[], None]) -> Json:
        """
        Return the object, or None when there is none; watch it for *user*, and call *changed* whenever it changes.

        Raises:
            TimeoutError: The API did not say within five seconds.
        """
        watched = self._watched.get(source) or self._watch(source)
        watched.users[user] = changed
        await asyncio.wait_for(watched.informer.synced.wait(), FIRST_LOOK_S)
        return watched.informer.get((source.namespace, source.name))

    def release(self, user: str) -> None:
        """Stop watching what only *user* needed."""
        for source, watched in list(self._watched.items()):
            watched.users.pop(user, None)
            if not watched.users:
                watched.task.cancel()
                del self._watched[source]

    def close(self) -> None:
        for watched in self._watched.values():
            watched.task.cancel()
        self._watched.clear()

    def _watch(self, source: Source) -> _Watched:
        one = f"metadata.name={source.name}"
        informer = Informer(self._client, source.kind, source.namespace, fieldSelector=one)
        watched = _Watched(informer, asyncio.create_task(informer.run()))
        informer.on_change(lambda *_: self._changed(watched))
        self._watched[source] = watched
        return watched

    def _changed(self, watched: _Watched) -> None:
        for changed in list(watched.users.values()):
            changed()
