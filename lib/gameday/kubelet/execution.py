"""
Commands inside a container, for `kubectl exec` and exec probes.

They run with the container's environment, in its folder, and only programs of a short list, those that small images
have: a pod cannot name any other program of this machine. It is no wall, since a shell is on the list: who may exec
holds the API's token, a file that only the user who started the game day can read, and so has that user's shell anyway.
"""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from gameday.kubelet import process
from gameday.kubelet.process import NotAllowed, Process

PROGRAMS = frozenset(
    {"cat", "date", "df", "echo", "env", "false", "free", "head", "hostname", "id", "ls", "printenv", "ps", "pwd", "sh"}
    | {"sleep", "tail", "test", "true", "uptime", "wc"}
)


def permitted(argv: Sequence[str]) -> list[str]:
    """Return *argv*; NotAllowed when its program is not on the list."""
    if not argv or argv[0].removeprefix("/bin/").removeprefix("/usr/bin/") not in PROGRAMS:
        name = argv[0] if argv else ""
        raise NotAllowed(f'exec: "{name}": executable file not found in $PATH')
    return list(argv)


async def begin(
    argv: Sequence[str], environment: Mapping[str, str], folder: Path, *, stdin: bool, terminal: bool
) -> Process:
    """Start *argv* inside a container; NotAllowed or OSError when it cannot be."""
    return await process.start(permitted(argv), environment, folder, stdin=stdin, terminal=terminal)


async def run(argv: Sequence[str], environment: Mapping[str, str], folder: Path, limit_s: float) -> tuple[int, str]:
    """Run *argv* for at most *limit_s* and return its exit code and all that it wrote."""
    try:
        running = await begin(argv, environment, folder, stdin=False, terminal=False)
    except (NotAllowed, OSError) as error:
        return 126, str(error)
    try:
        async with asyncio.timeout(limit_s):
            outputs = await asyncio.gather(*(stream.read() for stream in running.streams.values()))
            return await running.ended(), b"".join(outputs).decode(errors="replace")
    except TimeoutError:
        return 124, f'command timed out: "{" ".join(argv)}" timed out after {limit_s:g}s'
    finally:
        running.kill()
        with contextlib.suppress(ProcessLookupError):
            await running.running.wait()
