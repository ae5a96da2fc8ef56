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
from firstwatch.errors import (
    BadParameter,
    Conflict,
    FirstwatchError,
    GateClosed,
    OutcomeUnknown,
    Unavailable,
)
from firstwatch.model import Findings, Mode, Outcome, Plan, Result, Verdict, mode
from firstwatch.policy.gate import Gate, Rule, decide
from firstwatch.probes import probe as looking
from firstwatch.probes.probe import Probe
from firstwatch.probes.sweep import rank, sweep
from firstwatch.probes.traffic import history
from firstwatch.record.incident import Incident, fold
from firstwatch.record.journal import Journal, read
from firstwatch.runs.scene import Scene, scene
from firstwatch.runs.summary import Summary
from firstwatch.systems import Systems

POLL_S = 2.0


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

    def __repr__(self) -> str:
        return self.scene.banner

    def _repr_markdown_(self) -> str:
        return "\n".join(f"> {line}  " for line in self.scene.banner.splitlines())

    def look(self, *probes: Probe) -> Findings:
        """Return what *probes* find now, ranked when there are several."""
        self._asked += [probe for probe in probes if probe not in self._asked]
        return self._look("looked", probes)

    def _look(self, kind: str, probes: Sequence[Probe], **more: Any) -> Findings:
        now = self.clock.now()
        alone = len(probes) == 1
        found = rank(looking.ask(probes[0], self.systems, now)) if alone else sweep(probes, self.systems, now)
        self.journal.append(kind, {"findings": found, "verdict": found.verdict, **more})
        return found

    def plan(self, action: Action, **parameters: Any) -> Plan:
        """
        Return the plan of *action*, made against the live system; nothing is written there.

        A plan of this runbook that is applied and in force in this incident is returned as it is: asking again for
        "the revision before" must not roll forward.
        """
        done = self._in_force(action.name, parameters)
        if done:
            return done
        plan = action.plan(self.systems, parameters)
        plan = replace(plan, runbook=self.scene.runbook, notebook_sha256=self.scene.notebook_sha256)
        self.journal.append("planned", {"hash": plan.hash, "plan": plan})
        return plan

    def _in_force(self, name: str, parameters: dict[str, Any]) -> Plan | None:
        for each in self._incident().in_force:
            plan = each.plan
            if (plan.action, plan.runbook, dict(plan.parameters)) == (name, self.scene.runbook, parameters):
                return plan
        return None

    def gate(self, plan: Plan) -> Gate:
        """
        Return whether *plan* may be applied, and what is missing.

        Raises:
            GateClosed: Something is missing, in mode `apply`. Later cells do not run.
        """
        self.scene.approve_as_recorded(plan)
        gate = self._gate(plan)
        self.journal.append(
            "gate", {"plan": plan.hash, "state": "open" if gate.open else "closed", "missing": gate.missing}
        )
        if not gate.open and self.mode is Mode.APPLY:
            raise GateClosed(f"{'; '.join(gate.missing)}. Then run this again: {gate.command}")
        return gate

    def _gate(self, plan: Plan) -> Gate:
        incident = self._incident()
        rule = Rule(self.scene.self_approval, incident.severity)
        return decide(plan, incident.approvals, self.journal.actor.name, rule, self.clock.now(), incident.id)

    def apply(self, plan: Plan) -> Outcome:
        """
        Do what *plan* says, once, and return the outcome.

        The intent is on disk before the request leaves. In mode `observe` nothing is sent.

        Raises:
            GateClosed: It is not approved, or no longer.
            Conflict: The target moved since the plan.
            OutcomeUnknown: It was sent, now or by an earlier run, and nobody knows what became of it.
            RecordNotWritable: The intent could not be recorded, so nothing was sent.
        """
        if self.mode is Mode.OBSERVE:
            return Outcome(Result.NOT_APPLIED, plan.hash, detail="observing; run with --apply to change anything")
        earlier = self._earlier(plan)
        if earlier:
            return earlier
        gate = self._gate(plan)
        if not gate.open:
            raise GateClosed(f"{'; '.join(gate.missing)}: {gate.command}")
        return carry_out(plan, self.systems, self.journal)

    def _earlier(self, plan: Plan) -> Outcome | None:
        """Return the outcome of *plan* when an earlier run applied it; OutcomeUnknown when that run did not tell."""
        found = next((each for each in self._incident().changes if each.key == plan.hash), None)
        if found is None or found.result in (Result.FAILED, Result.REFUSED):
            return None
        if found.result is Result.OK:
            return Outcome(Result.OK, plan.hash, plan.hash, "applied by an earlier run; not sent again")
        raise OutcomeUnknown(
            f"plan {plan.hash} was begun by an earlier run, and its outcome is not known; look at {plan.target}"
        )

    def verify(self, plan: Plan | None = None, within: str = "5m") -> Findings:
        """
        Look again, with the probes that were asked before, until all say OK or *within* has passed.

        UNKNOWN never passes. A *plan* that was only observed is looked at once: there is nothing to wait for.
        """
        probes = self._asked or list(self.scene.default_probes)
        ends = self.clock.monotonic_ns() + int(_span(within) / timedelta(microseconds=1)) * 1000
        waits = plan is None or self.mode is Mode.APPLY
        while True:
            found = self._ask_again(probes)
            if found.verdict is Verdict.OK or not waits or self.clock.monotonic_ns() >= ends:
                break
            self.clock.sleep(POLL_S)
        self.journal.append(
            "verified", {"findings": found, "verdict": found.verdict, "plan": plan.hash if plan else ""}
        )
        return found

    def _ask_again(self, probes: Sequence[Probe]) -> Findings:
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


def carry_out(plan: Plan, systems: Systems, journal: Journal) -> Outcome:
    """
    Send the change of an approved *plan*: intent, one request, outcome, each on disk before the next.

    Raises:
        Conflict, Refused, Unavailable: It was not done; recorded as refused or failed.
        OutcomeUnknown: It may have been done; recorded as unknown.
    """
    journal.append("intent", {"key": plan.hash, "hash": plan.hash, "plan": plan})
    try:
        written = change.apply(systems, plan, f"{journal.incident}.{plan.hash}")
    except FirstwatchError as error:
        journal.append("outcome", _outcome(plan, _result(error), str(error)))
        raise
    after = written["metadata"]
    journal.append(
        "outcome", _outcome(plan, Result.OK, "", generation=after["generation"], version=after["resourceVersion"])
    )
    return Outcome(Result.OK, plan.hash, plan.hash, f"{plan.target} is now at generation {after['generation']}")


def _result(error: FirstwatchError) -> Result:
    if isinstance(error, OutcomeUnknown):
        return Result.UNKNOWN
    return Result.REFUSED if isinstance(error, Conflict) or not isinstance(error, Unavailable) else Result.FAILED


def _outcome(plan: Plan, result: Result, detail: str, **more: Any) -> dict[str, Any]:
    return {"key": plan.hash, "plan": plan.hash, "result": result, "detail": detail, **more}


def _span(text: str) -> timedelta:
    try:
        return duration(text)
    except ValueError as error:
        raise BadParameter(f"within: {error}") from error
