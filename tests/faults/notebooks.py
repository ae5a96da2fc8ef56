"""Kills at random moments while a large notebook is executed: what is on the disk can always be read."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from faults.dying import ROOT, Bench, notebook
from faults.programme import Figure, Row, Trial

CELLS = 60
PRINTS = "print('x' * 200_000)"


def ours(trial: Trial) -> Figure:
    """Kill the command at a random moment of a run of 60 cells that print 200 KB each."""
    return _killed(trial, _firstwatch)


def papermill(trial: Trial) -> Figure:
    """Kill plain papermill in the same way. What is bad here is papermill's, so it is told and not counted."""
    figure = _killed(trial, _plain)
    return Figure(figure.tried, 0, f"{figure.bad} of {figure.tried} unreadable or missing; {figure.note}")


Begun = tuple["subprocess.Popen[bytes]", Callable[[], Path | None]]


def _killed(trial: Trial, begin: Callable[[Path], Begun]) -> Figure:
    bad, lost, whole = [], [0], 0
    for number in range(trial.count):
        folder = trial.folder / str(number)
        process, path = begin(folder)
        killed = _kill(process, path, trial.random)
        kept = _cells(path())
        whole += not killed
        if kept is None:
            bad.append(f"{number}: unreadable")
        lost.append(_done(folder) - (kept or 0))
        trial.tell(number + 1)
    note = f"{trial.count - whole} killed, at most {max(lost)} finished cells missing"
    return Figure(trial.count, len(bad), "; ".join([note, *bad[:3]]))


def _kill(process: "subprocess.Popen[bytes]", path: Callable[[], Path | None], chance: random.Random) -> bool:
    """Wait until the notebook is there, then kill at a random moment; False when it had ended by itself."""
    ends = time.monotonic() + 60
    while path() is None and process.poll() is None and time.monotonic() < ends:
        time.sleep(0.005)
    time.sleep(chance.uniform(0, 1.5))
    ended = process.poll() is not None
    if not ended:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    time.sleep(0.6)  # the guardian ends the rest
    return not ended


def _firstwatch(folder: Path) -> Begun:
    bench = Bench(folder)
    bench.write(*([PRINTS] * CELLS))

    def path() -> Path | None:
        return next(iter((folder / "incidents").glob("*/notebooks/*.ipynb")), None)

    command = [sys.executable, "-m", "firstwatch", "run", "investigate/dying"]
    return _started(command, bench.environ), path


def _plain(folder: Path) -> Begun:
    folder.mkdir()
    book, output = folder / "book.ipynb", folder / "out.ipynb"
    book.write_text(json.dumps(notebook([PRINTS] * CELLS)))
    command = [sys.executable, "-m", "papermill", str(book), str(output), "--no-progress-bar"]
    return _started(command, dict(os.environ)), lambda: output if output.exists() else None


def _started(command: list[str], environ: dict[str, str]) -> "subprocess.Popen[bytes]":
    quiet = subprocess.DEVNULL
    return subprocess.Popen(
        command, cwd=ROOT, env=environ, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True
    )


def _cells(path: Path | None) -> int | None:
    """Return how many cells' outputs the notebook at *path* holds; None when it cannot be read."""
    try:
        return sum(bool(each.get("outputs")) for each in json.loads(path.read_text())["cells"]) if path else None
    except ValueError:
        return None


def _done(folder: Path) -> int:
    """Return how many cells the journal calls done; nothing is known of plain papermill's."""
    journal = next(iter((folder / "incidents").glob("*/journal.jsonl")), None)
    return journal.read_text().count('"state":"done"') if journal else 0


ROWS = [
    Row("T06", "SIGKILL while 60 cells print 200 KB each", "the notebook is always readable", 400, ours, least=4),
    Row("T06p", "the same with plain papermill", "told beside ours", 70, papermill, least=4),
]
