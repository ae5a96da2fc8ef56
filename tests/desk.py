"""
A responder's desk in one game day: the command as it is typed, in a folder of its own.

Tests that need a whole world share one of these for their module: starting it takes seconds.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubernetes import client, config

NAMESPACE = "claude-deployment-prod"
DEPLOYMENT = "claude-deployment-api"


@dataclass(frozen=True, slots=True)
class Desk:
    """Where everything of one game day is; called like the command."""

    folder: Path

    def __call__(self, *arguments: str, expected: int = 0) -> Any:
        """Return what `firstwatch ARGUMENTS --json` prints, after seeing that it exits with *expected*."""
        done = self.typed(*arguments, "--json")
        assert done.returncode == expected, f"{arguments}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return json.loads(done.stdout) if done.stdout else None

    def typed(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            self.command(*arguments), env=self.environment, capture_output=True, text=True, timeout=180, check=False
        )

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "firstwatch", *arguments]

    @property
    def world(self) -> Path:
        return self.folder / "world"

    @property
    def environment(self) -> dict[str, str]:
        own = {
            "FIRSTWATCH_GAMEDAY": str(self.world),
            "FIRSTWATCH_RECORDS": str(self.folder / "incidents"),
            "FIRSTWATCH_CONFIG": str(self.world / "firstwatch.toml"),
            "FIRSTWATCH_ACTOR": "on-call",
            "HOME": str(self.folder),
            "NO_COLOR": "1",
        }
        return {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"} | own

    @contextmanager
    def cluster(self) -> Iterator[client.AppsV1Api]:
        """Speak to the world's API by the official client, as somebody's own script would."""
        with config.new_client_from_config(self("gameday", "status")["kubeconfig"]) as api:
            yield client.AppsV1Api(api)


@contextmanager
def opened(folder: Path, *up: str) -> Iterator[Desk]:
    """Bring a world up for the length of a `with` block; *up* are further arguments of `gameday up`."""
    desk = Desk(folder)
    try:
        desk("gameday", "up", *up)
        yield desk
    finally:
        desk("gameday", "down")


def verdicts(run: dict[str, Any]) -> dict[str, str]:
    return {each["probe"]: each["verdict"] for each in run["findings"]}


def unwell(desk: Desk) -> dict[str, str]:
    """Verify the recovery, as whoever has asked the customers, and return what is not OK."""
    told = verdicts(desk("run", "investigate/verify-recovery", "-p", "reports=none"))
    return {name: verdict for name, verdict in told.items() if verdict != "OK"}


def mechanisms(run: dict[str, Any]) -> set[str]:
    return {each["mechanism"] for each in run["findings"] if each["verdict"] == "BAD"}


def rolled_back(desk: Desk) -> dict[str, Any]:
    """Roll back as the runbook says: ask, get it approved by somebody else, ask again."""
    asked = desk("run", "mitigate/rollback", "--apply", expected=3)
    desk("approve", asked["plan"]["hash"], "--as", "responder-2")
    healed: dict[str, Any] = desk("run", "mitigate/rollback", "--apply")
    return healed
