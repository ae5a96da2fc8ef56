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
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from firstwatch import errors
from firstwatch.model import Mode, Result, Verdict
from firstwatch.record.incident import Incident, Run, fold
from firstwatch.record.journal import Event, Journal, read
from firstwatch.record.store import attach
from firstwatch.runs.catalog import Runbook
from firstwatch.runs.engine import Job
from firstwatch.runs.scene import VARIABLE

WORST_FIRST = (7, 6, 5, 3, 8, 4, 1, 9)  # of several, the exit code is the first of these
POLL_S = 0.1
GRACE_S = 3.0


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
    """
    folder = journal.path.parent
    (folder / "notebooks").mkdir(exist_ok=True)
    seq = journal.append("run-started", _opening(order)).seq
    output = folder / "notebooks" / f"{seq:04d}-{order.runbook.name.replace('/', '-')}.ipynb"
    stopped = _supervise(order, journal, output, progress)
    if output.exists():
        attach(journal, output, "the executed notebook")
    return _conclude(order, journal, stopped)


def _opening(order: Order) -> dict[str, Any]:
    return {
        "runbook": order.runbook.name, "mode": order.mode, "notebook_sha256": order.runbook.sha256, "headless": True,
        "parameters": dict(order.parameters), "pid": os.getpid(), "replay": bool(order.replay),
    }  # fmt: skip


def _supervise(order: Order, journal: Journal, output: Path, progress: Callable[[Event], None]) -> str:
    """Run the engine to its end; return `interrupted`, `deadline`, or nothing when it ended by itself."""
    job = Job(
        notebook=str(order.runbook.path), output=str(output), parameters=dict(order.parameters), run=journal.run,
        journal=str(journal.path), actor={"name": journal.actor.name, "trust": journal.actor.trust},
        credential=journal.credential,
    )  # fmt: skip
    with signals(), (journal.path.parent / "engine.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "firstwatch.runs.engine"], stdin=subprocess.PIPE, stdout=log, stderr=log,
            env=os.environ | {VARIABLE: json.dumps(_context(order, journal))}, start_new_session=True,
        )  # fmt: skip
        try:
            return _follow(process, job, journal, order.deadline_s, progress)
        except (Interrupted, KeyboardInterrupt):
            return "interrupted"
        finally:
            end_tree(process)


def _context(order: Order, journal: Journal) -> dict[str, Any]:
    return {
        "record": str(journal.path.parent), "run": journal.run, "replay": order.replay, "live": not order.replay,
        "recording": order.recording, "runbook": order.runbook.name,
    }  # fmt: skip


def _follow(
    process: "subprocess.Popen[bytes]", job: Job, journal: Journal, deadline_s: float, progress: Callable[[Event], None]
) -> str:
    assert process.stdin is not None  # asked for above
    process.stdin.write(job.write().encode())
    process.stdin.close()
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
        from firstwatch.record.journal import parse

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
    """Turn SIGTERM and SIGHUP into Interrupted while a run is under way, as Ctrl-C already is KeyboardInterrupt."""

    def interrupt(*_: object) -> None:
        raise Interrupted

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def end_tree(process: "subprocess.Popen[bytes]") -> None:
    """End *process* and everything that it started: asked first, then killed after three seconds."""
    try:
        root = psutil.Process(process.pid)
        tree = [*root.children(recursive=True), root]
    except psutil.NoSuchProcess:
        tree = []
    for each in tree:
        _quietly(each.terminate)
    _, alive = psutil.wait_procs(tree, timeout=GRACE_S)
    for each in alive:
        _quietly(each.kill)
    process.wait()


def _quietly(stop: Callable[[], None]) -> None:
    try:
        stop()
    except psutil.NoSuchProcess:
        return


def _conclude(order: Order, journal: Journal, stopped: str) -> Ended:
    events = read(journal.path)
    incident = fold(events)
    ran = next(each for each in incident.runs if each.id == journal.run)
    state, exit_code, why = conclusion(ran, _code_cells(order.runbook), stopped, events)
    not_run = [cell for cell in _code_cells(order.runbook) if cell not in dict(ran.cells)]
    body = {"runbook": order.runbook.name, "state": state, "exit": exit_code, "why": why, "not_run": not_run}
    journal.append("run-ended", body)
    return Ended(state, exit_code, why, fold(read(journal.path)))


def _code_cells(runbook: Runbook) -> list[str]:
    return [cell["id"] for cell in runbook.cells if cell["cell_type"] == "code"]


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
    why = failure or f"cell {pending[0]} did not report its end: it exited, or the kernel died"
    return state, _worst([*codes, 1] if not failure else codes), why


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
