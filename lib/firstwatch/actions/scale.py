"""
Scale: another number of pods, or another range for the autoscaler that sets it.

An autoscaler undoes a number set by hand within seconds, so the plan of the first says so and names the second.
"""

from firstwatch.actions import bounds
from firstwatch.actions.action import Action, action, resolved, target_of, workload
from firstwatch.errors import BadParameter, NotFound
from firstwatch.model import Json, Plan
from firstwatch.systems import Systems

MINIMUM, MAXIMUM = "/spec/minReplicas", "/spec/maxReplicas"


@action("What would scaling change?", destructive=False)
def scale(self: Action, systems: Systems, *, replicas: int) -> Plan:
    """
    Plan to run *replicas* pods, from 1 to the cap of the configuration.

    Raises:
        BadParameter: It is above the cap, or what there is already.
    """
    deployment = workload(systems)
    now = deployment["spec"].get("replicas", 1)
    bounds.sensible(replicas, now, systems.settings.limits.replicas, "replicas")
    checks = bounds.replicas(systems, target_of(deployment), deployment, replicas)
    said = (f"replicas {now} → {replicas}",)
    return resolved(self, systems, deployment, {"/spec/replicas": replicas}, said, checks=checks, replicas=replicas)


@action("What would the autoscaler be told?", destructive=False)
def autoscaler(self: Action, systems: Systems, *, minimum: int, maximum: int = 0) -> Plan:
    """
    Plan to raise the fewest pods that the autoscaler may choose, and the most when that is fewer.

    Args:
        self: The action.
        systems: Where.
        minimum: The fewest pods.
        maximum: The most; 0 keeps it, or raises it to *minimum*.

    Raises:
        NotFound: No autoscaler sets the workload's replicas.
        BadParameter: A number is above the cap, or nothing would change.
    """
    deployment = workload(systems)
    target = target_of(deployment)
    found = bounds.scaler(systems, target)
    if found is None:
        raise NotFound(f"no autoscaler sets the replicas of {target}; use firstwatch run mitigate/scale-out")
    low, high = found["spec"].get("minReplicas", 1), found["spec"]["maxReplicas"]
    wanted = _range(low, high, minimum, maximum, systems.settings.limits.replicas)
    said = (f"{low} to {high} pods → {minimum} to {wanted.get(MAXIMUM, high)}",)
    checks = bounds.room(systems, target, deployment, minimum - deployment["spec"].get("replicas", 1))
    return resolved(self, systems, found, wanted, said, checks=checks, minimum=minimum, maximum=maximum)


def _range(low: int, high: int, minimum: int, maximum: int, most: int) -> dict[str, Json]:
    top = maximum or max(high, minimum)
    if top < minimum:
        raise BadParameter(f"maximum {top} is below minimum {minimum}")
    changed = {MINIMUM: (low, minimum), MAXIMUM: (high, top)}
    wanted = {path: after for path, (before, after) in changed.items() if before != after}
    for path, number in (wanted or {MINIMUM: minimum}).items():
        bounds.sensible(number, changed[path][0], most, path.rpartition("/")[2])
    return wanted
