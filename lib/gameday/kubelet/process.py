"""
Containers as processes: started, ended, and never left behind.

Each has a session of its own, so that its whole group can be ended. On Linux the kernel kills it when the kubelet dies,
even by `kill -9`, which no handler sees (`PR_SET_PDEATHSIG`); elsewhere, and for what a container itself started,
`sweep` ends the leftovers when the next kubelet starts in the same directory.
"""

import asyncio
import contextlib
import ctypes
import fcntl
import os
import signal
import struct
import sys
import termios
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from firstwatch.model import Json
from gameday.images import Image

ROOT = "VOLUMES_ROOT"  # set for every container, and what its leftovers are known by
PR_SET_PDEATHSIG = 1


class NotAllowed(Exception):
    """The image does not allow what a pod wants to run."""


def command(image: Image, container: Json) -> tuple[str, ...]:
    """
    Return what to run for *container*: the image's own program, or what it allows in its place.

    Raises:
        NotAllowed: `command` or `args` name what the image does not offer.
    """
    wanted, arguments = tuple(container.get("command") or ()), tuple(container.get("args") or ())
    own = tuple(each.replace("{python}", sys.executable) for each in image.argv)
    if not wanted and not arguments:
        return own
    if (wanted or arguments)[0] in image.programs:
        return wanted + arguments
    if not wanted and image.arguments:
        return own + arguments
    raise NotAllowed(f'exec: "{(wanted or arguments)[0]}": executable file not found in $PATH')


@dataclass(frozen=True, slots=True)
class Process:
    """One running process and the group that it leads. `streams` are what it writes, by name."""

    running: asyncio.subprocess.Process
    streams: Mapping[str, asyncio.StreamReader]
    stdin: asyncio.StreamWriter | asyncio.WriteTransport | None
    terminal: int | None = None

    @property
    def pid(self) -> int:
        return self.running.pid

    async def ended(self) -> int:
        """Wait for its end and return the exit code, 128 + signal when a signal ended it."""
        code = await self.running.wait()
        self.kill()  # what it started, as the end of a container's first process ends all
        return code if code >= 0 else 128 - code

    def terminate(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.running.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def write(self, content: bytes) -> None:
        if self.stdin is not None and not self.stdin.is_closing():
            self.stdin.write(content)

    def close_stdin(self) -> None:
        """Tell it that there is no more to read; on a terminal, as by Ctrl-D."""
        if self.terminal is not None:
            self.write(b"\x04")
        elif self.stdin is not None:
            self.stdin.close()

    def resize(self, columns: int, rows: int) -> None:
        if self.terminal is not None:
            fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


async def start(
    argv: Sequence[str], environment: Mapping[str, str], folder: Path, *, stdin: bool = False, terminal: bool = False
) -> Process:
    """Start *argv* in *folder*, with a standard input or a *terminal* when wanted; OSError when it cannot be."""
    return await (_on_terminal if terminal else _on_pipes)(argv, environment, folder, stdin)


async def _on_pipes(argv: Sequence[str], environment: Mapping[str, str], folder: Path, stdin: bool) -> Process:
    pipe = asyncio.subprocess.PIPE
    running = await asyncio.create_subprocess_exec(
        *argv, stdin=pipe if stdin else asyncio.subprocess.DEVNULL, stdout=pipe, stderr=pipe, cwd=folder,
        env=dict(environment), start_new_session=True, preexec_fn=_before(os.getpid(), terminal=False),
    )  # fmt: skip
    if running.stdout is None or running.stderr is None:
        raise OSError("the process has no output")
    return Process(running, {"stdout": running.stdout, "stderr": running.stderr}, running.stdin)


async def _on_terminal(argv: Sequence[str], environment: Mapping[str, str], folder: Path, _stdin: bool) -> Process:
    ours, theirs = os.openpty()
    try:
        running = await asyncio.create_subprocess_exec(
            *argv, stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder,
            env={"TERM": "xterm", **environment}, start_new_session=True,
            preexec_fn=_before(os.getpid(), terminal=True),
        )  # fmt: skip
    except BaseException:
        os.close(ours)
        raise
    finally:
        os.close(theirs)
    loop, reader = asyncio.get_running_loop(), asyncio.StreamReader()
    writing = os.fdopen(os.dup(ours), "wb", buffering=0)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(ours, "rb", buffering=0))
    transport, _ = await loop.connect_write_pipe(asyncio.Protocol, writing)
    return Process(running, {"stdout": reader}, transport, ours)


def sweep(folder: Path) -> int:
    """Kill what earlier kubelets left running under *folder*, and return how many they were."""
    left = [each for each in psutil.process_iter() if _under(each, folder)]
    for each in left:
        with contextlib.suppress(psutil.Error):
            each.kill()
    return len(left)


def _under(process: psutil.Process, folder: Path) -> bool:
    try:
        root = process.environ().get(ROOT, "")
        return process.uids().real == os.getuid() and Path(root).is_relative_to(folder)
    except (psutil.Error, OSError):
        return False


def _before(parent: int, *, terminal: bool) -> Callable[[], None]:
    """Return what a child does before it becomes another program."""
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

    def before() -> None:
        if libc is not None:
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:  # it died before we asked
                os._exit(1)
        if terminal:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    return before
