"""
A clone of the service's code: what was merged of late, and how old the clone is.

It is read as it is. Fetching would write to it, and a probe never writes; how long ago somebody fetched is told
instead. No pager, no hook, no configuration of the clone's own that names a program is used.
"""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from firstwatch.errors import NotFound, Unavailable
from firstwatch.model import Json, parse_time, timestamp
from firstwatch.systems.deck import Deck, Told

DEADLINE_S = 5.0
MOST = 50
_FORMAT = "%H%x1f%cI%x1f%an%x1f%s"
_SAFE = ("-c", "core.pager=cat", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")


@dataclass(frozen=True, slots=True)
class Commit:
    sha: str
    at: datetime
    author: str
    subject: str


@dataclass(frozen=True, slots=True)
class History:
    """The newest commits, newest first, and when the clone last heard of its origin; None when it never did."""

    commits: tuple[Commit, ...]
    fetched: datetime | None


def history(deck: Deck, folder: str, branch: str) -> History:
    """
    Return the newest fifty commits of *branch*.

    Raises:
        NotFound: There is no such folder, clone or branch.
        Unavailable: Git did not answer in time, or is not installed.
    """
    if branch.startswith("-"):
        raise NotFound(f"{branch!r} is not a branch")
    sent = ["log", f"--max-count={MOST}", f"--format={_FORMAT}", branch, "--"]
    status, told = deck.asked("GIT", "git:clone", sent, DEADLINE_S + 1, lambda: _run(folder, sent))
    if status:
        raise NotFound(f"git log {branch}: {told['text'][:200]}; check [git] folder and branch")
    commits = tuple(Commit(sha, parse_time(at), by, said) for sha, at, by, said in _rows(told["text"]))
    return History(commits, parse_time(told["fetched"]) if told["fetched"] else None)


def _rows(text: str) -> list[list[str]]:
    return [line.split("\x1f", 3) for line in text.splitlines()]


def _run(folder: str, sent: Sequence[str]) -> Told:
    command = ["git", "-C", folder, *_SAFE, *sent]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S, check=False)
    except FileNotFoundError as error:
        raise Unavailable("git is not installed here") from error
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"git log: no answer within {DEADLINE_S:g} s") from error
    body: dict[str, Json] = {"text": done.stdout or done.stderr, "fetched": _fetched(Path(folder))}
    return done.returncode, body


def _fetched(folder: Path) -> str:
    head = folder / ".git" / "FETCH_HEAD"
    return timestamp(datetime.fromtimestamp(head.stat().st_mtime, UTC)) if head.is_file() else ""
