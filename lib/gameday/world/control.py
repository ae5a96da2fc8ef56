"""How a command brings a world up, looks at it, and takes it down again."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from filelock import FileLock

from firstwatch.errors import BadParameter, Unavailable
from gameday import controlplane
from gameday.kubelet import process as containers
from gameday.part import last_line
from gameday.world.folder import GONE, Folder, Process, State

POLL_S = 0.1
WITHIN_S = 180.0
TRIES = 2  # between choosing a port and using it somebody else may take it
GRACE_S = 40.0

Tell = Callable[[str], None]


def up(folder: Folder, binaries: Path | None, tell: Tell, speed: float | None = None) -> State:
    """
    Return the world of *folder* once it is up, starting it when it is not; *tell* hears how far it is.

    Its time goes *speed* times as fast, as UTC when that is None.

    A world that failed is taken down first, and started anew.

    Raises:
        BadParameter: *binaries* lacks a program of a control plane, or the world that is up has another speed.
        Unavailable: It did not start, twice; the message names the part and its last words.
    """
    if binaries and controlplane.missing(binaries):
        raise BadParameter(f"{binaries} lacks {', '.join(controlplane.missing(binaries))}: no control plane")
    for _ in range(TRIES):
        ours = _begun(folder, binaries, tell, speed or 1)
        try:
            state = _until_settled(folder, tell)
        except KeyboardInterrupt:
            if ours:
                down(folder)  # who stops a start wants no half of a world
            raise
        if state.state == "up":
            return _at(state, speed)
    raise Unavailable(f"the game day did not start: {state.why}")


def _at(state: State, speed: float | None) -> State:
    if speed is not None and speed != state.speed:
        said = f"the world that is up goes {state.speed:g} times as fast, not {speed:g}"
        raise BadParameter(f"{said}; firstwatch gameday down comes first")
    return state


def _begun(folder: Folder, binaries: Path | None, tell: Tell, speed: float) -> bool:
    """Start a world unless one is up or starting, and tell whether it was we who did; one of several decides."""
    folder.path.mkdir(parents=True, exist_ok=True, mode=0o700)
    with FileLock(folder.path / "up.lock"):
        state = State.read(folder.state)
        if state.state == "failed":
            tell(f"the world failed ({state.why}); starting it anew")
            down(folder)
        elif state.state != "down":
            return False
        _start(folder, binaries, speed)
        return True


def _start(folder: Folder, binaries: Path | None, speed: float) -> None:
    command = [sys.executable, "-m", "gameday.world", "--dir", str(folder.path), "--speed", f"{speed:g}"]
    command += ["--control-plane", str(binaries.absolute())] if binaries else []
    with (folder.path / "supervisor.log").open("wb") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd=folder.path,
        )  # fmt: skip
    State(state="starting", doing="starting", supervisor=Process.of(process.pid)).write(folder.state)


def _until_settled(folder: Folder, tell: Tell) -> State:
    deadline, said = time.monotonic() + WITHIN_S, ""
    while (state := State.read(folder.state)).state == "starting":
        if time.monotonic() > deadline:
            return State(state="failed", why=f"not up within {WITHIN_S:.0f} s, while {state.doing}")
        if state.doing != said:
            said = state.doing
            tell(said)
        time.sleep(POLL_S)
    if state.why == GONE:
        return State(state="failed", why=last_line(folder.path / "supervisor.log"))
    return state


def down(folder: Folder) -> bool:
    """End the world of *folder* and all that an earlier one left; False when there was nothing. Records stay."""
    state = State.read(folder.state)
    ours = [each for each in (state.supervisor, *state.processes.values()) if each and each.alive]
    if state.supervisor and state.supervisor.alive:
        _end([state.supervisor])
    _end([each for each in ours if each.alive])
    left = containers.sweep(folder.path / "kubelet" / "pods")
    folder.state.unlink(missing_ok=True)
    folder.clean()
    return bool(ours or left) or state.state != "down"


def _end(processes: list[Process]) -> None:
    """Ask *processes* to end, and kill those that do not."""
    found = [psutil.Process(each.pid) for each in processes if each.alive]
    for each in found:
        each.terminate()
    _, alive = psutil.wait_procs(found, timeout=GRACE_S)
    for each in alive:
        each.kill()
    psutil.wait_procs(alive, timeout=5)
