"""
Undo: take a change back that is in force, if the world is still as the change left it.

What the change wrote must still be there, field by field. If somebody has been there since, an undo would take their
work back too, so it refuses and says what differs.
"""

from firstwatch.actions import change, stick
from firstwatch.actions.action import difference
from firstwatch.errors import BadParameter, Conflict
from firstwatch.model import Plan, Target
from firstwatch.systems import Systems


def undo(systems: Systems, done: Plan, key: str) -> Plan:
    """
    Return the plan that takes back *done*, recorded under *key*.

    Raises:
        BadParameter: It cannot be undone.
        Conflict: What it wrote is no longer there; the message says what is.
    """
    if not done.undo:
        raise BadParameter(f"change {key} ({done.action}) has no undo")
    found = systems.cluster.get(done.target.kind, done.target.namespace, done.target.name)
    found = {"kind": done.target.kind, **found}
    drift = [line for each in done.changes for line in difference(each.after, change.at(found, each.path), each.path)]
    if drift:
        raise Conflict(f"{done.target} was changed since: {'; '.join(drift[:3])}; undo would take that back too")
    metadata = found["metadata"]
    target = Target(done.target.kind, done.target.namespace, done.target.name, metadata["uid"], metadata["generation"])
    lines = [line for each in done.undo for line in difference(each.before, each.after, each.path)]
    return Plan(
        action=f"undo-{done.action}", target=target, changes=done.undo, undo=done.changes, summary=tuple(lines),
        destructive=done.destructive, sticks=stick.sticks(found, target), undoes=key, parameters=done.parameters,
        runbook=done.runbook, notebook_sha256=done.notebook_sha256,
    )  # fmt: skip
