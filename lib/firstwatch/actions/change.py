"""
Changing an object: the one place that writes.

A change is a JSON patch that carries the object's uid as a test and its resourceVersion as a value, so that the API
itself refuses to write to another object, or to one that has moved. It is sent once. A conflict means that it was not
written: then the object is read again, and sent once more if nothing but its status has moved.
"""

from collections.abc import Iterable
from typing import Any

from firstwatch.errors import Conflict
from firstwatch.model import Change, Json, Plan, Target
from firstwatch.systems import Systems

MARK = "firstwatch/change"  # the annotation that tells, after a crash, whether a change arrived


def at(thing: Json, pointer: str) -> Json:
    """Return what is at a JSON pointer (RFC 6901), or None when there is nothing."""
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        thing = thing.get(key) if isinstance(thing, dict) else None
    return thing


def operations(changes: Iterable[Change], found: Json, mark: str = "") -> list[dict[str, Any]]:
    """Return the JSON patch that makes *changes* to the object *found*, and to no other."""
    metadata = found["metadata"]
    bound = [
        {"op": "test", "path": "/metadata/uid", "value": metadata["uid"]},
        {"op": "replace", "path": "/metadata/resourceVersion", "value": metadata["resourceVersion"]},
    ]
    return bound + _marked(metadata, mark) + [_operation(each) for each in changes]


def _marked(metadata: Json, mark: str) -> list[dict[str, Any]]:
    if not mark:
        return []
    made = [] if "annotations" in metadata else [{"op": "add", "path": "/metadata/annotations", "value": {}}]
    return [*made, {"op": "add", "path": f"/metadata/annotations/{MARK.replace('/', '~1')}", "value": mark}]


def _operation(change: Change) -> dict[str, Any]:
    if change.after is None:
        return {"op": "remove", "path": change.path}
    return {"op": "add" if change.before is None else "replace", "path": change.path, "value": change.after}


def send(systems: Systems, target: Target, patch: list[dict[str, Any]], *, dry_run: bool) -> Json:
    """Send *patch* to *target* and return the object that it made, or would make."""
    return systems.cluster.patch(target.kind, target.namespace, target.name, patch, dry_run=dry_run)


def fresh(systems: Systems, plan: Plan) -> Json:
    """
    Return the target as it is now.

    Raises:
        Conflict: It is another object, its spec has moved, or a field to be changed is not what the plan saw.
    """
    found = systems.cluster.get(plan.target.kind, plan.target.namespace, plan.target.name)
    moved = list(_moved(plan, found))
    if moved:
        raise Conflict(f"{plan.target} moved since plan {plan.hash}: {'; '.join(moved)}; plan again")
    return found


def _moved(plan: Plan, found: Json) -> Iterable[str]:
    if found["metadata"]["uid"] != plan.target.uid:
        yield "it was deleted and made again"
    elif found["metadata"]["generation"] != plan.target.generation:
        yield f"generation {plan.target.generation} → {found['metadata']['generation']}"
    for change in plan.changes:
        if at(found, change.path) != change.before:
            yield f"{change.path} is not what it was"


def apply(systems: Systems, plan: Plan, mark: str) -> Json:
    """
    Do what *plan* says, and return the object as written.

    Raises:
        Conflict: The target moved. Nothing was written.
        Refused: We may not. Nothing was written.
        Unavailable: The cluster could not be reached. Nothing was written.
        OutcomeUnknown: It was sent, and no definite answer came.
    """
    found = fresh(systems, plan)
    try:
        return send(systems, plan.target, operations(plan.changes, found, mark), dry_run=False)
    except Conflict:
        found = fresh(systems, plan)
        return send(systems, plan.target, operations(plan.changes, found, mark), dry_run=False)
