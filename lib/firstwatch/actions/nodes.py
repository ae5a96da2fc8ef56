"""Nodes: keep new pods away from one. What runs there goes on; a restart of the workload then moves it elsewhere."""

from firstwatch.actions.action import Action, action, resolved, target_of
from firstwatch.actions.stick import checked, says
from firstwatch.errors import BadParameter, NotFound, nearest
from firstwatch.model import Finding, Json, Plan, Target, Verdict
from firstwatch.systems import Systems
from firstwatch.systems.workloads import holds


@action("What would cordoning change?", destructive=False)
def cordon(self: Action, systems: Systems, *, node: str) -> Plan:
    """
    Plan to keep new pods away from *node*.

    Raises:
        NotFound: There is no such node.
        BadParameter: It is cordoned already.
    """
    nodes = systems.cluster.list("Node")
    known = {each["metadata"]["name"]: each for each in nodes}
    if node not in known:
        raise NotFound(f"there is no node {node!r}; {nearest(node, list(known))}")
    if known[node].get("spec", {}).get("unschedulable"):
        raise BadParameter(f"node {node} is cordoned already")
    found, target = known[node], target_of(known[node])
    wanted = {"/spec/unschedulable": True} if "spec" in found else {"/spec": {"unschedulable": True}}
    said = (f"no new pod is put on {node}; those there go on",)
    checks = checked(target, lambda: (_others(target, nodes),))
    return resolved(self, systems, found, wanted, said, checks=checks, node=node)


def _others(target: Target, nodes: list[Json]) -> Finding:
    able = [each for each in nodes if holds(each, "Ready") and not each.get("spec", {}).get("unschedulable")]
    left = sorted(each["metadata"]["name"] for each in able if each["metadata"]["name"] != target.name)
    if left:
        return says(target, Verdict.OK, f"{len(left)} other nodes can take pods: {', '.join(left[:5])}")
    return says(target, Verdict.BAD, "no other node can take pods: what ends would not come back")
