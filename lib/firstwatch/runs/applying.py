"""
Applying: an approved plan becomes one request, and the record knows of it before and after.

The decision is made while the target's turn is held, from what the journal says then: whether this plan was applied
before, whether anybody else is at it, whether the gate is open. Then the target is read, the intent with all that was
read goes to the disk, one request is sent, and the outcome goes to the disk.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from firstwatch.actions import change
from firstwatch.errors import (
    Conflict,
    FirstwatchError,
    GateClosed,
    OutcomeUnknown,
    RecordNotWritable,
    Refused,
    Unavailable,
)
from firstwatch.model import Json, Outcome, Plan, Result, clock_time
from firstwatch.policy import lease
from firstwatch.policy.gate import Gate, Rule, decide
from firstwatch.record.incident import Incident, fold
from firstwatch.record.journal import Journal, read
from firstwatch.runs.turn import turn
from firstwatch.systems import Systems


def carry_out(plan: Plan, systems: Systems, journal: Journal, rule: Rule) -> Outcome:
    """
    Do what *plan* says, once, if *rule* lets it through the gate.

    Raises:
        GateClosed: It is not approved, or no longer.
        Conflict: Somebody else is at the target, or it moved since the plan. Nothing was written.
        Refused, Unavailable: Nothing was written.
        OutcomeUnknown: It was sent, now or by an earlier run, and nobody knows what became of it.
        RecordNotWritable: The intent could not be recorded, so nothing was sent.
    """
    if not plan.changes:
        return Outcome(Result.OK, plan.hash, detail="nothing was needed")
    who = f"{journal.actor.name} in incident {journal.incident}, plan {plan.hash}"
    with turn(journal.path.parent.parent, plan.target, who):
        incident = fold(read(journal.path))
        earlier = _earlier(plan, incident)
        if earlier:
            return earlier
        _free(plan, incident, journal.clock.now())
        gate = admitted(plan, incident, journal, rule)
        if not gate.open:
            raise GateClosed(gate.sentence)
        return _send(plan, systems, journal, _key(plan, incident), gate)


def admitted(plan: Plan, incident: Incident, journal: Journal, rule: Rule) -> Gate:
    """Return the gate of *plan* for the journal's actor, with the severity that *incident* has now."""
    by = journal.actor.name
    now = journal.clock.now()
    return decide(plan, incident.approvals, by, replace(rule, severity=incident.severity), now, incident.id)


def _earlier(plan: Plan, incident: Incident) -> Outcome | None:
    done = (each for each in incident.changes if each.plan.hash == plan.hash and each.result is Result.OK)
    found = next(done, None)
    return Outcome(Result.OK, plan.hash, found.key, "applied by an earlier run; not sent again") if found else None


def _free(plan: Plan, incident: Incident, now: datetime) -> None:
    """See that nobody else is at the target, and that nothing is in doubt there."""
    holder = lease.held(incident.leases, plan.target.uid, now)
    ask = f"firstwatch resume {incident.id} asks what became of it"
    if holder:
        until = f"nobody else changes {plan.target} until {clock_time(holder.until)}"
        raise Conflict(f"{holder.holder} began change {holder.change} and has not told its outcome; {until}; {ask}")
    doubt = next((each for each in incident.in_doubt if each.plan.target.uid == plan.target.uid), None)
    if doubt:
        raise OutcomeUnknown(f"change {doubt.key} of {plan.target} was begun, and its outcome is not known; {ask}")


def _key(plan: Plan, incident: Incident) -> str:
    """Return the idempotency key: the plan's hash, and a number when an earlier attempt was settled as not done."""
    before = sum(each.plan.hash == plan.hash for each in incident.changes)
    return f"{plan.hash}-{before + 1}" if before else plan.hash


def _send(plan: Plan, systems: Systems, journal: Journal, key: str, gate: Gate) -> Outcome:
    mark = f"{journal.incident}.{key}"
    try:
        written = change.apply(systems, plan, mark, _intending(plan, journal, key, mark, gate))
    except RecordNotWritable:
        raise
    except FirstwatchError as error:
        journal.append("outcome", _outcome(plan, key, _result(error), str(error)))
        raise
    after = written["metadata"]
    told = {"generation": after.get("generation", 0), "version": after["resourceVersion"], "uid": after["uid"]}
    journal.append("outcome", _outcome(plan, key, Result.OK, "", **told))
    now = "gone" if change.deletes(plan) else f"now at generation {told['generation']}"
    return Outcome(Result.OK, plan.hash, key, f"{plan.target} is {now}")


def _intending(plan: Plan, journal: Journal, key: str, mark: str, gate: Gate) -> Callable[[Json], None]:
    """Return what records the intent, once the target was read and before the request leaves."""

    def intend(found: Json) -> None:
        metadata = found["metadata"]
        body = {
            "key": key, "hash": plan.hash, "plan": plan, "mark": mark, "approvals": gate.approvals,
            "uid": metadata["uid"], "version": metadata["resourceVersion"], "generation": metadata.get("generation", 0),
            "lease": journal.clock.now() + lease.TERM,
        }  # fmt: skip
        journal.append("intent", body)

    return intend


def _result(error: FirstwatchError) -> Result:
    if isinstance(error, OutcomeUnknown):
        return Result.UNKNOWN
    return Result.FAILED if isinstance(error, Unavailable) and not isinstance(error, Refused) else Result.REFUSED


def _outcome(plan: Plan, key: str, result: Result, detail: str, **more: Any) -> dict[str, Any]:
    return {"key": key, "plan": plan.hash, "result": result, "detail": detail, **more}
