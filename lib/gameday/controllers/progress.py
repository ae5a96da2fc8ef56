"""
What a Deployment says of itself: counts, and the conditions Available and Progressing. Pure functions.

`Progressing` keeps Kubernetes' manners, the odd one included: after an undo of a stuck rollout, the old
`ProgressDeadlineExceeded` stands until the first pod moves.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from firstwatch.model import Json
from gameday import timestamps
from gameday.controllers.rollout import NEVER, Limits

AVAILABLE, PROGRESSING, FAILURE = "Available", "Progressing", "ReplicaFailure"
DONE = "NewReplicaSetAvailable"
TIMED_OUT = "ProgressDeadlineExceeded"
PAUSED, RESUMED = "DeploymentPaused", "DeploymentResumed"


def counts(deployment: Json, new: Json, replicasets: Sequence[Json]) -> dict[str, Json]:
    """Return the status without conditions, as the ReplicaSets report it; *new* may be None."""
    status = deployment.get("status") or {}
    available = _sum(replicasets, "availableReplicas")
    wanted = sum(each["spec"].get("replicas", 1) for each in replicasets)
    made = {
        "observedGeneration": deployment["metadata"].get("generation", 1),
        "replicas": _sum(replicasets, "replicas"),
        "updatedReplicas": _sum([new] if new else [], "replicas"),
        "readyReplicas": _sum(replicasets, "readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(wanted - available, 0),
        "collisionCount": status.get("collisionCount"),
    }
    return {name: value or None for name, value in made.items()}


def available(status: Json, allowed: Limits, now: datetime) -> Json:
    """Return the condition Available."""
    if (status.get("availableReplicas") or 0) >= allowed.least_available:
        return condition(AVAILABLE, "True", "MinimumReplicasAvailable", "Deployment has minimum availability.", now)
    message = "Deployment does not have minimum availability."
    return condition(AVAILABLE, "False", "MinimumReplicasUnavailable", message, now)


def complete(deployment: Json, status: Json) -> bool:
    """Tell whether all pods are of the current template, and available."""
    desired = deployment["spec"].get("replicas", 1)
    figures = [status.get(name) or 0 for name in ("updatedReplicas", "replicas", "availableReplicas")]
    return figures == [desired] * 3


def progressing(deployment: Json, status: Json, new: Json, now: datetime) -> Json:
    """Return the condition Progressing for *status*, or the one that there is when nothing about it changes."""
    known = found(deployment, PROGRESSING)
    if not deadline(deployment) or _settled(status, known):
        return known
    subject = f'ReplicaSet "{new["metadata"]["name"]}"' if new else f'Deployment "{deployment["metadata"]["name"]}"'
    if complete(deployment, status):
        return condition(PROGRESSING, "True", DONE, f"{subject} has successfully progressed.", now, known)
    if _moved(deployment.get("status") or {}, status):
        return condition(PROGRESSING, "True", "ReplicaSetUpdated", f"{subject} is progressing.", now, known)
    if known and _late(deployment, known, now):
        return condition(PROGRESSING, "False", TIMED_OUT, f"{subject} has timed out progressing.", now, known)
    return known


def deadline(deployment: Json) -> timedelta | None:
    """Return how long a rollout may stand still; None for ever."""
    seconds = deployment["spec"].get("progressDeadlineSeconds", 600)
    return timedelta(seconds=seconds) if seconds is not None and seconds != NEVER else None


def due(deployment: Json, known: Json, now: datetime) -> timedelta | None:
    """Return in how long a rollout that is under way runs out of time, or None when it cannot."""
    limit = deadline(deployment)
    if limit is None or not known or known["reason"] in {DONE, TIMED_OUT, PAUSED}:
        return None
    return timestamps.parse(known["lastUpdateTime"]) + limit - now


def condition(kind: str, status: str, reason: str, message: str, now: datetime, known: Json = None) -> Json:
    """Return a condition; while its status stays as in *known*, so does the time of its last transition."""
    moment = timestamps.seconds(now)
    since = known["lastTransitionTime"] if known and known["status"] == status else moment
    told = {"type": kind, "status": status, "reason": reason, "message": message}
    return told | {"lastUpdateTime": moment, "lastTransitionTime": since}


def found(deployment: Json, kind: str) -> Json:
    conditions = (deployment.get("status") or {}).get("conditions") or []
    return next((each for each in conditions if each["type"] == kind), None)


def with_condition(conditions: Sequence[Json], told: Json) -> list[Json]:
    """Return *conditions* with *told* in its place; the same status and reason again changes nothing."""
    known = next((each for each in conditions if each["type"] == told["type"]), None)
    if known and (known["status"], known["reason"]) == (told["status"], told["reason"]):
        if told["type"] != PROGRESSING:
            told = known
    elif known and known["status"] == told["status"]:
        told = told | {"lastTransitionTime": known["lastTransitionTime"]}
    return [each for each in conditions if each["type"] != told["type"]] + [told]


def _sum(replicasets: Sequence[Json], name: str) -> int:
    return sum((each.get("status") or {}).get(name) or 0 for each in replicasets)


def _settled(status: Json, known: Json) -> bool:
    """Tell whether this rollout ended before; what happens to its pods now is not progress."""
    return (status.get("replicas") or 0) == (status.get("updatedReplicas") or 0) and bool(
        known and known["reason"] == DONE
    )


def _moved(before: Json, after: Json) -> bool:
    def figure(status: Json, name: str) -> int:
        return int(status.get(name) or 0)

    def old(status: Json) -> int:
        return figure(status, "replicas") - figure(status, "updatedReplicas")

    more = any(
        figure(after, each) > figure(before, each) for each in ("updatedReplicas", "readyReplicas", "availableReplicas")
    )
    return more or old(after) < old(before)


def _late(deployment: Json, known: Json, now: datetime) -> bool:
    left = due(deployment, known, now)
    return known["reason"] == TIMED_OUT or (left is not None and left < timedelta())
