"""
The supervisor: starts the engine, owns its process tree, and says what became of the run.

The conclusion is drawn from the journal alone: every cell done, or which one was not. A cell that never reported its
end was interrupted; one that never started was not run. The exit code is the worst thing that happened.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from firstwatch import errors
from firstwatch.errors import BadParameter, RecordNotWritable
from firstwatch.model import Mode, Result, Verdict
from firstwatch.record.event import Event
from firstwatch.record.incident import Incident, Run, fold
from firstwatch.record.journal import Journal, read
from firstwatch.record.redact import known, redacted
from firstwatch.record.store import attach, inside
from firstwatch.runs import executed, tree
from firstwatch.runs.catalog import Runbook
from firstwatch.runs.engine import Job
from firstwatch.runs.scene import VARIABLE

WORST_FIRST = (7, 6, 5, 3, 8, 4, 1, 9)  # of several, the exit code is the first of these
POLL_S = 0.1
PATIENCE_S = 2.0  # for a log whose writer cannot be ended
LOG_BYTES = 65_536
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
BECAME = {"running": "interrupted"}  # what a cell that never reported its end became


class Interrupted(Exception):
    """A signal asked the run to end."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of a run. `why` is a sentence, empty when all went well."""

    state: str
    exit: int
    why: str
    incident: Incident


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to run, and how."""

    runbook: Runbook
    parameters: Mapping[str, Any]
    mode: Mode
    deadline_s: float
    replay: str = ""
    broken: str = ""
    recording: str = ""


def run(order: Order, journal: Journal, progress: Callable[[Event], None]) -> Ended:
    """
    Execute a runbook into an open record, and return what became of it.

    Args:
        order: What to run.
        journal: The record's, for this run.
        progress: Told of each new event.

    Raises:
        RecordNotWritable: Nothing was started.
        BadParameter: A folder of the record is a link, so nothing was started.
    """
    inside(journal.path.parent, "engine.log")
    inside(journal.path.parent, "notebooks").mkdir(exist_ok=True)
    with signals():
        seq = journal.append("run-started", _opening(order)).seq
        output = journal.path.parent / "notebooks" / f"{seq:04d}-{order.runbook.name.replace('/', '-')}.ipynb"
        stopped = _supervise(order, journal, output, progress)
        return _conclude(order, journal, stopped, output)


def _opening(order: Order) -> dict[str, Any]:
    return {
        "runbook": order.runbook.name, "mode": order.mode, "notebook_sha256": order.runbook.sha256, "headless": True,
        "parameters": dict(order.parameters), "pid": os.getpid(),
        "pid_started": psutil.Process().create_time(), "replay": bool(order.replay),
    }  # fmt: skip


def _supervise(order: Order, journal: Journal, output: Path, progress: Callable[[Event], None]) -> str:
    """Run the engine to its end; return `interrupted`, `deadline`, or nothing when it ended by itself."""
    job = Job(
        notebook=str(order.runbook.path), output=str(output), parameters=dict(order.parameters), run=journal.run,
        journal=str(journal.path), actor={"name": journal.actor.name, "trust": journal.actor.trust},
        credential=journal.credential, known=known(),
    )  # fmt: skip
    with tree.adopting() as before, _log(journal.path.parent / "engine.log") as log:
        try:
            process = subprocess.Popen(
                [sys.executable, "-m", "firstwatch.runs.engine"], stdin=subprocess.PIPE, stdout=log, stderr=log,
                env=os.environ | {VARIABLE: json.dumps(_context(order, journal))}, start_new_session=True,
            )  # fmt: skip
            return _follow(process, job, journal, order.deadline_s, progress)
        except (Interrupted, KeyboardInterrupt):
            return "interrupted"
        finally:
            heed_no_more()
            tree.end(before)


@contextmanager
def _log(path: Path) -> Iterator[int]:
    """Yield where the engine may print; at the end the last of it is appended to the file at *path*, redacted."""
    reading, writing = os.pipe()
    tail: list[bytes] = [b""]
    reader = threading.Thread(target=_drain, args=(reading, tail), daemon=True)
    reader.start()
    try:
        yield writing
    finally:
        os.close(writing)
        reader.join(PATIENCE_S)
        with suppress(OSError), path.open("a", encoding="utf-8") as file:
            file.write(str(redacted(tail[0].decode("utf-8", "backslashreplace"))))


def _drain(reading: int, tail: list[bytes]) -> None:
    """Read to the end, so that nobody waits to print, and keep the last of it, from the beginning of a line."""
    with open(reading, "rb", buffering=0) as file:
        while data := file.read(LOG_BYTES):
            tail[0] += data
            if len(tail[0]) > LOG_BYTES:  # half a secret would not be seen
                tail[0] = tail[0][-LOG_BYTES:].partition(b"\n")[2]


def _context(order: Order, journal: Journal) -> dict[str, Any]:
    return {
        "record": str(journal.path.parent), "run": journal.run, "replay": order.replay, "live": not order.replay,
        "recording": order.recording, "runbook": order.runbook.name, "broken": order.broken,
    }  # fmt: skip


def _follow(
    process: "subprocess.Popen[bytes]", job: Job, journal: Journal, deadline_s: float, progress: Callable[[Event], None]
) -> str:
    assert process.stdin is not None  # asked for above
    with suppress(BrokenPipeError), process.stdin as stdin:  # it may be gone already; then that is the conclusion
        stdin.write(job.write().encode())
    ends = journal.clock.monotonic_ns() + int(deadline_s * 1e9)
    tell = _teller(journal, progress)
    while process.poll() is None:
        if journal.clock.monotonic_ns() > ends:
            return "deadline"
        try:
            process.wait(POLL_S)
        except subprocess.TimeoutExpired:
            tell()
    tell()
    return ""


def _teller(journal: Journal, progress: Callable[[Event], None]) -> Callable[[], None]:
    """Return a function that tells *progress* what was added to the journal since it was last called."""
    seen = [journal.path.stat().st_size]

    def tell() -> None:
        from firstwatch.record.event import parse

        with journal.path.open("rb") as file:
            file.seek(seen[0])
            added = file.read()
        whole = added[: added.rfind(b"\n") + 1]
        seen[0] += len(whole)
        for event in parse(whole, journal.path):
            progress(event)

    return tell


@contextmanager
def signals() -> Iterator[None]:
    """Turn the first of SIGINT, SIGTERM and SIGHUP into Interrupted while a run is under way; then heed no more."""

    def interrupt(*_: object) -> None:
        heed_no_more()
        raise Interrupted

    before = {number: signal.signal(number, interrupt) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def heed_no_more() -> None:
    """Ignore further signals: what is begun, ending the tree and recording how the run ended, takes a second."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _conclude(order: Order, journal: Journal, stopped: str, output: Path) -> Ended:
    events = read(journal.path)
    ran = next(each for each in fold(events).runs if each.id == journal.run)
    cells = code_cells(order.runbook)
    became = {cell: BECAME.get(dict(ran.cells).get(cell, ""), dict(ran.cells).get(cell, "not run")) for cell in cells}
    state, exit_code, why = conclusion(ran, cells, stopped, events)
    _keep(journal, output, order.runbook.name, became)
    not_run = [cell for cell in cells if became[cell] == "not run"]
    body = {"runbook": order.runbook.name, "state": state, "exit": exit_code, "why": why, "not_run": not_run}
    journal.append("run-ended", body | {"cells": became})
    return Ended(state, exit_code, why, fold(read(journal.path)))


