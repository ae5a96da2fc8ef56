"""Runs mkdocs over a project, in a process of its own: the whole site, or one that opens from a disk."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from firstwatch.errors import BadParameter, DeadlinePassed, FirstwatchError, NotFound
from firstwatch.record.redact import redacted

CONFIGURATION = "mkdocs.yml"
OFFLINE = "FIRSTWATCH_OFFLINE"  # asks the hooks for a site that opens from a disk
DEADLINE_S = 600


def project(folder: Path) -> Path:
    """Return the nearest folder from *folder* upwards that has a site's configuration, else the one of this library."""
    beside = Path(__file__).resolve().parents[3]
    for place in (folder, *folder.parents, beside):
        if (place / CONFIGURATION).is_file():
            return place
    raise NotFound(f"no {CONFIGURATION} in {folder} or above it")


@dataclass(frozen=True, slots=True)
class Build:
    """What is built: the *project*, with the records under *records*, into the folder *site*."""

    project: Path
    records: Path
    site: Path

    def run(self, environ: Mapping[str, str], *, offline: bool = False) -> None:
        """
        Build the site. No notebook is executed.

        Raises:
            BadParameter: mkdocs is not installed.
            DeadlinePassed: It took longer than ten minutes.
            FirstwatchError: It failed; the message has its last words.
        """
        if find_spec("mkdocs") is None:
            raise BadParameter("mkdocs is not installed; install firstwatch[docs]")
        told = {"FIRSTWATCH_RECORDS": str(self.records), "NO_MKDOCS_2_WARNING": "1", OFFLINE: "1" if offline else ""}
        command = [sys.executable, "-m", "mkdocs", "build", "-q", "-d", str(self.site)]
        try:
            done = subprocess.run(
                command, cwd=self.project, env={**environ, **told}, capture_output=True, text=True,
                timeout=DEADLINE_S, check=False, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        except subprocess.TimeoutExpired as late:
            raise DeadlinePassed(f"mkdocs took longer than {DEADLINE_S} s") from late
        if done.returncode:
            last = " ".join(done.stderr.split()[-60:])
            raise FirstwatchError(f"mkdocs failed with {done.returncode}: {redacted(last)}")


def offline(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the site that is being built is to open from a disk."""
    return bool(environ.get(OFFLINE))
