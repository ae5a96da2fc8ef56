"""
The watch: what a runbook's cells call. `begin` opens it.

Each call does one thing, records it, and returns a value that shows itself. Whether a run is live, observing or a
replay is decided once, in `begin`, and the cells do not know.
"""

import atexit
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from firstwatch.actions import change
from firstwatch.actions.action import Action
from firstwatch.clock import Clock, duration
from firstwatch.errors import BadParameter, FirstwatchError, GateClosed, NotFound
from firstwatch.model import Findings, Mode, Outcome, Plan, Result, Verdict, mode
from firstwatch.policy.gate import Gate, Rule
from firstwatch.probes import probe as looking
from firstwatch.probes.early import early
from firstwatch.probes.probe import Probe
from firstwatch.probes.ranking import rank
from firstwatch.probes.settled import settled
from firstwatch.probes.sweep import sweep
from firstwatch.probes.traffic import error_rate, error_shares, history, latency
from firstwatch.record.incident import Incident, fold
from firstwatch.record.journal import Journal, read
from firstwatch.runs import whisper
from firstwatch.runs.applying import admitted, carry_out
from firstwatch.runs.scene import Scene, scene
from firstwatch.runs.summary import Summary
from firstwatch.systems import Systems

POLL_S = 2.0
EARLY = "10s"  # for how long a look waits for what changed moments ago to show in a rate
MEASURED = (error_rate, error_shares, latency)  # rates over a time, in which pods that have just begun hardly count
SKEW = timedelta(seconds=30)  # by how much clocks may differ before a reader must know


def begin(runbook: str, *, incident: str = "", service: str = "", mode: str = "observe") -> "Watch":
    """
    Open the watch of a run.

    Args:
        runbook: Its name, `mitigate/rollback`: a kernel does not know which notebook it runs.
        incident: The record to write to; empty for the one that is open, else a new one.
        service: Empty replays the runbook's recording. A name must be the one in the configuration.
        mode: `observe` plans and shows; `apply` may change, behind the gate.

    Raises:
        BadParameter: The mode, the service or the incident is not one that can be used.
        RecordNotWritable: Nothing can be recorded, so nothing is begun.
    """
    set_up = scene(runbook, incident=incident, service=service, mode=_mode(mode))
    watch = Watch(set_up, set_up.systems, set_up.journal, set_up.clock, set_up.mode)
    if set_up.by_hand:
        set_up.started()
    atexit.register(set_up.close)
    whisper.tell()
    return watch


_mode = mode  # the parameter of `begin` has the same name


