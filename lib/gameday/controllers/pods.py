"""What controllers ask of a pod: does it count, is it ready and since when, and which can be spared first."""

from datetime import datetime
from typing import TypeAlias

from firstwatch.model import Json
from gameday import timestamps

ENDED = ("Succeeded", "Failed")
DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
_PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}

Rank: TypeAlias = tuple[bool, int, bool, int, str, int, str]


def ended(pod: Json) -> bool:
    return phase(pod) in ENDED


def phase(pod: Json) -> str:
    return str((pod.get("status") or {}).get("phase") or "Pending")


def leaving(pod: Json) -> bool:
    return bool(pod["metadata"].get("deletionTimestamp"))


def active(pod: Json) -> bool:
    """Tell whether *pod* counts as a replica: it has neither ended nor is it being deleted."""
    return not ended(pod) and not leaving(pod)


def condition(pod: Json, kind: str) -> Json:
    """Return the condition of type *kind*, or None."""
    conditions = (pod.get("status") or {}).get("conditions") or []
    return next((each for each in conditions if each["type"] == kind), None)


def ready(pod: Json) -> bool:
    told = condition(pod, "Ready")
    return told is not None and told["status"] == "True"


def ready_since(pod: Json, now: datetime) -> datetime:
    """Return when *pod* became ready, or *now* when it does not say."""
    told = condition(pod, "Ready") or {}
    return timestamps.parse(told["lastTransitionTime"]) if told.get("lastTransitionTime") else now


def dispensable(pod: Json) -> Rank:
    """Return *pod*'s place in the order of deletion: the lowest goes first."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or []
    restarts = max((each.get("restartCount", 0) for each in statuses), default=0)
    cost = int((pod["metadata"].get("annotations") or {}).get(DELETION_COST, 0))
    ready_at = (condition(pod, "Ready") or {}).get("lastTransitionTime", "") if ready(pod) else ""
    placed = bool(pod["spec"].get("nodeName"))
    born = str(pod["metadata"].get("creationTimestamp"))
    return placed, _PHASES.get(phase(pod), 1), ready(pod), cost, _later(ready_at), -restarts, _later(born)


def _later(moment: str) -> str:
    """Turn *moment* so that the latest sorts first."""
    return "".join(chr(0x10FFFF - ord(each)) for each in moment)
