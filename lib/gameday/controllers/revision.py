"""
A Deployment's memory: which ReplicaSet holds which pod template, and under which revision number.

A template that was there before is not made again: its old ReplicaSet is used once more and gets the next, highest
number; the numbers that it had stay in its history. That is what `rollout undo` and `rollout history` read.
"""

import hashlib
import json
from collections.abc import Sequence

from firstwatch.model import Json

HASH_LABEL = "pod-template-hash"
PREFIX = "deployment.kubernetes.io/"
REVISION = PREFIX + "revision"
HISTORY = PREFIX + "revision-history"
DESIRED = PREFIX + "desired-replicas"
MOST = PREFIX + "max-replicas"
NOT_COPIED = {
    "kubectl.kubernetes.io/last-applied-configuration", "deprecated.deployment.rollback.to",
    REVISION, HISTORY, DESIRED, MOST,
}  # fmt: skip
# No vowels and nothing that looks like another: a name must not become a word.
ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


def current(deployment: Json, replicasets: Sequence[Json]) -> Json:
    """Return the oldest of *replicasets* whose template is the Deployment's, or None."""
    wanted = plain(deployment["spec"]["template"])
    return next((each for each in by_age(replicasets) if plain(each["spec"]["template"]) == wanted), None)


def plain(template: Json) -> Json:
    """Return *template* without the hash label and without what is null or empty: what makes two templates the same."""
    pruned = _pruned(template) or {}
    labels = {name: value for name, value in pruned.get("metadata", {}).get("labels", {}).items() if name != HASH_LABEL}
    return pruned | {"metadata": pruned.get("metadata", {}) | {"labels": labels}}


def digest(deployment: Json) -> str:
    """Return the name of a Deployment's template: the same template, the same ten letters, unless names collided."""
    collisions = (deployment.get("status") or {}).get("collisionCount") or 0
    text = json.dumps([plain(deployment["spec"]["template"]), collisions], sort_keys=True)
    return "".join(ALPHABET[byte % len(ALPHABET)] for byte in hashlib.sha256(text.encode()).digest()[:10])


def by_age(replicasets: Sequence[Json]) -> list[Json]:
    """Return *replicasets* oldest first."""
    return sorted(
        replicasets, key=lambda each: (each["metadata"].get("creationTimestamp", ""), each["metadata"]["name"])
    )


def of(item: Json) -> int:
    """Return the revision that *item* carries, or 0."""
    value = (item["metadata"].get("annotations") or {}).get(REVISION, "")
    return int(value) if value.isdigit() else 0


def annotations(deployment: Json, replicaset: Json, old: Sequence[Json]) -> dict[str, str]:
    """Return what the annotations of the current *replicaset* have to be; *old* are the others."""
    own = dict(replicaset["metadata"].get("annotations") or {})
    own |= copied(deployment)
    revision, before = max((of(each) for each in old), default=0) + 1, of(replicaset)
    if before < revision:
        own[REVISION] = str(revision)
        if before:
            own[HISTORY] = ",".join(filter(None, [own.get(HISTORY), str(before)]))
    return own


def copied(deployment: Json) -> dict[str, str]:
    """Return the Deployment's annotations that its ReplicaSets carry too, such as the change's cause."""
    own = deployment["metadata"].get("annotations") or {}
    return {name: value for name, value in own.items() if name not in NOT_COPIED}


def superfluous(old: Sequence[Json], limit: int) -> list[Json]:
    """Return those of *old* that the history has no room for: the lowest revisions, and only if they have no pods."""
    surplus = max(len(old) - limit, 0)
    return [each for each in sorted(old, key=of)[:surplus] if _idle(each)]


def _idle(replicaset: Json) -> bool:
    status = replicaset.get("status") or {}
    settled = status.get("observedGeneration", 0) >= replicaset["metadata"].get("generation", 0)
    return settled and not status.get("replicas") and replicaset["spec"].get("replicas") == 0


def _pruned(value: Json) -> Json:
    """Return *value* without nulls and empty maps and lists, which the API drops or adds as it pleases."""
    if isinstance(value, dict):
        kept = {name: _pruned(each) for name, each in value.items()}
        return {name: each for name, each in kept.items() if each not in (None, {}, [])}
    return [_pruned(each) for each in value] if isinstance(value, list) else value
