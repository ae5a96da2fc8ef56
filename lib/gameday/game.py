"""
One game: which fault was put in, when, and how the world was before. It is kept beside the world, for the score.

Nothing of it is told before the score is asked for.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

from firstwatch.errors import NotFound
from firstwatch.model import Json, parse_time, timestamp
from gameday.scenarios import SCENARIOS, Scenario, seen
from gameday.world.folder import Folder, State

FILE = "game.json"
GOOD = "1234"  # the first digits of the codes that the load counts as answers


@dataclass(frozen=True, slots=True)
class Game:
    """
    A fault that began at *began*, when *failed* requests had failed.

    *before* is what was asked for until then; *fault* are the paths that the fault changed.
    """

    name: str
    began: str
    failed: int
    before: Json
    fault: tuple[str, ...] = ()

    @classmethod
    def begin(cls, scenario: Scenario, folder: Folder, state: State, now: datetime) -> Self:
        """Return the game that begins *now*, before anything is put in."""
        return cls(scenario.name, timestamp(now), failed(folder), seen.specs(state))

    def keep(self, folder: Folder, state: State) -> None:
        """Keep the game, now that the fault is in; what differs from before is the fault's own."""
        known = asdict(self) | {"fault": [*self.differences(state)]}
        _path(folder).write_text(json.dumps(known), "utf-8")

    @classmethod
    def read(cls, folder: Folder) -> Self:
        """Return the game of *folder*; NotFound when no fault was put in."""
        try:
            return cls(**json.loads(_path(folder).read_text("utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise NotFound(f"no game in {folder.path}: firstwatch gameday SCENARIO begins one") from error

    @property
    def scenario(self) -> Scenario:
        return SCENARIOS[self.name]

    @property
    def since(self) -> datetime:
        return parse_time(self.began)

    def left(self, state: State) -> tuple[str, ...]:
        """Return what differs from before, and is not of the fault."""
        return tuple(each for each in self.differences(state) if each not in self.fault)

    def differences(self, state: State) -> Iterator[str]:
        """Yield what is asked for otherwise than before, as `Kind/field/field`."""
        for kind, old, new in zip(seen.RESTORED_KINDS, self.before, seen.specs(state), strict=True):
            yield from differing(dict(zip(("spec", "data"), old, strict=True)),
                                 dict(zip(("spec", "data"), new, strict=True)), kind)  # fmt: skip


def differing(before: Json, after: Json, where: str) -> Iterator[str]:
    """Yield the paths below *where* at which two values differ."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted({*before, *after}):
            yield from differing(before.get(key), after.get(key), f"{where}/{key}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from differing(old, new, f"{where}/{number}")
    elif before != after:
        yield where


def failed(folder: Folder) -> int:
    """Return how many requests of the load have had no good answer so far; 0 when it has told nothing yet."""
    try:
        counted: dict[str, int] = json.loads(folder.load.read_text("utf-8"))["requests"]
    except (OSError, ValueError, KeyError):
        return 0
    return sum(number for code, number in counted.items() if code[0] not in GOOD)


def _path(folder: Folder) -> Path:
    return folder.path / FILE
