"""
How an object goes: at once, or first marked, for as long as somebody still has something to do with it.

Pure functions. A pod on a node stays until its kubelet has ended it, which deletes it a second time without grace.
Finalizers are names of those who have something to do; each takes its own away.
"""

from datetime import datetime, timedelta

from firstwatch.model import Json
from gameday import timestamps
from gameday.api.options import Deletion
from gameday.api.resources import Resource
from gameday.controllers import pods
from gameday.kinds import NAMESPACE, POD

FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"
_WAITS = {"Foreground": [FOREGROUND], "Orphan": [ORPHAN]}


def leaving(resource: Resource, item: Json, asked: Deletion, now: datetime) -> Json:
    """Return *item* marked as *asked*, or as it is when it is marked already and would not go sooner."""
    metadata, grace = item["metadata"], _grace(resource, item, asked)
    if "deletionTimestamp" in metadata and grace >= metadata.get("deletionGracePeriodSeconds", 0):
        return item
    kept = {name: each for name, each in metadata.items() if name != "finalizers"}
    marked: dict[str, Json] = {"deletionTimestamp": timestamps.seconds(now + timedelta(seconds=grace))}
    marked |= {"deletionGracePeriodSeconds": grace}
    if "generation" in metadata and "deletionTimestamp" not in metadata:
        marked["generation"] = metadata["generation"] + 1
    waits = [each for each in metadata.get("finalizers") or [] if each not in {FOREGROUND, ORPHAN}]
    waits += _WAITS.get(asked.propagation, [])
    if waits:
        marked["finalizers"] = waits
    terminating = {"status": {**(item.get("status") or {}), "phase": "Terminating"}}
    return {**item, "metadata": {**kept, **marked}} | (terminating if resource.kind == NAMESPACE else {})


def may_go(item: Json) -> bool:
    """Tell whether nothing keeps *item* any longer, which was marked."""
    metadata = item["metadata"]
    held = metadata.get("finalizers") or (item.get("spec") or {}).get("finalizers")
    return "deletionTimestamp" in metadata and not metadata.get("deletionGracePeriodSeconds") and not held


def _grace(resource: Resource, item: Json, asked: Deletion) -> int:
    if resource.kind != POD or not item["spec"].get("nodeName") or pods.ended(item):
        return 0
    if asked.grace_s is not None:
        return asked.grace_s
    own = item["spec"].get("terminationGracePeriodSeconds")
    return 30 if own is None else int(own)
