"""
The scene of a run: live or replayed, under our runner or by hand, into which record.

`firstwatch run` and `firstwatch lab` say so in the environment variable `FIRSTWATCH_RUN`. Without it the run is by
hand: papermill alone, nbval, or a notebook opened anywhere. By hand and without a service, a runbook runs against its
recording, and its record is in a folder that goes away; it is never among the incidents.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from firstwatch import environment
from firstwatch import settings as configuration
from firstwatch.clock import Clock, WallClock
from firstwatch.errors import BadParameter, NotFound, nearest
from firstwatch.model import Actor, Mode, Plan, parse_time, plain, timestamp
from firstwatch.probes import FIRST_FIVE_MINUTES, STABILITY, Probe, unasked
from firstwatch.record.journal import Journal, new_run
from firstwatch.record.store import Record, Store, Writer
from firstwatch.runs import catalog, lab
from firstwatch.runs.passing import Passing
from firstwatch.runs.summary import Summary
from firstwatch.settings import Settings
from firstwatch.systems import Systems, connect
from firstwatch.systems.broken import Broken
from firstwatch.systems.tape import Recorder, Replay, Tape

VARIABLE = "FIRSTWATCH_RUN"
PEOPLE = ("coordinate", "review")  # the kinds that work on what was recorded before: their recording carries it
LARGE = (
    "cell",
    "measured",
    "attached",
    "gate",
    "planned",
    "delivering",
    "run-started",
    "run-ended",
)  # not needed there


@dataclass(slots=True, kw_only=True)
class Scene:
    """Everything that was decided when a run began."""

    runbook: str
    notebook_sha256: str
    settings: Settings
    systems: Systems
    journal: Journal
    clock: Clock
    mode: Mode
    by_hand: bool
    replay: Replay | None = None
    recorder: Recorder | None = None
    recording: Path | None = None
    approval: Mapping[str, str] = field(default_factory=dict)
    began: str = ""
    default_probes: tuple[Probe, ...] = STABILITY
    passing: Passing | None = None

    @property
    def self_approval(self) -> bool:
        """Whether the requester's own yes counts: only where the configuration says so, and only in practice."""
        return self.settings.approval.self and self.settings.practice

    @property
    def banner(self) -> str:
        """Which record, which cluster, what is real: what every reader must know first."""
        where = (
            "REPLAY of a recording; nothing is asked or changed" if self.replay else f"live, cluster {self._cluster}"
        )
        lines = [f"{self.runbook} ({self.mode.value}): {where}", f"incident {self.journal.incident}"]
        parts = self.settings.gameday.parts if self.settings.gameday else {}
        practice = ["PRACTICE"] if self.settings.practice else []
        left = unasked(FIRST_FIVE_MINUTES, self.settings)
        out = [f"not configured, so not looked at: {', '.join(left)}"] if left else []
        return "\n".join([*lines, *practice, *(f"  {part}: {what}" for part, what in sorted(parts.items())), *out])

    @property
    def _cluster(self) -> str:
        return self.systems.cluster.context

    def started(self) -> None:
        """Record that a run began by hand; our runner records its own."""
        body = {"runbook": self.runbook, "mode": self.mode, "headless": False, "notebook_sha256": self.notebook_sha256}
        seq = self.journal.append("run-started", body | {"parameters": {}, "replay": self.replay is not None}).seq
        lab.note(json.loads(os.environ.get(VARIABLE, "{}")), self.journal, seq, self.runbook)

    def ended(self, summary: Summary) -> None:
        """Record the end of a run by hand, and save the recording when one is being made."""
        if self.by_hand:
            self.journal.append("run-ended", {"runbook": summary.runbook, "state": "done", "exit": 0})
        if self.recorder and self.recording:
            self.recorder.save(self.recording, self._header())

    def _header(self) -> dict[str, Any]:
        named = plain(self.settings.model_dump())
        named["kubernetes"] = {"context": self._cluster}
        for section in ("channels", "readiness", "credentials"):  # a replay tells nobody, and needs none of them
            del named[section]
        for each in named["dependencies"]:
            each["ca"] = Path(each["ca"]).name
        kind, _, place = named["database"]["dsn"].partition(":")
        named["database"]["dsn"] = place and f"{kind}:{Path(place).name}"
        named["git"]["folder"] = "clone" if named["git"]["folder"] else ""
        return {
            "v": 1, "runbook": self.runbook, "at": self.began, "mode": self.mode.value, "settings": named,
            "incident": self.journal.incident, "actor": self.journal.actor.name, "approval": self._approved(),
            **self._before(),
        }  # fmt: skip

    def _before(self) -> dict[str, Any]:
        """Return what happened in this incident before, for a replay to begin with."""
        from firstwatch.record.journal import read

        if self.runbook.partition("/")[0] not in PEOPLE:
            return {}
        every = tuple(read(self.journal.path))
        begun = next(e for e in every if (e.kind, e.run) == ("run-started", self.journal.run))
        told = (each for each in every if each.seq < begun.seq and each.kind not in LARGE)
        return {
            "before": [{"kind": e.kind, "actor": e.who, "at": e.at, "body": e.body} for e in told],
            "parameters": begun.body["parameters"],
        }

    def _approved(self) -> dict[str, str]:
        from firstwatch.record.incident import fold
        from firstwatch.record.journal import read

        approvals = fold(read(self.journal.path)).approvals
        return {"by": approvals[-1].by, "until": timestamp(approvals[-1].until)} if approvals else {}

    def approve_as_recorded(self, plan: Plan) -> None:
        """In a replay, record the approval that the recording carries."""
        if self.approval:
            approver = Journal(
                self.journal.path, self.clock, Actor(self.approval["by"]), self.journal.credential, self.journal.run
            )
            body = {"plan": plan.hash, "until": self.approval["until"], "self_approved": False, "replay": True}
            approver.append("approved", body)

    def close(self) -> None:
        """Close every connection, end a replay, and take its record away when nobody keeps it."""
        self.systems.close()
        if self.replay:
            self.replay.close()
        if self.passing:
            self.passing.close()


