"""
A cluster as one sweep sees it: each question is asked once, however many probes want the answer.

So twenty probes cost the API server no more than the six lists that they share, all of them judge the same moment, and
a replay gives each the same answer whichever comes first.
"""

import builtins
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Self

from firstwatch.model import Json
from firstwatch.systems.kubernetes import Cluster


@dataclass(slots=True)
class Snapshot(Cluster):
    """Answers `get` and `list` from the first answer; errors too. Whoever asks meanwhile waits for the same one."""

    _answers: dict[tuple[str, ...], "Future[Any]"] = field(default_factory=dict, repr=False)
    _lock: Any = field(default_factory=threading.Lock, repr=False)

    @classmethod
    def of(cls, live: Cluster) -> Self:
        return cls(live.context, live.client, live.recorder, live.budget, live.clock, live.renew)

    def tell(self, live: Cluster) -> None:
        """Let *live* have what was learnt meanwhile: credentials that were read anew, and what its clock says."""
        live.client, live.skew = self.client, self.skew or live.skew

    def get(self, kind: str, namespace: str, name: str) -> Json:
        ask = super(Snapshot, self).get
        return self._shared(("get", kind, namespace, name), lambda: ask(kind, namespace, name))

    def list(self, kind: str, namespace: str = "", **query: str) -> "builtins.list[Json]":
        ask = super(Snapshot, self).list
        asked = ("list", kind, namespace, *(f"{key}={value}" for key, value in sorted(query.items())))
        found: builtins.list[Json] = self._shared(asked, lambda: ask(kind, namespace, **query))
        return found

    def _shared(self, asked: tuple[str, ...], ask: Callable[[], Json]) -> Json:
        with self._lock:
            first = asked not in self._answers
            answer = self._answers.setdefault(asked, Future())
        if first:
            try:
                answer.set_result(ask())
            except BaseException as error:  # noqa: BLE001  # it is raised below, for all who asked
                answer.set_exception(error)
        return answer.result()
