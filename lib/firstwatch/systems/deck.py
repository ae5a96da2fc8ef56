"""
The deck of the tape for systems that are not asked over HTTP: it puts down what they answer, or plays it back.

A question is a method of its own (`SQL`, `GIT`, `AWS`, `LOOK`), an address without secrets, and what was sent; an
answer is a number and JSON. So these too are replayed byte for byte; what was never asked is Unavailable.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from firstwatch.errors import Unavailable
from firstwatch.model import Json
from firstwatch.systems.deadline import bounded
from firstwatch.systems.tape import Recorder, Replay

Told: TypeAlias = tuple[int, Json]


@dataclass(frozen=True, slots=True)
class Deck:
    """With a recorder it puts exchanges down, with a replay it takes them from there; with neither it only asks."""

    recorder: Recorder | None = None
    replay: Replay | None = None

    def asked(self, method: str, url: str, sent: Json, seconds: float, call: Callable[[], Told]) -> Told:
        """
        Return what *call* answers, within *seconds*, or what it answered when it was recorded.

        Raises:
            Unavailable: It took longer, or is not in the recording; and whatever else *call* raises.
        """
        if self.replay:
            try:
                found = self.replay.answer(method, url, sent)
            except OSError as error:
                raise Unavailable(f"{method} {url}: {error}") from error
            if found is None:
                raise Unavailable(f"{method} {url}: not in the recording")
            return found.status, found.body
        status, body = bounded(seconds, f"{method} {url}", call)
        if self.recorder:
            self.recorder.add(method, url, sent, status, "application/json", json.dumps(body).encode())
        return status, body
