"""
Changing an object: the one place that writes.

A change is a JSON patch that carries the object's uid as a test and its resourceVersion as a value, so that the API
itself refuses to write to another object, or to one that has moved. It is sent once. A conflict means that it was not
written: then the object is read again, and sent again if nothing but its status has moved, as it does all the time
while its pods come and go.

A change at the empty pointer is of the whole object: from nothing it makes it, to nothing it deletes it. A session of
the database is such an object: to delete it is to end it.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import islice
from typing import Any

from firstwatch.actions import whole
from firstwatch.actions.difference import difference
from firstwatch.errors import Conflict, NotFound
from firstwatch.model import Change, Json, Plan, Target
from firstwatch.systems import Systems

MOST_TOLD = 5  # differences of one field; who wants them all plans again
NOTHING: Json = {"metadata": {"uid": "", "resourceVersion": ""}}  # what is read where there is no object yet
MOST_TRIES = 5  # of a write that the API refused each time: what the Kubernetes client for Go does too
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


def seen(found: Json, change: Change, like: Json) -> Json:
    """Return what of *found* stands where *change* is; of a whole object what *like* names."""
    return at(found, change.path) if change.path else whole.kept(like, found)


def creates(plan: Plan) -> bool:
    return any(not each.path and each.before is None for each in plan.changes)


def deletes(plan: Plan) -> bool:
    return any(not each.path and each.after is None for each in plan.changes)


def send(systems: Systems, target: Target, patch: list[dict[str, Any]], *, dry_run: bool) -> Json:
    """Send *patch* to *target* and return the object that it made, or would make."""
    return systems.cluster.patch(target.kind, target.namespace, target.name, patch, dry_run=dry_run)


def fresh(systems: Systems, plan: Plan) -> Json:
    """
    Return the target as it is now.

    Raises:
        Conflict: It is gone or another object, its spec has moved, or a field to be changed is not what the plan saw.
    """
    try:
        found = systems.get(plan.target.kind, plan.target.namespace, plan.target.name)
    except NotFound as error:
        if creates(plan):
            return NOTHING
        raise Conflict(f"{plan.target} is gone since plan {plan.hash}: {error}") from error
    moved = list(_moved(plan, found))
    if moved:
        raise Conflict(f"{plan.target} moved since plan {plan.hash}: {'; '.join(moved)}; plan again")
    return found


def _moved(plan: Plan, found: Json) -> Iterable[str]:
    if creates(plan):
        yield "there is one now"
        return
    if found["metadata"]["uid"] != plan.target.uid:
        yield "it was deleted and made again"
    elif found["metadata"].get("generation", 0) != plan.target.generation:
        yield f"generation {plan.target.generation} → {found['metadata'].get('generation', 0)}"
    for change in plan.changes:
        lines = difference(change.before, seen(found, change, change.before), change.path)
        yield from (line[:300] for line in islice(lines, MOST_TOLD))


def drift(plan: Plan, found: Json) -> list[str]:
    """Return what of *plan*, once applied, is no longer on its target, field by field; empty while all of it is."""
    now = [(each, seen(found, each, each.after)) for each in plan.changes]
    return [line for each, value in now for line in difference(each.after, value, each.path)]


def apply(systems: Systems, plan: Plan, mark: str, intend: Callable[[Json], object]) -> Json:
    """
    Do what *plan* says, and return the object as written.

    Args:
        systems: Where.
        plan: What to do.
        mark: What the request writes beside the change.
        intend: Called with the target as it was read, before each request leaves; what it raises keeps it from leaving.

    Raises:
        Conflict: The target moved. Nothing was written.
        Refused: We may not. Nothing was written.
        Unavailable: The cluster could not be reached. Nothing was written.
        OutcomeUnknown: It was sent, and no definite answer came.
    """
    for _ in range(MOST_TRIES - 1):
        found = _intended(systems, plan, intend)
        with suppress(Conflict):
            return _write(systems, plan, found, mark)
    return _write(systems, plan, _intended(systems, plan, intend), mark)


def _intended(systems: Systems, plan: Plan, intend: Callable[[Json], object]) -> Json:
    found = fresh(systems, plan)
    intend(found)
    return found


def _write(systems: Systems, plan: Plan, found: Json, mark: str) -> Json:
    target = plan.target
    if creates(plan):
        return systems.cluster.create(target.kind, target.namespace, _carrying(plan.changes[0].after, mark))
    if deletes(plan):
        systems.delete(target.kind, target.namespace, found)
        return found
    return send(systems, target, operations(plan.changes, found, mark), dry_run=False)


def _carrying(made: Json, mark: str) -> Json:
    own = made["metadata"]
    return {**made, "metadata": {**own, "annotations": {**own.get("annotations", {}), MARK: mark}}}
