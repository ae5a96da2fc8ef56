"""
Rollback: put the pod template of an earlier revision back.

The earlier revision is a ReplicaSet that the Deployment still owns. Undo puts the template back that was there before.
"""

from firstwatch.actions.action import Action, action, choose, resolved, target_of, workload
from firstwatch.actions.pulling import pulls
from firstwatch.errors import BadParameter
from firstwatch.model import Json, Plan
from firstwatch.systems import Systems
from firstwatch.systems.workloads import HASH, images, revision, revisions


@action("What would a rollback change?", destructive=True)
def rollback(self: Action, systems: Systems, *, to_revision: int = 0) -> Plan:
    """
    Plan to put an earlier revision back.

    Args:
        self: The action.
        systems: Where.
        to_revision: A revision of `firstwatch show` or `kubectl rollout history`; 0 is the one before the newest.

    Raises:
        NotFound: There is no such revision.
        BadParameter: There is none before the newest, or it does not differ from what runs.
    """
    deployment = workload(systems)
    found = systems.cluster.list("ReplicaSet", systems.settings.service.namespace)
    owned = {revision(each): each for each in revisions(deployment, found)}
    newest = max(owned, default=0)
    chosen = choose(to_revision, sorted(owned), "revision") if to_revision else _before(sorted(owned))
    template = _template(owned[chosen])
    running = deployment["spec"]["template"]
    if template == running:
        raise BadParameter(f"revision {chosen} does not differ from what runs; choose another with to_revision")
    said = (f"revision {newest} → {chosen}", f"image {images(running)} → {images(template)}")
    checks = pulls(systems, target_of(deployment), template)
    return resolved(
        self, systems, deployment, {"/spec/template": template}, said, checks=checks, to_revision=to_revision
    )


def _before(known: list[int]) -> int:
    if len(known) < 2:
        raise BadParameter(
            f"there is no revision before {known[-1] if known else 'the first'}: nothing to roll back to"
        )
    return known[-2]


def _template(replicaset: Json) -> Json:
    """Return the ReplicaSet's pod template without the hash that the controller added."""
    template = replicaset["spec"]["template"]
    metadata = dict(template.get("metadata", {}))
    metadata["labels"] = {key: value for key, value in metadata.get("labels", {}).items() if key != HASH}
    return {**template, "metadata": metadata}
