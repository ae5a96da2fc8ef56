"""
Undo: take a change back that is in force, if the world is still as the change left it.

What the change wrote must still be there, field by field. If somebody has been there since, an undo would take their
work back too, so it refuses and says what differs.
"""

from dataclasses import replace

from firstwatch.actions import change, stick
from firstwatch.actions.difference import difference
from firstwatch.errors import BadParameter, Conflict, NotFound
from firstwatch.model import Plan
from firstwatch.systems import Systems


def undo(systems: Systems, done: Plan, key: str) -> Plan:
    """
    Return the plan that takes back *done*, recorded under *key*.

    Raises:
        BadParameter: It cannot be undone.
        Conflict: What it wrote is no longer there, or its target is gone; the message says what is.
    """
    if not done.undo:
        raise BadParameter(f"change {key} ({done.action}) has no undo")
    try:
        found = systems.cluster.get(done.target.kind, done.target.namespace, done.target.name)
    except NotFound as error:
        raise Conflict(f"{done.target} is gone: {error}; there is nothing to undo, so accept the change") from error
    found = {"kind": done.target.kind, **found}
    drifted = change.drift(done, found)
    if drifted:
        raise Conflict(f"{done.target} was changed since: {'; '.join(drifted[:3])}; undo would take that back too")
    metadata = found["metadata"]
    target = replace(done.target, uid=metadata["uid"], generation=metadata.get("generation", 0))
    lines = [line for each in done.undo for line in difference(each.before, each.after, each.path)]
    return Plan(
        action=f"undo-{done.action}", target=target, changes=done.undo, undo=done.changes, summary=tuple(lines),
        destructive=done.destructive, sticks=stick.sticks(systems, found, target), undoes=key,
        parameters=done.parameters, runbook=done.runbook, notebook_sha256=done.notebook_sha256,
    )  # fmt: skip
