"""Kills at six named points around a write: no request without a durable intent, and `resume` right each time."""

import threading
import time
from multiprocessing.connection import Connection
from typing import Any

from faults import bench as benches
from faults.bench import PROCESSES, Bench, killed, resuming, writer
from faults.programme import Figure, Row, Trial
from firstwatch.actions import change
from firstwatch.model import Plan
from firstwatch.record.journal import read
from firstwatch.record.store import Record
from firstwatch.record.verify import verify

LONG_S = 10.0


class NotReached(Exception):
    """The process did not come to the point at which it was to be killed."""


def around_a_write(trial: Trial) -> Figure:
    """Kill a process that applies a plan, at each point in turn, and compare what `resume` says with the object."""
    bad: list[str] = []
    with benches.bench(trial.folder) as bench:
        for number in range(trial.count):
            name, kill = list(POINTS.items())[number % len(POINTS)]
            if wrong := _tried(bench, kill, written_first=trial.random.random() < 0.5):
                bad.append(f"{number}, {name}: {wrong}")
            trial.tell(number + 1)
        bad += [f"without an intent: {each}" for each in bench.unforeseen]
    return Figure(trial.count, len(bad), "; ".join([f"points: {', '.join(POINTS)}", *bad[:3]]))


def _tried(bench: Bench, kill: Any, *, written_first: bool) -> str:
    record, plan = bench.approved()
    try:
        kill(bench, record, plan, written_first)
    except NotReached:
        return "the point was not reached"
    bench.before_write = bench.after_write = bench.on_read = None
    truth = _written(bench, record, plan)
    begun = [each.result for each in record.incident().changes]
    settled = bench.resume(record)
    if record.incident().in_doubt or not verify(record.folder).consistent:
        return f"left in doubt or not consistent: {settled}"
    said = bool(record.incident().in_force)
    again = bench.apply(record, plan, minutes=3)
    sent = len(bench.server.writes)
    if said != truth or again != ("again" if truth else "ok") or (truth and sent != 1):
        return f"begun {begun}, resume said in force {said}, truth {truth}, applied again {again}, {sent} writes"
    return ""


def _written(bench: Bench, record: Record, plan: Plan) -> bool:
    marked: bool = bench.live["metadata"]["annotations"].get(change.MARK) == f"{record.id}.{plan.hash}"
    return marked


def before_the_intent(bench: Bench, record: Record, plan: Plan, _: bool) -> None:
    with bench.acting(record, plan) as (process, told):
        _at(bench, "on_read", process.pid, told)


def before_the_request(bench: Bench, record: Record, plan: Plan, _: bool) -> None:
    """Close the connection that is opened for the request before anything is read from it, and kill who opened it."""
    with bench.acting(record, plan) as (process, told):

        def unheard() -> bool:
            intended = "intent" in _kinds(record)
            if intended:
                killed(process.pid)
            return intended

        bench.server.unheard = unheard
        told.send("go")
        process.join(LONG_S)
        bench.server.unheard = None
        if process.is_alive():
            raise NotReached


def without_an_answer(bench: Bench, record: Record, plan: Plan, written_first: bool) -> None:
    with bench.acting(record, plan) as (process, told):
        _at(bench, "after_write" if written_first else "before_write", process.pid, told)


def before_the_outcome(bench: Bench, record: Record, plan: Plan, _: bool) -> None:
    """Hold the journal while the answer is given, so that the process has it and cannot record it."""
    answered = threading.Event()
    holding = writer().journal(record).held("note")
    bench.before_write = lambda asked: bool(holding.__enter__()) and None
    bench.after_write = lambda asked: answered.set()
    with bench.acting(record, plan) as (process, told):
        told.send("go")
        if not answered.wait(LONG_S):
            raise NotReached
        time.sleep(0.02)
        killed(process.pid)
        holding.__exit__(None, None, None)


def after_the_outcome(bench: Bench, record: Record, plan: Plan, _: bool) -> None:
    with bench.acting(record, plan) as (process, told):
        told.send("go")
        told.recv(), told.recv()  # ready, and what came of it
        killed(process.pid)


def during_resume(bench: Bench, record: Record, plan: Plan, written_first: bool) -> None:
    without_an_answer(bench, record, plan, written_first)
    mine, theirs = PROCESSES.Pipe()
    process = PROCESSES.Process(target=resuming, args=(bench.folder, record.folder, theirs), daemon=True)
    process.start()
    _at(bench, "on_read", process.pid, mine)
    process.join()


def _at(bench: Bench, hook: str, pid: int | None, told: Connection) -> None:
    """Tell a process to go on, and kill it when it comes to *hook*; a write that it would have made is dropped."""
    reached = threading.Event()

    def kill(_: object) -> bool:
        killed(pid)
        reached.set()
        return True

    setattr(bench, hook, kill)
    told.send("go")
    if not reached.wait(LONG_S):
        raise NotReached
    setattr(bench, hook, None)


def _kinds(record: Record) -> set[str]:
    return {event.kind for event in read(record.journal)}


POINTS = {
    "before the intent": before_the_intent,
    "between intent and request": before_the_request,
    "request without an answer": without_an_answer,
    "answer without an outcome": before_the_outcome,
    "after the outcome": after_the_outcome,
    "during resume": during_resume,
}

ROWS = [
    Row("T02", "SIGKILL at six points around a write", "an intent before each request; resume right", 1200,
        around_a_write, least=12),
]  # fmt: skip
