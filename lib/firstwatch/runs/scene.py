"""
The scene of a run: live or replayed, under our runner or by hand, into which record.

`firstwatch run` and `firstwatch lab` say so in the environment variable `FIRSTWATCH_RUN`. Without it the run is by
hand: papermill alone, nbval, or a notebook opened anywhere. By hand and without a service, a runbook runs against its
recording, and its record is in a folder that goes away; it is never among the incidents.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from firstwatch import settings as configuration
from firstwatch.clock import Clock, WallClock
from firstwatch.errors import BadParameter, NotFound, nearest
from firstwatch.model import Actor, Mode, Plan, plain, timestamp
from firstwatch.probes import FIRST_FIVE_MINUTES, Probe
from firstwatch.record.journal import Journal, new_run
from firstwatch.record.store import Record, Store, Writer
from firstwatch.runs import catalog
from firstwatch.runs.summary import Summary
from firstwatch.settings import Settings
from firstwatch.systems import Systems, connect
from firstwatch.systems.tape import Recorder, Replay, Tape

VARIABLE = "FIRSTWATCH_RUN"


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
    default_probes: tuple[Probe, ...] = FIRST_FIVE_MINUTES

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
        practice = ["PRACTICE: " + ", ".join(f"{part}: {what}" for part, what in sorted(parts.items()))]
        return "\n".join([*lines, *(practice if self.settings.practice else [])])

    @property
    def _cluster(self) -> str:
        return self.systems.cluster.context

    def started(self) -> None:
        """Record that a run began by hand; our runner records its own."""
        body = {"runbook": self.runbook, "mode": self.mode, "headless": False, "notebook_sha256": self.notebook_sha256}
        self.journal.append("run-started", body | {"parameters": {}, "replay": self.replay is not None})

    def ended(self, summary: Summary) -> None:
        """Record the end of a run by hand, and save the recording when one is being made."""
        if self.by_hand:
            self.journal.append("run-ended", {"runbook": summary.runbook, "state": "done", "exit": 0})
        if self.recorder and self.recording:
            self.recorder.save(self.recording, self._header())

    def _header(self) -> dict[str, Any]:
        named = plain(self.settings.model_dump())
        named["kubernetes"] = {"context": self._cluster}
        return {
            "v": 1, "runbook": self.runbook, "at": self.began, "mode": self.mode.value, "settings": named,
            "incident": self.journal.incident, "actor": self.journal.actor.name, "approval": self._approved(),
        }  # fmt: skip

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
        """End a replay, and take its record away when nobody keeps it."""
        if self.replay:
            self.replay.close()
            if self.by_hand:
                shutil.rmtree(self.journal.path.parent.parent, ignore_errors=True)


def scene(runbook: str, *, incident: str, service: str, mode: Mode) -> Scene:
    """Return the scene of a run; see `watch.begin` for the arguments and errors."""
    context = json.loads(os.environ.get(VARIABLE, "{}"))
    found = catalog.find(runbook)
    replayed = context.get("replay", "") or ("" if service or context.get("live") else str(found.recording))
    return _replayed(found, Path(replayed), context) if replayed else _live(found, incident, service, mode, context)


def _replayed(runbook: catalog.Runbook, recording: Path, context: Mapping[str, Any]) -> Scene:
    tape = Tape.load(recording)
    replay = Replay(tape)
    header = tape.header
    settings = configuration.parse(header["settings"], f"the recording {recording}")
    writer = Writer(replay, Actor(header["actor"]), "replay")
    record = Record(Path(context["record"])) if context.get("record") else _passing(header["incident"])
    journal = writer.journal(record, context.get("run", "replay"))
    if not record.journal.exists():
        journal.append("opened", {"practice": settings.practice, "replay": True, "cluster": "replay"})
    return Scene(
        runbook=runbook.name, notebook_sha256=runbook.sha256, settings=settings, clock=replay, journal=journal,
        systems=connect(settings, replay=replay), mode=Mode(header["mode"]), by_hand=not context.get("record"),
        replay=replay, approval=header.get("approval", {}),
    )  # fmt: skip


def _passing(incident: str) -> Record:
    """Return a record in a new folder of the machine's temporary ones, under the recorded incident's id."""
    folder = Path(tempfile.mkdtemp(prefix="firstwatch-replay-")) / incident
    folder.mkdir()
    return Record(folder)


def _live(runbook: catalog.Runbook, incident: str, service: str, mode: Mode, context: Mapping[str, Any]) -> Scene:
    path = configuration.find(os.environ, Path.cwd())
    if path is None:
        raise BadParameter(f"no {configuration.FILE} here or above, so service {service!r} is not known")
    settings = configuration.load(path)
    if service and service != settings.service.name:
        hint = nearest(service, [settings.service.name])
        raise NotFound(f"{path} describes no service {service!r}; {hint}")
    clock = WallClock()
    recording = Path(context["recording"]) if context.get("recording") else None
    recorder = Recorder(clock) if recording else None
    systems = connect(settings, recorder=recorder)
    writer = Writer(clock, configuration.actor(os.environ, settings), configuration.credential())
    record = _record(configuration.records(os.environ, path), incident, writer, settings, systems, context)
    return Scene(
        runbook=runbook.name, notebook_sha256=runbook.sha256, settings=settings, clock=clock, systems=systems,
        mode=mode, journal=writer.journal(record, context.get("run") or new_run()), by_hand=not context.get("record"),
        recorder=recorder, recording=recording, began=timestamp(clock.now() - timedelta(milliseconds=1)),
    )  # fmt: skip


def _record(
    root: Path, incident: str, writer: Writer, settings: Settings, systems: Systems, context: Mapping[str, Any]
) -> Record:
    if context.get("record"):
        return Record(Path(context["record"]))
    store = Store(root)
    if incident or store.unresolved():
        return store.single(incident)
    return store.open(writer, opening(settings, systems.cluster.context))


def opening(settings: Settings, cluster: str) -> dict[str, Any]:
    """Return the body of a record's first event."""
    return {"practice": settings.practice, "replay": False, "cluster": cluster, "service": settings.service.name}
