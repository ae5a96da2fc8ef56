"""
A part of a world: one process, what it is called, and how one sees that it serves.

Whoever starts a part owns it: on Linux the kernel ends it when its owner is gone, however that went. Its environment is
a short list, so that no credential of a responder's shell is in the world.
"""

import ctypes
import os
import signal
import ssl
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx2

INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV")
PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Part:
    """One process to run. `health` is the URL that answers 200 once it serves; empty when there is none to ask."""

    name: str
    argv: tuple[str, ...]
    health: str = ""


def begin(part: Part, log: Path) -> "subprocess.Popen[bytes]":
    """Start *part*; what it says goes to the end of *log*. Call it from the main thread, whose end it follows."""
    environment = {name: os.environ[name] for name in INHERITED if name in os.environ}
    with log.open("ab") as output:
        return subprocess.Popen(
            part.argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
            env=environment, preexec_fn=_with_owner(os.getpid()),  # noqa: PLW1509  # our parts are started by one thread
        )  # fmt: skip


def healthy(part: Part, trust: ssl.SSLContext | None = None) -> bool:
    """Tell whether *part* answers 200 within two seconds; one without `health` always does."""
    if not part.health:
        return True
    try:
        with httpx2.Client(verify=trust or False, trust_env=False) as client:
            return client.get(part.health, timeout=2).status_code == 200
    except httpx2.HTTPError:
        return False


def last_line(log: Path) -> str:
    """Return the last line that a part said, for the message about its end."""
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()] if log.exists() else []
    return lines[-1] if lines else "it said nothing"


def _with_owner(owner: int) -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None, use_errno=True)

    def before() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != owner:  # it died before we asked
            os._exit(1)

    return before
