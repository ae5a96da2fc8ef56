"""
Resuming: after a crash, what became of each change that was begun, and of each run that never ended.

The live system is asked and the answer recorded. Nothing is ever done here: a change that turns out not to have
happened is planned again, and approved again, by people.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import psutil

from firstwatch.actions import settle
from firstwatch.errors import Conflict
from firstwatch.record.event import Event
from firstwatch.record.incident import Applied, Incident, fold
from firstwatch.record.journal import Journal, read
from firstwatch.record.store import Record, Writer
from firstwatch.runs.turn import turn
from firstwatch.systems import Systems

NOT_RECORDED = "end not recorded"


@dataclass(frozen=True, slots=True)
class Resumed:
    """What one change turned out to be: done, not done or unknown."""

    change: str
    action: str
    target: str
    result: str
    detail: str


def resume(record: Record, systems: Systems, writer: Writer) -> tuple[Resumed, ...]:
    """Settle each change of *record* that is in doubt, and end the runs whose process is gone."""
    events = read(record.journal)
    incident = fold(events)
    journal = writer.journal(record)
    settled = tuple(_settle(each, incident, systems, journal) for each in incident.in_doubt)
    for started in _left_open(incident, events):
        body = {"runbook": started.body["runbook"], "state": NOT_RECORDED, "exit": None, "why": "its process is gone"}
        writer.journal(record, started.run).append("run-ended", body)
    return settled


def _settle(doubt: Applied, incident: Incident, systems: Systems, journal: Journal) -> Resumed:
    target = doubt.plan.target
    try:
        with turn(journal.path.parent.parent, target, f"firstwatch resume of incident {incident.id}"):
            said = settle.ask(systems, doubt, incident.cluster, journal.clock.now())
            journal.append("settled", {"key": doubt.key, "plan": doubt.plan.hash, **_body(said)})
    except Conflict as error:
        said = settle.Settled("unknown", str(error))
    return Resumed(doubt.key, doubt.plan.action, str(target), said.result, said.detail)


def _body(said: settle.Settled) -> dict[str, object]:
    return {"result": said.result, "detail": said.detail, "drift": said.drift}


def _left_open(incident: Incident, events: Iterable[Event]) -> Iterator[Event]:
    """Yield the start of each run that has no end, and whose process is gone from this machine."""
    running = {run.id for run in incident.runs if run.state == "running"}
    for event in events:
        here = event.credential.endswith(f"@{os.uname().nodename}")
        ours = event.kind == "run-started" and event.run in running and "pid" in event.body
        if ours and here and not alive(event):
            yield event


def alive(started: Event) -> bool:
    """Whether the process that began a run is known to live; one that was given its number later is another."""
    born = started.body.get("pid_started")
    try:
        process = psutil.Process(started.body.get("pid", -1))
        return not isinstance(born, float) or abs(process.create_time() - born) < 1
    except (psutil.NoSuchProcess, ValueError, TypeError):
        return False
