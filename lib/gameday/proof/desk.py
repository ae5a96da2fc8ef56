"""A responder's desk in a world of its own: the commands as they are typed, and what they print."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from firstwatch.errors import Unavailable
from firstwatch.model import Json
from gameday.world.folder import Folder, State

LONGEST_S = 240


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything is in *folder*."""

    folder: Path

    def typed(self, *arguments: str, actor: str = "on-call") -> tuple[int, Json]:
        """Return the exit code of `firstwatch ARGUMENTS --json` and what it printed; None when that is no JSON."""
        command = [sys.executable, "-m", "firstwatch", *arguments, "--json"]
        own = {"FIRSTWATCH_GAMEDAY": str(self.folder / "world"), "FIRSTWATCH_RECORDS": str(self.folder / "incidents")}
        own |= {"FIRSTWATCH_CONFIG": str(self.folder / "world" / "firstwatch.toml"), "FIRSTWATCH_ACTOR": actor}
        done = subprocess.run(
            command, env=os.environ | own, capture_output=True, text=True, timeout=LONGEST_S, check=False
        )
        try:
            return done.returncode, json.loads(done.stdout)
        except ValueError:
            return done.returncode, None

    def state(self) -> State:
        return State.read(Folder(self.folder / "world").state)

    def approved(self, plan: str) -> None:
        self.typed("approve", plan, actor="responder-2")


@contextmanager
def opened(folder: Path) -> Iterator[Desk]:
    """Bring a world up for the length of a `with` block; Unavailable when it does not come up."""
    desk = Desk(folder)
    try:
        if desk.typed("gameday", "up")[0]:
            raise Unavailable(f"no world came up in {folder}")
        yield desk
    finally:
        desk.typed("gameday", "down")