@dataclass(slots=True, repr=False)
class Watch:
    """One run of a runbook: looks, plans, applies and verifies, and records each."""

    scene: Scene
    systems: Systems
    journal: Journal
    clock: Clock
    mode: Mode
    _asked: list[Probe] = field(default_factory=list)
    _compared: bool = False

    def __repr__(self) -> str:
        return self.scene.banner

    def _repr_markdown_(self) -> str:
        return "\n".join(f"> {line}  " for line in self.scene.banner.splitlines())

    def look(self, *probes: Probe) -> Findings:
        """
        Return what *probes* find now, ranked when there are several.

        Several look again, for a few seconds at most, while nothing is BAD that could be too young to be measured.
        """
        self._asked += [probe for probe in probes if probe.measured and probe not in self._asked]
        found = self._alone(probes[0]) if len(probes) == 1 else self._together(probes)
        whisper.tell()  # a credential may have been renewed
        self.journal.append("looked", {"findings": found, "verdict": found.verdict})
        self._compare_clocks()
        return found

    def _alone(self, probe: Probe) -> Findings:
        return rank(looking.ask(probe, self.systems, self.clock.now()))

    def _together(self, probes: Sequence[Probe]) -> Findings:
        ends = self.clock.monotonic_ns() + _nanoseconds(EARLY)
        found = self._swept(probes)
        while early(found, self.clock.now()) and self.clock.monotonic_ns() < ends:
            self.clock.sleep(POLL_S)
            found = self._swept(probes)
        return found

    def _compare_clocks(self) -> None:
        """Record, once a run, that the cluster's clock is not ours: its times and ours are compared all along."""
        skew = self.systems.cluster.skew
        if self._compared or skew is None or abs(skew) <= SKEW:
            return
        self._compared, way = True, "ahead of" if skew > timedelta(0) else "behind"
        where, seconds = self.systems.cluster.host, round(abs(skew.total_seconds()))
        text = f"the clock of the cluster at {where} is {seconds} s {way} this machine's: look at both, by NTP"
        self.journal.append("skewed", {"text": text, "ahead_s": round(skew.total_seconds()), "cluster": where})

    def plan(self, action: Action, **parameters: Any) -> Plan:
        """
        Return the plan of *action*, made against the live system; nothing is written there.

        A plan of this runbook that is in force in this incident, and still there, is returned as it is: asking again
        for "the revision before" must not roll forward.
        """
        done = self._in_force(action.name, parameters)
        if done and not self._drifted(done):
            return done
        plan = action.plan(self.systems, parameters)
        plan = replace(plan, runbook=self.scene.runbook, notebook_sha256=self.scene.notebook_sha256)
        self.journal.append("planned", {"hash": plan.hash, "plan": plan})
        self._compare_clocks()
        return plan

    def _in_force(self, name: str, parameters: dict[str, Any]) -> Plan | None:
        for each in self._incident().in_force:
            plan = each.plan
            if (plan.action, plan.runbook, dict(plan.parameters)) == (name, self.scene.runbook, parameters):
                return plan
        return None

    def _drifted(self, done: Plan) -> bool:
        """Whether somebody has changed since what *done* wrote: then it heals nothing any more."""
        try:
            found = self.systems.get(done.target.kind, done.target.namespace, done.target.name)
        except NotFound:
            return True
        return bool(change.drift(done, found))

    def gate(self, plan: Plan) -> Gate:
        """
        Return whether *plan* may be applied, and what is missing.

        Raises:
            GateClosed: Something is missing, in mode `apply`. Later cells do not run.
        """
        self.scene.approve_as_recorded(plan)
        gate = admitted(plan, self._incident(), self.journal, self._rule)
        self.journal.append(
            "gate", {"plan": plan.hash, "state": "open" if gate.open else "closed", "missing": gate.missing}
        )
        if not gate.open and self.mode is Mode.APPLY:
            raise GateClosed(gate.sentence)
        return gate

    @property
    def _rule(self) -> Rule:
        return Rule(self.scene.self_approval, approvers=self.scene.settings.approval.approvers)

    def apply(self, plan: Plan) -> Outcome:
        """
        Do what *plan* says, once, and return the outcome.

        The intent is on disk before the request leaves. In mode `observe` nothing is sent.

        Raises:
            GateClosed: It is not approved, or no longer.
            Conflict: Somebody else is at the target, or it moved since the plan.
            OutcomeUnknown: It was sent, now or by an earlier run, and nobody knows what became of it.
            RecordNotWritable: The intent could not be recorded, so nothing was sent.
        """
        if self.mode is Mode.OBSERVE:
            return Outcome(Result.NOT_APPLIED, plan.hash, detail="observing; run with --apply to change anything")
        return carry_out(plan, self.systems, self.journal, self._rule)

    def verify(self, plan: Plan | None = None, within: str = "5m", steady: str = "0s") -> Findings:
        """
        Look again, with the probes that were asked before, until all say OK or *within* has passed.

        All must say OK for as long as *steady* says, without a break; that time comes on top of *within*.

        UNKNOWN never passes. What is measured must be measured of pods that have run for that long (`settled`). A
        *plan* that was only observed is looked at once: there is nothing to wait for.
        """
        probes = self._asked or list(self.scene.default_probes)
        if any(each in MEASURED for each in probes) and settled not in probes:
            probes = [*probes, settled]
        ends = self.clock.monotonic_ns() + _nanoseconds(within)
        well: int | None = None  # since when all is
        waits = plan is None or self.mode is Mode.APPLY
        while True:
            found = self._swept(probes)
            now = self.clock.monotonic_ns()
            well = (now if well is None else well) if found.verdict is Verdict.OK else None
            if not waits or (now >= ends if well is None else now - well >= _nanoseconds(steady)):
                break
            self.clock.sleep(POLL_S)
        self.journal.append(
            "verified", {"findings": found, "verdict": found.verdict, "plan": plan.hash if plan else ""}
        )
        self._compare_clocks()
        return found

    def _swept(self, probes: Sequence[Probe]) -> Findings:
        return sweep(probes, self.systems, self.clock.now())

    def summary(self) -> Summary:
        """Return what this run saw and did and what is left, and record the error rate for the page's plot."""
        self._measure()
        summary = Summary.of(self._incident(), self.scene.runbook, self.mode)
        self.scene.ended(summary)
        return summary

    def _measure(self) -> None:
        limit = self.systems.settings.thresholds.error_rate
        try:
            samples = history(self.systems, self.clock.now())
        except FirstwatchError:
            return  # no plot; the probe has said why already
        points = [[sample.at.timestamp(), sample.value] for sample in samples if sample.value == sample.value]
        name = self.systems.settings.prometheus.error_rate
        self.journal.append("measured", {"name": name, "unit": "share of requests", "points": points, "limit": limit})

    def _incident(self) -> Incident:
        return fold(read(self.journal.path))


def _nanoseconds(text: str) -> int:
    return int(_span(text) / timedelta(microseconds=1)) * 1000


def _span(text: str) -> timedelta:
    try:
        return duration(text)
    except ValueError as error:
        raise BadParameter(f"within: {error}") from error