def scene(runbook: str, *, incident: str, service: str, mode: Mode) -> Scene:
    """Return the scene of a run; see `watch.begin` for the arguments and errors."""
    context = json.loads(os.environ.get(VARIABLE, "{}"))
    found = catalog.find(runbook)
    replayed = context.get("replay", "") or ("" if service or context.get("live") else str(found.recording))
    return _replayed(found, Path(replayed), context) if replayed else _live(found, incident, service, mode, context)


def _replayed(runbook: catalog.Runbook, recording: Path, context: Mapping[str, Any]) -> Scene:
    tape = Tape.load(recording)
    header = tape.header
    broken = Broken.parse(context["broken"], header) if context.get("broken") else None
    replay = Replay(tape, broken)
    settings = configuration.parse(header["settings"], f"the recording {recording}")
    writer = Writer(replay, Actor(header["actor"]), "replay")
    passing = None if context.get("record") else Passing.make()
    record = Record(passing.folder / header["incident"] if passing else Path(context["record"]))
    record.folder.mkdir(exist_ok=True)
    journal = writer.journal(record, context.get("run", "replay"))
    if not record.journal.exists() and not header.get("before"):
        journal.append("opened", {"practice": settings.practice, "replay": True, "cluster": "replay"})
    for each in header.get("before", ()):
        _again(record, each)
    return Scene(
        runbook=runbook.name, notebook_sha256=runbook.sha256, settings=settings, clock=replay, journal=journal,
        systems=connect(settings, replay=replay), mode=Mode(header["mode"]), by_hand=not context.get("record"),
        replay=replay, approval=header.get("approval", {}), passing=passing,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Then:
    """A clock that stands still at a moment of the past."""

    at: datetime

    def now(self) -> datetime:
        return self.at

    def monotonic_ns(self) -> int:
        return int(self.at.timestamp() * 1e9)

    def sleep(self, seconds: float) -> None: ...


def _again(record: Record, event: Mapping[str, Any]) -> None:
    """Record *event* of the recording once more, as of its own moment; a record opens once."""
    if event["kind"] == "opened" and record.journal.exists():
        return
    body = event["body"] | ({"replay": True, "cluster": "replay"} if event["kind"] == "opened" else {})
    then = Journal(record.journal, _Then(parse_time(event["at"])), Actor(event["actor"]), "replay")
    then.append(event["kind"], body)


def _live(runbook: catalog.Runbook, incident: str, service: str, mode: Mode, context: Mapping[str, Any]) -> Scene:
    path = environment.find(os.environ, Path.cwd())
    if path is None:
        raise BadParameter(f"no {environment.FILE} here or above, so service {service!r} is not known")
    settings = configuration.load(path)
    if service and service != settings.service.name:
        hint = nearest(service, [settings.service.name])
        raise NotFound(f"{path} describes no service {service!r}; {hint}")
    clock = WallClock()
    recording = Path(context["recording"]) if context.get("recording") else None
    recorder = Recorder(clock) if recording else None
    systems = connect(settings, recorder=recorder)
    writer = Writer(clock, environment.actor(os.environ, settings), environment.credential())
    root = environment.records(os.environ, path)
    record = _record(root, incident, writer, settings, systems, context, runbook.kind)
    return Scene(
        runbook=runbook.name, notebook_sha256=runbook.sha256, settings=settings, clock=clock, systems=systems,
        mode=mode, journal=writer.journal(record, context.get("run") or new_run()), by_hand=not context.get("record"),
        recorder=recorder, recording=recording, began=timestamp(clock.now() - timedelta(milliseconds=1)),
    )  # fmt: skip


def _record(
    root: Path, incident: str, writer: Writer, settings: Settings, systems: Systems, context: Mapping[str, Any],
    kind: str,
) -> Record:  # fmt: skip
    if context.get("record"):
        return Record(Path(context["record"]))
    store = Store(root)
    if kind == "review":
        return store.over(incident)
    if incident or store.unresolved():
        return store.single(incident)
    return store.open(writer, opening(settings, systems.cluster.context))


def opening(settings: Settings, cluster: str) -> dict[str, Any]:
    """Return the body of a record's first event."""
    said = {"practice": settings.practice, "replay": False, "cluster": cluster, "service": settings.service.name}
    return said | ({"clock": settings.clock.model_dump()} if settings.clock else {})
