"""
Where a world is: one folder, and what is in it.

`FIRSTWATCH_GAMEDAY` names it, else it is in the user's own state folder. `world.json` says what runs, by process id and
start time, so that a number that the system has given to somebody else is never taken for ours.
"""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Self

import psutil
from platformdirs import user_state_path

from firstwatch.errors import BadParameter

VARIABLE = "FIRSTWATCH_GAMEDAY"
GONE = "its supervisor was killed"
RUNTIME = (
    "api",
    "control-plane",
    "database",
    "kubelet",
    "prometheus",
    "services",
)  # what parts write; made anew at each start


@dataclass(frozen=True, slots=True)
class Process:
    """One process, by its number and by when it started, in seconds since the epoch."""

    pid: int
    started: float

    @classmethod
    def of(cls, pid: int) -> Self:
        return cls(pid, psutil.Process(pid).create_time())

    @property
    def alive(self) -> bool:
        try:
            running = psutil.Process(self.pid)
            return running.create_time() == self.started and running.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """
    What `world.json` says.

    `state` is down, starting, up or failed. `doing` is what is being waited for while it starts, `why` a sentence when
    it failed. `parts` says of each part whether it is real or ours. Its time goes `speed` times as fast, `since` UTC.
    """

    state: str = "down"
    doing: str = ""
    why: str = ""
    supervisor: Process | None = None
    processes: Mapping[str, Process] = field(default_factory=dict)
    parts: Mapping[str, str] = field(default_factory=dict)
    kubeconfig: str = ""
    service_url: str = ""
    prometheus_url: str = ""
    services_url: str = ""
    mail_port: int = 0
    catalog_url: str = ""
    database: str = ""
    speed: float = 1
    since: str = ""

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return what *path* says now; a supervisor that is gone makes it failed, no file makes it down."""
        try:
            told = json.loads(path.read_text("utf-8"))
            told["supervisor"] = Process(**told["supervisor"])
            told["processes"] = {name: Process(**each) for name, each in told["processes"].items()}
            found = cls(**told)
        except FileNotFoundError:
            return cls()
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise BadParameter(f"{path} does not describe a world: {error}; remove it") from error
        return found.seen()

    def seen(self) -> Self:
        """Return this state as it is now: it can only be up while its supervisor lives."""
        if self.state in {"starting", "up"} and not (self.supervisor and self.supervisor.alive):
            return replace(self, state="failed", why=GONE)
        return self

    def write(self, path: Path) -> None:
        draft = path.with_suffix(".tmp")
        draft.write_text(json.dumps(asdict(self), indent=2, sort_keys=True), "utf-8")
        draft.replace(path)


@dataclass(frozen=True, slots=True)
class Folder:
    """A world's folder."""

    path: Path

    @classmethod
    def default(cls) -> Self:
        named = os.environ.get(VARIABLE, "")
        return cls(Path(named).absolute() if named else user_state_path("firstwatch") / "gameday")

    @property
    def state(self) -> Path:
        return self.path / "world.json"

    @property
    def config(self) -> Path:
        return self.path / "firstwatch.toml"

    @property
    def load(self) -> Path:
        return self.path / "load.json"

    @property
    def services(self) -> Path:
        return self.path / "services"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    def log(self, part: str) -> Path:
        return self.logs / f"{part}.log"

    def clean(self) -> None:
        """Take away what the parts left, keys and tokens too. Records and logs stay."""
        shutil.rmtree((self.path / "database" / "place").resolve(), ignore_errors=True)
        for name in RUNTIME:
            shutil.rmtree(self.path / name, ignore_errors=True)
        self.load.unlink(missing_ok=True)
