"""
Settling: what became of a change that was begun and whose outcome nobody recorded.

Every request writes a mark beside its change, and is bound to the resourceVersion that it read. So the live object
tells: the mark is there, and it was done; or the object has moved on without it, and the request cannot arrive any
more. While neither is so, a request that was sent just now may still be on its way. Nothing is changed here.

A session of the database bears no mark: it is gone, and that is done, whoever did it; or it is there, and that is not.
It must be the same server that is asked: on another, or one that was started anew, no session of before is there.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from firstwatch.actions import change
from firstwatch.errors import FirstwatchError, NotFound
from firstwatch.model import Json, Plan, Target
from firstwatch.record.incident import Applied
from firstwatch.systems import Systems, sessions

IN_FLIGHT = timedelta(seconds=60)  # the longest that a Kubernetes API server works on one request


@dataclass(frozen=True, slots=True)
class Settled:
    """`result` is done, not done or unknown. `drift` is what of a change that was done is no longer there."""

    result: str
    detail: str
    drift: tuple[str, ...] = ()


def ask(systems: Systems, doubt: Applied, cluster: str, now: datetime) -> Settled:
    """Return what the live system says of *doubt*, a change that was made in *cluster*; it is only read."""
    target = doubt.plan.target
    if cluster and cluster != systems.cluster.context:
        return Settled("unknown", f"it was for cluster {cluster}, and this is {systems.cluster.context}")
    try:
        found = _found(systems, target)
        if _elsewhere(systems, target):  # asked after that: a failover between the two is noticed
            return Settled("unknown", f"{target} was on another server than answers now, or it was started anew since")
    except FirstwatchError as error:
        return Settled("unknown", f"it cannot be asked: {error}")
    return judge(doubt, found, now) if found else _gone(doubt, now)


def _found(systems: Systems, target: Target) -> Json | None:
    try:
        return systems.get(target.kind, target.namespace, target.name)
    except NotFound:
        return None


def _elsewhere(systems: Systems, target: Target) -> bool:
    dsn = systems.settings.database.dsn
    return target.kind == sessions.KIND and not sessions.lived_on(target.uid, systems.deck, dsn)


def _gone(doubt: Applied, now: datetime) -> Settled:
    """Return what it says of *doubt* that its target is not there at *now*."""
    target = doubt.plan.target
    if change.deletes(doubt.plan):
        return Settled("done", f"{target} is gone")
    if change.creates(doubt.plan) and now < doubt.at + IN_FLIGHT:
        return Settled(
            "unknown", f"it is not there, and may still be on its way; ask again in {_left(doubt, now):.0f} s"
        )
    return Settled("not done", f"{target} is not there any more, so nothing of it is in force")


def _left(doubt: Applied, now: datetime) -> float:
    return (doubt.at + IN_FLIGHT - now).total_seconds()


def judge(doubt: Applied, found: Json, now: datetime) -> Settled:
    """Return what *found*, the target as it is at *now*, says of *doubt*."""
    metadata, plan = found["metadata"], doubt.plan
    drift = tuple(change.drift(plan, found))
    if change.creates(plan):
        return _made(doubt, found, drift)
    if metadata["uid"] != plan.target.uid:
        result = "done" if change.deletes(plan) else "not done"
        return Settled(result, f"{plan.target} was made again since, so nothing of it is in force")
    if doubt.mark and metadata.get("annotations", {}).get(change.MARK) == doubt.mark:
        moved = f"; but it was changed since: {'; '.join(drift[:3])}" if drift else ""
        return Settled("done", f"{plan.target} carries its mark{moved}", drift)
    if doubt.version in ("", metadata["resourceVersion"]) and now < doubt.at + IN_FLIGHT:
        return Settled(
            "unknown", f"it is not there, and may still be on its way; ask again in {_left(doubt, now):.0f} s"
        )
    if plan.target.kind == sessions.KIND:
        return Settled("not done", f"{plan.target} is still there, and the statement can no longer arrive")
    return _without_its_mark(plan, found, drift)


def _made(doubt: Applied, found: Json, drift: tuple[str, ...]) -> Settled:
    """Return whether *found*, which is there, is what *doubt* would have made."""
    mark = found["metadata"].get("annotations", {}).get(change.MARK)
    if doubt.mark and mark == doubt.mark:
        return Settled("done", f"{doubt.plan.target} carries its mark", drift)
    return Settled("not done", f"{doubt.plan.target} is there without its mark: somebody else made it")


def _without_its_mark(plan: Plan, found: Json, drift: tuple[str, ...]) -> Settled:
    """Return what *found* says of *plan*, whose request can no longer arrive."""
    without, generation = f"{plan.target} does not carry its mark, and", found["metadata"].get("generation", 0)
    if plan.target.generation and generation == plan.target.generation and drift:
        return Settled("not done", f"{without} has not moved since the plan")
    if all(change.seen(found, each, each.before) == each.before for each in plan.changes):
        return Settled("not done", f"{without} has what it had before")
    return Settled("unknown", f"{without} somebody else changed it since; look at it yourself")