def _keep(journal: Journal, output: Path, runbook: str, cells: Mapping[str, str]) -> None:
    """Attach the executed notebook. How the run ended is recorded even when there is no room for that."""
    if output.exists():
        executed.settle(output, runbook, cells)
        with suppress(RecordNotWritable):
            attach(journal, output, "the executed notebook")


def code_cells(runbook: Runbook) -> list[str]:
    """Return the ids of *runbook*'s code cells that are not blank; BadParameter when there are none with ids."""
    cells = [cell for cell in runbook.cells if cell["cell_type"] == "code" and "".join(cell["source"]).strip()]
    ids = [str(cell.get("id", "")) for cell in cells]
    if not ids or not all(ids) or len(set(ids)) != len(ids):
        raise BadParameter(f"{runbook.path}: it needs code cells, each with an id of its own")
    return ids


def conclusion(ran: Run, cells: list[str], stopped: str, events: tuple[Event, ...]) -> tuple[str, int, str]:
    """
    Return state, exit code and a sentence of a run, from its events.

    Args:
        ran: The run, as the fold has it.
        cells: The ids of the runbook's code cells, in order.
        stopped: `interrupted`, `deadline`, or empty.
        events: The journal's; only those of this run count.
    """
    own = [event for event in events if event.run == ran.id]
    done = dict(ran.cells)
    pending = [cell for cell in cells if done.get(cell) != "done"]
    failure = next((e.body["error"] for e in own if e.kind == "cell" and e.body["state"] == "failed"), "")
    codes = [code for code in (_failed(failure), _doubt(own), *_seen(own)) if code]
    if stopped:
        code = _worst([*codes, 6]) if _doubt(own) else {"interrupted": 130, "deadline": 124}[stopped]
        return stopped, code, f"{stopped} in cell {pending[0] if pending else 'none'}"
    if not pending:
        return "done", _worst(codes), ""
    state = "gate closed" if failure.startswith("GateClosed") else "failed"
    why = failure.removeprefix("GateClosed: ") or _silence(pending[0], done)
    return state, _worst([*codes, 1] if not failure else codes), why


def _silence(cell: str, done: Mapping[str, str]) -> str:
    if cell in done:
        return f"cell {cell} did not report its end: it exited, or the kernel died"
    return f"cell {cell} was not run: the engine ended before it; engine.log in the record may say why"


def _failed(failure: str) -> int:
    name = failure.partition(":")[0].rpartition(".")[2]
    kind = getattr(errors, name, None) if name else None
    return int(kind.exit_code) if isinstance(kind, type) and hasattr(kind, "exit_code") else int(bool(failure))


def _doubt(own: list[Event]) -> int:
    begun = {event.body["key"] for event in own if event.kind == "intent"}
    settled = {event.body["key"] for event in own if event.kind == "outcome" and event.body["result"] != Result.UNKNOWN}
    return 6 if begun - settled else 0


def _seen(own: list[Event]) -> Iterator[int]:
    """Yield 8 when the last verification did not pass, 4 when nothing at all could be read."""
    verified = [event.body["verdict"] for event in own if event.kind == "verified"]
    looked = [f["verdict"] for event in own if event.kind in ("looked", "verified") for f in event.body["findings"]]
    if verified and verified[-1] != Verdict.OK and not _observing(own):
        yield 8
    if looked and all(verdict == Verdict.UNKNOWN for verdict in looked):
        yield 4


def _observing(own: list[Event]) -> bool:
    """Whether a plan was made and not applied: then there is nothing that a verification could have confirmed."""
    kinds = {event.kind for event in own}
    return "planned" in kinds and "intent" not in kinds


def _worst(codes: list[int]) -> int:
    return min(codes, key=lambda code: WORST_FIRST.index(code) if code in WORST_FIRST else -1) if codes else 0
