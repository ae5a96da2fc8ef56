"""What is done to a pod besides changing it: it is bound to a node, and it is evicted if its budgets have room."""

from firstwatch.model import Json
from gameday import labels, timestamps
from gameday.api import errors, options
from gameday.api.options import Options
from gameday.api.registry import Registry
from gameday.api.target import Target
from gameday.controllers import pods
from gameday.kinds import DISRUPTION_BUDGET, POD

DONE = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
REFUSED = "Cannot evict pod as it would violate the pod's disruption budget."
SEVERAL = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."


def bind(registry: Registry, target: Target, body: Json, asked: Options) -> Json:
    """Bind a pod to the node that *body*, a Binding, names; a pod is bound once."""
    pod = registry.get(target)
    about, node = pod["metadata"], (body.get("target") or {}).get("name")
    if not node:
        raise errors.invalid(target.resource, about["name"], [errors.required("target.name")])
    wanted = (body.get("metadata") or {}).get("uid")
    if wanted and wanted != about["uid"]:
        raise errors.conflict(target.resource, about["name"], f"it has the uid {about['uid']}, not {wanted}")
    if "deletionTimestamp" in about:
        raise errors.conflict(target.resource, about["name"], f"pod {about['name']} is being deleted")
    if known := pod["spec"].get("nodeName"):
        why = f'pod {about["name"]} is already assigned to node "{known}"'
        raise errors.conflict(target.resource, about["name"], why)
    scheduled = {"type": "PodScheduled", "status": "True"}
    scheduled["lastTransitionTime"] = timestamps.seconds(registry.clock.now())
    others = [each for each in pod["status"].get("conditions") or [] if each["type"] != "PodScheduled"]
    bound = {**pod, "spec": {**pod["spec"], "nodeName": node}}
    bound["status"] = {**pod["status"], "conditions": [*others, scheduled]}
    if not asked.dry_run:
        registry.store.put(POD, bound)
    return DONE


def evict(registry: Registry, target: Target, body: Json, asked: Options) -> Json:
    """Delete a pod as *body*, an Eviction, says, unless a disruption budget has no room for it (429)."""
    pod = registry.get(target)
    wanted = body.get("deleteOptions") or {}
    deletion = options.deleting({"dryRun": "All"} if asked.dry_run else {}, wanted)
    if not pods.ended(pod) and pods.phase(pod) != "Pending" and not pods.leaving(pod):
        _spend(registry, pod, dry_run=deletion.dry_run)
    registry.delete(target, deletion)
    return DONE


def _spend(registry: Registry, pod: Json, *, dry_run: bool) -> None:
    """Take the pod from its budget's room, before the controller has counted again."""
    namespace, own = pod["metadata"]["namespace"], pod["metadata"].get("labels")
    budgets = [
        each
        for each in registry.store.list(DISRUPTION_BUDGET, namespace)
        if labels.matches(each["spec"].get("selector"), own)
    ]
    if len(budgets) > 1:
        raise errors.Refusal(500, "InternalError", SEVERAL)
    for budget in budgets:
        status = budget.get("status") or {}
        enough = status.get("currentHealthy", 0) >= status.get("desiredHealthy", 0) > 0
        if not pods.ready(pod) and enough:
            continue
        allowed = status.get("disruptionsAllowed", 0)
        if allowed <= 0 or status.get("observedGeneration", 0) < budget["metadata"].get("generation", 0):
            raise errors.too_many(REFUSED, [_cause(budget)])
        if not dry_run:
            left = {**status, "disruptionsAllowed": allowed - 1}
            registry.store.put(DISRUPTION_BUDGET, {**budget, "status": left})


def _cause(budget: Json) -> dict[str, str]:
    status = budget.get("status") or {}
    told = f"needs {status.get('desiredHealthy', 0)} healthy pods and has {status.get('currentHealthy', 0)} currently"
    return {"reason": "DisruptionBudget", "message": f"The disruption budget {budget['metadata']['name']} {told}"}
