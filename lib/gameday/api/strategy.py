"""
What belongs to whom in one object: what only the server writes, and which part a request may change.

Pure functions. Metadata such as uid, times and generation is the server's. Status is written through `/status` alone,
where a kind has it, and nothing else is. What a change of the spec moves is the generation, of a Deployment also a
change of its annotations, so that a controller knows which of them it has seen.
"""

import uuid
from datetime import datetime

from firstwatch.model import Json
from gameday import timestamps
from gameday.api import tree
from gameday.api.resources import Resource
from gameday.kinds import NODE

SERVERS = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "selfLink")
KEPT = {"Service": ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"), "Pod": ("nodeName",)}


def born(resource: Resource, item: Json, namespace: str, now: datetime) -> Json:
    """Return *item* as it begins: with an identity, and without what others say later."""
    metadata = {name: each for name, each in item["metadata"].items() if name not in (*SERVERS, "resourceVersion")}
    metadata |= {"uid": str(uuid.uuid4()), "creationTimestamp": timestamps.seconds(now)}
    if resource.kind.namespaced:
        metadata["namespace"] = namespace
    if resource.generations:
        metadata["generation"] = 1
    # A kubelet may bring its node's status along.
    given = (item.get("status") or {}) if resource.kind == NODE else {}
    return {**item, "metadata": metadata} | ({"status": given} if _has_status(resource) else {})


def divided(resource: Resource, part: str, before: Json, after: Json) -> Json:
    """Return *after* with all as it was *before* that a write to *part* may not change."""
    if part == "status":
        return {**before, "status": after.get("status") or {}}
    metadata = {name: each for name, each in after["metadata"].items() if name not in SERVERS}
    metadata |= {name: before["metadata"][name] for name in SERVERS if name in before["metadata"]}
    metadata |= {name: before["metadata"][name] for name in ("name", "namespace") if name in before["metadata"]}
    kept = {**after, "metadata": metadata}
    if _has_status(resource):
        kept.pop("status", None)
        kept |= {"status": tree.pruned(before["status"])} if "status" in before else {}
    return _remembered(resource, before, kept)


def generation(resource: Resource, before: Json, after: Json) -> int | None:
    """Return the generation of *after*, or None for a kind that does not count."""
    if not resource.generations:
        return None
    known = int(before["metadata"].get("generation", 1))
    moved = any(before.get(name) != after.get(name) for name in before.keys() | after.keys() if name not in _APART)
    if resource.kind.kind == "Deployment":
        moved = moved or before["metadata"].get("annotations") != after["metadata"].get("annotations")
    return known + moved


_APART = {"metadata", "status"}


def _remembered(resource: Resource, before: Json, after: Json) -> Json:
    """A client that leaves out what it was once given, a Service's address, does not give it back."""
    fields = KEPT.get(resource.kind.kind, ())
    spec = {**(after.get("spec") or {})}
    for name in fields:
        if name in (before.get("spec") or {}):
            spec.setdefault(name, before["spec"][name])
    return {**after, "spec": spec} if fields else after


def _has_status(resource: Resource) -> bool:
    return "status" in resource.subresources
