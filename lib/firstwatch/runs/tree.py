"""
The process tree of a run: whatever was started below it, however it hid, ends with it.

A command that a cell started may leave its session and lose its parent. On Linux such an orphan comes back to the
nearest ancestor that asked for it, so both the supervisor and the guardian ask. The guardian is the first process of
the engine: it does nothing but wait for the engine, and when the supervisor is gone, however it went, it ends all that
is left. Where there is no such help (macOS), only what is still a descendant is found.
"""

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psutil

PDEATHSIG, SUBREAPER = 1, 36  # of Linux' prctl
GRACE_S = 0.25  # between asking and killing
PASS_S = 0.1
MOST_S = 10.0  # a process that the kernel itself holds cannot be ended by anybody


@contextmanager
def adopting() -> Iterator[frozenset[psutil.Process]]:
    """Have orphans of this process' descendants come back to it; yields the descendants that there were before."""
    before = frozenset(psutil.Process().children(recursive=True))
    _prctl(SUBREAPER, 1)
    try:
        yield before
    finally:
        _prctl(SUBREAPER, 0)


def end(spared: frozenset[psutil.Process] = frozenset()) -> bool:
    """End all descendants of this process but *spared*: asked, then killed until none is left. False when one is."""
    asked = _below(spared)
    for each in asked:
        _quietly(each.terminate)
    psutil.wait_procs(asked, timeout=GRACE_S)
    ends = time.monotonic() + MOST_S
    while found := _below(spared):
        if time.monotonic() > ends:
            return False
        for each in found:
            _quietly(each.suspend)  # so that none starts another while they are killed
        for each in found:
            _quietly(each.kill)
        psutil.wait_procs(found, timeout=PASS_S)
    return True


def _below(spared: frozenset[psutil.Process]) -> list[psutil.Process]:
    return [each for each in psutil.Process().children(recursive=True) if each not in spared]


def _quietly(stop: Callable[[], None]) -> None:
    with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        stop()


def guarded(work: Callable[[], int]) -> int:
    """Do *work* in a child, end all that it leaves, and return its exit code. No thread may be there yet."""
    signal.signal(signal.SIGTERM, _ended)
    _prctl(PDEATHSIG, signal.SIGTERM)
    _prctl(SUBREAPER, 1)
    guardian = os.getpid()
    worker = os.fork()
    if worker == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        die_with(guardian)
        sys.exit(work())
    try:
        code = _waited(worker)
    except SystemExit:
        code = 1
    end()
    return code


def die_with(parent: int) -> None:
    """Ask Linux to kill this process when *parent*, which started it, is gone, however it went."""
    _prctl(PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _ended(*_: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(1)


def _waited(worker: int) -> int:
    """Wait for *worker*, and meanwhile for every orphan that came back."""
    while True:
        process, status = os.wait()
        if process == worker:
            return min(os.waitstatus_to_exitcode(status) & 0xFF, 0xFF)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
